//! Clients that are notified of a sign-out (OpenID Connect Back-Channel Logout 1.0): at which address, and by which
//! thread.

use url::{Host, Url};

use crate::builder::whole::Whole;
use crate::model::claims::OPENID;
#[cfg(feature = "backchannel-logout")]
use crate::server::{OAuthService, back_channel};

/// Why a client cannot be notified of a sign-out. `Display` and `Debug` print the same text, which says what to change.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BackchannelError {
    /// A [`backchannel_logout_uri`](crate::Client) cannot be used.
    #[error("the backchannel_logout_uri {uri:?} of the client {client:?} cannot be used: {why}")]
    Uri {
        /// The client.
        client: String,
        /// As given.
        uri: String,
        /// What to change.
        why: &'static str,
    },
    /// The thread that notifies clients did not start.
    #[error("the thread that notifies clients of a sign-out did not start: {why}")]
    Thread {
        /// The error of the operating system.
        why: String,
    },
}

crate::model::debug_as_text!(BackchannelError);

/// The address at which a client is notified, checked.
pub(super) fn logout_uri(client: &str, uri: Option<String>, whole: &Whole) -> Result<Option<String>, BackchannelError> {
    let Some(uri) = uri else { return Ok(None) };
    let why = if !whole.scopes.contains_key(OPENID) {
        "it is a part of OpenID Connect: add .scope(\"openid\", \"..\")"
    } else if !whole.has_sessions {
        "it is called when sessions end, and there are no sessions: add .reload(..), or leave .sessions(false) out"
    } else if !Url::parse(&uri).is_ok_and(|url| is_of_a_server(&url, whole.is_local)) {
        "write an https URL without a fragment and without a user's name (http on loopback, where the issuer is)"
    } else {
        return Ok(Some(uri));
    };
    Err(BackchannelError::Uri { client: client.to_owned(), uri, why })
}

/// Back-Channel Logout §2.2: absolute, without a fragment.
fn is_of_a_server(url: &Url, is_local: bool) -> bool {
    let is_on_loopback = match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(_)) | None => false,
    };
    let is_plain = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
    is_plain && (url.scheme() == "https" || (url.scheme() == "http" && is_local && is_on_loopback))
}

/// Starts what notifies clients of a sign-out, if there are any to notify.
#[cfg(feature = "backchannel-logout")]
pub(super) fn telling_of_ends(service: OAuthService) -> Result<OAuthService, BackchannelError> {
    let server = service.server();
    if server.sessions().is_some() && server.clients().any(|client| client.logout_uri.is_some()) {
        back_channel::start(&service).map_err(|why| BackchannelError::Thread { why })?;
    }
    Ok(service)
}

#[cfg(not(feature = "backchannel-logout"))]
#[allow(clippy::unnecessary_wraps, reason = "the other form of it can fail")]
pub(super) fn telling_of_ends(service: crate::OAuthService) -> Result<crate::OAuthService, BackchannelError> {
    Ok(service)
}
