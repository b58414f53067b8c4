//! One URL of the server, as its row says: its methods, 405 with `Allow` for the others, what is read before its handler
//! runs, the form of its errors, and CORS where it is meant to be.

use std::sync::Arc;
use std::time::Duration;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{AppService, HttpServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::http::header::HeaderMap;
use actix_web::http::{Method, StatusCode, header};
use actix_web::middleware::{Next, from_fn};
use actix_web::{Error, HttpRequest, HttpResponse, Resource, guard, web};
use tracing::Instrument as _;

use crate::error::{Code, Reason};
use crate::event::request::{Request, during};
use crate::guard::own;
use crate::guard::proofs::DPOP_NONCE;
use crate::meter::Stopwatch;
use crate::model::form::Parameters;
use crate::model::id::random_id;
use crate::response::{Doing, WayBack, challenge_client, error_page, json_error};
use crate::server::paths::{Cors, Errors, Input, Placed, Row};
use crate::server::{OAuthService, Server};
use crate::sign_in::{cross_site, language, redirect};

/// A URL to be registered with an `App`.
pub(crate) struct Registration {
    row: &'static Row,
    path: String,
    resource: Resource,
}

/// The URL of this row, without a handler.
pub(crate) fn at(placed: &Placed) -> Registration {
    Registration { row: placed.row, path: placed.path.clone(), resource: own::resource(&placed.path) }
}

impl Registration {
    /// Hands the parameters of each request to this function.
    pub(crate) fn to<F>(mut self, handler: F) -> Self
    where
        F: AsyncFn(&Server, &HttpRequest, &Parameters<'_>) -> Result<HttpResponse, Reason> + Copy + 'static,
    {
        let row = self.row;
        let respond = move |oauth: OAuthService, http: HttpRequest, payload: web::Payload| async move {
            let server = oauth.server();
            let input = match input(row, server, &http, payload).await {
                Ok(Arrived::Parameters(input)) => input,
                Ok(Arrived::ToBeSentOn(response)) => return response,
                Err(reason) => return refused(row, server, &http, &reason, None),
            };
            let mut parameters = match row.input {
                Input::Json => Parameters::of_json(&input),
                Input::Nothing
                | Input::FormWherePosted
                | Input::Parameters { .. }
                | Input::ParametersOfAnySite { .. } => Parameters::parse(&input),
            };
            let posted = match posted(row, server, &parameters) {
                Ok(posted) => posted,
                Err(reason) => return refused_back(row, server, &http, &parameters, &reason).await,
            };
            if let Some(posted) = &posted {
                parameters = Parameters::parse_of_another_site(posted.as_bytes());
            }
            match handler(server, &http, &parameters).await {
                Ok(response) => response,
                Err(reason) => refused_back(row, server, &http, &parameters, &reason).await,
            }
        };
        self.resource = self.resource.route(
            web::route()
                .guard(guard::fn_guard(move |context| row.allowed().any(|method| method == context.head().method)))
                .to(respond),
        );
        self
    }
}

impl HttpServiceFactory for Registration {
    fn register(self, app: &mut AppService) {
        let Registration { row, path, resource } = self;
        if !app.is_root() {
            // Below a scope nothing would be where the metadata says: half a server is worse than none.
            web::resource(own::spellings(&path))
                .default_service(web::to(|| async { json_error(&Reason::NoService) }))
                .register(app);
            return;
        }
        let methods = row.allowed().map(Method::as_str).collect::<Vec<_>>().join(", ");
        let allow = methods.clone();
        let path: Arc<str> = path.into();
        resource
            .default_service(web::to(move || {
                let allow = allow.clone();
                async move { HttpResponse::MethodNotAllowed().insert_header((header::ALLOW, allow)).finish() }
            }))
            .wrap(from_fn(move |request, next| share(row.cors, methods.clone(), request, next)))
            .wrap(from_fn(move |request, next| observe(path.clone(), request, next)))
            .register(app);
    }
}

/// What came of a request before its handler runs.
enum Arrived {
    Parameters(web::Bytes),
    /// Another site posted it: this sends the browser on, to come back by GET.
    ToBeSentOn(HttpResponse),
}

/// The parameters, as they stand in the query or in the body.
async fn input(row: &Row, server: &Server, http: &HttpRequest, payload: web::Payload) -> Result<Arrived, Reason> {
    let (query_bytes, from_other_sites) = match row.input {
        Input::Nothing => return Ok(Arrived::Parameters(web::Bytes::new())),
        Input::Json if !is_of_type(http, "application/json") => return Err(Reason::NotJson),
        Input::Json => return body(http, payload).await.map(Arrived::Parameters),
        Input::FormWherePosted => {
            let is_posted = http.method() == Method::POST && is_of_type(http, FORM);
            let form = if is_posted { form_body(http, payload).await? } else { web::Bytes::new() };
            return Ok(Arrived::Parameters(form));
        }
        Input::Parameters { query_bytes } => (query_bytes, false),
        Input::ParametersOfAnySite { query_bytes } => (query_bytes, true),
    };
    let input = if http.method() == Method::POST {
        let body = form_body(http, payload).await?;
        if from_other_sites && !cross_site::is_from_own_page(server, http) {
            return cross_site::send_on(server, http, server.path(row.url), &body).await.map(Arrived::ToBeSentOn);
        }
        body
    } else {
        let query = http.query_string();
        if query.len() > query_bytes {
            return Err(Reason::QueryTooLong(query_bytes));
        }
        web::Bytes::copy_from_slice(query.as_bytes())
    };
    Ok(Arrived::Parameters(input))
}

/// What another site posted, where it comes back with this request.
fn posted(row: &Row, server: &Server, parameters: &Parameters<'_>) -> Result<Option<String>, Reason> {
    match row.input {
        Input::Nothing | Input::Json | Input::FormWherePosted | Input::Parameters { .. } => Ok(None),
        Input::ParametersOfAnySite { .. } => cross_site::come_back(server, server.path(row.url), parameters),
    }
}

/// The body of a form post, if it is a form at all.
async fn form_body(http: &HttpRequest, payload: web::Payload) -> Result<web::Bytes, Reason> {
    if is_of_type(http, FORM) { body(http, payload).await } else { Err(Reason::NotAForm) }
}

/// A body, up to its limit.
async fn body(http: &HttpRequest, payload: web::Payload) -> Result<web::Bytes, Reason> {
    // What it says when it is unpacked is not looked at, so it must not be read as it stands.
    if http.headers().get(header::CONTENT_ENCODING).is_some_and(|coding| coding != "identity") {
        return Err(Reason::BodyUnreadable);
    }
    match tokio::time::timeout(SLOWEST_BODY, payload.to_bytes_limited(MAX_BODY_BYTES)).await {
        Ok(Ok(Ok(body))) => Ok(body),
        Ok(Ok(Err(_))) => Err(Reason::BodyUnreadable),
        Ok(Err(_)) => Err(Reason::BodyTooLong),
        Err(_elapsed) => Err(Reason::BodyTooSlow),
    }
}

fn is_of_type(http: &HttpRequest, expected: &str) -> bool {
    let media_type = http.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    let essence = media_type.split(';').next().unwrap_or("").trim();
    essence.eq_ignore_ascii_case(expected)
}

const FORM: &str = "application/x-www-form-urlencoded";

/// The same, with the way back where the parameters tell it.
async fn refused_back(
    row: &Row,
    server: &Server,
    http: &HttpRequest,
    parameters: &Parameters<'_>,
    reason: &Reason,
) -> HttpResponse {
    let back = way_back(row, server, http, parameters).await;
    refused(row, server, http, reason, back.as_ref())
}

/// From the page of an error, where a form of ours, what another site posted, or what was pushed, says which client it was for.
async fn way_back(row: &Row, server: &Server, http: &HttpRequest, parameters: &Parameters<'_>) -> Option<WayBack> {
    match row.errors {
        Errors::Page => match parameters.get("request", usize::MAX).ok()? {
            Some(request) => redirect::way_back_from(server, http, request).await,
            None => redirect::way_back_from_late(server, http, server.path(row.url), parameters).await,
        },
        Errors::SignOutPage | Errors::Json | Errors::JsonUnauthorized | Errors::Challenge => None,
    }
}

fn refused(row: &Row, server: &Server, http: &HttpRequest, reason: &Reason, back: Option<&WayBack>) -> HttpResponse {
    let log = |form| tracing::info!(target: "oauth", ?reason, "{} refused{form}", row.request);
    match row.errors {
        Errors::Page => {
            log(" with a page");
            let asked = back.and_then(|back| back.language.as_deref());
            let texts = asked.map_or_else(|| language::of(http, server), |asked| server.texts(Some(asked)));
            error_page(server, texts, Doing::SigningIn, reason, back)
        }
        Errors::SignOutPage => {
            log(" with a page");
            error_page(server, language::of(http, server), Doing::SigningOut, reason, None)
        }
        Errors::Json => {
            log("");
            let mut response = json_error(reason);
            set_nonce(server, reason, &mut response);
            response
        }
        Errors::JsonUnauthorized => {
            log("");
            let mut response = json_error(reason);
            if reason.wire().code == Some(Code::InvalidClient) {
                *response.status_mut() = StatusCode::UNAUTHORIZED;
                challenge_client(&mut response);
            }
            response
        }
        // A refusal logs itself.
        Errors::Challenge => server.protection().refusal(reason.clone()).into_response(http),
    }
}

/// RFC 9449 §8: says which nonce the next proof has to have.
fn set_nonce(server: &Server, reason: &Reason, response: &mut HttpResponse) {
    if let (Reason::ProofNonce(_), Some(proofs)) = (reason, &server.protection().proofs)
        && let Some(nonce) = proofs.rules.nonce().and_then(|nonce| nonce.parse().ok())
    {
        response.headers_mut().insert(DPOP_NONCE, nonce);
    }
}

/// Answers in a span of the log that says which request it is, without its query and its body. What happens meanwhile is
/// told with the same id.
async fn observe(
    path: Arc<str>,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let id: Arc<str> = random_id().into();
    let span = tracing::info_span!(
        target: "oauth",
        "request",
        id = &*id,
        method = known(request.method()),
        path = &*path,
        status = tracing::field::Empty
    );
    let http = request.request();
    #[cfg(feature = "testing")]
    crate::guard::probe::answered_by_the_server(http);
    let address = OAuthService::of(http).ok().and_then(|oauth| {
        oauth.server().protection().own_urls.tell_of_shadows(http);
        oauth.server().client_address().of(http)
    });
    let watch = Stopwatch::start();
    let answer = next.call(request).instrument(span.clone());
    let answered = during(Request { id: Some(id), address }, answer).await;
    let status = match &answered {
        Ok(response) => response.status(),
        Err(error) => error.as_response_error().status_code(),
    };
    span.record("status", status.as_u16());
    watch.answered(&path, status.as_u16());
    Ok(answered?.map_into_boxed_body())
}

/// A method's name; what a client made up is not repeated.
fn known(method: &Method) -> &'static str {
    const KNOWN: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"];
    KNOWN.into_iter().find(|known| *known == method.as_str()).unwrap_or("other")
}

async fn share(
    cors: Cors,
    methods: String,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let allowed = allowed_origin(cors, request.request());
    let preflight = cors != Cors::None
        && request.method() == Method::OPTIONS
        && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    let asked = request.headers().get(header::ACCESS_CONTROL_REQUEST_HEADERS).cloned();
    let mut response = if preflight {
        request.into_response(HttpResponse::NoContent().finish())
    } else {
        next.call(request).await?.map_into_boxed_body()
    };
    let headers = response.headers_mut();
    if cors == Cors::Clients {
        headers.append(header::VARY, header::HeaderValue::from_static("Origin"));
    }
    if preflight {
        headers.append(header::VARY, header::HeaderValue::from_static("Access-Control-Request-Headers"));
    }
    if let Some(origin) = allowed {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        if preflight {
            if let Ok(methods) = header::HeaderValue::from_str(&methods) {
                headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, methods);
            }
            // Whichever a client's library adds: no header of a request but those of RFC 6750 and RFC 7617 means anything here.
            if let Some(asked) = asked {
                headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, asked);
            }
            headers.insert(header::ACCESS_CONTROL_MAX_AGE, header::HeaderValue::from_static("600"));
        } else {
            expose(headers);
        }
    }
    Ok(response)
}

/// Names what a page of another origin may read beyond the body, where it is there.
fn expose(headers: &mut HeaderMap) {
    let told = [
        ("WWW-Authenticate", header::WWW_AUTHENTICATE),
        ("Retry-After", header::RETRY_AFTER),
        ("DPoP-Nonce", DPOP_NONCE),
    ];
    let there: Vec<_> = told.iter().filter(|(_, name)| headers.contains_key(name)).map(|(text, _)| *text).collect();
    match header::HeaderValue::from_str(&there.join(", ")) {
        Ok(names) if !there.is_empty() => headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, names),
        Ok(_) | Err(_) => headers.remove(header::ACCESS_CONTROL_EXPOSE_HEADERS),
    };
}

fn allowed_origin(cors: Cors, request: &HttpRequest) -> Option<header::HeaderValue> {
    match cors {
        Cors::None => None,
        Cors::Everyone => Some(header::HeaderValue::from_static("*")),
        Cors::Clients => {
            let oauth = request.app_data::<OAuthService>()?;
            let value = request.headers().get(header::ORIGIN)?;
            oauth.server().clients().allow_origin(value.to_str().ok()?).then(|| value.clone())
        }
    }
}

const MAX_BODY_BYTES: usize = 16 * 1024;
/// A form comes in a packet or two: a client that takes longer than this holds a connection and no more.
const SLOWEST_BODY: Duration = Duration::from_secs(10);
