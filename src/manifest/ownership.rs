//! Whose rows and values of an application's table count, where a model and the application both have a say.

use serde_json::Value;

use super::config::Settled;

/// `adopt`: rows of a model's keys that the application inserted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Foreign {
    /// They are never written.
    #[default]
    Leave,
    /// They become the model's own.
    Adopt,
}

/// `on_conflict`: columns of a model's own rows that were edited since it wrote them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnConflict {
    #[default]
    Ours,
    Theirs,
    Fail,
}

/// `triggers`: those of the application's table, while a model writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Triggers {
    #[default]
    On,
    /// Disabled one by one within the transaction.
    Off,
}

impl Settled {
    pub(super) fn triggers(&mut self) -> Triggers {
        let Some(setting) = self.get("triggers").cloned() else { return Triggers::On };
        match &setting.value {
            Value::Bool(true) => Triggers::On,
            Value::Bool(false) => Triggers::Off,
            Value::String(text) if text == "on" => Triggers::On,
            Value::String(text) if text == "off" => Triggers::Off,
            Value::Null | Value::String(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
                self.bad(&setting, "\"triggers\" must be on or off".to_owned());
                Triggers::On
            }
        }
    }

    pub(super) fn foreign(&mut self) -> Foreign {
        match self.switch("adopt") {
            Some(true) => Foreign::Adopt,
            Some(false) | None => Foreign::Leave,
        }
    }

    pub(super) fn on_conflict(&mut self) -> OnConflict {
        match self.text("on_conflict").as_deref() {
            None | Some("ours") => OnConflict::Ours,
            Some("theirs") => OnConflict::Theirs,
            Some("fail") => OnConflict::Fail,
            Some(other) => {
                self.bad_choice("on_conflict", other, &["ours", "theirs", "fail"]);
                OnConflict::Ours
            }
        }
    }
}
