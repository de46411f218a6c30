# What people type. Everything that a target needs on the machine, it installs.

CARGO ?= cargo
SCALE ?= 1
UNIMIG = target/release/unimig

.DEFAULT_GOAL := help
.PHONY: help requirements test-requirements build demo test lint check-docs unit-test example-test audit bench bench-capture bench-dbt test-dbt test-versions clean

help: ## Show this list
	@sed -nE 's/^([a-z-]+):.*## (.*)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 24

requirements:
	@scripts/install-requirements.sh

test-requirements:
	@scripts/install-requirements.sh --for-tests

build: requirements ## Build target/release/unimig
	$(CARGO) build --release --locked

demo: build ## Watch two source systems being merged into a third (SCALE=1 is about 200,000 rows)
	@$(UNIMIG) demo --scale $(SCALE) project

test: test-requirements lint check-docs example-test ## Everything that CI runs

lint:
	$(CARGO) fmt --check
	$(CARGO) clippy --release --locked --all-targets -- -D warnings

check-docs:
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --release --locked --no-deps --quiet

unit-test:
	$(CARGO) test --release --locked

# The tests have built the binary; a build of its own would compile some crates with other features again.
example-test: unit-test
	examples/quickstart/run.sh "$(CURDIR)/$(UNIMIG)"

audit: ## Check licences, bans and sources of dependencies with cargo deny
	@command -v cargo-deny >/dev/null 2>&1 || $(CARGO) install --locked cargo-deny
	$(CARGO) deny --locked check licenses bans sources

bench: build ## Measure, and rewrite the table in book/src/reference/performance.md
	benches/run.sh

bench-capture: build ## Measure source to staging beside its peers, and rewrite its table there
	benches/run.sh capture

bench-dbt: build ## Measure beside dbt from PyPI, and rewrite its table there
	benches/run.sh dbt

test-dbt: build ## Let dbt's own software from PyPI read and check what unimig makes
	tests/dbt/run.sh "$(CURDIR)/$(UNIMIG)"

test-versions: build ## Run the tests on PostgreSQL 16, 17 and 18 from npm
	scripts/test-versions.sh

clean: ## Remove what was built and the demo's databases
	$(CARGO) clean
	rm -rf project/.unimig project/target
