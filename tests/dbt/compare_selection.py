#!/usr/bin/env python3
"""Asks dbt and unimig for the same selections of the same project, and compares what they list.

    tests/dbt/compare_selection.py            compare, with dbt from PyPI
    tests/dbt/compare_selection.py --record   write dbt's answers to tests/dbt/selection/, which CI checks without dbt

DBT_PYTHON names a Python that has dbt-core and dbt-postgres; without it, a virtual environment is made in target/dbt.
UNIMIG names the binary; without it, target/debug/unimig.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
RECORDED = HERE / "selection"
PACKAGES = ["dbt-core~=1.11.0", "dbt-postgres~=1.10"]

sys.path.insert(0, str(HERE))
import selection_project  # noqa: E402


def dbt_python():
    """A Python that can import dbt."""
    if given := os.environ.get("DBT_PYTHON"):
        return given
    folder = ROOT / "target" / "dbt"
    python = folder / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", "--only-binary", ":all:", *PACKAGES], check=True)
    return str(python)


def arguments(selection):
    """The command line of `ls`, the same for both."""
    found = []
    for key, option in [("select", "--select"), ("exclude", "--exclude")]:
        if selection.get(key):
            found += [option, *selection[key]]
    if mode := selection.get("indirect"):
        found += ["--indirect-selection", mode]
    for key, option in [("resource_types", "--resource-type"), ("exclude_resource_types", "--exclude-resource-type")]:
        for kind in selection.get(key, []):
            found += [option, kind]
    if name := selection.get("selector"):
        found += ["--selector", name]
    return found


def ask_dbt(project):
    """Inside dbt's Python: the answers to all selections, as JSON on stdout."""
    from dbt.cli.main import dbtRunner

    place = ["--project-dir", project, "--profiles-dir", project]
    quiet = ["--quiet", "--no-send-anonymous-usage-stats", "--no-use-colors"]
    deps = dbtRunner().invoke([*quiet, "deps", *place])
    assert deps.success, deps.exception
    parsed = dbtRunner().invoke([*quiet, "parse", *place])
    assert parsed.success, parsed.exception
    runner = dbtRunner(manifest=parsed.result)
    answers = []
    for selection in selection_project.selections():
        command = [*quiet, "ls", *place, "--output", "json", "--output-keys", "unique_id", *arguments(selection)]
        told = runner.invoke(command)
        assert told.success, (selection, told.exception)
        ids = {json.loads(line)["unique_id"] for line in told.result}
        answers.append({**selection, "selected": sorted(ids)})
    return answers


def ask_unimig(project, selection):
    binary = os.environ.get("UNIMIG", str(ROOT / "target" / "debug" / "unimig"))
    command = [binary, "ls", "--project-dir", project, "--profiles-dir", project, "--output", "json",
               "--output-keys", "unique_id", *arguments(selection)]
    told = subprocess.run(command, capture_output=True, text=True)
    if told.returncode not in (0, 2) or told.returncode == 2 and "-selector" not in told.stderr and "nothing-selected" not in told.stderr:
        sys.exit(f"{' '.join(command)}\n{told.stderr}")
    lines = told.stdout.splitlines() if told.returncode == 0 else []
    return sorted(json.loads(line)["unique_id"] for line in lines)


def record(answers):
    """One line a selection; nodes are named once, and then by their place in the list."""
    nodes = sorted({node for answer in answers for node in answer["selected"]})
    place = {node: at for at, node in enumerate(nodes)}
    rows = [json.dumps({**answer, "selected": [place[node] for node in answer["selected"]]}) for answer in answers]
    text = '{"nodes": ' + json.dumps(nodes, indent=0) + ',\n"selections": [\n' + ",\n".join(rows) + "\n]}\n"
    (RECORDED / "answers.json").write_text(text)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--record", action="store_true")
    parser.add_argument("--answer", metavar="PROJECT", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.answer:
        print("ANSWERS " + json.dumps(ask_dbt(options.answer)))
        return
    with tempfile.TemporaryDirectory() as folder:
        selection_project.write(Path(folder))
        environment = {**os.environ, "DO_NOT_TRACK": "1"}
        told = subprocess.run([dbt_python(), __file__, "--answer", folder], env=environment, stdout=subprocess.PIPE, text=True, check=True)
        line = next(line for line in told.stdout.splitlines() if line.startswith("ANSWERS "))
        answers = json.loads(line.removeprefix("ANSWERS "))
        if options.record:
            selection_project.write(RECORDED / "project")
            record(answers)
        wrong = 0
        for answer in answers:
            expected, found = answer["selected"], ask_unimig(folder, answer)
            if expected != found:
                wrong += 1
                print(" ".join(arguments(answer)) or "(everything)")
                print("  only dbt:   ", " ".join(sorted(set(expected) - set(found))))
                print("  only unimig:", " ".join(sorted(set(found) - set(expected))))
        print(f"{len(answers)} selections, {wrong} different")
        sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
