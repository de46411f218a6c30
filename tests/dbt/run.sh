#!/usr/bin/env bash
# What dbt's own software says of us: every check_*.sh here, with Python packages in a virtual environment.
# usage: tests/dbt/run.sh [UNIMIG]
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
unimig=${1:-$root/target/release/unimig}
venv=$root/target/dbt-venv
if ! cmp -s "$here/requirements.txt" "$venv/requirements.txt"; then
    python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet --requirement "$here/requirements.txt"
    cp "$here/requirements.txt" "$venv/requirements.txt"
fi
failed=0
for check in "$here"/check_*.sh; do
    echo "== $(basename "$check")"
    PATH="$venv/bin:$PATH" UNIMIG="$unimig" "$check" || failed=1
done
exit $failed
