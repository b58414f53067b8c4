//! The browser and the client of a test, at an `App` of `actix_web::test::init_service`.

use std::collections::BTreeMap;

use actix_http::Request;
use actix_web::body::MessageBody;
use actix_web::dev::{Service, ServiceResponse};
use actix_web::http::{Method, StatusCode, header};
use actix_web::{Error, body, test};
use form_urlencoded::Serializer;
use serde_json::Value;

use crate::response::{Shown, Step};
use crate::server::paths::Url;
use crate::server::{OAuthService, Server};
use crate::testing::heard::heard;
use crate::testing::not_signed_in::NotSignedIn;

/// Keeps cookies, and sends the headers that browsers send from a page of the same origin.
pub(super) struct Browser<'a, S> {
    app: &'a S,
    cookies: BTreeMap<String, String>,
}

/// The answer to one request.
pub(super) struct Answered {
    method: &'static str,
    path: String,
    status: StatusCode,
    pub(super) location: Option<String>,
    pub(super) page: Option<Shown>,
    body: String,
    /// What the service logged meanwhile.
    log: String,
}

impl<'a, S, B> Browser<'a, S>
where
    S: Service<Request, Response = ServiceResponse<B>, Error = Error>,
    B: MessageBody,
{
    pub(super) fn new(app: &'a S) -> Self {
        Browser { app, cookies: BTreeMap::new() }
    }

    /// The service of the `App`, which a request leads to.
    pub(super) async fn service(&self) -> Option<OAuthService> {
        let first = self.app.call(test::TestRequest::with_uri("/").to_request()).await.ok()?;
        first.request().app_data::<OAuthService>().cloned()
    }

    pub(super) async fn get(&mut self, path: &str, query: &str) -> Result<Answered, NotSignedIn> {
        let request = test::TestRequest::with_uri(&format!("{path}?{query}"));
        self.send(("GET", path), request).await
    }

    pub(super) async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Result<Answered, NotSignedIn> {
        let request = test::TestRequest::with_uri(path).method(Method::POST);
        let form = Serializer::new(String::new()).extend_pairs(fields).finish();
        let form_type = (header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        self.send(("POST", path), request.insert_header(form_type).set_payload(form)).await
    }

    pub(super) async fn token(&mut self, server: &Server, form: &[(&str, &str)]) -> Result<Value, NotSignedIn> {
        self.asked(server.path(Url::Token), form, "access_token").await
    }

    /// The `request_uri` of a pushed request.
    pub(super) async fn push(&mut self, server: &Server, form: &[(&str, &str)]) -> Result<String, NotSignedIn> {
        let answer = self.asked(server.path(Url::PushedAuthorization), form, "request_uri").await?;
        Ok(answer["request_uri"].as_str().unwrap_or_default().to_owned())
    }

    /// A request of the client itself, whose answer must be JSON with this member.
    async fn asked(&mut self, path: &str, form: &[(&str, &str)], has: &str) -> Result<Value, NotSignedIn> {
        let answered = self.post(path, form).await?;
        let json: Value = serde_json::from_str(&answered.body).map_err(|_| answered.unexpected())?;
        let text = |name: &str| json[name].as_str().unwrap_or_default().to_owned();
        match answered.status {
            StatusCode::OK | StatusCode::CREATED if json[has].is_string() => Ok(json),
            _ if json["error"].is_string() => {
                let description = answered.with_log(text("error_description"));
                Err(NotSignedIn::Refused { error: text("error"), description })
            }
            _ => Err(answered.unexpected()),
        }
    }

    async fn send(
        &mut self,
        (method, path): (&'static str, &str),
        mut request: test::TestRequest,
    ) -> Result<Answered, NotSignedIn> {
        let cookies: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        if !cookies.is_empty() {
            request = request.insert_header((header::COOKIE, cookies.join("; ")));
        }
        let request =
            request.insert_header(("Sec-Fetch-Site", "same-origin")).peer_addr(([127, 0, 0, 1], 49_152).into());
        let failed = |status: StatusCode, text: String| NotSignedIn::Unexpected {
            method,
            path: path.to_owned(),
            status: status.as_u16(),
            text,
        };
        let (response, log) = heard(self.app.call(request.to_request())).await;
        let response = response.map_err(|error| failed(error.as_response_error().status_code(), error.to_string()))?;
        for cookie in response.headers().get_all(header::SET_COOKIE).filter_map(|cookie| cookie.to_str().ok()) {
            let (name, value) = cookie.split(';').next().and_then(|pair| pair.split_once('=')).unwrap_or((cookie, ""));
            match value {
                // A removed cookie comes without a value.
                "" => drop(self.cookies.remove(name)),
                value => drop(self.cookies.insert(name.to_owned(), value.to_owned())),
            }
        }
        let status = response.status();
        let location = response.headers().get(header::LOCATION).and_then(|location| location.to_str().ok());
        let location = location.map(str::to_owned);
        let page = response.response().extensions().get::<Shown>().cloned();
        let body = body::to_bytes(response.into_body()).await;
        let body = body.map_err(|error| failed(status, error.into().to_string()))?;
        let body = String::from_utf8_lossy(&body).into_owned();
        Ok(Answered { method, path: path.to_owned(), status, location, page, body, log })
    }
}

impl Answered {
    pub(super) fn unexpected(&self) -> NotSignedIn {
        let text = match &self.page {
            Some(Shown { step: Step::Error { detail }, .. }) => detail.clone(),
            Some(_) | None => self.body.chars().take(MOST_SHOWN).collect(),
        };
        let text = self.with_log(text);
        NotSignedIn::Unexpected { method: self.method, path: self.path.clone(), status: self.status.as_u16(), text }
    }

    /// A text that may refer to the log, followed by what the log says.
    fn with_log(&self, text: String) -> String {
        if self.log.is_empty() { text } else { format!("{text}\nthe log: {}", self.log) }
    }
}

/// How many characters of a body an error shows.
const MOST_SHOWN: usize = 200;
