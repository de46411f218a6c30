#!/bin/sh
# Measures and writes the tables of the book. Figures never fail a build.
#
#   benches/run.sh         unimig alone, and beside psql
#   benches/run.sh dbt     beside dbt, which is installed from PyPI below target/
#   benches/run.sh check   unimig check beside psql, printed only
set -eu
cd "$(dirname "$0")/.."

install_dbt() {
    # $1: folder below target/, the others: what pip installs
    folder=target/$1
    shift
    [ -x "$folder/bin/dbt" ] && return
    python3 -m venv "$folder"
    "$folder/bin/pip" install --quiet --only-binary :all: "$@" || rm -rf "$folder"
}

if [ "${1:-}" = dbt ]; then
    mkdir -p target
    install_dbt dbt-1 'dbt-core~=1.11.0' dbt-postgres psycopg2-binary
    install_dbt dbt-2 --pre 'dbt==2.0.0rc196'
    exec cargo bench --locked --bench projects -- dbt
fi
exec cargo bench --locked --bench projects -- "$@"
