//! Our SQL templates: named statements in `.sql` files beside the Rust that fills them in.
//!
//! A file holds statements that begin with a line `-- name: some_statement`. The environment is strict: an undefined
//! name is an error, and so is printing a string that was not quoted by [`quoted`] before. Rust decides, SQL lays out.
//! What several statements ask in the same words stands in `shared.sql`, and is included as `shared/…`.

mod layout;

use std::fmt::Display;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Value, ValueKind};
use minijinja::{Environment, Error, ErrorKind, Output, State, UndefinedBehavior};

/// What the names of shared parts begin with.
const SHARED: &str = "shared/";

/// The statements of one `.sql` file.
pub struct StatementFile {
    environment: Environment<'static>,
}

impl StatementFile {
    /// Splits a file into its named statements. Called once per file, on the text that `include_str!` gave.
    pub fn parse(text: &'static str) -> Self {
        let mut environment = Environment::new();
        environment.set_debug(true);
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_formatter(print_quoted);
        environment.set_syntax(whole_line_tags());
        environment.add_filter("inline", layout::inline);
        environment.add_filter("inline_text", layout::inline_text);
        environment.add_filter("lines", layout::lines);
        environment.add_filter("matching", layout::matching);
        environment.add_filter("setting", layout::setting);
        for (name, body) in sections(include_str!("shared.sql")) {
            environment
                .add_template_owned(format!("{SHARED}{name}"), body)
                .expect("a shared part that ships with the tool parses");
        }
        for (name, body) in sections(text) {
            environment.add_template(name, body).expect("a statement template that ships with the tool parses");
        }
        Self { environment }
    }

    /// Renders one statement. The context comes from the Rust file of the same stem, so a mismatch is a defect of the
    /// tool that the first test to render the statement finds.
    pub fn render(&self, name: &str, context: Value) -> String {
        self.environment
            .get_template(name)
            .and_then(|template| template.render(context))
            .expect("a statement and the context beside it agree")
    }

    /// The names of the statements, for tests that render every one.
    pub fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.environment.templates().map(|(name, _)| name).collect();
        names.retain(|name| !name.starts_with(SHARED));
        names.sort_unstable();
        names
    }
}

/// SQL text that quoted itself (an identifier, a relation, a literal, a whole SELECT), ready to be printed.
pub fn quoted(sql: impl Display) -> Value {
    Value::from_safe_string(sql.to_string())
}

/// A list of pieces that quoted themselves.
pub fn quoted_list<T: Display>(pieces: impl IntoIterator<Item = T>) -> Value {
    pieces.into_iter().map(quoted).collect()
}

/// A tag on a line of its own leaves no blank line behind.
fn whole_line_tags() -> SyntaxConfig {
    SyntaxConfig::builder()
        .trim_blocks(true)
        .lstrip_blocks(true)
        .build()
        .expect("the default delimiters do not collide")
}

fn print_quoted(output: &mut Output, _state: &mut State, value: &Value) -> Result<(), Error> {
    match value.kind() {
        ValueKind::Number => write!(output, "{value}").map_err(Error::from),
        ValueKind::String if value.is_safe() => write!(output, "{value}").map_err(Error::from),
        kind => Err(Error::new(ErrorKind::InvalidOperation, format!("a statement may not print an unquoted {kind}"))),
    }
}

/// The `-- name:` sections of a file, bodies trimmed.
fn sections(text: &'static str) -> impl Iterator<Item = (&'static str, &'static str)> {
    text.split("-- name: ").skip(1).map(|section| {
        let (name, body) = section.split_once('\n').expect("a statement follows its name");
        (name.trim(), body.trim())
    })
}

#[cfg(test)]
mod tests {
    use minijinja::context;

    use super::*;
    use crate::ident::{Ident, Literal};

    const FILE: &str =
        "-- name: rename\nalter table {{ old }}\nrename to {{ new }}\n\n-- name: limit\nselect {{ rows }}\n";

    #[test]
    fn a_statement_is_found_by_its_name() {
        let file = StatementFile::parse(FILE);
        let new = Ident::new("Order").expect("a valid name");
        let text = file.render("rename", context! { old => quoted("a"), new => quoted(new) });
        assert_eq!(text, "alter table a\nrename to \"Order\"");
        assert_eq!(file.render("limit", context! { rows => 5 }), "select 5");
        assert_eq!(quoted(Literal("x'y")).to_string(), "'x''y'");
    }

    #[test]
    #[should_panic(expected = "unquoted string")]
    fn an_unquoted_string_is_refused() {
        StatementFile::parse(FILE).render("limit", context! { rows => "1; drop table person" });
    }

    #[test]
    #[should_panic(expected = "undefined")]
    fn a_name_that_the_context_lacks_is_refused() {
        StatementFile::parse(FILE).render("limit", context! { row => 5 });
    }
}
