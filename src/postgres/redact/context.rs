//! Takes row values out of CONTEXT, which has a line for every level of the server's call stack.
//!
//! A line that is not known is left out; a quoted text that runs over several lines is left out whole.

/// The known lines, without what they quote; nothing when no line is known.
pub fn redact(context: &str) -> Option<String> {
    let mut kept = Vec::new();
    let mut in_quotes = false;
    for line in context.lines() {
        if in_quotes {
            in_quotes = !line.ends_with('"');
            continue;
        }
        let Some(line_kept) = copy(line).or_else(|| call(line)) else {
            // What follows an unknown line could be the rest of its value.
            break;
        };
        in_quotes = opens_quotes(line);
        kept.push(line_kept);
    }
    (!kept.is_empty()).then(|| kept.join("\n"))
}

/// Whether a quoted value or statement begins in this line and goes on in the next.
fn opens_quotes(line: &str) -> bool {
    line.split_once(": \"").or_else(|| line.split_once("statement \"")).is_some_and(|(_, rest)| !rest.ends_with('"'))
}

/// `COPY labors, line 3, column email: "…"` up to the value.
fn copy(line: &str) -> Option<String> {
    let rest = line.strip_prefix("COPY ")?;
    let at = rest.find(", line ")?;
    let (table, rest) = (&rest[..at], &rest[at + ", line ".len()..]);
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let (number, rest) = rest.split_at(digits);
    let column = rest.strip_prefix(", column ").map(|rest| rest.split(": ").next().unwrap_or(rest));
    let known = !number.is_empty() && (rest.is_empty() || rest.starts_with(": ") || column.is_some());
    known.then(|| match column {
        Some(column) => format!("COPY {table}, line {number}, column {column}"),
        None => format!("COPY {table}, line {number}"),
    })
}

/// The levels of function calls; the text of a statement that a function put together is left out.
fn call(line: &str) -> Option<String> {
    if line.starts_with("SQL statement \"") {
        return Some("SQL statement".to_owned());
    }
    let known = ["PL/pgSQL function ", "SQL function \"", "while inserting index tuple ", "while updating tuple "];
    let is_known = known.iter().any(|start| line.starts_with(start)) && !line.contains(": ");
    is_known.then(|| line.to_owned())
}
