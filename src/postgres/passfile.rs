//! The password file, `.pgpass`: `host:port:database:user:password`, the first line that fits wins.
//!
//! A file that others could read is not trusted, as in libpq; a backslash keeps the next `:` or `\` literal.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// What a line must fit; each of its fields may be `*`.
pub struct Wanted<'a> {
    pub host: &'a str,
    pub port: &'a str,
    pub dbname: &'a str,
    pub user: &'a str,
}

/// The password of the first line that fits; none when the file is absent, not plain, or open to others.
pub fn find(path: &Path, wanted: &Wanted<'_>) -> Option<String> {
    let metadata = std::fs::metadata(path).ok()?;
    if !metadata.is_file() {
        return None;
    }
    if metadata.permissions().mode() & 0o077 != 0 {
        tracing::warn!(
            path = %path.display(),
            "password file has group or world access and is ignored; permissions should be u=rw (0600) or less"
        );
        return None;
    }
    let text = std::fs::read_to_string(path).ok()?;
    text.lines().filter(|line| !line.starts_with('#')).find_map(|line| password(line, wanted))
}

fn password(line: &str, wanted: &Wanted<'_>) -> Option<String> {
    let fields = fields(line);
    let [host, port, dbname, user, password] = fields.as_slice() else {
        return None;
    };
    let pairs = [(host, wanted.host), (port, wanted.port), (dbname, wanted.dbname), (user, wanted.user)];
    pairs.into_iter().all(|(field, value)| field.fits(value)).then(|| password.text.clone())
}

#[derive(Default)]
struct Field {
    text: String,
    /// Whether a backslash stood in it: `\*` is a star and not a wildcard.
    escaped: bool,
}

impl Field {
    fn fits(&self, value: &str) -> bool {
        (self.text == "*" && !self.escaped) || self.text == value
    }
}

/// Splits at the first four bare colons; the password keeps every later one.
fn fields(line: &str) -> Vec<Field> {
    let mut fields = vec![Field::default()];
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        let count = fields.len();
        let Some(field) = fields.last_mut() else {
            break;
        };
        match character {
            ':' if count < 5 => fields.push(Field::default()),
            '\\' => {
                field.escaped = true;
                field.text.extend(characters.next());
            }
            other => field.text.push(other),
        }
    }
    fields
}
