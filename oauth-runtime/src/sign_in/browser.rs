//! The cookies that tie forms to the browser that asked for them.
//!
//! Each has a name of its own, so that two pages that are opened at once do not take each other's; one that is there serves
//! every further page. So it is no secret of a sign-in: what comes after that is bound to the session as well.

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

/// A browser, by the id in one of its cookies: when it was drawn, and random bytes.
pub(crate) struct Browser {
    id: String,
    since: Timestamp,
    /// What a form is sealed with: from it the cookie cannot be found.
    hash: String,
}

impl Browser {
    /// The browser that sent the request, by its latest cookie of ours; else a new one.
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

    /// Every one that the request shows, the latest first.
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

    /// What a form is sealed with: from it the cookie cannot be found.
    pub(crate) fn hash(&self) -> &str {
        &self.hash
    }

    /// What its cookie is called by.
    fn tag(&self) -> &str {
        // Of 43 letters of base64url.
        self.hash.get(..TAG_CHARS).unwrap_or(&self.hash)
    }

    /// That a form with this hash was made for the browser that sends it.
    pub(crate) fn made_for(request: &HttpRequest, server: &Server, hash: &str) -> Result<(), Reason> {
        let is_of = |browser: Browser| constant_time_eq(browser.hash().as_bytes(), hash.as_bytes());
        if Browser::all(request, server).into_iter().any(is_of) { Ok(()) } else { Err(Reason::FormFromElsewhere) }
    }

    /// Gives the browser its cookie, and takes those from it that are too many.
    pub(crate) fn remember(&self, request: &HttpRequest, response: &mut HttpResponse, server: &Server) {
        cookie::set(response, server, &Cookie::Browser.tagged(server, self.tag()), &self.id, None);
        for other in Browser::all(request, server).iter().skip(MAX_COOKIES) {
            cookie::clear(response, server, &Cookie::Browser.tagged(server, other.tag()));
        }
    }
}

const RANDOM_BYTES: usize = 24;
const TAG_CHARS: usize = 8;
/// How many pages can be opened at once by a browser that has no cookie yet.
const MAX_COOKIES: usize = 8;
