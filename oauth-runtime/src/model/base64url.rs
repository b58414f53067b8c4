//! Base64url without padding (RFC 4648 §5), of what is long: by the vector instructions that the machine has.

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

/// Writes bytes behind a text, which has room for them or gets it.
pub(crate) fn push_encoded(text: &mut Vec<u8>, bytes: &[u8]) {
    let before = text.len();
    text.resize(before + bytes.len().div_ceil(3) * 4, 0);
    // That is no less than what is written, so it has room.
    let written = BASE64URL.encode_slice(bytes, &mut text[before..]).unwrap_or(0);
    text.truncate(before + written);
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::*;

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
            for extra in ["A", "=", "==", "B"] {
                let longer = format!("{text}{extra}");
                assert_eq!(BASE64URL.decode(&longer), URL_SAFE_NO_PAD.decode(&longer), "{longer}");
            }
        }
    }
}
