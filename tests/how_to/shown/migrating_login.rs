use std::time::{Duration, SystemTime, UNIX_EPOCH};

use actix_web::error::ErrorUnauthorized;
use actix_web::http::header;
use actix_web::{Error, HttpRequest, Responder, get, web};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use oauth_runtime::{AccessToken, BuildError, Client, Endpoint, Login, OAuthService, public, require_token};
use serde::Deserialize;
use serde_json::json;

pub fn oauth(issuer: &str) -> Result<OAuthService, BuildError> {
    OAuthService::builder()
        .issuer(issuer)
        .path(Endpoint::Login, "/oauth/login") // `/login` is still the old app's
        .client(Client::public("app").redirect_uri("com.example.app:/callback"))
        .scope("notes:read", "Read your notes")
        .authenticate_blocking(|login: Login| (&*login.password == "ada123").then(|| json!({ "sub": login.username })))
        .build()
}

/// For the new app.
#[require_token]
#[get("/v2/notes")]
pub async fn notes(token: AccessToken) -> impl Responder {
    notes_of(token.subject())
}

/// For the old app, until its tokens end. No guard knows these: the first line is its check.
#[public]
#[get("/notes")]
pub async fn notes_before(request: HttpRequest, old: web::Data<OldTokens>) -> Result<impl Responder, Error> {
    let subject = old.subject(&request)?;
    Ok(notes_of(&subject))
}

/// What both show.
fn notes_of(subject: &str) -> String {
    format!("the notes of {subject}")
}

/// The tokens of the old login.
pub struct OldTokens {
    pub key: DecodingKey,
    /// When none is taken any more, in seconds since 1970: whatever they say themselves.
    pub until: u64,
}

#[derive(Deserialize)]
struct Old {
    sub: String,
}

impl OldTokens {
    fn subject(&self, request: &HttpRequest) -> Result<String, Error> {
        let refused = || ErrorUnauthorized("sign in again");
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::MAX);
        if now.as_secs() >= self.until {
            return Err(refused());
        }
        let header = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let token = header.and_then(|header| header.strip_prefix("Bearer ")).ok_or_else(refused)?;
        // One algorithm, and `exp` is required.
        let old = jsonwebtoken::decode::<Old>(token, &self.key, &Validation::new(Algorithm::HS256));
        old.map(|old| old.claims.sub).map_err(|_| refused())
    }
}
