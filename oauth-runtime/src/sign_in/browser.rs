//! The cookie that ties a form to the browser that asked for it.

use actix_web::{HttpRequest, HttpResponse};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

use crate::error::Reason;
use crate::model::secret::constant_time_eq;
use crate::server::Server;
use crate::sign_in::cookie::Cookie;

/// A browser, by the random id in its cookie.
pub(crate) struct Browser(String);

impl Browser {
    /// The browser that sent the request, if it has a cookie of ours.
    pub(crate) fn of(request: &HttpRequest, server: &Server) -> Option<Self> {
        let id = Cookie::Browser.read(request, server)?;
        URL_SAFE_NO_PAD.decode(id).is_ok_and(|bytes| bytes.len() == 32).then(|| Browser(id.to_owned()))
    }

    pub(crate) fn new() -> Self {
        Browser(URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>()))
    }

    /// What a form is sealed with: from it the cookie cannot be found.
    pub(crate) fn hash(&self) -> String {
        URL_SAFE_NO_PAD.encode(Sha256::digest(self.0.as_bytes()))
    }

    /// That a form with this hash was made for the browser that sends it.
    pub(crate) fn made_for(request: &HttpRequest, server: &Server, hash: &str) -> Result<(), Reason> {
        match Browser::of(request, server) {
            Some(browser) if constant_time_eq(browser.hash().as_bytes(), hash.as_bytes()) => Ok(()),
            Some(_) | None => Err(Reason::FormFromElsewhere),
        }
    }

    /// Gives the browser its cookie.
    pub(crate) fn remember(&self, response: &mut HttpResponse, server: &Server) {
        Cookie::Browser.set(response, server, &self.0, None);
    }
}
