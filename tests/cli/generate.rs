//! Drafts from catalogs: they are whole, they load and run as they are, and what people edit stays.

use crate::harness::Test;

pub const SNAPSHOTS: &[&str] = &["cli__generate__generated_model", "cli__generate__generated_source"];

/// Thirteen tables that can be copied, of every odd kind, and three that cannot or need not.
const SHOP: &str = r##"
create table schema_migrations (version text primary key);
create table ar_internal_metadata (key text primary key, value text);
create table nothing ();
create domain phone_number as text;
create type mood as enum ('sad', 'happy');
create table customers (
    id bigint primary key,
    "Full Name" text not null,
    status integer not null default 0,
    phone phone_number,
    mood mood,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    deleted_at timestamptz
);
insert into customers (id, "Full Name", deleted_at)
select n, 'customer ' || n, case when n = 7 then now() end from generate_series(1, 20) as n;
comment on table customers is 'People who "buy": all of them, #1';
comment on column customers.status is 'a {{ template }}';
create table "Order Lines" (
    "Order No" integer,
    "no" integer,
    "select" text[],
    "a""b'c" numeric(10, 2),
    "true" boolean,
    primary key ("Order No", "no")
);
insert into "Order Lines" select n, 1, array['x', null], 1.5, true from generate_series(1, 5) as n;
create table "order" (email varchar(40) not null, "#: x" text, note text);
create unique index on "order" (email) include (note);
create unique index on "order" (note);
insert into "order" values ('a@example.org', 'x', null);
create table "tab, le: #1" ("- id" integer primary key, "{{ x }}" text, "back\slash" text);
insert into "tab, le: #1" values (1, 'a', 'b');
create table "الطلبات" ("المعرف" bigint primary key, "no" text);
insert into "الطلبات" values (1, 'x');
create table a_table_whose_name_is_as_long_as_postgresql_lets_any_name_be (id uuid primary key, data jsonb);
insert into a_table_whose_name_is_as_long_as_postgresql_lets_any_name_be values (gen_random_uuid(), '{}');
create table events (
    id bigint primary key,
    record_type text,
    record_id bigint,
    created_at timestamp,
    updated_at timestamp
);
create index on events (updated_at);
insert into events select n, 'Customer', n, '2020-01-01', '2020-01-01' from generate_series(1, 300) as n;
create table audits (id bigint primary key, entry text, created_at timestamptz default now());
insert into audits select n, 'entry ' || n from generate_series(1, 300) as n;
create table codes (code text primary key, label text);
insert into codes select 'code ' || n, 'label' from generate_series(1, 300) as n;
create table visits (id bigint, at date, primary key (id, at)) partition by range (at);
create table visits_2020 partition of visits for values from ('2020-01-01') to ('2021-01-01');
insert into visits select n, '2020-05-05' from generate_series(1, 50) as n;
create table notes (note text, deleted_at timestamptz);
insert into notes values ('twice', null), ('twice', null);
create table active_storage_blobs (id bigint primary key, key text not null);
create table "CamelCase" (id smallint primary key, "isDeleted" boolean);
insert into "CamelCase" values (1, false), (2, true);
create view customer_names as select id, "Full Name" from customers;
analyze;
"##;

const COMMAND: [&str; 5] = ["generate", "sources", "shop", "--big-from", "100"];

fn with(more: &[&'static str]) -> Vec<&'static str> {
    COMMAND.iter().copied().chain(more.iter().copied()).collect()
}

#[test]
fn a_source_of_odd_tables_is_declared_and_runs_as_it_is_written() {
    let test = Test::new().source_sql("shop", SHOP);
    let shown = test.run(&COMMAND).exit(1);
    assert!(!test.path().join("sources/shop.yml").exists(), "nothing was asked to be written");
    assert!(shown.stdout.starts_with("--- /dev/null\n+++ b/sources/shop.yml\n"), "{} {}", shown.stdout, shown.stderr);

    test.succeeds(&with(&["--write"]));

    let text = std::fs::read_to_string(test.path().join("sources/shop.yml")).expect("it is written");
    insta::assert_snapshot!("generated_source", text);
    test.succeeds(&["parse"]);
    test.succeeds(&["run"]);
    assert_eq!(test.results().len(), 13);
    assert_eq!(test.value("select count(*) from stg_shop.visits_live"), "50");
    assert_eq!(test.value("select count(*) from stg_shop.events_live"), "300");
    assert_eq!(test.value("select count(*) from stg_shop.\"CamelCase_live\""), "1");
    assert_eq!(test.value("select count(*) from stg_shop.\"tab, le: #1_live\""), "1");
    assert_eq!(test.value("select count(*) from stg_shop.notes_live"), "2");
    test.succeeds(&["run"]);
    test.wrote_nothing();
    test.succeeds(&COMMAND).stderr_has("sources/shop.yml says what the source has");
}

#[test]
fn a_source_that_changes_is_followed_and_what_people_wrote_stays() {
    let test = Test::new().source_sql(
        "shop",
        "create table orders (id bigint primary key, total integer, note text);
        create table lost (id bigint primary key);
        create table kept_out (id bigint primary key)",
    );
    let written = "\
# the shop
sources:
  - name: shop
    # left out: [kept_out]
    tables:
      - {name: lost, key: [id]}
      - name: orders   # what people buy
        description: Orders.
        key: [id]
        columns:
          - {name: id, data_type: int8, data_tests: [not_null]}
          - name: total
            data_type: 'integer' # cents
          - {name: note}
";
    test.write("sources/all.yml", written);
    test.succeeds(&["generate", "sources", "shop"]);
    test.succeeds(&["run"]);
    test.on_source(
        "shop",
        "alter table orders alter total type numeric(12, 2), add \"Placed\" date;
        alter table orders drop note;
        drop table lost;
        create table \"New\" (id integer primary key)",
    );

    let shown = test.run(&["generate", "sources", "shop"]).exit(1);
    assert!(shown.stdout.contains("+          - {name: Placed, data_type: date}\n"), "{}", shown.stdout);
    assert_eq!(std::fs::read_to_string(test.path().join("sources/all.yml")).expect("it is there"), written);
    let told = test.run(&["generate", "sources", "shop", "--output", "json"]).exit(1);
    let told: serde_json::Value = serde_json::from_str(&told.stdout).expect("it is JSON");
    let kinds: Vec<_> = told["changes"].as_array().expect("a list").iter().map(|change| &change["change"]).collect();
    assert_eq!(kinds, ["gone_table", "retyped", "gone_column", "new_column", "new_table"]);
    test.succeeds(&["generate", "sources", "shop", "--write"]).stderr_has("table lost is gone");

    let after = std::fs::read_to_string(test.path().join("sources/all.yml")).expect("it is there");
    let expected = written
        .replace("      - {name: lost", "      # gone from the source: table lost\n      - {name: lost")
        .replace("'integer'", "\"numeric(12,2)\"")
        .replace(
            "          - {name: note}\n",
            "          # gone from the source: column note\n          - {name: note}\n          - {name: Placed, data_type: date}\n",
        );
    assert!(after.starts_with(&expected), "{after}");
    assert!(after[expected.len()..].starts_with("\n      - name: New\n"), "{after}");
    test.succeeds(&["parse"]);
    test.succeeds(&["generate", "sources", "shop"]);
    test.run(&["generate", "sources", "shop", "--schema", "crm"]).exit(2).stderr_has("give another one a name");
    test.run(&["generate", "sources", "shop", "--schema", "crm", "--source", "crm"])
        .exit(2)
        .stderr_has("has no schema \"crm\"");
    test.run(&["generate", "sources", "shp"]).exit(2).stderr_has("shop");
}

#[test]
fn table_patterns_that_match_nothing_are_refused() {
    let test = Test::new().source_sql(
        "shop",
        "create table orders (id bigint primary key); create table \"New\" (id bigint primary key)",
    );
    test.write("sources/all.yml", "sources:\n  - name: shop\n    tables:\n      - {name: lost, key: [id]}\n");
    test.run(&["generate", "sources", "shop", "--table", "ordes", "N*"])
        .exit(2)
        .stderr_has("schema \"public\" of connection \"shop\" has no table \"ordes\"")
        .stderr_has("did you mean \"orders\"?");
    test.run(&["generate", "sources", "shop", "--table", "audit_*", "--write"])
        .exit(2)
        .stderr_has("--table takes names");

    // One that is declared may be gone at the source.
    let shown = test.run(&["generate", "sources", "shop", "--table", "lost"]).exit(1);
    assert!(shown.stdout.contains("# gone from the source: table lost"), "{}", shown.stdout);
}

#[test]
fn models_are_drafted_from_the_staged_table_of_the_same_name() {
    let test = Test::new()
        .source_sql(
            "shop",
            "create table customers (
                id integer primary key,
                email varchar(80),
                kind integer,
                seen_at timestamp,
                price text
            );
            insert into customers values (1, 'a@example.org', 3, '2020-01-01 12:00', '1.50')",
        )
        .source_sql("crm", "create table customer (id bigint primary key)")
        .target_sql(
            "create table app.customer (
                id bigint generated by default as identity primary key,
                email text not null,
                kind text,
                seen_at timestamptz,
                price numeric(10, 2),
                note text,
                shouted text generated always as (upper(email)) stored
            );
            create table app.nothing_like_it (id bigint primary key)",
        );
    test.succeeds(&["generate", "sources", "shop", "--write"]);
    test.succeeds(&["generate", "sources", "crm", "--write"]);

    let shown = test.succeeds(&["generate", "models"]).stderr_has("app.nothing_like_it: no staged table is called so");
    insta::assert_snapshot!("generated_model", shown.stdout);
    test.run(&["generate", "models", "--table", "custmer"])
        .exit(2)
        .stderr_has("schema \"app\" of the target has no table \"custmer\"")
        .stderr_has("did you mean \"customer\"?");
    test.succeeds(&["generate", "models", "--write"]).stderr_has("app.customer: wrote models/bl/customer.sql");
    test.succeeds(&["run"]);

    let row =
        test.value("select (id, email, kind, seen_at at time zone 'UTC', price, shouted)::text from app.customer");
    assert_eq!(row, "(1,a@example.org,3,\"2020-01-01 12:00:00\",1.50,A@EXAMPLE.ORG)");
    let text = std::fs::read_to_string(test.path().join("models/bl/customer.sql")).expect("it is written");
    test.succeeds(&["generate", "models", "--write"]).stderr_has("app.customer: filled by bl.customer");
    test.write("models/bl/customer.sql", "{{ config(enabled=false) }}\nselect 1 as id");
    test.succeeds(&["generate", "models", "--write"]).stderr_has("is there, and stays as it is");
    test.remove("models/bl/customer.sql");
    let other = test.succeeds(&["generate", "models", "--source", "crm", "--table", "cust*"]).stdout;
    assert!(other.contains("email: no such column in crm.customer; text, not NULL and without a default"), "{other}");
    test.run(&["generate", "models", "--source", "nobody"]).exit(2);
    assert!(text.contains("source('shop', 'customers')"), "{text}");
}
