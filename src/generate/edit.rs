//! A file that declares a source, brought up to date with the catalog in places: what people wrote stays, byte by byte.
//!
//! 1. Declared tables and columns are held against those that were found.
//! 2. Each difference becomes an edit of a few bytes.
//! 3. The edited text is read again, and must say what it said before and the differences, nothing else.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use serde_json::{Value, json};

use super::draft::{self, Defaults, SourceHead, block};
use super::propose::{Cdc, Deletes, propose};
use super::scalar::scalar;
use super::{FoundTable, layout, names, rails, types};
use crate::diagnostic::SourceFile;
use crate::project::{Yaml, YamlValue, parse_yaml, yaml_value};

/// One thing in which a declaration and its source differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    NewTable {
        table: String,
    },
    NewColumn {
        table: String,
        column: String,
    },
    Retyped {
        table: String,
        column: String,
        from: String,
        to: String,
    },
    GoneTable {
        table: String,
    },
    GoneColumn {
        table: String,
        column: String,
    },
    /// What was marked as gone is there again.
    BackTable {
        table: String,
    },
    BackColumn {
        table: String,
        column: String,
    },
}

#[derive(Debug, Clone)]
pub struct Edited {
    pub text: String,
    /// In the order of the file.
    pub changes: Vec<Change>,
}

/// Why a file cannot be changed in places.
#[derive(Debug, thiserror::Error)]
pub enum EditError {
    #[error("the file does not declare the source in a way that can be read")]
    Unreadable,
    #[error("its tables are not a list with a line for each")]
    TablesInline,
    #[error("it is laid out in a way that a change in places would break")]
    WouldBreak,
}

/// Brings the declaration up to date; tables whose names `patterns` do not match are left alone.
pub fn update(
    file: &Arc<SourceFile>,
    head: &SourceHead<'_>,
    (tables, patterns): (&[FoundTable], &[String]),
) -> Result<Edited, EditError> {
    let tree = parse_yaml(file).map_err(|_| EditError::Unreadable)?;
    let (place, source) = source_of(&tree, head.name).ok_or(EditError::Unreadable)?;
    let mut editor = Editor {
        text: &file.text,
        newline: if file.text.contains("\r\n") { "\r\n" } else { "\n" },
        edits: Vec::new(),
        changes: Vec::new(),
        expected: tree.to_json(),
        place,
    };
    let declared = list(source, "tables");
    for (at, table) in declared.iter().enumerate() {
        let Some(name) = identifier(table) else { continue };
        if names::matches(patterns, name) {
            editor.table((at, table, name), tables.iter().find(|found| found.name == name));
        }
    }
    let known: BTreeSet<&str> = declared.iter().filter_map(identifier).collect();
    let left_out = left_out(&file.text);
    let new = draft::proposed(tables).into_iter().filter(|table| {
        names::matches(patterns, &table.name) && !known.contains(table.name.as_str()) && !left_out.contains(&table.name)
    });
    editor.new_tables(source, &new.collect::<Vec<_>>(), (head, rails::is_rails(tables)))?;
    editor.finish(file)
}

struct Editor<'a> {
    text: &'a str,
    newline: &'static str,
    edits: Vec<(Range<usize>, String)>,
    changes: Vec<Change>,
    /// What the edited file must say.
    expected: Value,
    /// Of the source in `sources:`.
    place: usize,
}

impl Editor<'_> {
    fn table(&mut self, (at, yaml, name): (usize, &Yaml, &str), found: Option<&FoundTable>) {
        let table = name.to_owned();
        let mark = format!("# gone from the source: table {}", scalar(name));
        let Some(found) = found else {
            if self.mark(yaml, &mark) {
                self.changes.push(Change::GoneTable { table });
            }
            return;
        };
        if self.unmark(yaml, &mark) {
            self.changes.push(Change::BackTable { table });
        }
        let columns = list(yaml, "columns");
        for (column_at, column) in columns.iter().enumerate() {
            self.column((at, column_at), column, found);
        }
        // Columns are copied whether they are listed or not, so a table may do without a list.
        if !columns.is_empty() {
            self.new_columns((at, yaml), found);
        }
    }

    fn column(&mut self, (table_at, column_at): (usize, usize), yaml: &Yaml, found: &FoundTable) {
        let Some(name) = text(yaml, "name") else { return };
        let (table, column) = (found.name.clone(), name.to_owned());
        let mark = format!("# gone from the source: column {}", scalar(name));
        let Some(at_source) = found.column(name) else {
            if self.mark(yaml, &mark) {
                self.changes.push(Change::GoneColumn { table, column });
            }
            return;
        };
        if self.unmark(yaml, &mark) {
            self.changes.push(Change::BackColumn { table: table.clone(), column: column.clone() });
        }
        let Some((from, written)) = text(yaml, "data_type").zip(value(yaml, "data_type")) else { return };
        let to = &at_source.data_type;
        if types::canonical(from) != types::canonical(to) {
            self.edits.push((written.range.clone(), scalar(to)));
            let place = self.place;
            self.expected["sources"][place]["tables"][table_at]["columns"][column_at]["data_type"] = json!(to);
            self.changes.push(Change::Retyped { table, column, from: from.to_owned(), to: to.clone() });
        }
    }

    fn new_columns(&mut self, (table_at, yaml): (usize, &Yaml), found: &FoundTable) {
        let declared = list(yaml, "columns");
        let known: BTreeSet<&str> = declared.iter().filter_map(|column| text(column, "name")).collect();
        let new = found.columns.iter().filter(|column| !known.contains(column.name.as_str()));
        let new: Vec<_> = new.map(|column| (&column.name, draft::column(column))).collect();
        let (Some(last), false) = (declared.last(), new.is_empty()) else { return };
        let items: Vec<&String> = new.iter().map(|(_, item)| item).collect();
        let Some(list) = value(yaml, "columns") else { return };
        if self.text[list.range.start..].starts_with('[') {
            self.add_inline(list.range.start, &items);
        } else if let Some(item) = layout::block_item(self.text, last) {
            let lines = items.iter().map(|column| format!("{}- {column}", item.indent)).collect::<Vec<_>>();
            self.insert_lines(item.end, &lines);
        }
        for (name, item) in new {
            let place = self.place;
            if let Some(columns) = self.expected["sources"][place]["tables"][table_at]["columns"].as_array_mut() {
                columns.extend(yaml_value(&item));
            }
            self.changes.push(Change::NewColumn { table: found.name.clone(), column: name.clone() });
        }
    }

    /// Behind the last item of a list in brackets.
    fn add_inline(&mut self, open: usize, items: &[&String]) {
        let Some(close) = layout::closing_bracket(self.text, open) else { return };
        let inside = self.text[open + 1..close].trim_end();
        let is_begun = !inside.is_empty() && !inside.ends_with(',');
        let at = open + 1 + inside.len();
        let joined = items.iter().map(|item| item.as_str()).collect::<Vec<_>>().join(", ");
        let joined = if is_begun { format!(", {joined}") } else { format!(" {joined}") };
        self.edits.push((at..at, joined));
    }

    fn new_tables(
        &mut self,
        source: &Yaml,
        new: &[&FoundTable],
        (head, is_rails): (&SourceHead<'_>, bool),
    ) -> Result<(), EditError> {
        if new.is_empty() {
            return Ok(());
        }
        let (at, indent) = self.end_of_tables(source)?;
        let defaults = defaults(source);
        let mut lines = Vec::new();
        for table in new {
            let proposal = propose(table, head.sizes);
            let block = block((table, &proposal, &rails::notes(table, is_rails)), &defaults);
            let place = self.place;
            let tables = &mut self.expected["sources"][place]["tables"];
            if tables.is_null() {
                *tables = json!([]);
            }
            if let (Some(tables), Some(Value::Array(items))) = (tables.as_array_mut(), yaml_value(&block.join("\n"))) {
                tables.extend(items);
            }
            lines.push(String::new());
            lines.extend(block.iter().map(|line| format!("{indent}{line}")));
            self.changes.push(Change::NewTable { table: table.name.clone() });
        }
        if value(source, "tables").is_none() {
            lines[0] = format!("{}tables:", indent.strip_suffix("  ").unwrap_or(&indent));
        }
        self.insert_lines(at, &lines);
        Ok(())
    }

    /// Where the next table goes, and how far it is indented.
    fn end_of_tables(&self, source: &Yaml) -> Result<(usize, String), EditError> {
        let item = layout::block_item(self.text, source).ok_or(EditError::TablesInline)?;
        match (list(source, "tables").last(), value(source, "tables")) {
            (Some(last), _) => {
                let last = layout::block_item(self.text, last).ok_or(EditError::TablesInline)?;
                Ok((last.end, last.indent))
            }
            (None, None) => Ok((item.end, format!("{}    ", item.indent))),
            (None, Some(_)) => Err(EditError::TablesInline),
        }
    }

    /// Whole lines before a byte that begins one.
    fn insert_lines(&mut self, at: usize, lines: &[String]) {
        let mut text = String::new();
        if at > 0 && !self.text[..at].ends_with('\n') {
            text.push_str(self.newline);
        }
        for line in lines {
            text.push_str(line);
            text.push_str(self.newline);
        }
        self.edits.push((at..at, text));
    }

    /// Sets a comment above an item, unless it is there already.
    fn mark(&mut self, yaml: &Yaml, mark: &str) -> bool {
        let (line, indent) = layout::line_of(self.text, yaml);
        let line = layout::block_item(self.text, yaml).map_or(line, |item| item.line_start);
        if layout::comments_above(self.text, line).iter().any(|(_, comment)| *comment == mark) {
            return false;
        }
        self.insert_lines(line, &[format!("{indent}{mark}")]);
        true
    }

    /// Takes such a comment away.
    fn unmark(&mut self, yaml: &Yaml, mark: &str) -> bool {
        let (line, _) = layout::line_of(self.text, yaml);
        let line = layout::block_item(self.text, yaml).map_or(line, |item| item.line_start);
        let comments = layout::comments_above(self.text, line);
        let found = comments.iter().find(|(_, comment)| *comment == mark).map(|(range, _)| range.clone());
        self.edits.extend(found.clone().map(|range| (range, String::new())));
        found.is_some()
    }

    fn finish(mut self, file: &SourceFile) -> Result<Edited, EditError> {
        // Stable: several lines before the same byte stay in the order in which they came.
        self.edits.sort_by_key(|(range, _)| (range.start, range.end));
        let mut text = self.text.to_owned();
        for (range, new) in self.edits.iter().rev() {
            text.replace_range(range.clone(), new);
        }
        let again = Arc::new(SourceFile { path: file.path.clone(), text, written: None });
        match parse_yaml(&again) {
            Ok(tree) if tree.to_json() == self.expected => {
                Ok(Edited { text: again.text.clone(), changes: self.changes })
            }
            Ok(_) | Err(_) => Err(EditError::WouldBreak),
        }
    }
}

fn source_of<'y>(tree: &'y Yaml, name: &str) -> Option<(usize, &'y Yaml)> {
    list(tree, "sources").iter().enumerate().find(|(_, source)| text(source, "name") == Some(name))
}

fn value<'y>(yaml: &'y Yaml, key: &str) -> Option<&'y Yaml> {
    let YamlValue::Map(entries) = &yaml.value else { return None };
    let found = entries.iter().find(|(name, _)| name.name == key).map(|(_, value)| value);
    found.filter(|value| value.value != YamlValue::Null)
}

fn list<'y>(yaml: &'y Yaml, key: &str) -> &'y [Yaml] {
    match value(yaml, key).map(|value| &value.value) {
        Some(YamlValue::List(items)) => items,
        Some(_) | None => &[],
    }
}

fn text<'y>(yaml: &'y Yaml, key: &str) -> Option<&'y str> {
    match value(yaml, key).map(|value| &value.value) {
        Some(YamlValue::Text(text)) => Some(text),
        Some(_) | None => None,
    }
}

/// What the table is called at the source.
fn identifier(table: &Yaml) -> Option<&str> {
    text(table, "identifier").or_else(|| text(table, "name"))
}

/// What the source says for tables that do not say so themselves.
fn defaults(source: &Yaml) -> Defaults {
    let of = |key: &str, usual: &dyn std::fmt::Display| match value(source, key) {
        Some(written) => written.to_json(),
        None => yaml_value(&usual.to_string()).unwrap_or_default(),
    };
    Defaults { cdc: of("cdc", &Cdc::Full), deletes: of("deletes", &Deletes::Full) }
}

/// Names in comments that begin with `# left out`: what people do not want to see proposed.
fn left_out(text: &str) -> BTreeSet<String> {
    let lines = text.lines().filter_map(|line| line.trim().strip_prefix("# left out"));
    let lists = lines.filter_map(|line| yaml_value(&line[line.find('[')?..]));
    let items = lists.filter_map(|list| list.as_array().cloned()).flatten();
    items.filter_map(|item| item.as_str().map(str::to_owned)).collect()
}
