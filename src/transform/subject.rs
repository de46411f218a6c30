//! A relation of ours and what its project says of it, whatever kind of node it is.

use crate::diagnostic::Span;
use crate::ident::{NodeName, Relation};
use crate::manifest::{ColumnNode, Contract, ModelNode, SeedNode, Upkeep};
use crate::materialize::upkeep::{self, RelationKind};

#[derive(Clone, Copy)]
pub(super) struct Subject<'a> {
    pub node: &'a NodeName,
    pub relation: &'a Relation,
    /// Where the project says so.
    pub declared_at: &'a Span,
    pub upkeep: &'a Upkeep,
    pub description: &'a str,
    pub columns: &'a [ColumnNode],
    /// What the table is made by.
    pub contract: Option<&'a Contract>,
}

impl<'a> Subject<'a> {
    pub fn of_model(node: &'a ModelNode) -> Self {
        Self {
            node: &node.name,
            relation: &node.relation,
            declared_at: &node.configured_at,
            upkeep: &node.upkeep,
            description: &node.description,
            columns: &node.columns,
            contract: node.contract.as_ref(),
        }
    }

    pub fn of_seed(node: &'a SeedNode, declared_at: &'a Span) -> Self {
        Self {
            node: &node.name,
            relation: &node.relation,
            declared_at,
            upkeep: &node.upkeep,
            description: &node.description,
            columns: &node.columns,
            contract: None,
        }
    }

    /// As the statements want it.
    pub fn kept_as(self, kind: RelationKind) -> upkeep::Subject<'a> {
        upkeep::Subject {
            node: self.node,
            relation: self.relation,
            kind,
            upkeep: self.upkeep,
            description: self.description,
            columns: self.columns,
        }
    }
}
