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
    let before = test.physical_state();

    test.run(&["run", "--select", LABORS, "--reload", &batch])
        .exit(1)
        .stderr_has("are not those of the source any more after the load");

    assert_eq!(test.physical_state(), before);
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
