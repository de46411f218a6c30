//! What a schema says of a document, for the keywords that our schemas use; a real validator reads them in
//! `tests/dbt/check_schemas.sh`.

use serde_json::Value;

/// Every mistake with its place, as an editor would show it.
pub(super) fn mistakes(schema: &Value, document: &Value) -> Vec<String> {
    let mut found = Vec::new();
    evaluate((schema, schema), ("", document), &mut found);
    found
}

fn evaluate((root, schema): (&Value, &Value), (at, value): (&str, &Value), found: &mut Vec<String>) {
    for (keyword, said) in schema.as_object().expect("a schema is a map") {
        match keyword.as_str() {
            "$ref" => {
                let name = said.as_str().and_then(|name| name.strip_prefix("#/$defs/")).expect("a definition");
                evaluate((root, &root["$defs"][name]), (at, value), found);
            }
            "type" => {
                let types: Vec<&str> = match said {
                    Value::Array(types) => types.iter().filter_map(Value::as_str).collect(),
                    one => one.as_str().into_iter().collect(),
                };
                if !types.iter().any(|kind| is_of(kind, value)) {
                    found.push(format!("{at}: {value} is none of {types:?}"));
                }
            }
            "const" if said != value => found.push(format!("{at}: {value} is not {said}")),
            "pattern" if value.as_str().is_some_and(|text| !text.contains("{{")) => {
                found.push(format!("{at}: {value} is no template"));
            }
            "anyOf" => {
                let mut choices = said.as_array().expect("choices are a list").iter();
                let holds = |choice: &Value| {
                    let mut mistakes = Vec::new();
                    evaluate((root, choice), (at, value), &mut mistakes);
                    mistakes.is_empty()
                };
                if !choices.any(holds) {
                    found.push(format!("{at}: {value} is none of the choices"));
                }
            }
            "required" => {
                let lacks = |key: &&Value| value.is_object() && value.get(key.as_str().unwrap_or_default()).is_none();
                let lacking = said.as_array().expect("keys are a list").iter().filter(lacks);
                found.extend(lacking.map(|key| format!("{at}: {key} is not there")));
            }
            "items" => {
                for (place, item) in value.as_array().into_iter().flatten().enumerate() {
                    evaluate((root, said), (&format!("{at}/{place}"), item), found);
                }
            }
            "properties" => {
                for (key, inner) in value.as_object().into_iter().flatten() {
                    if let Some(schema) = said.get(key) {
                        evaluate((root, schema), (&format!("{at}/{key}"), inner), found);
                    }
                }
            }
            "additionalProperties" => {
                let is_listed = |key: &str| schema.get("properties").is_some_and(|listed| listed.get(key).is_some());
                for (key, inner) in value.as_object().into_iter().flatten().filter(|(key, _)| !is_listed(key)) {
                    match said {
                        Value::Bool(false) => found.push(format!("{at}: no key {key} is known")),
                        schema => evaluate((root, schema), (&format!("{at}/{key}"), inner), found),
                    }
                }
            }
            "const" | "pattern" | "$defs" | "$schema" | "$comment" | "title" | "description" => {}
            other => found.push(format!("the evaluator of the tests does not know {other}")),
        }
    }
}

fn is_of(kind: &str, value: &Value) -> bool {
    match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "number" => value.is_number(),
        "integer" => value.is_i64() || value.is_u64(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        _ => false,
    }
}
