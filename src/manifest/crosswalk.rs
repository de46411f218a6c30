//! Crosswalk declarations become nodes: members looked up among the staged tables, the way to new ids settled.
//!
//! The process `xref.<entity>` gives each row of its members an id of the target that lasts. Models read it as `xref()`.

mod matching;

use std::collections::BTreeMap;

use uuid::Uuid;

pub use matching::{MatchRule, Matching};

use super::Manifest;
use super::model::Surroundings;
use crate::diagnostic::{Code, Diagnostic, Diagnostics, Span};
use crate::ident::{Ident, NodeName, Relation};
use crate::project::{CrosswalkDecl, MemberDecl, Written};

/// What relations of crosswalks are in.
const SCHEMA: &str = "unimig";

const STRATEGIES: [&str; 4] = ["sequence", "keep", "uuid5", "natural"];

/// One kind of thing and its lasting ids: the process `xref.<entity>`.
#[derive(Debug, Clone)]
pub struct CrosswalkNode {
    pub name: NodeName,
    /// What `xref()` takes first.
    pub entity: String,
    pub description: String,
    /// The application's table whose ids these are.
    pub target: Relation,
    pub column: Ident,
    pub members: Vec<CrosswalkMember>,
    /// How rows of several members are found to be one thing, where that is asked for.
    pub matching: Option<Matching>,
    /// All members' keys as text, for people: a view.
    pub relation: Relation,
    /// The members' staged tables, and the seed of verdicts.
    pub depends_on: Vec<NodeName>,
    /// The `name:` in its YAML file.
    pub declared_at: Span,
    /// Where the target's table and column are named.
    pub target_at: (Span, Span),
}

/// The rows of one staged table.
#[derive(Debug, Clone)]
pub struct CrosswalkMember {
    /// What `xref()` takes second.
    pub name: String,
    pub stage: NodeName,
    /// The view of the staged table's live rows.
    pub live_relation: Relation,
    /// Never empty.
    pub key: Vec<Ident>,
    pub new_id: NewId,
    /// Where keys and ids are kept.
    pub table: Relation,
    /// The view of it that models read.
    pub relation: Relation,
    pub declared_at: Span,
}

/// Where the id of a row comes from that has none yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NewId {
    /// The sequence of the target's column.
    Sequence,
    /// The key itself, moved by this much.
    Keep { offset: i64 },
    /// A UUID made of this namespace and the key's name.
    Uuid5 { namespace: Uuid },
    /// An expression over the staged row.
    Natural { value: String },
}

impl NewId {
    /// As `strategy` spells it.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Sequence => "sequence",
            Self::Keep { .. } => "keep",
            Self::Uuid5 { .. } => "uuid5",
            Self::Natural { .. } => "natural",
        }
    }
}

impl CrosswalkNode {
    pub fn member(&self, name: &str) -> Option<&CrosswalkMember> {
        self.members.iter().find(|member| member.name == name)
    }
}

impl CrosswalkMember {
    /// The column that models may also read as `source_key`: the only one of the key.
    pub fn single_key(&self) -> Option<&Ident> {
        match self.key.as_slice() {
            [key] => Some(key),
            _ => None,
        }
    }
}

impl Manifest {
    /// The relation that `xref('entity', 'member')` means, and the process that keeps it.
    pub fn find_crosswalk(&self, entity: &str, member: Option<&str>) -> Result<(&NodeName, &Relation), NoCrosswalk> {
        let Some(node) = self.crosswalks.get(&NodeName::crosswalk(entity)) else {
            let known = self.crosswalks.values().map(|node| node.entity.as_str());
            let mistake = Diagnostic::error(Code::UnknownCrosswalk, format!("crosswalk \"{entity}\" does not exist"))
                .did_you_mean(entity, known);
            let hint = "declare it in a YAML file of crosswalks/";
            let diagnostic = if mistake.hint.is_none() { mistake.hint(hint) } else { mistake };
            return Err(NoCrosswalk { written: entity.to_owned(), diagnostic });
        };
        let Some(member) = member else { return Ok((&node.name, &node.relation)) };
        match node.member(member) {
            Some(found) => Ok((&node.name, &found.relation)),
            None => {
                let known: Vec<&str> = node.members.iter().map(|member| member.name.as_str()).collect();
                let message = format!("crosswalk \"{entity}\" has no member \"{member}\"");
                let mistake =
                    Diagnostic::error(Code::UnknownCrosswalk, message).did_you_mean(member, known.iter().copied());
                let hint = format!("its members are {}", known.join(", "));
                let diagnostic = if mistake.hint.is_none() { mistake.hint(hint) } else { mistake };
                Err(NoCrosswalk { written: member.to_owned(), diagnostic })
            }
        }
    }
}

/// Why an `xref()` means nothing, and which of its strings is at fault.
#[derive(Debug)]
pub struct NoCrosswalk {
    pub written: String,
    pub diagnostic: Diagnostic,
}

/// Every crosswalk, into `manifest.crosswalks`.
pub(super) fn settle(manifest: &mut Manifest, around: &Surroundings<'_>, diagnostics: &mut Diagnostics) {
    for declared in &around.project.declared.crosswalks {
        let Some(node) = crosswalk(manifest, (declared, around), diagnostics) else { continue };
        match manifest.crosswalks.get(&node.name) {
            Some(first) => diagnostics.push(twice(
                &format!("crosswalk \"{}\"", node.entity),
                &node.declared_at,
                &first.declared_at,
            )),
            None => {
                manifest.crosswalks.insert(node.name.clone(), node);
            }
        }
    }
}

fn twice(what: &str, second: &Span, first: &Span) -> Diagnostic {
    Diagnostic::error(Code::DuplicateName, format!("{what} is declared twice"))
        .at(second.clone())
        .related(first.clone(), "first declared here")
}

fn crosswalk(
    manifest: &Manifest,
    (declared, around): (&CrosswalkDecl, &Surroundings<'_>),
    diagnostics: &mut Diagnostics,
) -> Option<CrosswalkNode> {
    let strategy = strategy(declared, diagnostics);
    if declared.members.is_empty() {
        let message = format!("crosswalk \"{}\" has no members", declared.name.value);
        let hint = "name a staged table: members: [{source: svp, table: labors}]";
        diagnostics.push(Diagnostic::error(Code::MissingKey, message).at(declared.name.span.clone()).hint(hint));
    }
    let mut members: Vec<CrosswalkMember> = Vec::with_capacity(declared.members.len());
    for written in &declared.members {
        let new_id = new_id((declared, written), strategy.as_ref(), diagnostics);
        let Some(member) = member(manifest, (declared, written), new_id, diagnostics) else { continue };
        match members.iter().find(|other| other.name == member.name) {
            Some(first) => {
                let what = format!("member \"{}\" of crosswalk \"{}\"", member.name, declared.name.value);
                let mistake = twice(&what, &member.declared_at, &first.declared_at);
                diagnostics.push(mistake.hint("give one of them a name of its own with \"name:\""));
            }
            None => members.push(member),
        }
    }
    let schema = declared.target.schema.clone().unwrap_or_else(|| around.environment.target.schema.clone());
    let matching = matching::settle(manifest, (declared, &members), diagnostics);
    if let (Some(_), Some(word)) = (&matching, declared.strategy.as_ref().filter(|word| word.value != "sequence")) {
        let message = "rows that are one thing share an id of a sequence";
        let hint = "match and verdicts need strategy sequence";
        diagnostics.push(Diagnostic::error(Code::BadValue, message).at(word.span.clone()).hint(hint));
    }
    let mut depends_on: Vec<NodeName> = members.iter().map(|member| member.stage.clone()).collect();
    depends_on
        .extend(matching.iter().filter_map(|matching| matching.verdicts.as_ref()).map(|(seed, _, _)| seed.clone()));
    depends_on.sort();
    depends_on.dedup();
    Some(CrosswalkNode {
        name: NodeName::crosswalk(&declared.name.value),
        entity: declared.name.value.clone(),
        description: declared.description.clone(),
        target: Relation::new(schema, declared.target.table.value.clone()),
        column: declared.target.column.value.clone(),
        relation: relation(format!("xref.{}", declared.name.value), &declared.name.span, diagnostics)?,
        members,
        matching,
        depends_on,
        declared_at: declared.name.span.clone(),
        target_at: (declared.target.table.span.clone(), declared.target.column.span.clone()),
    })
}

/// A relation of ours; a name that the server would cut is refused.
fn relation(name: String, span: &Span, diagnostics: &mut Diagnostics) -> Option<Relation> {
    match Ident::new(name) {
        Ok(name) => Some(Relation::new(Ident::from_catalog(SCHEMA), name)),
        Err(error) => {
            let hint = "give the crosswalk, or its member, a shorter name";
            diagnostics.push(Diagnostic::error(Code::BadValue, error.to_string()).at(span.clone()).hint(hint));
            None
        }
    }
}

/// `None` where the mistake was reported.
fn strategy(declared: &CrosswalkDecl, diagnostics: &mut Diagnostics) -> Option<NewId> {
    let (word, span) = match &declared.strategy {
        Some(written) => (written.value.as_str(), &written.span),
        None => ("sequence", &declared.name.span),
    };
    if word != "uuid5"
        && let Some(namespace) = &declared.namespace
    {
        diagnostics.push(out_of_place("namespace", "uuid5", namespace));
    }
    match word {
        "sequence" => Some(NewId::Sequence),
        "keep" => Some(NewId::Keep { offset: 0 }),
        "natural" => Some(NewId::Natural { value: String::new() }),
        "uuid5" => match &declared.namespace {
            None => {
                let message = format!("crosswalk \"{}\" needs the key \"namespace\"", declared.name.value);
                let hint = "a namespace is a UUID that you choose once and never change";
                diagnostics.push(Diagnostic::error(Code::MissingKey, message).at(span.clone()).hint(hint));
                None
            }
            Some(written) => match Uuid::parse_str(&written.value) {
                Ok(namespace) => Some(NewId::Uuid5 { namespace }),
                Err(_) => {
                    let message = format!("\"{}\" is no UUID", written.value);
                    diagnostics.push(Diagnostic::error(Code::BadValue, message).at(written.span.clone()));
                    None
                }
            },
        },
        other => {
            let mistake = Diagnostic::error(Code::BadValue, format!("\"{other}\" is no strategy of a crosswalk"))
                .at(span.clone())
                .did_you_mean(other, STRATEGIES);
            let hint = format!("strategies are {}", STRATEGIES.join(", "));
            diagnostics.push(if mistake.hint.is_none() { mistake.hint(hint) } else { mistake });
            None
        }
    }
}

fn out_of_place(key: &str, strategy: &str, written: &Written<String>) -> Diagnostic {
    Diagnostic::error(Code::BadValue, format!("\"{key}\" belongs to strategy {strategy}")).at(written.span.clone())
}

/// The strategy with what the member says of it.
fn new_id(
    (declared, member): (&CrosswalkDecl, &MemberDecl),
    strategy: Option<&NewId>,
    diagnostics: &mut Diagnostics,
) -> Option<NewId> {
    let strategy = strategy?;
    if let Some(offset) = member.offset.as_ref().filter(|_| !matches!(strategy, NewId::Keep { .. })) {
        diagnostics.push(out_of_place("offset", "keep", offset));
    }
    if let Some(value) = member.value.as_ref().filter(|_| !matches!(strategy, NewId::Natural { .. })) {
        diagnostics.push(out_of_place("value", "natural", value));
    }
    match (strategy, &member.offset, &member.value) {
        (NewId::Keep { .. }, Some(written), _) => match written.value.replace('_', "").parse() {
            Ok(offset) => Some(NewId::Keep { offset }),
            Err(_) => {
                let message = format!("\"{}\" is no whole number", written.value);
                diagnostics.push(Diagnostic::error(Code::BadValue, message).at(written.span.clone()));
                None
            }
        },
        (NewId::Natural { .. }, _, Some(value)) => Some(NewId::Natural { value: value.value.clone() }),
        (NewId::Natural { .. }, _, None) => {
            let message = format!("a member of crosswalk \"{}\" needs the key \"value\"", declared.name.value);
            let hint = "with strategy natural it is the column, or the expression, that gives the id";
            diagnostics.push(Diagnostic::error(Code::MissingKey, message).at(member.span.clone()).hint(hint));
            None
        }
        (NewId::Sequence | NewId::Keep { .. } | NewId::Uuid5 { .. }, _, _) => Some(strategy.clone()),
    }
}

fn member(
    manifest: &Manifest,
    (declared, member): (&CrosswalkDecl, &MemberDecl),
    new_id: Option<NewId>,
    diagnostics: &mut Diagnostics,
) -> Option<CrosswalkMember> {
    let stage = staged(manifest, member, diagnostics)?;
    let declared_key: Vec<Ident> = member.key.iter().map(|key| key.value.clone()).collect();
    let key = if declared_key.is_empty() { stage.key.clone() } else { declared_key };
    check_key((declared, member), &key, diagnostics)?;
    if let Some(NewId::Keep { .. }) = &new_id
        && key.len() > 1
    {
        let message = "strategy keep needs a key of one column";
        let hint = "use strategy sequence, or name one column with \"key\"";
        diagnostics.push(Diagnostic::error(Code::BadValue, message).at(member.span.clone()).hint(hint));
        return None;
    }
    let (name, span) = match &member.name {
        Some(written) => (written.value.clone(), &written.span),
        None => (member.source.value.clone(), &member.source.span),
    };
    let entity = &declared.name.value;
    Some(CrosswalkMember {
        table: relation(format!("keys.{entity}.{name}"), span, diagnostics)?,
        relation: relation(format!("xref.{entity}.{name}"), span, diagnostics)?,
        stage: stage.name.clone(),
        live_relation: stage.live_relation.clone(),
        key,
        new_id: new_id?,
        declared_at: span.clone(),
        name,
    })
}

fn staged<'m>(
    manifest: &'m Manifest,
    member: &MemberDecl,
    diagnostics: &mut Diagnostics,
) -> Option<&'m super::StageNode> {
    match manifest.find_source(&member.source.value, &member.table.value) {
        Ok(super::SourceTable::Staged(stage)) => Some(stage),
        Ok(super::SourceTable::Plain(_)) => {
            let message = format!("source \"{}\" is not staged", member.source.value);
            let hint = "a member of a crosswalk is a table that unimig copies: name the source's connection";
            let mistake = Diagnostic::error(Code::UnknownSource, message).at(member.source.span.clone()).hint(hint);
            diagnostics.push(mistake);
            None
        }
        Err(no) => {
            let at = if no.written == member.source.value { &member.source } else { &member.table };
            diagnostics.push(no.diagnostic.at(at.span.clone()));
            None
        }
    }
}

/// Columns that the views of a crosswalk have themselves.
const OWN_COLUMNS: [&str; 3] = ["target_id", "source_key", "_allocated_at"];

fn check_key(
    (declared, member): (&CrosswalkDecl, &MemberDecl),
    key: &[Ident],
    diagnostics: &mut Diagnostics,
) -> Option<()> {
    if key.is_empty() {
        let (source, table) = (&member.source.value, &member.table.value);
        let message = format!("source table \"{source}.{table}\" has no key, and the member names none");
        let hint = "say which columns identify a row: key: [id]";
        diagnostics.push(Diagnostic::error(Code::MissingKey, message).at(member.span.clone()).hint(hint));
        return None;
    }
    let mut seen: BTreeMap<&Ident, ()> = BTreeMap::new();
    for column in key {
        let span = member.key.iter().find(|written| written.value == *column).map_or(&member.span, |found| &found.span);
        if OWN_COLUMNS.contains(&column.as_str()) {
            let message = format!("a crosswalk's own column is named \"{}\" too", column.as_str());
            let hint = format!("crosswalk \"{}\" can't have it in a key: choose other columns", declared.name.value);
            diagnostics.push(Diagnostic::error(Code::BadValue, message).at(span.clone()).hint(hint));
            return None;
        }
        if seen.insert(column, ()).is_some() {
            let message = format!("column \"{}\" is twice in the key", column.as_str());
            diagnostics.push(Diagnostic::error(Code::BadValue, message).at(span.clone()));
            return None;
        }
    }
    Some(())
}
