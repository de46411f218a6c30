//! `unit_tests:` as written: the rows that stand in for a model's inputs, and those that it should give.

use std::sync::Arc;

use super::config::{ConfigPatch, Setting};
use super::config_keys::ConfigOf;
use super::declare::Written;
use super::fields::Reader;
use super::yaml::{Yaml, YamlValue};
use crate::diagnostic::{Code, Diagnostic, SourceFile, Span};

/// An item of `unit_tests:`.
#[derive(Debug, Clone)]
pub struct UnitTestDecl {
    pub name: Written<String>,
    pub model: Written<String>,
    pub description: String,
    pub given: Vec<GivenDecl>,
    pub expect: FixtureDecl,
    pub overrides: OverridesDecl,
    pub config: ConfigPatch,
    pub file: Arc<SourceFile>,
}

/// An item of `given:`.
#[derive(Debug, Clone)]
pub struct GivenDecl {
    /// `ref('orders')`, `source('shop', 'orders')` or `this`.
    pub input: Written<String>,
    pub fixture: FixtureDecl,
}

/// Rows in one of three forms.
#[derive(Debug, Clone)]
pub struct FixtureDecl {
    pub format: FixtureFormat,
    pub rows: RowsDecl,
    /// Where the rows stand, or the item that lacks them.
    pub span: Span,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FixtureFormat {
    Dict,
    Csv,
    Sql,
}

#[derive(Debug, Clone)]
pub enum RowsDecl {
    Rows(Vec<RowDecl>),
    /// CSV or SQL, in the YAML file itself.
    Text(Written<String>),
    /// A file of `tests/fixtures/`, without its ending.
    File(Written<String>),
    Nothing,
}

/// Columns and their values; `None` is NULL.
#[derive(Debug, Clone)]
pub struct RowDecl {
    pub cells: Vec<(Written<String>, Option<String>)>,
    pub span: Span,
}

/// What templates are answered instead of the truth, by name.
#[derive(Debug, Clone, Default)]
pub struct OverridesDecl {
    pub macros: Vec<(String, serde_json::Value)>,
    pub vars: Vec<(String, serde_json::Value)>,
    pub env_vars: Vec<(String, serde_json::Value)>,
}

impl Reader {
    /// One unit test.
    pub(super) fn unit_test(&mut self, yaml: &Yaml) -> Option<UnitTestDecl> {
        const KEYS: &[&str] =
            &["name", "model", "description", "given", "expect", "overrides", "config", "tags", "meta"];
        let fields = self.fields(yaml, "unit test", KEYS)?;
        let name = self.required(&fields, "name").and_then(|name| self.written_text(name));
        let model = self.required(&fields, "model").and_then(|model| self.written_text(model));
        let description = fields.get("description").and_then(|text| self.scalar(text)).unwrap_or_default();
        let given = match fields.get("given") {
            Some(given) => self.list(given).iter().filter_map(|item| self.given(item)).collect(),
            None => Vec::new(),
        };
        let expect = self.required(&fields, "expect").and_then(|expect| self.expect_rows(expect));
        let overrides = fields.get("overrides").map(|overrides| self.overrides(overrides)).unwrap_or_default();
        let mut config = fields.get("config").map(|value| self.config(value, ConfigOf::UnitTest)).unwrap_or_default();
        for key in ["tags", "meta"] {
            if let Some(value) = fields.get(key) {
                let setting = Setting { value: value.to_json(), span: self.span(&value.range) };
                config.entry(key.to_owned()).or_insert(setting);
            }
        }
        let file = Arc::clone(&self.file);
        Some(UnitTestDecl { name: name?, model: model?, description, given, expect: expect?, overrides, config, file })
    }

    fn given(&mut self, yaml: &Yaml) -> Option<GivenDecl> {
        let fields = self.fields(yaml, "given input", &["input", "rows", "format", "fixture"])?;
        let input = self.required(&fields, "input").and_then(|input| self.written_text(input))?;
        let fixture = self.fixture((fields.get("rows"), fields.get("format"), fields.get("fixture")), &input.span)?;
        Some(GivenDecl { input, fixture })
    }

    fn expect_rows(&mut self, yaml: &Yaml) -> Option<FixtureDecl> {
        let fields = self.fields(yaml, "expect", &["rows", "format", "fixture"])?;
        let place = self.span(&yaml.range);
        let fixture = self.fixture((fields.get("rows"), fields.get("format"), fields.get("fixture")), &place)?;
        if matches!(fixture.rows, RowsDecl::Nothing) {
            let message = "\"expect\" needs the key \"rows\" or \"fixture\"";
            let hint = "write rows: [] where the model should give no row";
            self.report(Diagnostic::error(Code::MissingKey, message).at(place).hint(hint));
            return None;
        }
        Some(fixture)
    }

    fn fixture(
        &mut self,
        (rows, format, file): (Option<&Yaml>, Option<&Yaml>, Option<&Yaml>),
        place: &Span,
    ) -> Option<FixtureDecl> {
        let format = match format {
            None => FixtureFormat::Dict,
            Some(written) => self.fixture_format(written)?,
        };
        let rows = match (rows, file) {
            (Some(_), Some(file)) => {
                let message = "rows and a fixture exclude each other";
                let span = self.span(&file.range);
                self.report(Diagnostic::error(Code::BadUnitTest, message).at(span).hint("keep one of the two"));
                return None;
            }
            (None, Some(file)) if format == FixtureFormat::Dict => {
                let message = "a fixture file needs \"format: csv\" or \"format: sql\"";
                let span = self.span(&file.range);
                self.report(Diagnostic::error(Code::BadUnitTest, message).at(span));
                return None;
            }
            (None, Some(file)) => RowsDecl::File(self.written_text(file)?),
            (None, None) => RowsDecl::Nothing,
            (Some(rows), None) => match format {
                FixtureFormat::Dict => RowsDecl::Rows(self.list(rows).iter().filter_map(|row| self.row(row)).collect()),
                FixtureFormat::Csv | FixtureFormat::Sql => {
                    let value = self.text(rows)?;
                    RowsDecl::Text(Written { value, span: self.span(&rows.range) })
                }
            },
        };
        Some(FixtureDecl { format, rows, span: place.clone() })
    }

    fn fixture_format(&mut self, yaml: &Yaml) -> Option<FixtureFormat> {
        let written = self.text(yaml)?;
        match written.as_str() {
            "dict" => Some(FixtureFormat::Dict),
            "csv" => Some(FixtureFormat::Csv),
            "sql" => Some(FixtureFormat::Sql),
            other => {
                let message = format!("\"{other}\" is no format of rows");
                let span = self.span(&yaml.range);
                let diagnostic = Diagnostic::error(Code::BadValue, message).at(span);
                self.report(diagnostic.hint("it is one of dict, csv, sql"));
                None
            }
        }
    }

    fn row(&mut self, yaml: &Yaml) -> Option<RowDecl> {
        let fields = self.open_fields(yaml, "row")?;
        let cells = fields.entries().iter().map(|(key, value)| {
            let column = Written { value: key.name.clone(), span: self.span(&key.range) };
            (column, self.cell(value))
        });
        Some(RowDecl { cells: cells.collect(), span: self.span(&yaml.range) })
    }

    /// A value as PostgreSQL reads it: lists and maps are JSON.
    fn cell(&self, yaml: &Yaml) -> Option<String> {
        match &yaml.value {
            YamlValue::Null => None,
            YamlValue::Text(text) => Some(text.clone()),
            YamlValue::Number(_) => Some(self.span(&yaml.range).text().trim().to_owned()),
            YamlValue::Bool(value) => Some(value.to_string()),
            YamlValue::List(_) | YamlValue::Map(_) => Some(yaml.to_json().to_string()),
        }
    }

    fn overrides(&mut self, yaml: &Yaml) -> OverridesDecl {
        let Some(fields) = self.fields(yaml, "overrides", &["macros", "vars", "env_vars"]) else {
            return OverridesDecl::default();
        };
        let mut entries = |key: &str| -> Vec<(String, serde_json::Value)> {
            let Some(map) = fields.get(key).and_then(|map| self.open_fields(map, "overrides")) else {
                return Vec::new();
            };
            map.entries().iter().map(|(key, value)| (key.name.clone(), value.to_json())).collect()
        };
        OverridesDecl { macros: entries("macros"), vars: entries("vars"), env_vars: entries("env_vars") }
    }
}
