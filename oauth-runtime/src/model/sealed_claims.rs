//! The part of an access token that its client cannot read.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::model::claims::OF_GRANT;

/// Claims that travel sealed inside a token, only for this service.
#[derive(Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct SealedClaims(pub(crate) Map<String, Value>);

/// Which claims of a token its client cannot read, whether or not they are in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Hidden {
    Nothing,
    /// The names of its grant and its session.
    Grant,
    /// All but these.
    AllBut(BTreeSet<String>),
}

impl Hidden {
    pub(crate) fn has(&self, claim: &str) -> bool {
        match self {
            Hidden::Nothing => false,
            Hidden::Grant => OF_GRANT.contains(&claim),
            Hidden::AllBut(readable) => !readable.contains(claim),
        }
    }
}
