//! The public documents of the server: its metadata and its public keys.

use actix_web::web::Bytes;
use serde_json::Value;

use crate::model::jwk::Algorithm;
use crate::server::Server;

impl Server {
    /// The metadata, written by this.
    pub(crate) fn metadata(&self, written: impl FnOnce() -> Value) -> Option<Bytes> {
        self.documents.metadata.of((), |()| Some(((), written())))
    }

    /// The metadata of OpenID Connect, written by this.
    pub(crate) fn openid_metadata(&self, written: impl FnOnce(&[Algorithm]) -> Value) -> Option<Bytes> {
        self.documents.openid.of(self.keys().algorithms(), |algorithms| {
            let document = written(&algorithms);
            Some((algorithms, document))
        })
    }

    /// The public keys, as a JWK set (RFC 7517 §5); `None` if there are only secret ones.
    pub(crate) fn published_keys(&self) -> Option<Bytes> {
        self.documents.keys.of(self.keys().published_ids()?, |_| {
            let document = self.keys().published()?;
            let id = |key: &Value| key["kid"].as_str().map(str::to_owned);
            Some((document["keys"].as_array()?.iter().filter_map(id).collect(), document))
        })
    }
}
