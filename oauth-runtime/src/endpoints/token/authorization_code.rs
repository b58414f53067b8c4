//! The grant `authorization_code` (RFC 6749 §4.1.3, OAuth 2.1 §4.1.3).

use serde_json::{Map, Value, json};

use crate::endpoints::authorize::MAX_URI_BYTES;
use crate::endpoints::login::random_id;
use crate::endpoints::token::Issued;
use crate::error::Reason;
use crate::model::Timestamp;
use crate::model::client::RegisteredClient;
use crate::model::code::AuthorizationCode;
use crate::model::form::Parameters;
use crate::model::pkce::Verifier;
use crate::seal::NotOpened;
use crate::service::OAuthService;
use crate::store::Spend;

pub(crate) async fn redeem(
    oauth: &OAuthService,
    client: &RegisteredClient,
    parameters: &Parameters<'_>,
) -> Result<Issued, Reason> {
    let code = parameters.get("code", 2048)?.ok_or(Reason::MissingParameter("code"))?;
    let redirect_uri = parameters.get("redirect_uri", MAX_URI_BYTES)?;
    // RFC 7636 §4.5; every code here was asked for with a challenge, so there is none without a verifier
    let verifier = parameters.get("code_verifier", 1024)?.ok_or(Reason::MissingParameter("code_verifier"))?;
    let verifier: Verifier = verifier.parse().map_err(|_| Reason::VerifierMalformed)?;

    let opened = oauth.0.sealer.open::<AuthorizationCode>(code, oauth.now()).map_err(|why| match why {
        NotOpened::Forged => Reason::CodeForged,
        NotOpened::Expired => Reason::CodeExpired,
    })?;
    let code = opened.value;
    // A store that forgot what was spent takes nothing from before.
    if opened.issued_at <= oauth.0.store.birth().await? {
        return Err(Reason::CodeForgotten);
    }
    // RFC 6749 §5.2: issued to another client
    if code.client_id != client.id {
        return Err(Reason::CodeOfAnotherClient);
    }
    // OAuth 2.1 §10.2: named in the authorization request, it has to come again; left out there, it may be here
    let matches = match redirect_uri {
        Some(uri) => uri == code.redirect_uri,
        None => !code.redirect_uri_given,
    };
    if !matches {
        return Err(Reason::RedirectUriMismatch);
    }
    // RFC 7636 §4.6
    if !code.challenge.matches(&verifier) {
        return Err(Reason::VerifierMismatch);
    }

    // Only now is it spent: a thief without the verifier cannot make the code useless to its owner.
    let issued_at = oauth.issue_time().await?;
    let token_ends = issued_at + oauth.0.access_token_lifetime;
    match oauth.0.store.spend(&code.grant, &client.id, opened.expires_at).await? {
        Spend::First => {}
        Spend::Already(_) => {
            // RFC 6749 §4.1.2: what was issued from a code that comes twice is revoked
            oauth.0.store.revoke(&code.grant, token_ends).await?;
            tracing::warn!(target: "oauth", client = client.id, grant = code.grant, "a code was replayed: its grant is revoked");
            return Err(Reason::CodeReplayed);
        }
    }
    // Signing in is what a code is made by, at once.
    let claims = access_token_claims(oauth, &code, opened.issued_at, issued_at, token_ends);
    let access_token = oauth.0.keys.sign(&claims).ok_or(Reason::Internal)?;
    tracing::info!(target: "oauth", client = client.id, grant = code.grant, "access token issued");
    Ok(Issued {
        access_token,
        token_type: "Bearer",
        expires_in: oauth.0.access_token_lifetime.as_secs(),
        scope: code.scope,
    })
}

/// RFC 9068 §2.2, and the user's own claims.
fn access_token_claims(
    oauth: &OAuthService,
    code: &AuthorizationCode,
    signed_in_at: Timestamp,
    issued_at: Timestamp,
    expires_at: Timestamp,
) -> Map<String, Value> {
    let mut claims = code.claims.clone();
    let registered = [
        ("iss", json!(oauth.0.expected.issuer)),
        ("aud", json!(oauth.0.expected.audience)),
        ("sub", json!(code.subject)),
        ("client_id", json!(code.client_id)),
        ("auth_time", json!(signed_in_at)),
        ("iat", json!(issued_at)),
        ("exp", json!(expires_at)),
        ("jti", json!(random_id())),
        ("gid", json!(code.grant)),
    ];
    claims.extend(registered.map(|(name, value)| (name.to_owned(), value)));
    if !code.scope.is_empty() {
        claims.insert("scope".to_owned(), json!(code.scope));
    }
    claims
}
