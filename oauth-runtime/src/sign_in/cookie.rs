//! Cookies: which names they have, and how they are read and set.

use std::time::Duration;

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

use crate::response::{AROUND_A_HEADER, room_left};
use crate::server::Server;

/// What a cookie is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cookie {
    /// Ties a form to the browser that asked for it.
    Browser,
    /// The sign-in session.
    Session,
    /// What the browser is known for.
    Device,
}

impl Cookie {
    /// The value that the browser sent, if it sent one and no more.
    pub(crate) fn read<'a>(self, request: &'a HttpRequest, server: &Server) -> Option<&'a str> {
        match self.all(request, server).as_slice() {
            [value] => Some(value),
            // Two of them: another page has set one, on a path or domain of its own.
            [] | [_, _, ..] => None,
        }
    }

    /// All values that the browser sent.
    pub(crate) fn all<'a>(self, request: &'a HttpRequest, server: &Server) -> Vec<&'a str> {
        let name = self.name(server);
        pairs(request).filter(|(key, _)| *key == name).map(|(_, value)| value).collect()
    }

    /// Of cookies that have a name each: the part of the name that is its own, and the value.
    pub(crate) fn all_named<'a>(self, request: &'a HttpRequest, server: &Server) -> Vec<(&'a str, &'a str)> {
        let name = self.tagged(server, "");
        pairs(request).filter_map(|(key, value)| Some((key.strip_prefix(&*name)?, value))).collect()
    }

    /// Gives it to the browser: until that is closed, or for as long as this.
    pub(crate) fn set<B>(self, response: &mut HttpResponse<B>, server: &Server, value: &str, lasts: Option<Duration>) {
        set(response, server, &self.name(server), value, lasts);
    }

    /// The same, where there is room for it in the answer. Whether there was.
    pub(crate) fn set_within_room(
        self,
        response: &mut HttpResponse,
        server: &Server,
        value: &str,
        lasts: Option<Duration>,
    ) -> bool {
        let line = line(server, &self.name(server), value, lasts);
        let fits = header::SET_COOKIE.as_str().len() + line.len() + AROUND_A_HEADER <= room_left(response);
        if fits {
            append(response, &line);
        }
        fits
    }

    /// Takes it from the browser.
    pub(crate) fn clear(self, response: &mut HttpResponse, server: &Server) {
        clear(response, server, &self.name(server));
    }

    /// The name of one among several.
    pub(crate) fn tagged(self, server: &Server, tag: &str) -> String {
        format!("{}-{tag}", self.name(server))
    }

    /// On https a name that no other host can set; on loopback, where cookies ignore ports, one for each issuer.
    fn name(self, server: &Server) -> String {
        let hash = Sha256::digest(server.issuer().as_str().as_bytes());
        let id = URL_SAFE_NO_PAD.encode(&hash[..6]);
        let prefix = if server.issuer().is_https() { "__Host-" } else { "" };
        let kind = match self {
            Cookie::Browser => "browser",
            Cookie::Session => "session",
            Cookie::Device => "device",
        };
        format!("{prefix}oauth-{kind}-{id}")
    }
}

/// Gives a cookie of this name to the browser: until that is closed, or for as long as this.
pub(crate) fn set<B>(
    response: &mut HttpResponse<B>,
    server: &Server,
    name: &str,
    value: &str,
    lasts: Option<Duration>,
) {
    append(response, &line(server, name, value, lasts));
}

fn line(server: &Server, name: &str, value: &str, lasts: Option<Duration>) -> String {
    let lasts = lasts.map(|lasts| format!("; Max-Age={}", lasts.as_secs())).unwrap_or_default();
    format!("{name}={value}; {}{lasts}", attributes(server))
}

/// What every one has.
pub(crate) fn attributes(server: &Server) -> String {
    let secure = if server.issuer().is_https() { "; Secure" } else { "" };
    format!("Path=/; HttpOnly; SameSite=Lax{secure}")
}

fn append<B>(response: &mut HttpResponse<B>, line: &str) {
    if let Ok(value) = header::HeaderValue::from_str(line) {
        response.headers_mut().append(header::SET_COOKIE, value);
    }
}

/// Takes the cookie of this name from the browser.
pub(crate) fn clear(response: &mut HttpResponse, server: &Server, name: &str) {
    set(response, server, name, "", Some(Duration::ZERO));
}

/// Names and values, each pair by itself: another one may have bytes that no text has. What of a name is no blank of RFC 6265 §5.4
/// stays in it: a browser takes a `__Host-` after another white space for no prefix, and lets a sibling host set it.
fn pairs(request: &HttpRequest) -> impl Iterator<Item = (&str, &str)> {
    let sent = request.headers().get_all(header::COOKIE).flat_map(|value| value.as_bytes().split(|byte| *byte == b';'));
    sent.filter_map(|pair| std::str::from_utf8(pair).ok()?.trim_matches([' ', '\t']).split_once('='))
}
