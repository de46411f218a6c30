//! Merges of rows of which none, few or all changed: unimig's whole load beside statements written by hand.
//!
//! Every statement merges the same incoming rows into the same table, in a transaction that is rolled back; VACUUM then
//! cuts off what it appended. Its WAL is counted before the rollback.

use std::fmt::Write as _;

use anyhow::Context;

use crate::database::Database;
use crate::shell::{shell, value, wal};
use crate::staging::{Project, Run, TARGET};
use crate::tables::{SOURCE, Table};

/// How many times the best statement's time and WAL unimig may take.
const TARGET_RATIO: f64 = 1.1;

/// One statement's cost.
struct Cost {
    seconds: f64,
    wal: u64,
}

/// Appends the table's rows to the page.
pub fn measure(database: &Database, table: &Table, text: &mut String) -> anyhow::Result<()> {
    let project = Project::new(database, table)?;
    project.run()?;
    prepare(database, table)?;
    writeln!(text, "\n### Merge, {}\n", table.title())?;
    writeln!(
        text,
        "All rows are read again and loaded beside the copy; the statements by hand start from the same gzip. Seconds, \
         and MB of WAL.\n"
    )?;
    writeln!(
        text,
        "| changed | by | ratio | WAL ratio | seconds | WAL | peak memory |\n|---|---|---:|---:|---:|---:|---:|"
    )?;
    let mut none = String::new();
    for (changed, condition) in [("0 %", "false"), ("1 %", "id % 100 = 0"), ("100 %", "true")] {
        let name = table.name;
        database.execute(SOURCE, &format!("update {name} set amount = amount + 1 where {condition}"))?;
        database.execute(SOURCE, &format!("vacuum {name}"))?;
        let costs = by_hand(database, table)?;
        // What autovacuum would do, before unimig's turn as before each statement.
        database.execute(TARGET, &format!("vacuum stg_src.{name}"))?;
        database.execute("postgres", "checkpoint")?;
        let before = wal(database)?;
        let run = project.run()?;
        let after = wal(database)?;
        if condition == "false" {
            none = unchanged(database, name, (before, after))?;
        }
        rows(text, changed, (&run, after - before), &costs)?;
    }
    Ok(writeln!(text, "\n{none}")?)
}

/// unimig first, then what the best statement takes with its COPY and ANALYZE, then each statement alone.
fn rows(text: &mut String, changed: &str, (run, written): (&Run, u64), costs: &[(String, Cost)]) -> anyhow::Result<()> {
    let ((_, copy), statements) = costs.split_first().context("COPY is always timed")?;
    let selective = |(name, _): &&(String, Cost)| !name.contains("dbt");
    let (best_name, best) = statements
        .iter()
        .filter(selective)
        .min_by(|(_, left), (_, right)| left.seconds.total_cmp(&right.seconds))
        .context("statements are timed")?;
    let load = run.load.as_secs_f64();
    let whole = copy.seconds + best.seconds;
    let ratio = load / whole;
    let wal_ratio =
        if best.wal == 0 { String::new() } else { format!("{:.2}", megabytes(written) / megabytes(best.wal)) };
    let met = verdict(ratio);
    writeln!(
        text,
        "| {changed} | unimig: load, merge, tombstones, proofs | {ratio:.2} ({TARGET_RATIO} {met}) | {wal_ratio} | \
         {load:.2} | {:.1} | {} MB |",
        megabytes(written),
        run.memory / 1_000_000,
    )?;
    writeln!(
        text,
        "| | COPY, ANALYZE and the best: {best_name} | 1 | 1 | {whole:.2} | {:.1} | |",
        megabytes(best.wal)
    )?;
    for (name, cost) in costs {
        writeln!(text, "| | {name} alone | | | {:.2} | {:.1} | |", cost.seconds, megabytes(cost.wal))?;
    }
    Ok(())
}

fn verdict(ratio: f64) -> &'static str {
    if ratio <= TARGET_RATIO { "met" } else { "missed" }
}

#[expect(clippy::cast_precision_loss, reason = "shown with one digit")]
fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1_000_000.0
}

/// What a run without changes wrote: the records that name a block of the copy, its index or its long values.
fn unchanged(database: &Database, name: &str, (before, after): (u64, u64)) -> anyhow::Result<String> {
    let query = format!(
        "create extension if not exists pg_walinspect;
        with ours as (
            select pg_relation_filenode(c.oid) as node
            from pg_class as t
            join pg_class as c on c.oid in (t.oid, t.reltoastrelid)
                or c.oid in (select indexrelid from pg_index where indrelid in (t.oid, t.reltoastrelid))
            where t.oid = 'stg_src.{name}'::regclass
        )
        select coalesce(sum(record_length), 0)
        from pg_get_wal_records_info('0/0'::pg_lsn + {before}, '0/0'::pg_lsn + {after})
        where exists (select from ours where block_ref like '%/' || node || ' %')"
    );
    let total = megabytes(after - before);
    Ok(match value(database, TARGET, &query) {
        Ok(bytes) => {
            let verdict = if bytes == "0" { "met" } else { "missed" };
            format!(
                "A run that finds nothing changed writes {bytes} bytes of WAL for the copy, its index and its long values \
                 (target 0: {verdict}), by pg_walinspect; {total:.2} MB in all, for its own history and the catalog."
            )
        }
        Err(error) => format!("WAL of a run without changes: {}; {total:.2} MB in all.", crate::peers::reason(&error)),
    })
}

/// The copy as unimig made it, for statements by hand: once as it is and once with a stored hash.
fn prepare(database: &Database, table: &Table) -> anyhow::Result<()> {
    let (name, list) = (table.name, table.list());
    let statement = format!(
        "create schema hand;
        create table hand.plain (like stg_src.{name} including all);
        insert into hand.plain select * from stg_src.{name};
        create table hand.hashed (like stg_src.{name} including all, row_hash bigint);
        insert into hand.hashed select *, hash_record_extended(row({list}), 0) from stg_src.{name}"
    );
    database.execute(TARGET, &statement)?;
    database.execute(TARGET, "vacuum analyze hand.plain")?;
    database.execute(TARGET, "vacuum analyze hand.hashed")
}

/// COPY with ANALYZE first, then each statement.
fn by_hand(database: &Database, table: &Table) -> anyhow::Result<Vec<(String, Cost)>> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("incoming.csv.gz").display().to_string();
    let name = table.name;
    shell(database, &format!("psql -Xq -d {SOURCE} -c 'copy {name} to stdout with (format csv)' | gzip -1 > {file}"))?;
    let mut script = format!(
        "set work_mem = '256MB';\n{POINT}\ncreate temporary table incoming as select {} from hand.plain limit 0;\n\
         \\copy incoming from program 'gunzip -c {file}' with (format csv)\nanalyze incoming;\n{POINT}\n",
        table.list()
    );
    let statements = statements(table);
    for (_, statement) in &statements {
        let _ = write!(
            script,
            "checkpoint;\nbegin;\n{POINT}\n{statement};\n{POINT}\nrollback;\nvacuum hand.plain;\nvacuum hand.hashed;\n"
        );
    }
    let path = folder.path().join("merges.sql");
    fs_err::write(&path, script)?;
    let printed = shell(database, &format!("psql -XqAt -v ON_ERROR_STOP=1 -d {TARGET} -f {}", path.display()))?;
    let points = printed.lines().filter_map(point).collect::<Vec<_>>();
    let names =
        std::iter::once("COPY and ANALYZE".to_owned()).chain(statements.into_iter().map(|(name, _)| name.to_owned()));
    let costs = names.zip(points.chunks_exact(2)).map(|(name, pair)| {
        let cost = Cost { seconds: pair[1].0 - pair[0].0, wal: pair[1].1.saturating_sub(pair[0].1) };
        (name, cost)
    });
    Ok(costs.collect())
}

/// A time and a place in the WAL.
const POINT: &str = "select extract(epoch from clock_timestamp()), (pg_current_wal_insert_lsn() - '0/0')::bigint;";

fn point(line: &str) -> Option<(f64, u64)> {
    let (seconds, place) = line.split_once('|')?;
    Some((seconds.parse().ok()?, place.parse().ok()?))
}

fn statements(table: &Table) -> Vec<(&'static str, String)> {
    let list = table.list();
    let of = |side: &str| listed(table, side);
    let (staging, incoming) = (of("staging"), of("incoming"));
    let own = "_updated_at = now(), _deleted_at = null, _batch_id = 1";
    let set = |side: &str| {
        let columns: Vec<_> = table.columns.iter().map(|column| format!("{column} = {side}.{column}")).collect();
        format!("{}, {own}", columns.join(", "))
    };
    let merge = |condition: &str| {
        format!(
            "merge into hand.plain as staging using incoming on staging.id = incoming.id
            when matched {condition} then update set {}
            when not matched then insert ({list}, _batch_id) values ({incoming}, 1)",
            set("incoming")
        )
    };
    let or_gone = |differs: &str| merge(&format!("and (staging._deleted_at is not null or {differs})"));
    let insert = |rows: &str, condition: &str| {
        format!(
            "insert into hand.plain as staging ({list}, _batch_id) select {list}, 1 from {rows}
            on conflict (id) do update set {} {condition}",
            set("excluded")
        )
    };
    let images = |left: &str, right: &str| format!("row({left})::record *<> row({right})::record");
    let hashed = format!(
        "merge into hand.hashed as staging
        using (select *, hash_record_extended(row({list}), 0) as row_hash from incoming) as incoming
        on staging.id = incoming.id
        when matched and (staging._deleted_at is not null or staging.row_hash <> incoming.row_hash)
        then update set {}, row_hash = incoming.row_hash
        when not matched then insert ({list}, _batch_id, row_hash) values ({incoming}, 1, incoming.row_hash)",
        set("incoming")
    );
    let except = format!("(select {list} from incoming except select {list} from hand.plain) as changed");
    let differs = format!("where staging._deleted_at is not null or {}", images(&staging, &of("excluded")));
    vec![
        ("`MERGE`, `*<>`", or_gone(&images(&staging, &incoming))),
        ("`MERGE`, `is distinct from`", or_gone(&format!("row({staging}) is distinct from row({incoming})"))),
        ("`INSERT … ON CONFLICT … WHERE`", insert("incoming", &differs)),
        ("`EXCEPT`, then `ON CONFLICT`", insert(&except, "")),
        ("`MERGE`, stored row hash", hashed),
        ("dbt's `MERGE`, which updates every row,", merge("")),
    ]
}

fn listed(table: &Table, side: &str) -> String {
    let names: Vec<_> = table.columns.iter().map(|column| format!("{side}.{column}")).collect();
    names.join(", ")
}
