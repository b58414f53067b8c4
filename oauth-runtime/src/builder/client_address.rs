//! Where a request comes from, read from what reverse proxies write: for [`Builder::client_address`](crate::Builder::client_address).
//!
//! Each proxy adds, at the right, the address that it was called from. What stands further left came with the request, and
//! anyone can write it. So both readers count from the right, past the proxies that are yours:
//!
//! ```
//! use oauth_runtime::client_address::x_forwarded_for;
//! # use oauth_runtime::{Client, Login, OAuthService};
//! # use serde_json::json;
//!
//! let oauth = OAuthService::builder()
//!     .issuer("https://notes.example")
//!     .client_address(x_forwarded_for(1)) // behind one proxy of yours, such as nginx
//!     // and the rest
//! #   .client(Client::public("demo").redirect_uri("http://127.0.0.1/callback"))
//! #   .authenticate_blocking(|_: Login| Some(json!({ "sub": "ada" })))
//!     .build()
//!     .unwrap();
//! # let _ = oauth;
//! ```
//!
//! A header that is missing, too short or malformed gives no address. Requests without one count as one network together, so
//! that none goes uncounted, and the log says so once: then the count of proxies is wrong, or the service can be reached
//! past them.

use std::net::{IpAddr, SocketAddr};

use actix_web::HttpRequest;
use actix_web::http::header;

/// Reads `X-Forwarded-For`, behind this many proxies of yours: with one, the last address is the client's. With 0, no
/// header is read and the peer's address counts.
///
/// Each proxy has to append to the header, or the first one to replace it. An address may have a port.
///
/// ```
/// use actix_web::test::TestRequest;
/// use oauth_runtime::client_address::x_forwarded_for;
///
/// let request = TestRequest::default()
///     .append_header(("X-Forwarded-For", "203.0.113.9, 192.0.2.1"))
///     .append_header(("X-Forwarded-For", "10.0.0.7"))
///     .to_http_request();
/// assert_eq!(x_forwarded_for(1)(&request), Some([10, 0, 0, 7].into()));
/// assert_eq!(x_forwarded_for(2)(&request), Some([192, 0, 2, 1].into()));
/// assert_eq!(x_forwarded_for(4)(&request), None);
/// ```
pub fn x_forwarded_for(proxies: usize) -> impl Fn(&HttpRequest) -> Option<IpAddr> + Send + Sync + 'static {
    let name = header::HeaderName::from_static("x-forwarded-for");
    move |request| {
        let Some(from_the_right) = proxies.checked_sub(1) else { return peer(request) };
        // What a client wrote in front of it need not be text.
        let hops = request.headers().get_all(&name).flat_map(|line| line.as_bytes().split(|byte| *byte == b','));
        let hops: Vec<&[u8]> = hops.collect();
        address(std::str::from_utf8(hops.iter().rev().nth(from_the_right)?).ok()?.trim())
    }
}

/// Reads `Forwarded` (RFC 7239), behind this many proxies of yours: with one, the last `for` is the client's. With 0,
/// no header is read and the peer's address counts.
///
/// An address may have a port; an IPv6 address is in brackets. `unknown` and names that hide an address (`for=_hidden`)
/// give none.
///
/// ```
/// use actix_web::test::TestRequest;
/// use oauth_runtime::client_address::forwarded;
///
/// let header = r#"for=203.0.113.9;proto=http, for="[2001:db8::17]:4711";proto=https, for=10.0.0.7"#;
/// let request = TestRequest::default().insert_header(("Forwarded", header)).to_http_request();
/// assert_eq!(forwarded(1)(&request), Some([10, 0, 0, 7].into()));
/// assert_eq!(forwarded(2)(&request), "2001:db8::17".parse().ok());
/// ```
pub fn forwarded(proxies: usize) -> impl Fn(&HttpRequest) -> Option<IpAddr> + Send + Sync + 'static {
    move |request| {
        let Some(from_the_right) = proxies.checked_sub(1) else { return peer(request) };
        let lines = lines(request, &header::FORWARDED)?;
        let hops = lines.iter().map(|line| elements(line)).collect::<Option<Vec<_>>>()?.concat();
        address(hops.iter().rev().nth(from_the_right)?.as_deref()?)
    }
}

fn peer(request: &HttpRequest) -> Option<IpAddr> {
    request.peer_addr().map(|peer| peer.ip())
}

/// All lines of a header, in order; `None` if one of them is not text.
fn lines<'a>(request: &'a HttpRequest, name: &header::HeaderName) -> Option<Vec<&'a str>> {
    request.headers().get_all(name).map(|value| value.to_str().ok()).collect()
}

/// An address, with or without a port. An IPv6 address with a port is in brackets.
fn address(text: &str) -> Option<IpAddr> {
    if let Ok(address) = text.parse::<IpAddr>() {
        return Some(address);
    }
    match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, "")) => address.parse().ok().filter(IpAddr::is_ipv6),
        Some((address, port)) => {
            let is_port = port.strip_prefix(':').is_some_and(is_port);
            address.parse().ok().filter(|address: &IpAddr| is_port && address.is_ipv6())
        }
        None => match text.rsplit_once(':') {
            // RFC 7239 §6: a port may be hidden
            Some((address, port)) if is_port(port) => address.parse().ok().filter(IpAddr::is_ipv4),
            Some(_) | None => text.parse::<SocketAddr>().ok().map(|address| address.ip()),
        },
    }
}

/// RFC 7239 §6: up to five digits, or a name that hides it.
fn is_port(text: &str) -> bool {
    match text.strip_prefix('_') {
        Some(hidden) => {
            !hidden.is_empty() && hidden.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
        }
        None => (1..=5).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit()),
    }
}

/// The `for` of each element of one line (RFC 7239 §4); `None` if the line is malformed, since it is then unknown what
/// a proxy has added to it.
fn elements(line: &str) -> Option<Vec<Option<String>>> {
    let mut rest = Scan(line);
    let mut found = Vec::new();
    loop {
        let mut forward = None;
        loop {
            rest.skip_spaces();
            if let Some((name, value)) = rest.pair()?
                && name.eq_ignore_ascii_case("for")
                && forward.replace(value).is_some()
            {
                // A parameter occurs once in an element.
                return None;
            }
            rest.skip_spaces();
            if !rest.takes(';') {
                break;
            }
        }
        found.push(forward);
        if !rest.takes(',') {
            return rest.0.is_empty().then_some(found);
        }
    }
}

/// The rest of a line.
struct Scan<'a>(&'a str);

impl<'a> Scan<'a> {
    fn takes(&mut self, letter: char) -> bool {
        let rest = self.0.strip_prefix(letter);
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
    }

    fn skip_spaces(&mut self) {
        self.0 = self.0.trim_start_matches([' ', '\t']);
    }

    fn while_some(&mut self, is_in: impl Fn(u8) -> bool) -> &'a str {
        let end = self.0.bytes().position(|byte| !is_in(byte)).unwrap_or(self.0.len());
        let (found, rest) = self.0.split_at(end);
        self.0 = rest;
        found
    }

    /// A parameter and its value. The inner `None` means that there is none, the outer one that it is malformed.
    fn pair(&mut self) -> Option<Option<(&'a str, String)>> {
        let name = self.while_some(is_token);
        if name.is_empty() {
            return Some(None);
        }
        if !self.takes('=') {
            return None;
        }
        let value = if self.takes('"') {
            self.quoted()?
        } else {
            // Many proxies leave out the quotes that a colon or a bracket needs.
            self.while_some(|byte| is_token(byte) || b":[]".contains(&byte)).to_owned()
        };
        (!value.is_empty()).then_some(Some((name, value)))
    }

    /// The rest of a quoted string (RFC 9110 §5.6.4).
    fn quoted(&mut self) -> Option<String> {
        let mut value = String::new();
        let mut letters = self.0.chars();
        loop {
            match letters.next()? {
                '"' => break,
                '\\' => value.push(letters.next()?),
                letter => value.push(letter),
            }
        }
        self.0 = letters.as_str();
        Some(value)
    }
}

/// RFC 9110 §5.6.2
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn request(name: &'static str, lines: &[&str]) -> HttpRequest {
        let request = TestRequest::default().peer_addr("198.51.100.9:1".parse().expect("an address"));
        lines.iter().fold(request, |request, line| request.append_header((name, *line))).to_http_request()
    }

    /// Lines, how many proxies, and the address.
    #[test]
    fn c46_an_address_is_read_from_the_right_of_x_forwarded_for() {
        for (lines, proxies, expected) in [
            (&["192.0.2.1"][..], 1, Some("192.0.2.1")),
            (&["203.0.113.9, 192.0.2.1"], 1, Some("192.0.2.1")),
            (&["203.0.113.9,192.0.2.1 ,10.0.0.1"], 2, Some("192.0.2.1")),
            (&["203.0.113.9", "192.0.2.1", "10.0.0.1"], 2, Some("192.0.2.1")),
            (&["203.0.113.9, 192.0.2.1", "10.0.0.1"], 2, Some("192.0.2.1")),
            (&["nonsense;, \"", "192.0.2.1"], 1, Some("192.0.2.1")),
            (&["192.0.2.1:4711"], 1, Some("192.0.2.1")),
            (&["2001:db8::1"], 1, Some("2001:db8::1")),
            (&["[2001:db8::1]"], 1, Some("2001:db8::1")),
            (&["[2001:db8::1]:4711"], 1, Some("2001:db8::1")),
            (&["192.0.2.1"], 0, Some("198.51.100.9")),
            // Too short, malformed, or not there.
            (&["192.0.2.1"], 2, None),
            (&["203.0.113.9, "], 1, None),
            (&["203.0.113.9, ,"], 2, None),
            (&["203.0.113.9, unknown"], 1, None),
            (&["203.0.113.9, _hidden"], 1, None),
            (&["203.0.113.9, 192.0.2.1\u{e9}"], 1, None),
            (&["[192.0.2.1]"], 1, None),
            (&["[2001:db8::1"], 1, None),
            (&["2001:db8::1%eth0"], 1, None),
            (&["192.0.2.1:port"], 1, None),
            (&["192.0.2.1 192.0.2.2"], 1, None),
            (&[""], 1, None),
            (&[], 1, None),
        ] {
            let found = x_forwarded_for(proxies)(&request("x-forwarded-for", lines));
            assert_eq!(found, expected.map(|text| text.parse().expect(text)), "{proxies} of {lines:?}");
        }
    }

    #[test]
    fn c46_an_address_is_read_from_the_right_of_forwarded() {
        for (lines, proxies, expected) in [
            (&["for=192.0.2.1"][..], 1, Some("192.0.2.1")),
            (&["FOR=192.0.2.1;proto=https;by=203.0.113.43"], 1, Some("192.0.2.1")),
            (&["proto=https; for=\"192.0.2.1:4711\" ;"], 1, Some("192.0.2.1")),
            (&["for=203.0.113.9, for=192.0.2.1,for=10.0.0.1"], 2, Some("192.0.2.1")),
            (&["for=203.0.113.9", "for=192.0.2.1", "for=10.0.0.1"], 2, Some("192.0.2.1")),
            (&["for=\"[2001:db8:cafe::17]\""], 1, Some("2001:db8:cafe::17")),
            (&["for=\"[2001:db8:cafe::17]:4711\""], 1, Some("2001:db8:cafe::17")),
            (&["for=[2001:db8:cafe::17]:_p"], 1, Some("2001:db8:cafe::17")),
            (&["for=\"192.0.2.1:_hidden\""], 1, Some("192.0.2.1")),
            (&["for=\"\\1\\92.0.2.1\""], 1, Some("192.0.2.1")),
            (&["for=_hidden, for=192.0.2.1"], 1, Some("192.0.2.1")),
            (&["for=192.0.2.1;ext=\"a, for=203.0.113.9\""], 1, Some("192.0.2.1")),
            (&["for=192.0.2.1"], 0, Some("198.51.100.9")),
            // What hides the address, and what is not there.
            (&["for=203.0.113.9, for=_hidden"], 1, None),
            (&["for=203.0.113.9, for=unknown"], 1, None),
            (&["for=203.0.113.9, proto=https"], 1, None),
            (&["for=203.0.113.9,"], 1, None),
            (&["for=192.0.2.1"], 2, None),
            (&[], 1, None),
            // A quote that a stranger opened, so that what the proxy adds would be read as theirs.
            (&["for=203.0.113.9;x=\", for=192.0.2.1"], 1, None),
            (&["for=203.0.113.9;x=\", for=\"[2001:db8::1]\", for=10.0.0.1"], 1, None),
            (&["for=\"203.0.113.9", "for=192.0.2.1"], 1, None),
            (&["for=203.0.113.9;for=192.0.2.1"], 1, None),
            (&["for 192.0.2.1"], 1, None),
            (&["for= 192.0.2.1"], 1, None),
            (&["for=192.0.2.1 for=203.0.113.9"], 1, None),
            (&["for=2001:db8::17:"], 1, None),
            (&["for=\"192.0.2.1:123456\""], 1, None),
        ] {
            let found = forwarded(proxies)(&request("forwarded", lines));
            assert_eq!(found, expected.map(|text| text.parse().expect(text)), "{proxies} of {lines:?}");
        }
    }
}
