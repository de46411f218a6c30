//! What dbt's project file says about dbt itself: the versions that it is for are checked, and what has no effect here is
//! told in one line each, so that nothing is passed over in silence.

use super::fields::{Fields, Reader};
use super::yaml::{Yaml, YamlValue};
use crate::diagnostic::{Code, Diagnostic};

/// The version of dbt whose language this is.
pub const DBT_VERSION: &str = "1.11.0";

/// Keys of the project file, and why they do nothing.
const KEYS: &[(&str, &str)] = &[
    ("query-comment", "statements carry the name of their node as application_name instead"),
    ("asset-paths", "the documentation takes no files along"),
    ("log-path", "the log goes to stderr; --log-format json is for machines"),
];

/// Flags that would change what a command does, and what to give it instead; others are about dbt's own inside.
const FLAGS: &[(&str, &str)] = &[
    ("fail_fast", "give --fail-fast"),
    ("indirect_selection", "give --indirect-selection"),
    ("log_format", "give --log-format"),
    ("log_level", "give --log-level"),
    ("store_failures", "write it under data_tests:"),
    ("warn_error", "give --warn-error"),
    ("warn_error_options", "give --warn-error-options"),
];

/// Reports them at their places.
pub(super) fn tell(reader: &mut Reader, fields: &Fields<'_>) {
    if let Some(wanted) = fields.get("require-dbt-version") {
        check_version(reader, wanted);
    }
    for (key, instead) in KEYS {
        if let Some(yaml) = fields.get(key).filter(|yaml| yaml.value != YamlValue::Null) {
            report(reader, yaml, (key, instead));
        }
    }
    let YamlValue::Map(flags) = fields.get("flags").map_or(&YamlValue::Null, |yaml| &yaml.value) else { return };
    for (key, value) in flags {
        let found = FLAGS.iter().find(|(name, _)| *name == key.name);
        if let Some(known) = found.filter(|_| !matches!(value.value, YamlValue::Null | YamlValue::Bool(false))) {
            report(reader, value, *known);
        }
    }
}

fn report(reader: &mut Reader, yaml: &Yaml, (key, instead): (&str, &str)) {
    let span = reader.span(&yaml.range);
    let warning = Diagnostic::warning(Code::UnknownKey, format!("\"{key}\" has no effect here"));
    reader.report(warning.at(span).hint(instead));
}

/// One condition, several with commas, or a list of them; all must hold.
fn check_version(reader: &mut Reader, wanted: &Yaml) {
    let texts = match &wanted.value {
        YamlValue::List(items) => items.iter().filter_map(|item| reader.scalar(item)).collect(),
        YamlValue::Null | YamlValue::Bool(_) | YamlValue::Number(_) | YamlValue::Text(_) | YamlValue::Map(_) => {
            vec![reader.scalar(wanted).unwrap_or_default()]
        }
    };
    let unmet = texts.iter().flat_map(|text| text.split(',')).find(|condition| holds(condition) == Some(false));
    if let Some(unmet) = unmet {
        let message = format!("the project asks for dbt {}, and this is the language of {DBT_VERSION}", unmet.trim());
        let span = reader.span(&wanted.range);
        reader.report(Diagnostic::error(Code::BadValue, message).at(span).hint("widen \"require-dbt-version\""));
    }
}

/// [`None`] where it is no condition on versions.
fn holds(condition: &str) -> Option<bool> {
    let condition = condition.trim();
    let number = condition.trim_start_matches(['>', '<', '=', '!']);
    let (ours, theirs) = (version(DBT_VERSION)?, version(number)?);
    Some(match &condition[..condition.len() - number.len()] {
        ">=" => ours >= theirs,
        ">" => ours > theirs,
        "<=" => ours <= theirs,
        "<" => ours < theirs,
        "!=" => ours != theirs,
        "" | "=" | "==" => ours[..2] == theirs[..2],
        _ => return None,
    })
}

/// Three numbers; what comes after them, as in `1.0.0rc1`, does not count.
fn version(text: &str) -> Option<[u32; 3]> {
    let mut numbers = [0; 3];
    for (number, part) in numbers.iter_mut().zip(text.trim().split('.')) {
        let digits = part.find(|letter: char| !letter.is_ascii_digit()).map_or(part, |end| &part[..end]);
        *number = digits.parse().ok()?;
    }
    Some(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_on_versions_holds_or_not() {
        let held = [">=1.0.0", "<2.0.0", "1.11", "!=1.10.1", "=1.11.0", ">1.9.0rc1"];
        assert!(held.iter().all(|condition| holds(condition) == Some(true)));
        let broken = [">=2.0.0", "<1.11.0", "1.5.0", ">1.11.0"];
        assert!(broken.iter().all(|condition| holds(condition) == Some(false)));
        assert_eq!(holds("any"), None);
    }
}
