//! What dbt's property files say besides sources, tests and config: constraints, exposures, groups, macros, analyses.

use super::config::{ConfigPatch, Setting};
use super::config_keys::ConfigOf;
use super::declare::{Declarations, Written};
use super::fields::{Fields, Reader};
use super::yaml::Yaml;
use crate::diagnostic::{Code, Diagnostic};
use crate::ident::Ident;

/// An item of `constraints:`, of a model or of a column.
#[derive(Debug, Clone)]
pub struct ConstraintDecl {
    pub kind: Written<ConstraintKind>,
    pub name: Option<String>,
    /// The condition of a check, the text of a custom constraint, or what a foreign key refers to.
    pub expression: Option<String>,
    /// Of a model's constraint; one of a column has its own.
    pub columns: Vec<Ident>,
    /// What a foreign key refers to, as `ref('x')`, and the columns there.
    pub to: Option<Written<String>>,
    pub to_columns: Vec<Ident>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConstraintKind {
    Check,
    NotNull,
    Unique,
    PrimaryKey,
    ForeignKey,
    Custom,
}

impl ConstraintKind {
    const ALL: [(&'static str, Self); 6] = [
        ("check", Self::Check),
        ("not_null", Self::NotNull),
        ("unique", Self::Unique),
        ("primary_key", Self::PrimaryKey),
        ("foreign_key", Self::ForeignKey),
        ("custom", Self::Custom),
    ];

    /// As YAML spells it.
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(_, kind)| *kind == self).map_or("custom", |(word, _)| word)
    }
}

/// Something outside of the project that reads its models.
#[derive(Debug, Clone)]
pub struct ExposureDecl {
    pub name: Written<String>,
    pub label: Option<String>,
    pub kind: Written<String>,
    pub url: Option<String>,
    pub maturity: Option<Written<String>>,
    pub description: String,
    pub owner: OwnerDecl,
    /// Each `ref('x')` or `source('a', 'b')`.
    pub depends_on: Vec<Written<String>>,
    pub config: ConfigPatch,
}

/// `owner:` of an exposure or group.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OwnerDecl {
    pub name: Option<String>,
    pub email: Option<String>,
}

#[derive(Debug, Clone)]
pub struct GroupDecl {
    pub name: Written<String>,
    pub owner: OwnerDecl,
    pub description: String,
    pub meta: serde_json::Value,
}

#[derive(Debug, Clone)]
pub struct MacroDecl {
    pub name: Written<String>,
    pub description: String,
    pub meta: serde_json::Value,
    /// Name, type and description of each.
    pub arguments: Vec<(String, Option<String>, String)>,
}

/// The keys of a property file.
pub(super) const FILE_KEYS: &[&str] = &[
    "version",
    "sources",
    "models",
    "seeds",
    "snapshots",
    "data_tests",
    "tests",
    "unit_tests",
    "exposures",
    "groups",
    "macros",
    "analyses",
    "anchors",
];

/// Settings that dbt also takes beside a node's name.
pub(super) const SIDE_SETTINGS: &[&str] = &["tags", "meta", "docs", "access", "group"];

/// The keys of an item of `models:`, `seeds:`, `snapshots:`, `analyses:` or of a singular test.
pub(super) fn property_keys(of: ConfigOf) -> &'static [&'static str] {
    match of {
        ConfigOf::Model => &[
            "name",
            "description",
            "config",
            "columns",
            "data_tests",
            "tests",
            "tags",
            "meta",
            "docs",
            "access",
            "group",
            "constraints",
            "deprecation_date",
        ],
        ConfigOf::Seed | ConfigOf::Snapshot => {
            &["name", "description", "config", "columns", "data_tests", "tests", "tags", "meta", "docs", "group"]
        }
        ConfigOf::Test | ConfigOf::UnitTest | ConfigOf::Source | ConfigOf::Exposure => {
            &["name", "description", "config", "tags", "meta"]
        }
        ConfigOf::Analysis => &["name", "description", "config", "columns", "tags", "meta", "docs"],
    }
}

impl Reader {
    pub(super) fn declarations_beside(&mut self, fields: &Fields<'_>, declared: &mut Declarations) {
        if let Some(list) = fields.get("exposures") {
            declared.exposures = self.list(list).iter().filter_map(|item| self.exposure(item)).collect();
        }
        if let Some(list) = fields.get("groups") {
            declared.groups = self.list(list).iter().filter_map(|item| self.group(item)).collect();
        }
        if let Some(list) = fields.get("macros") {
            declared.macros = self.list(list).iter().filter_map(|item| self.macro_properties(item)).collect();
        }
        if let Some(list) = fields.get("analyses") {
            let of = ConfigOf::Analysis;
            declared.analyses = self.list(list).iter().filter_map(|item| self.property(item, of)).collect();
        }
    }

    /// The settings that stand beside the name; those under `config:` win.
    pub(super) fn side_settings(&self, fields: &Fields<'_>, config: &mut ConfigPatch) {
        for (key, value) in fields.entries().iter().filter(|(key, _)| SIDE_SETTINGS.contains(&key.name.as_str())) {
            let setting = Setting { value: value.to_json(), span: self.span(&value.range) };
            config.entry(key.name.clone()).or_insert(setting);
        }
    }

    pub(super) fn constraints(&mut self, fields: &Fields<'_>) -> Vec<ConstraintDecl> {
        let Some(list) = fields.get("constraints") else { return Vec::new() };
        self.list(list).iter().filter_map(|item| self.constraint(item)).collect()
    }

    fn constraint(&mut self, yaml: &Yaml) -> Option<ConstraintDecl> {
        const KEYS: &[&str] =
            &["type", "name", "expression", "columns", "to", "to_columns", "warn_unenforced", "warn_unsupported"];
        let fields = self.fields(yaml, "constraint", KEYS)?;
        let written = self.required(&fields, "type").and_then(|value| self.written_text(value))?;
        let known = ConstraintKind::ALL;
        let Some((_, kind)) = known.iter().find(|(word, _)| *word == written.value) else {
            let words: Vec<&str> = known.iter().map(|(word, _)| *word).collect();
            let message = format!("\"{}\" is no type of constraint", written.value);
            let diagnostic = Diagnostic::error(Code::BadValue, message).at(written.span);
            self.report(diagnostic.hint(format!("it is one of {}", words.join(", "))));
            return None;
        };
        Some(ConstraintDecl {
            kind: Written { value: *kind, span: written.span },
            name: fields.get("name").and_then(|value| self.scalar(value)),
            expression: fields.get("expression").and_then(|value| self.scalar(value)),
            columns: fields.get("columns").map(|value| self.idents(value)).unwrap_or_default(),
            to: fields.get("to").and_then(|value| self.written_text(value)),
            to_columns: fields.get("to_columns").map(|value| self.idents(value)).unwrap_or_default(),
        })
    }

    fn exposure(&mut self, yaml: &Yaml) -> Option<ExposureDecl> {
        const KEYS: &[&str] = &[
            "name",
            "label",
            "type",
            "url",
            "maturity",
            "description",
            "owner",
            "depends_on",
            "tags",
            "meta",
            "config",
        ];
        let fields = self.fields(yaml, "exposure", KEYS)?;
        let name = self.required(&fields, "name").and_then(|value| self.written_text(value));
        let kinds = ["dashboard", "notebook", "analysis", "ml", "application"];
        let kind = self.required(&fields, "type").and_then(|value| self.one_of(value, &kinds));
        let maturity = fields.get("maturity").and_then(|value| self.one_of(value, &["high", "medium", "low"]));
        let owner = self.required(&fields, "owner").and_then(|value| self.owner(value));
        let mut config = fields.get("config").map(|value| self.config(value, ConfigOf::Exposure)).unwrap_or_default();
        self.side_settings(&fields, &mut config);
        let depends_on = match fields.get("depends_on") {
            Some(list) => self.list(list).iter().filter_map(|item| self.written_text(item)).collect(),
            None => Vec::new(),
        };
        Some(ExposureDecl {
            name: name?,
            label: fields.get("label").and_then(|value| self.scalar(value)),
            kind: kind?,
            url: fields.get("url").and_then(|value| self.scalar(value)),
            maturity,
            description: self.description(&fields),
            owner: owner?,
            depends_on,
            config,
        })
    }

    fn one_of(&mut self, yaml: &Yaml, words: &[&str]) -> Option<Written<String>> {
        let written = self.written_text(yaml)?;
        if words.contains(&written.value.as_str()) {
            return Some(written);
        }
        let diagnostic = Diagnostic::error(Code::BadValue, format!("\"{}\" is none of the values here", written.value))
            .at(written.span)
            .hint(format!("it is one of {}", words.join(", ")));
        self.report(diagnostic);
        None
    }

    fn owner(&mut self, yaml: &Yaml) -> Option<OwnerDecl> {
        let fields = self.open_fields(yaml, "owner")?;
        let mut text = |key: &str| fields.get(key).and_then(|value| self.scalar(value));
        let owner = OwnerDecl { name: text("name"), email: text("email") };
        if owner == OwnerDecl::default() {
            let diagnostic = self.missing_key(&fields, "name").hint("an owner has a name or an email");
            self.report(diagnostic);
            return None;
        }
        Some(owner)
    }

    fn group(&mut self, yaml: &Yaml) -> Option<GroupDecl> {
        let fields = self.fields(yaml, "group", &["name", "owner", "description", "config", "meta"])?;
        let name = self.required(&fields, "name").and_then(|value| self.written_text(value));
        let owner = self.required(&fields, "owner").and_then(|value| self.owner(value));
        let description = self.description(&fields);
        let meta = self.meta_of(&fields);
        Some(GroupDecl { name: name?, owner: owner?, description, meta })
    }

    fn macro_properties(&mut self, yaml: &Yaml) -> Option<MacroDecl> {
        let keys = &["name", "description", "docs", "config", "meta", "arguments"];
        let fields = self.fields(yaml, "macro", keys)?;
        let name = self.required(&fields, "name").and_then(|value| self.written_text(value));
        let description = self.description(&fields);
        let meta = self.meta_of(&fields);
        let arguments = match fields.get("arguments") {
            Some(list) => self.list(list).iter().filter_map(|item| self.argument(item)).collect(),
            None => Vec::new(),
        };
        Some(MacroDecl { name: name?, description, meta, arguments })
    }

    fn argument(&mut self, yaml: &Yaml) -> Option<(String, Option<String>, String)> {
        let fields = self.fields(yaml, "macro argument", &["name", "type", "description"])?;
        let name = self.required(&fields, "name").and_then(|value| self.scalar(value))?;
        Some((name, fields.get("type").and_then(|value| self.scalar(value)), self.description(&fields)))
    }

    /// `meta:` beside the name or under `config:`.
    pub(super) fn meta_of(&mut self, fields: &Fields<'_>) -> serde_json::Value {
        let config = fields.get("config").and_then(|config| self.open_fields(config, "config"));
        let meta = config.as_ref().and_then(|config| config.get("meta")).or(fields.get("meta"));
        meta.map(Yaml::to_json).unwrap_or_else(|| serde_json::Value::Object(serde_json::Map::new()))
    }
}
