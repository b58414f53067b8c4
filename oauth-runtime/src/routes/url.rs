//! One URL of the server, by its row: its methods, 405 with `Allow` for the others, what is read before its handler
//! runs, the form of its errors, and CORS if intended.

use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::header::HeaderMap;
use actix_web::http::{Method, StatusCode, header};
use actix_web::{FromRequest as _, HttpRequest, HttpResponse, web};
use futures_util::future::LocalBoxFuture;
use tracing::Instrument as _;

use crate::error::{Code, Reason};
use crate::event::request::{Request, ToItsEnd, during};
use crate::guard::proofs::DPOP_NONCE;
use crate::meter::Stopwatch;
use crate::model::form::Parameters;
use crate::model::id::random_id;
use crate::response::{Doing, WayBack, challenge_client, error_page, json_error};
use crate::server::paths::{Cors, Errors, Input, Placed, Row};
use crate::server::{OAuthService, Server};
use crate::sign_in::asked::Asked;
use crate::sign_in::{cross_site, language, redirect};

/// Answers a request whose parameters have been read.
pub(crate) type Handler =
    for<'a> fn(&'a Server, &'a HttpRequest, &'a Parameters<'a>) -> LocalBoxFuture<'a, Result<HttpResponse, Reason>>;

/// Answers in a log span that names the request, without its query and its body. Events meanwhile have the same id.
pub(crate) async fn answer(
    placed: &Placed,
    handler: Handler,
    oauth: &OAuthService,
    request: ServiceRequest,
) -> ServiceResponse {
    let (http, payload) = request.into_parts();
    let server = oauth.server();
    let id: Arc<str> = random_id().into();
    let span = tracing::info_span!(
        target: "oauth",
        "request",
        id = &*id,
        method = known(http.method()),
        path = placed.path,
        status = tracing::field::Empty
    );
    #[cfg(feature = "testing")]
    crate::guard::probe::answered_by_the_server(&http);
    server.protection().own_urls.tell_of_shadows(&http);
    let address = server.client_address().of(&http);
    let watch = Stopwatch::start();
    // Boxed, and made in place, since the future around it is moved several times.
    let answer = Box::write(Box::new_uninit(), share(placed.row, handler, oauth.clone(), http.clone(), payload));
    let answer = ToItsEnd::of(Box::into_pin(answer)).instrument(span.clone());
    let response = during(Request { id: Some(id), address }, answer).await;
    span.record("status", response.status().as_u16());
    watch.answered(&placed.path, response.status().as_u16());
    ServiceResponse::new(http, response)
}

/// By its method, with its parameters.
async fn respond(row: &Row, handler: Handler, server: &Server, http: &HttpRequest, payload: Payload) -> HttpResponse {
    if !row.allowed().any(|method| method == http.method()) {
        let reason = Reason::OtherMethod { is_for_posts: row.methods == [Method::POST] };
        let mut response = refused((row, server, http), &reason, None, &of_preflight(http));
        if let Ok(methods) = header::HeaderValue::from_str(&methods(row)) {
            response.headers_mut().insert(header::ALLOW, methods);
        }
        return response;
    }
    let input = match input(row, server, http, payload).await {
        Ok(Arrived::Parameters(input)) => input,
        Ok(Arrived::ToBeSentOn(response)) => return response,
        Err(reason) => return refused((row, server, http), &reason, None, &Asked::default()),
    };
    let mut parameters = match row.input {
        Input::Json => Parameters::of_json(&input),
        Input::Nothing | Input::FormWherePosted | Input::Parameters { .. } | Input::ParametersOfAnySite { .. } => {
            Parameters::parse(&input)
        }
    };
    let posted = match posted(row, server, &parameters) {
        Ok(posted) => posted,
        Err(reason) => return refused_back(row, server, http, &parameters, &reason).await,
    };
    if let Some(posted) = &posted {
        parameters = Parameters::parse_of_another_site(posted.as_bytes());
    }
    match handler(server, http, &parameters).await {
        Ok(response) => response,
        Err(reason) => refused_back(row, server, http, &parameters, &reason).await,
    }
}

/// What the log says of a script that calls what it may not.
fn of_preflight(http: &HttpRequest) -> Asked {
    let hint = "no script of another origin may call this address, as this CORS preflight asks for: send the browser to it, or ask from \
                a server";
    Asked { hint: is_preflight(http).then_some(hint), ..Asked::default() }
}

/// A browser asks whether a page may make a request (Fetch §3.3.2).
fn is_preflight(http: &HttpRequest) -> bool {
    http.method() == Method::OPTIONS && http.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}

fn methods(row: &Row) -> String {
    row.allowed().map(Method::as_str).collect::<Vec<_>>().join(", ")
}

/// What a request contains, or its answer, before its handler runs.
enum Arrived {
    Parameters(web::Bytes),
    /// Another site posted it: this sends the browser away to return by GET.
    ToBeSentOn(HttpResponse),
}

/// The parameters in the query or in the body.
async fn input(row: &Row, server: &Server, http: &HttpRequest, payload: Payload) -> Result<Arrived, Reason> {
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

/// What another site posted, if it comes back with this request.
fn posted(row: &Row, server: &Server, parameters: &Parameters<'_>) -> Result<Option<String>, Reason> {
    match row.input {
        Input::Nothing | Input::Json | Input::FormWherePosted | Input::Parameters { .. } => Ok(None),
        Input::ParametersOfAnySite { .. } => cross_site::come_back(server, server.path(row.url), parameters),
    }
}

/// The body of a form post, if it is a form at all.
async fn form_body(http: &HttpRequest, payload: Payload) -> Result<web::Bytes, Reason> {
    if is_of_type(http, FORM) { body(http, payload).await } else { Err(Reason::NotAForm) }
}

/// A body, up to its limit.
async fn body(http: &HttpRequest, mut payload: Payload) -> Result<web::Bytes, Reason> {
    // A compressed body is not unpacked, so it must not be read.
    if http.headers().get(header::CONTENT_ENCODING).is_some_and(|coding| coding != "identity") {
        return Err(Reason::BodyUnreadable);
    }
    let Ok(payload) = web::Payload::from_request(http, &mut payload).await else { return Err(Reason::BodyUnreadable) };
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

/// The same, with the way back if the parameters reveal it.
async fn refused_back(
    row: &Row,
    server: &Server,
    http: &HttpRequest,
    parameters: &Parameters<'_>,
    reason: &Reason,
) -> HttpResponse {
    let back = way_back(row, server, http, parameters).await;
    refused((row, server, http), reason, back.as_ref(), &Asked::of(server, http, parameters, reason))
}

/// The way back from an error page, if a form of ours, a post of another site, or a pushed request says which client it
/// was for.
async fn way_back(row: &Row, server: &Server, http: &HttpRequest, parameters: &Parameters<'_>) -> Option<WayBack> {
    match row.errors {
        Errors::Page => match parameters.get("request", usize::MAX).ok()? {
            Some(request) => redirect::way_back_from(server, http, request).await,
            None => redirect::way_back_from_late(server, http, server.path(row.url), parameters).await,
        },
        Errors::SignOutPage | Errors::Json | Errors::JsonUnauthorized | Errors::Challenge => None,
    }
}

fn refused(
    (row, server, http): (&Row, &Server, &HttpRequest),
    reason: &Reason,
    back: Option<&WayBack>,
    Asked { client, redirect_uri, nearest, scope, resource, grant_type, origin, hint }: &Asked,
) -> HttpResponse {
    let log = |form| {
        tracing::info!(
            target: "oauth",
            ?reason,
            client,
            redirect_uri,
            nearest,
            scope,
            resource,
            grant_type,
            origin,
            hint,
            "{} refused{form}",
            row.request
        );
    };
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

/// RFC 9449 §8: sends the nonce for the next proof.
fn set_nonce(server: &Server, reason: &Reason, response: &mut HttpResponse) {
    if let (Reason::ProofNonce(_), Some(proofs)) = (reason, &server.protection().proofs)
        && let Some(nonce) = proofs.rules.nonce().and_then(|nonce| nonce.parse().ok())
    {
        response.headers_mut().insert(DPOP_NONCE, nonce);
    }
}

/// A method's name; unknown ones are not repeated.
fn known(method: &Method) -> &'static str {
    const KNOWN: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"];
    KNOWN.into_iter().find(|known| *known == method.as_str()).unwrap_or("other")
}

/// Lets pages of allowed origins read the answer.
async fn share(
    row: &'static Row,
    handler: Handler,
    oauth: OAuthService,
    http: HttpRequest,
    payload: Payload,
) -> HttpResponse {
    let (server, http) = (oauth.server(), &http);
    let cors = row.cors;
    let is_preflight = cors != Cors::None && is_preflight(http);
    let mut response = if is_preflight {
        HttpResponse::NoContent().finish()
    } else {
        respond(row, handler, server, http, payload).await
    };
    let headers = response.headers_mut();
    if cors == Cors::Clients {
        headers.append(header::VARY, header::HeaderValue::from_static("Origin"));
    }
    if is_preflight {
        headers.append(header::VARY, header::HeaderValue::from_static("Access-Control-Request-Headers"));
    }
    let origin = allowed_origin(cors, server, http);
    if cors == Cors::Clients && origin.is_none() {
        server.tell_of_another_origin(http);
    }
    if let Some(origin) = origin {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        if is_preflight {
            if let Ok(methods) = header::HeaderValue::from_str(&methods(row)) {
                headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, methods);
            }
            // Any that a client's library adds: only the headers of RFC 6750 and RFC 7617 mean anything here.
            if let Some(asked) = http.headers().get(header::ACCESS_CONTROL_REQUEST_HEADERS) {
                headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, asked.clone());
            }
            headers.insert(header::ACCESS_CONTROL_MAX_AGE, header::HeaderValue::from_static("600"));
        } else {
            expose(headers);
        }
    }
    response
}

/// Names the headers that a page of another origin may read, if present.
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

fn allowed_origin(cors: Cors, server: &Server, http: &HttpRequest) -> Option<header::HeaderValue> {
    match cors {
        Cors::None => None,
        Cors::Everyone => Some(header::HeaderValue::from_static("*")),
        Cors::Clients => {
            let value = http.headers().get(header::ORIGIN)?;
            server.clients().allow_origin(value.to_str().ok()?).then(|| value.clone())
        }
    }
}

const MAX_BODY_BYTES: usize = 16 * 1024;
/// A form comes in a packet or two: a slower client only holds a connection.
const SLOWEST_BODY: Duration = Duration::from_secs(10);
