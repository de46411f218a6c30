//! Data tests as SQL: a SELECT of the rows that are wrong, and the statement that counts them.

use std::sync::LazyLock;

use minijinja::{Value, context};

use crate::compile::{CompiledSql, Embedded};
use crate::ident::{Ident, Literal};
use crate::manifest::{Check, TestSubject};
use crate::sql::{StatementFile, quoted, quoted_list};

static STATEMENTS: LazyLock<StatementFile> = LazyLock::new(|| StatementFile::parse(include_str!("data_test.sql")));

/// The rows that break a generic test; the filter is the user's own SQL, from `where:`.
pub fn failing_rows(subject: &TestSubject, column: &Ident, check: &Check, filter: Option<&str>) -> String {
    let subject = match filter {
        Some(filter) => {
            let context = context! { relation => quoted(&subject.relation), filter => quoted(filter) };
            STATEMENTS.render("filtered", context)
        }
        None => subject.relation.to_string(),
    };
    let column = quoted(column);
    let subject = quoted(subject);
    match check {
        Check::NotNull => STATEMENTS.render("not_null", context! { subject, column }),
        Check::Unique => STATEMENTS.render("unique", context! { subject, column }),
        Check::AcceptedValues { values, .. } => {
            let accepted = quoted_list(values.iter().map(|value| Literal(value)));
            STATEMENTS.render("accepted_values", context! { subject, column, accepted })
        }
        Check::Relationships { relation, field, .. } => {
            let context = context! { subject, column, parent => quoted(relation), field => quoted(field) };
            STATEMENTS.render("relationships", context)
        }
    }
}

/// Counts what a test's SELECT returns.
pub fn count(select: &CompiledSql) -> Embedded {
    let render = |name| STATEMENTS.render(name, Value::UNDEFINED);
    Embedded::around(&render("count_head"), select, &render("count_tail"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ident::{NodeName, Relation};

    fn person() -> TestSubject {
        let relation = Relation::new(Ident::from_catalog("app"), Ident::from_catalog("person"));
        TestSubject { node: NodeName::model("person"), relation }
    }

    #[test]
    fn accepted_values_are_quoted_for_every_type() {
        let check = Check::AcceptedValues { values: vec!["it's".to_owned(), "1".to_owned()], quote: true };
        let sql = failing_rows(&person(), &Ident::from_catalog("status"), &check, None);
        assert!(sql.contains("status not in ('it''s', '1')"), "{sql}");
    }

    #[test]
    fn a_filter_narrows_the_subject() {
        let sql = failing_rows(&person(), &Ident::from_catalog("email"), &Check::NotNull, Some("id > 5"));
        assert!(sql.contains("where id > 5") && sql.contains("as subject"), "{sql}");
    }
}
