//! The names of this server's cookies, and their attributes.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::model::hash::sha256;
use crate::model::issuer::Issuer;

/// Made once, since each request of a browser needs them several times.
pub(crate) struct CookieNames {
    pub(crate) browser: String,
    pub(crate) session: String,
    pub(crate) device: String,
    pub(crate) attributes: &'static str,
}

impl CookieNames {
    /// On https a name that no other host can set; on loopback, where cookies ignore ports, one for each issuer.
    pub(crate) fn of(issuer: &Issuer) -> Self {
        let hash = sha256(issuer.as_str().as_bytes());
        let id = URL_SAFE_NO_PAD.encode(&hash[..6]);
        let prefix = if issuer.is_https() { "__Host-" } else { "" };
        let name = |kind: &str| format!("{prefix}oauth-{kind}-{id}");
        CookieNames {
            browser: name("browser"),
            session: name("session"),
            device: name("device"),
            attributes: match issuer.is_https() {
                true => "Path=/; HttpOnly; SameSite=Lax; Secure",
                false => "Path=/; HttpOnly; SameSite=Lax",
            },
        }
    }
}
