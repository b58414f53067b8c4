//! What a document says about its client (draft-ietf-oauth-client-id-metadata-document-02 §4, RFC 7591 §2).

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde_json::{Map, Value};

use crate::clients::documents::url::{DocumentUrl, Places};
use crate::model::credentials::Credentials;
use crate::model::document::Unfit;
use crate::model::jwk::{PublicKey, is_private};
use crate::model::name::one_line;
use crate::model::redirect_uri::{Besides, OF_ANSWERS, RedirectUri};

/// The parts of a document that are used. Others are not read: a logo, for example, would be loaded by the user's
/// browser.
#[derive(Debug)]
pub(super) struct Metadata {
    /// The client's own name.
    pub(super) name: Option<String>,
    pub(super) redirect_uris: Vec<RedirectUri>,
    /// `None`: a public client.
    pub(super) proof: Option<Proof>,
    /// Whether all its tokens must be bound to a key (RFC 9449 §5.2).
    pub(super) requires_proof: bool,
}

/// Where the keys for a client's assertions are.
#[derive(Debug)]
pub(super) enum Proof {
    Keys(Credentials),
    KeysAt(DocumentUrl),
}

impl Metadata {
    /// From the document at this URL.
    pub(super) fn parse(json: &[u8], url: &DocumentUrl, places: &Places, besides: Besides<'_>) -> Result<Self, Unfit> {
        let members = object(json)?;
        // §4: as simple strings
        if members.get("client_id").and_then(Value::as_str) != Some(url.as_str()) {
            return Err(Unfit::OtherClient);
        }
        // §4.1: there is no way to share a secret
        if ["client_secret", "client_secret_expires_at"].iter().any(|name| members.contains_key(*name)) {
            return Err(Unfit::HasSecret);
        }
        let name = members.get("client_name").and_then(Value::as_str);
        Ok(Metadata {
            name: name.and_then(|name| one_line(name, LONGEST_NAME)),
            redirect_uris: redirect_uris(&members, besides)?,
            proof: proof(&members, places)?,
            requires_proof: members.get("dpop_bound_access_tokens") == Some(&Value::Bool(true)),
        })
    }
}

/// The keys of a set: those that can verify an assertion.
pub(super) fn keys(set: &Value) -> Result<Credentials, Unfit> {
    let listed = set.get("keys").and_then(Value::as_array).ok_or(Unfit::NoKey)?;
    // §4.1: it shows that the client does not keep its keys secret
    if listed.iter().any(is_private) {
        return Err(Unfit::PrivateKey);
    }
    let keys: Vec<PublicKey> =
        listed.iter().take(MOST_KEYS).filter_map(|jwk| PublicKey::from_jwk(jwk.clone()).ok()).collect();
    if keys.is_empty() { Err(Unfit::NoKey) } else { Ok(Credentials { secrets: Vec::new(), keys }) }
}

/// A JSON object.
pub(super) fn object(json: &[u8]) -> Result<Map<String, Value>, Unfit> {
    let Members(members) = serde_json::from_slice(json).map_err(|_| Unfit::NotJson)?;
    members.ok_or(Unfit::MemberTwice)
}

/// RFC 9700 §4.1.3: complete URIs. Those that no client may have here are ignored.
fn redirect_uris(members: &Map<String, Value>, besides: Besides<'_>) -> Result<Vec<RedirectUri>, Unfit> {
    let listed = members.get("redirect_uris").and_then(Value::as_array).ok_or(Unfit::NoRedirectUri)?;
    if listed.len() > MOST_REDIRECT_URIS {
        return Err(Unfit::TooManyRedirectUris);
    }
    let texts: Vec<&str> = listed.iter().filter_map(Value::as_str).collect();
    if texts.iter().enumerate().any(|(index, text)| texts[..index].contains(text)) {
        return Err(Unfit::RedirectUriTwice);
    }
    let parsed = |text: &&str| RedirectUri::parse_leaving(&OF_ANSWERS, text, besides).ok();
    let uris: Vec<RedirectUri> = texts.iter().filter_map(parsed).collect();
    if uris.is_empty() { Err(Unfit::NoRedirectUri) } else { Ok(uris) }
}

fn proof(members: &Map<String, Value>, places: &Places) -> Result<Option<Proof>, Unfit> {
    match members.get("token_endpoint_auth_method").map(Value::as_str) {
        // the default in RFC 7591 §2 is a secret, which §4.1 rules out
        None | Some(Some("none")) => Ok(None),
        Some(Some("private_key_jwt")) => match (members.get("jwks"), members.get("jwks_uri")) {
            (Some(set), None) => keys(set).map(|keys| Some(Proof::Keys(keys))),
            (None, Some(Value::String(uri))) => Ok(Some(Proof::KeysAt(places.parse(uri)?))),
            // RFC 7591 §2: not both
            (Some(_), Some(_)) | (None, Some(_) | None) => Err(Unfit::NoKey),
        },
        Some(Some(_) | None) => Err(Unfit::Method),
    }
}

/// The members of an object; `None` if two have the same name, of which another reader might use the other.
struct Members(Option<Map<String, Value>>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Once;
        impl<'de> Visitor<'de> for Once {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Members, A::Error> {
                let (mut members, mut is_twice) = (Map::new(), false);
                while let Some((name, value)) = access.next_entry::<String, Value>()? {
                    is_twice |= members.insert(name, value).is_some();
                }
                Ok(Members((!is_twice).then_some(members)))
            }

            fn visit_seq<A>(self, _: A) -> Result<Members, A::Error>
            where
                A: serde::de::SeqAccess<'de>,
            {
                Err(A::Error::custom("a list"))
            }
        }
        deserializer.deserialize_map(Once)
    }
}

/// The longest name, in characters.
const LONGEST_NAME: usize = 64;
/// Editors list an address of each of their releases, and of each spelling of loopback.
const MOST_REDIRECT_URIS: usize = 20;
const MOST_KEYS: usize = 16;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::clients::documents::hosts::Hosts;

    const URL: &str = "https://app.example/client";

    fn parsed(json: &[u8]) -> Result<Metadata, Unfit> {
        let places =
            Places::new(Hosts::any(), &"https://notes.example".parse().expect("an issuer"), std::iter::empty());
        let schemes = ["cursor".to_owned()];
        let besides = Besides { schemes: &schemes, names_on_loopback: false };
        Metadata::parse(json, &URL.parse().expect(URL), &places, besides)
    }

    fn good() -> Value {
        json!({ "client_id": URL, "client_name": "An app", "redirect_uris": ["https://app.example/cb"] })
    }

    fn with(name: &str, value: Value) -> Result<Metadata, Unfit> {
        let mut document = good();
        document[name] = value;
        parsed(document.to_string().as_bytes())
    }

    fn key() -> Value {
        json!({ "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", "kid": "a" })
    }

    #[test]
    fn what_a_document_says_is_taken_as_far_as_it_is_known() {
        let metadata = parsed(good().to_string().as_bytes()).expect("a good document");
        assert_eq!(metadata.name.as_deref(), Some("An app"));
        assert!(metadata.proof.is_none());
        for (name, value) in [
            ("grant_types", json!(["authorization_code", "refresh_token"])),
            ("grant_types", json!("anything")),
            ("response_types", json!(["token"])),
            ("application_type", json!("native")),
            ("logo_uri", json!("javascript:alert(1)")),
            ("token_endpoint_auth_method", json!("none")),
            ("scope", json!("everything")),
            ("client_name", json!(7)),
        ] {
            assert!(with(name, value.clone()).is_ok(), "{name} {value}");
        }
        let name = |value: &str| with("client_name", json!(value)).expect(value).name;
        assert_eq!(name("Clau\u{202e}de\n\u{200b} for  you ").as_deref(), Some("Claude for you"));
        assert_eq!(name("\u{200b} ").as_deref(), None);
        assert_eq!(name(&"x".repeat(500)).expect("a name").len(), 64);
    }

    #[test]
    fn redirect_uris_that_no_client_may_have_are_left_out() {
        let listed = json!([
            "http://127.0.0.1/callback",
            "http://localhost/callback",
            "cursor://anysphere.cursor-mcp/oauth/callback",
            "com.example.app:/cb",
            "http://app.example/cb",
            "javascript:alert(1)",
            "vscodium://cb",
            "https://app.example/cb?code=1",
            "https://app.example/#a",
            7,
        ]);
        let uris = with("redirect_uris", listed).expect("four are good").redirect_uris;
        let uris: Vec<&str> = uris.iter().map(RedirectUri::as_str).collect();
        assert_eq!(
            uris,
            [
                "http://127.0.0.1/callback",
                "http://localhost/callback",
                "cursor://anysphere.cursor-mcp/oauth/callback",
                "com.example.app:/cb"
            ]
        );
        for (bad, why) in [
            (json!([]), Unfit::NoRedirectUri),
            (json!("https://app.example/cb"), Unfit::NoRedirectUri),
            (json!(null), Unfit::NoRedirectUri),
            (json!(["http://app.example/cb"]), Unfit::NoRedirectUri),
            (json!(["https://app.example/cb", "https://app.example/cb"]), Unfit::RedirectUriTwice),
            (
                json!((0..21).map(|it| format!("https://app.example/{it}")).collect::<Vec<_>>()),
                Unfit::TooManyRedirectUris,
            ),
        ] {
            assert_eq!(with("redirect_uris", bad.clone()).expect_err("none is good"), why, "{bad}");
        }
    }

    #[test]
    fn a_document_that_is_another_client_s_has_a_secret_or_is_no_object_is_refused() {
        for (name, value, why) in [
            ("client_id", json!("https://app.example/Client"), Unfit::OtherClient),
            ("client_id", json!("https://app.example/client/"), Unfit::OtherClient),
            ("client_id", json!("https://app.example:443/client"), Unfit::OtherClient),
            ("client_id", json!(null), Unfit::OtherClient),
            ("client_secret", json!("s3cret"), Unfit::HasSecret),
            ("client_secret", json!(null), Unfit::HasSecret),
            ("client_secret_expires_at", json!(0), Unfit::HasSecret),
            ("token_endpoint_auth_method", json!("client_secret_basic"), Unfit::Method),
            ("token_endpoint_auth_method", json!("client_secret_post"), Unfit::Method),
            ("token_endpoint_auth_method", json!("client_secret_jwt"), Unfit::Method),
            ("token_endpoint_auth_method", json!("tls_client_auth"), Unfit::Method),
            ("token_endpoint_auth_method", json!(null), Unfit::Method),
            ("token_endpoint_auth_method", json!("private_key_jwt"), Unfit::NoKey),
        ] {
            assert_eq!(with(name, value.clone()).expect_err("it is bad"), why, "{name} {value}");
        }
        let twice = format!(
            "{{\"client_id\":\"{URL}\",\"redirect_uris\":[\"https://a.example\"],\"redirect_uris\":[\"https://b.example\"]}}"
        );
        for (bad, why) in [
            (twice.as_str(), Unfit::MemberTwice),
            ("", Unfit::NotJson),
            ("[]", Unfit::NotJson),
            ("\"text\"", Unfit::NotJson),
            ("{", Unfit::NotJson),
            ("{} {}", Unfit::NotJson),
            ("<html>", Unfit::NotJson),
            ("\u{feff}{}", Unfit::NotJson),
        ] {
            assert_eq!(parsed(bad.as_bytes()).expect_err("it is bad"), why, "{bad}");
        }
        // Deeper than any document, in less than its 5 KiB.
        assert_eq!(parsed("[".repeat(5000).as_bytes()).expect_err("no object"), Unfit::NotJson);
        assert_eq!(parsed(format!("{{\"a\":{}", "[".repeat(5000)).as_bytes()).expect_err("too deep"), Unfit::NotJson);
    }

    #[test]
    fn keys_are_public_and_of_one_place() {
        let of = |jwks: Value, uri: Option<&str>| {
            let mut document = good();
            document["token_endpoint_auth_method"] = json!("private_key_jwt");
            document["jwks"] = jwks;
            if let Some(uri) = uri {
                document["jwks_uri"] = json!(uri);
            }
            parsed(document.to_string().as_bytes()).map(|metadata| metadata.proof)
        };
        let other = json!({ "kty": "EC", "crv": "P-521", "x": "a", "y": "b" });
        assert!(
            matches!(of(json!({ "keys": [other, key()] }), None), Ok(Some(Proof::Keys(Credentials { keys, .. }))) if keys.len() == 1)
        );
        let many = of(json!({ "keys": vec![key(); MOST_KEYS + 1] }), None);
        assert!(
            matches!(many, Ok(Some(Proof::Keys(Credentials { keys, .. }))) if keys.len() == MOST_KEYS),
            "each one may have to be tried"
        );
        let mut private = key();
        private["d"] = json!("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A");
        for (bad, why) in [
            (json!({ "keys": [key(), private] }), Unfit::PrivateKey),
            (json!({ "keys": [{ "kty": "oct", "k": "AAAA" }] }), Unfit::PrivateKey),
            (json!({ "keys": [] }), Unfit::NoKey),
            (json!({ "keys": [other] }), Unfit::NoKey),
            (json!({}), Unfit::NoKey),
            (key(), Unfit::NoKey),
            (json!(null), Unfit::NoKey),
        ] {
            assert_eq!(of(bad.clone(), None).expect_err("no key"), why, "{bad}");
        }
        assert_eq!(of(json!({ "keys": [key()] }), Some("https://app.example/keys")).expect_err("both"), Unfit::NoKey);
        let at = |uri: &str| {
            let mut document = good();
            document["token_endpoint_auth_method"] = json!("private_key_jwt");
            document["jwks_uri"] = json!(uri);
            parsed(document.to_string().as_bytes()).map(|metadata| metadata.proof)
        };
        assert!(matches!(at("https://keys.example/set"), Ok(Some(Proof::KeysAt(_)))));
        assert_eq!(at("http://keys.example/set").expect_err("plain http"), Unfit::Url);
        assert_eq!(at("https://127.0.0.1/set").expect_err("loopback"), Unfit::Host);
        assert_eq!(at("https://notes.example/jwks").expect_err("the service's own"), Unfit::Host);
    }
}
