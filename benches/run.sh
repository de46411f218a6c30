#!/bin/sh
# Measures and writes the tables of the book. Figures never fail a build.
#
#   benches/run.sh         unimig alone, and beside psql
#   benches/run.sh dbt     beside dbt, which is installed from PyPI below target/
#   benches/run.sh capture source to staging, beside pg_dump, psql, sling and dlt, installed the same way; needs pigz
#   benches/run.sh check   unimig check beside psql, printed only
#
# With "small" as the last word, small projects, printed only: to see that it works.
set -eu
cd "$(dirname "$0")/.."

install_dbt() {
    # $1: folder below target/, the others: what pip installs; the table names a version that is not there
    folder=target/$1
    shift
    [ -x "$folder/bin/dbt" ] && return
    python3 -m venv "$folder"
    "$folder/bin/pip" install --quiet --only-binary :all: "$@" || { echo "no dbt in $folder" >&2; rm -rf "$folder"; }
}

place_driver() {
    # dbt 2 downloads its PostgreSQL driver when it first connects; PyPI has the same one
    found=$(find target/dbt-2/lib -name libadbc_driver_postgresql.so 2>/dev/null)
    [ -n "$found" ] || return 0
    drivers=target/dbt-2/cache/com.getdbt/adbc/$(uname -m)-manylinux_2_17-linux-gnu
    mkdir -p "$drivers"
    cp "$found" "$drivers/libadbc_driver_postgresql-0.21.0+dbt0.21.0.so"
}

if [ "${1:-}" = dbt ]; then
    mkdir -p target
    install_dbt dbt-1 'dbt-core~=1.11.0' dbt-postgres psycopg2-binary
    install_dbt dbt-2 --pre 'dbt==2.0.0rc196' 'adbc-driver-postgresql==1.13.0'
    place_driver
    exec cargo bench --locked --bench projects -- "$@"
fi
if [ "${1:-}" = capture ]; then
    command -v pigz >/dev/null || echo "without pigz (apt-get install pigz): its row says so" >&2
    if ! [ -x target/peers/bin/python ]; then
        python3 -m venv target/peers
        for peer in sling-linux-amd64 'dlt[postgres] sqlalchemy psycopg[binary] psycopg2-binary pyarrow'; do
            # shellcheck disable=SC2086 # two words are two packages
            target/peers/bin/pip install --quiet --only-binary :all: $peer || echo "could not install $peer" >&2
        done
        # What pip calls sling downloads this program when it is first used; PyPI has it too.
        found=$(find "$PWD/target/peers/lib" -name 'sling-linux-amd64' -type f)
        [ -z "$found" ] || { chmod +x "$found"; ln -sf "$found" target/peers/bin/sling; }
    fi
    exec cargo bench --locked --bench capture -- "$@"
fi
exec cargo bench --locked --bench projects -- "$@"
