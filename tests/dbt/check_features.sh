#!/usr/bin/env bash
# One unchanged dbt project, built by dbt and by unimig into two schemas: every relation is equal.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
python3 "$here/compare_features.py" --dbt "$(command -v dbt)" --unimig "$UNIMIG"
