//! `POST /consent`: a person allows a client what it asks for, or does not (OAuth 2.1 §7.3.1).

use actix_web::{HttpRequest, HttpResponse};

use crate::error::Reason;
use crate::model::code::ConsentForm;
use crate::model::form::Parameters;
use crate::server::Server;
use crate::sign_in::request::Authorization;
use crate::sign_in::{consent, form, redirect};
use crate::standing::HandedOut;

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
    let ConsentForm { id, request, person, .. } = opened.value;
    let authorization = Authorization::of(server, request).await?;
    // The page was shown to a user who may have been signed out since.
    let handed = HandedOut::of_sign_in(opened.issued_at, &person.subject, &person.authentication, None);
    form::check_standing(server, handed).await?;
    form::spend(server, &id, opened.expires_at).await?;
    if !is_allowed {
        tracing::info!(target: "oauth", subject = person.subject, client = authorization.client.id, "consent was refused");
        return Ok(redirect::deny(server, &authorization));
    }
    let mut response = redirect::approve(server, &authorization, &person).await?;
    consent::remember(server, http, &mut response, &authorization, &person.subject);
    Ok(response)
}
