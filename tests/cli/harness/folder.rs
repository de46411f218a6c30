//! The project that most tests begin with: two sources, full and window, models of every materialization.

use crate::harness::Test;

const QVP: &str = "
version: 2
sources:
  - name: qvp
    connection: qvp
    schema: public
    cdc: {strategy: full}
    tables:
      - name: applicants
        key: [id]
      - name: audit_log
        key: [id]
        cdc: {strategy: window, columns: [created_at, updated_at], window: 1 hour}
";

const SVP: &str = "
version: 2
sources:
  - name: svp
    connection: svp
    schema: public
    tables:
      - name: labors
        key: [id]
        cdc: {strategy: window, columns: [created_at, updated_at], window: 1 hour}
";

const QVP_TABLES: &str = "
create table applicants (
    id bigint generated always as identity primary key,
    name text not null,
    email text,
    amount numeric,
    extra json
);
insert into applicants (name, email, amount, extra)
select 'applicant ' || n, 'a' || n || '@example.org', n * 1.5, json_build_object('n', n)
from generate_series(1, 50) as n;
create table audit_log (
    id bigint primary key,
    entry text,
    created_at timestamptz not null default now(),
    updated_at timestamptz
);
insert into audit_log select n, 'entry ' || n, now() - interval '30 days' + n * interval '1 hour', null
from generate_series(1, 200) as n;
";

const SVP_TABLES: &str = "
create table labors (
    id bigint primary key,
    full_name text,
    created_at timestamp not null default (now() at time zone 'UTC'),
    updated_at timestamp not null default (now() at time zone 'UTC')
);
insert into labors
select n, 'labor ' || n, timestamp '2020-01-01' + n * interval '1 day', timestamp '2020-01-01' + n * interval '1 day'
from generate_series(1, 40) as n;
";

/// The application's own table.
pub const PERSON_TABLE: &str = "
create table app.person (
    id bigint primary key,
    name text not null,
    email text,
    amount numeric,
    note text
);
";

const PERSON: &str = "
select
    a.id as id,
    a.name,
    a.email,
    a.amount
from {{ source('qvp', 'applicants') }} as a
union all
select
    1000000 + l.id,
    l.full_name,
    null,
    null
from {{ source('svp', 'labors') }} as l
";

impl Test {
    /// 50 applicants (full), 200 audit entries (window), 40 labors (window); 90 persons, a table, a view, a seed.
    pub fn sample() -> Self {
        Self::new()
            .source_sql("qvp", QVP_TABLES)
            .source_sql("svp", SVP_TABLES)
            .target_sql(PERSON_TABLE)
            .file("sources/qvp.yml", QVP)
            .file("sources/svp.yml", SVP)
            .file("models/bl/person.sql", PERSON)
            .file(
                "models/bl/tidy_person.sql",
                "{{ config(materialized='ephemeral') }}\nselect id, upper(name) as name from {{ ref('person') }}\n",
            )
            .file(
                "models/bl/person_count.sql",
                "{{ config(materialized='table') }}\nselect count(*) as people, min(name) as first from {{ ref('tidy_person') }}\n",
            )
            .file(
                "models/bl/audit.sql",
                "{{ config(materialized='table') }}\nselect id, entry from {{ source('qvp', 'audit_log') }}\n",
            )
            .file("models/bl/people.sql", "{{ config(materialized='view') }}\nselect id, name from {{ ref('person') }}\n")
            .file("seeds/codes.csv", "code,label\n1,one\n2,two\n")
    }
}
