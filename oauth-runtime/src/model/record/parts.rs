//! The parts of a record, and how it is written.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use crate::model::Timestamp;
use crate::model::id::digest;
use crate::model::resource::Resources;
use crate::model::scope::Scope;

/// Everything about one subject.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Record {
    /// The last sign-out: anything issued before it is refused.
    #[serde(rename = "o", default, skip_serializing_if = "Option::is_none")]
    pub(super) signed_out: Option<SignedOut>,
    /// Sessions made room for others: of what was issued before, only what came from a listed session stands.
    #[serde(rename = "r", default, skip_serializing_if = "Option::is_none")]
    pub(super) made_room: Option<MadeRoom>,
    /// The sessions of which something may still live.
    #[serde(rename = "s", default, skip_serializing_if = "Vec::is_empty")]
    pub(super) sessions: Vec<Live>,
    /// The grants with live families of refresh tokens.
    #[serde(rename = "g", default, skip_serializing_if = "Vec::is_empty")]
    pub(super) grants: Vec<Grant>,
    /// The codes that were redeemed, by their grants.
    #[serde(rename = "c", default, skip_serializing_if = "Vec::is_empty")]
    pub(super) spent: Vec<Until>,
    /// The forms that were sent.
    #[serde(rename = "f", default, skip_serializing_if = "Vec::is_empty")]
    pub(super) forms: Vec<Form>,
    /// Stands for forms that were sent and are forgotten.
    #[serde(rename = "m", default, skip_serializing_if = "Option::is_none")]
    pub(super) forms_before: Option<FormsBefore>,
    /// The sessions and grants that were ended.
    #[serde(rename = "e", default, skip_serializing_if = "Vec::is_empty")]
    pub(super) ended: Vec<Until>,
    /// The clients whose grants were all ended.
    #[serde(rename = "x", default, skip_serializing_if = "Vec::is_empty")]
    pub(super) clients: Vec<EndedClient>,
    #[serde(rename = "a", default, skip_serializing_if = "Vec::is_empty")]
    pub(super) consents: Vec<Consent>,
    /// The known browsers, the last used last.
    #[serde(rename = "d", default, skip_serializing_if = "Vec::is_empty")]
    pub(super) devices: Vec<Known>,
    /// Not about a subject: a device that waits under the code that it shows.
    #[serde(rename = "w", default, skip_serializing_if = "Option::is_none")]
    pub(super) waiting: Option<Waiting>,
    /// Fields of a later release, kept as they are. Those that it adds to a part, such as a session, are lost when this one writes:
    /// what is not to be lost, such as a restriction, becomes a field of the record.
    #[serde(flatten)]
    pub(super) later: Map<String, Json>,
}

/// A sign-out of everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SignedOut {
    #[serde(rename = "b", default, skip_serializing_if = "Bound::is_this_write")]
    pub(super) bound: Bound,
    /// For a sign-in that was under way, and has no sequence yet.
    #[serde(rename = "t")]
    pub(super) at: Timestamp,
    #[serde(rename = "u")]
    pub(super) until: Timestamp,
}

/// Sessions that made room, up to a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct MadeRoom {
    #[serde(rename = "b", default, skip_serializing_if = "Bound::is_this_write")]
    pub(super) bound: Bound,
    #[serde(rename = "u")]
    pub(super) until: Timestamp,
}

/// Everything that one client held was ended, or everything that it got by one session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct EndedClient {
    #[serde(rename = "k")]
    pub(super) client: String,
    #[serde(rename = "s", default, skip_serializing_if = "Option::is_none")]
    pub(super) session: Option<String>,
    #[serde(rename = "b", default, skip_serializing_if = "Bound::is_this_write")]
    pub(super) bound: Bound,
    #[serde(rename = "u")]
    pub(super) until: Timestamp,
}

/// A sequence: anything with a lower one is refused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "u64", into = "u64")]
pub(super) enum Bound {
    /// The sequence of the write that stores it, known once that is done.
    #[default]
    ThisWrite,
    Sequence(u64),
}

/// A name, and until when it counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Until {
    /// Shared, since there may be many, and each change of a record is made on a copy.
    pub(super) id: Arc<str>,
    /// The client of a grant.
    #[serde(rename = "k", default, skip_serializing_if = "Option::is_none")]
    pub(super) client: Option<String>,
    #[serde(rename = "u")]
    pub(super) until: Timestamp,
}

/// A form that was sent, and its answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Form {
    pub(super) id: String,
    #[serde(rename = "g")]
    pub(super) grant: String,
    #[serde(rename = "k")]
    pub(super) client: String,
    #[serde(rename = "s", default, skip_serializing_if = "Option::is_none")]
    pub(super) session: Option<String>,
    #[serde(rename = "a", default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) is_allowed: bool,
    /// Whether its result was redeemed, or has ended.
    #[serde(rename = "x", default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) is_over: bool,
    #[serde(rename = "b")]
    pub(super) made: Timestamp,
    #[serde(rename = "t")]
    pub(super) at: Timestamp,
    #[serde(rename = "u")]
    pub(super) until: Timestamp,
}

/// All forms that were made until this second: among them are some that were sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct FormsBefore {
    #[serde(rename = "b")]
    pub(super) made: Timestamp,
    /// After this time none of those that were sent can come any more.
    #[serde(rename = "u")]
    pub(super) until: Timestamp,
}

/// A session, for as long as anything that it gave may live.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Live {
    pub(crate) id: String,
    #[serde(rename = "b")]
    pub(crate) begun: Timestamp,
    /// To the hour.
    #[serde(rename = "l")]
    pub(crate) used: Timestamp,
    /// The end of the session itself, however it is used: no browser is signed in by it any more.
    #[serde(rename = "v", default, skip_serializing_if = "Option::is_none")]
    pub(super) over: Option<Timestamp>,
    /// The end of all that it gave.
    #[serde(rename = "u")]
    pub(super) until: Timestamp,
    /// The clients to notify when it ends. No record names its user: the caller that ends the session knows them.
    #[serde(rename = "c", default, skip_serializing_if = "Vec::is_empty")]
    pub(super) told: Vec<String>,
}

/// A browser that they signed in with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Known {
    pub(super) id: String,
    /// The hash of the name that was typed.
    #[serde(rename = "n")]
    pub(super) name: String,
    /// To the hour.
    #[serde(rename = "l")]
    pub(super) used: Timestamp,
    #[serde(rename = "u")]
    pub(super) until: Timestamp,
}

/// A device that waits for its user, by the code that it shows. It ends when the codes of the device expire.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Waiting {
    pub(crate) id: String,
    /// What is asked for, sealed.
    #[serde(rename = "q")]
    pub(crate) request: String,
    /// When the device last asked, and how many seconds it has to wait until it asks again.
    #[serde(rename = "l", default, skip_serializing_if = "Option::is_none")]
    pub(super) polled: Option<Timestamp>,
    #[serde(rename = "i")]
    pub(super) interval: u64,
    #[serde(rename = "d", default, skip_serializing_if = "Option::is_none")]
    pub(super) decision: Option<Decided>,
    #[serde(rename = "u")]
    pub(crate) until: Timestamp,
}

/// What its user decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Decided {
    /// The grant about which they were asked, which tells who decided.
    #[serde(rename = "g")]
    pub(super) grant: String,
    /// What was granted, sealed; `None` if nothing was.
    #[serde(rename = "a", default, skip_serializing_if = "Option::is_none")]
    pub(super) allowed: Option<String>,
}

/// A grant with a family of refresh tokens.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Grant {
    pub(crate) id: String,
    #[serde(rename = "k")]
    pub(crate) client: String,
    /// What the client called itself, if the author did not list it: it cannot be found by its name later.
    #[serde(rename = "m", default, skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
    #[serde(rename = "s", default, skip_serializing_if = "Option::is_none")]
    pub(crate) session: Option<String>,
    #[serde(rename = "p", default, skip_serializing_if = "Scope::is_empty")]
    pub(crate) scope: Scope,
    #[serde(rename = "r", default, skip_serializing_if = "Resources::is_empty")]
    pub(crate) resources: Resources,
    #[serde(rename = "b")]
    pub(crate) begun: Timestamp,
    /// To the hour.
    #[serde(rename = "l")]
    pub(crate) used: Timestamp,
    #[serde(flatten)]
    pub(crate) family: Family,
}

/// The state of a family of refresh tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Family {
    /// The generation of the current refresh token.
    #[serde(rename = "n", default)]
    pub(crate) generation: u64,
    /// When the previous generation was first used.
    #[serde(rename = "t")]
    pub(crate) since: Timestamp,
    #[serde(rename = "u")]
    pub(crate) until: Timestamp,
}

/// What one client was allowed, and in which state.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Consent {
    #[serde(rename = "k")]
    pub(crate) client: String,
    /// A hash of the origin of its redirect URI and of its keys: if they change, the user is asked again.
    #[serde(rename = "w")]
    pub(crate) bound_to: String,
    #[serde(rename = "p", default, skip_serializing_if = "Scope::is_empty")]
    pub(crate) scope: Scope,
    #[serde(rename = "r", default, skip_serializing_if = "Resources::is_empty")]
    pub(crate) resources: Resources,
    /// Whether refresh tokens are included.
    #[serde(rename = "l", default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) lasts: bool,
    #[serde(rename = "b")]
    pub(crate) given: Timestamp,
    #[serde(rename = "u")]
    pub(crate) until: Timestamp,
}

impl Live {
    /// The end of the session itself.
    pub(crate) fn over(&self) -> Timestamp {
        self.over.unwrap_or(self.until)
    }
}

impl Consent {
    /// A name by which it can be ended.
    pub(crate) fn id(&self) -> String {
        digest("consent", &self.client)
    }
}

/// The record has no room for more, and nothing of the same client can make room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Full;

impl Record {
    /// Reads what a store kept, written at this sequence.
    pub(crate) fn decode(bytes: &[u8], sequence: u64) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(bytes).map(|record: Record| record.written_at(sequence))
    }

    /// The same, for a record that was read before the sequence of its write was known.
    pub(crate) fn written_at(mut self, sequence: u64) -> Self {
        let clients = self.clients.iter_mut().map(|ended| &mut ended.bound);
        let made_room = self.made_room.iter_mut().map(|it| &mut it.bound);
        for bound in self.signed_out.iter_mut().map(|out| &mut out.bound).chain(made_room).chain(clients) {
            if *bound == Bound::ThisWrite {
                *bound = Bound::from(sequence);
            }
        }
        self
    }

    /// Whether it is the same whatever the sequence of its write.
    pub(crate) fn is_of_any_write(&self) -> bool {
        let clients = self.clients.iter().map(|ended| ended.bound);
        let made_room = self.made_room.iter().map(|it| it.bound);
        self.signed_out
            .iter()
            .map(|out| out.bound)
            .chain(made_room)
            .chain(clients)
            .all(|bound| bound != Bound::ThisWrite)
    }

    pub(crate) fn encode(&self) -> Result<Vec<u8>, serde_json::Error> {
        let mut json = Vec::with_capacity(ORDINARY_BYTES);
        serde_json::to_writer(&mut json, self)?;
        debug_assert!(json.len() <= self.most_bytes(), "{} is more than {}", json.len(), self.most_bytes());
        Ok(json)
    }

    /// How long a store has to keep it: until nothing in it counts any more. `None` if nothing does.
    pub(crate) fn keep(&self, now: Timestamp) -> Option<Duration> {
        let named = self.spent.iter().chain(&self.ended).map(|it| it.until);
        let ends = named
            .chain(self.forms.iter().map(|it| it.until))
            .chain(self.forms_before.map(|it| it.until))
            .chain(self.signed_out.map(|it| it.until))
            .chain(self.made_room.map(|it| it.until))
            .chain(self.sessions.iter().map(|it| it.until))
            .chain(self.grants.iter().map(|it| it.family.until))
            .chain(self.clients.iter().map(|it| it.until))
            .chain(self.consents.iter().map(|it| it.until))
            .chain(self.devices.iter().map(|it| it.until))
            .chain(self.waiting.iter().map(|it| it.until));
        ends.max().filter(|until| *until > now).map(|until| until.since(now))
    }

    /// Drops what no longer counts.
    pub(crate) fn prune(&mut self, now: Timestamp) {
        self.signed_out = self.signed_out.filter(|it| it.until > now);
        self.made_room = self.made_room.filter(|it| it.until > now);
        self.sessions.retain(|it| it.until > now);
        self.grants.retain(|it| it.family.until > now);
        self.spent.retain(|it| it.until > now);
        self.forms.retain(|it| it.until > now);
        self.forms_before = self.forms_before.filter(|it| it.until > now);
        self.ended.retain(|it| it.until > now);
        self.clients.retain(|it| it.until > now);
        self.consents.retain(|it| it.until > now);
        self.devices.retain(|it| it.until > now);
        self.waiting.take_if(|it| it.until <= now);
    }
}

impl Bound {
    fn is_this_write(&self) -> bool {
        *self == Bound::ThisWrite
    }

    pub(super) fn is_above(self, sequence: u64) -> bool {
        match self {
            // Not written yet: everything so far was issued before.
            Bound::ThisWrite => true,
            Bound::Sequence(bound) => bound > sequence,
        }
    }
}

/// The size for a user who is signed in twice.
const ORDINARY_BYTES: usize = 512;

/// No write has the sequence 0.
impl From<u64> for Bound {
    fn from(sequence: u64) -> Self {
        if sequence == 0 { Bound::ThisWrite } else { Bound::Sequence(sequence) }
    }
}

impl From<Bound> for u64 {
    fn from(bound: Bound) -> u64 {
        match bound {
            Bound::ThisWrite => 0,
            Bound::Sequence(sequence) => sequence,
        }
    }
}
