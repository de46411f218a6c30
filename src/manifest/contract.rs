//! `contract: {enforced: true}`: a model's SELECT has to give what its YAML declares.

use serde_json::Value;

use super::ColumnNode;
use super::config::Settled;
use crate::diagnostic::{Code, Diagnostic};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Contract {
    #[default]
    Absent,
    Enforced,
}

impl Settled {
    pub(super) fn contract(&mut self, columns: &[ColumnNode]) -> Contract {
        let Some(setting) = self.get("contract").cloned() else { return Contract::Absent };
        let enforced = match &setting.value {
            Value::Bool(enforced) => Some(*enforced),
            Value::Object(map) => match map.get("enforced") {
                None | Some(Value::Null) => Some(false),
                Some(enforced) => enforced.as_bool(),
            },
            Value::Null | Value::Number(_) | Value::String(_) | Value::Array(_) => None,
        };
        match enforced {
            Some(false) => return Contract::Absent,
            Some(true) => {}
            None => {
                self.bad(&setting, "\"contract\" must be a map with \"enforced\", true or false".to_owned());
                return Contract::Absent;
            }
        }
        if columns.is_empty() {
            self.bad(&setting, "a contract needs \"columns\" in the model's YAML".to_owned());
        }
        for column in columns.iter().filter(|column| column.data_type.is_none()) {
            let message = format!("the contract needs a \"data_type\" of column \"{}\"", column.name.as_str());
            self.mistakes.push(Diagnostic::error(Code::BadConfig, message).at(column.declared_at.clone()));
        }
        Contract::Enforced
    }
}
