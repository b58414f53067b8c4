//! Whether a token that is bound to a key comes with a proof of that key (RFC 9449 §7).

use std::sync::Arc;

use actix_web::{HttpMessage as _, HttpRequest};

use crate::error::Reason;
use crate::guard::proofs::{self, refused};
use crate::guard::protection::Protection;
use crate::keys::{Proof, ProofOf, Registered};
use crate::model::proof::{Flaw, ShownAt};

/// How a token was presented (RFC 9110 §11.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scheme {
    Bearer,
    DPoP,
}

/// An access token as a request presents it.
#[derive(Clone, Copy)]
pub(crate) struct Presented<'a> {
    pub(crate) scheme: Scheme,
    pub(crate) token: &'a [u8],
}

/// A proof that was accepted in this request, and its token: other guards need no other proof.
struct Accepted {
    by: Arc<Protection>,
    token: Box<[u8]>,
    proof: Box<str>,
}

/// The proof to be spent for this token; `None` if it needs none, or if it was spent in this request.
pub(crate) fn check(
    request: &HttpRequest,
    protection: &Arc<Protection>,
    Presented { scheme, token }: Presented<'_>,
    registered: &Registered,
) -> Result<Option<Proof>, Reason> {
    let Some(proofs) = &protection.proofs else {
        return if registered.bound_to.is_some() { Err(Reason::TokenBound) } else { Ok(None) };
    };
    let key = match (scheme, &registered.bound_to) {
        (Scheme::Bearer | Scheme::DPoP, None) if proofs.is_required => return Err(Reason::BoundTokenNeeded),
        (Scheme::Bearer, None) => return Ok(None),
        // RFC 9449 §7.1: a thief would leave the proof out
        (Scheme::Bearer, Some(_)) => return Err(Reason::TokenWithoutProof),
        (Scheme::DPoP, None) => return Err(Reason::TokenNotBound),
        (Scheme::DPoP, Some(key)) => key,
    };
    let refused = |flaw| refused(flaw, ShownAt::Resource);
    let text = proofs::header(request).map_err(refused)?.ok_or(refused(Flaw::Missing))?;
    let is_same = |it: &Accepted| Arc::ptr_eq(&it.by, protection) && *it.token == *token && *it.proof == *text;
    if request.extensions().get::<Accepted>().is_some_and(is_same) {
        return Ok(None);
    }
    let path = request.uri().path();
    let of = ProofOf { method: request.method().as_str(), origin: &proofs.origin, path, token: Some(token) };
    let proof = Proof::verify(text, &of, protection.tokens.clock().now()).map_err(refused)?;
    // RFC 9449 §4.3, 12, b
    if proof.key != *key {
        return Err(Reason::TokenOfAnotherKey);
    }
    proofs.rules.check_nonce(&proof, ShownAt::Resource)?;
    Ok(Some(proof))
}

/// Whether proofs are spent without waiting, only in this process.
pub(crate) fn is_spent_here(protection: &Protection) -> bool {
    protection.proofs.as_ref().is_none_or(|proofs| !proofs.rules.is_once) || protection.tokens.ledger().is_none()
}

/// Spends a proof in this process, for all guards of this request.
pub(crate) fn spend_here(
    request: &HttpRequest,
    protection: &Arc<Protection>,
    token: &[u8],
    proof: &Proof,
) -> Result<(), Reason> {
    // There is a proof only if proofs are accepted.
    let proofs = protection.proofs.as_ref().ok_or(Reason::Internal)?;
    proofs.rules.spend_here(proof, ShownAt::Resource)?;
    let text = proofs::header(request).ok().flatten().unwrap_or_default();
    let accepted = Accepted { by: Arc::clone(protection), token: token.into(), proof: text.into() };
    request.extensions_mut().insert(accepted);
    Ok(())
}

/// Spends a proof, through the store if so configured.
pub(crate) async fn spend(protection: &Protection, proof: &Proof) -> Result<(), Reason> {
    let proofs = protection.proofs.as_ref().ok_or(Reason::Internal)?;
    match protection.tokens.ledger() {
        Some(ledger) if proofs.rules.is_once => proofs.rules.spend(ledger, proof, ShownAt::Resource).await,
        Some(_) | None => proofs.rules.spend_here(proof, ShownAt::Resource),
    }
}
