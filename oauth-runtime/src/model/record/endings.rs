//! How endings are remembered: of sessions, of grants, and of all that a client holds.

use std::time::Duration;

use super::parts::{Bound, EndedClient, MadeRoom, Record, SignedOut, Until};
use crate::model::Timestamp;
use crate::model::lifetime::{LONGEST_ACCESS_TOKEN, LONGEST_CODE, LONGEST_GRACE, SLOWEST_ANSWER};
use crate::model::session::is_sid_of;

impl Record {
    /// What ended at or before this time may be forgotten.
    pub(super) fn forgets_before(now: Timestamp) -> Timestamp {
        now.before(ENDING_REMEMBERED)
    }

    /// Whether a sign-out is remembered.
    pub(crate) fn is_signed_out(&self) -> bool {
        self.signed_out.is_some()
    }

    /// Ends all that this subject holds. What they allowed to clients stays allowed.
    pub(crate) fn sign_out(&mut self, now: Timestamp) {
        let (consents, later) = (std::mem::take(&mut self.consents), std::mem::take(&mut self.later));
        // It is still remembered that a form was sent, since it is in a browser's history, with the password.
        self.forms_are_over(|_| true);
        let (forms, forms_before) = (std::mem::take(&mut self.forms), self.forms_before);
        let until = now + ENDING_REMEMBERED;
        let signed_out = Some(SignedOut { bound: Bound::ThisWrite, at: now, until });
        *self = Record { signed_out, forms, forms_before, consents, later, ..Record::default() };
    }

    pub(super) fn has_ended(&self, id: &str, now: Timestamp) -> bool {
        self.ended.iter().any(|ended| *ended.id == *id && ended.until > now)
    }

    /// Remembers that sessions made room, however many: not each by its name, so that there is no end of room for it.
    pub(super) fn remember_made_room(&mut self, now: Timestamp) {
        self.made_room = Some(MadeRoom { bound: Bound::ThisWrite, until: now + ENDING_REMEMBERED });
    }

    /// Remembers that a session or a grant ended. If these become too many, everything of the client with the most of
    /// them is ended at once; for sessions, everything of the subject.
    pub(super) fn remember_ended(&mut self, id: &str, client: Option<&str>, now: Timestamp) {
        if self.has_ended(id, now) {
            return;
        }
        let until = now + ENDING_REMEMBERED;
        self.ended.push(Until { id: id.into(), client: client.map(str::to_owned), until });
        if self.ended.len() <= MAX_ENDED {
            return;
        }
        match self.most_ended() {
            Some(client) => self.end_client(&client, now),
            None => self.sign_out(now),
        }
    }

    /// The client of most of what ended; `None` if most are sessions.
    fn most_ended(&self) -> Option<String> {
        let count = |client: &Option<String>| self.ended.iter().filter(|ended| ended.client == *client).count();
        self.ended.iter().map(|ended| &ended.client).max_by_key(|client| count(client)).cloned().flatten()
    }

    /// Ends all that one client holds of this subject.
    pub(super) fn end_client(&mut self, client: &str, now: Timestamp) {
        self.grants.retain(|grant| grant.client != client);
        self.forms_are_over(|form| form.client == client);
        self.ended.retain(|ended| ended.client.as_deref() != Some(client));
        self.clients.retain(|ended| ended.client != client);
        self.remember_ended_client(client, None, now);
    }

    /// Ends what one client got by one session: the session goes on, and so does what others got by it.
    pub(crate) fn end_client_of_session(&mut self, client: &str, session: &str, now: Timestamp) {
        self.prune(now);
        let of_client = |ended: &EndedClient| ended.client == client;
        // A client can only harm itself, however many old sessions it names.
        if self.clients.iter().filter(|ended| of_client(ended)).count() >= MAX_ENDED_OF_CLIENT {
            return self.end_client(client, now);
        }
        let is_of_it = |of: &str| is_sid_of(session, client, of);
        self.grants.retain(|grant| grant.client != client || !grant.session.as_deref().is_some_and(is_of_it));
        let is_form_of_it = |of: &str| is_sid_of(session, client, of);
        self.forms_are_over(|form| form.client == client && form.session.as_deref().is_some_and(is_form_of_it));
        self.clients.retain(|ended| !of_client(ended) || ended.session.as_deref() != Some(session));
        self.remember_ended_client(client, Some(session), now);
    }

    fn remember_ended_client(&mut self, client: &str, session: Option<&str>, now: Timestamp) {
        if self.clients.len() >= MAX_ENDED {
            return self.sign_out(now);
        }
        let (client, session) = (client.to_owned(), session.map(str::to_owned));
        self.clients.push(EndedClient { client, session, bound: Bound::ThisWrite, until: now + ENDING_REMEMBERED });
    }
}

/// How long an ending is remembered: sessions and families end by their absence, so only codes and access tokens can
/// still come, the last of them from a code or a refresh that was on its way.
const ENDING_REMEMBERED: Duration =
    LONGEST_ACCESS_TOKEN.saturating_add(LONGEST_CODE).saturating_add(LONGEST_GRACE).saturating_add(SLOWEST_ANSWER);

/// How many sessions, or grants of clients, may be remembered as ended.
const MAX_ENDED: usize = 100;
/// For how many sessions it may be remembered that what one client got by them ended.
const MAX_ENDED_OF_CLIENT: usize = 10;
