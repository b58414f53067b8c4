//! The cookie that ties a form to the browser that asked for it.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

use crate::model::secret::constant_time_eq;
use crate::service::OAuthService;

/// A browser, by the random id in its cookie.
pub(crate) struct Browser(String);

impl Browser {
    /// The browser that sent the request, if it has a cookie of ours.
    pub(crate) fn of(request: &HttpRequest, oauth: &OAuthService) -> Option<Self> {
        let name = cookie_name(oauth);
        let mut ids = request
            .headers()
            .get_all(header::COOKIE)
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .filter(|(key, _)| *key == name)
            .map(|(_, value)| value);
        match (ids.next(), ids.next()) {
            (Some(id), None) if URL_SAFE_NO_PAD.decode(id).is_ok_and(|bytes| bytes.len() == 32) => {
                Some(Browser(id.to_owned()))
            }
            // Two of them: somebody else has set one, on a path or domain of his own.
            (Some(_), Some(_)) | (Some(_) | None, None) | (None, Some(_)) => None,
        }
    }

    pub(crate) fn new() -> Self {
        Browser(URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>()))
    }

    /// What a form is sealed with: from it the cookie cannot be found.
    pub(crate) fn hash(&self) -> String {
        URL_SAFE_NO_PAD.encode(Sha256::digest(self.0.as_bytes()))
    }

    pub(crate) fn is(&self, hash: &str) -> bool {
        constant_time_eq(self.hash().as_bytes(), hash.as_bytes())
    }

    /// Gives the browser its cookie.
    pub(crate) fn remember(&self, response: &mut HttpResponse, oauth: &OAuthService) {
        let secure = if oauth.0.issuer.is_https() { "; Secure" } else { "" };
        let cookie = format!("{}={}; Path=/; HttpOnly; SameSite=Lax{secure}", cookie_name(oauth), self.0);
        if let Ok(value) = header::HeaderValue::from_str(&cookie) {
            response.headers_mut().append(header::SET_COOKIE, value);
        }
    }
}

/// On https a name that no other host can set; on loopback, where cookies ignore ports, one for each issuer.
fn cookie_name(oauth: &OAuthService) -> String {
    let hash = Sha256::digest(oauth.0.issuer.as_str().as_bytes());
    let id = URL_SAFE_NO_PAD.encode(&hash[..6]);
    if oauth.0.issuer.is_https() { format!("__Host-oauth-browser-{id}") } else { format!("oauth-browser-{id}") }
}
