//! The statements of a run as the server logged them, written out so that psql can send the same again.
//!
//! Bound values go where their parameters stood. Messages that held several statements stay one message each, and a
//! session's statements stay together, one session after the other.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

/// Separates runs in the log; the bench itself sends it.
pub const MARK: &str = "select 'the next run begins'";

/// What was logged before each mark: a script of psql's for each run.
pub fn scripts(log_folder: &Path, database: &str) -> anyhow::Result<Vec<String>> {
    let mut runs = Vec::new();
    let mut sessions = Sessions::default();
    for entry in lines(log_folder)? {
        if entry["dbname"] != database {
            continue;
        }
        let Some(statement) = statement(&entry) else { continue };
        if statement == MARK {
            runs.push(std::mem::take(&mut sessions).script());
        } else {
            sessions.push(entry["session_id"].as_str().unwrap_or_default(), &statement);
        }
    }
    Ok(runs)
}

/// Sessions in the order in which they began, with their messages.
#[derive(Default)]
struct Sessions {
    places: BTreeMap<String, usize>,
    messages: Vec<String>,
}

impl Sessions {
    fn push(&mut self, session: &str, statement: &str) {
        let place = *self.places.entry(session.to_owned()).or_insert_with(|| {
            self.messages.push(String::new());
            self.messages.len() - 1
        });
        let text = &mut self.messages[place];
        // `\;` keeps statements in one message, as they were sent.
        text.push_str(&statement.trim_end().trim_end_matches(';').replace(';', "\\;"));
        text.push_str("\n;\n");
    }

    fn script(self) -> String {
        self.messages.concat()
    }
}

fn lines(log_folder: &Path) -> anyhow::Result<Vec<Value>> {
    let mut files: Vec<_> =
        fs_err::read_dir(log_folder)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<_>>()?;
    files.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    files.sort_unstable();
    let mut entries = Vec::new();
    for file in files {
        let text = fs_err::read_to_string(file)?;
        entries.extend(text.lines().filter_map(|line| serde_json::from_str(line).ok()));
    }
    Ok(entries)
}

/// The SQL of a log line that holds some: `statement: …`, or `execute <name>: …` with its values in the detail.
fn statement(entry: &Value) -> Option<String> {
    let message = entry["message"].as_str()?;
    if let Some(statement) = message.strip_prefix("statement: ") {
        return Some(statement.to_owned());
    }
    let (_, statement) = message.strip_prefix("execute ")?.split_once(": ")?;
    Some(with_values(statement, entry["detail"].as_str().unwrap_or_default()))
}

/// Puts `$1 = 'a', $2 = NULL` of the detail in place of the parameters, the last first: `$1` begins `$10` too.
fn with_values(statement: &str, detail: &str) -> String {
    let mut text = statement.to_owned();
    for (number, value) in values(detail).into_iter().enumerate().rev() {
        text = text.replace(&format!("${}", number + 1), &value);
    }
    text
}

/// The values in the detail's order, quoted as the server quotes them.
fn values(detail: &str) -> Vec<String> {
    let mut values = Vec::new();
    let mut rest = detail;
    while let Some((_, after)) = rest.split_once(" = ") {
        let length = value_length(after);
        values.push(after[..length].to_owned());
        rest = &after[length..];
    }
    values
}

fn value_length(text: &str) -> usize {
    if !text.starts_with('\'') {
        return text.find(',').unwrap_or(text.len());
    }
    let mut quotes = text.char_indices().skip(1).filter(|(_, letter)| *letter == '\'').map(|(at, _)| at).peekable();
    while let Some(at) = quotes.next() {
        // A doubled quote is one of the value's own.
        if quotes.next_if(|next| *next == at + 1).is_none() {
            return at + 1;
        }
    }
    text.len()
}
