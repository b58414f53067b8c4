//! Which key a client shows that it holds, with a request for tokens or with one that it pushes (RFC 9449 §5, §10.1).

use actix_web::HttpRequest;

use crate::error::Reason;
use crate::guard::proofs::{self, refused};
use crate::keys::{Proof, ProofOf};
use crate::model::proof::{ShownAt, Thumbprint};
use crate::server::Server;
use crate::server::paths::Url;

/// The key, once for each proof; none where nothing is shown, or where this service takes no proofs.
pub(crate) async fn key(server: &Server, http: &HttpRequest, url: Url) -> Result<Option<Thumbprint>, Reason> {
    let Some(proofs) = &server.protection().proofs else { return Ok(None) };
    let refused = |flaw| refused(flaw, ShownAt::Server);
    let Some(text) = proofs::header(http).map_err(refused)? else { return Ok(None) };
    let origin = server.issuer().origin();
    let of = ProofOf { method: http.method().as_str(), origin: &origin, path: server.path(url), token: None };
    let proof = Proof::verify(text, &of, server.now()).map_err(refused)?;
    proofs.rules.check_nonce(&proof, ShownAt::Server)?;
    proofs.rules.spend(server.ledger(), &proof, ShownAt::Server).await?;
    Ok(Some(proof.key))
}
