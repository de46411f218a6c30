//! What a table name in plain SQL means to the project. In this order:
//!
//! 1. a relation of this environment, as PostgreSQL itself would read the name: it stays as it is written; 2. a bare name
//!    that `ref` takes; 3. a bare name of a table that exactly one source has; 4. `source.table`; 5. `schema.name`, where
//!    `schema` is the custom schema of a model, seed or snapshot. A name that two nodes could mean is nobody's.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use crate::ident::{NodeName, Relation};
use crate::manifest::{Manifest, ephemeral_cte};

/// Every name that plain SQL may give a node of the project.
#[derive(Debug, Default)]
pub(super) struct KnownRelations {
    /// By name, then by schema: what the names mean to the server.
    by_name: HashMap<String, Vec<(String, NodeName)>>,
    /// What bare names mean otherwise.
    bare: HashMap<String, Meaning>,
    /// What two-part names mean otherwise, by their last part.
    qualified: HashMap<String, Vec<(String, Meaning)>>,
    /// The first schema of a session's search path.
    default_schema: String,
}

/// A node, and how SQL reads it in this environment.
#[derive(Debug, Clone)]
struct Meaning {
    node: NodeName,
    /// Quoted; the last part is the name that columns can be qualified with.
    printed: String,
    last: String,
    standing: Standing,
}

/// Whether only one node has the name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    Alone,
    Contested,
}

/// A node that a name means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Named {
    pub node: NodeName,
    /// The SQL that reads the node, where it is not what is written, and the name by which its columns are qualified then.
    pub rewritten: Option<(String, String)>,
}

impl KnownRelations {
    pub fn new(manifest: &Manifest, default_schema: &str) -> Self {
        let mut known = Self { default_schema: default_schema.to_owned(), ..Self::default() };
        for stage in manifest.stages.values() {
            known.add(&stage.stg_relation, &stage.name);
            known.add(&stage.live_relation, &stage.name);
            known.add_source((&stage.source, &stage.table), (&stage.name, &stage.live_relation));
        }
        for table in manifest.tables.values() {
            known.add(&table.relation, &table.name);
            known.add_source((&table.source, &table.table), (&table.name, &table.relation));
        }
        for crosswalk in manifest.crosswalks.values() {
            known.add(&crosswalk.relation, &crosswalk.name);
            for member in &crosswalk.members {
                known.add(&member.relation, &crosswalk.name);
            }
        }
        known.add_referable(manifest);
        known
    }

    /// Models, seeds and snapshots: their bare names win over those of source tables.
    fn add_referable(&mut self, manifest: &Manifest) {
        let mut bare = HashMap::new();
        let custom = |config: &serde_json::Map<String, serde_json::Value>| {
            config.get("schema").and_then(serde_json::Value::as_str).map(str::to_owned)
        };
        for model in manifest.models.values() {
            let meaning = match manifest.relation(&model.name) {
                Some(relation) => {
                    self.add(relation, &model.name);
                    if let Some(schema) = custom(&model.config) {
                        self.add_qualified(&schema, Meaning::of(&model.name, relation));
                    }
                    Meaning::of(&model.name, relation)
                }
                None => Meaning::of_ephemeral(&model.name, &model.model),
            };
            claim(&mut bare, &model.model, meaning);
        }
        for seed in manifest.seeds.values() {
            self.add(&seed.relation, &seed.name);
            if let Some(schema) = custom(&seed.config) {
                self.add_qualified(&schema, Meaning::of(&seed.name, &seed.relation));
            }
            claim(&mut bare, &seed.seed, Meaning::of(&seed.name, &seed.relation));
        }
        self.bare.extend(bare);
    }

    fn add_source(&mut self, (source, table): (&str, &str), (node, relation): (&NodeName, &Relation)) {
        claim(&mut self.bare, table, Meaning::of(node, relation));
        let meaning = Meaning::of(node, relation);
        self.qualified.entry(table.to_owned()).or_default().push((source.to_owned(), meaning));
    }

    fn add_qualified(&mut self, schema: &str, meaning: Meaning) {
        let entries = self.qualified.entry(meaning.last.clone()).or_default();
        match entries.iter_mut().find(|(known, _)| known == schema) {
            Some((_, known)) => known.standing = Standing::Contested,
            None => entries.push((schema.to_owned(), meaning)),
        }
    }

    fn add(&mut self, relation: &Relation, node: &NodeName) {
        let entry = (relation.schema.as_str().to_owned(), node.clone());
        self.by_name.entry(relation.name.as_str().to_owned()).or_default().push(entry);
    }

    /// Whether any node could be meant by a name that ends so.
    pub fn may_mean(&self, last: &str) -> bool {
        self.by_name.contains_key(last) || self.bare.contains_key(last) || self.qualified.contains_key(last)
    }

    /// The node of an existing relation, as the server reads the name.
    pub fn existing(&self, schema: Option<&str>, name: &str) -> Option<&NodeName> {
        let schema = schema.unwrap_or(&self.default_schema);
        self.by_name.get(name)?.iter().find(|(known, _)| known == schema).map(|(_, node)| node)
    }

    /// What a name means in the SQL of `reader`, which never means itself.
    pub fn meaning(&self, schema: Option<&str>, name: &str, reader: &NodeName) -> Option<Named> {
        if let Some(node) = self.existing(schema, name) {
            return (node != reader).then(|| Named { node: node.clone(), rewritten: None });
        }
        let found = match schema {
            None => self.bare.get(name),
            Some(schema) => {
                let of_schema = self.qualified.get(name)?.iter().find(|(known, _)| known == schema);
                of_schema.map(|(_, meaning)| meaning)
            }
        };
        let meaning = found.filter(|meaning| meaning.standing == Standing::Alone && meaning.node != *reader)?;
        let rewritten = Some((meaning.printed.clone(), meaning.last.clone()));
        Some(Named { node: meaning.node.clone(), rewritten })
    }
}

fn claim(names: &mut HashMap<String, Meaning>, name: &str, meaning: Meaning) {
    match names.entry(name.to_owned()) {
        Entry::Vacant(free) => {
            free.insert(meaning);
        }
        Entry::Occupied(mut taken) => taken.get_mut().standing = Standing::Contested,
    }
}

impl Meaning {
    fn of(node: &NodeName, relation: &Relation) -> Self {
        Self {
            node: node.clone(),
            printed: relation.to_string(),
            last: relation.name.as_str().to_owned(),
            standing: Standing::Alone,
        }
    }

    fn of_ephemeral(node: &NodeName, model: &str) -> Self {
        let printed = ephemeral_cte(model);
        Self { node: node.clone(), last: printed.clone(), printed, standing: Standing::Alone }
    }
}
