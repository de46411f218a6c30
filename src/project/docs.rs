//! Docs blocks of Markdown files, and the descriptions that call them by `doc()`.
//!
//! 1. every `{% docs name %} … {% enddocs %}` is found; 2. every description with a template is replaced by its rendering.

use std::collections::HashMap;
use std::sync::Arc;

use super::declare::{ColumnDecl, Written};
use super::native::is_template;
use super::template::TextScope;
use super::{Declarations, EnvVars, LoadOptions, Project};
use crate::diagnostic::{Code, Diagnostic, Diagnostics, SourceFile, Span};

/// A named text for descriptions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocBlock {
    pub package: String,
    pub name: String,
    /// Without white space around it.
    pub contents: String,
    /// The name in its Markdown file.
    pub declared_at: Span,
}

/// Finds the blocks and renders the descriptions.
pub(super) fn render_descriptions(project: &mut Project, options: &LoadOptions, diagnostics: &mut Diagnostics) {
    let mut blocks: Vec<DocBlock> = Vec::new();
    for file in &project.docs {
        for block in blocks_of(file, project.package_of(&file.path), diagnostics) {
            match blocks.iter().find(|known| (&known.package, &known.name) == (&block.package, &block.name)) {
                Some(first) => diagnostics.push(
                    Diagnostic::error(Code::DuplicateName, format!("two docs blocks are named \"{}\"", block.name))
                        .at(block.declared_at)
                        .related(first.declared_at.clone(), "the other block"),
                ),
                None => blocks.push(block),
            }
        }
    }
    let blocks = Arc::new(blocks);
    let mut renderer = Renderer { blocks: &blocks, options, scopes: HashMap::new(), diagnostics };
    let mut declared = std::mem::take(&mut project.declared);
    renderer.declarations(&mut declared, project);
    project.declared = declared;
    project.doc_blocks = Arc::unwrap_or_clone(blocks);
}

fn blocks_of(file: &Arc<SourceFile>, package: &str, diagnostics: &mut Diagnostics) -> Vec<DocBlock> {
    let text = &file.text;
    let mut blocks = Vec::new();
    let mut at = 0;
    while let Some(tag) = next_tag(text, at) {
        at = tag.end;
        let Some(name) = tag.words.strip_prefix("docs ").map(str::trim) else { continue };
        let start = tag.start + text[tag.start..tag.end].find(name).unwrap_or_default();
        let declared_at = Span::new(file, start..start + name.len());
        let end = std::iter::successors(next_tag(text, at), |tag| next_tag(text, tag.end))
            .take_while(|tag| !tag.words.starts_with("docs "))
            .find(|tag| tag.words == "enddocs");
        let Some(end) = end else {
            let message = format!("docs block \"{name}\" has no end");
            diagnostics
                .push(Diagnostic::error(Code::BadJinja, message).at(declared_at).hint("it ends with {% enddocs %}"));
            continue;
        };
        let contents = text[at..end.start].trim().to_owned();
        blocks.push(DocBlock { package: package.to_owned(), name: name.to_owned(), contents, declared_at });
        at = end.end;
    }
    blocks
}

/// A `{% … %}` and what stands in it.
struct Tag<'t> {
    start: usize,
    end: usize,
    words: &'t str,
}

fn next_tag(text: &str, from: usize) -> Option<Tag<'_>> {
    let start = from + text[from..].find("{%")?;
    let end = start + text[start..].find("%}")? + 2;
    let words = text[start + 2..end - 2].trim_matches('-').trim();
    Some(Tag { start, end, words })
}

struct Renderer<'r> {
    blocks: &'r Arc<Vec<DocBlock>>,
    options: &'r LoadOptions,
    /// By package, whose own blocks are looked at first.
    scopes: HashMap<String, TextScope>,
    diagnostics: &'r mut Diagnostics,
}

impl Renderer<'_> {
    fn declarations(&mut self, declared: &mut Declarations, project: &Project) {
        let Declarations {
            sources,
            models,
            seeds,
            snapshots,
            tests,
            analyses,
            exposures,
            groups,
            macros,
            unit_tests,
            crosswalks,
        } = declared;
        for source in sources {
            self.written(source.description.as_mut(), project);
            for table in &mut source.tables {
                self.written(table.description.as_mut(), project);
                self.columns(&mut table.columns, project);
            }
        }
        let snapshots = snapshots.iter_mut().map(|snapshot| &mut snapshot.property);
        for property in models.iter_mut().chain(seeds).chain(analyses).chain(tests).chain(snapshots) {
            self.text(&mut property.description, &property.name.span, project);
            self.columns(&mut property.columns, project);
        }
        for exposure in exposures {
            self.text(&mut exposure.description, &exposure.name.span, project);
        }
        for test in unit_tests {
            self.text(&mut test.description, &test.name.span, project);
        }
        for crosswalk in crosswalks {
            self.text(&mut crosswalk.description, &crosswalk.name.span, project);
        }
        for group in groups {
            self.text(&mut group.description, &group.name.span, project);
        }
        for described in macros {
            self.text(&mut described.description, &described.name.span, project);
            for (_, _, description) in &mut described.arguments {
                self.text(description, &described.name.span, project);
            }
        }
    }

    fn columns(&mut self, columns: &mut [ColumnDecl], project: &Project) {
        for column in columns {
            self.text(&mut column.description, &column.name.span, project);
            for test in &mut column.tests {
                self.text(&mut test.description, &test.kind.span, project);
            }
        }
    }

    fn written(&mut self, written: Option<&mut Written<String>>, project: &Project) {
        if let Some(written) = written {
            let span = written.span.clone();
            self.text(&mut written.value, &span, project);
        }
    }

    fn text(&mut self, description: &mut String, place: &Span, project: &Project) {
        if !is_template(description) {
            return;
        }
        let package = project.package_of(place.path());
        let (blocks, options) = (self.blocks, self.options);
        let scope = self.scopes.entry(package.to_owned()).or_insert_with(|| {
            let vars = &project.vars;
            scope(&options.env, vars, (blocks, package))
        });
        match scope.render(description, place) {
            Ok(rendered) => *description = rendered,
            Err(diagnostic) => self.diagnostics.push(diagnostic),
        }
    }
}

fn scope(env: &EnvVars, vars: &super::Vars, (blocks, package): (&Arc<Vec<DocBlock>>, &str)) -> TextScope {
    let (blocks, package) = (Arc::clone(blocks), package.to_owned());
    TextScope::new(env, vars).with_docs(move |named, name| {
        let of = |package: &str| blocks.iter().find(|block| block.package == package && block.name == name);
        let found = match named {
            Some(named) => of(named),
            None => of(&package).or_else(|| blocks.iter().find(|block| block.name == name)),
        };
        found.map(|block| block.contents.clone())
    })
}

#[cfg(test)]
mod tests {
    use crate::diagnostic::Code;
    use crate::project::fixture::Fixture;

    #[test]
    fn descriptions_are_rendered_with_docs_blocks() {
        let fixture = Fixture::new()
            .file("models/a.sql", "select 1 as id")
            .file("models/docs.md", "# Words\n{% docs a_row %}\n\nOne **thing**.\n\n{% enddocs %}\n{%- docs key -%}The key.{% enddocs %}")
            .file(
                "models/a.yml",
                "models:\n  - name: a\n    description: \"{{ doc('a_row') }} Really.\"\n    columns: [{name: id, description: \"{{ doc('shop', 'key') }}\"}]\n",
            );
        let project = fixture.load().expect("the project is sound");

        assert_eq!(project.declared.models[0].description, "One **thing**. Really.");
        assert_eq!(project.declared.models[0].columns[0].description, "The key.");
        assert_eq!(project.doc_blocks.len(), 2);
    }

    #[test]
    fn a_block_without_an_end_and_one_that_is_there_twice_are_told() {
        let fixture = Fixture::new()
            .file("models/a.md", "{% docs a %}x{% enddocs %}{% docs b %}")
            .file("models/b.md", "{% docs a %}y{% enddocs %}");
        let codes: Vec<Code> = fixture.load().expect_err("broken").0.iter().map(|diagnostic| diagnostic.code).collect();
        assert_eq!(codes, [Code::BadJinja, Code::DuplicateName]);
    }
}
