//! What becomes of rows that the table which a model merges into would refuse.

use serde_json::Value;

use super::config::Settled;
use crate::manifest::QuarantineLimit;

/// `on_bad_rows`.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum BadRows {
    /// The process fails, and names each rule with its count.
    #[default]
    Fail,
    /// They are set aside and tried again at each run, as long as they are no more than this.
    Quarantine(QuarantineLimit),
}

const EXAMPLE: &str = "write it as in \"quarantine: {max_rows: 100, max_percent: 1}\"";

impl Settled {
    pub(super) fn bad_rows(&mut self) -> BadRows {
        let limit = self.quarantine_limit();
        match self.text("on_bad_rows").as_deref() {
            Some("fail") => BadRows::Fail,
            Some("quarantine") => BadRows::Quarantine(limit.unwrap_or(QuarantineLimit::NONE)),
            Some(other) => {
                self.bad_choice("on_bad_rows", other, &["fail", "quarantine"]);
                BadRows::Fail
            }
            None => limit.map_or(BadRows::Fail, BadRows::Quarantine),
        }
    }

    fn quarantine_limit(&mut self) -> Option<QuarantineLimit> {
        let setting = self.get("quarantine")?.clone();
        let entries = self.map("quarantine");
        let mut limit = QuarantineLimit::NONE;
        for (key, value) in &entries {
            let written = match value {
                Value::String(text) => text.clone(),
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
                    value.to_string()
                }
            };
            let is_read = match key.as_str() {
                "max_rows" => {
                    limit.max_rows = written.replace('_', "").parse().ok();
                    limit.max_rows.is_some()
                }
                "max_percent" => {
                    limit.max_percent = written.parse().ok().filter(|percent| (0.0..=100.0).contains(percent));
                    limit.max_percent.is_some()
                }
                other => {
                    self.bad(&setting, format!("quarantine has no key \"{other}\"")).hint = Some(EXAMPLE.to_owned());
                    continue;
                }
            };
            if !is_read {
                let what = if key == "max_rows" { "number of rows" } else { "percentage" };
                self.bad(&setting, format!("\"{written}\" is no {what}")).hint = Some(EXAMPLE.to_owned());
            }
        }
        if entries.is_empty() {
            self.bad(&setting, "quarantine needs the key \"max_rows\" or \"max_percent\"".to_owned()).hint =
                Some(EXAMPLE.to_owned());
        }
        Some(limit)
    }
}
