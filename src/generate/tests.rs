//! Edits of files that people have written in every layout that YAML knows.

use std::sync::Arc;

use super::propose::Sizes;
use super::*;
use crate::diagnostic::SourceFile;

fn column(name: &str, data_type: &str) -> FoundColumn {
    FoundColumn {
        name: name.to_owned(),
        data_type: data_type.to_owned(),
        base_type: data_type.to_owned(),
        comment: None,
    }
}

fn table(name: &str, columns: &[(&str, &str)]) -> FoundTable {
    FoundTable {
        name: name.to_owned(),
        is_table: true,
        is_partition: false,
        of_extension: false,
        is_readable: true,
        row_estimate: Some(5),
        size_bytes: 8_192,
        comment: None,
        columns: columns.iter().map(|(name, data_type)| column(name, data_type)).collect(),
        key: vec!["id".to_owned()],
        key_kind: KeyKind::Primary,
        indexed: vec!["id".to_owned()],
    }
}

fn edit(text: &str, tables: &[FoundTable]) -> Result<Edited, EditError> {
    let file = Arc::new(SourceFile { path: "sources/shop.yml".into(), text: text.to_owned(), written: None });
    let head =
        SourceHead { name: "shop", connection: "shop", schema: "public", sizes: Sizes { big_from_rows: 100_000 } };
    update(&file, &head, (tables, &[]))
}

fn edited(text: &str, tables: &[FoundTable]) -> String {
    let edited = edit(text, tables).expect("it can be edited").text;
    let again = edit(&edited, tables).expect("again");
    assert_eq!((again.text, again.changes), (edited.clone(), Vec::new()), "a second time changes nothing");
    edited
}

fn now() -> Vec<FoundTable> {
    vec![table("a", &[("id", "bigint"), ("size", "bigint"), ("note", "text")]), table("b", &[("id", "bigint")])]
}

#[test]
fn what_is_new_comes_in_and_everything_else_stays() {
    let before = "\
# ours
sources:
  - tables: # the tables
    - columns:
      - data_type:   int   # was smaller
        name: id
      # about size
      - {name: 'size', data_type: 'varchar(9)', description: \"a # b\"} # keep
      - {name: lost}

      # of a
      key: [ id ]
      name: \"a\"
      # the end of a


    # left out: [c]
    name: shop   # the shop
    schema: public
models: []
";
    let mut tables = now();
    tables.push(table("c", &[("id", "bigint")]));
    let after = edited(before, &tables);
    let expected = before
        .replace("  int ", "  bigint ")
        .replace("'varchar(9)'", "bigint")
        .replace("      - {name: lost}\n", "      # gone from the source: column lost\n      - {name: lost}\n      - {name: note, data_type: text}\n")
        .replace(
            "      # the end of a\n",
            "      # the end of a\n\n    - name: b\n      # about 5 rows, 8 kB; full: small enough to be read whole each time\n      key: [id]\n      columns:\n        - {name: id, data_type: bigint}\n",
        );
    assert_eq!(after, expected);
}

#[test]
fn lists_in_brackets_are_extended_in_brackets() {
    let before = "sources:\r\n- name: shop\r\n  tables:\r\n  - {name: a, columns: [{name: id, data_type: int8}, {name: size,\r\n      data_type: bigint}, ]}\r\n  - {name: b, key: [id]}";
    let after = edited(before, &now());
    assert_eq!(after, before.replace("}, ]}", "}, {name: note, data_type: text} ]}"));
}

#[test]
fn what_comes_back_loses_its_mark() {
    let before = "sources:\n  - name: shop\n    tables:\n      - {name: a}\n      # mine\n      - {name: b}\n";
    let gone = edited(before, &now()[..1]);
    assert_eq!(gone, before.replace("      - {name: b}", "      # gone from the source: table b\n      - {name: b}"));
    assert_eq!(edited(&gone, &now()), before);
}

#[test]
fn a_source_without_tables_gets_them_and_its_own_defaults_count() {
    let before = "sources:\n  - name: shop\n    cdc: {strategy: compare}\n  - name: other\n";
    let after = edited(before, &now()[1..]);
    let added = "    tables:\n      - name: b\n        # about 5 rows, 8 kB; full: small enough to be read whole each time\n        key: [id]\n        cdc: {strategy: full}\n        columns:\n          - {name: id, data_type: bigint}\n";
    assert_eq!(after, before.replace("  - name: other\n", &format!("{added}  - name: other\n")));
}

#[test]
fn a_layout_without_lines_for_tables_is_refused_and_not_broken() {
    let before = "sources: [{name: shop, tables: [{name: a}]}]\n";
    assert!(matches!(edit(before, &now()), Err(EditError::TablesInline)));
    assert!(edit(before, &now()[..1]).is_ok());
}
