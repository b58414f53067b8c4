//! The grant `client_credentials` (RFC 6749 §4.4, OAuth 2.1 §4.2): a client in its own name.

use crate::endpoints::token::{Access, Issued};
use crate::error::Reason;
use crate::model::Scope;
use crate::model::client::RegisteredClient;
use crate::model::form::Parameters;
use crate::server::OAuthService;
use crate::sign_in::finish::random_id;

/// Who calls has been proven, and to be a confidential client (OAuth 2.1 §4.2).
pub(crate) async fn grant(
    oauth: &OAuthService,
    client: &RegisteredClient,
    parameters: &Parameters<'_>,
) -> Result<Issued, Reason> {
    // RFC 6749 §3.3: where no scope is asked for it is all that the client may have
    let scope = match parameters.get("scope", Scope::MAX_BYTES)? {
        Some(text) => text.parse::<Scope>().map_err(|_| Reason::ScopeMalformed)?,
        None => client.scope.clone(),
    };
    if !scope.is_subset(&client.scope) {
        return Err(Reason::ScopeNotForClient);
    }
    // RFC 8707 §2.2: any that the service knows
    let resources = oauth.asked_resources(parameters)?;
    let access = Access {
        // A grant of its own: this token can be revoked by itself.
        grant: &random_id(),
        client_id: &client.id,
        // RFC 9068 §2.2: without a user the subject is the client; no user can have its id (RFC 9700 §4.15.1)
        subject: &client.id,
        scope,
        resources,
        how: None,
        issued_at: oauth.issue_time().await?,
        claims: client.claims.clone(),
        nonce: None,
    };
    // RFC 6749 §4.4.3: no refresh token
    access.issue(oauth, None)
}
