//! What the pages say.

use std::borrow::Cow;
use std::collections::BTreeMap;

/// All sentences of the pages, in one language.
#[derive(Clone, Debug)]
pub struct Texts {
    /// BCP 47
    pub language: Cow<'static, str>,
    /// Title.
    pub cannot_go_on: Cow<'static, str>,
    /// Title.
    pub went_wrong: Cow<'static, str>,
    /// Sign in.
    pub sign_in: Cow<'static, str>,
    /// Scopes in this language.
    pub scopes: BTreeMap<String, String>,
}

impl Texts {
    /// English.
    pub fn english() -> Self {
        Texts {
            language: "en".into(),
            cannot_go_on: "This sign-in cannot go on".into(),
            went_wrong: "Something went wrong here".into(),
            sign_in: "Sign in".into(),
            scopes: BTreeMap::new(),
        }
    }
    /// German.
    pub fn german() -> Self {
        Texts { language: "de".into(), ..Texts::english() }
    }
    pub(crate) fn check(&self) -> Result<(), String> {
        Ok(())
    }
}
