//! The browsers that a subject signed in with: one that is no longer listed is unknown.

use super::parts::{Known, Record};
use super::sessions::hour;
use crate::model::Timestamp;
use crate::model::lifetime::LONGEST;

impl Record {
    /// Notes a sign-in with a browser, by a name with this hash. The least recently used browser makes room.
    pub(crate) fn note_device(&mut self, id: &str, name: &str, now: Timestamp) {
        self.prune(now);
        // The last is the one that was used last.
        self.devices.retain(|device| device.id != id);
        if self.devices.len() >= MAX_DEVICES {
            self.devices.remove(0);
        }
        let (id, name) = (id.to_owned(), name.to_owned());
        self.devices.push(Known { id, name, used: hour(now), until: now + LONGEST });
    }

    /// Whether a browser is known for this name.
    pub(crate) fn has_device(&self, id: &str, name: &str, now: Timestamp) -> bool {
        self.devices.iter().any(|device| device.id == id && device.name == name && device.until > now)
    }
}

/// How many browsers of a subject are known.
const MAX_DEVICES: usize = 8;
