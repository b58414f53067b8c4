//! Which scopes a user may grant, by the author's own rule.

use serde_json::{Map, Value};

use crate::model::scope::Scope;

/// A user who is about to grant a client something: what [`Builder::narrow_scopes`](crate::Builder::narrow_scopes) decides
/// by.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Granting<'a> {
    /// The client.
    pub client_id: &'a str,
    /// The user, by the `sub` of their claims.
    pub subject: &'a str,
    /// All that is asked for, within what the client may ask for.
    pub asked: &'a Scope,
    pub(crate) claims: &'a Map<String, Value>,
}

impl Granting<'_> {
    /// A claim of the user, as it is now; null where they have none of this name.
    #[must_use]
    pub fn claim(&self, name: &str) -> &Value {
        self.claims.get(name).unwrap_or(&Value::Null)
    }
}

/// The author's function: whether this user may grant this scope.
pub(crate) type Narrow = dyn Fn(&Granting<'_>, &str) -> bool + Send + Sync;
