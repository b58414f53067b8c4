//! The browsers that a user signed in with before.

use serde::{Deserialize, Serialize};

use crate::model::as_of::AsOf;

/// The device cookie: the users for whom a browser is known, the latest first. It signs no one in: it only lets
/// attempts for a known name count on their own.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Devices {
    #[serde(rename = "d")]
    pub(crate) known: Vec<Device>,
}

/// One user who signed in with this browser, by one name.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Device {
    pub(crate) id: String,
    #[serde(rename = "s")]
    pub(crate) subject: String,
    /// The hash of the exact name: a name that is merely similar may be another user's.
    #[serde(rename = "n")]
    pub(crate) name: String,
    #[serde(rename = "v")]
    pub(crate) as_of: AsOf,
}
