//! `POST /token`: a grant is exchanged for an access token (RFC 6749 §3.2).

mod access_token;
mod authorization_code;
mod caller;
mod client_credentials;
mod device_code;
mod id_token;
mod payload;
mod refresh_token;
#[cfg(test)]
mod tests;

use actix_web::http::header::ContentType;
use actix_web::{HttpRequest, HttpResponse};

use crate::client_auth::{self, proof};
use crate::endpoints::token::access_token::Issued;
use crate::endpoints::token::caller::Caller;
use crate::error::Reason;
use crate::model::GrantType;
use crate::model::form::Parameters;
use crate::response::not_stored;
use crate::server::Server;
use crate::server::paths::Url;

/// Answers with a token.
pub(crate) async fn exchange(
    server: &Server,
    http: &HttpRequest,
    parameters: &Parameters<'_>,
) -> Result<HttpResponse, Reason> {
    let grant_type = parameters.get("grant_type", 128)?.ok_or(Reason::MissingInForm("grant_type"))?;
    let grant = offered(server).find(|it| it.as_str() == grant_type).ok_or(Reason::UnsupportedGrantType)?;
    // Before the client authenticates, which spends its assertion: it sends this one again with the nonce that it is
    // given (RFC 9449 §8)
    let proof = proof::shown(server, http, Url::Token)?;
    let client = client_auth::client(server, http, parameters).await?;
    // RFC 6749 §5.2: the client may not be allowed this grant
    if !client.may_use(grant) {
        return Err(Reason::GrantNotForClient);
    }
    // RFC 9449 §5.2; where no proofs are taken, what a client says of itself asks for nothing
    if proof.is_none() && client.requires_proof && server.protection().proofs.is_some() {
        return Err(Reason::ProofMissing);
    }
    let caller = Caller { client: &client, proof: proof.as_ref() };
    let issued = exchanged(grant, server, caller, parameters).await?;
    Ok(not_stored(HttpResponse::Ok()).content_type(ContentType::json()).body(issued.json()?))
}

/// The grants for which this service has clients and a configuration.
pub(crate) fn offered(server: &Server) -> impl Iterator<Item = GrantType> {
    GrantType::ALL.iter().copied().filter(|grant| {
        let is_configured = match grant {
            GrantType::RefreshToken => server.refreshing().is_some(),
            GrantType::AuthorizationCode | GrantType::ClientCredentials | GrantType::DeviceCode => true,
        };
        is_configured && server.clients().any_may_use(*grant)
    })
}

async fn exchanged(
    grant: GrantType,
    server: &Server,
    caller: Caller<'_>,
    parameters: &Parameters<'_>,
) -> Result<Issued, Reason> {
    match grant {
        GrantType::AuthorizationCode => authorization_code::redeem(server, caller, parameters).await,
        GrantType::RefreshToken => refresh_token::refresh(server, caller, parameters).await,
        GrantType::ClientCredentials => client_credentials::grant(server, caller, parameters).await,
        GrantType::DeviceCode => device_code::redeem(server, caller, parameters).await,
    }
}
