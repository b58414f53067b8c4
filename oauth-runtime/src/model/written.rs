//! The text of a URL as far as a constant can read it, for the rules that hold when a program is compiled and when it starts.

pub(crate) const fn begins(text: &[u8], with: &[u8]) -> bool {
    if text.len() < with.len() {
        return false;
    }
    let mut at = 0;
    while at < with.len() {
        if text[at] != with[at] {
            return false;
        }
        at += 1;
    }
    true
}

pub(crate) const fn is(text: &[u8], other: &[u8]) -> bool {
    text.len() == other.len() && begins(text, other)
}

/// Where one of these bytes is first, or the length.
pub(crate) const fn first_of(text: &[u8], bytes: &[u8]) -> usize {
    let mut at = 0;
    while at < text.len() {
        let mut other = 0;
        while other < bytes.len() {
            if text[at] == bytes[other] {
                return at;
            }
            other += 1;
        }
        at += 1;
    }
    text.len()
}

pub(crate) const fn has(text: &[u8], bytes: &[u8]) -> bool {
    first_of(text, bytes) < text.len()
}

/// What stands between `https://` or `http://` and the path, and the path with all after it; None for another scheme.
pub(crate) const fn web(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let scheme = if begins(text, b"https://") {
        8
    } else if begins(text, b"http://") {
        7
    } else {
        return None;
    };
    let rest = text.split_at(scheme).1;
    Some(rest.split_at(first_of(rest, b"/?#")))
}

/// The host of what [`web`] found, without user name and port.
pub(crate) const fn host(authority: &[u8]) -> &[u8] {
    let user = first_of(authority, b"@");
    let after = if user < authority.len() { authority.split_at(user + 1).1 } else { authority };
    // The colons of an IPv6 address are within its brackets.
    let address = first_of(after, b"]");
    let end = if address < after.len() { address + 1 } else { first_of(after, b":") };
    after.split_at(end).0
}

/// Whether a host is this machine: `localhost`, `127.0.0.0/8` or `::1`.
pub(crate) const fn is_on_loopback(host: &[u8]) -> bool {
    if is(host, b"localhost") || is(host, b"[::1]") {
        return true;
    }
    let mut at = 0;
    while at < host.len() {
        if !host[at].is_ascii_digit() && host[at] != b'.' {
            return false;
        }
        at += 1;
    }
    begins(host, b"127.")
}

/// `app.localhost`
pub(crate) const fn is_name_on_loopback(host: &[u8]) -> bool {
    const SUFFIX: &[u8] = b".localhost";
    host.len() > SUFFIX.len() && is(host.split_at(host.len() - SUFFIX.len()).1, SUFFIX)
}
