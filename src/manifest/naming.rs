//! Where a relation goes when the project says so itself: `generate_schema_name` and `generate_alias_name`, macros of the
//! project or of the node's package. Without them dbt's rules hold, and no template is rendered.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Value, json};

use super::config::Settled;
use super::jinja::Engine;
use super::model::Surroundings;
use super::record::{Subject, render_text};
use crate::diagnostic::{Code, Diagnostic, SourceFile};
use crate::ident::{Ident, Relation};

const SCHEMA_MACRO: &str = "generate_schema_name";
const ALIAS_MACRO: &str = "generate_alias_name";

/// A node that wants a name.
#[derive(Debug, Clone, Copy)]
pub(super) struct Unnamed<'n> {
    /// As dbt's `resource_type`.
    pub kind: &'static str,
    pub path: &'n Path,
    pub folders: &'n [String],
    pub stem: &'n str,
}

impl Surroundings<'_> {
    /// The relation of a node that unimig makes itself.
    pub fn own_relation(&self, settled: &mut Settled, node: Unnamed<'_>) -> Option<Relation> {
        let relation = settled.own_relation(self.environment, node.stem)?;
        let Some(engine) = self.engine else { return Some(relation) };
        let package = self.project.package_of(node.path);
        let named = |name: &str, custom: &str, settled: &mut Settled| {
            if !engine.overrides(package, name) {
                return None;
            }
            let custom = settled.get(custom).map_or(Value::Null, |setting| setting.value.clone());
            self.ask(engine, settled, (name, custom, node))
        };
        let schema = named(SCHEMA_MACRO, "schema", settled).unwrap_or(relation.schema);
        let alias = named(ALIAS_MACRO, "alias", settled).unwrap_or(relation.name);
        Some(Relation::new(schema, alias))
    }

    /// What the macro gives, without the blanks around it.
    fn ask(
        &self,
        engine: &Engine,
        settled: &mut Settled,
        (name, custom, node): (&str, Value, Unnamed<'_>),
    ) -> Option<Ident> {
        let call = format!("{{{{ {name}({}, {}) }}}}", literal(&custom), literal(&self.facts(settled, node)));
        let file = Arc::new(SourceFile { path: PathBuf::from(name), text: call, written: None });
        let plan = engine.plan_in(self.project.package_of(node.path), &file);
        let this = Relation::new(self.environment.target.schema.clone(), Ident::from_catalog(node.stem));
        let (text, mistakes) = render_text(engine, &plan, Subject::without_config(this));
        settled.mistakes.append(mistakes);
        match Ident::new(text?.trim()) {
            Ok(ident) => Some(ident),
            Err(error) => {
                let message = format!("{name} of {} \"{}\": {error}", node.kind, node.stem);
                settled.mistakes.push(Diagnostic::error(Code::BadValue, message));
                None
            }
        }
    }

    /// What the macro may ask about the node.
    fn facts(&self, settled: &Settled, node: Unnamed<'_>) -> Value {
        let package = self.project.package_of(node.path);
        json!({
            "name": node.stem,
            "resource_type": node.kind,
            "package_name": package,
            "unique_id": format!("{}.{package}.{}", node.kind, node.stem),
            "original_file_path": node.path.display().to_string(),
            "path": node.folders.iter().map(|folder| format!("{folder}/")).collect::<String>() + node.stem,
            "fqn": self.fqn(node.path, (node.folders, node.stem)),
            "tags": settled.tags(),
            "config": settled.to_json(),
            "version": Value::Null,
        })
    }
}

/// A value as a template writes it.
fn literal(value: &Value) -> String {
    match value {
        Value::Null => "none".to_owned(),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => value.to_string(),
        Value::Array(items) => format!("[{}]", items.iter().map(literal).collect::<Vec<_>>().join(", ")),
        Value::Object(entries) => {
            let entry = |(key, value): (&String, &Value)| format!("{}: {}", json!(key), literal(value));
            format!("{{{}}}", entries.iter().map(entry).collect::<Vec<_>>().join(", "))
        }
    }
}
