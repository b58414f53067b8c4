//! The pages of the application itself, which the session of a browser opens.

use std::future::{Ready, ready};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use actix_web::body::EitherBody;
use actix_web::dev::{Service, ServiceRequest, ServiceResponse, Transform};
use actix_web::http::{Method, StatusCode, header};
use actix_web::{Error, HttpMessage as _, HttpRequest, HttpResponse};

use crate::error::Reason;
use crate::event::request::{ToItsEnd, current, during};
use crate::guard::around::{Around, Rule};
use crate::guard::on_page::{OnPage, SIGNED_IN, user_of_session};
use crate::guard::protection::{Protection, is_of_a_test, no_service};
use crate::guard::refusal::Refusal;
use crate::guard::watch;
use crate::guard::{answer, bearer};
use crate::keys::Verified;
use crate::meter;
use crate::model::Scope;
use crate::model::own_page::{LocalPath, PageRequest};
use crate::model::session::Session;
use crate::response::{page_not_shown, see_other};
use crate::server::{OAuthService, Server};
use crate::sign_in::begin::reloaded;
use crate::sign_in::cookie::Cookie;
use crate::sign_in::{cross_site, for_page, language};

/// The middleware of [`OAuthService::pages`](crate::OAuthService::pages).
#[derive(Clone, Debug)]
pub struct OwnPages {
    oauth: OAuthService,
}

impl OAuthService {
    /// Opens an `App`, a scope or a resource to users who are signed in with their browser: server-rendered pages, and
    /// what their scripts call.
    ///
    /// ```
    /// use actix_web::{App, Responder, get, web};
    /// use oauth_runtime::{Claims, require_claim};
    /// use serde_json::Value;
    /// # use oauth_runtime::{Login, OAuthService};
    /// # let oauth = OAuthService::builder().issuer("http://127.0.0.1:8000").untyped_claims()
    /// #     .authenticate(async |_: Login| Some(serde_json::json!({ "sub": "ada" })))
    /// #     .reload(async |_: &str| Some(serde_json::json!({ "role": "user" }))).build().unwrap();
    ///
    /// #[get("/notes")]
    /// async fn notes(Claims(user): Claims<Value>) -> impl Responder {
    ///     format!("the notes of {}", user["sub"])
    /// }
    ///
    /// #[require_claim(role = "admin")]
    /// #[get("/users")]
    /// async fn users() -> impl Responder {
    ///     "all users"
    /// }
    ///
    /// let pages = web::scope("/app").wrap(oauth.pages()).service(notes).service(users);
    /// let app = App::new().configure(oauth.routes()).service(pages);
    /// # let _ = app;
    /// ```
    ///
    /// Required: [`Builder::reload`](crate::Builder::reload), which gives a service sessions. No client is needed.
    ///
    /// It only asks that the user is signed in; guards on the handlers and policies around them ask for more, and
    /// decide by what [`reload`](crate::Builder::reload) returned for the user, at most five seconds ago. A sign-out
    /// takes effect at once, and in other processes that share the store within
    /// [`revocation_lag`](crate::Builder::revocation_lag). A use keeps the session from being idle: its cookie is written anew
    /// once an eighth of [`session_idle`](crate::Builder::session_idle) is over.
    ///
    /// | Who comes | The answer |
    /// |---|---|
    /// | no session, and a page is to be shown | 303 to the sign-in page, and from there back to the path with its query |
    /// | no session, and a script asks | 401 |
    /// | a session, and POST or any method but GET, HEAD and OPTIONS, or an upgrade (WebSocket) | as the handler says, where `Sec-Fetch-Site` is `same-origin` or, without it, `Origin` is the issuer's; else 403 |
    /// | a session, and a page of another site | as the handler says, where a link leads here; 403 to its frames, images and scripts |
    /// | a session, and a guard refuses | 403: a page, with a way to another account, or JSON for a script |
    /// | a session, and a guard asks for a [fresh or a stronger sign-in](macro@crate::require_claim) | 303 to the sign-in page, or 401 for a script |
    /// | an `Authorization` header | as its token says: the session is not looked at |
    ///
    /// A guard that names a scope refuses, since a session has none. An [`AccessToken`](crate::AccessToken) is not
    /// available either. The token of a third party's client opens no page, since a page may have no guard of its own.
    /// Below the path of another [resource](crate::Builder::resource) only its tokens are accepted, and no session.
    ///
    /// An answer has `Vary: Cookie`, and `Cache-Control: no-store` unless the handler sets more than `private`.
    #[must_use]
    pub fn pages(&self) -> OwnPages {
        if self.server().sessions().is_none() {
            tell_of_sessions();
        }
        OwnPages { oauth: self.clone() }
    }
}

fn tell_of_sessions() {
    tracing::error!(
        target: "oauth",
        "oauth.pages() is for users who stay signed in, and this service has no sessions: add .reload(..) to the builder, and \
         leave out .sessions(false)"
    );
}

impl<S, B> Transform<S, ServiceRequest> for OwnPages
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Transform = Around<Gate, S>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, ()>>;

    fn new_transform(&self, service: S) -> Self::Future {
        ready(Ok(Around::new(Gate { oauth: self.oauth.clone(), is_told: AtomicBool::new(false) }, service)))
    }
}

impl Rule for Gate {
    async fn answer<S, B>(
        self: Rc<Self>,
        request: ServiceRequest,
        service: Rc<S>,
    ) -> Result<ServiceResponse<EitherBody<B>>, Error>
    where
        S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
        B: 'static,
    {
        let server = self.oauth.server();
        if server.protection().is_own(&request) {
            return service.call(request).await.map(ServiceResponse::map_into_left_body);
        }
        let entered = match request.app_data::<Arc<Protection>>() {
            Some(_) => self.enter(request.request()).await,
            // Without the server's routes no one could sign in.
            None => Err(Refusal::new(no_service(request.request(), "oauth.pages() has no OAuthService"), None)),
        };
        meter::guard_decided(|| entered.as_ref().err().map(|refusal| refusal.status().as_u16()));
        watch::note(request.request(), &SIGNED_IN, entered.as_ref().err());
        let visitor = match entered {
            Ok(visitor) => visitor,
            Err(refusal) => {
                let response = turned_away(server, request.request(), refusal);
                return Ok(request.into_response(response).map_into_right_body());
            }
        };
        if let Some(Visitor { user, .. }) = &visitor {
            request.extensions_mut().insert(OnPage::new(server.protection(), Arc::clone(user)));
        }
        let mut response = service.call(request).await?;
        let Some(visitor) = visitor else {
            // The answer to a token is for one user as well, and the same URL answers sessions.
            answer::keep_private(response.headers_mut());
            response.headers_mut().append(header::VARY, header::HeaderValue::from_static("Authorization, Cookie"));
            return Ok(response.map_into_left_body());
        };
        let refused = response.response_mut().extensions_mut().remove::<Refusal>();
        if let Some(shown) = refused.and_then(|refusal| shown_instead(server, response.request(), &refusal)) {
            return Ok(response.into_response(shown).map_into_right_body());
        }
        visitor.leave(server, response.response_mut()).await;
        Ok(response.map_into_left_body())
    }
}

/// Decides who enters.
#[derive(Debug)]
pub struct Gate {
    oauth: OAuthService,
    is_told: AtomicBool,
}

/// A user who came with a session.
struct Visitor {
    session: Session,
    user: Arc<Verified>,
    /// Whether to renew the cookie, so that the session is not idle.
    is_to_prolong: bool,
}

impl Gate {
    /// The visitor, or `None` if a token admits the request.
    async fn enter(&self, http: &HttpRequest) -> Result<Option<Visitor>, Refusal> {
        let server = self.oauth.server();
        let here = server.protection().at(http);
        let is_elsewhere = !Arc::ptr_eq(here, server.protection());
        if http.headers().contains_key(header::AUTHORIZATION) || is_elsewhere {
            if is_elsewhere && !self.is_told.swap(true, Ordering::Relaxed) {
                tell_of_resource(http.path());
            }
            let token = bearer::of_request(http, here).await.map_err(|reason| here.refusal(reason))?;
            // A resource is meant for such clients; a page was written for its user.
            if !is_elsewhere && is_of_third_party(server, &token).await.map_err(|reason| here.refusal(reason))? {
                tell_of_third_party(http.path(), &token);
                return Err(here.refusal(Reason::PolicyRefused(Scope::default())));
            }
            return Ok(None);
        }
        let visitor = visitor(&self.oauth, http).await.and_then(|visitor| visitor.ok_or(Reason::SessionMissing));
        visitor.map(Some).map_err(|reason| here.refusal(reason).on_page())
    }
}

fn tell_of_resource(path: &str) {
    tracing::error!(
        target: "oauth",
        path,
        "oauth.pages() is around handlers that are below a resource's path: they accept its tokens and no session; put the pages \
         elsewhere, and wrap only them"
    );
}

fn tell_of_third_party(path: &str, token: &Verified) {
    tracing::warn!(
        target: "oauth",
        path,
        client = token.registered.texts().client_id,
        "a third party's client came with its token to a page of the application: take the handler out of oauth.pages() if such \
         clients may call it"
    );
}

/// Whether this token was issued to a third party.
async fn is_of_third_party(server: &Server, token: &Verified) -> Result<bool, Reason> {
    if is_of_a_test(token.registered.texts().id) {
        return Ok(false);
    }
    let client = server.clients().find(token.registered.texts().client_id).await?;
    Ok(client.is_none_or(|client| client.is_third_party))
}

/// The user of a session that stands, with their current claims.
async fn visitor(oauth: &OAuthService, http: &HttpRequest) -> Result<Option<Visitor>, Reason> {
    let server = oauth.server();
    let Some(sessions) = server.sessions() else {
        tell_of_sessions();
        return Err(Reason::NoSessions);
    };
    // Without a cookie there is nothing that another site could misuse.
    if Cookie::Session.all(http, server).is_empty() {
        return Ok(None);
    }
    cross_site::may_use_session(server, http)?;
    let Some((session, made)) = Session::presented_since(http, server) else { return Ok(None) };
    let Some((session, view)) = session.at_guard(server).await? else { return Ok(None) };
    let is_to_prolong = server.now() >= made + sessions.lifetimes.idle / PARTS_OF_IDLE;
    let asked = server.clock().monotonic();
    if let Some(user) = sessions.seen.get(&session.authentication, asked) {
        return Ok(Some(Visitor { session, user, is_to_prolong }));
    }
    let (oauth, of) = (oauth.clone(), session.clone());
    // It may end the session.
    let reloading = Box::pin(async move { reloaded(oauth.server(), of, &view).await });
    let Some(person) = during(current(), ToItsEnd::of(reloading)).await? else { return Ok(None) };
    let user = user_of_session(server.protection(), &session.subject, person.claims, &session.authentication);
    let user = Arc::new(user);
    sessions.seen.keep(&session.authentication, &user, asked);
    Ok(Some(Visitor { session, user, is_to_prolong }))
}

impl Visitor {
    /// The headers of every answer to them.
    async fn leave<B>(self, server: &Server, response: &mut HttpResponse<B>) {
        let headers = response.headers_mut();
        // A guard sets `private` by itself; what the browser keeps would still be there after a sign-out.
        let said = headers.get(header::CACHE_CONTROL);
        if said.is_none_or(|said| said == "private") {
            headers.insert(header::CACHE_CONTROL, header::HeaderValue::from_static("no-store"));
        }
        headers.append(header::VARY, header::HeaderValue::from_static("Cookie"));
        // A shared cache must not give one user's session to another.
        let is_for_one = |said: &header::HeaderValue| {
            said.to_str().is_ok_and(|said| said.contains("no-store") || said.contains("private"))
        };
        let is_private = headers.get(header::CACHE_CONTROL).is_some_and(is_for_one);
        if !(self.is_to_prolong && is_private) {
            return;
        }
        // While the handler ran, the session may have ended, and another one may have begun in the browser.
        if self.session.prolong_if_it_stands(response, server).await.is_err() {
            tracing::warn!(target: "oauth", "a session could not be prolonged");
        }
    }
}

/// The answer to a request that may not enter.
fn turned_away(server: &Server, http: &HttpRequest, refusal: Refusal) -> HttpResponse {
    match (refusal.reason(), cross_site::is_shown(http) && refusal.is_on_page()) {
        // A post cannot come back.
        (Reason::SessionMissing, true) if is_read(http) => signing_in(server, http, false, &[], see_other),
        (_, true) => {
            refusal.log(http);
            shown(server, http, refusal.reason(), matches!(refusal.reason(), Reason::SessionMissing).then_some(false))
        }
        (_, false) => refusal.into_response(http),
    }
}

/// What a person sees instead of a guard's answer; `None` if a script made the request.
fn shown_instead(server: &Server, http: &HttpRequest, refusal: &Refusal) -> Option<HttpResponse> {
    if !cross_site::is_shown(http) {
        return None;
    }
    match refusal.reason() {
        Reason::SignInAgain(need) if is_read(http) => Some(signing_in(server, http, true, &need.acr, see_other)),
        Reason::SignInAgain(need) => Some(signing_in(server, http, true, &need.acr, |href| {
            page_not_shown(server, language::of(http, server), refusal.reason(), Some(&href))
        })),
        reason if refusal.status() == StatusCode::FORBIDDEN => Some(shown(server, http, reason, Some(true))),
        _ => None,
    }
}

/// The page that says why, with the way to the sign-in page, for another account if `anew`.
fn shown(server: &Server, http: &HttpRequest, reason: &Reason, anew: Option<bool>) -> HttpResponse {
    let page = |href: Option<&str>| page_not_shown(server, language::of(http, server), reason, href);
    match anew {
        Some(anew) => signing_in(server, http, anew, &[], |href| page(Some(&href))),
        None => page(None),
    }
}

/// The way to the sign-in page, and from there to the requested page, or to the page of the post.
fn signing_in(
    server: &Server,
    http: &HttpRequest,
    anew: bool,
    acr: &[&str],
    answer: impl FnOnce(String) -> HttpResponse,
) -> HttpResponse {
    let page = if is_read(http) { LocalPath::of(http.path(), http.query_string()) } else { came_from(server, http) };
    let acr = acr.iter().map(|acr| (*acr).to_owned()).collect();
    match for_page::url(server, &PageRequest { page, anew, acr }) {
        Ok(url) => answer(url),
        Err(reason) => page_not_shown(server, language::of(http, server), &reason, None),
    }
}

/// The page of this origin with the form that was posted; the root if the browser does not say.
fn came_from(server: &Server, http: &HttpRequest) -> LocalPath {
    let referrer = http.headers().get(header::REFERER).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let path = referrer.strip_prefix(server.issuer().origin()).unwrap_or_default();
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    LocalPath::of(path, query)
}

fn is_read(http: &HttpRequest) -> bool {
    matches!(*http.method(), Method::GET | Method::HEAD)
}

/// A session is prolonged when this part of its idle time is over, so that not every answer has a cookie.
const PARTS_OF_IDLE: u32 = 8;
