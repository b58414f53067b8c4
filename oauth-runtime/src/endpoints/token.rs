//! `POST /token`: a grant is exchanged for an access token (RFC 6749 §3.2).

mod authorization_code;
mod client_credentials;
mod id_token;
mod refresh_token;

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::answer::{form_body, json_error, not_stored};
use crate::client_auth;
use crate::endpoints::token::id_token::IdToken;
use crate::error::Reason;
use crate::guard::bearer;
use crate::model::claims::{OPENID, UnusableClaims};
use crate::model::client::RegisteredClient;
use crate::model::form::Parameters;
use crate::model::resource::Resources;
use crate::model::session::Authentication;
use crate::model::{Scope, Timestamp};
use crate::server::OAuthService;
use crate::sign_in::finish::random_id;

crate::model::words! {
    /// What a client may exchange.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(crate) enum GrantType {
        AuthorizationCode = "authorization_code",
        RefreshToken = "refresh_token",
        ClientCredentials = "client_credentials",
    }
}

/// RFC 6749 §5.1
#[derive(Serialize)]
pub(crate) struct Issued {
    pub(crate) access_token: String,
    pub(crate) token_type: &'static str,
    /// Seconds.
    pub(crate) expires_in: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) refresh_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) id_token: Option<String>,
    /// Always there, so that a client never guesses; left out where nothing was granted, since the syntax of RFC 6749
    /// §3.3 has no empty scope.
    #[serde(skip_serializing_if = "Scope::is_empty")]
    pub(crate) scope: Scope,
}

/// What an access token is to say (RFC 9068 §2.2).
pub(crate) struct Access<'a> {
    pub(crate) grant: &'a str,
    pub(crate) client_id: &'a str,
    pub(crate) subject: &'a str,
    pub(crate) scope: Scope,
    pub(crate) resources: Resources,
    /// None for a client in its own name.
    pub(crate) how: Option<&'a Authentication>,
    pub(crate) issued_at: Timestamp,
    pub(crate) claims: Map<String, Value>,
    /// Of the authorization request, for the ID token.
    pub(crate) nonce: Option<String>,
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
    let grant_type =
        GrantType::offered(oauth).find(|offered| offered.as_str() == grant_type).ok_or(Reason::UnsupportedGrantType)?;
    let client = client_auth::client(oauth, request, &parameters).await?;
    if !grant_type.is_for(client) {
        return Err(Reason::GrantNotForClient);
    }
    match grant_type {
        GrantType::AuthorizationCode => authorization_code::redeem(oauth, client, &parameters).await,
        GrantType::RefreshToken => refresh_token::refresh(oauth, client, &parameters).await,
        GrantType::ClientCredentials => client_credentials::grant(oauth, client, &parameters).await,
    }
}

impl GrantType {
    /// Those that this service has clients and a configuration for.
    pub(crate) fn offered(oauth: &OAuthService) -> impl Iterator<Item = GrantType> {
        GrantType::ALL.iter().copied().filter(|grant| match grant {
            GrantType::AuthorizationCode => oauth.0.clients.values().any(|client| !client.redirect_uris.is_empty()),
            GrantType::RefreshToken => oauth.0.refreshing.is_some(),
            GrantType::ClientCredentials => oauth.has_confidential_clients(),
        })
    }

    /// RFC 6749 §5.2: a client may be one that a grant is not for
    fn is_for(self, client: &RegisteredClient) -> bool {
        match self {
            GrantType::AuthorizationCode => !client.redirect_uris.is_empty(),
            GrantType::RefreshToken => client.may_refresh && !client.redirect_uris.is_empty(),
            GrantType::ClientCredentials => client.credentials.is_some(),
        }
    }
}

impl Access<'_> {
    /// Signs it.
    pub(crate) fn issue(self, oauth: &OAuthService, refresh_token: Option<String>) -> Result<Issued, Reason> {
        let Access { grant, client_id, subject, scope, resources, how, issued_at, mut claims, nonce } = self;
        let registered = [
            ("iss", json!(oauth.0.expected.issuer)),
            ("aud", resources.audience(&oauth.0.expected.audience)),
            ("sub", json!(subject)),
            ("client_id", json!(client_id)),
            ("iat", json!(issued_at)),
            ("exp", json!(issued_at + oauth.0.access_token_lifetime)),
            ("jti", json!(random_id())),
            ("gid", json!(grant)),
        ];
        claims.extend(registered.map(|(name, value)| (name.to_owned(), value)));
        if let Some(how) = how {
            claims.extend(how.claims());
        }
        if !scope.is_empty() {
            claims.insert("scope".to_owned(), json!(scope));
        }
        // RFC 9700 §4.15.1: a client may have been registered since the sign-in
        if how.is_some() && oauth.0.clients.contains_key(subject) {
            tracing::error!(target: "oauth", client = client_id, "a user's `sub` is the id of a client: {}", UnusableClaims::SubjectIsClient);
            return Err(Reason::ClaimsUnusable);
        }
        let access_token = oauth.0.keys.sign(&claims).ok_or(Reason::Internal)?;
        if access_token.len() > bearer::MAX_BYTES {
            tracing::error!(target: "oauth", client = client_id, "the claims make a token that is longer than any guard reads");
            return Err(Reason::ClaimsUnusable);
        }
        let id_token = match how.filter(|_| scope.contains(OPENID)) {
            Some(how) => {
                // In a store's first second all is dated a second ahead, which a client would call the future.
                let now = oauth.now();
                let how = &Authentication { at: how.at.min(now), ..how.clone() };
                let id = IdToken { subject, client_id, how, issued_at: issued_at.min(now), nonce: nonce.as_deref() };
                Some(id.sign(oauth, &access_token).ok_or(Reason::Internal)?)
            }
            None => None,
        };
        tracing::info!(target: "oauth", client = client_id, grant, "access token issued");
        Ok(Issued {
            access_token,
            token_type: "Bearer",
            expires_in: oauth.0.access_token_lifetime.as_secs(),
            refresh_token,
            id_token,
            scope,
        })
    }
}
