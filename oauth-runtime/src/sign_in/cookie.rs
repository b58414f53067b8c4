//! Cookies: their names, and how they are read and set.

use std::time::Duration;

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse};

use crate::response::{AROUND_A_HEADER, room_left};
use crate::server::Server;

/// What a cookie is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cookie {
    /// Ties a form to the browser that asked for it.
    Browser,
    /// The sign-in session.
    Session,
    /// The users and names for which the browser is known.
    Device,
}

impl Cookie {
    /// The value that the browser sent, if it sent exactly one.
    pub(crate) fn read<'a>(self, request: &'a HttpRequest, server: &Server) -> Option<&'a str> {
        let mut values = self.values(request, server);
        // With two of them, another page has set one, for its own path or domain.
        values.next().filter(|_| values.next().is_none())
    }

    /// All values that the browser sent.
    pub(crate) fn all<'a>(self, request: &'a HttpRequest, server: &Server) -> Vec<&'a str> {
        self.values(request, server).collect()
    }

    fn values<'a>(self, request: &'a HttpRequest, server: &Server) -> impl Iterator<Item = &'a str> {
        let name = self.name(server);
        pairs(request).filter(move |(key, _)| *key == name).map(|(_, value)| value)
    }

    /// For cookies with separate names: the individual part of the name, and the value.
    pub(crate) fn all_named<'a>(
        self,
        request: &'a HttpRequest,
        server: &Server,
    ) -> impl Iterator<Item = (&'a str, &'a str)> {
        let name = self.name(server);
        let own = move |key: &'a str| key.strip_prefix(name)?.strip_prefix('-');
        pairs(request).filter_map(move |(key, value)| Some((own(key)?, value)))
    }

    /// Sets it, until the browser is closed or for as long as this.
    pub(crate) fn set<B>(self, response: &mut HttpResponse<B>, server: &Server, value: &str, lasts: Option<Duration>) {
        set(response, server, self.name(server), value, lasts);
    }

    /// The same, if the answer has room for it. Returns whether it had.
    pub(crate) fn set_within_room(
        self,
        response: &mut HttpResponse,
        server: &Server,
        value: &str,
        lasts: Option<Duration>,
    ) -> bool {
        let fits = self.room_for(server, value.len(), lasts) <= room_left(response);
        if fits {
            self.set(response, server, value, lasts);
        }
        fits
    }

    /// How many bytes of headers it takes with a value of this length.
    pub(crate) fn room_for(self, server: &Server, bytes: usize, lasts: Option<Duration>) -> usize {
        let line = line(server, self.name(server), "", lasts).len() + bytes;
        header::SET_COOKIE.as_str().len() + line + AROUND_A_HEADER
    }

    /// Removes it from the browser.
    pub(crate) fn clear(self, response: &mut HttpResponse, server: &Server) {
        clear(response, server, self.name(server));
    }

    /// The name of one among several.
    pub(crate) fn tagged(self, server: &Server, tag: &str) -> String {
        format!("{}-{tag}", self.name(server))
    }

    fn name(self, server: &Server) -> &str {
        let names = server.cookie_names();
        match self {
            Cookie::Browser => &names.browser,
            Cookie::Session => &names.session,
            Cookie::Device => &names.device,
        }
    }
}

/// Sets a cookie of this name, until the browser is closed or for as long as this.
pub(crate) fn set<B>(
    response: &mut HttpResponse<B>,
    server: &Server,
    name: &str,
    value: &str,
    lasts: Option<Duration>,
) {
    if let Ok(value) = header::HeaderValue::try_from(line(server, name, value, lasts)) {
        response.headers_mut().append(header::SET_COOKIE, value);
    }
}

fn line(server: &Server, name: &str, value: &str, lasts: Option<Duration>) -> String {
    let attributes = attributes(server);
    let mut line = String::with_capacity(name.len() + value.len() + attributes.len() + MAX_AGE.len() + DIGITS);
    for part in [name, "=", value, "; ", attributes] {
        line.push_str(part);
    }
    if let Some(lasts) = lasts {
        line.push_str(MAX_AGE);
        line.push_str(&lasts.as_secs().to_string());
    }
    line
}

const MAX_AGE: &str = "; Max-Age=";
/// The digits of a 64-bit number, and the characters between name and value and before the attributes.
const DIGITS: usize = 23;

/// The attributes of every cookie.
pub(crate) fn attributes(server: &Server) -> &'static str {
    server.cookie_names().attributes
}

/// Removes the cookie of this name from the browser.
pub(crate) fn clear(response: &mut HttpResponse, server: &Server, name: &str) {
    set(response, server, name, "", Some(Duration::ZERO));
}

/// Names and values, each pair separately, since another pair may not be text. Only the blanks of RFC 6265 §5.4 are
/// trimmed from a name: after other white space, a browser does not treat `__Host-` as a prefix, and a sibling host
/// could set it.
fn pairs(request: &HttpRequest) -> impl Iterator<Item = (&str, &str)> {
    let sent = request.headers().get_all(header::COOKIE).flat_map(|value| value.as_bytes().split(|byte| *byte == b';'));
    sent.filter_map(|pair| std::str::from_utf8(pair).ok()?.trim_matches([' ', '\t']).split_once('='))
}
