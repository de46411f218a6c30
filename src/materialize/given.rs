//! A SELECT's values, held in types that take them all until they are known to fit the target's.
//!
//! Where the SELECT gives another type than the target has, its own type holds the column; text that is to become
//! something else stays text. Each such column has a test that finds the values which the target's type would refuse, and
//! the casts are done by a view over what is left.

use std::sync::LazyLock;

use minijinja::{Value, context};

use crate::ident::{Ident, Literal};
use crate::sql::{StatementFile, quoted, quoted_list};

static STATEMENTS: LazyLock<StatementFile> = LazyLock::new(|| StatementFile::parse(include_str!("given.sql")));

/// A column of the SELECT on its way into the target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GivenColumn {
    pub name: Ident,
    /// The target's type.
    pub data_type: String,
    /// The type of the temporary table.
    pub held_as: String,
    pub test: ValueTest,
}

/// How values are found that the target's type would refuse.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ValueTest {
    /// It is held in the target's type.
    Fits,
    Length(i32),
    Range {
        least: i64,
        greatest: i64,
    },
    Precision {
        precision: i32,
        scale: i32,
    },
    Labels(Vec<String>),
    /// Each value is tried, as only the type knows what it takes.
    Taken,
}

/// The statements about values, all of which need the temporary table filled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GivenStatements {
    /// Fails where a value is refused that only its type can judge; absent where there is none to try.
    pub try_all: Option<String>,
    pub create_functions: String,
    pub drop_functions: String,
    /// Absent where nothing can be refused; with the functions, where [`Self::try_all`] failed.
    pub value_faults: Option<String>,
    pub value_faults_with_functions: String,
    pub remember_keys: String,
    pub take_out: String,
    pub forget_places: String,
    pub cast_staged: String,
}

/// The table of faults that one merge finds.
pub fn create_faults() -> String {
    STATEMENTS.render("create_faults", context! {})
}

/// The statements for columns of which at least one is loose.
pub fn statements(columns: &[GivenColumn], keys: &[Ident]) -> GivenStatements {
    let numbered = || (1_usize..).zip(columns);
    let all: Vec<Value> = numbered().map(|(number, column)| shown(number, column)).collect();
    let taken: Vec<Value> = numbered()
        .filter(|(_, column)| column.test == ValueTest::Taken)
        .map(|(number, column)| shown(number, column))
        .collect();
    let key_columns: Vec<Value> = numbered()
        .filter(|(_, column)| keys.contains(&column.name))
        .map(|(number, column)| shown(number, column))
        .collect();
    let tests = |with_functions: bool| -> Vec<Value> {
        let wanted = numbered().filter(|(_, column)| with_functions || column.test != ValueTest::Taken);
        wanted.filter_map(|(number, column)| test(number, column)).collect()
    };
    let faults = |tests: Vec<Value>| STATEMENTS.render("value_faults", context! { tests, keys => key_columns.clone() });
    let context = context! { columns => all, taken => taken.clone(), keys => key_columns.clone() };
    let render = |name| STATEMENTS.render(name, context.clone());
    let simple = tests(false);
    GivenStatements {
        try_all: (!taken.is_empty()).then(|| render("try_all")),
        create_functions: render("create_functions"),
        drop_functions: render("drop_functions"),
        value_faults: (!simple.is_empty()).then(|| faults(simple)),
        value_faults_with_functions: faults(tests(true)),
        remember_keys: render("remember_keys"),
        take_out: render("take_out"),
        forget_places: render("forget_places"),
        cast_staged: render("cast_staged"),
    }
}

fn shown(number: usize, column: &GivenColumn) -> Value {
    context! {
        number,
        name => quoted(&column.name),
        text => quoted(Literal(column.name.as_str())),
        data_type => quoted(&column.data_type),
        held_as => quoted(&column.held_as),
        is_loose => column.test != ValueTest::Fits,
    }
}

/// The column's test as a row of the statement that applies all of them.
fn test(number: usize, column: &GivenColumn) -> Option<Value> {
    let name = quoted(&column.name);
    let literal = |sqlstate: &str| quoted(Literal(sqlstate));
    let render = |statement: &str, context: Value| quoted(STATEMENTS.render(statement, context));
    let (sqlstate, condition) = match &column.test {
        ValueTest::Fits => return None,
        ValueTest::Length(length) => (literal("22001"), render("length", context! { name, length })),
        ValueTest::Range { least, greatest } => (literal("22003"), render("range", context! { name, least, greatest })),
        ValueTest::Precision { precision, scale } => {
            let limit = literal(&format!("1e{}", precision - scale));
            (literal("22003"), render("precision", context! { name, scale, limit }))
        }
        ValueTest::Labels(labels) => {
            let labels = quoted_list(labels.iter().map(|label| Literal(label)));
            (literal("label"), render("label", context! { name, labels }))
        }
        ValueTest::Taken => {
            let call = format!("pg_temp.unimig_refused_{number}(given.{})", column.name);
            (quoted(call), render("taken", context! { name, number }))
        }
    };
    let text = quoted(Literal(column.name.as_str()));
    Some(context! { name => quoted(&column.name), text, sqlstate, condition })
}
