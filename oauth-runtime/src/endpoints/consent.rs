//! `POST /consent`: a person allows a client what it asks for, or does not (OAuth 2.1 §7.3.1).

use actix_web::{HttpRequest, HttpResponse};

use crate::error::Reason;
use crate::event::{EventKind, Fact};
use crate::model::code::ConsentForm;
use crate::model::form::Parameters;
use crate::model::record::{Full, Record, Spending};
use crate::server::Server;
use crate::sign_in::request::Authorization;
use crate::sign_in::{consent, form, redirect};
use crate::standing::{Decision, HandedOut};
use crate::store::{Key, Kind};

/// Takes the decision, and sends the browser back to the client with it.
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
    let ConsentForm { id, request, mut person, .. } = opened.value;
    let authorization = Authorization::of(server, request).await?;
    // The configuration may allow less than the page named.
    let granted = match is_allowed.then(|| authorization.granted_by(server, &person)).transpose() {
        Ok(granted) => granted,
        Err(reason) => return Ok(redirect::refused(server, &authorization, &reason)),
    };
    let (key, as_of) = (Key::of(Kind::Subject, &person.subject), person.authentication.as_of);
    let bound_to = consent::bound_to(&authorization);
    let decision = |record: &mut Record, now| {
        let session = person.authentication.session.as_deref();
        // The page was shown to a user who may have been signed out since.
        record.judge(&HandedOut { sequence: as_of.sequence, session, grant: None }, now)?;
        let spent = record.spend(&id, opened.expires_at, now);
        if spent != Ok(Spending::First) {
            return Ok(Decision::Keep(spent));
        }
        let client = &authorization.client.id;
        match &granted {
            // One that was given before is taken back with it.
            None => {
                record.withdraw(client);
            }
            Some(granted) if consent::is_kept(server, &authorization) => {
                record.allow(client, &bound_to, granted.scope(), &granted.resources().named(server.audience()), now);
            }
            Some(_) => {}
        }
        Ok(Decision::Write(spent))
    };
    let (spent, view) = server.ledger().change(key, Some(as_of), decision).await.map_err(form::refused)?;
    match spent {
        Ok(Spending::First) => {}
        Ok(Spending::Already) => return Err(Reason::FormSpent),
        Ok(Spending::Expired) => return Err(Reason::FormExpired),
        Err(Full) => return Err(Reason::StoreUnavailable),
    }
    let kind = if granted.is_some() { EventKind::ConsentGiven } else { EventKind::ConsentDenied };
    server.tell(Fact::of(kind).subject(&person.subject).client(&authorization.client.id));
    let Some(granted) = granted else { return Ok(redirect::deny(server, &authorization)) };
    person.authentication.as_of = view.as_of();
    redirect::approve(server, &authorization, &granted, &person)
}
