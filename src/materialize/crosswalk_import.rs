//! Ids of a crosswalk out as rows of text, and back: taken in whole or not at all.

use std::sync::LazyLock;

use minijinja::{Value, context};

use crate::ident::{Literal, Relation};
use crate::materialize::crosswalk::TypedMember;
use crate::materialize::stage::StagedColumn;
use crate::sql::{StatementFile, quoted, quoted_list};

static STATEMENTS: LazyLock<StatementFile> =
    LazyLock::new(|| StatementFile::parse(include_str!("crosswalk_import.sql")));

/// The statements that take in the rows of one member, in the order in which they run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportStatements {
    pub create_raw: String,
    /// Takes line numbers, a list of texts for each column of the key, and ids.
    pub fill_raw: String,
    pub create_typed: String,
    /// For finding the lines that the types refuse.
    pub create_fits: String,
    pub unfit: String,
    /// Lines that give a key another id than an earlier one.
    pub twice: String,
    /// Lines that give a key another id than is recorded.
    pub contradicted: String,
    /// Lines that give two keys one id.
    pub shared: String,
    pub keep: String,
    pub drop: String,
}

/// What a member's rows come in by.
pub fn statements(member: &TypedMember<'_>) -> ImportStatements {
    let typed = |column: &StagedColumn| {
        context! {
            name => quoted(&column.name),
            data_type => quoted(&column.data_type),
            data_type_text => quoted(Literal(&column.data_type)),
        }
    };
    let typed_keys: Vec<Value> = member.keys.iter().map(typed).collect();
    let places: Vec<usize> = (1..=member.keys.len()).collect();
    let context = context! {
        places,
        last => member.keys.len() + 2,
        typed_keys,
        keys => quoted_list(&member.node.key),
        table => quoted(&member.node.table),
        id_type => quoted(member.id_type),
        id_type_text => quoted(Literal(member.id_type)),
    };
    let render = |name: &str| STATEMENTS.render(name, context.clone());
    ImportStatements {
        create_raw: render("create_raw"),
        fill_raw: render("fill_raw"),
        create_typed: render("create_typed"),
        create_fits: render("create_fits"),
        unfit: render("unfit"),
        twice: render("twice"),
        contradicted: render("contradicted"),
        shared: render("shared"),
        keep: render("keep"),
        drop: render("drop"),
    }
}

/// Every key with its id, from the view of all members.
pub fn export(view: &Relation) -> String {
    STATEMENTS.render("export", context! { union_view => quoted(view) })
}
