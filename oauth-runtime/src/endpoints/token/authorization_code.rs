//! The grant `authorization_code` (RFC 6749 §4.1.3, OAuth 2.1 §4.1.3).

use crate::endpoints::authorize::MAX_URI_BYTES;
use crate::endpoints::token::refresh_token::{self, RefreshGrant};
use crate::endpoints::token::{Access, Issued};
use crate::error::Reason;
use crate::model::client::RegisteredClient;
use crate::model::code::AuthorizationCode;
use crate::model::form::Parameters;
use crate::model::pkce::Verifier;
use crate::seal::NotOpened;
use crate::server::{OAuthService, SLOWEST_ANSWER};
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

    let asked = oauth.asked_resources(parameters)?;

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

    // RFC 8707 §2.2: no resource that was not granted; none named means all that were
    let resources = code.resources.narrowed(asked, &oauth.0.expected.audience)?;
    // Read the clock before the sign-out: one that comes between the two then finds this token too old.
    let issued_at = oauth.issue_time().await?;
    if oauth.0.store.not_before(&code.subject).await?.is_some_and(|at| code.how.at <= at) {
        return Err(Reason::SignedOut);
    }
    if let Some(session) = &code.how.session
        && oauth.0.store.is_revoked(session).await?
    {
        return Err(Reason::SignedOut);
    }

    // The family begins before the code is spent, so that a store that fails between the two has cost nothing.
    let grant = RefreshGrant {
        id: &code.grant,
        subject: &code.subject,
        scope: &code.scope,
        resources: &code.resources,
        how: &code.how,
    };
    let refresh_token = refresh_token::first(oauth, client, grant, issued_at).await?;
    // Only now is it spent: a thief without the verifier cannot make the code useless to its owner.
    match oauth.0.store.spend(&code.grant, &client.id, opened.expires_at + SLOWEST_ANSWER).await? {
        Spend::First => {}
        Spend::Already(_) => {
            // RFC 6749 §4.1.2: what was issued from a code that comes twice is revoked
            oauth.0.store.revoke(&code.grant, oauth.grant_ends(issued_at)).await?;
            tracing::warn!(target: "oauth", client = client.id, grant = code.grant, "a code was replayed: its grant is revoked");
            return Err(Reason::CodeReplayed);
        }
    }
    let access = Access {
        grant: &code.grant,
        client_id: &client.id,
        subject: &code.subject,
        scope: code.scope,
        resources,
        how: Some(&code.how),
        issued_at,
        claims: code.claims,
        nonce: code.nonce,
    };
    access.issue(oauth, refresh_token)
}
