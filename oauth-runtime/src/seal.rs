//! Sealing: what the server issues and gets back carries its own meaning, readable to no one else.
//!
//! An envelope is `version (1) · key id (4) · nonce (12) · ciphertext and tag`, base64url. Header, purpose and
//! issuer are authenticated. Each purpose has a key of its own, so that a form can never be read as a code.

use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Prk, Salt};
use base64::Engine as _;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::model::Timestamp;
use crate::model::base64url::BASE64URL;
use crate::model::code::{
    AccountForm, AuthorizationCode, ConsentForm, DeviceForm, DeviceGrant, Posted, QuestionForm, SignInForm, SignOutForm,
};
use crate::model::device::Devices;
use crate::model::device_code::{DeviceCode, DeviceRequest};
use crate::model::length::json_bytes;
use crate::model::one_time::OneTimeToken;
use crate::model::own_page::PageRequest;
use crate::model::pushed::{PushedRequest, REQUEST_URI};
use crate::model::refresh::RefreshToken;
use crate::model::registration::Registration;
use crate::model::sealed_claims::SealedClaims;
use crate::model::secret::{Secret, Secrets};
use crate::model::session::Session;

/// A value that may be sealed.
pub(crate) trait Sealable: Serialize + DeserializeOwned {
    const PURPOSE: Purpose;
    /// How long its sealed text may be, in bytes.
    const MAX_BYTES: usize;
    /// What is sealed is padded to a multiple of this many bytes, so that the length of the text says little about values that
    /// its holder is not to know.
    const BLOCK: usize;
}

/// Everything that is sealed: its type, the label of its key, how long its text may be, and the block that it is padded to. A
/// value is only read back as what it was sealed as.
macro_rules! purposes {
    ($($name:ident, $label:literal, $bytes:expr, $block:expr;)+) => {
        /// What a sealed value is for.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Purpose {
            $($name),+
        }

        impl Purpose {
            const ALL: &[Purpose] = &[$(Purpose::$name),+];

            const fn label(self) -> &'static [u8] {
                match self {
                    $(Purpose::$name => $label.as_bytes()),+
                }
            }
        }

        $(impl Sealable for $name {
            const PURPOSE: Purpose = Purpose::$name;
            const MAX_BYTES: usize = $bytes;
            const BLOCK: usize = $block;
        })+

        /// For the type with this number: no text of a stranger opens as one, and a value that can be read is unchanged
        /// after sealing and opening. It opens as no other type, as a part of nothing, with no other sealer, and not if it
        /// was changed.
        #[cfg(fuzzing)]
        pub(crate) fn fuzz(sealer: &Sealer, others: &[Sealer], number: u8, text: &str) {
            const TYPES: &[fn(&Sealer, &str) -> Option<String>] = &[$(fuzz_of::<$name>),+];
            const OPENS: &[fn(&Sealer, &str) -> bool] =
                &[$(|sealer, sealed| sealer.open_at_any_age::<$name>(sealed).is_ok()),+];
            const OPENS_WITHIN: &[fn(&Sealer, &str, &str) -> bool] =
                &[$(|sealer, sealed, whole| sealer.content::<$name>(sealed, whole).is_ok()),+];
            let number = usize::from(number) % TYPES.len();
            let Some(sealed) = TYPES[number](sealer, text) else { return };
            for (other, opens) in OPENS.iter().enumerate() {
                assert_eq!(opens(sealer, &sealed), other == number, "a {:?}", Purpose::ALL[number]);
            }
            assert!(!OPENS_WITHIN[number](sealer, &sealed, "a whole"));
            assert!(others.iter().all(|other| !OPENS[number](other, &sealed)));
            // Another place each time.
            let mut envelope = BASE64URL.decode(&sealed).expect("it was encoded");
            let (place, bit) = (text.len() * 31 % envelope.len(), text.len() % 8);
            envelope[place] ^= 1 << bit;
            assert!(!OPENS[number](sealer, &BASE64URL.encode(envelope)), "byte {place}, bit {bit}");
        }
    };
}

purposes! {
    SignInForm, "seal sign-in form", FORM_BYTES, 1;
    QuestionForm, "seal question form", FORM_BYTES, 1;
    ConsentForm, "seal consent form", FORM_BYTES, 1;
    SignOutForm, "seal sign-out form", FORM_BYTES, 1;
    AccountForm, "seal account form", FORM_BYTES, 1;
    Posted, "seal posted request", FORM_BYTES, 1;
    // It has to fit into a redirect's URL with everything else. Its client sees it, and is not to read the claims.
    AuthorizationCode, "seal authorization code", 2048 + PADDING, 128;
    // It contains less than the code that it came from: the holder of the code gets this.
    RefreshToken, "seal refresh token", 4096, 1;
    Session, "seal session", COOKIE_BYTES, 1;
    // For the author's mails: it has to fit into a link.
    OneTimeToken, "seal one-time token", 4096, 1;
    Devices, "seal devices", COOKIE_BYTES, 1;
    // In an access token, which has at most 8 KiB.
    SealedClaims, "seal claims", 6 * 1024, 256;
    DeviceForm, "seal device form", FORM_BYTES, 1;
    DeviceCode, "seal device code", 1024, 1;
    // Many may wait in the store at once. What remains of a code has room for the user.
    DeviceRequest, "seal device request", 1024, 1;
    // As large as an authorization code, and its padding.
    DeviceGrant, "seal device grant", 2560, 256;
    // Together with its prefix 2 KiB, in the URL of a browser.
    PushedRequest, "seal pushed request", 2048 - REQUEST_URI.len(), 1;
    // In the URL of a browser.
    PageRequest, "seal page request", 2048, 1;
    // It is the id of a client, in each of its requests.
    Registration, "seal registration", 1000, 1;
}

/// Of the block of a code, base64url.
const PADDING: usize = 48;
/// A form's body may have 16 KiB.
const FORM_BYTES: usize = 12 * 1024;
/// Browsers accept 4 KiB, including the cookie's name (RFC 6265 §6.1).
const COOKIE_BYTES: usize = 3584;

/// The keys of one service: the first seals, all open.
pub(crate) struct Sealer {
    generations: Vec<Generation>,
    issuer: String,
}

/// A value that was opened.
#[derive(Debug)]
pub(crate) struct Opened<T> {
    pub(crate) value: T,
    pub(crate) issued_at: Timestamp,
    pub(crate) expires_at: Timestamp,
}

/// Why an envelope was not opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotOpened {
    /// Not made here, not for this purpose, or changed since.
    Forged,
    Expired,
}

/// Why a value was not sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotSealed {
    TooLarge,
    /// It cannot be written as JSON.
    Failed,
}

impl Sealer {
    pub(crate) fn new(secrets: &Secrets, issuer: &str) -> Option<Self> {
        let generations = secrets.iter().map(Generation::new).collect::<Option<Vec<_>>>()?;
        Some(Sealer { generations, issuer: issuer.to_owned() })
    }

    pub(crate) fn seal<T: Sealable>(
        &self,
        value: &T,
        issued_at: Timestamp,
        expires_at: Timestamp,
    ) -> Result<String, NotSealed> {
        self.sealed(&Content { i: issued_at, e: expires_at, v: value }, "")
    }

    /// Seals a value as a part of something else, without whose name it does not open.
    pub(crate) fn seal_within<T: Sealable>(
        &self,
        value: &T,
        whole: &str,
        expires_at: Timestamp,
    ) -> Result<String, NotSealed> {
        self.sealed(&Content { i: Timestamp::from_seconds(0), e: expires_at, v: value }, whole)
    }

    /// How long the text would be.
    pub(crate) fn sealed_bytes<T: Sealable>(
        &self,
        value: &T,
        issued_at: Timestamp,
        expires_at: Timestamp,
    ) -> Result<usize, NotSealed> {
        let json = json_bytes(&Content { i: issued_at, e: expires_at, v: value }).ok_or(NotSealed::Failed)?;
        let bytes = sealed_from::<T>(json);
        if bytes > T::MAX_BYTES { Err(NotSealed::TooLarge) } else { Ok(bytes) }
    }

    fn sealed<T: Sealable>(&self, content: &Content<&T>, whole: &str) -> Result<String, NotSealed> {
        let generation = self.generations.first().ok_or(NotSealed::Failed)?;
        let header = generation.header();
        // Random like ids. A repeated one would only show that the same value was sealed (RFC 8452 §1).
        let nonce: [u8; NONCE_LEN] = rand::random();
        // The whole envelope in one buffer, with room for most values.
        let mut envelope = Vec::with_capacity(ORDINARY_BYTES);
        envelope.extend_from_slice(&header);
        envelope.extend_from_slice(&nonce);
        serde_json::to_writer(&mut envelope, content).map_err(|_| NotSealed::Failed)?;
        // RFC 8259 §2: white space after a value is not part of it
        envelope.resize(BEFORE + (envelope.len() - BEFORE).next_multiple_of(T::BLOCK), b' ');
        let (nonce, associated) = (Nonce::from(&nonce), self.associated(header, T::PURPOSE, whole));
        let tag = generation
            .key(T::PURPOSE)
            .ok_or(NotSealed::Failed)?
            .seal_in_place_separate_tag(nonce, associated, &mut envelope[BEFORE..])
            .map_err(|_| NotSealed::Failed)?;
        envelope.extend_from_slice(tag.as_ref());
        let text = BASE64URL.encode(envelope);
        if text.len() > T::MAX_BYTES { Err(NotSealed::TooLarge) } else { Ok(text) }
    }

    pub(crate) fn open<T: Sealable>(&self, text: &str, now: Timestamp) -> Result<Opened<T>, NotOpened> {
        let content = self.content::<T>(text, "")?;
        if content.e <= now {
            return Err(NotOpened::Expired);
        }
        Ok(Opened { value: content.v, issued_at: content.i, expires_at: content.e })
    }

    /// Opens what was sealed as a part of `whole`.
    pub(crate) fn open_within<T: Sealable>(&self, text: &str, whole: &str, now: Timestamp) -> Result<T, NotOpened> {
        let content = self.content::<T>(text, whole)?;
        if content.e <= now { Err(NotOpened::Expired) } else { Ok(content.v) }
    }

    /// What was sealed here, even if it has expired: only to find the way back, never to act on.
    pub(crate) fn open_at_any_age<T: Sealable>(&self, text: &str) -> Result<T, NotOpened> {
        self.content(text, "").map(|content| content.v)
    }

    fn content<T: Sealable>(&self, text: &str, whole: &str) -> Result<Content<T>, NotOpened> {
        if text.len() > T::MAX_BYTES {
            return Err(NotOpened::Forged);
        }
        let mut envelope = BASE64URL.decode(text).map_err(|_| NotOpened::Forged)?;
        let (header, rest) = envelope.split_first_chunk_mut::<HEADER_LEN>().ok_or(NotOpened::Forged)?;
        let (nonce, ciphertext) = rest.split_first_chunk_mut::<NONCE_LEN>().ok_or(NotOpened::Forged)?;
        let generation =
            self.generations.iter().find(|generation| generation.header() == *header).ok_or(NotOpened::Forged)?;
        let plain = generation
            .key(T::PURPOSE)
            .ok_or(NotOpened::Forged)?
            .open_in_place(Nonce::from(&*nonce), self.associated(*header, T::PURPOSE, whole), ciphertext)
            .map_err(|_| NotOpened::Forged)?;
        read(plain)
    }

    fn associated(&self, header: [u8; HEADER_LEN], purpose: Purpose, whole: &str) -> Aad<Vec<u8>> {
        // No issuer has a NUL in it.
        let separator: &[u8] = if whole.is_empty() { b"" } else { b"\0" };
        let issuer = self.issuer.as_bytes();
        Aad::from([&header[..], purpose.label(), b"\0", issuer, separator, whole.as_bytes()].concat())
    }
}

#[cfg(fuzzing)]
fn fuzz_of<T: Sealable>(sealer: &Sealer, text: &str) -> Option<String> {
    assert!(sealer.open_at_any_age::<T>(text).is_err(), "nothing was sealed");
    let Content { i, e, v } = read::<T>(text.as_bytes()).ok()?;
    let sealed = match sealer.seal(&v, i, e) {
        Ok(sealed) => sealed,
        Err(NotSealed::TooLarge) => return None,
        Err(NotSealed::Failed) => panic!("what was read can be written"),
    };
    assert_eq!(sealer.sealed_bytes(&v, i, e), Ok(sealed.len()), "its length is known before");
    let opened: T = sealer.open_at_any_age(&sealed).expect("what was sealed opens");
    let json = |value: &T| serde_json::to_string(value).expect("what was read can be written");
    assert_eq!(json(&opened), json(&v));
    assert_eq!(sealer.open::<T>(&sealed, e).err(), Some(NotOpened::Expired));
    Some(sealed)
}

/// How long the sealed text is for this length of JSON.
pub(crate) fn sealed_from<T: Sealable>(json: usize) -> usize {
    ((BEFORE + json.next_multiple_of(T::BLOCK) + AES_256_GCM_SIV.tag_len()) * 4).div_ceil(3)
}

/// Derives the key of this label from a secret (RFC 5869).
pub(crate) fn derive(secret: &Secret, label: &[u8]) -> Option<[u8; 32]> {
    let prk: Prk = Salt::new(HKDF_SHA256, b"oauth-runtime 1").extract(secret.bytes());
    let mut key = [0; 32];
    prk.expand(&[label], Length32).ok()?.fill(&mut key).ok()?;
    Some(key)
}

#[derive(Serialize, Deserialize)]
struct Content<T> {
    i: Timestamp,
    e: Timestamp,
    v: T,
}

fn read<T: Sealable>(plain: &[u8]) -> Result<Content<T>, NotOpened> {
    // Checked for UTF-8 once, rather than string by string.
    let json = std::str::from_utf8(plain).map_err(|_| NotOpened::Forged)?;
    serde_json::from_str(json).map_err(|_| NotOpened::Forged)
}

/// The keys made from one secret: one for each purpose, in the order of the table.
struct Generation {
    id: [u8; 4],
    keys: Vec<LessSafeKey>,
}

impl Generation {
    fn new(secret: &Secret) -> Option<Self> {
        let key = |purpose: &Purpose| {
            let key = UnboundKey::new(&AES_256_GCM_SIV, &derive(secret, purpose.label())?).ok()?;
            Some(LessSafeKey::new(key))
        };
        let [a, b, c, d, ..] = derive(secret, b"key id")?;
        Some(Generation { id: [a, b, c, d], keys: Purpose::ALL.iter().map(key).collect::<Option<_>>()? })
    }

    fn header(&self) -> [u8; HEADER_LEN] {
        let [a, b, c, d] = self.id;
        [VERSION, a, b, c, d]
    }

    fn key(&self, purpose: Purpose) -> Option<&LessSafeKey> {
        self.keys.get(purpose as usize)
    }
}

struct Length32;

impl KeyType for Length32 {
    fn len(&self) -> usize {
        32
    }
}

const VERSION: u8 = 1;
const HEADER_LEN: usize = 5;
/// The bytes before the sealed content.
const BEFORE: usize = HEADER_LEN + NONCE_LEN;
const ORDINARY_BYTES: usize = 768;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_000);

    fn sealer(secret: &str, others: &[&str], issuer: &str) -> Sealer {
        let secrets = Secrets::new(Secret::from(secret), others.iter().map(|text| Secret::from(*text)));
        Sealer::new(&secrets, issuer).expect("keys derive from any secret")
    }

    fn code(padding: usize) -> AuthorizationCode {
        serde_json::from_value(serde_json::json!({
            "grant": "g", "client_id": "c", "redirect_uri": "x".repeat(padding), "scope": "a",
            "challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", "subject": "s", "claims": {}, "how": { "t": 1, "v": "AAAAAAAAAAA.1" }
        }))
        .expect("a code")
    }

    fn seal(sealer: &Sealer) -> String {
        sealer.seal(&code(10), NOW, NOW + Duration::from_secs(60)).expect("a small code")
    }

    #[test]
    fn what_is_sealed_opens_here_until_it_expires() {
        let here = sealer("secret", &[], "https://a.example");
        let text = seal(&here);
        assert_eq!(here.open::<AuthorizationCode>(&text, NOW).expect("opens").value.grant, "g");
        let later = NOW + Duration::from_secs(60);
        assert_eq!(here.open::<AuthorizationCode>(&text, later).expect_err("expired"), NotOpened::Expired);
        assert_ne!(text, seal(&here), "a nonce is drawn for each");
        let bytes = here.sealed_bytes(&code(10), NOW, NOW + Duration::from_secs(60));
        assert_eq!(bytes.expect("a small code"), text.len());
    }

    #[test]
    fn nothing_else_opens() {
        let here = sealer("secret", &[], "https://a.example");
        let text = seal(&here);
        let forged = |sealer: &Sealer, text: &str| sealer.open::<AuthorizationCode>(text, NOW).expect_err("forged");
        assert_eq!(forged(&sealer("other", &[], "https://a.example"), &text), NotOpened::Forged);
        assert_eq!(forged(&sealer("secret", &[], "https://b.example"), &text), NotOpened::Forged);
        assert_eq!(here.open::<SignInForm>(&text, NOW).expect_err("another purpose"), NotOpened::Forged);
        assert_eq!(here.open::<RefreshToken>(&text, NOW).expect_err("another purpose"), NotOpened::Forged);
        let bytes = BASE64URL.decode(&text).expect("base64url");
        for index in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[index] ^= 1;
            assert_eq!(forged(&here, &BASE64URL.encode(&changed)), NotOpened::Forged, "byte {index}");
            assert_eq!(forged(&here, &BASE64URL.encode(&bytes[..index])), NotOpened::Forged, "cut at {index}");
        }
    }

    /// Keys of two versions, or of two secrets with one name, must not stand in for each other.
    #[test]
    fn what_was_sealed_under_one_header_opens_under_no_other() {
        let (here, mut there) = (sealer("secret", &[], "i"), sealer("secret", &[], "i"));
        there.generations[0].id = here.generations[0].id.map(|byte| !byte);
        let mut bytes = BASE64URL.decode(seal(&here)).expect("base64url");
        bytes[..HEADER_LEN].copy_from_slice(&there.generations[0].header());
        let opened = there.open::<AuthorizationCode>(&BASE64URL.encode(bytes), NOW);
        assert_eq!(opened.expect_err("the same key, and another header"), NotOpened::Forged);
        assert!(there.open::<AuthorizationCode>(&seal(&there), NOW).is_ok());
    }

    #[test]
    fn c44_a_code_s_length_tells_little_of_the_claims_in_it() {
        let here = sealer("secret", &[], "https://a.example");
        let bytes =
            |padding| here.seal(&code(padding), NOW, NOW + Duration::from_secs(60)).expect("a small code").len();
        let lengths: std::collections::BTreeSet<usize> = (0..128).map(bytes).collect();
        assert!(lengths.len() <= 2, "{lengths:?}");
        for padding in 0..300 {
            let estimated =
                here.sealed_bytes(&code(padding), NOW, NOW + Duration::from_secs(60)).expect("a small code");
            assert_eq!(estimated, bytes(padding));
        }
    }

    #[test]
    fn a_previous_or_a_next_secret_opens_and_never_seals() {
        let old = sealer("old", &[], "i");
        let new = sealer("new", &["older", "old"], "i");
        assert!(new.open::<AuthorizationCode>(&seal(&old), NOW).is_ok());
        assert!(old.open::<AuthorizationCode>(&seal(&new), NOW).is_err());
        let twice = sealer("old", &["old"], "i");
        assert_eq!(twice.generations.len(), 1);
    }

    #[test]
    fn a_code_that_is_too_large_is_not_sealed() {
        let result = sealer("secret", &[], "i").seal(&code(2000), NOW, NOW);
        assert_eq!(result.expect_err("too large"), NotSealed::TooLarge);
        let result = sealer("secret", &[], "i").sealed_bytes(&code(2000), NOW, NOW);
        assert_eq!(result.expect_err("too large"), NotSealed::TooLarge);
    }
}
