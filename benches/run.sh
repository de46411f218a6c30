#!/bin/sh
# Measures and writes the tables of the book. Figures never fail a build.
set -eu
cd "$(dirname "$0")/.."
exec cargo bench --locked --bench projects
