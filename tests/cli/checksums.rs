//! A batch is proven at every hop: what the source summed up, what lies in the layer, what was loaded, what was merged.

use std::path::PathBuf;
use std::process::Command;

use crate::harness::{Test, files_below};

const LABORS: &str = "stg.svp.labors";

/// Changes a value in the only part of a batch, and makes its manifest agree with the part.
fn forge(test: &Test, batch: &str) {
    let is_ours = |path: &PathBuf| path.to_string_lossy().contains(batch);
    let files: Vec<PathBuf> =
        files_below(&test.path().join(".unimig/layer/svp/labors")).into_iter().filter(is_ours).collect();
    let named = |ending: &str| {
        files
            .iter()
            .find(|path| path.to_string_lossy().ends_with(ending))
            .expect("the batch has it")
            .display()
            .to_string()
    };
    let script = r#"
        set -e
        gunzip -c "$1" | sed 's/labor 7,/labor X,/' | gzip -c > "$1.new" && mv "$1.new" "$1"
        sed -i -E "s/\"sha256\": \"[0-9a-f]+\"/\"sha256\": \"$(sha256sum "$1" | cut -c1-64)\"/" "$2"
        sed -i -E "s/\"bytes\": [0-9]+/\"bytes\": $(stat -c %s "$1")/" "$2"
    "#;
    let done = Command::new("sh").args(["-c", script, "forge", &named(".csv.gz"), &named("manifest.json")]).status();
    assert!(done.expect("a shell runs").success());
}

#[test]
fn a_forged_part_is_found_after_the_load() {
    let test = Test::sample();
    test.succeeds(&["run", "--select", LABORS]);
    let batch = test.value("select max(batch_id) from unimig.batch");
    test.on_target("update stg_svp.labors set full_name = 'lost' where id = 7");
    forge(&test, &batch);
    let before = test.state();

    test.run(&["run", "--select", LABORS, "--reload", &batch])
        .exit(1)
        .stderr_has("are not those of the source any more after the load");

    assert_eq!(test.state(), before);
    // Row counts and the bytes of the parts do not tell.
    let yaml = std::fs::read_to_string(test.path().join("sources/svp.yml")).expect("the source is declared");
    test.write("sources/svp.yml", &yaml.replace("    schema: public\n", "    schema: public\n    checksum: rows\n"));
    test.succeeds(&["run", "--select", LABORS]);
    let rows_only = test.value("select max(batch_id) from unimig.batch where kind = 'full' or kind = 'window'");
    let manifest = files_below(&test.path().join(".unimig/layer/svp/labors"))
        .into_iter()
        .find(|path| path.to_string_lossy().contains(&rows_only) && path.to_string_lossy().ends_with("manifest.json"))
        .expect("the batch has a manifest");
    assert!(!std::fs::read_to_string(manifest).expect("a manifest").contains("digest"));
}

#[test]
fn a_copy_that_changes_what_is_written_to_it_is_found_after_the_merge() {
    let test = Test::sample();
    test.succeeds(&["run", "--select", LABORS]);
    test.on_target(
        "create function app.alter_it() returns trigger language plpgsql
            as $$ begin new.full_name := 'altered'; return new; end $$;
        create trigger alters before update on stg_svp.labors for each row execute function app.alter_it()",
    );
    test.on_source(
        "svp",
        "update labors set full_name = 'changed', updated_at = now() at time zone 'UTC' where id = 7",
    );
    let before = test.state();

    test.run(&["run", "--select", LABORS])
        .exit(1)
        .stderr_has("of stg.svp.labors are not those of the source any more after the merge")
        .stderr_has("sources/svp.yml");

    assert_eq!(test.state(), before);
    test.on_target("drop trigger alters on stg_svp.labors");
    test.succeeds(&["run", "--select", LABORS]);
    assert_eq!(test.result(LABORS).wrote(), (0, 1, 0));
}

#[test]
fn a_select_that_gives_other_values_each_time_says_what_to_do() {
    let test = Test::sample();
    test.write(
        "models/stg/svp/labors.sql",
        "select id, random() as dice, created_at, updated_at from {{ source('svp', 'labors') }}\n",
    );

    test.run(&["run", "--select", LABORS])
        .exit(1)
        .stderr_has("error[broken-batch]")
        .stderr_has("after the load")
        .stderr_has("models/stg/svp/labors.sql:1:1")
        .stderr_has("checksum: rows");

    let yaml = std::fs::read_to_string(test.path().join("sources/svp.yml")).expect("the source is declared");
    test.write("sources/svp.yml", &yaml.replace("        key: [id]\n", "        key: [id]\n        checksum: rows\n"));
    test.succeeds(&["run", "--select", LABORS]);
    test.write("sources/svp.yml", &yaml.replace("        key: [id]\n", "        key: [id]\n        checksum: none\n"));
    test.run(&["parse"]).exit(2).stderr_has("\"none\" is no checksum");
}

/// Rows whose values have a hash, or an equality, that leaves something out.
const KINDS: &str = "create collation careless (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
    create domain code as text collate careless;
    create table kinds (
        id bigint primary key, n numeric, j jsonb, f double precision, i interval, l numeric[], c text collate careless,
        t varchar(9), p integer[], x xml, m code, w timestamptz, u numeric(9, 2), b bpchar, big bigint, place integer
    );
    insert into kinds
    select
        n, 1.5, '{\"a\": 1}', 0, '30 days', array[1.5], 'b', 'é', '{7}',
        xmlparse(document '<?xml version=\"1.0\" encoding=\"UTF-8\"?><a/>'), 'm', '2026-01-01 00:00+00', 2.5, 'b ', 1, n
    from generate_series(1, 5) as n";

/// Each a change that a sum of the types' own hashes would not show.
const CHANGES: &[&str] = &[
    "n = 1.50",
    "j = '{\"a\": 1.0}'",
    "f = '-0'",
    "i = '1 month'",
    "l = array[1.50]",
    "c = 'B'",
    "t = 'é '",
    "p = '[0:0]={7}'",
    "x = '<a/> '",
    "x = E'\\n\\n\\n<a/>'",
    "x = xmlparse(document E'<?xml version=\"1.0\"?>\\n\\n\\n<b/>')",
    "m = null",
    "m = ''",
    "u = -u",
    "b = 'b'",
    "big = 4294967296",
    "big = -1",
    "big = 4294967295",
    "w = w + interval '1 microsecond'",
];

#[test]
fn changes_that_equality_or_a_hash_leaves_out_are_found_by_digests() {
    let test = Test::new().source_sql("svp", KINDS).file(
        "sources/svp.yml",
        "sources: [{name: svp, tables: [{name: kinds, key: [id], cdc: {strategy: compare}}]}]\n",
    );
    let kinds = "stg.svp.kinds";
    test.succeeds(&["run"]);
    test.succeeds(&["run"]);
    assert_eq!(test.result(kinds).extracted, 0, "the digests are those of the source");
    for change in CHANGES {
        test.on_source("svp", &format!("update kinds set {change} where id = 3"));
        test.succeeds(&["run"]);
        assert_eq!(test.result(kinds).wrote(), (0, 1, 0), "{change}");
    }
    // Which value stands in which row is told, too.
    for column in ["place", "w", "c"] {
        test.on_source(
            "svp",
            &format!("update kinds set {column} = case id when 1 then {column} else null end where id < 3"),
        );
        test.succeeds(&["run"]);
        test.on_source(
            "svp",
            &format!(
                "update kinds set {column} = case when kinds.id = 2 then other.{column} end
                from kinds as other where other.id = 1 and kinds.id < 3"
            ),
        );
        test.succeeds(&["run"]);
        assert_eq!(test.result(kinds).wrote(), (0, 2, 0), "{column}");
    }
    test.on_source("svp", "update kinds set place = 9 - place where id > 3");
    test.succeeds(&["run"]);
    assert_eq!(test.result(kinds).wrote(), (0, 2, 0), "two rows exchanged their places");
    test.succeeds(&["run", "--full"]);
    test.wrote_nothing();
}

#[test]
fn an_index_of_somebody_else_is_not_blamed_on_the_key() {
    let test = Test::new()
        .source_sql(
            "svp",
            "create table item (id bigint primary key, v text); insert into item values (1, 'a'), (2, 'b')",
        )
        .file("sources/svp.yml", "sources: [{name: svp, tables: [{name: item, key: [id], cdc: {strategy: full}}]}]\n");
    test.succeeds(&["run"]);
    test.on_target("create unique index somebodys on stg_svp.item (v)");
    test.on_source("svp", "update item set v = case id when 1 then 'b' else 'a' end");
    let outcome = test.run(&["run"]).exit(1).stderr_has("somebodys");
    assert!(!outcome.stderr.contains("is NULL or not unique at the source"), "{}", outcome.stderr);
}

#[test]
fn a_whole_batch_that_a_copy_alters_is_found_and_so_is_a_key_that_comes_twice() {
    let test = Test::new()
        .source_sql("svp", "create table pairs (id bigint, v text); insert into pairs values (1, 'a'), (2, 'b'), (3, 'c')")
        .file(
            "sources/svp.yml",
            "sources: [{name: svp, tables: [{name: pairs, key: [id], cdc: {strategy: full}, deletes: {detect: full, max_percent: 100}}]}]\n",
        );
    let pairs = "stg.svp.pairs";
    test.succeeds(&["run"]);
    test.on_source("svp", "delete from pairs where id = 1; update pairs set v = 'B' where id = 2");
    test.succeeds(&["run"]);
    assert_eq!(test.result(pairs).wrote(), (0, 1, 1));
    test.on_target(
        "create function app.alter_it() returns trigger language plpgsql
            as $$ begin new.v := 'altered'; return new; end $$;
        create trigger alters before update on stg_svp.pairs for each row execute function app.alter_it()",
    );
    test.on_source("svp", "update pairs set v = 'b' where id = 2");
    let before = test.state();
    test.run(&["run"]).exit(1).stderr_has("not those of the source any more after the merge");
    assert_eq!(test.state(), before);
    test.on_target("drop trigger alters on stg_svp.pairs");
    test.succeeds(&["run"]);

    // One that is like the copy's row, one that is new, one that differs twice, one that is NULL.
    for rows in ["(3, 'c')", "(9, 'x'), (9, 'y')", "(2, 'y'), (2, 'z')", "(null, 'n')"] {
        test.on_source("svp", &format!("insert into pairs values {rows}"));
        let before = test.state();
        test.run(&["run"])
            .exit(1)
            .stderr_has("the key (id) of stg.svp.pairs is NULL or not unique")
            .stderr_has("svp.yml:1");
        assert_eq!(test.state(), before);
        test.on_source("svp", "delete from pairs; insert into pairs values (2, 'b'), (3, 'c')");
    }
    test.succeeds(&["run"]);
    test.wrote_nothing();
}
