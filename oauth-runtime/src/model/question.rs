//! A question to a person after the password.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A question after the password: for a code, or for a choice.
///
/// ```
/// use oauth_runtime::Question;
/// use serde_json::json;
///
/// let code = Question::code("Enter the code of your authenticator app");
/// assert_eq!(code.text(), "Enter the code of your authenticator app");
/// assert!(code.choices().is_empty());
///
/// let way = Question::choice("Where shall the code go?", [("sms", "To ...42"), ("mail", "To a...@b.example")])
///     .remember(json!({ "tried": 1 }));
/// assert_eq!(way.choices()[1].value, "mail");
/// ```
#[derive(Clone, Serialize, Deserialize)]
pub struct Question {
    text: String,
    /// Who is asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    subject: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    choices: Vec<Choice>,
    #[serde(default)]
    remembered: Value,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    is_digits: bool,
    /// Other questions that the person may answer instead.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    others: Vec<Other>,
}

/// Another question, and the label of the button that leads to it.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Other {
    label: String,
    question: Question,
}

/// One of the answers to a [`Question`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Choice {
    /// What comes back as the answer.
    pub value: String,
    /// What the person reads.
    pub label: String,
}

impl Question {
    /// Asks for a short code: of an authenticator app, of a message, of a list for emergencies. It may have letters, unless it
    /// is said to have [digits](Question::digits) alone.
    #[must_use]
    pub fn code(text: impl Into<String>) -> Self {
        let (text, remembered) = (text.into(), Value::Null);
        Question { text, subject: None, choices: Vec::new(), remembered, is_digits: false, others: Vec::new() }
    }

    /// The code has digits and nothing else: phones show the keypad for numbers, on which no letter can be typed.
    ///
    /// ```
    /// use oauth_runtime::Question;
    ///
    /// let question = Question::code("Enter the code of your authenticator app").digits();
    /// assert!(question.is_digits() && !Question::code("Enter a recovery code").is_digits());
    /// ```
    #[must_use]
    pub fn digits(mut self) -> Self {
        self.is_digits = true;
        self
    }

    /// Asks for one of 2 to 8 answers, each a value of 1 to 64 bytes and what the person reads.
    #[must_use]
    pub fn choice<V: Into<String>, L: Into<String>>(
        text: impl Into<String>,
        choices: impl IntoIterator<Item = (V, L)>,
    ) -> Self {
        let choices =
            choices.into_iter().map(|(value, label)| Choice { value: value.into(), label: label.into() }).collect();
        Question { choices, ..Question::code(text) }
    }

    /// The user who is asked, by the `sub` of their claims: then answers count for the user, however the name was
    /// spelled, and so does the right password. A question that follows is for the same user.
    ///
    /// ```
    /// use oauth_runtime::Question;
    ///
    /// let question = Question::code("Enter the code of your authenticator app").of("user-17");
    /// assert_eq!(question.subject(), Some("user-17"));
    /// ```
    #[must_use]
    pub fn of(mut self, subject: impl Into<String>) -> Self {
        self.subject = Some(subject.into());
        self
    }

    /// Comes back with the answer, sealed until then: which code was sent, which way was chosen. Up to 4 KiB of JSON.
    #[must_use]
    pub fn remember(mut self, value: impl Into<Value>) -> Self {
        self.remembered = value.into();
        self
    }

    /// Another question that may be answered instead, and the label of the button that leads to it; up to 3. Choosing
    /// it does not count as an answer. Its [`remember`](Question::remember) distinguishes its answers.
    ///
    /// ```
    /// use oauth_runtime::Question;
    ///
    /// let question = Question::code("Enter the code of your authenticator app")
    ///     .or("Use a recovery code", Question::code("Enter a recovery code").remember("recovery"));
    /// assert_eq!(question.others().collect::<Vec<_>>(), ["Use a recovery code"]);
    /// ```
    #[must_use]
    pub fn or(mut self, label: impl Into<String>, question: Question) -> Self {
        self.others.push(Other { label: label.into(), question });
        self
    }

    /// The labels of the buttons that lead to [other questions](Question::or), in their order.
    pub fn others(&self) -> impl Iterator<Item = &str> {
        self.others.iter().map(|other| other.label.as_str())
    }

    /// The other question of this number, from 0.
    pub(crate) fn other(&self, number: usize) -> Option<Question> {
        self.others.get(number).map(|other| other.question.clone())
    }

    /// Whether the code has [digits](Question::digits) alone.
    #[must_use]
    pub fn is_digits(&self) -> bool {
        self.is_digits
    }

    /// What the person reads.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The user who is asked, if that was said.
    #[must_use]
    pub fn subject(&self) -> Option<&str> {
        self.subject.as_deref()
    }

    /// The answers to choose from; empty if a code is asked for.
    #[must_use]
    pub fn choices(&self) -> &[Choice] {
        &self.choices
    }

    pub(crate) fn remembered(&self) -> &Value {
        &self.remembered
    }

    /// For the user of the question before, if it does not name one.
    pub(crate) fn of_the_same(mut self, before: &Question) -> Self {
        self.subject = self.subject.or_else(|| before.subject.clone());
        self
    }

    /// Whether this can be an answer: any code, or one of the choices.
    pub(crate) fn takes(&self, answer: &str) -> bool {
        self.choices.is_empty() || self.choices.iter().any(|choice| choice.value == answer)
    }

    /// Whether it can be asked.
    pub(crate) fn check(&self) -> Result<(), &'static str> {
        if self.text.is_empty() {
            return Err("it has no text");
        }
        if self.others.len() > 3 || self.others.iter().any(|other| other.label.is_empty()) {
            return Err("it can have up to 3 other questions, each with a label");
        }
        self.others.iter().try_for_each(|other| other.question.check())?;
        if self.choices.is_empty() {
            return Ok(());
        }
        if !(2..=8).contains(&self.choices.len()) {
            return Err("it needs 2 to 8 choices");
        }
        if self.choices.iter().any(|choice| !(1..=64).contains(&choice.value.len()) || choice.label.is_empty()) {
            return Err("a choice needs a value of 1 to 64 bytes and a label");
        }
        Ok(())
    }
}

/// Without what is remembered, which may be the code that was sent.
impl fmt::Debug for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Question { text, subject, choices, remembered: _, is_digits: _, others } = self;
        let mut shown = f.debug_struct("Question");
        shown.field("text", text).field("subject", subject).field("choices", choices).field("others", others);
        shown.finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_that_was_sent_is_not_printed() {
        let other = Question::code("From the app").remember("271828");
        let question = Question::code("From the message").of("ada").remember("314159").or("Use the app", other);
        let shown = format!("{question:?}");
        assert!(
            shown.contains("From the message") && shown.contains("ada") && shown.contains("From the app"),
            "{shown}"
        );
        assert!(!shown.contains("314159") && !shown.contains("271828"), "{shown}");
    }

    #[test]
    fn what_cannot_be_asked_is_found() {
        assert_eq!(Question::code("?").check(), Ok(()));
        assert_eq!(Question::choice("?", [("a", "A"), ("b", "B")]).check(), Ok(()));
        for bad in [
            Question::code(""),
            Question::choice("?", [("a", "A")]),
            Question::choice("?", [("a", "A"), ("", "B")]),
            Question::choice("?", [("a", "A"), ("b", "")]),
            Question::choice("?", vec![("a", "A"); 9]),
            Question::code("?").or("", Question::code("?")),
            Question::code("?").or("A", Question::code("")),
            (0..4).fold(Question::code("?"), |question, _| question.or("A", Question::code("?"))),
        ] {
            assert!(bad.check().is_err(), "{bad:?}");
        }
        assert_eq!(Question::code("?").or("A", Question::code("?")).check(), Ok(()));
        let choice = Question::choice("?", [("a", "A"), ("b", "B")]);
        assert!(choice.takes("b") && !choice.takes("c") && Question::code("?").takes("c"));
    }
}
