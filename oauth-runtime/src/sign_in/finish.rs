//! What follows when it is known who signs in: consent where it is needed, then the code (RFC 6749 §4.1.2).

use actix_web::{HttpRequest, HttpResponse};
use serde_json::Value;

use crate::error::Reason;
use crate::model::Timestamp;
use crate::model::claims::{UnusableClaims, UserClaims};
use crate::model::id::random_id;
use crate::model::session::{Authentication, By, Person, Session};
use crate::server::Server;
use crate::sign_in::browser::Browser;
use crate::sign_in::request::Authorization;
use crate::sign_in::{consent, form, redirect};
use crate::standing::HandedOut;
use crate::users::Authenticated;

/// Answers the authorization request for this person.
pub(crate) async fn finish(
    server: &Server,
    http: &HttpRequest,
    authorization: Authorization,
    person: Person,
    by: By,
) -> Result<HttpResponse, Reason> {
    let browser = match by {
        // Drawn anew, so that a cookie planted before the sign-in is worth nothing after it.
        By::Page | By::Elsewhere => Browser::new(),
        By::Session | By::SessionAlone => Browser::of(http, server).unwrap_or_else(Browser::new),
    };
    let mut response = if consent::is_needed(server, http, &authorization, &person.subject, by) {
        // OpenID Connect Core §3.1.2.6
        if by == By::SessionAlone {
            return Err(Reason::ConsentRequired);
        }
        consent::consent_page(server, authorization, person.clone(), &browser).await?
    } else {
        redirect::approve(server, &authorization, &person).await?
    };
    browser.remember(&mut response, server);
    Session::keep(&person, &mut response, server).await?;
    Ok(response)
}

/// A user who just signed in, with a session of their own if there are sessions.
pub(crate) async fn signed_in(
    server: &Server,
    http: &HttpRequest,
    Authenticated { claims, amr, acr }: Authenticated<Value>,
    username: Option<&str>,
    began: Timestamp,
) -> Result<Person, Reason> {
    let unusable = |why: UnusableClaims| {
        tracing::error!(target: "oauth", "the claims of who signed in cannot be used: {why}");
        Reason::ClaimsUnusable
    };
    let user = UserClaims::parse(claims, username.unwrap_or_default()).map_err(unusable)?;
    // RFC 9700 §4.15.1: a token of a user must not read as one of a client
    if server.clients().find(&user.subject).await?.is_some() {
        return Err(unusable(UnusableClaims::SubjectIsClient));
    }
    // A user who was signed out since they began has to begin again; so has what they would get by this.
    let of = Some((user.subject.as_str(), began));
    form::check_standing(server, HandedOut { issued_at: began, of, session: None, grant: None }).await?;
    let session = match server.sessions() {
        None => None,
        // The same user again: what they sign out of is what they signed in to before as well. Of another's nothing is
        // kept.
        Some(_) => match Session::of(http, server).await? {
            Some(before) if before.subject == user.subject => Some(before.authentication),
            Some(_) | None => None,
        },
    };
    let ends = server.sign_in_ends(began);
    let authentication = Authentication {
        at: began,
        amr,
        acr,
        // What an earlier sign-in of this session gave may live for longer than what this one gives; where its end is not
        // known it stays so.
        until: session.as_ref().map_or(Some(ends), |before| before.until.map(|until| until.max(ends))),
        session: server.sessions().map(|_| session.and_then(|before| before.session).unwrap_or_else(random_id)),
    };
    Ok(Person {
        account: username.unwrap_or(&user.subject).to_owned(),
        subject: user.subject,
        claims: user.custom,
        authentication,
    })
}
