//! `private_key_jwt`: a client authenticates with a signed statement (RFC 7523 §2.2, §3).

use std::time::Duration;

use serde_json::{Map, Value};

use crate::error::Reason;
use crate::keys::Jwt;
use crate::model::Timestamp;
use crate::model::client::RegisteredClient;
use crate::model::jwk::PublicKey;
use crate::model::lifetime::SLOWEST_ANSWER;
use crate::model::numeric_date::NumericDate;
use crate::server::Server;
use crate::standing::Spent;
use crate::store::{Key, Kind};

pub(super) const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// A client assertion, to be trusted only after [`Assertion::verify`].
pub(super) struct Assertion<'a> {
    jwt: Jwt<'a>,
    claims: Map<String, Value>,
}

impl<'a> Assertion<'a> {
    pub(super) fn parse(text: &'a str) -> Result<Self, Reason> {
        let reason =
            |why| if why == Reason::TokenSignature { Reason::AssertionSignature } else { Reason::AssertionMalformed };
        let jwt = Jwt::parse(text).map_err(reason)?;
        let claims = jwt.claims().map_err(reason)?;
        Ok(Assertion { jwt, claims })
    }

    /// The client that it names, by whose keys it must be verified.
    pub(super) fn subject(&self) -> Option<&str> {
        self.text("sub")
    }

    pub(super) async fn verify(
        &self,
        server: &Server,
        client: &RegisteredClient,
        keys: &[PublicKey],
    ) -> Result<(), Reason> {
        let header = &self.jwt.header;
        // RFC 8725 §3.11: not a JWT that was made for something else
        if header.typ.is_some() && !header.is_type("jwt") && !header.is_type("client-authentication+jwt") {
            return Err(Reason::AssertionMalformed);
        }
        // RFC 7523 §3, 9: signed by a key of the client, the one with its `kid` if both have one
        let kid = header.kid.as_deref();
        let is_named = |key: &&PublicKey| kid.is_none() || key.id().is_none() || key.id() == kid;
        let is_allowed = |key: &&PublicKey| server.assertion_algorithms().contains(&key.algorithm);
        let mut candidates = keys.iter().filter(is_named).filter(is_allowed);
        let signs = |key: &PublicKey| {
            self.jwt.verify(key.algorithm, |message, signature| key.verifies(message, signature)).is_ok()
        };
        if !candidates.any(signs) {
            return Err(Reason::AssertionSignature);
        }
        // RFC 7523 §3, 1 and 2: issuer and subject are both the client
        if self.text("iss") != Some(&client.client_id) || self.subject() != Some(&client.client_id) {
            return Err(Reason::AssertionMalformed);
        }
        // RFC 7523 §3, 3, as revised: only this issuer, so that no other server can pass it on
        let issuer = server.issuer().as_str();
        let is_for_us = match self.claims.get("aud") {
            Some(Value::String(audience)) => audience == issuer,
            Some(Value::Array(audiences)) => audiences.len() == 1 && audiences[0] == issuer,
            Some(_) | None => false,
        };
        if !is_for_us {
            return Err(Reason::AssertionAudience);
        }
        let now = server.now();
        // RFC 7523 §3, 4 and 6: it expires, and whatever it says, soon after it was issued
        let issued_at = self.moment("iat")?.ok_or(Reason::AssertionMalformed)?.down();
        let expires_at = self.moment("exp")?.ok_or(Reason::AssertionMalformed)?.down().min(issued_at + LONGEST);
        // RFC 7523 §3, 5: it is valid already
        let begins = self.moment("nbf")?.map_or(issued_at, NumericDate::up).max(issued_at);
        if expires_at <= now || begins > now + SKEW {
            return Err(Reason::AssertionExpired);
        }
        // RFC 7523 §3, 7: once. A store that forgot which were spent accepts none from before.
        let id = self.text("jti").filter(|id| (1..=256).contains(&id.len())).ok_or(Reason::AssertionMalformed)?;
        let key = Key::of(Kind::Assertion, &format!("{}\0{id}", client.id));
        // It may be dated this far ahead, and must not seem younger than a memory that was lost meanwhile.
        let made = Timestamp::from_seconds(issued_at.seconds().saturating_sub(SKEW.as_secs()));
        let keep = expires_at.since(now) + SKEW + SLOWEST_ANSWER;
        match server.ledger().spend_made_at(key, made, keep).await? {
            Spent::First => Ok(()),
            Spent::Already => Err(Reason::AssertionReplayed),
            Spent::Forgotten => Err(Reason::AssertionBeforeMemory),
        }
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.claims.get(name).and_then(Value::as_str)
    }

    /// A time, if present.
    fn moment(&self, name: &str) -> Result<Option<NumericDate>, Reason> {
        let read = |time| NumericDate::of(time).ok_or(Reason::AssertionMalformed);
        self.claims.get(name).map(read).transpose()
    }
}

/// How long ago an assertion may have been issued: it need not live longer than the request, and libraries that let it live for an
/// hour make another one for each.
const LONGEST: Duration = Duration::from_secs(300);
/// How far a client's clock may be ahead. A new store accepts no assertions at all for this long.
const SKEW: Duration = Duration::from_secs(10);
