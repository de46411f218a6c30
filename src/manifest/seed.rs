//! CSV files become seed nodes; their rows are not read here.

use super::config::Settled;
use super::model::Surroundings;
use super::naming::Unnamed;
use super::stage::column;
use super::{SeedDecimals, SeedNode, SeedQuoting};
use crate::diagnostic::{Code, Diagnostic, Diagnostics, Span};
use crate::ident::NodeName;
use crate::project::{Flavour, SeedFile, Setting};

/// A seed, or the place that switched it off.
pub(super) enum SeedOutcome {
    Node(Box<SeedNode>),
    Disabled(Option<Box<SeedNode>>, NodeName, Span),
    Broken,
}

/// Settles one seed's config.
pub(super) fn settle(around: &Surroundings<'_>, seed: &SeedFile, diagnostics: &mut Diagnostics) -> SeedOutcome {
    let property = around.properties.get(seed.stem.as_str()).copied();
    let fqn = around.fqn(&seed.path, (&seed.folders, &seed.stem));
    let mut settled = around.settled(&around.project.seed_config, &fqn, property);
    let name = NodeName::seed(&seed.stem);
    let disabled = settled.disabled();
    let relation = around.own_relation(
        &mut settled,
        Unnamed { kind: "seed", path: &seed.path, folders: &seed.folders, stem: &seed.stem },
    );
    let relation = relation.map(|relation| around.project.quoting.apply(relation));
    let delimiter = delimiter(&mut settled);
    let column_types = column_types(&mut settled);
    let upkeep = settled.upkeep();
    let hooks = settled.hooks();
    let quoting =
        if settled.switch("quote_columns") == Some(false) { SeedQuoting::Folded } else { SeedQuoting::AsWritten };
    // A seed's table always becomes what the file says, so there is nothing that a full refresh would add.
    settled.switch("full_refresh");
    let place = property.map_or_else(|| Span::whole(&around.project.file), |property| property.name.span.clone());
    for mut mistake in std::mem::take(&mut settled.mistakes).0 {
        mistake.span.get_or_insert(place.clone());
        diagnostics.push(mistake);
    }
    let node = relation.map(|relation| {
        Box::new(SeedNode {
            name: name.clone(),
            seed: seed.stem.clone(),
            package: around.project.package_of(&seed.path).to_owned(),
            folders: seed.folders.clone(),
            path: seed.path.clone(),
            relation,
            upkeep,
            hooks,
            description: property.map(|property| property.description.clone()).unwrap_or_default(),
            columns: property.map(|property| property.columns.iter().map(column).collect()).unwrap_or_default(),
            tags: settled.tags(),
            config: settled.to_json(),
            patch_path: property.map(|property| property.name.span.path().to_path_buf()),
            column_types,
            delimiter,
            quoting,
            decimals: match around.project.flavour_of(&seed.path) {
                Flavour::Unimig => SeedDecimals::Exact,
                Flavour::Dbt => SeedDecimals::Float,
            },
        })
    });
    match (disabled, node) {
        (Some(switch), node) => SeedOutcome::Disabled(node, name, switch),
        (None, Some(node)) => SeedOutcome::Node(node),
        (None, None) => SeedOutcome::Broken,
    }
}

fn delimiter(settled: &mut Settled) -> char {
    let Some(text) = settled.text("delimiter") else { return ',' };
    let mut letters = text.chars();
    match (letters.next(), letters.next()) {
        (Some(letter), None) if letter.is_ascii() => letter,
        _ => {
            let message = format!("\"{text}\" is no delimiter");
            let mut mistake = Diagnostic::error(Code::BadConfig, message).hint("a delimiter is one ASCII character");
            mistake.span = settled.get("delimiter").map(|setting| setting.span.clone());
            settled.mistakes.push(mistake);
            ','
        }
    }
}

fn column_types(settled: &mut Settled) -> std::collections::BTreeMap<String, String> {
    let Some(setting) = settled.get("column_types").cloned() else { return std::collections::BTreeMap::new() };
    let Setting { value: serde_json::Value::Object(types), span } = setting else {
        let message = "\"column_types\" must be a map from column to type";
        settled.mistakes.push(Diagnostic::error(Code::BadConfig, message).at(setting.span));
        return std::collections::BTreeMap::new();
    };
    let mut known = std::collections::BTreeMap::new();
    for (column, data_type) in types {
        match data_type {
            serde_json::Value::String(data_type) => {
                known.insert(column, data_type);
            }
            _ => settled.mistakes.push(
                Diagnostic::error(Code::BadConfig, format!("the type of column \"{column}\" must be text"))
                    .at(span.clone()),
            ),
        }
    }
    known
}
