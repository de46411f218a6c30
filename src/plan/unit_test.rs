//! A unit test as a step: which temporary table stands in for what, and where its columns come from.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{UnitInput, UnitTestAction};
use crate::compile::{Compiled, CompiledSql, Elsewhere};
use crate::data_test::unit_test::TypedColumn;
use crate::ident::{Ident, NodeName, Relation};
use crate::manifest::{ColumnNode, GivenRows, Manifest, UnitTestNode, ephemeral_cte_name};

/// The step of a unit test.
pub fn unit_test(
    (manifest, compiled): (&Manifest, &BTreeMap<NodeName, Compiled>),
    test: &UnitTestNode,
) -> UnitTestAction {
    let temporary = Ident::from_catalog("pg_temp");
    let mut elsewhere = Elsewhere::default();
    let mut taken = BTreeSet::new();
    let mut tables = Vec::with_capacity(test.given.len());
    for given in &test.given {
        let table = table(manifest, given, &mut taken);
        for relation in read_as(manifest, given) {
            elsewhere.move_to(&relation, &Relation::new(temporary.clone(), table.clone()));
        }
        tables.push(input((manifest, compiled), given, table));
    }
    let select = compiled.get(&test.name).map(|compiled| elsewhere.apply(&compiled.sql)).unwrap_or_default();
    UnitTestAction { node: Arc::new(test.clone()), select, inputs: tables, elsewhere }
}

/// The names under which templates and plain SQL read a node.
fn read_as(manifest: &Manifest, given: &GivenRows) -> Vec<Relation> {
    if let Some(relation) = &given.relation {
        return vec![relation.clone()];
    }
    let node = &given.input;
    match manifest.stages.get(node) {
        Some(stage) => vec![stage.live_relation.clone(), stage.stg_relation.clone()],
        None => manifest.relation(node).cloned().into_iter().collect(),
    }
}

/// The relation's own name, so that columns qualified by it stay right; another where two inputs are called the same.
fn table(manifest: &Manifest, given: &GivenRows, taken: &mut BTreeSet<String>) -> Ident {
    let node = &given.input;
    let ephemeral = manifest.models.get(node).filter(|_| manifest.is_ephemeral(node));
    let own = match ephemeral {
        Some(model) => ephemeral_cte_name(&model.model),
        None => {
            let read = given.relation.as_ref().or_else(|| manifest.read_relation(node));
            read.map_or_else(|| node.to_string(), |relation| relation.name.as_str().to_owned())
        }
    };
    let mut name = own.clone();
    while !taken.insert(name.clone()) {
        name = format!("unimig_given_{}", taken.len());
    }
    Ident::from_catalog(name)
}

fn input(
    (manifest, compiled): (&Manifest, &BTreeMap<NodeName, Compiled>),
    given: &GivenRows,
    table: Ident,
) -> UnitInput {
    let columns: &[ColumnNode] = if let Some(model) = manifest.models.get(&given.input) {
        &model.columns
    } else if let Some(stage) = manifest.stages.get(&given.input) {
        &stage.columns
    } else if let Some(plain) = manifest.tables.get(&given.input) {
        &plain.columns
    } else {
        manifest.seeds.get(&given.input).map_or(&[], |seed| &seed.columns)
    };
    let declared = columns.iter().filter_map(|column| {
        let seed = manifest.seeds.get(&given.input);
        let stated = seed.and_then(|seed| seed.column_types.get(column.name.as_str()));
        let data_type = stated.or(column.data_type.as_ref())?.clone();
        Some(TypedColumn { name: column.name.clone(), data_type })
    });
    let select: Option<CompiledSql> =
        manifest.models.get(&given.input).and_then(|model| Some(compiled.get(&model.name)?.sql.clone()));
    UnitInput {
        table,
        fixture: given.fixture.clone(),
        relation: given.relation.as_ref().or_else(|| manifest.read_relation(&given.input)).cloned(),
        known: Vec::new(),
        declared: declared.collect(),
        select,
        declared_at: given.declared_at.clone(),
    }
}
