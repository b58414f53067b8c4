//! An access token that was verified: its claims, each read once and to one place.

mod claim;
#[cfg(fuzzing)]
mod fuzz;
mod plain;
mod texts;

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _, MapAccess, Visitor};
use serde_json::{Map, Value, json};

use crate::error::Reason;
use crate::keys::jwt::Expected;
use crate::keys::sealed::{Opener, is_sealed, opened};
use crate::keys::verified::claim::Claim;
use crate::keys::verified::plain::{Members, NotPlain, Plain};
use crate::keys::verified::texts::KeptTexts;
use crate::model::as_of::AsOf;
use crate::model::claims::{SEALED, SEALED_GRANT};
use crate::model::numeric_date::NumericDate;
use crate::model::proof::Thumbprint;
use crate::model::sealed_claims::Hidden;
use crate::model::{Scope, Timestamp};
use crate::policy::{Beside, Claimed};
use crate::store::Key;

#[cfg(fuzzing)]
pub(crate) use fuzz::fuzz;
pub(crate) use texts::Texts;

/// A token that was verified.
#[derive(Debug)]
pub(crate) struct Verified {
    pub(crate) registered: Registered,
    /// All claims that `registered` does not have whole, as JSON: these are not all claims.
    pub(crate) others: Map<String, Value>,
    /// Which of them its client cannot read.
    pub(crate) hidden: Hidden,
    /// Whether it is not a token but a user in a browser, with a session.
    pub(crate) is_session: bool,
}

/// The registered claims of an access token (RFC 9068 §2.2).
#[derive(Clone, Debug)]
pub(crate) struct Registered {
    pub(crate) texts: KeptTexts,
    pub(crate) audience: Vec<String>,
    pub(crate) expires_at: Timestamp,
    pub(crate) issued_at: Timestamp,
    pub(crate) scope: Scope,
    /// When the user signed in, `auth_time`.
    pub(crate) signed_in_at: Option<Timestamp>,
    /// What the store had seen of the subject when the token was issued, `as_of`.
    pub(crate) as_of: Option<AsOf>,
    /// Whether its grant has refresh tokens, `renewable`: it then ends with them.
    pub(crate) is_renewable: bool,
    /// The key of the subject's record.
    pub(crate) key: Key,
    /// The key that the token is bound to, `cnf` (RFC 9449 §6.1): it is valid only with a proof of that key.
    pub(crate) bound_to: Option<Thumbprint>,
}

impl Registered {
    pub(crate) fn texts(&self) -> Texts<'_> {
        self.texts.get()
    }

    /// RFC 7519 §4.1.4: on or after the expiry
    pub(crate) fn is_expired(&self, expected: &Expected, now: Timestamp) -> bool {
        self.expires_at + expected.leeway <= now
    }
}

impl Beside for Registered {
    fn claim(&self, name: &str) -> Option<Value> {
        Some(match Name::of(name)? {
            Name::Issuer => json!(self.texts().issuer),
            Name::Subject => json!(self.texts().subject),
            Name::Audience => match self.audience.as_slice() {
                [one] => json!(one),
                several => json!(several),
            },
            Name::ExpiresAt => json!(self.expires_at),
            Name::IssuedAt => json!(self.issued_at),
            Name::Id => json!(self.texts().id),
            Name::ClientId => json!(self.texts().client_id),
            Name::Grant => json!(self.texts().grant?),
            Name::Session => json!(self.texts().session?),
            Name::SignedInAt => json!(self.signed_in_at?),
            Name::AsOf => json!(self.as_of?),
            Name::Renewable => self.is_renewable.then_some(Value::Bool(true))?,
        })
    }
}

impl Verified {
    /// The user of a session, with what a token of theirs would say about them.
    pub(crate) fn of_session(registered: Registered, claims: Map<String, Value>) -> Self {
        Verified { registered, others: claims, hidden: Hidden::Nothing, is_session: true }
    }

    /// What is said about the caller: for a session only its claims.
    pub(crate) fn claimed(&self) -> Claimed<'_> {
        let beside: Option<&dyn Beside> = if self.is_session { None } else { Some(&self.registered) };
        Claimed { claims: &self.others, beside }
    }

    /// All of that, as JSON.
    pub(crate) fn all_claims(&self) -> Map<String, Value> {
        let beside = Name::ALL.iter().filter(|_| !self.is_session).map(|name| name.as_str());
        let beside = beside.filter_map(|name| Some((name.to_owned(), self.registered.claim(name)?)));
        // A claim in both is whole only in the others.
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
        let read = Read::of_plain(payload).or_else(|NotPlain| serde_json::from_str(payload));
        let read = read.map_err(|_| Reason::TokenMalformed)?;
        if !read.has_rules || !is_sealed(&read.others) {
            return read.checked(expected, now);
        }
        let claims = serde_json::from_str(payload).map_err(|_| Reason::TokenMalformed)?;
        let (claims, hidden) = opened(claims, opener, now)?;
        Ok(Verified { hidden, ..Verified::parse(claims, expected, now)? })
    }

    /// The same, for claims that were read already.
    pub(crate) fn parse(claims: Map<String, Value>, expected: &Expected, now: Timestamp) -> Result<Self, Reason> {
        Read::deserialize(Value::Object(claims)).map_err(|_| Reason::TokenMalformed)?.checked(expected, now)
    }
}

/// Claims as they are read.
#[derive(Default)]
struct Read<'a> {
    issuer: Option<Cow<'a, str>>,
    subject: Option<Cow<'a, str>>,
    audience: Option<Vec<String>>,
    expires_at: Option<Timestamp>,
    issued_at: Option<Timestamp>,
    id: Option<Cow<'a, str>>,
    client_id: Option<Cow<'a, str>>,
    grant: Option<Cow<'a, str>>,
    session: Option<Cow<'a, str>>,
    signed_in_at: Option<Timestamp>,
    as_of: Option<AsOf>,
    is_renewable: bool,
    /// Claims of other names, and claims of these names with another type or that do not fit whole.
    others: Map<String, Value>,
    /// Whether any of those is [ruled](RULED): most tokens have none, and it need not be looked for.
    has_rules: bool,
    /// Which of these names occurred.
    seen: [bool; Name::ALL.len()],
}

/// Other claims to which rules apply.
const RULED: [&str; 5] = ["scope", "cnf", "nbf", SEALED, SEALED_GRANT];

/// A claim occurred twice.
struct Twice;

impl<'a> Read<'a> {
    fn checked(self, expected: &Expected, now: Timestamp) -> Result<Verified, Reason> {
        let Read { others, has_rules, .. } = self;
        let ruled = |name| if has_rules { others.get(name) } else { None };
        let texts = Texts {
            issuer: self.issuer.as_deref().ok_or(Reason::TokenMalformed)?,
            subject: self.subject.as_deref().ok_or(Reason::TokenMalformed)?,
            id: self.id.as_deref().ok_or(Reason::TokenMalformed)?,
            client_id: self.client_id.as_deref().ok_or(Reason::TokenMalformed)?,
            grant: self.grant.as_deref(),
            session: self.session.as_deref(),
        };
        let registered = Registered {
            texts: texts.kept(),
            audience: self.audience.ok_or(Reason::TokenMalformed)?,
            expires_at: self.expires_at.ok_or(Reason::TokenMalformed)?,
            issued_at: self.issued_at.ok_or(Reason::TokenMalformed)?,
            scope: match ruled("scope") {
                // Of any length, as it can be granted: only what a request asks for is bounded.
                Some(Value::String(scope)) => Scope::try_from(scope.clone()).map_err(|_| Reason::TokenMalformed)?,
                Some(_) => return Err(Reason::TokenMalformed),
                None => Scope::default(),
            },
            signed_in_at: self.signed_in_at,
            as_of: self.as_of,
            is_renewable: self.is_renewable,
            key: Key::of_subject(texts.subject),
            bound_to: ruled("cnf").map(bound_to).transpose()?,
        };
        if texts.issuer != expected.issuer {
            return Err(Reason::TokenIssuer);
        }
        expected.check_audience(&registered.audience)?;
        if registered.is_expired(expected, now) {
            return Err(Reason::TokenExpired);
        }
        if let Some(not_before) = ruled("nbf") {
            let not_before = NumericDate::of(not_before).map(NumericDate::up);
            if not_before.is_none_or(|not_before| not_before > now + expected.leeway) {
                return Err(Reason::TokenMalformed);
            }
        }
        Ok(Verified { registered, others, hidden: Hidden::Nothing, is_session: false })
    }

    /// The claims of a payload as this server writes it.
    fn of_plain(payload: &'a str) -> Result<Self, NotPlain> {
        let (mut read, mut members) = (Read::default(), Members::of(payload)?);
        while let Some((name, value)) = members.next()? {
            let value = match value {
                Plain::Text(text) => Claim::Text(text.into()),
                Plain::Number(number) => Claim::Number(number),
                Plain::Other(value) => Claim::of(value),
            };
            read.add(Named::of(name), value).map_err(|Twice| NotPlain)?;
        }
        Ok(read)
    }

    /// RFC 7519 §4: a name that comes twice could be read in two ways.
    fn add(&mut self, name: Named, claim: Claim<'a>) -> Result<(), Twice> {
        let is_there = match name {
            Named::Known(name) => {
                let is_there = std::mem::replace(&mut self.seen[name as usize], true);
                self.put(name, claim);
                is_there
            }
            Named::Other(name) => {
                self.has_rules |= RULED.contains(&name.as_str());
                self.others.insert(name, claim.into_json()).is_some()
            }
        };
        if is_there { Err(Twice) } else { Ok(()) }
    }

    /// Puts a claim into its place.
    fn put(&mut self, name: Name, claim: Claim<'a>) {
        let date = |at: &mut Option<Timestamp>, value: Value| {
            *at = NumericDate::of(&value).map(NumericDate::down);
            Claim::Other(value)
        };
        let moment = |seconds| Some(Timestamp::from_seconds(seconds));
        let other = match (name, claim) {
            (Name::Issuer, Claim::Text(text)) => return self.issuer = Some(text),
            (Name::Subject, Claim::Text(text)) => return self.subject = Some(text),
            (Name::Audience, Claim::Text(one)) => return self.audience = Some(vec![one.into_owned()]),
            (Name::Audience, Claim::Other(Value::Array(several))) => {
                let named = several.iter().filter_map(Value::as_str).map(str::to_owned);
                self.audience = Some(named.collect());
                Claim::Other(Value::Array(several))
            }
            (Name::ExpiresAt, Claim::Number(seconds)) => return self.expires_at = moment(seconds),
            (Name::IssuedAt, Claim::Number(seconds)) => return self.issued_at = moment(seconds),
            (Name::SignedInAt, Claim::Number(seconds)) => return self.signed_in_at = moment(seconds),
            // RFC 7519 §2: with a fraction, as another issuer may write it; whole it is among the others
            (Name::ExpiresAt, Claim::Other(value)) => date(&mut self.expires_at, value),
            (Name::IssuedAt, Claim::Other(value)) => date(&mut self.issued_at, value),
            (Name::SignedInAt, Claim::Other(value)) => date(&mut self.signed_in_at, value),
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

impl<'de> Deserialize<'de> for Read<'de> {
    fn deserialize<D: Deserializer<'de>>(claims: D) -> Result<Self, D::Error> {
        claims.deserialize_map(ReadClaims)
    }
}

struct ReadClaims;

impl<'de> Visitor<'de> for ReadClaims {
    type Value = Read<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("claims")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut claims: A) -> Result<Read<'de>, A::Error> {
        let mut read = Read::default();
        while let Some(name) = claims.next_key()? {
            read.add(name, claims.next_value()?).map_err(|Twice| A::Error::custom("a claim is there twice"))?;
        }
        Ok(read)
    }
}

crate::model::words! {
    /// The claims that are kept in fields of their own.
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

impl Named {
    fn of(name: &str) -> Self {
        Name::of(name).map_or_else(|| Named::Other(name.to_owned()), Named::Known)
    }
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
                Ok(Named::of(name))
            }
        }
        name.deserialize_str(ReadName)
    }
}

/// RFC 9449 §6.1. RFC 7800 §3.1: any other confirmation cannot be checked here.
fn bound_to(cnf: &Value) -> Result<Thumbprint, Reason> {
    let jkt = cnf.as_object().filter(|members| members.len() == 1).and_then(|members| members.get("jkt"));
    jkt.and_then(Value::as_str).and_then(|jkt| jkt.parse().ok()).ok_or(Reason::TokenBound)
}

#[cfg(test)]
mod tests;
