//! The grant `client_credentials` (RFC 6749 §4.4, OAuth 2.1 §4.2): a client in its own name.

use crate::endpoints::token::access_token::{Access, Issued, IssuedBy};
use crate::endpoints::token::caller::Caller;
use crate::error::Reason;
use crate::event::{EventKind, Fact};
use crate::model::ceiling::Wanted;
use crate::model::form::Parameters;
use crate::model::id::random_id;
use crate::server::Server;
use crate::server::granting::InTheNameOf;
use crate::store::{Key, Kind};

/// The caller is authenticated, and a confidential client (OAuth 2.1 §4.2).
pub(crate) async fn grant(server: &Server, caller: Caller<'_>, parameters: &Parameters<'_>) -> Result<Issued, Reason> {
    let client = caller.client;
    // RFC 6749 §3.3: if no scope is asked for, all that the client may have
    let scope = server.asked_scope(parameters)?.unwrap_or_else(|| client.ceiling.of_its_own.clone());
    // RFC 8707 §2.2: any resource that the client may ask for
    let resources = server.asked_resources(client, parameters)?;
    let granted = server.grant(client, &scope, Wanted::Asked(&resources), InTheNameOf::Itself)?;
    let access = Access {
        told: Fact::of(EventKind::TokenIssued).reason("client_credentials"),
        // A grant of its own, so that this token can be revoked separately.
        grant: &random_id(),
        client,
        proof: caller.proof,
        // RFC 9068 §2.2: without a user the subject is the client; no user can have its id (RFC 9700 §4.15.1)
        subject: &client.id,
        granted,
        authentication: None,
        is_renewable: false,
        claims: client.claims.clone(),
        nonce: None,
        in_id_token: &[],
    };
    let access = access.checked(server).await?;
    // A later sign-out of this client is after the token.
    let as_of = server.ledger().view(Key::of(Kind::Subject, &client.id)).await?.as_of();
    // RFC 6749 §4.4.3: no refresh token
    access.issue(server, IssuedBy { as_of, at: server.now() }, None)
}
