//! `POST /token`: a grant is exchanged for an access token (RFC 6749 §3.2).

mod authorization_code;

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;

use crate::client_auth;
use crate::endpoints::answer::{form_body, json_error, not_stored};
use crate::error::Reason;
use crate::model::Scope;
use crate::model::form::Parameters;
use crate::service::OAuthService;

/// What a client may exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GrantType {
    AuthorizationCode,
}

/// RFC 6749 §5.1
#[derive(Serialize)]
pub(crate) struct Issued {
    pub(crate) access_token: String,
    pub(crate) token_type: &'static str,
    /// Seconds.
    pub(crate) expires_in: u64,
    /// Always there, so that a client never guesses; left out where nothing was granted, since the syntax of RFC 6749
    /// §3.3 has no empty scope.
    #[serde(skip_serializing_if = "Scope::is_empty")]
    pub(crate) scope: Scope,
}

/// Answers with a token, or with the error of RFC 6749 §5.2.
pub(crate) async fn exchange(oauth: OAuthService, request: HttpRequest, payload: web::Payload) -> HttpResponse {
    match grant(&oauth, &request, payload).await {
        Ok(issued) => not_stored(HttpResponse::Ok()).json(issued),
        Err(reason) => {
            tracing::info!(target: "oauth", ?reason, "token request refused");
            json_error(&reason)
        }
    }
}

async fn grant(oauth: &OAuthService, request: &HttpRequest, payload: web::Payload) -> Result<Issued, Reason> {
    let body = form_body(request, payload).await?;
    let parameters = Parameters::parse(&body);
    let grant_type = parameters.get("grant_type", 128)?.ok_or(Reason::MissingParameter("grant_type"))?;
    let grant_type = GrantType::parse(grant_type).ok_or(Reason::UnsupportedGrantType)?;
    let client = client_auth::client(oauth, request, &parameters)?;
    match grant_type {
        GrantType::AuthorizationCode => authorization_code::redeem(oauth, client, &parameters).await,
    }
}

impl GrantType {
    pub(crate) const ALL: [GrantType; 1] = [GrantType::AuthorizationCode];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            GrantType::AuthorizationCode => "authorization_code",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        GrantType::ALL.into_iter().find(|grant| grant.as_str() == text)
    }
}
