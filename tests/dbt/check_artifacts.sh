#!/usr/bin/env bash
# The artifacts of the quickstart, after every verb that writes some, read by dbt-artifacts-parser.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
folder=$(mktemp -d)
trap '"$UNIMIG" server stop >/dev/null 2>&1 || true; rm -rf "$folder"' EXIT
cd "$folder"
"$UNIMIG" init >/dev/null 2>&1
"$UNIMIG" server start >/dev/null
"$UNIMIG" psql shop -- -qf demo/shop.sql
"$UNIMIG" psql -- -qf demo/app.sql
for verb in seed run test "docs generate"; do
    # shellcheck disable=SC2086
    "$UNIMIG" $verb 2>"$verb.log" || { cat "$verb.log"; exit 1; }
    python3 "$here/read_artifacts.py" target
done
