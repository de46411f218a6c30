//! `show`: rows as a table or as JSON, on stdout because they are what was asked for.

use clap::Args;
use comfy_table::{ContentArrangement, Table, presets};
use serde_json::{Value, json};

use crate::cli::arguments::SelectionArguments;
use crate::cli::retry::DeferArguments;
use crate::cli::{Door, retry, stop_signal};
use crate::ops::OpError;
use crate::ops::show::{self, Preview, PreviewColumn, ShowRequest, Shown};

#[derive(Debug, Args)]
pub(super) struct ShowArguments {
    #[command(flatten)]
    pub selection: SelectionArguments,
    #[command(flatten)]
    pub defer: DeferArguments,
    /// A query of your own, with ref() and source() as in a model: "select * from {{ ref('person') }}"
    #[arg(long, value_name = "SQL", conflicts_with_all = ["select", "exclude"])]
    pub inline: Option<String>,
    /// How many rows to show; -1 shows all
    #[arg(long, value_name = "N", default_value_t = 5, allow_negative_numbers = true)]
    pub limit: i64,
}

pub(super) async fn show(door: &Door, arguments: &ShowArguments) -> Result<u8, OpError> {
    let what = match (&arguments.inline, arguments.selection.select.is_empty()) {
        (Some(_), _) => Shown::Inline,
        (None, false) => Shown::Nodes(arguments.selection.clone().into()),
        (None, true) => {
            return Err(OpError::usage("nothing is named to be shown", "use --select NAME, or --inline \"select …\""));
        }
    };
    let defer = retry::defer(&arguments.defer, arguments.selection.state.as_ref())?;
    let workspace = door.workspace_with(arguments.inline.as_deref())?;
    let request = ShowRequest { what, limit: u64::try_from(arguments.limit).ok(), defer };
    let previews = show::show(&workspace, &request, stop_signal(door.terminal)).await?;
    for (at, preview) in previews.iter().enumerate() {
        if door.is_json() {
            door.terminal.print(&as_json(preview).to_string());
            continue;
        }
        if at > 0 {
            door.terminal.print("");
        }
        if let Some(node) = &preview.node {
            door.terminal.print(&format!("{node}:"));
        }
        door.terminal.print(&as_table(preview));
    }
    Ok(0)
}

fn as_table(preview: &Preview) -> String {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(preview.columns.iter().map(|column| &column.name));
    for row in &preview.rows {
        table.add_row(row.iter().map(|value| value.as_deref().unwrap_or("∅")));
    }
    table.to_string()
}

fn as_json(preview: &Preview) -> Value {
    let rows = preview.rows.iter().map(|row| {
        let values = preview.columns.iter().zip(row);
        values.map(|(column, value)| (column.name.clone(), typed(column, value.as_deref()))).collect::<Value>()
    });
    json!({ "node": preview.node, "show": rows.collect::<Vec<_>>() })
}

/// Numbers, booleans and JSON as themselves where nothing of them would be lost; everything else as PostgreSQL's text.
fn typed(column: &PreviewColumn, value: Option<&str>) -> Value {
    let Some(text) = value else { return Value::Null };
    let parsed: Option<Value> = match column.type_name.as_str() {
        "bool" => Some(Value::Bool(text == "t")),
        "json" | "jsonb" => serde_json::from_str(text).ok(),
        "int2" | "int4" | "int8" | "float4" | "float8" | "numeric" => {
            serde_json::from_str(text).ok().filter(|number: &Value| plain(&number.to_string()) == plain(text))
        }
        _ => None,
    };
    parsed.unwrap_or_else(|| text.into())
}

/// A number's digits without the zeros at the end of its fraction.
fn plain(number: &str) -> &str {
    if number.contains('.') { number.trim_end_matches('0').trim_end_matches('.') } else { number }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_stays_a_number_only_where_it_stays_itself() {
        let show = |type_name: &str, text: &str| {
            typed(&PreviewColumn { name: "x".to_owned(), type_name: type_name.to_owned() }, Some(text)).to_string()
        };
        assert_eq!(show("int8", "9007199254740993"), "9007199254740993");
        assert_eq!(show("numeric", "1.5"), "1.5");
        assert_eq!(show("numeric", "1.50"), "1.5");
        assert_eq!(show("numeric", "120"), "120");
        assert_eq!(show("numeric", "0.12345678901234567890"), "\"0.12345678901234567890\"");
        assert_eq!(show("float8", "NaN"), "\"NaN\"");
        assert_eq!(show("jsonb", "{\"a\": [1]}"), "{\"a\":[1]}");
        assert_eq!(show("bool", "f"), "false");
        assert_eq!(show("text", "7"), "\"7\"");
    }
}
