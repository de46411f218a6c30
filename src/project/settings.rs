//! Connection and store settings as text, secrets among them, so that no `Debug` form shows a value.

use std::collections::BTreeMap;
use std::fmt;

/// Rendered settings by their key as `profiles.yml` spells it (dbt's `pass` is `password`, `database` is `dbname`).
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Settings(pub BTreeMap<String, String>);

impl Settings {
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }
}

/// Keys only: values may be secrets.
impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}
