//! The source's tables.

use crate::database::Database;

/// The source's database.
pub const SOURCE: &str = "bench_source";

/// A table of the source, with key `id` and a column `amount`.
pub struct Table {
    pub name: &'static str,
    pub rows: u64,
    /// All columns, the key first, as SQL lists them.
    pub columns: &'static [&'static str],
}

impl Table {
    pub fn title(&self) -> String {
        format!("{} rows of {} columns", thousands(self.rows), self.columns.len())
    }

    pub fn list(&self) -> String {
        self.columns.join(", ")
    }
}

/// About 400 bytes of CSV a row, of mixed types, with NULLs and texts that CSV has to quote.
pub fn wide(database: &Database, rows: u64) -> anyhow::Result<Table> {
    let statement = format!(
        "create table wide (
            id bigint primary key, token uuid, name text, email varchar(80), amount numeric(12, 2), quantity integer,
            state smallint, score double precision, is_active boolean, born date, created_at timestamptz not null,
            updated_at timestamp, country char(2), settings jsonb, note text
        );
        insert into wide
        select n, md5(n::text)::uuid, 'Person ' || n, 'person.' || n || '@example.org', (n % 100000) / 7.0, n % 1000,
            n % 7, sqrt(n), n % 3 = 0, date '1950-01-01' + (n % 20000)::integer,
            timestamptz '2020-01-01' + n * interval '13.7 seconds', timestamp '2021-01-01' + n * interval '7 seconds',
            (array['SA', 'EG', 'IN', 'PK'])[1 + n % 4],
            jsonb_build_object('theme', 'dark', 'visits', n % 500, 'mark', md5((n + 1)::text)),
            case when n % 10 > 0 then 'Said, \"' || md5(n::text) || '\", and ' || repeat(md5((n * 3)::text), 3) end
        from generate_series(1, {rows}) as n"
    );
    database.execute(SOURCE, &statement)?;
    database.execute(SOURCE, "vacuum analyze wide")?;
    let columns = &[
        "id",
        "token",
        "name",
        "email",
        "amount",
        "quantity",
        "state",
        "score",
        "is_active",
        "born",
        "created_at",
        "updated_at",
        "country",
        "settings",
        "note",
    ];
    Ok(Table { name: "wide", rows, columns })
}

pub fn narrow(database: &Database, name: &'static str, rows: u64) -> anyhow::Result<Table> {
    let statement = format!(
        "create table {name} (id bigint primary key, amount integer, created_at timestamptz not null);
        insert into {name}
        select n, n % 1000, timestamptz '2020-01-01' + n * interval '13.7 seconds' from generate_series(1, {rows}) as n"
    );
    database.execute(SOURCE, &statement)?;
    database.execute(SOURCE, &format!("vacuum analyze {name}"))?;
    Ok(Table { name, rows, columns: &["id", "amount", "created_at"] })
}

pub fn drop(database: &Database, table: &Table) -> anyhow::Result<()> {
    database.execute(SOURCE, &format!("drop table {}", table.name))
}

pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let groups: Vec<_> = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy).collect();
    groups.join(",")
}
