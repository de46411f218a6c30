//! The exact way for a batch that a COPY refuses: its values as text, each taken by a function that says what is wrong.
//!
//! Bytes are read as LATIN1, which has a letter for each, and become UTF-8 again where they are valid. A value is assigned
//! to a variable of its type, which refuses what COPY refuses.

use std::sync::LazyLock;

use minijinja::{Value, context};

use super::stage::StageShape;
use crate::ident::Literal;
use crate::sql::{StatementFile, quoted};

static STATEMENTS: LazyLock<StatementFile> = LazyLock::new(|| StatementFile::parse(include_str!("quarantine.sql")));

/// The statements of one batch, in the order in which they are executed.
#[derive(Debug, Clone)]
pub struct QuarantineStatements {
    pub create_raw: String,
    pub copy_raw: String,
    pub create_functions: String,
    pub find_refused: String,
    /// How many rows are refused.
    pub count_refused: String,
    pub take_good: String,
    /// A refused row that the copy has stays in it as it is.
    pub keep_live: String,
    pub remember: String,
    pub drop_functions: String,
    /// The good rows into an empty copy.
    pub insert_first: String,
}

/// Where good rows are taken to, in a table of the batch's columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TakenInto {
    /// What is merged.
    Incoming,
    /// Keys that are looked up.
    Swept,
}

impl TakenInto {
    fn table(self) -> &'static str {
        match self {
            Self::Incoming => "pg_temp.unimig_incoming",
            Self::Swept => "pg_temp.unimig_swept",
        }
    }
}

pub fn statements(shape: StageShape<'_>, into: TakenInto) -> QuarantineStatements {
    let text = |name: &str| quoted(Literal(name));
    let columns: Vec<Value> = shape
        .columns
        .iter()
        .map(|column| {
            let data_type = quoted(&column.data_type);
            context! { name => quoted(&column.name), text => text(column.name.as_str()), data_type }
        })
        .collect();
    let key_columns: Vec<Value> = (1_usize..)
        .zip(shape.columns)
        .filter(|(_, column)| shape.node.key.contains(&column.name))
        .map(|(number, column)| context! { number, name => quoted(&column.name), text => text(column.name.as_str()) })
        .collect();
    let into = quoted(into.table());
    let context = context! { columns, key_columns, into, node => text(shape.node.name.as_str()), ..shape.context() };
    let render = |name: &str| STATEMENTS.render(name, context.clone());
    QuarantineStatements {
        create_raw: render("create_raw"),
        copy_raw: render("copy_raw"),
        create_functions: render("create_functions"),
        find_refused: render("find_refused"),
        count_refused: render("count_refused"),
        take_good: render("take_good"),
        keep_live: render("keep_live"),
        remember: render("remember"),
        drop_functions: render("drop_functions"),
        insert_first: render("insert_first"),
    }
}
