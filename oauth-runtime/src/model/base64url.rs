//! Base64url without padding (RFC 4648 §5) for long data, with the vector instructions of the machine.

use std::sync::LazyLock;

use base64::Engine as _;
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
use base64::alphabet::URL_SAFE;
use base64::engine::general_purpose::NO_PAD;

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
type Fastest = base64::engine::GeneralPurpose;
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
type Fastest = base64::engine::simd::Simd;

/// Reads and writes the same as `URL_SAFE_NO_PAD`.
pub(crate) static BASE64URL: LazyLock<Fastest> = LazyLock::new(|| {
    #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
    return Fastest::url_safe(NO_PAD);
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    return Fastest::new(&URL_SAFE, NO_PAD);
});

/// Appends the encoded bytes to a text.
pub(crate) fn push_encoded(text: &mut Vec<u8>, bytes: &[u8]) {
    let before = text.len();
    text.resize(before + bytes.len().div_ceil(3) * 4, 0);
    // That is at least what is written, so it has room.
    let written = BASE64URL.encode_slice(bytes, &mut text[before..]).unwrap_or(0);
    text.truncate(before + written);
}

/// A number of eight bytes: too short for vectors, and each access token has one.
pub(crate) fn read_u64(text: &str) -> Option<u64> {
    if text.len() != 11 {
        return None;
    }
    let bits = text.bytes().try_fold(0, |bits: u128, letter| {
        let value = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'a'..=b'z' => letter - b'a' + 26,
            b'0'..=b'9' => letter - b'0' + 52,
            b'-' => 62,
            b'_' => 63,
            _ => return None,
        };
        Some(bits << 6 | u128::from(value))
    })?;
    // Eleven letters have two bits more than the number. They must be zero, so that it has only one spelling.
    if bits & 0b11 == 0 { u64::try_from(bits >> 2).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::*;

    #[test]
    fn a_number_is_read_as_its_bytes_are() {
        let compare = |text: &str| {
            let bytes = URL_SAFE_NO_PAD.decode(text).ok().and_then(|bytes| bytes.try_into().ok());
            assert_eq!(read_u64(text), bytes.map(u64::from_be_bytes), "{text}");
        };
        for number in [0, 1, 255, u64::MAX, u64::MAX - 1, 1 << 63, 0x0123_4567_89ab_cdef] {
            let text = URL_SAFE_NO_PAD.encode(number.to_be_bytes());
            assert_eq!(read_u64(&text), Some(number));
            (0..=text.len()).for_each(|end| compare(&text[..end]));
            for at in 0..text.len() {
                for other in (0..=0x7f_u8).map(char::from) {
                    compare(&format!("{}{other}{}", &text[..at], &text[at + 1..]));
                }
            }
            ["A", "=", "==", "AAAA", "é"].iter().for_each(|more| compare(&format!("{text}{more}")));
        }
    }

    #[test]
    fn it_is_what_any_reader_of_base64url_reads_and_as_strict() {
        for length in 0..200 {
            let bytes: Vec<u8> = (0..length).map(|index| (index * 37 + length) as u8).collect();
            let text = URL_SAFE_NO_PAD.encode(&bytes);
            assert_eq!(BASE64URL.encode(&bytes), text);
            assert_eq!(BASE64URL.decode(&text).as_ref(), Ok(&bytes));
            let mut pushed = b"before.".to_vec();
            push_encoded(&mut pushed, &bytes);
            assert_eq!(pushed, format!("before.{text}").into_bytes());
            for at in 0..text.len() {
                for other in ["=", "+", "/", " ", "\n", "\u{e4}", ""] {
                    let changed = format!("{}{other}{}", &text[..at], &text[at + 1..]);
                    assert_eq!(BASE64URL.decode(&changed), URL_SAFE_NO_PAD.decode(&changed), "{changed}");
                }
            }
            if let Some((before, _)) = text.split_at_checked(text.len().saturating_sub(1)) {
                for last in (0..=0x7f_u8).map(char::from) {
                    let changed = format!("{before}{last}");
                    assert_eq!(BASE64URL.decode(&changed), URL_SAFE_NO_PAD.decode(&changed), "{changed}");
                }
            }
            for extra in ["A", "=", "==", "B"] {
                let longer = format!("{text}{extra}");
                assert_eq!(BASE64URL.decode(&longer), URL_SAFE_NO_PAD.decode(&longer), "{longer}");
            }
        }
    }
}
