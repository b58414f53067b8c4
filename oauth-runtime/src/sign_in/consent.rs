//! Consent: when it is needed, the page that asks, and what is remembered (OAuth 2.1 §7.3.1).

use actix_web::HttpResponse;
use actix_web::http::StatusCode;

use crate::error::Reason;
use crate::model::Scope;
use crate::model::ceiling::Unlisted;
use crate::model::claims::OFFLINE_ACCESS;
use crate::model::client::RegisteredClient;
use crate::model::code::{AuthorizationRequest, ConsentForm, Promised, Prompt};
use crate::model::id::{digest, random_id};
use crate::model::redirect_uri::Destination;
use crate::model::resource::Resources;
use crate::model::session::{By, Person};
use crate::pages::{ConsentPage, Texts, WaitingDevice};
use crate::response::document;
#[cfg(feature = "testing")]
use crate::response::{Step, shown};
use crate::server::Server;
use crate::server::granting::Granted;
use crate::server::paths::Url;
use crate::sign_in::browser::Browser;
use crate::sign_in::form;
use crate::sign_in::request::Authorization;
use crate::standing::View;

/// Whether the user has to be asked, now that they are known.
pub(crate) fn is_needed(
    server: &Server,
    authorization: &Authorization,
    granted: &Granted,
    view: &View,
    by: By,
) -> Result<bool, Reason> {
    let Authorization { request, client, destination } = authorization;
    // RFC 8628 §5.4: an attacker may have the device, and have sent the code around
    if request.device.is_some() {
        return Ok(true);
    }
    // OpenID Connect Core §3.1.2.1
    if request.requirements.prompt.contains(&Prompt::Consent) {
        return Ok(true);
    }
    let is_identified = is_identified(server, client, destination);
    if client.is_third_party {
        return Ok(!(is_identified && is_remembered(server, authorization, granted, view)?));
    }
    Ok(match by {
        // Typing the password into a page that says what for has just allowed it: see `is_given_by_signing_in`.
        By::Page => false,
        By::Elsewhere | By::Session | By::SessionAlone => !is_identified,
    })
}

/// OAuth 2.1 §7.3.1: any program can claim to be a client that neither authenticates nor is reached by https. A page of
/// this very origin, as on a developer's machine, belongs to the author.
fn is_identified(server: &Server, client: &RegisteredClient, destination: &Destination) -> bool {
    let is_own = destination.source == server.issuer().origin();
    // It registered its secret by itself, which proves nothing about who it is.
    if client.unlisted == Some(Unlisted::Registered) {
        return destination.is_vouched_for;
    }
    client.credentials.is_some() || destination.is_vouched_for || is_own
}

/// Whether signing in on our page allows it, so that this page has to say what is asked for. For other clients the
/// consent page says it, and known clients of the author get what they ask for.
pub(crate) fn is_given_by_signing_in(server: &Server, authorization: &Authorization) -> bool {
    let Authorization { request, client, destination } = authorization;
    // No client gets anything by this.
    if request.page.is_some() {
        return false;
    }
    let asks = request.device.is_some() || request.requirements.prompt.contains(&Prompt::Consent);
    !client.is_third_party && !asks && !is_identified(server, client, destination)
}

/// What a client asks for, in the words of the pages.
#[derive(Default)]
pub(crate) struct Asked<'a> {
    pub(crate) scopes: Vec<&'a str>,
    /// The resources besides the service itself.
    pub(crate) resources: Vec<&'a str>,
    /// The text that it gets refresh tokens.
    pub(crate) lasting: Option<&'a str>,
}

impl<'a> Asked<'a> {
    pub(crate) fn of(
        server: &'a Server,
        scope: &Scope,
        resources: &'a Resources,
        lasts: bool,
        texts: &'a Texts,
    ) -> Self {
        let lasting = lasts.then(|| server.described_one(OFFLINE_ACCESS, texts).unwrap_or(&texts.lasting_access));
        let (own, userinfo) = (server.audience(), server.issuer().userinfo());
        // Tokens that are only for /userinfo are for nothing that a page could name.
        let resources = || resources.iter().filter(|resource| *resource != userinfo);
        let is_more = resources().any(|resource| resource != own);
        let name = |resource: &'a str| match texts.scopes.get(resource) {
            Some(words) => words.as_str(),
            None if resource == own => server.brand().name.as_str(),
            None => resource,
        };
        Asked {
            // Lasting access is mentioned once, by its own text.
            scopes: server.described(scope, texts, lasts.then_some(OFFLINE_ACCESS)),
            resources: resources().filter(|_| is_more).map(name).collect(),
            lasting,
        }
    }
}

/// The page that asks.
pub(crate) fn consent_page(
    server: &Server,
    authorization: Authorization,
    granted: &Granted,
    person: Person,
    promised: Promised,
    browser: &Browser,
) -> Result<HttpResponse, Reason> {
    let Authorization { request, client, destination } = authorization;
    // What the page does not name cannot be allowed by it, even if the configuration changes meanwhile.
    let (scope, resources) = (granted.scope().clone(), granted.resources().clone());
    let request = AuthorizationRequest { scope, resources, without_refresh: !granted.lasts(), ..request };
    let texts = server.texts(request.requirements.language.as_deref());
    let form =
        ConsentForm { id: random_id(), grant: promised.grant, request, browser: browser.hash().to_owned(), person };
    let sealed = form::seal(server, &form)?;
    let asked = Asked::of(server, granted.scope(), granted.resources(), granted.lasts(), texts);
    let user_code = form.request.device.as_ref().map_or_else(String::new, |device| device.user_code.to_string());
    let html = server.pages().consent(&ConsentPage {
        brand: server.brand(),
        texts,
        action: server.path(Url::Consent),
        request: &sealed,
        client: &client.name,
        calls_itself: client.calls_itself.as_deref(),
        returns_to: &destination.shown,
        scopes: &asked.scopes,
        resources: &asked.resources,
        lasting: asked.lasting,
        account: &form.person.account,
        device: form.request.device.as_ref().map(|device| WaitingDevice {
            user_code: &user_code,
            asked_at: device.asked.at,
            asked_from: device.asked.from,
        }),
        warnings: &warnings(&client, &destination, texts),
    });
    let page = document(StatusCode::OK, html, &destination.source);
    #[cfg(feature = "testing")]
    let page = shown(page, Step::Consent { scope: granted.scope().to_string() }, &sealed);
    Ok(page)
}

/// What users should know about a client that the author did not list.
fn warnings<'a>(client: &RegisteredClient, destination: &Destination, texts: &'a Texts) -> Vec<&'a str> {
    let may_be_here = client.unlisted.is_some() && !destination.is_vouched_for;
    let on_this_device = may_be_here.then_some(&*texts.on_this_device);
    unverified(client, texts).into_iter().chain(on_this_device).collect()
}

/// RFC 7591 §5: the name of a client that registered itself is its own claim; that of a document is its host.
pub(crate) fn unverified<'a>(client: &RegisteredClient, texts: &'a Texts) -> Option<&'a str> {
    (client.unlisted == Some(Unlisted::Registered)).then_some(&*texts.unverified)
}

/// Whether what is allowed now is remembered: only what [`is_needed`] would ask for.
pub(crate) fn is_kept(server: &Server, authorization: &Authorization) -> bool {
    let Authorization { client, destination, request } = authorization;
    // What a device is allowed says nothing about a redirect URI.
    request.device.is_none() && client.is_third_party && is_identified(server, client, destination)
}

/// What a consent is bound to besides the client's name: where its users are sent, and its keys.
pub(crate) fn bound_to(authorization: &Authorization) -> String {
    let Authorization { client, destination, .. } = authorization;
    let keys = client.credentials.iter().flat_map(|credentials| &credentials.keys);
    let mut keys: Vec<String> = keys.filter_map(|key| key.published().map(|(thumbprint, _)| thumbprint)).collect();
    keys.sort_unstable();
    keys.push(destination.source.clone());
    digest("consent", &keys.join("\0"))
}

fn is_remembered(
    server: &Server,
    authorization: &Authorization,
    granted: &Granted,
    view: &View,
) -> Result<bool, Reason> {
    let (client, resources) = (&authorization.client.id, granted.resources().named(server.audience()));
    Ok(view.record()?.allows(
        client,
        &bound_to(authorization),
        granted.scope(),
        &resources,
        granted.lasts(),
        view.now(),
    ))
}
