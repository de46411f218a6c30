//! `why`: what one id of the target stands for, as lines or JSON.

use clap::Args;
use serde_json::{Value, json};

use crate::cli::Door;
use crate::ops::OpError;
use crate::ops::why::{self, Values, Why};
use crate::state::crosswalk::MemberKey;

#[derive(Debug, Args)]
pub(super) struct WhyArguments {
    /// The crosswalk, such as person
    #[arg(value_name = "ENTITY")]
    pub entity: String,
    /// The id in the target
    #[arg(value_name = "ID")]
    pub id: String,
    /// Also print what the rules compare, which may be confidential
    #[arg(long)]
    pub show_values: bool,
}

pub(super) async fn why(door: &Door, arguments: &WhyArguments) -> Result<u8, OpError> {
    let values = if arguments.show_values { Values::Shown } else { Values::Hidden };
    let found = why::why(&door.workspace()?, (&arguments.entity, &arguments.id), values).await?;
    match door.is_json() {
        true => door.terminal.print(&as_json(arguments, &found).to_string()),
        false => lines(arguments, &found).iter().for_each(|line| door.terminal.print(line)),
    }
    Ok(0)
}

fn name((member, key): &MemberKey) -> String {
    format!("{member} {key}")
}

fn lines(arguments: &WhyArguments, found: &Why) -> Vec<String> {
    let keys = match found.members.len() {
        1 => "1 key".to_owned(),
        many => format!("{many} keys"),
    };
    let mut lines = vec![format!("{} {}: {keys}", arguments.entity, arguments.id)];
    lines.extend(found.members.iter().map(|key| format!("  {}", name(key))));
    for link in &found.links {
        let because = match &link.rule {
            Some(rule) => format!("rule {rule}"),
            None => "a verdict".to_owned(),
        };
        lines.push(format!("  {} and {}: {because}, {:.0}", name(&link.left), name(&link.right), link.linked_at));
    }
    for change in &found.changes {
        let (key, at) = (name(&change.key), change.changed_at);
        lines.push(format!("  {key}: from {} to {}, by a verdict, {at:.0}", change.old_id, change.new_id));
    }
    for evidence in &found.evidence {
        let values: Vec<&str> = evidence.values.iter().map(|value| value.as_deref().unwrap_or("NULL")).collect();
        lines.push(format!("  {}: {} is {}", name(&evidence.key), evidence.rule, values.join(", ")));
    }
    lines
}

fn as_json(arguments: &WhyArguments, found: &Why) -> Value {
    let key = |(member, key): &MemberKey| json!({ "member": member, "source_key": key });
    json!({
        "entity": arguments.entity,
        "target_id": arguments.id,
        "members": found.members.iter().map(key).collect::<Vec<_>>(),
        "links": found.links.iter().map(|link| json!({
            "left": key(&link.left),
            "right": key(&link.right),
            "rule": link.rule,
            "linked_at": link.linked_at,
        })).collect::<Vec<_>>(),
        "changes": found.changes.iter().map(|change| json!({
            "key": key(&change.key),
            "old_id": change.old_id,
            "new_id": change.new_id,
            "changed_at": change.changed_at,
        })).collect::<Vec<_>>(),
        "evidence": found.evidence.iter().map(|evidence| json!({
            "key": key(&evidence.key),
            "rule": evidence.rule,
            "values": evidence.values,
        })).collect::<Vec<_>>(),
    })
}
