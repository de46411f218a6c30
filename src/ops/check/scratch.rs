//! Schemas that exist only inside of one transaction, one for each schema of the project, and the way back from their
//! names to the user's.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, Hasher, RandomState};

use crate::compile::{CompiledSql, Elsewhere};
use crate::ident::{Ident, Relation};
use crate::manifest::Manifest;

/// Where the shells of a check stand.
pub(super) struct Scratch {
    /// Real schema → its stand-in.
    schemas: BTreeMap<Ident, Ident>,
    /// Holds the SELECTs of models that merge, which have no relation of their own.
    selects: Ident,
    elsewhere: Elsewhere,
}

impl Scratch {
    /// A stand-in for every schema that the project writes to, under names that nobody has.
    pub(super) fn new(manifest: &Manifest) -> Self {
        let token = RandomState::new().build_hasher().finish();
        let mut scratch = Self {
            schemas: BTreeMap::new(),
            selects: Ident::from_catalog(format!("unimig_check_{token:016x}_selects")),
            elsewhere: Elsewhere::default(),
        };
        for stage in manifest.stages.values() {
            scratch.take(&stage.stg_relation, token);
            scratch.take(&stage.live_relation, token);
        }
        for node in manifest.crosswalks.values() {
            scratch.take(&node.relation, token);
            node.members.iter().for_each(|member| scratch.take(&member.relation, token));
            // Its tables are described, so that the type of its ids is known.
            scratch.stand_in(&node.target.schema, token);
        }
        for name in manifest.models.keys().chain(manifest.seeds.keys()) {
            if let Some(relation) = manifest.relation(name) {
                scratch.take(relation, token);
            }
        }
        scratch
    }

    fn take(&mut self, relation: &Relation, token: u64) {
        let stand_in = self.stand_in(&relation.schema, token);
        self.elsewhere.put(relation, &stand_in);
    }

    fn stand_in(&mut self, schema: &Ident, token: u64) -> Ident {
        let number = self.schemas.len();
        let stand_in = || Ident::from_catalog(format!("unimig_check_{token:016x}_{number:04}"));
        self.schemas.entry(schema.clone()).or_insert_with(stand_in).clone()
    }

    /// The shell that stands for a relation of the project.
    pub(super) fn shell(&self, relation: &Relation) -> Relation {
        let schema = self.schemas.get(&relation.schema).unwrap_or(&relation.schema);
        Relation::new(schema.clone(), relation.name.clone())
    }

    /// Whether the project maintains the relation.
    pub(super) fn stands_for(&self, relation: &Relation) -> bool {
        self.elsewhere.has(relation)
    }

    /// The view of the SELECT of a model that merges.
    pub(super) fn select(&self, place: usize) -> Relation {
        Relation::new(self.selects.clone(), Ident::from_catalog(format!("select_{place}")))
    }

    /// SQL that reads shells.
    pub(super) fn retarget(&self, sql: &CompiledSql) -> CompiledSql {
        self.elsewhere.apply(sql)
    }

    /// A text of the server with the user's names in it.
    pub(super) fn told(&self, text: &str) -> String {
        let mut told = text.to_owned();
        for (real, stand_in) in &self.schemas {
            told = told.replace(stand_in.as_str(), &real.to_string());
        }
        told
    }

    pub(super) fn schemas(&self) -> Vec<&Ident> {
        self.schemas.values().chain([&self.selects]).collect()
    }

    /// Real schemas of the project.
    pub(super) fn real_schemas(&self) -> Vec<&str> {
        self.schemas.keys().map(Ident::as_str).collect()
    }

    /// Begins the transaction's work: the schemas, and a search path that finds a shell before what it stands for.
    pub(super) fn open(&self, default_schema: &Ident) -> String {
        let mut statements: Vec<String> =
            self.schemas().iter().map(|schema| format!("create schema {schema}")).collect();
        let stand_in = self.schemas.get(default_schema);
        let path: Vec<String> = stand_in.into_iter().chain([default_schema]).map(ToString::to_string).collect();
        statements.push(format!("set local search_path = {}, public", path.join(", ")));
        statements.join(";\n")
    }
}
