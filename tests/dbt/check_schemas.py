#!/usr/bin/env python3
"""Validates the YAML files of projects against JSON Schemas.

usage: check_schemas.py SCHEMA_FOLDER PROJECT...
"""

import json
import pathlib
import sys

import jsonschema
import yaml

KINDS = {
    "project": ["unimig.yml", "dbt_project.yml"],
    "profiles": ["profiles.yml"],
    "properties": ["models/**/*.yml", "sources/**/*.yml", "seeds/**/*.yml"],
}


def main(schemas, projects):
    files, mistakes = 0, []
    for kind, globs in KINDS.items():
        schema = json.loads((pathlib.Path(schemas) / f"{kind}.schema.json").read_text())
        jsonschema.Draft202012Validator.check_schema(schema)
        validator = jsonschema.Draft202012Validator(schema)
        for path in (path for project in projects for glob in globs for path in pathlib.Path(project).glob(glob)):
            files += 1
            for mistake in validator.iter_errors(yaml.safe_load(path.read_text())):
                mistakes.append(f"{path}: {mistake.json_path}: {mistake.message}")
    print("\n".join(mistakes), file=sys.stderr)
    print(f"{files} YAML files, {len(mistakes)} mistakes")
    sys.exit(1 if mistakes or not files else 0)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
