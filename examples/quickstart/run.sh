#!/usr/bin/env bash
# Runs the quickstart as its README says, in a new folder, and checks what a newcomer should see.
# usage: examples/quickstart/run.sh path/to/unimig
set -eu

unimig=$(realpath "$1")
folder=$(mktemp -d)
log="$folder/log"
touch "$log"

clean_up() {
    "$unimig" server stop --project-dir "$folder/shop" >/dev/null 2>&1 || true
    rm -rf "$folder"
}
trap clean_up EXIT

fail() {
    echo "quickstart: $1" >&2
    cat "$log" >&2
    exit 1
}

# Runs a command that has to succeed; what it says is in $log.
ok() {
    "$@" >"$log" 2>&1 || fail "failed: $*"
}

says() {
    grep -qF "$1" "$log" || fail "did not say: $1"
}

ok "$unimig" init "$folder/shop"
cd "$folder/shop"

ok "$unimig" psql shop -- -qf demo/shop.sql
ok "$unimig" psql -- -qf demo/app.sql
ok "$unimig" seed
ok "$unimig" run
says "7,984 inserted, 0 updated, 0 deleted"
ok "$unimig" test
says "18 tests: 18 pass"

ok "$unimig" psql -- -qc "update app.customer set remark = 'called twice' where id = 11"
ok "$unimig" psql -- -Atc "select xmin from app.customer order by id"
cp "$log" "$folder/before"

ok "$unimig" seed
says "0 inserted, 0 updated, 0 deleted"
ok "$unimig" run
says "5 unchanged"
says "0 inserted, 0 updated, 0 deleted"
ok "$unimig" psql -- -Atc "select xmin from app.customer order by id"
cmp -s "$log" "$folder/before" || fail "the second run wrote rows of app.customer"

# Two rows change at the source: each moves through staging into its target, and nothing else does.
ok "$unimig" psql shop -- -qf demo/change.sql
ok "$unimig" run
says "0 inserted, 4 updated, 0 deleted"
ok "$unimig" psql -- -Atc "select country, remark from app.customer where id = 11"
says "Jordan|called twice"
ok "$unimig" psql -- -Atc "select status from app.purchase where id = 28"
says "shipped"
ok "$unimig" test
says "18 tests: 18 pass"

echo "quickstart: all as the README says: 7,984 rows, then none, then the 2 that changed"
