//! `contract: {enforced: true}`: the columns, types and constraints that a model promises, as YAML declares them.
//!
//! A contract without columns, or with a column that has no type, is a mistake here. What foreign keys refer to is
//! looked up when all nodes are known.

use serde_json::Value;

use super::config::Settled;
use super::{Manifest, Materialization, OnSchemaChange};
use crate::diagnostic::{Code, Diagnostic, Diagnostics, Span};
use crate::ident::{Ident, NodeName, Relation};
use crate::project::{ColumnDecl, ConstraintDecl, ConstraintKind, PropertyDecl, Setting, Written};

/// What a model's SELECT gives, and what holds of its rows.
#[derive(Debug, Clone)]
pub struct Contract {
    /// As declared, in this order; never empty.
    pub columns: Vec<ContractColumn>,
    /// Of the model.
    pub constraints: Vec<Constraint>,
}

#[derive(Debug, Clone)]
pub struct ContractColumn {
    pub name: Ident,
    /// SQL, as written.
    pub data_type: String,
    pub constraints: Vec<Constraint>,
    pub declared_at: Span,
}

#[derive(Debug, Clone)]
pub struct Constraint {
    pub kind: ConstraintKind,
    pub name: Option<Ident>,
    /// SQL, as written.
    pub expression: Option<String>,
    pub columns: Vec<Ident>,
    pub to: Option<Written<String>>,
    /// `to`, looked up.
    pub refers_to: Option<Relation>,
    pub to_columns: Vec<Ident>,
    pub declared_at: Span,
}

/// What a constraint is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Level {
    Column,
    Model,
}

impl Settled {
    /// The contract that a model is held to, if it is.
    pub(super) fn contract(
        &mut self,
        property: Option<&PropertyDecl>,
        materialization: &Materialization,
    ) -> Option<Contract> {
        let setting = self.get("contract").cloned()?;
        let enforced = match &setting.value {
            Value::Bool(enforced) => Some(*enforced),
            Value::Object(map) => match map.get("enforced") {
                None | Some(Value::Null) => Some(false),
                Some(enforced) => enforced.as_bool(),
            },
            Value::Null | Value::Number(_) | Value::String(_) | Value::Array(_) => None,
        };
        match enforced {
            Some(true) => {}
            Some(false) => return None,
            None => {
                self.bad(&setting, "\"contract\" must be a map with \"enforced\", true or false".to_owned());
                return None;
            }
        }
        self.check_materialization(&setting, materialization);
        let Some(property) = property.filter(|property| !property.columns.is_empty()) else {
            self.bad(&setting, "a model with an enforced contract has no columns declared".to_owned()).hint =
                Some("list each with \"name\" and \"data_type\" under \"columns:\" of a YAML file".to_owned());
            return None;
        };
        let aliases = setting.value.get("alias_types") != Some(&Value::Bool(false));
        let mut columns: Vec<ContractColumn> =
            property.columns.iter().filter_map(|column| self.contract_column(column, aliases)).collect();
        let constraints = property.constraints.iter().filter_map(|written| self.constraint(written, Level::Model));
        let (not_null, constraints) =
            constraints.collect::<Vec<_>>().into_iter().partition(|one| one.kind == ConstraintKind::NotNull);
        self.spread_not_null(not_null, &mut columns);
        self.one_primary_key(property);
        if matches!(
            materialization,
            Materialization::View | Materialization::MaterializedView(_) | Materialization::Merge(_)
        ) {
            self.warn_of_constraints(property);
        }
        Some(Contract { columns, constraints })
    }

    fn check_materialization(&mut self, setting: &Setting, materialization: &Materialization) {
        match materialization {
            Materialization::Table
            | Materialization::View
            | Materialization::MaterializedView(_)
            | Materialization::Merge(_) => {}
            Materialization::Incremental(incremental) => match incremental.on_schema_change {
                OnSchemaChange::AppendNewColumns | OnSchemaChange::Fail => {}
                OnSchemaChange::Ignore | OnSchemaChange::SyncAllColumns => {
                    self.bad(setting, "an incremental model with a contract may not lose or miss columns".to_owned())
                        .hint = Some("set on_schema_change to 'append_new_columns' or 'fail'".to_owned());
                }
            },
            Materialization::Ephemeral | Materialization::Snapshot(_) => {
                self.bad(setting, "only a model that makes a table or view can have a contract".to_owned()).hint =
                    Some("remove it, or say enforced: false".to_owned());
            }
        }
    }

    fn contract_column(&mut self, column: &ColumnDecl, aliases: bool) -> Option<ContractColumn> {
        let name = folded(column);
        let Some(data_type) = column.data_type.clone() else {
            let message = format!("column \"{}\" has no type, and the model's contract is enforced", name.as_str());
            let mistake = Diagnostic::error(Code::MissingKey, message).at(column.name.span.clone());
            self.mistakes.push(mistake.hint("add \"data_type:\", as PostgreSQL spells types"));
            return None;
        };
        let data_type = if aliases { type_of_alias(data_type) } else { data_type };
        let constraints =
            column.constraints.iter().filter_map(|written| self.constraint(written, Level::Column)).collect();
        Some(ContractColumn { name, data_type, constraints, declared_at: column.name.span.clone() })
    }

    /// PostgreSQL has no such constraint of a table: each column that it names gets its own.
    fn spread_not_null(&mut self, not_null: Vec<Constraint>, columns: &mut [ContractColumn]) {
        for constraint in not_null {
            for name in &constraint.columns {
                match columns.iter_mut().find(|column| column.name == *name) {
                    Some(column) => column.constraints.push(constraint.clone()),
                    None => {
                        let message = format!("the contract has no column \"{}\"", name.as_str());
                        let mistake = Diagnostic::error(Code::BadValue, message).at(constraint.declared_at.clone());
                        let known = columns.iter().map(|column| column.name.as_str());
                        self.mistakes.push(mistake.did_you_mean(name.as_str(), known));
                    }
                }
            }
        }
    }

    fn constraint(&mut self, written: &ConstraintDecl, level: Level) -> Option<Constraint> {
        let kind = written.kind.value;
        let has_target = written.to.is_some() && !written.to_columns.is_empty();
        let lacks = match kind {
            ConstraintKind::Check | ConstraintKind::Custom => written.expression.is_none().then_some("\"expression\""),
            ConstraintKind::ForeignKey => {
                (!has_target && written.expression.is_none()).then_some("\"to\" with \"to_columns\", or \"expression\"")
            }
            ConstraintKind::NotNull | ConstraintKind::Unique | ConstraintKind::PrimaryKey => None,
        };
        let speaks_of_columns = !matches!(kind, ConstraintKind::Check | ConstraintKind::Custom);
        let lacks_columns = level == Level::Model && speaks_of_columns && written.columns.is_empty();
        let lacks = lacks.or(lacks_columns.then_some("\"columns\""));
        if let Some(lacks) = lacks {
            let message = format!("a constraint of type \"{}\" needs {lacks}", kind.as_str());
            self.mistakes.push(Diagnostic::error(Code::MissingKey, message).at(written.kind.span.clone()));
            return None;
        }
        let name = match written.name.clone().map(Ident::new).transpose() {
            Ok(name) => name,
            Err(error) => {
                let mistake = Diagnostic::error(Code::BadValue, error.to_string()).at(written.kind.span.clone());
                self.mistakes.push(mistake);
                return None;
            }
        };
        Some(Constraint {
            kind,
            name,
            expression: written.expression.clone(),
            columns: written.columns.clone(),
            to: written.to.clone().filter(|_| has_target && kind == ConstraintKind::ForeignKey),
            refers_to: None,
            to_columns: written.to_columns.clone(),
            declared_at: written.kind.span.clone(),
        })
    }

    /// A view has none, and an application's table its own.
    fn warn_of_constraints(&mut self, property: &PropertyDecl) {
        let of_columns = property.columns.iter().flat_map(|column| &column.constraints);
        if let Some(first) = of_columns.chain(&property.constraints).next() {
            let message = "constraints of a view, or of a table of the application, are not made";
            let warning = Diagnostic::warning(Code::BadConfig, message).at(first.kind.span.clone());
            self.mistakes
                .push(warning.hint("the contract's names and types are checked; test the rest with data tests"));
        }
    }

    fn one_primary_key(&mut self, property: &PropertyDecl) {
        let of_columns = property.columns.iter().flat_map(|column| &column.constraints);
        let keys = of_columns.chain(&property.constraints).map(|constraint| &constraint.kind);
        let keys: Vec<&Written<ConstraintKind>> =
            keys.filter(|kind| kind.value == ConstraintKind::PrimaryKey).collect();
        if let [first, second, ..] = keys.as_slice() {
            let mistake = Diagnostic::error(Code::BadValue, "a model has one primary key at most")
                .at(second.span.clone())
                .related(first.span.clone(), "the other")
                .hint("a key of several columns is a constraint of the model, with \"columns\"");
            self.mistakes.push(mistake);
        }
    }
}

/// Finds what foreign keys refer to; as in dbt, the model then comes after it, whether its contract is enforced or not.
pub(super) fn look_up(manifest: &mut Manifest, diagnostics: &mut Diagnostics) {
    let mut found: Vec<(NodeName, Vec<NodeName>, Option<Contract>)> = Vec::new();
    for model in manifest.models.values() {
        let of_columns = model.columns.iter().flat_map(|column| &column.constraints);
        let written = of_columns.chain(&model.constraints);
        let written = written.filter(|constraint| constraint.kind.value == ConstraintKind::ForeignKey);
        let mut parents: Vec<NodeName> = Vec::new();
        for to in written.filter_map(|constraint| constraint.to.as_ref()) {
            match manifest.named_in_yaml(to) {
                Ok(parent) => {
                    if parent != model.name && !model.depends_on.contains(&parent) && !parents.contains(&parent) {
                        parents.push(parent);
                    }
                }
                Err(mistake) => diagnostics.push(mistake),
            }
        }
        let mut contract = model.contract.clone();
        if let Some(contract) = &mut contract {
            let of_columns = contract.columns.iter_mut().flat_map(|column| &mut column.constraints);
            for constraint in of_columns.chain(&mut contract.constraints) {
                let parent = constraint.to.as_ref().and_then(|to| manifest.named_in_yaml(to).ok());
                constraint.refers_to = parent.and_then(|parent| manifest.relation(&parent).cloned());
            }
        }
        if !parents.is_empty() || contract.is_some() {
            found.push((model.name.clone(), parents, contract));
        }
    }
    for (name, parents, contract) in found {
        if let Some(model) = manifest.models.get_mut(&name) {
            model.depends_on.extend(parents);
            model.contract = contract;
        }
    }
}

/// As SQL reads the name, which YAML gives without quotes: in lower case unless `quote` says otherwise.
fn folded(column: &ColumnDecl) -> Ident {
    match column.quote {
        Some(true) => column.name.value.clone(),
        Some(false) | None => Ident::from_catalog(column.name.value.as_str().to_lowercase()),
    }
}

/// dbt's names of types that PostgreSQL spells otherwise.
fn type_of_alias(data_type: String) -> String {
    if data_type.eq_ignore_ascii_case("string") { "text".to_owned() } else { data_type }
}
