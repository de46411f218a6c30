//! The same SQL with some relations under other names, for reading shells or an earlier state in place of the real ones.
//!
//! It works on the finished text, so names that `ref` gave and names that were written out are treated alike: wherever
//! `schema.name` is one of the relations, it is replaced. Places in the user's files stay exact.

use std::collections::HashMap;

use super::plain_names::folded;
use super::tokens::{Kind, Token, tokens};
use super::{CompiledSql, Origin, SqlBuilder};
use crate::ident::{Ident, Relation};

/// Which relations stand elsewhere, and where.
#[derive(Debug, Clone, Default)]
pub struct Elsewhere {
    places: HashMap<Relation, Relation>,
}

impl Elsewhere {
    /// A relation keeps its name and is read from another schema.
    pub fn put(&mut self, relation: &Relation, schema: &Ident) {
        self.move_to(relation, &Relation::new(schema.clone(), relation.name.clone()));
    }

    /// A relation is read from another place.
    pub fn move_to(&mut self, here: &Relation, there: &Relation) {
        self.places.insert(here.clone(), there.clone());
    }

    pub fn has(&self, relation: &Relation) -> bool {
        self.places.contains_key(relation)
    }

    fn place(&self, schema: &str, name: &str) -> Option<&Relation> {
        self.places.get(&Relation::new(Ident::from_catalog(schema), Ident::from_catalog(name)))
    }

    /// The SQL with every qualified name of such a relation put into its other schema.
    pub fn apply(&self, sql: &CompiledSql) -> CompiledSql {
        let text = sql.text.as_str();
        let found = tokens(text);
        let mut builder = SqlBuilder::new();
        let mut done = 0;
        for (at, token) in found.iter().enumerate() {
            let Some(place) = self.replacement(text, &found, at) else { continue };
            builder = builder.slice(sql, done..token.range.start).sql(&placed(sql, token, &place.schema));
            done = token.range.end;
            let table = &found[at + 2];
            if folded(&text[table.range.clone()]) != place.name.as_str() {
                builder = builder.slice(sql, done..table.range.start).sql(&placed(sql, table, &place.name));
                done = table.range.end;
            }
        }
        builder.slice(sql, done..text.len()).finish()
    }

    fn replacement(&self, text: &str, found: &[Token], at: usize) -> Option<&Relation> {
        let name = |token: &Token| match token.kind {
            Kind::Word | Kind::Quoted => Some(folded(&text[token.range.clone()])),
            Kind::Constant | Kind::Symbol(_) => None,
        };
        let [schema, dot, table] = found.get(at..at + 3)? else { return None };
        if !dot.is_symbol(b'.') {
            return None;
        }
        self.place(&name(schema)?, &name(table)?)
    }
}

/// Another name, with the place of the one that it stands for.
fn placed(sql: &CompiledSql, token: &Token, name: &Ident) -> CompiledSql {
    let text = name.to_string();
    let position = sql.text[..token.range.start].chars().count() + 1;
    let origins = sql.locate(position).map(|source| Origin { output: 0..text.len(), source, verbatim: false });
    CompiledSql { text, origins: origins.into_iter().collect() }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::diagnostic::{SourceFile, Span};

    fn relation(schema: &str, name: &str) -> Relation {
        Relation::new(Ident::from_catalog(schema), Ident::from_catalog(name))
    }

    #[test]
    fn a_relation_may_have_another_name_elsewhere() {
        let sql = CompiledSql { text: "select 1 from app.person as p".to_owned(), origins: Vec::new() };
        let mut elsewhere = Elsewhere::default();
        elsewhere.move_to(&relation("app", "person"), &relation("prod", "all people"));
        assert_eq!(elsewhere.apply(&sql).text, "select 1 from prod.\"all people\" as p");
    }

    #[test]
    fn qualified_names_are_replaced_and_places_stay() {
        let text = "select 'app.person', P.id, naem from App.person as P join \"app\".\"Other\" on app.person.id = 1";
        let file = Arc::new(SourceFile { path: "models/a.sql".into(), text: text.to_owned(), written: None });
        let origin = Origin { output: 0..text.len(), source: Span::new(&file, 0..text.len()), verbatim: true };
        let sql = CompiledSql { text: text.to_owned(), origins: vec![origin] };
        let mut elsewhere = Elsewhere::default();
        elsewhere.put(&relation("app", "person"), &Ident::from_catalog("scratch_long_name"));

        let moved = elsewhere.apply(&sql);

        assert_eq!(
            moved.text,
            "select 'app.person', P.id, naem from scratch_long_name.person as P join \"app\".\"Other\" on scratch_long_name.person.id = 1"
        );
        let place = |needle: &str| {
            let at = moved.text.rfind(needle).expect("it is there");
            moved.locate(at + 1).map(|span| span.text().to_owned())
        };
        assert_eq!(place("naem").as_deref(), Some("naem"));
        assert_eq!(place("scratch_long_name").as_deref(), Some("app"));
        assert_eq!(place("Other").as_deref(), Some("Other"));
        assert_eq!(place("id = 1").as_deref(), Some("id"));
    }
}
