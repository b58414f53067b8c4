//! The address that a request comes from, by which failed attempts are counted.

use std::net::IpAddr;
use std::sync::{Arc, Once};

use actix_web::HttpRequest;

use crate::limit::network::Networks;
use crate::model::address::is_private;

/// How the address is read.
#[derive(Clone, Default)]
pub(crate) enum ClientAddress {
    /// The peer's, if the author has not said whether there is a proxy.
    #[default]
    Unsaid,
    /// The peer's.
    Peer,
    /// By the author's own function.
    Read(Arc<ReadAddress>),
}

type ReadAddress = dyn Fn(&HttpRequest) -> Option<IpAddr> + Send + Sync;

impl ClientAddress {
    pub(crate) fn of(&self, request: &HttpRequest) -> Option<IpAddr> {
        match self {
            ClientAddress::Read(address) => address(request),
            ClientAddress::Peer | ClientAddress::Unsaid => request.peer_addr().map(|peer| peer.ip()),
        }
    }

    /// Whether the author said that there is no proxy.
    #[cfg(feature = "doctor")]
    pub(crate) fn is_peer(&self) -> bool {
        matches!(self, ClientAddress::Peer)
    }

    /// The networks for which its attempts count.
    pub(crate) fn networks(&self, request: &HttpRequest) -> Networks {
        static ONCE: Once = Once::new();
        let address = self.of(request);
        if address.is_none() {
            ONCE.call_once(|| {
                tracing::warn!(
                    target: "oauth",
                    "a request came without a client's address, and all such requests share one count of failed attempts: \
                     .client_address(..) has to read what your proxies write, and nothing may reach the service past them"
                );
            });
        }
        Networks::of(address)
    }

    /// Whether the author reads it from what a proxy writes.
    pub(crate) fn is_read(&self) -> bool {
        matches!(self, ClientAddress::Read(_))
    }

    pub(crate) fn is_said(&self) -> bool {
        match self {
            ClientAddress::Unsaid => false,
            ClientAddress::Peer | ClientAddress::Read(_) => true,
        }
    }

    /// Warns once that all users may count as one, since a peer on a private network may be a proxy.
    pub(crate) fn warn_of_a_proxy(&self, request: &HttpRequest) {
        static ONCE: Once = Once::new();
        let is_near = request.peer_addr().is_some_and(|peer| is_private(peer.ip()));
        if is_near && !self.is_said() {
            ONCE.call_once(|| {
                tracing::warn!(
                    target: "oauth",
                    "a peer on a private network is delayed: if it is a proxy, all your users share one count of failed \
                     attempts; add .client_address(..), or .direct_peers() if there is none"
                );
            });
        }
    }
}
