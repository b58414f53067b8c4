//! `POST /token`: a grant is exchanged for an access token (RFC 6749 §3.2).

mod access_token;
mod authorization_code;
mod client_credentials;
mod id_token;
mod refresh_token;

use actix_web::{HttpRequest, HttpResponse};

use crate::client_auth;
use crate::endpoints::token::access_token::Issued;
use crate::error::Reason;
use crate::model::client::RegisteredClient;
use crate::model::form::Parameters;
use crate::response::not_stored;
use crate::server::Server;

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
    // RFC 6749 §5.2: a client may be one that a grant is not for
    if !grant_type.is_for(&client) {
        return Err(Reason::GrantNotForClient);
    }
    let issued = grant_type.exchange(server, &client, parameters).await?;
    Ok(not_stored(HttpResponse::Ok()).json(issued))
}

/// From the table below: what a client may exchange, for which clients, and in which service it is offered.
macro_rules! grants {
    ($($grant:ident = $word:literal, $exchange:path, for: $is_for:expr, offered: $is_offered:expr;)+) => {
        crate::model::words! {
            /// What a client may exchange.
            #[derive(Clone, Copy, Debug, PartialEq, Eq)]
            pub(crate) enum GrantType { $($grant = $word,)+ }
        }

        impl GrantType {
            fn is_for(self, client: &RegisteredClient) -> bool {
                let is_for: fn(&RegisteredClient) -> bool = match self { $(GrantType::$grant => $is_for,)+ };
                is_for(client)
            }

            fn is_offered(self, server: &Server) -> bool {
                let is_offered: fn(&Server) -> bool = match self { $(GrantType::$grant => $is_offered,)+ };
                is_offered(server)
            }

            async fn exchange(
                self,
                server: &Server,
                client: &RegisteredClient,
                parameters: &Parameters<'_>,
            ) -> Result<Issued, Reason> {
                match self { $(GrantType::$grant => $exchange(server, client, parameters).await,)+ }
            }
        }
    };
}

// A row: the word on the wire, what exchanges it, for which clients it is, and which services have it.
grants! {
    AuthorizationCode = "authorization_code", authorization_code::redeem,
        for: |client| !client.redirect_uris.is_empty(),
        offered: |server| server.clients().any(|client| !client.redirect_uris.is_empty());
    RefreshToken = "refresh_token", refresh_token::refresh,
        for: |client| client.may_refresh && !client.redirect_uris.is_empty(),
        offered: |server| server.refreshing().is_some();
    // OAuth 2.1 §4.2: for confidential clients alone
    ClientCredentials = "client_credentials", client_credentials::grant,
        for: |client| client.credentials.is_some(),
        offered: |server| server.clients().any(|client| client.credentials.is_some());
}

impl GrantType {
    /// Those that this service has clients and a configuration for.
    pub(crate) fn offered(server: &Server) -> impl Iterator<Item = GrantType> {
        GrantType::ALL.iter().copied().filter(|grant| grant.is_offered(server))
    }
}
