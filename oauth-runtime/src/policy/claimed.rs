//! The claims of a token, wherever they are kept.

use std::borrow::Cow;

use serde_json::{Map, Value as Json};

/// The claims that a rule is decided over.
#[derive(Clone, Copy)]
pub(crate) struct Claimed<'a> {
    pub(crate) claims: &'a Map<String, Json>,
    /// Claims that are not among them.
    pub(crate) beside: Option<&'a dyn Beside>,
}

/// Claims that are kept in fields of their own, and turned into JSON only on demand.
pub(crate) trait Beside {
    /// The claim of this name.
    fn claim(&self, name: &str) -> Option<Json>;
}

impl<'a> Claimed<'a> {
    /// The claim of this name, or below these names.
    pub(crate) fn get(&self, name: &[&str]) -> Option<Cow<'a, Json>> {
        let (first, below) = name.split_first()?;
        match self.claims.get(*first) {
            Some(claim) => below.iter().try_fold(claim, |claim, name| claim.as_object()?.get(*name)).map(Cow::Borrowed),
            // None of them is an object.
            None if below.is_empty() => self.beside?.claim(first).map(Cow::Owned),
            None => None,
        }
    }
}
