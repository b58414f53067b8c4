//! `POST /consent`: a person allows a client what it asks for, or denies it (OAuth 2.1 §7.3.1).

use std::time::Duration;

use actix_web::{HttpRequest, HttpResponse};

use crate::error::Reason;
use crate::event::{EventKind, Fact};
use crate::model::code::{ConsentForm, Promised};
use crate::model::form::Parameters;
use crate::model::record::{Record, Sending, Sent};
use crate::model::session::Session;
use crate::server::Server;
use crate::sign_in::redirect::ToClient;
use crate::sign_in::request::Authorization;
use crate::sign_in::{consent, for_device, form, redirect};
use crate::standing::{Decision, HandedOut};

/// Accepts the decision, and sends the browser back to the client with it.
pub(crate) async fn decide(
    server: &Server,
    http: &HttpRequest,
    parameters: &Parameters<'_>,
) -> Result<HttpResponse, Reason> {
    let opened = form::open::<ConsentForm>(server, http, parameters)?;
    let is_allowed = match parameters.get("decision", 16)? {
        Some("allow") => true,
        Some("deny") => false,
        Some(_) | None => return Err(Reason::MissingParameter("decision")),
    };
    let ConsentForm { id, grant, request, mut person, .. } = opened.value;
    let session = person.authentication.session.clone();
    // The decision belongs to the user of this session: another user may have the browser by now.
    // To deny, it is enough that it was theirs.
    if session.as_ref().is_some_and(|id| !Session::is_presented(http, server, id, !is_allowed)) {
        return Err(Reason::FormOfASignedOut);
    }
    let authorization = Authorization::of(server, request).await?.known(server, &person.subject).await?;
    // The configuration may allow less than the page named.
    let granted = match is_allowed.then(|| authorization.allowed_by(server, &person)).transpose() {
        Ok(granted) => granted,
        Err(reason) => return Ok(redirect::refused(server, &authorization, &reason)),
    };
    let as_of = person.authentication.as_of;
    let bound_to = consent::bound_to(&authorization);
    let decision = |record: &mut Record, now| {
        // The user to whom the page was shown may have been signed out since.
        record.judge(&HandedOut { sequence: as_of.sequence, session: session.as_deref(), grant: None }, now)?;
        let (client, session) = (authorization.client.id.as_str(), session.as_deref());
        let is_allowed = granted.is_some();
        let (made, until) = (opened.issued_at, opened.expires_at);
        let sending = Sending { id: &id, made, until, grant: &grant, client, session, is_allowed };
        let sent = record.send(&sending, server.code_lifetime(), now);
        if !matches!(sent, Sent::First | Sent::TakenBack) {
            return Ok(Decision::Keep(sent));
        }
        match &granted {
            // An unknown device says nothing about what the user allowed the client itself.
            None if authorization.request.device.is_some() => {}
            // This also withdraws an earlier consent.
            None => {
                record.withdraw(client);
            }
            Some(granted) if consent::is_kept(server, &authorization) => {
                let resources = granted.resources().named(server.audience());
                record.allow(client, &bound_to, granted.scope(), &resources, granted.lasts(), now);
            }
            Some(_) => {}
        }
        Ok(Decision::Write(sent))
    };
    let (sent, view) = server.ledger().change(&*person.subject, Some(as_of), decision).await.map_err(form::refused)?;
    let (age, is_news) = match sent {
        Sent::First | Sent::TakenBack => (Duration::ZERO, true),
        Sent::Again { age, .. } => (age, false),
        Sent::Spent => return Err(Reason::FormSpent),
        Sent::Expired => return Err(Reason::FormExpired),
    };
    if is_news {
        let kind = if granted.is_some() { EventKind::ConsentGiven } else { EventKind::ConsentDenied };
        server.tell(Fact::of(kind).subject(&person.subject).client(&authorization.client.id));
    }
    person.authentication.as_of = view.as_of();
    if let Some(device) = &authorization.request.device {
        return for_device::decided(server, &authorization, device, granted.as_ref(), (&person, grant)).await;
    }
    let Some(granted) = granted else { return Ok(redirect::deny(server, &authorization)) };
    let promised = Promised { grant, at: server.now().before(age) };
    let approved = redirect::approve(server, &authorization, &granted, &person, promised).await;
    let approved = approved.map(|(response, code)| {
        if let Some(code) = code {
            code.tell(server);
        }
        response
    });
    ToClient::of(&authorization).answer(server, approved)
}
