//! How long a record can be when written, estimated without writing it.

use super::parts::{Consent, Decided, EndedClient, Form, Grant, Known, Live, Record, Until, Waiting};
use crate::model::length::{most_of_json, most_of_text};

impl Record {
    /// At least as many bytes as it has as JSON: each text counts as if all of it were escaped.
    pub(crate) fn most_bytes(&self) -> usize {
        // All fields by name, so that a new one cannot be forgotten here.
        let Record {
            signed_out: _,
            made_room: _,
            sessions,
            grants,
            spent,
            forms,
            forms_before: _,
            ended,
            clients,
            consents,
            devices,
            waiting,
            later,
        } = self;
        let named = |it: &Until| A_FEW + most_of_text(&it.id) + optional(it.client.as_deref());
        let lengths: [usize; 10] = [
            sessions.iter().map(of_session).sum(),
            grants.iter().map(of_grant).sum(),
            spent.iter().map(named).sum(),
            forms.iter().map(of_form).sum(),
            ended.iter().map(named).sum(),
            clients.iter().map(of_client).sum(),
            consents.iter().map(of_consent).sum(),
            devices.iter().map(of_device).sum(),
            waiting.iter().map(of_waiting).sum(),
            later.iter().map(|(name, value)| A_FEW + most_of_text(name) + most_of_json(value)).sum(),
        ];
        lengths.into_iter().sum::<usize>() + 3 * MANY
    }
}

fn of_session(Live { id, told, .. }: &Live) -> usize {
    MANY + most_of_text(id) + list(told.iter().map(String::as_str))
}

fn of_grant(Grant { id, client, name, session, scope, resources, .. }: &Grant) -> usize {
    let texts = most_of_text(id) + most_of_text(client) + optional(name.as_deref()) + optional(session.as_deref());
    MANY + texts + list(scope.iter()) + list(resources.iter())
}

fn of_form(Form { id, grant, client, session, .. }: &Form) -> usize {
    MANY + most_of_text(id) + most_of_text(grant) + most_of_text(client) + optional(session.as_deref())
}

fn of_client(EndedClient { client, session, .. }: &EndedClient) -> usize {
    MANY + most_of_text(client) + optional(session.as_deref())
}

fn of_consent(Consent { client, bound_to, scope, resources, .. }: &Consent) -> usize {
    MANY + most_of_text(client) + most_of_text(bound_to) + list(scope.iter()) + list(resources.iter())
}

fn of_device(Known { id, name, .. }: &Known) -> usize {
    MANY + most_of_text(id) + most_of_text(name)
}

fn of_waiting(Waiting { id, request, decision, .. }: &Waiting) -> usize {
    let decided = |it: &Decided| most_of_text(&it.grant) + optional(it.allowed.as_deref());
    MANY + most_of_text(id) + most_of_text(request) + decision.as_ref().map_or(0, decided)
}

fn list<'a>(texts: impl Iterator<Item = &'a str>) -> usize {
    texts.map(|text| 1 + most_of_text(text)).sum()
}

fn optional(text: Option<&str>) -> usize {
    text.map_or(0, most_of_text)
}

/// Everything but texts, for an entry with one number: names, numbers and punctuation.
const A_FEW: usize = 64;
/// The same for an entry with up to five numbers.
const MANY: usize = 256;
