//! Consent: when it is needed, the page that asks, and what is remembered (OAuth 2.1 §7.3.1).

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};

use crate::error::Reason;
use crate::model::client::RegisteredClient;
use crate::model::code::{AuthorizationRequest, ConsentForm};
use crate::model::id::random_id;
use crate::model::redirect_uri::Destination;
use crate::model::session::{By, Consents, Person};
use crate::pages::ConsentPage;
use crate::response::document;
use crate::server::Server;
use crate::server::paths::Url;
use crate::sign_in::browser::Browser;
use crate::sign_in::cookie::Cookie;
use crate::sign_in::form;
use crate::sign_in::request::Authorization;

/// Whether the user has to be asked, now that it is known who they are.
pub(crate) fn is_needed(
    server: &Server,
    http: &HttpRequest,
    authorization: &Authorization,
    subject: &str,
    by: By,
) -> bool {
    let Authorization { request, client, destination } = authorization;
    // OpenID Connect Core §3.1.2.1
    if request.requirements.consent {
        return true;
    }
    let is_identified = is_identified(server, client, destination);
    if client.is_third_party {
        return !(is_identified && is_remembered(server, http, request, subject));
    }
    match by {
        // A password that is typed into a page which says what for has just allowed it.
        By::Page => false,
        By::Elsewhere | By::Session | By::SessionAlone => !is_identified,
    }
}

/// OAuth 2.1 §7.3.1: any program can say that it is a client which neither authenticates nor is reached by https. A page
/// of this very origin, as on a developer's machine, belongs to the author.
fn is_identified(server: &Server, client: &RegisteredClient, destination: &Destination) -> bool {
    let is_own = destination.source == server.issuer().origin();
    client.credentials.is_some() || destination.is_https || is_own
}

/// The page that asks.
pub(crate) async fn consent_page(
    server: &Server,
    authorization: Authorization,
    person: Person,
    browser: &Browser,
) -> Result<HttpResponse, Reason> {
    let Authorization { request, client, destination } = authorization;
    let texts = server.texts(request.requirements.language.as_deref());
    let form = ConsentForm { id: random_id(), request, browser: browser.hash(), person };
    let sealed = form::seal(server, &form).await?;
    let html = server.pages().consent(&ConsentPage {
        brand: server.brand(),
        texts,
        action: server.path(Url::Consent),
        request: &sealed,
        client: &client.name,
        returns_to: &destination.shown,
        scopes: &server.described(&form.request.scope, texts),
        account: &form.person.account,
    });
    Ok(document(StatusCode::OK, html, &destination.source))
}

/// What was allowed before stays allowed; what another user of this browser allowed is forgotten. Only what
/// [`is_needed`] would ask for is kept.
pub(crate) fn remember(
    server: &Server,
    http: &HttpRequest,
    response: &mut HttpResponse,
    authorization: &Authorization,
    subject: &str,
) {
    let Authorization { request, client, destination } = authorization;
    if !(client.is_third_party && is_identified(server, client, destination)) {
        return;
    }
    let mut consents = consents(server, http)
        .filter(|consents| consents.subject == subject)
        .unwrap_or_else(|| Consents { subject: subject.to_owned(), ..Consents::default() });
    let given = consents.given.entry(request.client_id.clone()).or_default();
    given.scope.extend(request.scope.iter());
    given.resources.join(&request.resources.named(server.audience()));
    let now = server.now();
    // Where it is too much for a cookie, they are asked again.
    if let Ok(sealed) = server.sealer().seal(&consents, now, now + REMEMBERED) {
        Cookie::Consents.set(response, server, &sealed, Some(REMEMBERED));
    }
}

fn is_remembered(server: &Server, http: &HttpRequest, request: &AuthorizationRequest, subject: &str) -> bool {
    let Some(consents) = consents(server, http).filter(|consents| consents.subject == subject) else { return false };
    consents
        .given
        .get(&request.client_id)
        .is_some_and(|given| given.covers(&request.scope, &request.resources.named(server.audience())))
}

fn consents(server: &Server, http: &HttpRequest) -> Option<Consents> {
    let sealed = Cookie::Consents.read(http, server)?;
    Some(server.sealer().open::<Consents>(sealed, server.now()).ok()?.value)
}

/// How long a browser keeps a cookie at most.
const REMEMBERED: Duration = Duration::from_secs(400 * 24 * 3600);
