"""A generated dbt project of about forty nodes, and a few hundred selections over it.

Everything follows from one seed, so that the project and its selections are the same on every machine.
"""

import itertools
import random
from pathlib import Path

PROJECT = """name: shop
version: "1.0"
config-version: 2
profile: shop
models:
  shop:
    staging:
      +materialized: view
      +tags: [staging]
    marts:
      +materialized: table
      finance:
        +tags: [finance, nightly]
        +meta: {owner: ana, size: 3, teams: [fin, ops]}
seeds:
  shop:
    +tags: [seeded]
"""

PROFILES = """shop:
  target: dev
  outputs:
    dev:
      type: postgres
      host: 127.0.0.1
      port: 5432
      user: nobody
      password: nothing
      dbname: shop
      schema: shop
      threads: 1
"""

SOURCES = """version: 2
sources:
  - name: raw
    schema: raw
    tags: [source_tag]
    tables:
      - name: orders
        columns:
          - name: id
            data_tests: [not_null, unique]
      - name: customers
        tags: [nightly]
      - name: payments
  - name: crm
    schema: crm
    tables:
      - name: orders
      - name: contacts
        data_tests:
          - not_null: {column_name: id}
"""

EXPOSURES = """version: 2
exposures:
  - name: weekly_report
    type: dashboard
    owner: {name: Ana, email: ana@example.com}
    tags: [nightly]
    depends_on:
      - ref('revenue')
      - ref('orders')
  - name: crm_sync
    type: application
    owner: {name: Bo, email: bo@example.com}
    depends_on:
      - source('crm', 'contacts')
"""

GROUPS = """version: 2
groups:
  - name: money
    owner: {name: Ana, email: ana@example.com}
  - name: people
    owner: {name: Bo, email: bo@example.com}
"""

UNIT_TESTS = """version: 2
unit_tests:
  - name: revenue_adds_up
    model: revenue
    given:
      - input: ref('order_items')
        rows: [{id: 1}]
      - input: ref('stg_payments')
        rows: [{id: 1}]
    expect:
      rows: [{id: 1}]
  - name: orders_pass_through
    model: orders
    config: {tags: [nightly]}
    given:
      - input: ref('stg_orders')
        rows: [{id: 1}]
      - input: ref('order_items')
        rows: []
    expect:
      rows: [{id: 1}]
"""

SNAPSHOT = """{% snapshot orders_history %}
{{ config(target_schema='snapshots', unique_key='id', strategy='check', check_cols=['id'], tags=['nightly']) }}
select * from {{ ref('orders') }}
{% endsnapshot %}
"""

SELECTORS = """selectors:
  - name: nightly
    description: What runs at night
    definition:
      union:
        - method: tag
          value: nightly
          children: true
          children_depth: 1
        - "stg_orders"
        - exclude:
            - method: package
              value: pkg
  - name: both
    definition:
      intersection:
        - tag: nightly
        - method: path
          value: models/marts
          parents: true
  - name: strict
    definition:
      method: fqn
      value: orders
      childrens_parents: true
      indirect_selection: cautious
      exclude:
        - "tag:source_tag"
        - "config.materialized:view"
  - name: inherits
    definition:
      union:
        - method: selector
          value: both
        - method: resource_type
          value: seed
          indirect_selection: empty
  - name: word
    definition: "+customers"
  - name: pair
    definition: {config.materialized: table}
"""

# name: (folder, config, what it reads)
MODELS = {
    "stg_orders": ("staging/raw", "", ["source('raw', 'orders')"]),
    "stg_customers": ("staging/raw", "tags=['pii']", ["source('raw', 'customers')", "ref('countries')"]),
    "stg_payments": ("staging/raw", "", ["source('raw', 'payments')"]),
    "stg_contacts": ("staging/crm", "tags=['pii', 'nightly']", ["source('crm', 'contacts')"]),
    "stg_crm_orders": ("staging/crm", "enabled=true", ["source('crm', 'orders')"]),
    "order_items": ("intermediate", "materialized='ephemeral'", ["ref('stg_orders')", "ref('stg_payments')"]),
    "contact_points": ("intermediate", "", ["ref('stg_contacts')", "ref('stg_customers')"]),
    "orders": ("marts/core", "tags='nightly'", ["ref('stg_orders')", "ref('order_items')"]),
    "customers": ("marts/core", "", ["ref('contact_points')", "ref('orders')"]),
    "all_orders": ("marts/core", "schema='wide', alias='orders_all'", ["ref('orders')", "ref('stg_crm_orders')"]),
    "revenue": ("marts/finance", "", ["ref('order_items')", "ref('stg_payments')"]),
    "revenue_by_month": ("marts/finance", "materialized='view', group='money'", ["ref('revenue')"]),
    "forecast": ("marts/finance", "meta={'owner': 'bo', 'nested': {'level': 'deep'}}", ["ref('revenue_by_month')", "ref('rates')"]),
    "root_model": ("", "", ["ref('forecast')", "ref('customers')"]),
    "lonely": ("misc", "group='money', access='private'", []),
}

SEEDS = {"countries": "", "rates": "finance", "codes": ""}

PROPERTIES = {
    "models/staging/raw/schema.yml": [
        ("stg_orders", "", ["not_null", "unique"], []),
        ("stg_customers", "", ["not_null"], [("accepted_values", "{values: [1, 2], config: {severity: warn}}")]),
        ("stg_payments", "", ["unique"], [("relationships", "{to: ref('stg_orders'), field: id}")]),
    ],
    "models/marts/core/schema.yml": [
        ("orders", "config: {group: money, access: public}", ["unique"], [("relationships", "{to: ref('customers'), field: id, config: {tags: [slow]}}")]),
        ("customers", "config: {group: people}", ["not_null"], [("relationships", "{to: ref('countries'), field: id}")]),
        ("all_orders", "", [], [("not_null", "{config: {tags: [nightly], severity: error}}")]),
    ],
    "models/finance.yml": [
        ("revenue", "config: {group: money}", ["not_null"], [("relationships", "{to: ref('orders'), field: id}")]),
        ("forecast", "", ["unique"], []),
    ],
}

SINGULAR = {
    "tests/orders_match.sql": "select * from {{ ref('orders') }} join {{ ref('all_orders') }} using (id)",
    "tests/deep/revenue_is_positive.sql": "{{ config(tags=['slow'], severity='warn') }} select * from {{ ref('revenue') }}",
    "tests/deep/source_has_rows.sql": "select * from {{ source('raw', 'orders') }}",
}

PACKAGE = {
    "dbt_project.yml": 'name: pkg\nversion: "1.0"\nconfig-version: 2\nprofile: shop\n',
    "models/shared/pkg_base.sql": "select 1 as id",
    "models/shared/pkg_top.sql": "{{ config(tags=['nightly']) }} select * from {{ ref('pkg_base') }}",
    "models/shared/schema.yml": "version: 2\nmodels:\n  - name: pkg_top\n    columns:\n      - {name: id, data_tests: [unique]}\n",
    "models/orders_extra.sql": "select * from {{ ref('pkg_base') }}",
}


def properties(entries):
    lines = ["version: 2", "models:"]
    for name, config, plain, others in entries:
        lines.append(f"  - name: {name}")
        if config:
            lines.append(f"    {config}")
        lines.append("    columns:\n      - name: id\n        data_tests:")
        lines += [f"          - {test}" for test in plain]
        lines += [f"          - {kind}: {arguments}" for kind, arguments in others]
    return "\n".join(lines) + "\n"


def files():
    """Every file of the project by its path."""
    found = {
        "dbt_project.yml": PROJECT,
        "profiles.yml": PROFILES,
        "models/staging/sources.yml": SOURCES,
        "models/exposures.yml": EXPOSURES,
        "models/groups.yml": GROUPS,
        "models/marts/unit_tests.yml": UNIT_TESTS,
        "snapshots/orders_history.sql": SNAPSHOT,
        "selectors.yml": SELECTORS,
        "packages.yml": "packages:\n  - local: local_packages/pkg\n",
        "seeds/properties.yml": "version: 2\nseeds:\n  - name: codes\n    columns:\n      - {name: id, data_tests: [unique]}\n",
    }
    for name, (folder, config, reads) in MODELS.items():
        head = f"{{{{ config({config}) }}}}\n" if config else ""
        body = " union all ".join(f"select id from {{{{ {read} }}}}" for read in reads) or "select 1 as id"
        found["/".join(part for part in ("models", folder, f"{name}.sql") if part)] = head + body + "\n"
    for name, folder in SEEDS.items():
        found["/".join(part for part in ("seeds", folder, f"{name}.csv") if part)] = "id\n1\n"
    for path, entries in PROPERTIES.items():
        found[path] = properties(entries)
    found.update({path: sql + "\n" for path, sql in SINGULAR.items()})
    found.update({f"local_packages/pkg/{path}": text for path, text in PACKAGE.items()})
    return found


def write(folder: Path):
    for path, text in files().items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


TERMS = """
orders stg_orders shop.marts marts marts.core marts.finance.revenue shop.marts.core.orders pkg pkg.shared
staging staging.raw root_model lonely order_items stg_* *orders* *_orders marts.* marts.*.re* shop.*.raw staging.r?w
[or]* orders[!_]* * shop.* shop pkg.* fqn:orders fqn:*revenue* fqn:unit revenue_adds_up orders_history weekly_report
not_null_stg_orders_id unique_orders_id orders_match deep shared marts.core.* staging.*.stg_c*
tag:nightly tag:pii tag:night* tag:source_tag tag:seeded tag:finance tag:staging tag:slow tag:nope tag:*
source:raw source:raw.orders source:*.orders source:shop.raw.orders source:crm source:* source:*.c* source:pkg.*.*
path:models path:models/staging path:models/staging/raw/stg_orders.sql path:models/marts/core/schema.yml
path:models/*/*.sql path:models/**/*.sql path:models/**/schema.yml path:seeds path:tests path:tests/deep path:snapshots
path:models/finance.yml path:models/marts/* path:models/m*s/core path:seeds/*.csv models/staging models/marts/core/orders.sql
tests/deep seeds/finance models/staging/*/stg_c*
file:orders.sql file:orders file:*orders* file:schema.yml file:stg_*.sql file:countries.csv orders.sql stg_orders.sql rates.csv
file:sources.yml file:exposures
package:shop package:pkg package:this package:p* package:*
config.materialized:view config.materialized:table config.materialized:ephemeral config.materialized:seed
config.materialized:test config.materialized:snapshot config.enabled:true config.enabled:false config.enabled:True
config.tags:nightly config.tags:night* config.meta.owner:ana config.meta.owner:bo config.meta.nested.level:deep
config.meta.teams:ops config.meta.size:3 config.schema:wide config.alias:orders_all config.severity:warn
config.severity:ERROR config.severity:error config.group:money config.access:public config.on_schema_change:ignore
config.unique_key:id config.strategy:check config.nothing:x config.full_refresh:false config.contract.enforced:false
test_name:unique test_name:not_null test_name:rel* test_name:*_* test_name:revenue_adds_up test_name:accepted_values
test_type:generic test_type:singular test_type:data test_type:unit test_type:schema
resource_type:model resource_type:test resource_type:seed resource_type:snapshot resource_type:source
resource_type:exposure resource_type:unit_test resource_type:analysis
group:money group:people group:* group:m* group:none access:public access:private access:protected
exposure:weekly_report exposure:* exposure:shop.* exposure:pkg.* exposure:*_sync
unit_test:revenue_adds_up unit_test:* unit_test:shop.orders* version:none
""".split()

CORE = ["orders", "stg_orders", "revenue", "tag:nightly", "source:raw", "config.materialized:table", "path:models/marts",
        "test_type:generic", "exposure:weekly_report", "group:money", "resource_type:seed", "order_items", "customers",
        "orders_history", "unique_orders_id", "package:pkg", "stg_*"]

SHAPES = ["+{}", "{}+", "+{}+", "@{}", "1+{}", "{}+1", "2+{}+1", "0+{}", "{}+0", "1+{}+", "@+{}", "@1+{}"]


def selections():
    """Every selection: arguments of `ls` as a map."""
    found = [{}]
    found += [{"select": [term]} for term in TERMS]
    found += [{"select": [shape.format(term)]} for term in CORE for shape in SHAPES]
    pairs = [pair for pair in itertools.permutations(CORE, 2)]
    rng = random.Random(20260715)
    modes = ["eager", "cautious", "buildable", "empty"]
    for one, other in rng.sample(pairs, 40):
        found.append({"select": [f"{one},{other}"]})
        found.append({"select": [one, other], "exclude": [rng.choice(TERMS)]})
        found.append({"select": [f"+{one},{other}+"]})
    for term in CORE + TERMS[:12]:
        found += [{"select": [term], "indirect": mode} for mode in modes[1:]]
        found.append({"exclude": [term]})
        found.append({"exclude": [f"{term}+"], "indirect": rng.choice(modes)})
    for _ in range(60):
        terms = [rng.choice(SHAPES[:6] + ["{}"] * 4).format(rng.choice(CORE)) for _ in range(rng.randint(1, 3))]
        joined = [",".join(terms[:2])] + terms[2:] if rng.random() < 0.4 else terms
        found.append({"select": joined, "exclude": [rng.choice(CORE)] if rng.random() < 0.5 else [],
                      "indirect": rng.choice(modes)})
    for kind in ["model", "test", "source", "seed", "snapshot", "exposure", "unit_test"]:
        found.append({"resource_types": [kind]})
        found.append({"select": ["+orders+"], "resource_types": [kind, "model"]})
        found.append({"select": ["tag:nightly+"], "exclude_resource_types": [kind]})
    for name in ["nightly", "both", "strict", "inherits", "word", "pair"]:
        found += [{"selector": name}, {"selector": name, "indirect": "cautious"}]
    return found
