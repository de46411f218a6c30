//! `selectors.yml` and `pipelines:` as written: names for selections. What they mean is for [`crate::graph`] to say.

use std::path::Path;
use std::sync::Arc;

use super::declare::Written;
use super::fields::Reader;
use super::template::TextScope;
use super::yaml::{self, Yaml, YamlValue};
use super::{LoadOptions, Project, files};
use crate::diagnostic::{Diagnostics, SourceFile};

/// The file beside the project file that names selections, as in dbt.
pub const SELECTORS_FILE: &str = "selectors.yml";

/// A selection with a name.
#[derive(Debug, Clone)]
pub struct SelectorDecl {
    pub name: Written<String>,
    pub description: String,
    /// Whether it is taken when the command line selects nothing.
    pub is_default: bool,
    /// A text, or a map of dbt's form.
    pub definition: Yaml,
    pub file: Arc<SourceFile>,
}

/// An ordered list of selections.
#[derive(Debug, Clone)]
pub struct PipelineDecl {
    pub name: Written<String>,
    pub steps: Vec<Written<String>>,
}

impl Reader {
    /// `pipelines:` of the project file.
    pub fn pipelines(&mut self, yaml: &Yaml) -> Vec<PipelineDecl> {
        let Some(fields) = self.open_fields(yaml, "pipelines") else { return Vec::new() };
        let mut pipelines = Vec::new();
        for (key, value) in fields.entries() {
            let Some(fields) = self.fields(value, "pipeline", &["steps"]) else { continue };
            let Some(steps) = self.required(&fields, "steps") else { continue };
            let steps = self.list(steps).iter().filter_map(|step| self.written_text(step)).collect();
            let name = Written { value: key.name.clone(), span: self.span(&key.range) };
            pipelines.push(PipelineDecl { name, steps });
        }
        pipelines
    }

    fn selectors(&mut self, yaml: &Yaml) -> Vec<SelectorDecl> {
        // As in dbt, an empty file names none.
        if matches!(yaml.value, YamlValue::Null) {
            return Vec::new();
        }
        let Some(fields) = self.fields(yaml, "selector file", &["version", "selectors"]) else { return Vec::new() };
        let Some(list) = self.required(&fields, "selectors") else { return Vec::new() };
        self.list(list).iter().filter_map(|item| self.selector(item)).collect()
    }

    fn selector(&mut self, yaml: &Yaml) -> Option<SelectorDecl> {
        let fields = self.fields(yaml, "selector", &["name", "description", "default", "definition"])?;
        let name = self.required(&fields, "name").and_then(|name| self.written_text(name));
        let description = fields.get("description").and_then(|text| self.scalar(text)).unwrap_or_default();
        let is_default = fields.get("default").is_some_and(|value| self.boolean(value) == Some(true));
        let definition = self.required(&fields, "definition")?.clone();
        Some(SelectorDecl { name: name?, description, is_default, definition, file: Arc::clone(&self.file) })
    }
}

/// Reads the file, if the project has one; its templates see variables and the environment.
pub(super) fn load(project: &Project, options: &LoadOptions, diagnostics: &mut Diagnostics) -> Vec<SelectorDecl> {
    if !options.root.join(SELECTORS_FILE).is_file() {
        return Vec::new();
    }
    let read = files::read_one(&options.root, Path::new(SELECTORS_FILE));
    match read.and_then(|file| yaml::parse(&file).map(|tree| (file, tree))) {
        Ok((file, mut tree)) => {
            let mut reader = Reader::new(file);
            render(&mut reader, &TextScope::new(&options.env, &project.vars), &mut tree);
            let found = reader.selectors(&tree);
            diagnostics.append(reader.diagnostics);
            found
        }
        Err(diagnostic) => {
            diagnostics.push(diagnostic);
            Vec::new()
        }
    }
}

fn render(reader: &mut Reader, scope: &TextScope, yaml: &mut Yaml) {
    let span = reader.span(&yaml.range);
    match &mut yaml.value {
        YamlValue::Text(text) if text.contains("{{") || text.contains("{%") => match scope.render(text, &span) {
            Ok(rendered) => *text = rendered,
            Err(diagnostic) => reader.report(diagnostic),
        },
        YamlValue::List(items) => items.iter_mut().for_each(|item| render(reader, scope, item)),
        YamlValue::Map(entries) => entries.iter_mut().for_each(|(_, value)| render(reader, scope, value)),
        YamlValue::Null | YamlValue::Bool(_) | YamlValue::Number(_) | YamlValue::Text(_) => {}
    }
}
