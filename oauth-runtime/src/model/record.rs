//! What is remembered of one subject, and how it changes: every rule on sessions, grants, refresh tokens and consents.
//!
//! It is plain data without a clock or a store of its own. A store keeps it as bytes and swaps one for the next, so that
//! every store has the same rules: these. Whatever lives is listed, and whatever is absent has ended; an ending is
//! remembered for as long as an access token or a code of it can still come.

mod consents;
mod devices;
mod endings;
mod forms;
mod grants;
mod length;
mod parts;
mod sessions;
mod waiting;

use std::time::Duration;

use crate::model::Timestamp;
use crate::model::session::is_sid_of;

pub(crate) use forms::{Sending, Sent};
pub(crate) use grants::{Redeemed, Rotated, Spending};
use parts::EndedClient;
pub(crate) use parts::{Consent, Family, Full, Grant, Live, Record, Waiting};
pub(crate) use sessions::EndedFor;
pub(crate) use waiting::{FIRST_INTERVAL, Polled};

/// Something that was issued, as its subject's record knows it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HandedOut<'a> {
    /// The sequence that it carries.
    pub(crate) sequence: u64,
    /// The session that it came from.
    pub(crate) session: Option<&'a str>,
    /// The grant that it belongs to.
    pub(crate) grant: Option<HandedOutGrant<'a>>,
}

/// The grant that something belongs to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct HandedOutGrant<'a> {
    pub(crate) id: &'a str,
    pub(crate) client: &'a str,
    /// Whether it has a family of refresh tokens, with which it ends.
    pub(crate) has_family: bool,
}

/// Why something no longer stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// It has another incarnation: it may have been spent or ended, and that be forgotten.
    Forgotten,
    /// Its user was signed out, or its session was ended.
    SignedOut,
    /// Its grant was ended.
    Revoked,
}

impl Record {
    /// Whether something that was issued still stands. Only this function decides that.
    pub(crate) fn judge(&self, handed: &HandedOut<'_>, now: Timestamp) -> Result<(), Ended> {
        let has_made_room = self.made_room.is_some_and(|it| it.until > now && it.bound.is_above(handed.sequence));
        let has_ended = |id| self.has_ended(id, now) || (has_made_room && !self.has_session(id, now));
        let session_ended = handed.session.is_some_and(has_ended);
        let signed_out = self.signed_out.is_some_and(|out| out.until > now && out.bound.is_above(handed.sequence));
        if session_ended || signed_out {
            return Err(Ended::SignedOut);
        }
        let Some(grant) = handed.grant else { return Ok(()) };
        let of_session = |ended: &EndedClient| {
            let is_named = |named| handed.session.is_some_and(|session| is_sid_of(named, &ended.client, session));
            ended.session.as_deref().is_none_or(is_named)
        };
        let of_client = |ended: &EndedClient| ended.client == grant.client && of_session(ended) && ended.until > now;
        let client_ended = self.clients.iter().any(|it| of_client(it) && it.bound.is_above(handed.sequence));
        let family_ended = grant.has_family && self.family(grant.id, now).is_none();
        if client_ended || family_ended || self.has_ended(grant.id, now) { Err(Ended::Revoked) } else { Ok(()) }
    }

    /// Whether a sign-in that began then, and is not done yet, was ended by a sign-out: or may have been, since a
    /// sign-out is forgotten in time, and with the memory that it was kept in. `born` is when this memory began, for
    /// what may be older: a sign-in that is under way is not.
    ///
    /// `slack` is how far apart the clocks may be that dated the two.
    pub(crate) fn judge_sign_in(
        &self,
        began: Timestamp,
        born: Option<Timestamp>,
        slack: Duration,
        now: Timestamp,
    ) -> Result<(), Ended> {
        let known_since = born.max(Some(Record::forgets_before(now)));
        if known_since.is_some_and(|since| began <= since + slack) {
            return Err(Ended::Forgotten);
        }
        match self.signed_out {
            Some(out) if out.until > now && began <= out.at + slack => Err(Ended::SignedOut),
            Some(_) | None => Ok(()),
        }
    }

    /// The same, and forgets what they allowed.
    pub(crate) fn forget(&mut self, now: Timestamp) {
        self.consents.clear();
        self.sign_out(now);
    }

    /// Ends what a client got by a session, or all that it has of this subject if it does not name a session. Consents
    /// stay.
    pub(crate) fn sign_out_of_client(&mut self, client: &str, session: Option<&str>, now: Timestamp) {
        match session {
            Some(session) => self.end_client_of_session(client, session, now),
            None => self.end_client(client, now),
        }
    }

    /// Whether a client has anything of this subject that is listed.
    pub(crate) fn knows_client(&self, client: &str, now: Timestamp) -> bool {
        self.grants(now).any(|it| it.client == client) || self.consents(now).any(|it| it.client == client)
    }

    /// Ends all that a client has of this subject.
    pub(crate) fn revoke_client(&mut self, client: &str, now: Timestamp) {
        self.withdraw(client);
        self.end_client(client, now);
    }

    /// Ends a session, a grant or a consent by its name. `false` if there is none.
    pub(crate) fn end(&mut self, id: &str, now: Timestamp) -> bool {
        if self.has_session(id, now) {
            self.end_session(id, now);
            return true;
        }
        let client = self.grants(now).find(|grant| grant.id == id).map(|grant| grant.client.clone());
        if let Some(client) = client {
            self.end_grant(id, &client, now);
            return true;
        }
        let client = self.consents(now).find(|consent| consent.id() == id).map(|consent| consent.client.clone());
        client.is_some_and(|client| self.withdraw(&client))
    }
}

#[cfg(test)]
#[path = "record/tests.rs"]
mod tests;
