//! Data tests as SQL: a SELECT of the rows that are wrong, and the statement that counts them.

pub mod unit_test;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use minijinja::{Value, context};
use rayon::prelude::*;

use crate::compile::{self, Compiled, CompiledSql, Embedded, Origin, SqlBuilder};
use crate::ident::{Ident, Literal, NodeName, Relation};
use crate::manifest::{Check, Manifest, TestKind, TestNode, TestRules, TestSubject};
use crate::sql::{StatementFile, quoted, quoted_list};

static STATEMENTS: LazyLock<StatementFile> = LazyLock::new(|| StatementFile::parse(include_str!("data_test.sql")));

/// The generic tests that ship with the tool, as the compiler gives all others.
pub fn compile_generic(manifest: &Manifest, compiled: &BTreeMap<NodeName, Compiled>) -> BTreeMap<NodeName, Compiled> {
    let compile = |test: &TestNode| {
        let TestKind::Generic { subject, column, check, filter } = &test.kind else { return None };
        let text = failing_rows(subject, column, check, filter.as_deref());
        let origin = Origin { output: 0..text.len(), source: test.declared_at.clone(), verbatim: false };
        let sql = CompiledSql { text, origins: vec![origin] };
        let mut node = Compiled { sql, depends_on: test.depends_on.clone(), ..Compiled::default() };
        if test.depends_on.iter().any(|parent| manifest.is_ephemeral(parent)) {
            node.sql = compile::inject(manifest, compiled, &node);
        }
        Some((test.name.clone(), node))
    };
    manifest.tests.values().collect::<Vec<_>>().into_par_iter().filter_map(compile).collect()
}

/// The rows that break a generic test; the filter is the user's own SQL, from `where:`.
pub fn failing_rows(subject: &TestSubject, column: &Ident, check: &Check, filter: Option<&str>) -> String {
    let relation = read(subject);
    let subject = match filter {
        Some(filter) => {
            let context = context! { relation => quoted(&relation), filter => quoted(filter) };
            STATEMENTS.render("filtered", context)
        }
        None => relation,
    };
    let column = quoted(column);
    let subject = quoted(subject);
    match check {
        Check::NotNull => STATEMENTS.render("not_null", context! { subject, column }),
        Check::Unique => STATEMENTS.render("unique", context! { subject, column }),
        Check::AcceptedValues { values, quote } => {
            let accepted = match quote {
                true => quoted_list(values.iter().map(|value| Literal(value))),
                // The user's own SQL, as dbt takes it.
                false => quoted_list(values),
            };
            STATEMENTS.render("accepted_values", context! { subject, column, accepted })
        }
        Check::Relationships { to, field } => {
            let context = context! { subject, column, parent => quoted(read(to)), field => quoted(field) };
            STATEMENTS.render("relationships", context)
        }
    }
}

fn read(subject: &TestSubject) -> String {
    subject.cte.clone().unwrap_or_else(|| subject.relation.to_string())
}

/// The SELECT cut to as many rows as are wanted.
pub fn limited(select: &CompiledSql, limit: Option<u64>) -> CompiledSql {
    let Some(limit) = limit else { return select.clone() };
    SqlBuilder::new()
        .text(&STATEMENTS.render("limited_head", Value::UNDEFINED))
        .text("\n")
        .sql(select)
        .text("\n")
        .text(&STATEMENTS.render("limited_tail", context! { limit }))
        .finish()
}

/// Reads what was kept of a test's failing rows.
pub fn kept(relation: &Relation) -> CompiledSql {
    let text = STATEMENTS.render("kept", context! { relation => quoted(relation) });
    CompiledSql { text, origins: Vec::new() }
}

/// Counts what a test's SELECT returns, and compares the count. `fail_calc` is the user's own SQL.
pub fn judge(select: &CompiledSql, rules: &TestRules) -> Embedded {
    let context = context! {
        fail_calc => quoted(&rules.fail_calc),
        warn_if => quoted(&rules.warn_if),
        error_if => quoted(&rules.error_if),
    };
    let head = STATEMENTS.render("judge_head", context);
    Embedded::around(&head, select, &STATEMENTS.render("judge_tail", Value::UNDEFINED))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person() -> TestSubject {
        let relation = Relation::new(Ident::from_catalog("app"), Ident::from_catalog("person"));
        TestSubject { node: NodeName::model("person"), relation, cte: None }
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
