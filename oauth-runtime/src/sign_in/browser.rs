//! The cookies that tie forms to the browser that asked for them.
//!
//! Each has a name of its own, so that two pages opened at once do not overwrite each other's; an existing one serves
//! every further page. So it is not a secret of one sign-in: later forms are bound to the session as well.

use std::cmp::Reverse;

use actix_web::{HttpRequest, HttpResponse};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::error::Reason;
use crate::model::Timestamp;
use crate::model::hash::sha256;
use crate::model::secret::constant_time_eq;
use crate::server::Server;
use crate::sign_in::cookie::{self, Cookie};

/// A browser, by the id in one of its cookies: its time, and random bytes.
pub(crate) struct Browser {
    id: String,
    since: Timestamp,
    /// Sealed into forms: the cookie cannot be found from it.
    hash: String,
}

impl Browser {
    /// The browser that sent the request, by its latest such cookie; else a new one.
    pub(crate) fn of(request: &HttpRequest, server: &Server) -> Self {
        Browser::all(request, server).into_iter().next().unwrap_or_else(|| Browser::new(server))
    }

    fn new(server: &Server) -> Self {
        let since = server.now();
        let bytes = [&since.seconds().to_be_bytes()[..], &rand::random::<[u8; RANDOM_BYTES]>()].concat();
        Browser::with(URL_SAFE_NO_PAD.encode(bytes), since)
    }

    fn with(id: String, since: Timestamp) -> Self {
        let hash = URL_SAFE_NO_PAD.encode(sha256(id.as_bytes()));
        Browser { id, since, hash }
    }

    /// All that the request shows, the latest first.
    fn all(request: &HttpRequest, server: &Server) -> Vec<Browser> {
        let ids = Cookie::Browser.all_named(request, server);
        let mut browsers: Vec<Browser> = ids.filter_map(|(tag, id)| Browser::parse(tag, id)).collect();
        browsers.sort_by_key(|browser| Reverse(browser.since));
        browsers
    }

    fn parse(tag: &str, id: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(id).ok()?;
        let (since, random) = bytes.split_first_chunk::<8>()?;
        let since = Timestamp::from_seconds(u64::from_be_bytes(*since));
        let browser = Browser::with(id.to_owned(), since);
        (random.len() == RANDOM_BYTES && browser.tag() == tag).then_some(browser)
    }

    /// Sealed into forms: the cookie cannot be found from it.
    pub(crate) fn hash(&self) -> &str {
        &self.hash
    }

    /// The part of its cookie's name.
    fn tag(&self) -> &str {
        // Of 43 letters of base64url.
        self.hash.get(..TAG_CHARS).unwrap_or(&self.hash)
    }

    /// Checks that a form with this hash was made for the browser that sends it.
    pub(crate) fn made_for(request: &HttpRequest, server: &Server, hash: &str) -> Result<(), Reason> {
        let is_of = |browser: Browser| constant_time_eq(browser.hash().as_bytes(), hash.as_bytes());
        if Browser::all(request, server).into_iter().any(is_of) { Ok(()) } else { Err(Reason::FormFromElsewhere) }
    }

    /// Sets the cookie, and removes excess ones.
    pub(crate) fn remember(&self, request: &HttpRequest, response: &mut HttpResponse, server: &Server) {
        cookie::set(response, server, &Cookie::Browser.tagged(server, self.tag()), &self.id, None);
        for other in Browser::all(request, server).iter().skip(MAX_COOKIES) {
            cookie::clear(response, server, &Cookie::Browser.tagged(server, other.tag()));
        }
    }
}

const RANDOM_BYTES: usize = 24;
const TAG_CHARS: usize = 8;
/// How many pages a browser without a cookie can open at once.
const MAX_COOKIES: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c41_a_cookie_of_another_length_or_under_another_name_is_no_browser() {
        let id = |random: usize| URL_SAFE_NO_PAD.encode(vec![7; size_of::<u64>() + random]);
        let tag = |id: &str| Browser::with(id.to_owned(), Timestamp::from_seconds(0)).tag().to_owned();
        let own = id(RANDOM_BYTES);
        assert!(Browser::parse(&tag(&own), &own).is_some());
        for random in [0, 1, RANDOM_BYTES - 1, RANDOM_BYTES + 1] {
            let other = id(random);
            assert!(Browser::parse(&tag(&other), &other).is_none(), "{random} bytes");
        }
        let other = tag(&id(1));
        for tag in [&*other, "", &tag(&own)[1..], &tag(&own).to_ascii_lowercase()] {
            assert!(Browser::parse(tag, &own).is_none(), "{tag:?}");
        }
    }
}
