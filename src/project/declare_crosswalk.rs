//! `crosswalks/*.yml` as written: which rows of which sources are one kind of thing, and where their new ids come from.

use super::declare::Written;
use super::fields::{Fields, Reader};
use super::yaml::{Yaml, YamlValue};
use crate::diagnostic::{Code, Diagnostic, Span};
use crate::ident::Ident;

/// One kind of thing that several systems number each in their own way.
#[derive(Debug, Clone)]
pub struct CrosswalkDecl {
    pub name: Written<String>,
    pub description: String,
    pub target: CrosswalkTargetDecl,
    pub strategy: Option<Written<String>>,
    /// Of `uuid5`.
    pub namespace: Option<Written<String>>,
    pub members: Vec<MemberDecl>,
    pub matching: Vec<MatchRuleDecl>,
    pub max_cluster: Option<Written<String>>,
    /// The seed in which analysts decide.
    pub verdicts: Option<Written<String>>,
}

/// The column that the ids are for.
#[derive(Debug, Clone)]
pub struct CrosswalkTargetDecl {
    pub schema: Option<Ident>,
    pub table: Written<Ident>,
    pub column: Written<Ident>,
}

/// The rows of one staged table.
#[derive(Debug, Clone)]
pub struct MemberDecl {
    /// What `xref()` takes second; without it, the source's name.
    pub name: Option<Written<String>>,
    pub source: Written<String>,
    pub table: Written<String>,
    /// Without it, the key that the source declares.
    pub key: Vec<Written<Ident>>,
    /// Of `keep`.
    pub offset: Option<Written<String>>,
    /// Of `natural`: an expression over the staged row.
    pub value: Option<Written<String>>,
    pub span: Span,
}

/// Rows of two members are one thing where all these expressions are equal.
#[derive(Debug, Clone)]
pub struct MatchRuleDecl {
    pub name: Written<String>,
    pub on: MatchOn,
}

/// The expressions of a rule.
#[derive(Debug, Clone)]
pub enum MatchOn {
    Every(Vec<Written<String>>),
    /// By member; those that are not named do not take part.
    Each(Vec<(Written<String>, Vec<Written<String>>)>),
}

impl Reader {
    /// Reads a file of a crosswalk folder.
    pub fn crosswalks(&mut self, yaml: &Yaml) -> Vec<CrosswalkDecl> {
        let Some(fields) = self.fields(yaml, "crosswalk file", &["version", "crosswalks"]) else { return Vec::new() };
        let Some(crosswalks) = fields.get("crosswalks") else { return Vec::new() };
        self.list(crosswalks).iter().filter_map(|item| self.crosswalk(item)).collect()
    }

    fn crosswalk(&mut self, yaml: &Yaml) -> Option<CrosswalkDecl> {
        const KEYS: &[&str] =
            &["name", "description", "target", "strategy", "namespace", "members", "match", "max_cluster", "verdicts"];
        let fields = self.fields(yaml, "crosswalk", KEYS)?;
        let name = self.required(&fields, "name").and_then(|name| self.written_text(name));
        let target = self.required(&fields, "target").and_then(|target| self.crosswalk_target(target));
        let members = match self.required(&fields, "members") {
            Some(members) => self.list(members).iter().filter_map(|item| self.member(item)).collect(),
            None => Vec::new(),
        };
        let matching = match fields.get("match") {
            Some(rules) => self.list(rules).iter().filter_map(|item| self.match_rule(item)).collect(),
            None => Vec::new(),
        };
        let mut text = |key: &str| self.text_of(&fields, key);
        Some(CrosswalkDecl {
            strategy: text("strategy"),
            namespace: text("namespace"),
            max_cluster: text("max_cluster"),
            verdicts: text("verdicts"),
            description: self.description(&fields),
            name: name?,
            target: target?,
            members,
            matching,
        })
    }

    fn text_of(&mut self, fields: &Fields<'_>, key: &str) -> Option<Written<String>> {
        fields.get(key).and_then(|value| self.written_text(value))
    }

    fn crosswalk_target(&mut self, yaml: &Yaml) -> Option<CrosswalkTargetDecl> {
        let fields = self.fields(yaml, "crosswalk target", &["schema", "table", "column"])?;
        let table = self.required(&fields, "table").and_then(|value| self.written_ident(value));
        let column = self.required(&fields, "column").and_then(|value| self.written_ident(value));
        let schema = fields.get("schema").and_then(|value| self.ident(value));
        Some(CrosswalkTargetDecl { schema, table: table?, column: column? })
    }

    fn member(&mut self, yaml: &Yaml) -> Option<MemberDecl> {
        const KEYS: &[&str] = &["name", "source", "table", "key", "offset", "value"];
        let fields = self.fields(yaml, "crosswalk member", KEYS)?;
        let source = self.required(&fields, "source").and_then(|value| self.written_text(value));
        let table = self.required(&fields, "table").and_then(|value| self.written_text(value));
        let key = match fields.get("key") {
            Some(Yaml { value: YamlValue::List(items), .. }) => {
                items.iter().filter_map(|item| self.written_ident(item)).collect()
            }
            Some(one) => self.written_ident(one).into_iter().collect(),
            None => Vec::new(),
        };
        let mut text = |key: &str| self.text_of(&fields, key);
        Some(MemberDecl {
            name: text("name"),
            offset: text("offset"),
            value: text("value"),
            source: source?,
            table: table?,
            key,
            span: self.span(&yaml.range),
        })
    }

    fn match_rule(&mut self, yaml: &Yaml) -> Option<MatchRuleDecl> {
        let fields = self.fields(yaml, "match rule", &["name", "on"])?;
        let name = self.required(&fields, "name").and_then(|value| self.written_text(value));
        let on = self.required(&fields, "on")?;
        let on = match &on.value {
            YamlValue::Map(entries) => MatchOn::Each(
                entries
                    .iter()
                    .map(|(key, value)| {
                        let member = Written { value: key.name.clone(), span: self.span(&key.range) };
                        (member, self.expressions(value))
                    })
                    .collect(),
            ),
            YamlValue::Null | YamlValue::Bool(_) | YamlValue::Number(_) | YamlValue::Text(_) | YamlValue::List(_) => {
                MatchOn::Every(self.expressions(on))
            }
        };
        Some(MatchRuleDecl { name: name?, on })
    }

    /// One SQL expression or a list of them.
    fn expressions(&mut self, yaml: &Yaml) -> Vec<Written<String>> {
        let written: Vec<Written<String>> = match &yaml.value {
            YamlValue::List(items) => items.iter().filter_map(|item| self.written_text(item)).collect(),
            YamlValue::Null | YamlValue::Bool(_) | YamlValue::Number(_) | YamlValue::Text(_) | YamlValue::Map(_) => {
                self.written_text(yaml).into_iter().collect()
            }
        };
        if written.is_empty() {
            let mistake = Diagnostic::error(Code::MissingKey, "a match rule needs an expression to compare")
                .at(self.span(&yaml.range))
                .hint("write it as in \"on: lower(email)\"");
            self.report(mistake);
        }
        written
    }
}
