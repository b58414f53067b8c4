//! How an authorization request ends: the browser goes back to the client, with a code or with an error.

use actix_web::http::Method;
use actix_web::{HttpRequest, HttpResponse};

use crate::error::Reason;
use crate::event::{EventKind, Fact};
use crate::model::Scope;
use crate::model::claims::UnusableClaims;
use crate::model::client::RegisteredClient;
use crate::model::code::{
    AuthorizationCode, AuthorizationRequest, ConsentForm, Promised, QuestionForm, SignInForm, uri_digest,
};
use crate::model::form::Parameters;
use crate::model::redirect_uri::Destination;
use crate::model::resource::Resources;
use crate::model::session::Person;
use crate::pages::Texts;
use crate::response::{Doing, WayBack, answered, error_page, redirect, see_other};
use crate::seal::NotSealed;
use crate::server::Server;
use crate::server::granting::Granted;
use crate::sign_in::browser::Browser;
use crate::sign_in::request::{Asking, Authorization};
use crate::sign_in::{cross_site, language, pushed};

/// Sends the browser to the client with a code (RFC 6749 §4.1.2), which counts as issued when the answer is complete;
/// or with an error, if the same push led to another code first.
pub(crate) async fn approve(
    server: &Server,
    authorization: &Authorization,
    granted: &Granted,
    person: &Person,
    promised: Promised,
) -> Result<(HttpResponse, Option<Issued>), Reason> {
    let Authorization { request, destination, .. } = authorization;
    // RFC 9700 §4.11.2: it was checked before
    if !destination.is_registered {
        tracing::error!(target: "oauth", client = authorization.client.id, "a redirect URI is not registered");
        return Err(Reason::Internal);
    }
    // OpenID Connect Core §3.1.2.2
    request.requirements.check(&person.subject, &person.authentication.how())?;
    let code = code(authorization, granted.scope(), granted.resources(), person, promised.grant);
    // A repeat prolongs nothing.
    let sealed = server.sealer().seal(&code, promised.at, promised.at + server.code_lifetime()).map_err(not_sealed)?;
    if !pushed::spend(server, authorization, &code.grant).await? {
        return Ok((refused(server, authorization, &Reason::PushSpent), None));
    }
    Ok((redirect(server, destination, request.state.as_deref(), &[("code", &sealed)]), Some(Issued(code))))
}

/// Why there is no code: the request itself had room when it came.
pub(crate) fn not_sealed(why: NotSealed) -> Reason {
    match why {
        NotSealed::TooLarge => {
            tracing::error!(target: "oauth", "the claims of the user who signed in cannot be used: {}", UnusableClaims::TooLarge);
            Reason::ClaimsUnusable
        }
        NotSealed::Failed => Reason::Internal,
    }
}

/// The code in an answer, reported as an event once nothing can replace the answer any more.
#[must_use]
pub(crate) struct Issued(AuthorizationCode);

impl Issued {
    pub(crate) fn tell(&self, server: &Server) {
        let AuthorizationCode { subject, client_id, grant, .. } = &self.0;
        server.tell(Fact::of(EventKind::CodeIssued).subject(subject).client(client_id).grant(grant));
    }
}

pub(crate) fn code(
    Authorization { request, client, .. }: &Authorization,
    scope: &Scope,
    resources: &Resources,
    person: &Person,
    grant: String,
) -> AuthorizationCode {
    AuthorizationCode {
        grant,
        client_id: client.id.clone(),
        redirect_uri: uri_digest(&request.redirect_uri),
        scope: scope.clone(),
        resources: resources.clone(),
        nonce: request.nonce.clone(),
        in_id_token: request.in_id_token.clone(),
        challenge: request.challenge,
        key: request.key.clone(),
        subject: person.subject.clone(),
        claims: person.claims.clone(),
        without_refresh: request.without_refresh,
        authentication: person.authentication.clone(),
    }
}

/// Where to send an error to the client that it can avoid with another request.
pub(crate) struct ToClient {
    destination: Destination,
    state: Option<String>,
    language: Option<String>,
}

impl ToClient {
    pub(crate) fn of(authorization: &Authorization) -> Self {
        let AuthorizationRequest { state, requirements, .. } = &authorization.request;
        ToClient {
            destination: authorization.destination.clone(),
            state: state.clone(),
            language: requirements.language.clone(),
        }
    }

    pub(crate) fn answer(
        &self,
        server: &Server,
        outcome: Result<HttpResponse, Reason>,
    ) -> Result<HttpResponse, Reason> {
        match outcome {
            Err(reason @ (Reason::AnotherUser | Reason::SignedInTooLongAgo | Reason::AcrUnmet)) => {
                let texts = server.texts(self.language.as_deref());
                Ok(refuse(server, &self.destination, self.state.as_deref(), &reason, texts))
            }
            outcome => outcome,
        }
    }
}

/// Sends the browser to the client with an error (RFC 6749 §4.1.2.1): with a page, if it is not known to be the
/// client's redirect URI.
fn refuse(
    server: &Server,
    destination: &Destination,
    state: Option<&str>,
    reason: &Reason,
    texts: &Texts,
) -> HttpResponse {
    match refusal(server, destination, state, reason) {
        Some(url) => see_other(url),
        None => error_page(server, texts, Doing::SigningIn, reason, None),
    }
}

/// The URL with an error for a client; `None` if it is not known to be the client's, or there is no client.
fn refusal(server: &Server, destination: &Destination, state: Option<&str>, reason: &Reason) -> Option<String> {
    let wire = reason.wire();
    let code = wire.code.map_or("server_error", |code| code.as_str());
    let answer = || answered(server, destination, state, &[("error", code), ("error_description", &*wire.text)]);
    (destination.is_registered && destination.is_told).then(answer)
}

/// The end of an invalid request, if its client may get the error at once.
pub(crate) fn refuse_at_once(
    server: &Server,
    http: &HttpRequest,
    parameters: &Parameters<'_>,
    destination: &Destination,
    state: Option<&str>,
    reason: &Reason,
) -> HttpResponse {
    let language = language::asked(http, server, language::named(parameters).unwrap_or(None));
    refuse(server, destination, state, reason, server.texts(language.as_deref()))
}

/// The page in place of such a redirect, with the same way to the client as a link.
pub(crate) fn refuse_with_page(
    server: &Server,
    http: &HttpRequest,
    parameters: &Parameters<'_>,
    to: (&RegisteredClient, &Destination),
    state: Option<&str>,
    reason: &Reason,
) -> HttpResponse {
    let (client, destination) = to;
    let language = language::asked(http, server, language::named(parameters).unwrap_or(None));
    let texts = server.texts(language.as_deref());
    let back = refusal(server, destination, state, reason);
    let back = back.map(|href| WayBack { client: client.called(destination).to_owned(), href, language });
    error_page(server, texts, Doing::SigningIn, reason, back.as_ref())
}

/// The way back to the client of this request, which ends there as abandoned by the user.
pub(crate) fn way_back(server: &Server, authorization: &Authorization) -> Option<WayBack> {
    let Authorization { request, client, destination } = authorization;
    if let Some(page) = &request.page {
        let (client, language) = (client.name.clone(), request.requirements.language.clone());
        return Some(WayBack { client, href: page.as_str().to_owned(), language });
    }
    Some(WayBack {
        // For a device, it leads to the page for typing its code.
        client: match request.device {
            Some(_) => server.brand().name.clone(),
            None => client.called(destination).to_owned(),
        },
        href: refusal(server, destination, request.state.as_deref(), &Reason::AccessDenied)?,
        language: request.requirements.language.clone(),
    })
}

/// The way back from a form that may be too old, spent, or another browser's: its request was valid once, and the
/// client and its redirect URI are looked up again.
pub(crate) async fn way_back_from(server: &Server, http: &HttpRequest, sealed: &str) -> Option<WayBack> {
    let sealer = server.sealer();
    let opened = sealer
        .open_at_any_age::<SignInForm>(sealed)
        .map(|form| (form.browser, form.request))
        .or_else(|_| sealer.open_at_any_age::<QuestionForm>(sealed).map(|form| (form.browser, form.request)))
        .or_else(|_| sealer.open_at_any_age::<ConsentForm>(sealed).map(|form| (form.browser, form.request)));
    let (browser, mut request) = opened.ok()?;
    let is_posted_from_elsewhere = http.method() == Method::POST && !cross_site::is_from_own_page(server, http);
    if is_posted_from_elsewhere || Browser::made_for(http, server, &browser).is_err() {
        // RFC 6749 §10.12: a state identifies the browser of a request, and it is not this one.
        request.state = None;
    }
    let authorization = Authorization::of(server, request).await.ok()?;
    way_back(server, &authorization)
}

/// The way back from a request to `path` that another site posted, or that was pushed, and that comes too late. Its
/// client and redirect URI are registered; another site may have made up the rest.
pub(crate) async fn way_back_from_late(
    server: &Server,
    http: &HttpRequest,
    path: &str,
    parameters: &Parameters<'_>,
) -> Option<WayBack> {
    let posted = cross_site::posted_at_any_age(server, path, parameters);
    let came = posted.as_ref().map(|posted| Parameters::parse_of_another_site(posted.as_bytes()));
    let pushed = pushed::at_any_age(server, came.as_ref().unwrap_or(parameters)).await;
    let late = pushed.or_else(|| posted.clone())?;
    let late = Parameters::parse_of_another_site(late.as_bytes());
    let Asking { client, destination, .. } = Asking::read(server, &late).await.ok()?;
    Some(WayBack {
        client: client.called(&destination).to_owned(),
        href: refusal(server, &destination, None, &Reason::AccessDenied)?,
        language: language::asked(http, server, language::named(&late).ok()?),
    })
}

/// The user did not allow it, or left.
pub(crate) fn deny(server: &Server, authorization: &Authorization) -> HttpResponse {
    refused(server, authorization, &Reason::AccessDenied)
}

/// The same, for a valid authorization request.
pub(crate) fn refused(server: &Server, authorization: &Authorization, reason: &Reason) -> HttpResponse {
    let Authorization { request, destination, .. } = authorization;
    let texts = server.texts(request.requirements.language.as_deref());
    refuse(server, destination, request.state.as_deref(), reason, texts)
}
