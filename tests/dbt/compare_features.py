#!/usr/bin/env python3
"""Builds one unchanged dbt project by dbt and by unimig into two schemas, and compares every relation.

    tests/dbt/compare_features.py                      # installs dbt, builds both twice, compares
    tests/dbt/compare_features.py --dbt /path/to/dbt   # with a dbt that is there
    tests/dbt/compare_features.py --record             # writes what dbt made into features.json, without unimig

Each project is built in two rounds (`--vars 'round: 2'`), so that incremental models and snapshots have something to
do. Compared are the kind of each relation, its columns with their types, its rows, indexes, constraints, column
comments, and whether it is logged. Times of the run itself are compared only for being null.
"""

import argparse
import difflib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
PROJECT = HERE.parent / "projects" / "dbt_features"
RECORDED = HERE / "features.json"
DBT_UTILS = ROOT / "src" / "project" / "builtin" / "dbt_utils"
REQUIREMENTS = ["dbt-core~=1.11.0", "dbt-postgres", "psycopg2-binary"]
BASE = {"dbt": "by_dbt", "unimig": "by_unimig"}
ROUNDS = ["1", "2"]

# Columns that hold a time of the run, or a hash of one.
TIMES_OF_THE_RUN = {
    "_snapshots.orders_history": ["dbt_scd_id", "dbt_updated_at", "dbt_valid_from", "dbt_valid_to"],
    "_snapshots.customers_history": ["dbt_valid_to"],
    "_snapshots.customers_history_kept": ["dbt_scd_id", "dbt_updated_at", "valid_from", "valid_to"],
}


def main():
    arguments = parse()
    with tempfile.TemporaryDirectory(prefix="unimig_dbt_") as folder:
        os.chmod(folder, 0o755)
        server = Server(pathlib.Path(folder) / "server")
        try:
            tools = ["dbt"] if arguments.record else ["dbt", "unimig"]
            found = {tool: build(tool, pathlib.Path(folder), server, arguments) for tool in tools}
        finally:
            server.stop()
    if arguments.record:
        RECORDED.write_text(json.dumps(found["dbt"], indent=1, ensure_ascii=False) + "\n")
        print(f"{RECORDED}: {sum(len(made) for made in found['dbt'].values())} relations")
        return 0
    return compare(found["dbt"], found["unimig"])


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dbt", help="the dbt to run; without it, one is installed into target/dbt-venv")
    parser.add_argument("--unimig", default=str(ROOT / "target" / "debug" / "unimig"))
    parser.add_argument("--record", action="store_true")
    arguments = parser.parse_args()
    arguments.dbt = arguments.dbt or installed_dbt()
    return arguments


def installed_dbt():
    venv = ROOT / "target" / "dbt-venv"
    if not (venv / "bin" / "dbt").exists():
        subprocess.run([sys.executable, "-m", "venv", venv], check=True)
        pip = [venv / "bin" / "pip", "install", "--quiet", "--only-binary", ":all:"]
        subprocess.run([*pip, *REQUIREMENTS], check=True)
    return str(venv / "bin" / "dbt")


class Server:
    """A private PostgreSQL, of another user where this one is root."""

    def __init__(self, folder):
        self.folder = folder
        self.port = "54397"
        self.user = {"user": "postgres"} if os.getuid() == 0 else {}
        if self.user:
            folder.mkdir()
            shutil.chown(folder, "postgres")
        self.run("initdb", "-A", "trust", "-U", "postgres", "-N", "-D", folder / "data")
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} -c fsync=off"
        self.run("pg_ctl", "-w", "-D", folder / "data", "-l", folder / "log", "-o", options, "start")
        self.sql("create database features", "postgres")

    def run(self, program, *arguments):
        subprocess.run([binary(program), *map(str, arguments)], check=True, stdout=subprocess.DEVNULL, cwd="/", **self.user)

    def sql(self, statement, database="features"):
        psql = [binary("psql"), "-h", "127.0.0.1", "-p", self.port, "-U", "postgres", "-d", database, "-X", "-A", "-t"]
        done = subprocess.run([*psql, "-v", "ON_ERROR_STOP=1", "-c", statement], check=True, capture_output=True, text=True)
        return done.stdout.splitlines()

    def stop(self):
        self.run("pg_ctl", "-m", "immediate", "-D", self.folder / "data", "stop")


def binary(name):
    on_path = shutil.which(name)
    installed = sorted(pathlib.Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    if not on_path and not installed:
        sys.exit(f"{name} is not installed")
    return on_path if on_path and not installed else str(installed[-1])


def build(tool, folder, server, arguments):
    """What the tool made, by round and relation."""
    project = folder / tool
    shutil.copytree(PROJECT, project, ignore=shutil.ignore_patterns("target", "logs", "dbt_packages"))
    environment = dict(os.environ)
    environment.update(
        FEATURES_PORT=server.port, FEATURES_SCHEMA=BASE[tool], DBT_SEND_ANONYMOUS_USAGE_STATS="false", NO_COLOR="1"
    )
    if tool == "dbt":
        # What `dbt deps` would do, without the network.
        packages = project / "dbt_packages"
        packages.mkdir()
        shutil.copytree(DBT_UTILS, packages / "dbt_utils")
        (packages / "money").symlink_to("../packages/money")
        program = arguments.dbt
    else:
        program = arguments.unimig
        call([program, "deps"], project, environment)
    made = {}
    for number in ROUNDS:
        call([program, "build", "--vars", f"round: {number}"], project, environment)
        made[number] = relations(server, BASE[tool])
    return made


def call(command, folder, environment):
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    if done.returncode:
        print(done.stdout[-6000:], done.stderr[-6000:], sep="\n")
        sys.exit(f"{' '.join(command)} ended with {done.returncode}")


def relations(server, base):
    """Everything in the schemas that begin with `base`, by `<rest of the schema>.<name>`."""
    listed = server.sql(
        f"select n.nspname || '|' || c.relname || '|' || c.relkind::text || '|' || c.relpersistence::text from pg_class c"
        f" join pg_namespace n on n.oid = c.relnamespace where n.nspname like '{base}%' and c.relkind in ('r', 'v', 'm')"
    )
    found = {}
    for line in sorted(listed):
        schema, name, kind, persistence = line.split("|")
        short = f"{schema.removeprefix(base)}.{name}"
        found[short] = relation(server, f"{schema}.{name}", TIMES_OF_THE_RUN.get(short, []))
        found[short]["kind"] = {"r": "table", "v": "view", "m": "materialized view"}[kind]
        found[short]["unlogged"] = persistence == "u"
    return found


def relation(server, name, times):
    about = f"attrelid = '{name}'::regclass and attnum > 0 and not attisdropped"
    columns = [
        line.split("|")
        for line in server.sql(
            f"select attname, format_type(atttypid, atttypmod), coalesce(col_description(attrelid, attnum), '')"
            f" from pg_attribute where {about} order by attnum"
        )
    ]
    texts = ", ".join(
        f'("{column}" is null)::text' if column in times else f'"{column}"::text' for column, _, _ in columns
    )
    keys = server.sql(
        f"select indisunique || ' ' || regexp_replace(pg_get_indexdef(indexrelid), '^.* USING ', '') from pg_index"
        f" where indrelid = '{name}'::regclass order by 1"
    )
    constraints = server.sql(
        f"select pg_get_constraintdef(oid) from pg_constraint where conrelid = '{name}'::regclass order by 1"
    )
    return {
        "columns": [[column, type] for column, type, _ in columns],
        "comments": {column: comment for column, _, comment in columns if comment},
        "indexes": keys,
        "constraints": constraints,
        "rows": sorted(server.sql(f"select array[{texts}]::text from {name}")),
        "times": times,
    }


def compare(by_dbt, by_unimig):
    differing = 0
    for number in ROUNDS:
        names = sorted(set(by_dbt[number]) | set(by_unimig[number]))
        for name in names:
            pair = [made[number].get(name, "not there") for made in (by_dbt, by_unimig)]
            if pair[0] == pair[1]:
                continue
            differing += 1
            texts = [json.dumps(one, indent=1, ensure_ascii=False).splitlines() for one in pair]
            print(f"round {number}: {name} differs")
            print("\n".join(difflib.unified_diff(*texts, "dbt", "unimig", lineterm="", n=1)))
        print(f"round {number}: {len(names)} relations compared")
    print("all relations are equal" if not differing else f"{differing} relations differ")
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
