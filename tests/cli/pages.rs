//! Pages of the book, carried out: every command that a page shows runs, ends as the page says, and prints what the page
//! shows beneath it.

use std::path::PathBuf;

use crate::harness::{Session, Test};

/// A page's blocks of code, by tag.
struct Page(String);

/// A command of a page, and what stands beneath it.
struct Shown {
    arguments: Vec<String>,
    printed: Vec<String>,
}

impl Page {
    fn read(name: &str) -> Self {
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("book/src").join(name);
        Self(std::fs::read_to_string(path).expect("the page is there"))
    }

    fn blocks(&self, tag: &str) -> Vec<&str> {
        let fence = format!("\n```{tag}\n");
        let starts = self.0.split(fence.as_str()).skip(1);
        starts.map(|rest| rest.split("\n```").next().unwrap_or_default()).collect()
    }

    /// Runs the commands of one console block; each ends with its exit code.
    fn carry_out(&self, test: &Test, (block, codes): (usize, &[i32])) {
        let shown = shown(self.blocks("console")[block]);
        assert_eq!(shown.len(), codes.len(), "a code for each command of block {block}");
        for (Shown { arguments, printed }, code) in shown.iter().zip(codes) {
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            let outcome = test.run(&arguments).exit(*code);
            let told = if outcome.stdout.trim().is_empty() { &outcome.stderr } else { &outcome.stdout };
            let told: Vec<String> = told.lines().map(stable).collect();
            let expected: Vec<String> = printed.iter().map(|line| stable(line)).collect();
            assert!(expected.is_empty() || told == expected, "{told:#?}\n{}", outcome.transcript());
        }
    }
}

/// The commands of a console block.
fn shown(block: &str) -> Vec<Shown> {
    let mut all: Vec<Shown> = Vec::new();
    for line in block.lines() {
        match (line.strip_prefix("$ unimig "), all.last_mut()) {
            (Some(command), _) => {
                let word = |word: &str| word.trim_matches('\'').to_owned();
                all.push(Shown { arguments: command.split_whitespace().map(word).collect(), printed: Vec::new() });
            }
            (None, Some(last)) => last.printed.push(line.to_owned()),
            (None, None) => panic!("a block begins with a command: {line}"),
        }
    }
    all
}

/// A line without what differs from run to run: numbers of batches, times, sizes, and the spaces that fill columns.
fn stable(line: &str) -> String {
    let mut words: Vec<String> = Vec::new();
    for word in line.split_whitespace() {
        let bare = word.trim_matches(|letter| "(),:;".contains(letter));
        let is_number = |text: &str| text.chars().all(|letter| letter.is_ascii_digit() || ",.".contains(letter));
        let is_unit = ["B", "KiB", "MiB", "bytes", "kB", "MB"].contains(&bare);
        match words.last_mut() {
            Some(last) if is_unit && is_number(last.trim_matches('(')) => {
                let lead = if last.starts_with('(') { "(" } else { "" };
                *last = format!("{lead}{}", word.replace(bare, "size"));
            }
            Some(_) | None if is_number(bare) && bare.len() >= 12 => words.push(word.replace(bare, "batch")),
            Some(_) | None if bare.len() == 20 && bare.ends_with('Z') => words.push(word.replace(bare, "time")),
            Some(_) | None => words.push(word.to_owned()),
        }
    }
    words.join(" ")
}

#[test]
fn sources_and_models_are_drafted_as_the_page_shows() {
    let page = Page::read("how-to/generate.md");
    let test = Test::new()
        .source_sql(
            "shop",
            "create table schema_migrations (version text primary key);
            create table ar_internal_metadata (key text primary key, value text);
            create table customers (
                id bigint primary key, \"Full Name\" text, status integer, deleted_at timestamptz
            );
            insert into customers select n, 'name ' || n, 1, null from generate_series(1, 20) as n;
            create table events (
                id bigint primary key,
                record_type text,
                record_id bigint,
                created_at timestamptz,
                updated_at timestamptz
            );
            analyze;
            update pg_class set reltuples = 3000000 where oid = 'events'::regclass",
        )
        .target_sql("create table app.customer (id bigint primary key, status text not null, note text)");

    page.carry_out(&test, (0, &[1, 0, 0]));
    let drafted = std::fs::read_to_string(test.path().join("sources/shop.yml")).expect("it was written");
    let lines = |text: &str| text.lines().map(stable).collect::<Vec<_>>();
    assert_eq!(lines(&drafted), lines(page.blocks("yaml")[0]));
    test.on_source("shop", "create table audit_log (id bigint primary key)");
    page.carry_out(&test, (1, &[1, 0]));
    let model = test.succeeds(&["generate", "models", "--table", "customer"]).stdout;
    let told = model.split_once('\n').map_or("", |(_path, text)| text);
    assert_eq!(told.trim_end(), page.blocks("sql")[0]);
    page.carry_out(&test, (2, &[0, 0, 0]));
}

#[test]
fn the_layer_is_kept_in_order_as_the_page_shows() {
    let page = Page::read("how-to/layer.md");
    let window = "cdc: {strategy: window, columns: [updated_at], window: 1 day}";
    let test = Test::new()
        .source_sql(
            "shop",
            "create table countries (code text primary key);
            insert into countries values ('de'), ('fr'), ('it'), ('pl');
            create table customers (id bigint primary key, updated_at timestamptz);
            insert into customers select n, now() - interval '9 days' from generate_series(1, 1000) as n;
            create table orders (id bigint primary key, updated_at timestamptz);
            insert into orders select n, now() - interval '9 days' from generate_series(1, 3000) as n",
        )
        .file(
            "sources/shop.yml",
            &format!(
                "sources:
  - name: shop
    tables:
      - {{name: countries, key: [code]}}
      - {{name: customers, key: [id], {window}}}
      - {{name: orders, key: [id], {window}}}
"
            ),
        );
    test.succeeds(&["run"]);
    test.succeeds(&["run"]);

    page.carry_out(&test, (0, &[0]));
    page.carry_out(&test, (1, &[0]));
    page.carry_out(&test, (2, &[0]));
}

#[test]
fn the_quarantine_is_looked_at_as_the_page_shows() {
    let page = Page::read("concepts/quarantine.md");
    let test = Test::new();
    test.on_source("svp", "select");
    let database = test.database("svp");
    let server = Session::open("postgres");
    server.execute(&format!("drop database {database}"));
    server.execute(&format!("create database {database} template template0 encoding 'SQL_ASCII' locale 'C'"));
    test.on_source(
        "svp",
        r"create table labors (id bigint primary key, full_name text, country char(2));
        insert into labors select n, 'labor ' || n, 'de' from generate_series(1, 2000) as n;
        update labors set full_name = E'Zo\xeb' where id = 7",
    );
    test.write("sources/svp.yml", &format!("{}\n    tables: [{{name: labors, key: [id]}}]\n", page.blocks("yaml")[0]));
    test.succeeds(&["run"]);

    page.carry_out(&test, (0, &[0, 0, 0]));
}

#[test]
fn other_bounds_and_taken_changes_are_asked_for_as_the_pages_show() {
    let test = Test::sample();
    let yaml = std::fs::read_to_string(test.path().join("sources/svp.yml")).expect("the source is declared");
    let swept = "    schema: public\n    deletes: {detect: sweep, every: 0 days, max_percent: 5}\n";
    test.write("sources/svp.yml", &yaml.replace("    schema: public\n", swept));
    test.succeeds(&["run"]);
    let windows = Page::read("concepts/windows.md");
    windows.carry_out(&test, (0, &[0]));
    test.on_source("svp", "delete from labors");
    test.run(&["run", "--select", "stg.svp.labors"]).exit(1).stderr_has("too-many-deletes");
    windows.carry_out(&test, (1, &[0]));
    assert_eq!(test.value("select count(*) from stg_svp.labors_live"), "0");
    test.on_source("svp", "alter table labors rename full_name to name");
    let drift = Page::read("concepts/drift.md");
    test.run(&["run", "--select", "stg.svp.labors"]).exit(1).stderr_has("source-changed");
    drift.carry_out(&test, (0, &[0]));
    drift.carry_out(&test, (1, &[0]));
}
