//! The access token, and its answer (RFC 6749 §5.1, RFC 9068).

use serde_json::{Map, Value, json};

use crate::client_auth::proof;
use crate::endpoints::token::id_token::IdToken;
use crate::endpoints::token::payload::{Claims, Payload, Said};
use crate::error::Reason;
use crate::event::Fact;
use crate::keys::sealed::{SESSION, sealed};
use crate::keys::{self, Proof};
use crate::model::as_of::{AsOf, Incarnation};
use crate::model::bytes::push_json;
use crate::model::claims::{OF_GRANT, OPENID, SEALED, SEALED_GRANT, UnusableClaims};
use crate::model::client::RegisteredClient;
use crate::model::id::random_id;
use crate::model::length::{json_bytes, most_of_json, most_of_text};
use crate::model::session::Authentication;
use crate::model::{Scope, Timestamp};
use crate::seal::NotSealed;
use crate::server::Server;
use crate::server::granting::Granted;

/// RFC 6749 §5.1
pub(crate) struct Issued {
    pub(crate) access_token: String,
    pub(crate) token_type: &'static str,
    /// Seconds.
    pub(crate) expires_in: u64,
    pub(crate) refresh_token: Option<String>,
    pub(crate) id_token: Option<String>,
    /// Always included, so that a client need not guess, unless nothing was granted, since the syntax of RFC 6749 §3.3
    /// has no empty scope.
    pub(crate) scope: Scope,
}

impl Issued {
    pub(crate) fn json(&self) -> Result<Vec<u8>, Reason> {
        let others = self.refresh_token.iter().chain(&self.id_token).map(String::len).sum::<usize>();
        let mut json = Vec::with_capacity(self.access_token.len() + others + ORDINARY_BYTES);
        self.write(&mut json).map_err(|_| Reason::Internal)?;
        Ok(json)
    }

    /// By hand, since tokens are long and need no escape.
    fn write(&self, json: &mut Vec<u8>) -> serde_json::Result<()> {
        json.extend_from_slice(b"{\"access_token\":");
        push_json(json, &self.access_token)?;
        json.extend_from_slice(b",\"token_type\":");
        push_json(json, self.token_type)?;
        json.extend_from_slice(format!(",\"expires_in\":{}", self.expires_in).as_bytes());
        let scope = (!self.scope.is_empty()).then(|| self.scope.to_string());
        let others =
            [(",\"refresh_token\":", &self.refresh_token), (",\"id_token\":", &self.id_token), (",\"scope\":", &scope)];
        for (name, text) in others {
            if let Some(text) = text {
                json.extend_from_slice(name.as_bytes());
                push_json(json, text)?;
            }
        }
        json.push(b'}');
        Ok(())
    }
}

/// The content of an access token (RFC 9068 §2.2).
pub(crate) struct Access<'a> {
    /// The event when it is issued.
    pub(crate) told: Fact<'a>,
    pub(crate) grant: &'a str,
    pub(crate) client: &'a RegisteredClient,
    /// Proves the client's key, to which the token is bound. It is spent once everything else is valid.
    pub(crate) proof: Option<&'a Proof>,
    pub(crate) subject: &'a str,
    pub(crate) granted: Granted,
    /// `None` for a client in its own name.
    pub(crate) authentication: Option<&'a Authentication>,
    /// Whether its grant has refresh tokens, with which it ends.
    pub(crate) is_renewable: bool,
    pub(crate) claims: Map<String, Value>,
    /// From the authorization request, for the ID token.
    pub(crate) nonce: Option<String>,
    /// Claims that the client asked for in it.
    pub(crate) in_id_token: &'a [String],
}

/// An access token that can be issued: everything was checked before anything is spent for it.
pub(crate) struct Issuable<'a> {
    access: Access<'a>,
    /// The id of the token.
    id: String,
}

/// When a token is issued, and by which step of the store.
#[derive(Clone, Copy)]
pub(crate) struct IssuedBy {
    /// What the store had seen of the subject in the step that allows it.
    pub(crate) as_of: AsOf,
    pub(crate) at: Timestamp,
}

impl<'a> Access<'a> {
    /// Checks whether it can be issued.
    pub(crate) async fn checked(self, server: &Server) -> Result<Issuable<'a>, Reason> {
        // RFC 8707 §3: another party's server could use the token at the others; §2.2: then the request has to choose
        if !server.may_share_a_token(self.granted.resources()) {
            return Err(Reason::TargetsApart);
        }
        if self.proof.is_none() && server.needs_proof(self.granted.resources()) {
            return Err(Reason::ProofMissing);
        }
        // RFC 9700 §4.15.1: a client may have been registered since the sign-in
        if self.authentication.is_some() && server.clients().has_named(self.subject).await? {
            tracing::error!(target: "oauth", client = self.client.id, "a user's `sub` is the id of a client: {}", UnusableClaims::SubjectIsClient);
            return Err(Reason::ClaimsUnusable);
        }
        let id = random_id();
        self.check_length(server, &id)?;
        // If there is no key to sign with, there will be one soon: the client may try again.
        server.keys().signs_with().ok_or(Reason::Internal)?;
        if self.client.id_token_algorithm.is_some_and(|asked| !server.keys().algorithms().contains(&asked)) {
            tracing::error!(
                target: "oauth",
                client = self.client.id,
                "no key signs with the algorithm of the client's ID tokens any more: promote one"
            );
            return Err(Reason::Internal);
        }
        if let Some(proof) = self.proof {
            proof::spend(server, proof).await?;
        }
        Ok(Issuable { access: self, id })
    }
}

impl Access<'_> {
    /// Checks that the token is not longer than guards accept.
    fn check_length(&self, server: &Server, id: &str) -> Result<(), Reason> {
        let signature = server.keys().algorithm().most_bytes();
        let fits = |claims: usize| (claims.div_ceil(3) + signature.div_ceil(3)) * 4 + HEADER <= keys::MAX_BYTES;
        // No real value is longer.
        let as_of = AsOf { incarnation: Incarnation::from_bits(0), sequence: u64::MAX };
        let measured = || {
            let claims = self.claims(server, id, IssuedBy { as_of, at: server.now() })?;
            json_bytes(&claims).ok_or(Reason::Internal)
        };
        // Most are short even by the estimate: only the others are measured.
        if let Some(most) = self.most_bytes(server).filter(|most| fits(*most)) {
            debug_assert!(measured().is_ok_and(|claims| claims <= most), "no longer than estimated");
            return Ok(());
        }
        if fits(measured()?) {
            return Ok(());
        }
        tracing::error!(target: "oauth", client = self.client.id, "the claims make the token longer than any guard accepts");
        Err(Reason::ClaimsUnusable)
    }

    /// At least as many bytes as its claims have as JSON; `None` if some are sealed.
    fn most_bytes(&self, server: &Server) -> Option<usize> {
        if self.client.seals {
            return None;
        }
        let custom = self.claims.iter().map(|(name, value)| most_of_text(name) + most_of_json(value) + 2);
        let resources = self.granted.resources().iter().chain([server.audience()]);
        let how = self.authentication.into_iter().flat_map(|how| how.amr.iter().chain(&how.acr).chain(&how.session));
        let texts = [server.issuer().as_str(), self.subject, &self.client.id, self.grant];
        let texts =
            texts.into_iter().chain(resources).chain(self.granted.scope().iter()).chain(how.map(String::as_str));
        Some(OF_THE_PROTOCOL + custom.sum::<usize>() + texts.map(|text| most_of_text(text) + 1).sum::<usize>())
    }
}

impl Issuable<'_> {
    /// Whether an ID token comes with it.
    pub(super) fn is_openid(&self) -> bool {
        self.access.granted.scope().contains(OPENID)
    }

    /// Signs it.
    pub(crate) fn issue(
        self,
        server: &Server,
        issued: IssuedBy,
        refresh_token: Option<String>,
    ) -> Result<Issued, Reason> {
        let Issuable { access, id } = self;
        let access_token = server.sign(&access.claims(server, &id, issued)?).ok_or(Reason::Internal)?;
        let id_token = match access.authentication.filter(|_| access.granted.scope().contains(OPENID)) {
            Some(authentication) => Some(access.id_token(server, authentication, issued.at, &access_token)?),
            None => None,
        };
        server.tell(access.told.subject(access.subject).client(&access.client.id).grant(access.grant));
        Ok(Issued {
            access_token,
            // RFC 9449 §5
            token_type: if access.proof.is_some() { "DPoP" } else { "Bearer" },
            expires_in: server.access_token_lifetime().as_secs(),
            refresh_token,
            id_token,
            scope: access.granted.scope().clone(),
        })
    }
}

impl Access<'_> {
    /// The claims of the token, with the user's among them.
    fn claims<'s>(&'s self, server: &'s Server, id: &'s str, issued: IssuedBy) -> Result<Claims<'s>, Reason> {
        let Access { granted, .. } = self;
        let expires_at = issued.at + server.access_token_lifetime();
        let scope = granted.scope();
        let protocol = [
            ("iss", Some(server.issuer().as_str().into())),
            ("aud", Some(granted.resources().audience(server.audience()).into())),
            ("sub", Some(self.subject.into())),
            ("client_id", Some(self.client.id.as_str().into())),
            ("iat", Some(Said::Number(issued.at.seconds()))),
            ("exp", Some(Said::Number(expires_at.seconds()))),
            ("jti", Some(id.into())),
            ("gid", Some(self.grant.into())),
            ("as_of", Some(issued.as_of.to_string().into())),
            // RFC 9449 §6.1
            ("cnf", self.proof.map(|proof| json!({ "jkt": proof.key }).into())),
            ("renewable", self.is_renewable.then(|| json!(true).into())),
            ("scope", (!scope.is_empty()).then(|| scope.to_string().into())),
        ];
        let how = self.authentication.into_iter().flat_map(Authentication::claims);
        let how = how.map(|(name, value)| (name, Some(value.into())));
        let payload = Payload::of(&self.claims, protocol.into_iter().chain(how));
        match self.client.seals {
            true => self.sealed(server, payload.into_map(), expires_at).map(Claims::Sealed),
            false => Ok(Claims::Open(payload)),
        }
    }

    /// For a client that may not read all claims: seals all but those that it was granted, or, if the token is for
    /// servers of the author that cannot open it, only the names of its grant.
    fn sealed(
        &self,
        server: &Server,
        claims: Map<String, Value>,
        expires_at: Timestamp,
    ) -> Result<Map<String, Value>, Reason> {
        let Access { client, granted, .. } = self;
        let is_for_own = server.is_for_own_resource(granted.resources());
        let is_open = |name: &str| match is_for_own {
            true => !OF_GRANT.contains(&name),
            false => PROTOCOL.contains(&name) || server.releases().has(granted.scope(), name),
        };
        let name = if is_for_own { SEALED_GRANT } else { SEALED };
        let mut sealed = sealed(claims, server.sealer(), name, is_open, expires_at).map_err(|why| match why {
            NotSealed::TooLarge => {
                tracing::error!(target: "oauth", client = client.id, "the claims are too large to be sealed in a token");
                Reason::ClaimsUnusable
            }
            NotSealed::Failed => Reason::Internal,
        })?;
        if let Some(session) = self.authentication.and_then(|authentication| authentication.session.as_deref()) {
            sealed.insert(SESSION.to_owned(), json!(client.name_of_session(session)));
        }
        Ok(sealed)
    }

    /// The user's claims in an ID token: those that the granted scopes release and the client wants there.
    fn shown(&self, server: &Server) -> Map<String, Value> {
        let is_wanted =
            |name: &&str| self.client.has_claims_in_id_token || self.in_id_token.iter().any(|asked| asked == name);
        let wanted = server.releases().to(self.granted.scope()).filter(is_wanted);
        wanted.filter_map(|name| Some((name.to_owned(), self.claims.get(name)?.clone()))).collect()
    }

    fn id_token(
        &self,
        server: &Server,
        authentication: &Authentication,
        issued_at: Timestamp,
        access_token: &str,
    ) -> Result<String, Reason> {
        let id = IdToken {
            subject: self.subject,
            client: self.client,
            shown: self.shown(server),
            authentication,
            issued_at,
            nonce: self.nonce.as_deref(),
        };
        id.sign(server, access_token).ok_or(Reason::Internal)
    }
}

/// The length of the protocol's claims besides these texts: names, numbers and punctuation, the token's id, a
/// thumbprint and an `as_of`.
const OF_THE_PROTOCOL: usize = 512;
/// The length of an answer besides its tokens, with an ordinary scope.
const ORDINARY_BYTES: usize = 256;
/// About how long the encoded header of a token and the dots are: its `kid` is a hash.
const HEADER: usize = 160;

/// The claims of the protocol that any client may read in its access token (RFC 9068 §2.2). The session's own name,
/// `sid`, is not among them: the client has another for it.
const PROTOCOL: [&str; 12] =
    ["iss", "sub", "aud", "client_id", "iat", "exp", "jti", "scope", "cnf", "auth_time", "acr", "amr"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_has_what_there_is_in_one_order() {
        let mut issued = Issued {
            access_token: "a.b-c_d".to_owned(),
            token_type: "Bearer",
            expires_in: 600,
            refresh_token: None,
            id_token: None,
            scope: Scope::default(),
        };
        let json = |issued: &Issued| String::from_utf8(issued.json().expect("JSON")).expect("text");
        assert_eq!(json(&issued), r#"{"access_token":"a.b-c_d","token_type":"Bearer","expires_in":600}"#);
        (issued.refresh_token, issued.id_token) = (Some("r\"".to_owned()), Some("i".to_owned()));
        issued.scope = "write read".parse().expect("a scope");
        assert_eq!(
            json(&issued),
            r#"{"access_token":"a.b-c_d","token_type":"Bearer","expires_in":600,"refresh_token":"r\"","id_token":"i","scope":"read write"}"#
        );
    }
}
