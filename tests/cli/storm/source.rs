//! One source: its tables, and three sessions that change them, with transactions that stay open over days.

use crate::harness::{Session, Test};

use super::chance::Chance;

/// Each table, and which of its rows are live.
pub const TABLES: [(&str, &str); 7] = [
    ("people", "true"),
    ("visits", "true"),
    ("labors", "true"),
    ("marks", "deleted_at is null"),
    ("stock", "true"),
    ("events", "true"),
    ("notes", "true"),
];

pub const SCHEMA: &str = "
create table people (id bigint primary key, name text, amount numeric, extra json, doomed int);
insert into people select n, 'person ' || n, n * 1.50, json_build_object('n', n), n from generate_series(1, 60) as n;
create table visits (
    id bigint primary key,
    note text,
    created_at timestamptz default clock_timestamp(),
    updated_at timestamp
);
insert into visits (id, note, created_at)
select n, 'visit ' || n, now() - interval '1 year' from generate_series(1, 60) as n;
create table labors (
    country char(2),
    number int,
    name text,
    updated_at timestamptz not null default clock_timestamp(),
    primary key (country, number)
);
insert into labors select 'SA', n, 'labor ' || n, now() - interval '1 year' from generate_series(1, 60) as n;
create table marks (
    id uuid primary key,
    note text,
    updated_at timestamptz not null default clock_timestamp(),
    deleted_at timestamptz
);
insert into marks select md5(n::text)::uuid, n, now() - interval '1 year' from generate_series(1, 60) as n;
create table stock (code text primary key, amount int, tags text[]);
insert into stock select chr(64 + n) || n, n, array[n::text, null] from generate_series(1, 60) as n;
create table notes (author text, body json);
insert into notes select 'a' || n % 5, '{}' from generate_series(1, 60) as n;
create table events (id bigint generated always as identity primary key, body bytea);
insert into events (body) select convert_to('event ' || n, 'UTF8') from generate_series(1, 60) as n;
";

/// `:n` is a number from 1 to 80, `:r` a random one, `:skew` a clock that is up to 300 milliseconds behind.
const ACTS: [&str; 25] = [
    "insert into people (id, name) values (:n, 'new :r') on conflict do nothing",
    "update people set amount = amount + 0.10, extra = '{\"r\":  :r}' where id = :n",
    "update people set amount = amount where id = :n",
    "delete from people where id = :n",
    "insert into visits (id, note, created_at) values (:n, 'new :r', :skew) on conflict do nothing",
    "update visits set note = 'note :r', updated_at = (:skew) at time zone 'UTC' where id = :n",
    "update visits set note = 'timeless :r', created_at = null, updated_at = null where id = :n",
    "update visits set updated_at = clock_timestamp() at time zone 'Asia/Riyadh' where id = :n",
    "insert into labors (country, number, name, updated_at) values ('SA', :n, 'new :r', :skew) on conflict do nothing",
    "update labors set name = 'name :r', updated_at = :skew where number = :n",
    "update labors set updated_at = :skew where number = :n",
    "update labors set number = number + 100, updated_at = :skew where number = :n and country = 'SA'
        and not exists (select from labors where number = :n + 100)",
    "delete from labors where number = :n",
    "insert into marks (id, note, updated_at) values (md5(':n')::uuid, ':r', :skew) on conflict do nothing",
    "update marks set note = ':r', updated_at = :skew where id = md5(':n')::uuid",
    "update marks set deleted_at = now(), updated_at = :skew where id = md5(':n')::uuid",
    "update marks set deleted_at = null, updated_at = :skew where id = md5(':n')::uuid",
    "delete from marks where id = md5(':n')::uuid",
    "insert into stock values (chr(64 + :n) || :n, :r, array['x', ':r']) on conflict (code) do update set amount = :r",
    "update stock set tags = tags || ':r'::text where amount % 7 = :n % 7",
    "delete from stock where code = chr(64 + :n) || :n",
    "insert into events (body) values (convert_to('event :r', 'UTF8'))",
    "insert into notes values ('a' || :n % 5, '{}'), (null, null)",
    "update notes set author = 'b' || :n % 3 where ctid = (select min(ctid) from notes where author = 'a' || :n % 5)",
    "delete from notes where ctid = (select max(ctid) from notes where author = 'a' || :n % 5)",
];

pub struct Life {
    source: &'static str,
    /// Whether each has a transaction open.
    sessions: Vec<(Session, bool)>,
    owner: Session,
}

impl Life {
    pub fn new(test: &Test, source: &'static str) -> Self {
        let open = || {
            let session = test.session(source);
            session.execute("set lock_timeout = '20ms'; set timezone = 'UTC'");
            (session, false)
        };
        Self { source, sessions: (0..3).map(|_| open()).collect(), owner: test.session(source) }
    }

    /// One of the people does one thing.
    pub fn act(&mut self, chance: &mut Chance) {
        let at = usize::try_from(chance.of(3)).unwrap_or(0);
        let (session, is_open) = &mut self.sessions[at];
        let (sql, opens) = match (chance.of(12), *is_open) {
            (0..=2, false) => ("begin".to_owned(), true),
            (0, true) => ("rollback".to_owned(), false),
            (1 | 2, true) => ("commit".to_owned(), false),
            (_, open) => (statement(chance), open),
        };
        *is_open = opens;
        // A lock that another of them holds, or a key that came meanwhile: life goes on.
        if session.try_execute(&sql).is_err() && *is_open {
            session.execute("rollback");
            *is_open = false;
        }
    }

    /// In the evening some go home; one may leave a transaction open until another day.
    pub fn rest(&mut self, chance: &mut Chance) {
        for (session, is_open) in &mut self.sessions {
            if *is_open && chance.of(3) > 0 {
                session.execute("commit");
                *is_open = false;
            }
        }
    }

    /// The application is released anew now and then.
    pub fn change_schema(&mut self, day: u64) {
        let change = match (self.source, day) {
            ("qvp", 7) => "alter table labors add column email text default 'none'",
            ("svp", 12) => "alter table stock add column place jsonb",
            ("qvp", 18) => "alter table people drop column doomed",
            ("svp", 23) => "alter table visits add column \"Odd name\" interval default '1 day'",
            _ => return,
        };
        for (session, is_open) in &mut self.sessions {
            session.execute(if *is_open { "commit" } else { "select 1" });
            *is_open = false;
        }
        self.owner.execute(change);
    }
}

fn statement(chance: &mut Chance) -> String {
    let act = ACTS[usize::try_from(chance.of(ACTS.len() as u64)).unwrap_or(0)];
    let number = (1 + chance.of(80)).to_string();
    let random = chance.of(1_000_000).to_string();
    let skew = format!("clock_timestamp() - interval '{} milliseconds'", chance.of(300));
    act.replace(":skew", &skew).replace(":n", &number).replace(":r", &random)
}
