//! `POST /token`: a grant is exchanged for an access token (RFC 6749 §3.2).

mod access_token;
mod authorization_code;
mod client_credentials;
mod id_token;
mod refresh_token;

use actix_web::{HttpRequest, HttpResponse};

use crate::answer::not_stored;
use crate::client_auth;
use crate::error::Reason;
use crate::model::client::RegisteredClient;
use crate::model::form::Parameters;
use crate::server::Server;

/// What a client may exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GrantType {
    AuthorizationCode,
    RefreshToken,
    ClientCredentials,
}

/// Answers with a token.
pub(crate) async fn exchange(
    server: &Server,
    http: &HttpRequest,
    parameters: &Parameters<'_>,
) -> Result<HttpResponse, Reason> {
    let grant_type = parameters.get("grant_type", 128)?.ok_or(Reason::MissingParameter("grant_type"))?;
    let grant_type = GrantType::offered(server)
        .find(|offered| offered.as_str() == grant_type)
        .ok_or(Reason::UnsupportedGrantType)?;
    let client = client_auth::client(server, http, parameters).await?;
    if !grant_type.is_for(&client) {
        return Err(Reason::GrantNotForClient);
    }
    let issued = match grant_type {
        GrantType::AuthorizationCode => authorization_code::redeem(server, &client, parameters).await?,
        GrantType::RefreshToken => refresh_token::refresh(server, &client, parameters).await?,
        GrantType::ClientCredentials => client_credentials::grant(server, &client, parameters).await?,
    };
    Ok(not_stored(HttpResponse::Ok()).json(issued))
}

impl GrantType {
    const ALL: [GrantType; 3] = [GrantType::AuthorizationCode, GrantType::RefreshToken, GrantType::ClientCredentials];

    /// Those that this service has clients and a configuration for.
    pub(crate) fn offered(server: &Server) -> impl Iterator<Item = GrantType> {
        GrantType::ALL.into_iter().filter(|grant| match grant {
            GrantType::AuthorizationCode => server.clients().any(|client| !client.redirect_uris.is_empty()),
            GrantType::RefreshToken => server.refreshing().is_some(),
            GrantType::ClientCredentials => server.clients().any(|client| client.credentials.is_some()),
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

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            GrantType::AuthorizationCode => "authorization_code",
            GrantType::RefreshToken => "refresh_token",
            GrantType::ClientCredentials => "client_credentials",
        }
    }
}
