#!/usr/bin/env bash
# Installs what building and testing need and this machine lacks: PostgreSQL's server programs (15 or later), a C
# compiler, and openssl for the tests of TLS. Rust is never installed behind anybody's back.
set -euo pipefail

oldest_postgres=15

say() { printf '%s\n' "$*" >&2; }

as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"
    elif command -v sudo >/dev/null 2>&1; then sudo "$@"
    else
        say "error: this needs root: $*"
        say "hint: run it as root, then type the make command again"
        exit 1
    fi
}

postgres_major() {
    "$1/postgres" --version 2>/dev/null | sed -nE 's/^postgres \(PostgreSQL\) ([0-9]+).*/\1/p'
}

has_postgres() {
    local folder major
    for folder in "${UNIMIG_PG_BIN:-}" "$(pg_config --bindir 2>/dev/null || true)" \
        "$(dirname "$(command -v postgres 2>/dev/null || true)")" \
        /usr/lib/postgresql/*/bin /usr/pgsql-*/bin /opt/homebrew/opt/postgresql@*/bin /usr/local/opt/postgresql@*/bin; do
        [ -x "$folder/initdb" ] && [ -x "$folder/postgres" ] || continue
        major=$(postgres_major "$folder")
        [ -n "$major" ] && [ "$major" -ge "$oldest_postgres" ] && return 0
    done
    return 1
}

install_packages() {
    # $1: Debian's names, $2: Fedora's, $3: Arch's, $4: Homebrew's
    if command -v apt-get >/dev/null 2>&1; then
        as_root apt-get update -qq
        # shellcheck disable=SC2086
        as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $1
    elif command -v dnf >/dev/null 2>&1; then
        # shellcheck disable=SC2086
        as_root dnf install -y -q $2
    elif command -v pacman >/dev/null 2>&1; then
        # shellcheck disable=SC2086
        as_root pacman -S --noconfirm --needed $3
    elif command -v brew >/dev/null 2>&1; then
        # shellcheck disable=SC2086
        brew install --quiet $4
    else
        say "error: no package manager known here (apt, dnf, pacman, brew)"
        say "hint: install by hand: $1"
        exit 1
    fi
}

if ! command -v cargo >/dev/null 2>&1; then
    say "error: Rust is missing: there is no cargo on the PATH"
    say "hint: install Rust 1.95 or later with your system's packages or with rustup (see the Rust project's install page),"
    say "      open a new shell, and type the make command again"
    exit 1
fi

if ! has_postgres; then
    say "installing PostgreSQL's server programs"
    # Debian would start a server of its own; ours is private, and started by need.
    if [ -d /etc ] && command -v apt-get >/dev/null 2>&1 && [ ! -e /etc/postgresql-common/createcluster.conf ]; then
        as_root mkdir -p /etc/postgresql-common
        printf 'create_main_cluster = false\n' | as_root tee /etc/postgresql-common/createcluster.conf >/dev/null
    fi
    install_packages "postgresql postgresql-client" "postgresql-server postgresql" "postgresql" "postgresql@17"
    has_postgres || { say "error: PostgreSQL $oldest_postgres or later is still not found"; exit 1; }
fi

if ! command -v cc >/dev/null 2>&1; then
    say "installing a C compiler"
    install_packages "gcc libc6-dev" "gcc" "gcc" "gcc"
fi

if [ "${1:-}" = "--for-tests" ] && ! command -v openssl >/dev/null 2>&1; then
    say "installing openssl"
    install_packages "openssl" "openssl" "openssl" "openssl"
fi
