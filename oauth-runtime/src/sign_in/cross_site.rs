//! Requests that a page of another site sends.
//!
//! A browser leaves the session cookie (`SameSite=Lax`) out of a POST from another site, so such a POST would be
//! decided without knowing who is signed in. If other sites may post, the parameters come back by GET, with the cookie;
//! our own forms are posted only by our own pages.

use actix_web::http::header::HeaderName;
use actix_web::http::{Method, StatusCode, header};
use actix_web::{HttpRequest, HttpResponse};

use crate::error::Reason;
use crate::model::client::MAX_CLIENT_ID_BYTES;
use crate::model::code::Posted;
use crate::model::form::Parameters;
use crate::pages::OnwardPage;
use crate::response::{document, see_other};
use crate::seal::{NotOpened, NotSealed, Sealable as _};
use crate::server::Server;
use crate::sign_in::request::MAX_URI_BYTES;
use crate::sign_in::{language, pushed};

/// Whether a page of this server's own origin sent this.
pub(crate) fn is_from_own_page(server: &Server, http: &HttpRequest) -> bool {
    // With two values it is unclear which is meant.
    if says_twice(http) {
        return false;
    }
    match http.headers().get(SITE) {
        Some(site) => site == "same-origin",
        // Browsers from before 2023 do not say; other programs have no reason to post our forms.
        None => http.headers().get(header::ORIGIN).is_some_and(|origin| *origin == *server.issuer().origin()),
    }
}

/// Whether a request may use the session that it brings: requests that change something or open a connection only from
/// a page of this origin, and others unless a page of another site embeds, loads or reads them.
pub(crate) fn may_use_session(server: &Server, http: &HttpRequest) -> Result<(), Reason> {
    // RFC 9110 §9.2.1; a WebSocket begins with GET, and browsers apply no origin policy to it
    let is_safe = matches!(*http.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    if !is_safe || http.headers().contains_key(header::UPGRADE) {
        return if is_from_own_page(server, http) { Ok(()) } else { Err(Reason::NotOfOwnPage) };
    }
    if says_twice(http) {
        return Err(Reason::LedFromElsewhere);
    }
    let is_led_here = || said(http, &MODE) == Some("navigate") && said(http, &DEST) == Some("document");
    let is_allowed = match http.headers().get(SITE) {
        // `none`: the user typed the address, or opened a bookmark
        Some(site) => site == "same-origin" || site == "none" || is_led_here(),
        // For a script of another origin, browsers of any age say so; for a link they do not.
        None => !http.headers().contains_key(header::ORIGIN) || is_from_own_page(server, http),
    };
    if is_allowed { Ok(()) } else { Err(Reason::LedFromElsewhere) }
}

/// Whether the answer is shown to a person as a page of its own, not embedded in another.
pub(crate) fn is_shown(http: &HttpRequest) -> bool {
    if http.headers().contains_key(header::UPGRADE) {
        return false;
    }
    match (said(http, &MODE), said(http, &DEST)) {
        (None, None) => said(http, &header::ACCEPT).is_some_and(|accepted| accepted.contains("text/html")),
        (mode, to) => mode == Some("navigate") && to == Some("document"),
    }
}

/// Whether a header by which a browser says where a request comes from occurs more than once.
fn says_twice(http: &HttpRequest) -> bool {
    let names = [SITE, MODE, DEST, header::ORIGIN];
    names.iter().any(|name| http.headers().get_all(name).nth(1).is_some())
}

fn said<'a>(http: &'a HttpRequest, header: &HeaderName) -> Option<&'a str> {
    http.headers().get(header)?.to_str().ok()
}

/// Sends the browser away with what another site posted to `path`, to return by GET (OpenID Connect Core §3.1.2.1 and
/// RP-Initiated Logout §2 let them post).
pub(crate) async fn send_on(
    server: &Server,
    http: &HttpRequest,
    path: &str,
    body: &[u8],
) -> Result<HttpResponse, Reason> {
    let posted =
        Posted { path: path.to_owned(), body: String::from_utf8(body.to_vec()).map_err(|_| Reason::NotAForm)? };
    let now = server.now();
    let sealed = server.sealer().seal(&posted, now, now + Posted::LIFETIME).map_err(|why| match why {
        NotSealed::TooLarge => Reason::BodyTooLong,
        NotSealed::Failed => Reason::Internal,
    })?;
    if sealed.len() <= LONGEST_IN_A_URL {
        return Ok(see_other(format!("{path}?{POSTED}={sealed}")));
    }
    let page = OnwardPage {
        brand: server.brand(),
        texts: language::of(http, server),
        action: path,
        field: POSTED,
        value: &sealed,
    };
    let pushed = pushed::at_any_age(server, &Parameters::parse(body)).await;
    let leads_to = leads_to(server, &Parameters::parse(pushed.as_ref().map_or(body, String::as_bytes))).await?;
    Ok(document(StatusCode::OK, server.pages().onward(&page), &leads_to))
}

/// Where the answer may send the browser, for the form's Content-Security-Policy.
async fn leads_to(server: &Server, parameters: &Parameters<'_>) -> Result<String, Reason> {
    let hint = server.id_token_hint(parameters).ok().flatten().and_then(|hint| hint.client_id);
    let asks = parameters.get("client_id", MAX_CLIENT_ID_BYTES)?.map(str::to_owned).or(hint);
    let asked = parameters.get("redirect_uri", MAX_URI_BYTES)?;
    let client = match server.clients().asking(&asks.unwrap_or_default(), asked).await {
        Ok(client) => client,
        Err(Reason::StoreUnavailable) => return Err(Reason::StoreUnavailable),
        // The target of the form reports what is wrong.
        Err(_) => return Ok(String::new()),
    };
    let after_sign_in = asked.map_or_else(|| client.only_destination(), |uri| client.destination(uri));
    let asked = parameters.get("post_logout_redirect_uri", MAX_URI_BYTES)?;
    let after_sign_out = asked.and_then(|uri| client.destination_after_sign_out(uri));
    let sources: Vec<String> = after_sign_in.into_iter().chain(after_sign_out).map(|to| to.source).collect();
    Ok(sources.join(" "))
}

/// What another site posted to `path`, if this request returns it.
pub(crate) fn come_back(server: &Server, path: &str, parameters: &Parameters<'_>) -> Result<Option<String>, Reason> {
    let Some(sealed) = parameters.get(POSTED, Posted::MAX_BYTES)? else { return Ok(None) };
    let opened = server.sealer().open::<Posted>(sealed, server.now()).map_err(|why| match why {
        NotOpened::Forged => Reason::FormForged,
        NotOpened::Expired => Reason::FormExpired,
    })?;
    if opened.value.path == path { Ok(Some(opened.value.body)) } else { Err(Reason::FormForged) }
}

/// The same, even if it is too late: only to find the way back, never to act on.
pub(crate) fn posted_at_any_age(server: &Server, path: &str, parameters: &Parameters<'_>) -> Option<String> {
    let sealed = parameters.get(POSTED, Posted::MAX_BYTES).ok()??;
    let posted = server.sealer().open_at_any_age::<Posted>(sealed).ok()?;
    (posted.path == path).then_some(posted.body)
}

/// W3C Fetch Metadata
const SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");
const DEST: HeaderName = HeaderName::from_static("sec-fetch-dest");
/// The parameter that contains all the others.
const POSTED: &str = "posted_request";
/// Some proxies accept 4 KiB for a header line.
const LONGEST_IN_A_URL: usize = 3 * 1024;
