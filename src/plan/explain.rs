//! Why each step of a plan would run, what it is expected to do, and how long that takes: from what is remembered.
//!
//! Every step of a plan runs, as every SELECT is executed and compared; what is said here is whether it will find
//! something to write.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::{Action, Extent, MergeAction, Plan, RunSettings, Step, digest};
use crate::ident::{Ident, NodeName};
use crate::manifest::{Deletes, StageNode, Strategy, Triggers};
use crate::state::past::{Memory, Past};

/// A step with what is known of it beforehand.
#[derive(Debug, Clone, PartialEq)]
pub struct Explained {
    pub name: NodeName,
    /// `extract`, `merge`, `create table`, …
    pub action: String,
    pub reason: String,
    pub outlook: Outlook,
    pub last_good: Option<Timestamp>,
    /// How long it usually takes.
    pub usual: Option<Duration>,
    /// What it may take away, in words.
    pub destroys: Option<String>,
    /// Steps of the plan that it waits for.
    pub waits_for: Vec<NodeName>,
}

/// What a step is expected to find.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outlook {
    /// It will write, or at least has new input.
    Work,
    /// It runs and compares, and should write nothing.
    Same,
    /// It only looks.
    Looks,
}

/// What a plan is explained from.
#[derive(Clone, Copy)]
pub struct Known<'a> {
    pub memory: &'a Memory,
    /// What each node reads: the nearest nodes that are no ephemeral models.
    pub reads: &'a BTreeMap<NodeName, Vec<NodeName>>,
    /// Relations of ours that stand in the target.
    pub there: &'a BTreeSet<NodeName>,
    pub now: Timestamp,
}

/// Explains each step, in the plan's order.
pub fn explain(plan: &Plan, known: Known<'_>) -> Vec<Explained> {
    let mut outlooks: BTreeMap<&NodeName, Outlook> = BTreeMap::new();
    let mut explained = Vec::with_capacity(plan.steps.len());
    for step in &plan.steps {
        let past = known.memory.steps.get(&step.name);
        let (action, (reason, outlook)) = match &step.action {
            Action::Stage(stage) => stage_words(&stage.node, &plan.settings, known),
            Action::Seed(_) => (made_or("load seed", "create table", step, known), seed_reason(step, past, known)),
            Action::UnitTest(_) => {
                ("unit test".to_owned(), ("tries the model on rows that are written out".to_owned(), Outlook::Looks))
            }
            Action::Test(_) => ("test".to_owned(), ("looks for rows that should not be".to_owned(), Outlook::Looks)),
            Action::Crosswalk(_) => ("give ids".to_owned(), crosswalk_reason(step, past, (&outlooks, known))),
            Action::Merge(merge) => {
                let (reason, outlook) = model_reason(step, past, (&outlooks, known));
                ("merge".to_owned(), (format!("{reason}{}", trigger_words(merge)), outlook))
            }
            Action::Table(_) => {
                let action = made_or("replace rows", "create table", step, known);
                (action, model_reason(step, past, (&outlooks, known)))
            }
            Action::Snapshot(_) => {
                let action = made_or("add versions", "create table", step, known);
                (action, model_reason(step, past, (&outlooks, known)))
            }
            Action::View(_) => {
                let action = made_or("replace view", "create view", step, known);
                (action, view_reason(step, past, known))
            }
            Action::MaterializedView(_) => {
                let action = made_or("refresh", "create materialized view", step, known);
                (action, model_reason(step, past, (&outlooks, known)))
            }
            Action::Incremental(incremental) => {
                let action = match incremental.extent {
                    Extent::Whole => made_or("make anew", "create table", step, known),
                    Extent::Increment => "add rows".to_owned(),
                };
                (action, model_reason(step, past, (&outlooks, known)))
            }
        };
        outlooks.insert(&step.name, outlook);
        explained.push(Explained {
            name: step.name.clone(),
            action,
            reason,
            outlook,
            last_good: past.and_then(|past| past.last_good),
            usual: past.and_then(|past| past.usual),
            destroys: destroys(step, known),
            waits_for: step.waits_for.iter().map(|wait| wait.parent.clone()).collect(),
        });
    }
    explained
}

/// What the table's triggers do meanwhile; nothing where it has none.
fn trigger_words(merge: &MergeAction) -> String {
    let names: Vec<&str> = merge.target.triggers.iter().map(Ident::as_str).collect();
    if names.is_empty() {
        return String::new();
    }
    let names = names.join(", ");
    match merge.config.triggers {
        Triggers::On => format!("; triggers that fire: {names}"),
        Triggers::Off => format!("; triggers that are off meanwhile: {names}"),
    }
}

fn made_or(there: &str, absent: &str, step: &Step, known: Known<'_>) -> String {
    if known.there.contains(&step.name) { there } else { absent }.to_owned()
}

/// A reason and what comes of it.
type Reason = (String, Outlook);

fn stage_words(stage: &StageNode, settings: &RunSettings, known: Known<'_>) -> (String, Reason) {
    let whole = |reason: &str| ("extract all".to_owned(), (reason.to_owned(), Outlook::Work));
    if let Some(batch_id) = settings.reads.reload {
        return ("reload".to_owned(), (format!("batch {batch_id} is loaded once more"), Outlook::Work));
    }
    let is_bounded = settings.reads.bounds_times() && !stage.strategy.times().is_empty();
    let last = match known.memory.batches.get(&stage.name) {
        _ if settings.full_refresh => return whole("--full-refresh reads whole tables"),
        _ if settings.reads.full => return whole("--full reads whole tables"),
        _ if is_bounded => {
            let reason = "the rows that --since, --until or --window name".to_owned();
            return ("extract window".to_owned(), (reason, Outlook::Work));
        }
        None => return whole("it was never copied"),
        Some(last) => last,
    };
    let Some(oldest) = last.oldest_transaction_at.filter(|_| stage.strategy != Strategy::Full) else {
        return whole(match stage.strategy {
            Strategy::Full if stage.key.is_empty() => "it has no key: every run reads and compares whole rows",
            Strategy::Full => "its strategy is full: every run reads the whole table",
            Strategy::Window { .. } | Strategy::Append { .. } | Strategy::Compare { .. } => {
                "the source did not show when others' transactions began"
            }
        });
    };
    part_words(&stage.strategy, last.source_clock.min(oldest))
}

/// The part of a table that may have changed since the last batch.
fn part_words(strategy: &Strategy, since_last: Timestamp) -> (String, Reason) {
    let changed_since = |lower: Timestamp| format!("what changed since {}", lower.strftime("%F %T UTC"));
    let less = |from: Timestamp, reach: SignedDuration| from.saturating_sub(reach).unwrap_or(Timestamp::MIN);
    let (action, reason) = match strategy {
        Strategy::Full => ("extract all", "every row".to_owned()),
        Strategy::Window { reach, .. } => ("extract window", changed_since(less(since_last, *reach))),
        Strategy::Compare { .. } => ("compare", "key ranges whose digests differ are read".to_owned()),
        Strategy::Append { column, .. } => {
            ("extract new rows", format!("rows with a greater \"{}\" than those that are there", column.as_str()))
        }
    };
    (action.to_owned(), (reason, Outlook::Work))
}

/// Never ran, failed, or has other SQL: what needs no look at its input.
fn own_reason(step: &Step, past: Option<&Past>) -> Option<String> {
    let Some(past) = past else { return Some("it never ran".to_owned()) };
    if past.last_good.is_none() {
        return Some("it never succeeded".to_owned());
    }
    if ["failed", "cancelled"].contains(&past.last_status.as_str()) {
        return Some(format!(
            "its last run {}",
            if past.last_status == "failed" { "failed" } else { "was interrupted" }
        ));
    }
    let known_digest = past.code_digest.as_deref()?;
    (known_digest != digest(&step.action)).then(|| "its SQL or its config changed".to_owned())
}

fn seed_reason(step: &Step, past: Option<&Past>, known: Known<'_>) -> Reason {
    match own_reason(step, past) {
        Some(reason) => (reason, Outlook::Work),
        None if !known.there.contains(&step.name) => ("its table is gone".to_owned(), Outlook::Work),
        None => ("the file is compared with the table".to_owned(), Outlook::Same),
    }
}

fn view_reason(step: &Step, past: Option<&Past>, known: Known<'_>) -> Reason {
    match own_reason(step, past) {
        Some(reason) => (reason, Outlook::Work),
        None if !known.there.contains(&step.name) => ("it is gone".to_owned(), Outlook::Work),
        None => ("its definition is compared".to_owned(), Outlook::Same),
    }
}

fn model_reason(
    step: &Step,
    past: Option<&Past>,
    (outlooks, known): (&BTreeMap<&NodeName, Outlook>, Known<'_>),
) -> Reason {
    if let Some(reason) = own_reason(step, past) {
        return (reason, Outlook::Work);
    }
    let is_ours = !matches!(step.action, Action::Merge(_));
    if is_ours && !known.there.contains(&step.name) {
        return ("its table is gone".to_owned(), Outlook::Work);
    }
    let reads = known.reads.get(&step.name).map(Vec::as_slice).unwrap_or_default();
    if let Some(parent) = reads.iter().find(|parent| outlooks.get(parent) == Some(&Outlook::Work)) {
        return (format!("{parent}, which it reads, runs before it"), Outlook::Work);
    }
    for parent in reads {
        if let Some(reason) = moved(step, parent, (past, known)) {
            return (reason, Outlook::Work);
        }
    }
    ("nothing that it reads has changed: it is compared".to_owned(), Outlook::Same)
}

/// Its relation is ours and never made anew, so that it is asked of its parents alone.
fn crosswalk_reason(
    step: &Step,
    past: Option<&Past>,
    (outlooks, known): (&BTreeMap<&NodeName, Outlook>, Known<'_>),
) -> Reason {
    if let Some(reason) = own_reason(step, past) {
        return (reason, Outlook::Work);
    }
    let reads = known.reads.get(&step.name).map(Vec::as_slice).unwrap_or_default();
    if let Some(parent) = reads.iter().find(|parent| outlooks.get(parent) == Some(&Outlook::Work)) {
        return (format!("{parent}, which it reads, runs before it"), Outlook::Work);
    }
    match reads.iter().find_map(|parent| moved(step, parent, (past, known))) {
        Some(reason) => (reason, Outlook::Work),
        None => ("nothing that it reads has changed: keys without an id are looked for".to_owned(), Outlook::Same),
    }
}

/// What a parent has that the model has not seen.
fn moved(step: &Step, parent: &NodeName, (past, known): (Option<&Past>, Known<'_>)) -> Option<String> {
    if known.memory.batches.contains_key(parent) {
        let unseen = known.memory.unseen.get(&step.name).and_then(|unseen| unseen.get(parent));
        return match unseen.map(|unseen| unseen.rows) {
            Some(0) => None,
            Some(1) => Some(format!("1 row of {parent} has changed since")),
            Some(rows) => Some(format!("{rows} rows of {parent} have changed since")),
            None => Some(format!("it has seen no batch of {parent}")),
        };
    }
    let changed = known.memory.steps.get(parent)?.last_change?;
    (changed > past?.last_good?).then(|| format!("{parent} has changed since"))
}

fn destroys(step: &Step, known: Known<'_>) -> Option<String> {
    match &step.action {
        Action::Merge(merge) => match &merge.config.deletes {
            Deletes::Keep => None,
            Deletes::Soft { column } => Some(format!("marks rows that are gone, in \"{}\"", column.as_str())),
            Deletes::Hard => Some("deletes rows that it inserted and that are gone".to_owned()),
        },
        Action::Incremental(incremental) => match incremental.extent {
            Extent::Whole if known.there.contains(&step.name) => {
                Some(format!("makes {} anew", incremental.node.relation))
            }
            Extent::Whole | Extent::Increment => None,
        },
        Action::Table(_)
        | Action::View(_)
        | Action::MaterializedView(_)
        | Action::Snapshot(_)
        | Action::Seed(_)
        | Action::Crosswalk(_)
        | Action::Stage(_)
        | Action::Test(_)
        | Action::UnitTest(_) => None,
    }
}

/// How long the plan takes if every step takes its usual time: the longest way through it, or the work divided among
/// the threads, whichever is longer. The second value counts the steps whose time is not known.
pub fn estimate(explained: &[Explained], threads: usize) -> (Duration, usize) {
    let mut ends: BTreeMap<&NodeName, Duration> = BTreeMap::new();
    let mut sum = Duration::ZERO;
    for step in explained {
        let begins = step.waits_for.iter().filter_map(|parent| ends.get(parent)).max().copied().unwrap_or_default();
        let time = step.usual.unwrap_or_default();
        sum += time;
        ends.insert(&step.name, begins + time);
    }
    let longest = ends.values().max().copied().unwrap_or_default();
    let shared = sum / u32::try_from(threads.max(1)).unwrap_or(1);
    (longest.max(shared), explained.iter().filter(|step| step.usual.is_none()).count())
}
