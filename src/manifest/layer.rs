//! How a setting of a narrower place lies over that of a wider one, by dbt's rules: hooks add up, some maps are joined key
//! by key, grants may add roles, and everything else is replaced.

use serde_json::{Map, Value};

use crate::project::Setting;

/// What is done to a setting that is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Joining {
    Replace,
    /// Lists one after the other, the wider place's first.
    Append,
    /// The narrower place's keys over the wider one's.
    Update,
    /// As [`Joining::Update`], but a key with `+` adds to the list that is there.
    Grants,
}

/// `tags`, which add up as well, are kept elsewhere.
fn joining(key: &str) -> Joining {
    match key {
        "pre_hook" | "post_hook" => Joining::Append,
        "meta" | "docs" | "contract" | "column_types" => Joining::Update,
        "grants" => Joining::Grants,
        _ => Joining::Replace,
    }
}

/// The setting `above` over what is there; its place is the narrower one.
pub(super) fn laid(key: &str, below: Option<&Setting>, above: &Setting) -> Setting {
    let below = below.map(|setting| &setting.value).filter(|value| !value.is_null());
    let value = match (joining(key), below, &above.value) {
        (Joining::Append, below, above) => {
            Value::Array(below.into_iter().chain([above]).flat_map(items).cloned().collect())
        }
        (Joining::Update, Some(Value::Object(below)), Value::Object(above)) => {
            Value::Object(below.iter().chain(above).map(|(key, value)| (key.clone(), value.clone())).collect())
        }
        (Joining::Grants, below, Value::Object(above)) => {
            let below = below.and_then(Value::as_object).cloned().unwrap_or_default();
            Value::Object(granted(below, above))
        }
        (Joining::Replace | Joining::Update | Joining::Grants, _, above) => above.clone(),
    };
    Setting { value, span: above.span.clone() }
}

/// One hook is a list of one; nothing is none.
fn items(value: &Value) -> &[Value] {
    match value {
        Value::Array(items) => items,
        Value::Null => &[],
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => std::slice::from_ref(value),
    }
}

fn granted(mut all: Map<String, Value>, above: &Map<String, Value>) -> Map<String, Value> {
    for (written, roles) in above {
        let privilege = written.trim_start_matches('+');
        let adds = written.starts_with('+');
        let kept = all.get(privilege).filter(|_| adds).map(items).unwrap_or_default();
        let roles: Vec<Value> = kept.iter().chain(items(roles)).cloned().collect();
        all.insert(privilege.to_owned(), Value::Array(roles));
    }
    all
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::*;
    use crate::diagnostic::{SourceFile, Span};

    fn joined(key: &str, layers: &[Value]) -> Value {
        let file = Arc::new(SourceFile { path: "dbt_project.yml".into(), text: String::new(), written: None });
        let settings = layers.iter().map(|value| Setting { value: value.clone(), span: Span::whole(&file) });
        let all = settings.fold(None, |below: Option<Setting>, above| Some(laid(key, below.as_ref(), &above)));
        all.map(|setting| setting.value).unwrap_or_default()
    }

    #[test]
    fn hooks_add_up_with_the_outermost_first() {
        let layers = [json!("one"), json!(["two", {"sql": "three", "transaction": false}]), json!(null), json!("four")];
        let all = json!(["one", "two", {"sql": "three", "transaction": false}, "four"]);
        assert_eq!(joined("post_hook", &layers), all);
        assert_eq!(joined("pre_hook", &[json!("one")]), json!(["one"]));
    }

    #[test]
    fn maps_are_joined_and_grants_may_add_roles() {
        let metas = [json!({"owner": "a", "team": {"x": 1}}), json!({"team": {"y": 2}})];
        assert_eq!(joined("meta", &metas), json!({"owner": "a", "team": {"y": 2}}));
        let grants =
            [json!({"+select": "a", "insert": ["b"]}), json!({"+select": ["c"], "insert": "d", "delete": "e"})];
        assert_eq!(joined("grants", &grants), json!({"select": ["a", "c"], "insert": ["d"], "delete": ["e"]}));
        assert_eq!(joined("grants", &[json!({"select": "a"}), json!({"select": []})]), json!({"select": []}));
    }

    #[test]
    fn other_settings_are_replaced() {
        assert_eq!(joined("unique_key", &[json!(["a"]), json!("b")]), json!("b"));
        assert_eq!(
            joined("persist_docs", &[json!({"relation": true}), json!({"columns": true})]),
            json!({"columns": true})
        );
    }
}
