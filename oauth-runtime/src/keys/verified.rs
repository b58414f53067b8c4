//! An access token that was verified: its claims, each read once and to one place.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _, MapAccess, SeqAccess, Visitor, value};
use serde_json::{Map, Value, json};

use crate::error::Reason;
use crate::keys::jwt::Expected;
use crate::keys::sealed::{Opener, is_sealed, opened};
use crate::model::as_of::AsOf;
use crate::model::proof::Thumbprint;
use crate::model::sealed_claims::Hidden;
use crate::model::{Scope, Timestamp};
use crate::policy::{Beside, Claimed};
use crate::store::{Key, Kind};

/// A token that was verified.
#[derive(Debug)]
pub(crate) struct Verified {
    pub(crate) registered: Registered,
    /// All claims that `registered` does not have whole, as JSON: not to be taken for all.
    pub(crate) others: Map<String, Value>,
    /// What of them its client cannot read.
    pub(crate) hidden: Hidden,
    /// Whether it is no token: a user in a browser, by the session.
    pub(crate) is_session: bool,
}

/// The registered claims of an access token (RFC 9068 §2.2).
#[derive(Clone, Debug)]
pub(crate) struct Registered {
    pub(crate) issuer: String,
    pub(crate) subject: String,
    pub(crate) audience: Vec<String>,
    pub(crate) expires_at: Timestamp,
    pub(crate) issued_at: Timestamp,
    pub(crate) id: String,
    pub(crate) client_id: String,
    pub(crate) scope: Scope,
    /// The grant that the token was issued from.
    pub(crate) grant: Option<String>,
    /// The session that the grant was made in.
    pub(crate) session: Option<String>,
    /// When the user signed in, `auth_time`.
    pub(crate) signed_in_at: Option<Timestamp>,
    /// What the store had seen of the subject when the token was issued, `as_of`.
    pub(crate) as_of: Option<AsOf>,
    /// Whether its grant has refresh tokens, `renewable`: it then ends with them.
    pub(crate) is_renewable: bool,
    /// Of the subject's record.
    pub(crate) key: Key,
    /// The key that the token is bound to, `cnf` (RFC 9449 §6.1): it is good with a proof of that alone.
    pub(crate) bound_to: Option<Thumbprint>,
}

impl Registered {
    /// RFC 7519 §4.1.4: on or after the expiry
    pub(crate) fn is_expired(&self, expected: &Expected, now: Timestamp) -> bool {
        self.expires_at + expected.leeway <= now
    }
}

impl Beside for Registered {
    fn claim(&self, name: &str) -> Option<Value> {
        Some(match Name::of(name)? {
            Name::Issuer => json!(self.issuer),
            Name::Subject => json!(self.subject),
            Name::Audience => match self.audience.as_slice() {
                [one] => json!(one),
                several => json!(several),
            },
            Name::ExpiresAt => json!(self.expires_at),
            Name::IssuedAt => json!(self.issued_at),
            Name::Id => json!(self.id),
            Name::ClientId => json!(self.client_id),
            Name::Grant => json!(self.grant.as_ref()?),
            Name::Session => json!(self.session.as_ref()?),
            Name::SignedInAt => json!(self.signed_in_at?),
            Name::AsOf => json!(self.as_of?),
            Name::Renewable => self.is_renewable.then_some(Value::Bool(true))?,
        })
    }
}

impl Verified {
    /// The user of a session, with what a token of theirs would say of them.
    pub(crate) fn of_session(registered: Registered, claims: Map<String, Value>) -> Self {
        Verified { registered, others: claims, hidden: Hidden::Nothing, is_session: true }
    }

    /// What is said of the caller: of a session not more than its claims.
    pub(crate) fn claimed(&self) -> Claimed<'_> {
        let beside: Option<&dyn Beside> = if self.is_session { None } else { Some(&self.registered) };
        Claimed { claims: &self.others, beside }
    }

    /// All of that, as JSON.
    pub(crate) fn all_claims(&self) -> Map<String, Value> {
        let beside = Name::ALL.iter().filter(|_| !self.is_session).map(|name| name.as_str());
        let beside = beside.filter_map(|name| Some((name.to_owned(), self.registered.claim(name)?)));
        // What is there in both is whole in the others alone.
        beside.chain(self.others.clone()).collect()
    }

    /// With this scope and this audience.
    pub(crate) fn cut(mut self, scope: Scope, audience: Vec<String>, expected: &Expected) -> Result<Self, Reason> {
        expected.check_audience(&audience)?;
        if scope != self.registered.scope {
            if scope.is_empty() {
                self.others.remove("scope");
            } else {
                self.others.insert("scope".to_owned(), json!(scope));
            }
            self.registered.scope = scope;
        }
        if audience != self.registered.audience {
            self.others.remove("aud");
            self.registered.audience = audience;
        }
        Ok(self)
    }

    /// Reads the payload of a token of our own, whose signature was verified.
    pub(crate) fn read(payload: &str, opener: &Opener, expected: &Expected, now: Timestamp) -> Result<Self, Reason> {
        let read: Read = serde_json::from_str(payload).map_err(|_| Reason::TokenMalformed)?;
        if !is_sealed(&read.others) {
            return read.checked(expected, now);
        }
        let claims = serde_json::from_str(payload).map_err(|_| Reason::TokenMalformed)?;
        let (claims, hidden) = opened(claims, opener, now)?;
        Ok(Verified { hidden, ..Verified::parse(claims, expected, now)? })
    }

    /// The same, of claims that were read already.
    pub(crate) fn parse(claims: Map<String, Value>, expected: &Expected, now: Timestamp) -> Result<Self, Reason> {
        Read::deserialize(Value::Object(claims)).map_err(|_| Reason::TokenMalformed)?.checked(expected, now)
    }
}

/// Claims as they are read.
#[derive(Default)]
struct Read {
    issuer: Option<String>,
    subject: Option<String>,
    audience: Option<Vec<String>>,
    expires_at: Option<Timestamp>,
    issued_at: Option<Timestamp>,
    id: Option<String>,
    client_id: Option<String>,
    grant: Option<String>,
    session: Option<String>,
    signed_in_at: Option<Timestamp>,
    as_of: Option<AsOf>,
    is_renewable: bool,
    /// Those of other names, and those of these names that are of another type or do not fit whole.
    others: Map<String, Value>,
}

impl Read {
    fn checked(self, expected: &Expected, now: Timestamp) -> Result<Verified, Reason> {
        let Read { others, .. } = self;
        let subject = self.subject.ok_or(Reason::TokenMalformed)?;
        let registered = Registered {
            issuer: self.issuer.ok_or(Reason::TokenMalformed)?,
            audience: self.audience.ok_or(Reason::TokenMalformed)?,
            expires_at: self.expires_at.ok_or(Reason::TokenMalformed)?,
            issued_at: self.issued_at.ok_or(Reason::TokenMalformed)?,
            id: self.id.ok_or(Reason::TokenMalformed)?,
            client_id: self.client_id.ok_or(Reason::TokenMalformed)?,
            scope: match others.get("scope") {
                Some(Value::String(scope)) => scope.parse().map_err(|_| Reason::TokenMalformed)?,
                Some(_) => return Err(Reason::TokenMalformed),
                None => Scope::default(),
            },
            grant: self.grant,
            session: self.session,
            signed_in_at: self.signed_in_at,
            as_of: self.as_of,
            is_renewable: self.is_renewable,
            key: Key::of(Kind::Subject, &subject),
            bound_to: others.get("cnf").map(bound_to).transpose()?,
            subject,
        };
        if registered.issuer != expected.issuer {
            return Err(Reason::TokenIssuer);
        }
        expected.check_audience(&registered.audience)?;
        if registered.is_expired(expected, now) {
            return Err(Reason::TokenExpired);
        }
        if let Some(not_before) = others.get("nbf") {
            let not_before = not_before.as_u64().map(Timestamp::from_seconds);
            if not_before.is_none_or(|not_before| not_before > now + expected.leeway) {
                return Err(Reason::TokenMalformed);
            }
        }
        Ok(Verified { registered, others, hidden: Hidden::Nothing, is_session: false })
    }

    /// Puts a claim to its place.
    fn put(&mut self, name: Name, claim: Claim) {
        let moment = |seconds| Some(Timestamp::from_seconds(seconds));
        let other = match (name, claim) {
            (Name::Issuer, Claim::Text(text)) => return self.issuer = Some(text),
            (Name::Subject, Claim::Text(text)) => return self.subject = Some(text),
            (Name::Audience, Claim::Text(one)) => return self.audience = Some(vec![one]),
            (Name::Audience, Claim::Other(Value::Array(several))) => {
                let named = several.iter().filter_map(Value::as_str).map(str::to_owned);
                self.audience = Some(named.collect());
                Claim::Other(Value::Array(several))
            }
            (Name::ExpiresAt, Claim::Number(seconds)) => return self.expires_at = moment(seconds),
            (Name::IssuedAt, Claim::Number(seconds)) => return self.issued_at = moment(seconds),
            (Name::SignedInAt, Claim::Number(seconds)) => return self.signed_in_at = moment(seconds),
            (Name::Id, Claim::Text(text)) => return self.id = Some(text),
            (Name::ClientId, Claim::Text(text)) => return self.client_id = Some(text),
            (Name::Grant, Claim::Text(text)) => return self.grant = Some(text),
            (Name::Session, Claim::Text(text)) => return self.session = Some(text),
            (Name::AsOf, Claim::Text(text)) => match text.parse() {
                Ok(as_of) => return self.as_of = Some(as_of),
                Err(_) => Claim::Text(text),
            },
            (Name::Renewable, Claim::Other(Value::Bool(true))) => return self.is_renewable = true,
            (Name::Renewable, other) => {
                self.is_renewable = true;
                other
            }
            (_, other) => other,
        };
        self.others.insert(name.as_str().to_owned(), other.into_json());
    }
}

impl<'de> Deserialize<'de> for Read {
    fn deserialize<D: Deserializer<'de>>(claims: D) -> Result<Self, D::Error> {
        claims.deserialize_map(ReadClaims)
    }
}

struct ReadClaims;

impl<'de> Visitor<'de> for ReadClaims {
    type Value = Read;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("claims")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut claims: A) -> Result<Read, A::Error> {
        let mut read = Read::default();
        // RFC 7519 §4: a name that comes twice could be read in two ways
        let twice = || A::Error::custom("a claim is there twice");
        let mut seen = [false; Name::ALL.len()];
        while let Some(name) = claims.next_key()? {
            match name {
                Named::Known(name) => {
                    if std::mem::replace(&mut seen[name as usize], true) {
                        return Err(twice());
                    }
                    read.put(name, claims.next_value()?);
                }
                Named::Other(name) => {
                    if read.others.insert(name, claims.next_value()?).is_some() {
                        return Err(twice());
                    }
                }
            }
        }
        Ok(read)
    }
}

crate::model::words! {
    /// The claims that are kept as what they are.
    #[derive(Clone, Copy, PartialEq, Eq)]
    enum Name {
        Issuer = "iss",
        Subject = "sub",
        Audience = "aud",
        ExpiresAt = "exp",
        IssuedAt = "iat",
        Id = "jti",
        ClientId = "client_id",
        Grant = "gid",
        Session = "sid",
        SignedInAt = "auth_time",
        AsOf = "as_of",
        Renewable = "renewable",
    }
}

impl Name {
    fn of(name: &str) -> Option<Name> {
        Name::ALL.iter().copied().find(|known| known.as_str() == name)
    }
}

enum Named {
    Known(Name),
    Other(String),
}

impl<'de> Deserialize<'de> for Named {
    fn deserialize<D: Deserializer<'de>>(name: D) -> Result<Self, D::Error> {
        struct ReadName;
        impl Visitor<'_> for ReadName {
            type Value = Named;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of a claim")
            }

            fn visit_str<E>(self, name: &str) -> Result<Named, E> {
                Ok(Name::of(name).map_or_else(|| Named::Other(name.to_owned()), Named::Known))
            }
        }
        name.deserialize_str(ReadName)
    }
}

/// A claim's value.
enum Claim {
    Text(String),
    Number(u64),
    Other(Value),
}

impl Claim {
    fn of(value: Value) -> Self {
        match value {
            Value::String(text) => Claim::Text(text),
            other => other.as_u64().map_or(Claim::Other(other), Claim::Number),
        }
    }

    fn into_json(self) -> Value {
        match self {
            Claim::Text(text) => Value::String(text),
            Claim::Number(number) => json!(number),
            Claim::Other(other) => other,
        }
    }
}

impl<'de> Deserialize<'de> for Claim {
    fn deserialize<D: Deserializer<'de>>(claim: D) -> Result<Self, D::Error> {
        struct ReadClaim;
        impl<'de> Visitor<'de> for ReadClaim {
            type Value = Claim;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("JSON")
            }

            fn visit_str<E>(self, text: &str) -> Result<Claim, E> {
                Ok(Claim::Text(text.to_owned()))
            }

            fn visit_string<E>(self, text: String) -> Result<Claim, E> {
                Ok(Claim::Text(text))
            }

            fn visit_u64<E>(self, number: u64) -> Result<Claim, E> {
                Ok(Claim::Number(number))
            }

            fn visit_i64<E>(self, number: i64) -> Result<Claim, E> {
                Ok(Claim::of(json!(number)))
            }

            fn visit_f64<E>(self, number: f64) -> Result<Claim, E> {
                Ok(Claim::Other(json!(number)))
            }

            fn visit_bool<E>(self, is: bool) -> Result<Claim, E> {
                Ok(Claim::Other(Value::Bool(is)))
            }

            fn visit_unit<E>(self) -> Result<Claim, E> {
                Ok(Claim::Other(Value::Null))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<Claim, A::Error> {
                Value::deserialize(value::SeqAccessDeserializer::new(items)).map(Claim::Other)
            }

            fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Claim, A::Error> {
                // A number, where serde_json keeps those of any precision, comes as a map.
                Value::deserialize(value::MapAccessDeserializer::new(members)).map(Claim::of)
            }
        }
        claim.deserialize_any(ReadClaim)
    }
}

/// RFC 9449 §6.1. RFC 7800 §3.1: what confirms it otherwise, or as well, cannot be checked here.
fn bound_to(cnf: &Value) -> Result<Thumbprint, Reason> {
    let jkt = cnf.as_object().filter(|members| members.len() == 1).and_then(|members| members.get("jkt"));
    jkt.and_then(Value::as_str).and_then(|jkt| jkt.parse().ok()).ok_or(Reason::TokenBound)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::model::secret::{Secret, Secrets};
    use crate::seal::Sealer;

    const NOW: Timestamp = Timestamp::from_seconds(1_000);
    const ISSUER: &str = "https://a.example";

    fn read(payload: &str) -> Result<Verified, Reason> {
        let sealer = Sealer::new(&Secrets::new(Secret::from("secret"), []), ISSUER).expect("keys derive");
        Verified::read(payload, &Opener::new(&Arc::new(sealer)), &Expected::own(ISSUER, ISSUER), NOW)
    }

    fn claims(change: Value) -> Map<String, Value> {
        let mut claims = json!({
            "iss": ISSUER, "aud": ISSUER, "sub": "alice", "client_id": "spa", "iat": 900, "exp": 1100, "jti": "1",
            "as_of": "AAAAAAAAAAc.7", "gid": "g", "sid": "s", "auth_time": 800, "renewable": true, "scope": "a b",
            "acr": "mfa", "amr": ["pwd"], "role": "admin", "deep": { "role": ["admin"] }
        });
        for (name, value) in change.as_object().expect("an object") {
            claims[name] = value.clone();
        }
        claims.as_object().expect("an object").clone()
    }

    #[test]
    fn every_claim_is_what_the_token_says_whatever_its_type() {
        for change in [
            json!({}),
            json!({ "aud": [ISSUER] }),
            json!({ "aud": ["https://b.example", 7, ISSUER] }),
            json!({ "gid": 7, "sid": null, "auth_time": "long ago", "as_of": "x", "renewable": { "no": false } }),
            json!({ "gid": ["g"], "sid": 1.5, "auth_time": -1, "as_of": 7, "renewable": false }),
        ] {
            let claims = claims(change);
            for verified in [
                read(&Value::from(claims.clone()).to_string()).expect("good"),
                Verified::parse(claims.clone(), &Expected::own(ISSUER, ISSUER), NOW).expect("good"),
            ] {
                for (name, value) in &claims {
                    assert_eq!(verified.claimed().get(&[name]).as_deref(), Some(value), "{name}");
                }
                assert_eq!(verified.all_claims(), claims);
                assert_eq!(verified.claimed().get(&["deep", "role"]).as_deref(), Some(&json!(["admin"])));
                for absent in [&["nbf"] as &[_], &["sub", "role"], &["deep", "other"], &[]] {
                    assert_eq!(verified.claimed().get(absent), None, "{absent:?}");
                }
                // It is there, and so the grant has refresh tokens, which end it.
                assert!(verified.registered.is_renewable);
            }
        }
    }

    #[test]
    fn what_is_cut_is_cut_for_policies_as_well() {
        let of_two = claims(json!({ "aud": [ISSUER, "https://b.example"] }));
        for claims in [claims(json!({})), of_two] {
            let verified = read(&Value::from(claims).to_string()).expect("good");
            let expected = Expected::own(ISSUER, ISSUER);
            let cut = verified.cut("a".parse().expect("a scope"), vec![ISSUER.to_owned()], &expected).expect("for it");
            assert_eq!(cut.claimed().get(&["scope"]).as_deref(), Some(&json!("a")));
            assert_eq!(cut.claimed().get(&["aud"]).as_deref(), Some(&json!(ISSUER)));
            let cut = cut.cut(Scope::default(), vec![ISSUER.to_owned()], &expected).expect("for it");
            assert_eq!(cut.claimed().get(&["scope"]), None);
        }
    }

    #[test]
    fn a_claim_that_comes_twice_is_refused_and_so_is_what_is_no_object() {
        let good = Value::from(claims(json!({}))).to_string();
        let with = |more: &str| format!("{},{more}}}", good.strip_suffix('}').expect("an object"));
        assert!(read(&with(r#""other":1"#)).is_ok(), "the control");
        for twice in [r#""sub":"bob""#, r#""exp":9999"#, r#""exp":"x""#, r#""role":"admin""#, r#""\u0073ub":"bob""#] {
            assert_eq!(read(&with(twice)).err(), Some(Reason::TokenMalformed), "{twice}");
        }
        for other in ["", "[]", "7", "null", "{", &format!("{good}{good}"), &format!("{good}x")] {
            assert_eq!(read(other).err(), Some(Reason::TokenMalformed), "{other}");
        }
    }
}
