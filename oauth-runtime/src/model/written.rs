//! Reads the text of a URL in constants, for rules that apply at compile time and at start-up.

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

/// Where one of these bytes occurs first, or the length.
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

/// The part between `https://` or `http://` and the path, and the path with the rest; `None` for another scheme.
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

/// What [`web`] found, without user name.
pub(crate) const fn after_user(authority: &[u8]) -> &[u8] {
    let user = first_of(authority, b"@");
    if user < authority.len() { authority.split_at(user + 1).1 } else { authority }
}

/// The host of what [`web`] found, without user name and port.
pub(crate) const fn host(authority: &[u8]) -> &[u8] {
    let after = after_user(authority);
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

/// The port of `https://` or `http://`, which is left out.
pub(crate) const fn own_port(text: &[u8]) -> u32 {
    if begins(text, b"https://") { 443 } else { 80 }
}

/// Whether a host and what is after it are spelled as a browser spells them. Only a label that begins with `xn--` is
/// left to a parser.
pub(crate) const fn is_normal(authority: &[u8], own_port: u32) -> bool {
    let (name, port) = authority.split_at(host(authority).len());
    let is_host = match name {
        [b'[', address @ .., b']'] => is_normal_ipv6(address),
        _ if ends_in_a_number(name) => is_normal_ipv4(name),
        _ => is_name(name),
    };
    is_host
        && match port {
            [] => true,
            [b':', digits @ ..] => match number(digits, 65_535) {
                Some(port) => port > 0 && port != own_port, // RFC 6335 §6: 0 is reserved
                None => false,
            },
            _ => false,
        }
}

/// Labels of lower-case letters, digits, `-` and `_`, with dots between them; a dot at the end makes the name absolute.
const fn is_name(mut name: &[u8]) -> bool {
    if let [before @ .., b'.'] = name {
        name = before;
    }
    loop {
        let (label, after) = name.split_at(first_of(name, b"."));
        let mut at = 0;
        while at < label.len() {
            if !matches!(label[at], b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_') {
                return false;
            }
            at += 1;
        }
        match after {
            _ if label.is_empty() => return false,
            [] => return true,
            [_, rest @ ..] => name = rest,
        }
    }
}

/// Whether a parser reads it as an address of four numbers, however it is spelled.
const fn ends_in_a_number(mut name: &[u8]) -> bool {
    if let [before @ .., b'.'] = name {
        name = before;
    }
    let mut last = name;
    while has(last, b".") {
        last = last.split_at(first_of(last, b".") + 1).1;
    }
    let (digits, is_hex) = match last {
        [b'0', b'x' | b'X', hex @ ..] => (hex, true),
        _ => (last, false),
    };
    let mut at = 0;
    while at < digits.len() {
        if !(digits[at].is_ascii_digit() || (is_hex && digits[at].is_ascii_hexdigit())) {
            return false;
        }
        at += 1;
    }
    !last.is_empty()
}

const fn is_normal_ipv4(mut address: &[u8]) -> bool {
    let mut count = 1;
    loop {
        let (part, after) = address.split_at(first_of(address, b"."));
        if number(part, 255).is_none() {
            return false;
        }
        match after {
            [] => return count == 4,
            [_, rest @ ..] => address = rest,
        }
        count += 1;
    }
}

/// RFC 5952 §4: lower case, no leading zero, and `::` for the first of the longest runs of zeros, two at least.
const fn is_normal_ipv6(address: &[u8]) -> bool {
    let mut gap = 0;
    while gap < address.len() && !begins(address.split_at(gap).1, b"::") {
        gap += 1;
    }
    if gap == address.len() {
        return matches!(
            groups(address),
            Some(Groups { count: 8, longest_before_end: 0 | 1, zeros_at_end: 0 | 1, .. })
        );
    }
    let (before, after) = address.split_at(gap);
    let (Some(before), Some(after)) = (groups(before), groups(after.split_at(2).1)) else { return false };
    let Some(zeros) = 8_usize.checked_sub(before.count + after.count) else { return false };
    zeros >= 2
        && before.zeros_at_end == 0
        && !after.begins_with_zero
        && before.longest_before_end < zeros
        && after.longest_before_end <= zeros
        && after.zeros_at_end <= zeros
}

struct Groups {
    count: usize,
    begins_with_zero: bool,
    /// The longest run of zeros before another group.
    longest_before_end: usize,
    zeros_at_end: usize,
}

/// One side of `::`; `None` if it is not groups of an address.
const fn groups(mut text: &[u8]) -> Option<Groups> {
    let mut found = Groups { count: 0, begins_with_zero: false, longest_before_end: 0, zeros_at_end: 0 };
    if text.is_empty() {
        return Some(found);
    }
    loop {
        let (group, after) = text.split_at(first_of(text, b":"));
        let mut at = 0;
        while at < group.len() {
            if !matches!(group[at], b'0'..=b'9' | b'a'..=b'f') {
                return None;
            }
            at += 1;
        }
        let is_zero = is(group, b"0");
        if group.is_empty() || group.len() > 4 || (group[0] == b'0' && !is_zero) {
            return None;
        }
        if is_zero {
            found.begins_with_zero = found.begins_with_zero || found.count == 0;
            found.zeros_at_end += 1;
        } else {
            if found.zeros_at_end > found.longest_before_end {
                found.longest_before_end = found.zeros_at_end;
            }
            found.zeros_at_end = 0;
        }
        found.count += 1;
        match after {
            [] => return Some(found),
            [_, rest @ ..] => text = rest,
        }
    }
}

/// Decimal digits without a leading zero, up to the most.
pub(crate) const fn number(digits: &[u8], most: u32) -> Option<u32> {
    if digits.is_empty() || digits.len() > 5 || (digits[0] == b'0' && digits.len() > 1) {
        return None;
    }
    let (mut number, mut at) = (0, 0);
    while at < digits.len() {
        if !digits[at].is_ascii_digit() {
            return None;
        }
        number = 10 * number + (digits[at] - b'0') as u32;
        at += 1;
    }
    if number <= most { Some(number) } else { None }
}

#[cfg(test)]
mod tests {
    use rand::rngs::StdRng;
    use rand::{RngExt as _, SeedableRng as _};
    use url::Url;

    use super::*;

    /// Whether a URL parser leaves a host and port as they are.
    fn is_left_alone(scheme: &str, authority: &str) -> bool {
        let text = format!("{scheme}://{authority}/");
        Url::parse(&text).is_ok_and(|url| url.as_str() == text)
    }

    /// What is refused here, though a parser leaves it unchanged.
    fn is_refused_besides(authority: &str) -> bool {
        let host = std::str::from_utf8(host(authority.as_bytes())).expect("ASCII");
        let name = host.strip_suffix('.').unwrap_or(host);
        authority.ends_with(":0") || (!host.starts_with('[') && name.split('.').any(str::is_empty))
    }

    #[test]
    fn a_host_and_its_port_are_judged_as_a_parser_of_urls_does() {
        let pieces: Vec<&str> =
            "a f 0 1 9 00 25 255 256 0x 0xf . . : :: : [ ] [:: - _ A X 443 80 :80 :443 :65535 :65536 :0 127.0.0.1 \
             localhost ffff 10000 notes.example 0:0 :0: 1:2:3:4 %61"
                .split(' ')
                .collect();
        let mut random = StdRng::seed_from_u64(13);
        let (mut normal, mut others) = (0, 0);
        for round in 0..50_000 {
            let count = random.random_range(1..9);
            let mut authority: String = (0..count).map(|_| pieces[random.random_range(0..pieces.len())]).collect();
            if round % 3 == 0 {
                authority = format!("[{authority}]");
            }
            for (scheme, own_port) in [("https", 443), ("http", 80)] {
                let judged = is_normal(authority.as_bytes(), own_port);
                let expected = is_left_alone(scheme, &authority) && !is_refused_besides(&authority);
                assert_eq!(judged, expected, "{scheme}://{authority}/");
                *(if judged { &mut normal } else { &mut others }) += 1;
            }
        }
        assert!(normal > 2_000 && others > 2_000, "{normal} and {others}");
    }

    #[test]
    fn names_and_addresses_in_normal_form() {
        for good in [
            "notes.example",
            "notes.example.",
            "a_b.example",
            "xn--bcher-kva.example",
            "a--b",
            "127.0.0.1",
            "0.0.0.0",
            "[::1]",
            "[::]",
            "[1:0:2::3]",
            "[1::2:0:0:3]",
            "[2001:db8::1]:8443",
            "[1:2:3:4:5:6:7:8]",
            "notes.example:80",
            "1a.example",
        ] {
            assert!(is_normal(good.as_bytes(), 443), "{good}");
            assert!(is_left_alone("https", good), "{good}");
        }
        for bad in [
            "",
            ".",
            "..",
            "a..b",
            ".a",
            "Notes.example",
            "b\u{fc}cher.example",
            "*.example",
            "a b",
            "a%62",
            "127.1",
            "0177.0.0.1",
            "127.0.0.1.",
            "0x7f.1",
            "a.1",
            "256.0.0.1",
            "[::2",
            "::1",
            "[::1]a",
            "[1::2::3]",
            "[::0]",
            "[0:0:0:0:0:0:0:1]",
            "[1::2:3:4:5:6:7]",
            "[::FF]",
            "[::127.0.0.1]",
            "a:",
            "a:0",
            "a:443",
            "a:080",
            "a:65536",
            "a:99999",
            "a:1a",
            "a:1:2",
        ] {
            assert!(!is_normal(bad.as_bytes(), 443), "{bad}");
        }
    }
}
