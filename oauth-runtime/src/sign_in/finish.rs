//! What follows when it is known who signs in: consent where it is needed, then the code (RFC 6749 §4.1.2).

use actix_web::{HttpRequest, HttpResponse};
use serde_json::Value;

use crate::answer::redirect;
use crate::endpoints::consent;
use crate::error::Reason;
use crate::model::Timestamp;
use crate::model::claims::{UnusableClaims, UserClaims};
use crate::model::code::{AuthorizationCode, AuthorizationRequest};
use crate::model::redirect_uri::Destination;
use crate::model::session::{Authentication, Person, Session};
use crate::seal::NotSealed;
use crate::server::OAuthService;
use crate::sign_in::browser::Browser;

/// How it became known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum By {
    /// On our own pages, which named the client, what it asks for and where the browser goes.
    Page,
    /// On a page of the author's.
    Elsewhere,
    /// By the session that the browser had.
    Session,
    /// The same, and nothing may be asked (`prompt=none`).
    SessionAlone,
}

/// Answers the authorization request for this person.
pub(crate) async fn finish(
    oauth: &OAuthService,
    http: &HttpRequest,
    request: AuthorizationRequest,
    person: Person,
    by: By,
) -> Result<HttpResponse, Reason> {
    // A client can have lost its registration since the form was made.
    let client = oauth.0.clients.get(&request.client_id).ok_or(Reason::UnknownClient)?;
    let destination = client.destination(&request.redirect_uri).ok_or(Reason::UnknownRedirectUri)?;
    let browser = match by {
        // Drawn anew, so that a cookie planted before the sign-in is worth nothing after it.
        By::Page | By::Elsewhere => Browser::new(),
        By::Session | By::SessionAlone => Browser::of(http, oauth).unwrap_or_else(Browser::new),
    };
    let mut response = if consent::is_needed(oauth, http, client, &destination, &request, &person.subject, by) {
        // OpenID Connect Core §3.1.2.6
        if by == By::SessionAlone {
            return Err(Reason::ConsentRequired);
        }
        consent::page(oauth, client, &destination, request, &person, &browser).await?
    } else {
        approve(oauth, &request, &destination, &person).await?
    };
    browser.remember(&mut response, oauth);
    Session::keep(&person, &mut response, oauth).await?;
    Ok(response)
}

/// Who just signed in, with a session of his own if there are sessions.
pub(crate) async fn signed_in(
    oauth: &OAuthService,
    http: &HttpRequest,
    (claims, amr, acr): (Value, Vec<String>, Option<String>),
    username: Option<&str>,
    began: Timestamp,
) -> Result<Person, Reason> {
    let unusable = |why: UnusableClaims| {
        tracing::error!(target: "oauth", "the claims of who signed in cannot be used: {why}");
        Reason::ClaimsUnusable
    };
    let user = UserClaims::parse(claims, username.unwrap_or_default()).map_err(unusable)?;
    // RFC 9700 §4.15.1: a token of a user must not read as one of a client
    if oauth.0.clients.contains_key(&user.subject) {
        return Err(unusable(UnusableClaims::SubjectIsClient));
    }
    // Who was signed out since he began has to begin again; so has what he would get by this.
    if oauth.0.store.not_before(&user.subject).await?.is_some_and(|at| began <= at) {
        return Err(Reason::FormOfASignedOut);
    }
    let session = match &oauth.0.sessions {
        None => None,
        // The same user again: what he signs out of is what he signed in to before as well. Of another's nothing is kept.
        Some(_) => match Session::of(http, oauth).await? {
            Some(before) if before.subject == user.subject => before.how.session,
            Some(_) | None => Some(random_id()),
        },
    };
    Ok(Person {
        account: username.unwrap_or(&user.subject).to_owned(),
        subject: user.subject,
        claims: user.custom,
        how: Authentication { at: began, amr, acr, session },
    })
}

/// Sends the browser to the client with a code.
pub(crate) async fn approve(
    oauth: &OAuthService,
    request: &AuthorizationRequest,
    destination: &Destination,
    person: &Person,
) -> Result<HttpResponse, Reason> {
    let code = AuthorizationCode {
        grant: random_id(),
        client_id: request.client_id.clone(),
        redirect_uri: request.redirect_uri.clone(),
        redirect_uri_given: request.redirect_uri_given,
        scope: request.scope.clone(),
        resources: request.resources.clone(),
        nonce: request.nonce.clone(),
        challenge: request.challenge,
        subject: person.subject.clone(),
        claims: person.claims.clone(),
        how: person.how.clone(),
    };
    let issued_at = oauth.issue_time().await?;
    let code = match oauth.0.sealer.seal(&code, issued_at, issued_at + oauth.0.code_lifetime) {
        Ok(code) => code,
        Err(NotSealed::TooLarge) => {
            tracing::error!(target: "oauth", "the claims of who signed in cannot be used: {}", UnusableClaims::TooLarge);
            return Err(Reason::ClaimsUnusable);
        }
        Err(NotSealed::Failed) => return Err(Reason::Internal),
    };
    tracing::info!(target: "oauth", client = request.client_id, "authorization code issued");
    Ok(redirect(oauth, destination, request.state.as_deref(), &[("code", &code)]))
}

/// Sends the browser to the client with an error (RFC 6749 §4.1.2.1).
pub(crate) fn refuse(
    oauth: &OAuthService,
    destination: &Destination,
    state: Option<&str>,
    reason: &Reason,
) -> HttpResponse {
    let wire = reason.wire();
    let code = wire.code.map_or("server_error", |code| code.as_str());
    redirect(oauth, destination, state, &[("error", code), ("error_description", &wire.text)])
}

/// An id that nobody guesses: 128 random bits (RFC 6749 §10.10).
pub(crate) fn random_id() -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(rand::random::<[u8; 16]>())
}
