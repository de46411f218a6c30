#!/usr/bin/env python3
"""Reads the artifacts of a run with dbt-artifacts-parser, a reader of dbt's artifacts from PyPI.

usage: read_artifacts.py TARGET_FOLDER...

Every manifest.json, run_results.json, catalog.json and sources.json in the folders is parsed; the exit code is 1 when
one of them is not what its schema says.
"""

import json
import pathlib
import sys

from dbt_artifacts_parser.parser import parse_catalog, parse_manifest, parse_run_results, parse_sources

READERS = {
    "manifest.json": (parse_manifest, "ManifestV12"),
    "run_results.json": (parse_run_results, "RunResultsV6"),
    "catalog.json": (parse_catalog, "CatalogV1"),
    "sources.json": (parse_sources, "SourcesV3"),
}


def problems(path):
    parse, version = READERS[path.name]
    document = json.loads(path.read_text())
    try:
        read = parse(document)
    except Exception as error:  # The parser's own classes vary with its version.
        return [f"{path}: {error}"]
    if type(read).__name__ != version:
        return [f"{path}: read as {type(read).__name__}, not {version}"]
    return []


def main(folders):
    paths = [folder / name for folder in map(pathlib.Path, folders) for name in READERS if (folder / name).exists()]
    if not paths:
        sys.exit("no artifacts in " + ", ".join(folders))
    found = [problem for path in paths for problem in problems(path)]
    for problem in found:
        print(problem, file=sys.stderr)
    print(f"{len(paths)} artifacts read, {len(found)} with mistakes")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main(sys.argv[1:])
