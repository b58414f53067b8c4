//! The access token of a request: found, verified, and still good.

use std::rc::Rc;
use std::sync::Arc;

use actix_web::http::header;
use actix_web::{HttpMessage as _, HttpRequest};
use tokio::sync::OnceCell;

use crate::error::Reason;
use crate::keys::{Registered, Verified};
use crate::model::Timestamp;
use crate::service::OAuthService;

/// The request's token, or why it has none that is good.
pub(crate) async fn verified(request: &HttpRequest, oauth: &OAuthService) -> Result<Arc<Verified>, Reason> {
    match present(request, oauth) {
        Presented::Decided(result) => result,
        Presented::Asked(once) => once.answer().await,
    }
}

pub(crate) enum Presented {
    Decided(Result<Arc<Verified>, Reason>),
    /// The store has to be asked, once however many guards and extractors want to know.
    Asked(Rc<Once>),
}

/// As far as can be told without waiting: all the way where the store is in memory, and then nothing is allocated for a
/// token that came before.
pub(crate) fn present(request: &HttpRequest, oauth: &OAuthService) -> Presented {
    if let Some(once) = request.extensions().get::<Rc<Once>>()
        && once.is_of(oauth)
    {
        return Presented::Asked(Rc::clone(once));
    }
    let verified = match verify(request, oauth) {
        Ok(verified) => verified,
        Err(reason) => return Presented::Decided(Err(reason)),
    };
    if oauth.0.token_cache.is_on()
        && let Some(standing) = standing_now(&verified.registered, oauth)
    {
        return Presented::Decided(standing.map(|()| verified));
    }
    let once = Rc::new(Once { oauth: oauth.clone(), verified, standing: OnceCell::new() });
    request.extensions_mut().insert(Rc::clone(&once));
    Presented::Asked(once)
}

/// A verified token whose standing is asked for once.
pub(crate) struct Once {
    oauth: OAuthService,
    verified: Arc<Verified>,
    standing: OnceCell<Result<(), Reason>>,
}

impl Once {
    fn is_of(&self, oauth: &OAuthService) -> bool {
        Arc::ptr_eq(&self.oauth.0, &oauth.0)
    }

    pub(crate) async fn answer(&self) -> Result<Arc<Verified>, Reason> {
        self.standing.get_or_init(|| standing(&self.verified.registered, &self.oauth)).await.clone()?;
        Ok(Arc::clone(&self.verified))
    }
}

fn verify(request: &HttpRequest, oauth: &OAuthService) -> Result<Arc<Verified>, Reason> {
    let service = &oauth.0;
    let token = bearer(request)?;
    let now = oauth.now();
    let generation = service.keys.generation();
    if let Some(verified) = service.token_cache.get(token, &service.keys) {
        // RFC 7519 §4.1.4: on or after the expiry
        if verified.registered.expires_at <= now {
            service.token_cache.forget(token);
            return Err(Reason::TokenExpired);
        }
        return Ok(verified);
    }
    let text = std::str::from_utf8(token).map_err(|_| Reason::AuthorizationMalformed)?;
    let verified = service.keys.verify(text, &service.expected, now);
    let verified =
        Arc::new(verified.map_err(|reason| if is_b64token(token) { reason } else { Reason::AuthorizationMalformed })?);
    service.token_cache.keep(token, &verified, generation);
    Ok(verified)
}

/// Whether a verified token was revoked since, where the store knows without waiting.
fn standing_now(token: &Registered, oauth: &OAuthService) -> Option<Result<(), Reason>> {
    let store = &oauth.0.store;
    let birth = store.birth().if_now()?;
    let ended = |id: &Option<String>| id.as_ref().map_or(Some(Ok(false)), |id| store.is_revoked(id).if_now());
    let (revoked, signed_out) = (ended(&token.grant)?, ended(&token.session)?);
    let not_before = store.not_before(&token.subject).if_now()?;
    Some((|| judge(token, birth?, revoked? || signed_out?, not_before?))())
}

/// A token that was signed here for any audience, while it lasts: for the endpoints that a token is shown to rather than
/// used at.
pub(crate) fn verify_for_anyone(token: &str, oauth: &OAuthService) -> Option<Verified> {
    oauth.0.audiences.iter().find_map(|expected| oauth.0.keys.verify(token, expected, oauth.now()).ok())
}

/// Whether a verified token is as good as when it was issued.
pub(crate) async fn standing(token: &Registered, oauth: &OAuthService) -> Result<(), Reason> {
    let store = &oauth.0.store;
    let birth = store.birth().await?;
    let mut revoked = false;
    // What a session gave ends with it.
    for id in token.grant.iter().chain(&token.session) {
        revoked |= store.is_revoked(id).await?;
    }
    judge(token, birth, revoked, store.not_before(&token.subject).await?)
}

fn judge(token: &Registered, birth: Timestamp, revoked: bool, not_before: Option<Timestamp>) -> Result<(), Reason> {
    // A store that forgot what was revoked takes nothing from before.
    if token.issued_at <= birth {
        return Err(Reason::TokenForgotten);
    }
    if revoked || not_before.is_some_and(|not_before| token.issued_at <= not_before) {
        return Err(Reason::TokenRevoked);
    }
    Ok(())
}

/// The token of the `Authorization` header; from nowhere else (RFC 9700 §4.3.2, OAuth 2.1 §5.1).
fn bearer(request: &HttpRequest) -> Result<&[u8], Reason> {
    let mut headers = request.headers().get_all(header::AUTHORIZATION);
    let value = match (headers.next(), headers.next()) {
        (None, _) => return Err(Reason::TokenMissing),
        (Some(value), None) => value.as_bytes(),
        (Some(_), Some(_)) => return Err(Reason::AuthorizationMalformed),
    };
    let space = value.iter().position(|byte| *byte == b' ').unwrap_or(value.len());
    let (scheme, token) = value.split_at(space);
    // RFC 9110 §11.1: the scheme is compared without case
    if !scheme.eq_ignore_ascii_case(b"bearer") {
        return Err(Reason::TokenMissing);
    }
    let begin = token.iter().position(|byte| *byte != b' ').ok_or(Reason::AuthorizationMalformed)?;
    Ok(&token[begin..])
}

/// A longer token was not made here.
pub(crate) const MAX_BYTES: usize = 8 * 1024;

/// RFC 6750 §2.1. Asked only of what was refused: whatever verifies is of these characters.
fn is_b64token(token: &[u8]) -> bool {
    token.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(byte))
}
