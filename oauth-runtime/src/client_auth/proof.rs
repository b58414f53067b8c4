//! The key that a client proves to hold, with a token request or a pushed request (RFC 9449 §5, §10.1).

use actix_web::HttpRequest;

use crate::error::Reason;
use crate::guard::proofs::{self, refused};
use crate::keys::{Proof, ProofOf};
use crate::model::proof::ShownAt;
use crate::server::Server;
use crate::server::paths::Url;

/// A valid proof, not spent yet; `None` if there is none, or if this service accepts no proofs. Nothing is spent here,
/// so it comes before all that is.
pub(crate) fn shown(server: &Server, http: &HttpRequest, url: Url) -> Result<Option<Proof>, Reason> {
    let Some(proofs) = &server.protection().proofs else { return Ok(None) };
    let refused = |flaw| refused(flaw, ShownAt::Server);
    let Some(text) = proofs::header(http).map_err(refused)? else { return Ok(None) };
    let origin = server.issuer().origin();
    let of = ProofOf { method: http.method().as_str(), origin, path: server.path(url), token: None };
    let proof = Proof::verify(text, &of, server.now()).map_err(refused)?;
    proofs.rules.check_nonce(&proof, ShownAt::Server)?;
    Ok(Some(proof))
}

/// Spends a proof for all processes, once it is known that the tokens can be issued.
pub(crate) async fn spend(server: &Server, proof: &Proof) -> Result<(), Reason> {
    let proofs = server.protection().proofs.as_ref().ok_or(Reason::Internal)?;
    proofs.rules.spend(server.ledger(), proof, ShownAt::Server).await
}

/// Spends a proof with a request that is pushed, in this process, apart from those of the guards. If it is replayed
/// elsewhere, the code is bound to a key that the thief does not have.
pub(crate) fn spend_here(server: &Server, proof: &Proof) -> Result<(), Reason> {
    let proofs = server.protection().proofs.as_ref().ok_or(Reason::Internal)?;
    proofs.rules.spend_here(proof, ShownAt::Server)
}
