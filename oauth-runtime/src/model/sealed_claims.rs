//! What of an access token its client cannot read.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Claims that travel sealed inside a token, for this service alone.
#[derive(Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct SealedClaims(pub(crate) Map<String, Value>);
