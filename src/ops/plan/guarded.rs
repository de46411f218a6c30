//! A session for templates that ask the database in the middle of a plan's transaction: they may do everything but end
//! it, as what came before would then stay.

use std::sync::Arc;

use crate::manifest::jinja::{Answer, Server, ServerRefused};

/// First words of statements that begin or end transactions.
const CONTROL: [&str; 9] = ["begin", "start", "commit", "end", "rollback", "abort", "savepoint", "release", "prepare"];

#[derive(Debug)]
pub(super) struct Guarded(pub Arc<dyn Server>);

impl Server for Guarded {
    fn query(&self, sql: &str) -> Result<Answer, ServerRefused> {
        if sql.split(';').any(|statement| CONTROL.contains(&first_word(statement).as_str())) {
            let message = "a template that begins or ends a transaction is not carried out by plan --diff";
            return Err(ServerRefused { message: message.to_owned(), source: message.into() });
        }
        self.0.query(sql)
    }
}

/// The first word outside of comments, in lower case.
fn first_word(statement: &str) -> String {
    let mut rest = statement.trim_start();
    loop {
        let end = if rest.starts_with("--") {
            rest.find('\n').map(|end| end + 1)
        } else if rest.starts_with("/*") {
            rest.find("*/").map(|end| end + 2)
        } else {
            break;
        };
        let Some(end) = end else { return String::new() };
        rest = rest[end..].trim_start();
    }
    rest.chars().take_while(char::is_ascii_alphabetic).collect::<String>().to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::first_word;

    #[test]
    fn a_statement_is_known_by_its_first_word() {
        assert_eq!(first_word(" -- why\n /* so */ COMMIT"), "commit");
        assert_eq!(first_word("select case when true then 1 end"), "select");
        assert_eq!(first_word("-- nothing"), "");
    }
}
