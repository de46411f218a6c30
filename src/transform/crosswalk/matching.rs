//! Rows that are one thing get one id: rules and verdicts become clusters, clusters become ids.

use tokio_postgres::Client;
use tokio_postgres::types::{ToSql, Type};

use super::clusters::{Because, Clusters, Known, clusters};
use super::tables::refused;
use super::{count, execute, failed};
use crate::diagnostic::{Code, Diagnostic};
use crate::manifest::{MatchRule, Matching};
use crate::materialize::crosswalk::TypedMember;
use crate::materialize::crosswalk_match as statements;
use crate::plan::CrosswalkAction;
use crate::postgres::PostgresError;
use crate::state::run::Tally;
use crate::transform::TransformError;

/// Rows that go to the server at once.
const AT_ONCE: usize = 50_000;

/// What matching works on.
#[derive(Clone, Copy)]
pub(super) struct Matched<'a> {
    pub client: &'a Client,
    pub action: &'a CrosswalkAction,
    pub members: &'a [TypedMember<'a>],
    pub matching: &'a Matching,
}

/// Gives ids to clusters; `note` hears of what the rules left apart.
pub(super) async fn allocate(
    of: Matched<'_>,
    sequence: &str,
    note: &mut impl FnMut(&str),
) -> Result<Tally, TransformError> {
    let Matched { client, action, members, .. } = of;
    let run = async |statement: String| client.batch_execute(&statement).await.map_err(|error| failed(action, error));
    run(statements::create_nodes(&action.id_type)).await?;
    for member in members {
        run(statements::fill_nodes(member)).await?;
    }
    run(statements::plain("index_nodes")).await?;
    let known = known(of, note).await?;
    let found = clusters(&known);
    if let Some((_, _, span)) = of.matching.verdicts.as_ref().filter(|_| !found.contradicted.is_empty()) {
        let message = format!("{} verdicts call rows the same that others call different", found.contradicted.len());
        let hint = "look for the chain of verdicts that leads from one row to the other, and mend one";
        let mistake = Diagnostic::error(Code::CrosswalkConflict, message).at(span.clone()).hint(hint);
        return Err(TransformError::Project(Box::new(mistake)));
    }
    tell(&found, of.matching, note);
    let moved = moved(&known, &found);
    if moved.is_empty() {
        return Ok(Tally::default());
    }
    write(of, (&found, &moved), sequence).await
}

fn tell(found: &Clusters, matching: &Matching, note: &mut impl FnMut(&str)) {
    if found.too_big > 0 {
        let most = matching.max_cluster;
        note(&format!("{} rows or clusters are not joined: they would be more than {most} together", found.too_big));
    }
    if found.undecided > 0 {
        note(&format!("{} matches are of rows that have two ids already: a verdict must decide", found.undecided));
    }
}

/// A row whose id is new or another: its cluster, and a row that has the id which is kept.
struct Moved {
    row: usize,
    anchor: usize,
    keeper: Option<usize>,
}

fn moved(known: &Known, found: &Clusters) -> Vec<Moved> {
    let mut holders: std::collections::BTreeMap<u32, usize> = std::collections::BTreeMap::new();
    for (row, id) in known.ids.iter().enumerate() {
        if let Some(id) = id {
            holders.entry(*id).or_insert(row);
        }
    }
    let rows = found.anchors.iter().enumerate().filter_map(|(row, anchor)| {
        let kept = found.kept.get(anchor);
        let is_same = known.ids[row].is_some() && known.ids[row].as_ref() == kept;
        let keeper = kept.and_then(|id| holders.get(id)).copied();
        (!is_same).then_some(Moved { row, anchor: *anchor, keeper })
    });
    rows.collect()
}

async fn known(of: Matched<'_>, note: &mut impl FnMut(&str)) -> Result<Known, TransformError> {
    let Matched { client, action, members, matching } = of;
    let ask = async |statement: &str, parameters: &[(&(dyn ToSql + Sync), Type)]| {
        client.query_typed(statement, parameters).await.map_err(|error| failed(action, error))
    };
    let rows = count(client, ("count the keys", "select count(*) from pg_temp.unimig_nodes")).await?;
    let rows = usize::try_from(rows).unwrap_or_default();
    let mut known =
        Known { ids: vec![None; rows], ages: vec![0; rows], max_cluster: matching.max_cluster, ..Known::default() };
    for row in ask(&statements::plain("known_ids"), &[]).await? {
        let at = place(row.get(0));
        known.ids[at] = u32::try_from(row.get::<_, i64>(1)).ok();
        known.ages[at] = row.get(2);
    }
    let name = action.node.name.as_str();
    for row in ask(&statements::plain("known_links"), &[(&name, Type::TEXT)]).await? {
        known.links.push((place(row.get(0)), place(row.get(1))));
    }
    verdicts(of, &mut known, note).await?;
    for rule in &matching.rules {
        known.rules.push(groups((client, action), members, rule).await?);
    }
    Ok(known)
}

fn place(node: i64) -> usize {
    usize::try_from(node).unwrap_or_default()
}

async fn groups(
    (client, action): (&Client, &CrosswalkAction),
    members: &[TypedMember<'_>],
    rule: &MatchRule,
) -> Result<Vec<Vec<usize>>, TransformError> {
    let Some(statement) = statements::groups(members, rule) else { return Ok(Vec::new()) };
    let rows = client.query_typed(&statement, &[]).await.map_err(|error| {
        let error = failed(action, error);
        match error.server_error() {
            Some(server) => {
                let message = format!("match rule \"{}\": {}", rule.name, server.message);
                let mistake = Diagnostic::error(Code::SqlError, message).at(rule.declared_at.clone());
                TransformError::Project(Box::new(mistake))
            }
            None => error.into(),
        }
    })?;
    Ok(rows.iter().map(|row| row.get::<_, Vec<i64>>(0).into_iter().map(place).collect()).collect())
}

async fn verdicts(of: Matched<'_>, known: &mut Known, note: &mut impl FnMut(&str)) -> Result<(), TransformError> {
    let Some((_, seed, span)) = &of.matching.verdicts else { return Ok(()) };
    let names: Vec<&str> = of.members.iter().map(|member| member.node.name.as_str()).collect();
    let rows = of.client.query_typed(&statements::verdicts(seed), &[(&names, Type::TEXT_ARRAY)]).await;
    let rows = rows.map_err(|error| PostgresError::server(format!("read the verdicts of {seed}"), error))?;
    let (mut wrong, mut absent) = (0, 0);
    for row in &rows {
        let pair = row.get::<_, Option<i64>>(0).zip(row.get::<_, Option<i64>>(1));
        let verdict: Option<&str> = row.get(2);
        match (pair, verdict, row.get::<_, Option<bool>>(3)) {
            (_, Some("same" | "different"), Some(false) | None) | (_, None, _) => wrong += 1,
            (None, Some("same" | "different"), Some(true)) => absent += 1,
            (Some((left, right)), Some("same"), _) => known.same.push((place(left), place(right))),
            (Some((left, right)), Some("different"), _) => known.different.push((place(left), place(right))),
            (_, Some(_), _) => wrong += 1,
        }
    }
    if absent > 0 {
        note(&format!("{absent} verdicts speak of keys that are not there"));
    }
    if wrong == 0 {
        return Ok(());
    }
    let message = format!("{wrong} verdicts of {seed} name no member, or are neither same nor different");
    let hint = format!("members are {}", names.join(", "));
    let mistake = Diagnostic::error(Code::CrosswalkConflict, message).at(span.clone()).hint(hint);
    Err(TransformError::Project(Box::new(mistake)))
}

async fn write(
    of: Matched<'_>,
    (found, moved): (&Clusters, &[Moved]),
    sequence: &str,
) -> Result<Tally, TransformError> {
    let Matched { client, action, members, .. } = of;
    client.batch_execute(&statements::create_clusters(&action.id_type)).await.map_err(|error| failed(action, error))?;
    let number = |row: usize| i64::try_from(row).unwrap_or(-1);
    for some in moved.chunks(AT_ONCE) {
        let rows: Vec<i64> = some.iter().map(|moved| number(moved.row)).collect();
        let anchors: Vec<i64> = some.iter().map(|moved| number(moved.anchor)).collect();
        let keepers: Vec<i64> = some.iter().map(|moved| moved.keeper.map_or(-1, number)).collect();
        let lists: [(&(dyn ToSql + Sync), Type); 3] =
            [(&rows, Type::INT8_ARRAY), (&anchors, Type::INT8_ARRAY), (&keepers, Type::INT8_ARRAY)];
        let filled = client.execute_typed(&statements::plain("fill_clusters"), &lists).await;
        filled.map_err(|error| failed(action, error))?;
    }
    execute(client, action, &statements::plain("kept_ids")).await?;
    execute(client, action, &statements::new_ids(sequence, &action.id_type)).await?;
    let doing = format!("check the ids of {}", action.node.name);
    let taken = count(client, (&doing, &statements::taken(&action.node.target, &action.node.column))).await?;
    if let (1.., Some(member)) = (taken, action.node.members.first()) {
        let message = format!("{taken} new ids are those of rows that {} has already", action.node.target);
        return Err(refused(member, Code::CrosswalkConflict, message, super::checks::SEQUENCE_BEHIND));
    }
    let mut tally = Tally::default();
    for member in members {
        tally.inserted += execute(client, action, &statements::insert_ids(member)).await?;
        tally.updated += execute(client, action, &statements::change_ids(member, &action.node.name)).await?;
    }
    keep_links(of, found).await?;
    Ok(tally)
}

async fn keep_links(of: Matched<'_>, found: &Clusters) -> Result<(), TransformError> {
    let (name, number) = (of.action.node.name.as_str(), |row: usize| i64::try_from(row).unwrap_or(-1));
    let rule = |because: &Because| match because {
        Because::Verdict => "",
        Because::Rule(place) => of.matching.rules.get(*place).map_or("", |rule| rule.name.as_str()),
    };
    for some in found.links.chunks(AT_ONCE) {
        let lefts: Vec<i64> = some.iter().map(|(left, _, _)| number(*left)).collect();
        let rights: Vec<i64> = some.iter().map(|(_, right, _)| number(*right)).collect();
        let rules: Vec<&str> = some.iter().map(|(_, _, because)| rule(because)).collect();
        let parameters: [(&(dyn ToSql + Sync), Type); 4] =
            [(&name, Type::TEXT), (&lefts, Type::INT8_ARRAY), (&rights, Type::INT8_ARRAY), (&rules, Type::TEXT_ARRAY)];
        let kept = of.client.execute_typed(&statements::plain("keep_links"), &parameters).await;
        kept.map_err(|error| failed(of.action, error))?;
    }
    Ok(())
}
