//! Commands that look, and change nothing but `target/`: `parse`, `ls`, `compile`, `debug`.

use clap::Args;

use crate::cli::arguments::{ListArguments, Output, SelectionArguments};
use crate::cli::retry::DeferArguments;
use crate::cli::{Door, retry};
use crate::compile::CompileFacts;
use crate::ident::NodeName;
use crate::ops::OpError;
use crate::ops::compile::CompiledNode;
use crate::ops::debug::Finding;
use crate::ops::list::ListForm;
use crate::ops::workspace::Selection;
use crate::ops::{compile, debug, history, list};
use crate::report::words;

#[derive(Debug, Args)]
pub(super) struct CompileArguments {
    #[command(flatten)]
    pub selection: SelectionArguments,
    #[command(flatten)]
    pub defer: DeferArguments,
}

pub(super) fn parse(door: &Door) -> Result<u8, OpError> {
    let workspace = door.workspace()?;
    let compiled = workspace.compile(&CompileFacts::default())?;
    workspace.write_manifest(&compiled)?;
    let manifest = &workspace.manifest;
    let counts = [
        ("source tables", manifest.stages.len() + manifest.tables.len()),
        ("models", manifest.models.len()),
        ("seeds", manifest.seeds.len()),
        ("tests", manifest.tests.len()),
        ("nodes in the graph", compiled.graph.topological_order().len()),
    ];
    if door.is_json() {
        let counts: serde_json::Map<String, serde_json::Value> =
            counts.iter().map(|(name, count)| (name.replace(' ', "_"), (*count).into())).collect();
        door.terminal.print(&serde_json::Value::Object(counts).to_string());
    } else {
        let text: Vec<String> = counts[..4].iter().map(|(name, count)| format!("{count} {name}")).collect();
        door.terminal.print(&format!("{}: {}; no mistakes", workspace.project.name, text.join(", ")));
    }
    Ok(0)
}

pub(super) async fn list(door: &Door, arguments: &ListArguments) -> Result<u8, OpError> {
    let workspace = door.workspace()?;
    let mut selection: Selection = arguments.selection.clone().into();
    history::ask(&workspace, &mut selection).await?;
    let form = match door.globals.output {
        Output::Text => ListForm::Node,
        Output::Json => ListForm::Json(&arguments.output_keys),
        Output::Name => ListForm::Name,
        Output::Path => ListForm::Path,
        Output::Selector => ListForm::Selector,
    };
    let lines = list::list(&workspace, &selection, form)?;
    door.warn_of(&selection)?;
    if lines.is_empty() {
        door.terminal.say("nothing is selected");
    } else {
        door.terminal.print(&lines.join("\n"));
    }
    Ok(0)
}

pub(super) async fn compile(door: &Door, arguments: &CompileArguments) -> Result<u8, OpError> {
    let defer = retry::defer(&arguments.defer, arguments.selection.state.as_ref())?;
    let selection: &Selection = &arguments.selection.clone().into();
    let workspace = door.workspace()?;
    let nodes = compile::compile(&workspace, selection, defer.as_ref()).await?;
    door.warn_of(selection)?;
    // The tests of a model come with it, and are not what one asks to see.
    let manifest = &workspace.manifest;
    let is_test = |name: &NodeName| manifest.tests.contains_key(name) || manifest.unit_tests.contains_key(name);
    let is_shown = |node: &&CompiledNode| !is_test(&node.name) || nodes.iter().all(|node| is_test(&node.name));
    let shown: Vec<_> = nodes.iter().filter(is_shown).collect();
    if door.is_json() {
        for node in &nodes {
            let line = serde_json::json!({ "name": node.name, "path": node.path, "compiled_code": node.sql });
            door.terminal.print(&line.to_string());
        }
    } else if let ([node], false) = (shown.as_slice(), selection.select.is_empty()) {
        door.terminal.print(&node.sql);
    } else {
        let folder = workspace.target_dir().join("compiled");
        door.terminal.say(&format!("compiled {} nodes to {}", words::count(nodes.len() as u64), folder.display()));
    }
    Ok(0)
}

pub(super) async fn debug(door: &Door) -> Result<u8, OpError> {
    let workspace = door.workspace()?;
    let findings = debug::debug(&workspace).await?;
    for finding in &findings {
        if door.is_json() {
            door.terminal.print(&as_json(finding).to_string());
        } else {
            show(door, finding);
        }
    }
    let unreachable = findings.iter().any(|finding| finding.unreachable);
    let problems = findings.iter().any(|finding| !finding.problems.is_empty());
    Ok(if unreachable { 3 } else { u8::from(problems) })
}

fn show(door: &Door, finding: &Finding) {
    let state = if finding.problems.is_empty() { "ok" } else { "problem" };
    let latency = finding.latency.map(|latency| format!("{:.1} ms", latency.as_secs_f64() * 1_000.0));
    let facts: Vec<String> = finding.facts.iter().cloned().chain(latency).collect();
    let facts = if facts.is_empty() { String::new() } else { format!(" ({})", facts.join(", ")) };
    door.terminal.print(&format!("{state:<8} {:<7} {:<12} {}{facts}", finding.kind, finding.name, finding.place));
    for problem in finding.notes.iter().chain(&finding.problems) {
        door.terminal.print(&format!("         {problem}"));
    }
}

fn as_json(finding: &Finding) -> serde_json::Value {
    serde_json::json!({
        "name": finding.name,
        "kind": finding.kind,
        "place": finding.place,
        "latency_seconds": finding.latency.map(|latency| latency.as_secs_f64()),
        "facts": finding.facts,
        "notes": finding.notes,
        "problems": finding.problems,
        "unreachable": finding.unreachable,
    })
}
