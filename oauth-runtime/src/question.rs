//! What is asked of a person after the password.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One more thing to ask.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Question {
    text: String,
    choices: Vec<(String, String)>,
    remembered: Value,
}

impl Question {
    /// A short code.
    pub fn code(text: impl Into<String>) -> Self {
        Question { text: text.into(), choices: Vec::new(), remembered: Value::Null }
    }
    /// One of several.
    pub fn choice<V: Into<String>, L: Into<String>>(
        text: impl Into<String>,
        choices: impl IntoIterator<Item = (V, L)>,
    ) -> Self {
        Question {
            text: text.into(),
            choices: choices.into_iter().map(|(v, l)| (v.into(), l.into())).collect(),
            remembered: Value::Null,
        }
    }
    /// Comes back with the answer.
    pub fn remember(mut self, value: Value) -> Self {
        self.remembered = value;
        self
    }
    /// The text.
    pub fn text(&self) -> &str {
        &self.text
    }
    pub(crate) fn remembered(&self) -> &Value {
        &self.remembered
    }
    pub(crate) fn check(&self) -> Result<(), &'static str> {
        Ok(())
    }
}
