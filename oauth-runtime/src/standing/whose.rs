//! Whose record is changed.

use crate::model::Timestamp;
use crate::store::{Key, Kind};

/// Whose record is changed. The record of a user, or of a client in its own name, is changed by their name: it is not in the
/// record, and the clients of a session that ends are notified of it.
#[derive(Clone, Copy)]
pub(crate) struct Whose<'a> {
    pub(crate) key: Key,
    pub(super) subject: Option<&'a str>,
    /// When what leads to the change was made, if it carries no incarnation.
    pub(super) made: Option<Timestamp>,
}

impl Whose<'_> {
    /// By something that was made then: by the memory that there is now, or it may have been spent in one that was lost.
    pub(crate) fn made_at(self, made: Timestamp) -> Self {
        Whose { made: Some(made), ..self }
    }
}

impl<'a> From<&'a str> for Whose<'a> {
    fn from(subject: &'a str) -> Self {
        Whose { key: Key::of(Kind::Subject, subject), subject: Some(subject), made: None }
    }
}

/// For what waits under a code of its own.
impl From<Key> for Whose<'_> {
    fn from(key: Key) -> Self {
        Whose { key, subject: None, made: None }
    }
}
