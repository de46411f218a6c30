#!/usr/bin/env bash
# The schemas of `unimig schema` are schemas, and the YAML files of the repository's projects are what they say.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$UNIMIG" schema --write "$folder" 2>/dev/null
python3 "$here/check_schemas.py" "$folder" "$here/../../project" "$here/../../examples/quickstart"
