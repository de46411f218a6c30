//! Which macros are not what an earlier manifest says they were, by themselves or through those that they call.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::previous::PreviousMacro;
use crate::diagnostic::SourceFile;
use crate::manifest::jinja::{Block, BlockKind, blocks, scan};

/// A package and a name.
type Id = (String, String);

/// The macros of a project that changed.
#[derive(Debug, Clone, Default)]
pub struct ChangedMacros {
    project: String,
    known: HashSet<Id>,
    changed: HashSet<Id>,
}

impl ChangedMacros {
    /// Compares the macro files of the project and its packages, each with its package's name.
    pub fn between(project: &str, files: &[(String, Arc<SourceFile>)], then: &HashMap<String, PreviousMacro>) -> Self {
        let mut bodies: HashMap<Id, String> = HashMap::new();
        for (package, file) in files {
            for block in blocks(&file.text).found {
                let Some(name) = name(&block) else { continue };
                bodies.insert((package.clone(), name), file.text[block.whole].to_owned());
            }
        }
        let is_new = |((package, name), body): &(&Id, &String)| {
            let old = then.get(&format!("macro.{package}.{name}"));
            old.is_none_or(|old| old.macro_sql.trim() != body.trim())
        };
        let changed = bodies.iter().filter(is_new).map(|(id, _)| id.clone()).collect();
        let mut macros = Self { project: project.to_owned(), known: bodies.keys().cloned().collect(), changed };
        // What calls a changed macro has changed too, until nothing more is found.
        loop {
            let calls =
                |(id, body): &(&Id, &String)| !macros.changed.contains(*id) && macros.are_called_in(body, &id.0);
            let more: Vec<Id> = bodies.iter().filter(calls).map(|(id, _)| id.clone()).collect();
            if more.is_empty() {
                return macros;
            }
            macros.changed.extend(more);
        }
    }

    /// Whether a text of a package calls any of them.
    pub fn are_called_in(&self, text: &str, package: &str) -> bool {
        !self.changed.is_empty()
            && scan(text).calls.iter().any(|call| self.is_changed(&text[call.function.clone()], package))
    }

    /// Whether a name that is called in a package means one of them: the package's own first, then the project's.
    pub fn is_changed(&self, called: &str, package: &str) -> bool {
        let id = |package: &str, name: &str| (package.to_owned(), name.to_owned());
        match called.split_once('.') {
            Some((package, name)) => self.changed.contains(&id(package, name)),
            None if self.known.contains(&id(package, called)) => self.changed.contains(&id(package, called)),
            None => self.changed.contains(&id(&self.project, called)),
        }
    }
}

/// dbt's name for the macro that a block becomes.
fn name(block: &Block) -> Option<String> {
    match block.kind {
        BlockKind::Macro => Some(block.name.clone()),
        BlockKind::Test => Some(format!("test_{}", block.name)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_calls_a_changed_macro_has_changed_too() {
        let text = "{% macro a() %}1{% endmacro %}{% macro b() %}{{ a() }}{% endmacro %}{% macro c() %}3{% endmacro %}";
        let file = Arc::new(SourceFile { path: "macros/m.sql".into(), text: text.to_owned(), written: None });
        let old = |sql: &str| PreviousMacro { macro_sql: sql.to_owned() };
        let then = HashMap::from([
            ("macro.shop.a".to_owned(), old("{% macro a() %}0{% endmacro %}")),
            ("macro.shop.b".to_owned(), old("{% macro b() %}{{ a() }}{% endmacro %}")),
            ("macro.shop.c".to_owned(), old("{% macro c() %}3{% endmacro %}\n")),
        ]);
        let macros = ChangedMacros::between("shop", &[("shop".to_owned(), file)], &then);
        assert!(macros.are_called_in("select {{ b() }}", "shop"));
        assert!(macros.are_called_in("select {{ shop.a() }}", "pkg"));
        assert!(!macros.are_called_in("select {{ c() }}", "shop"));
    }
}
