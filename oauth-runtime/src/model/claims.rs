//! The author's claims, which a user's token has beyond those of the protocol.

use serde_json::{Map, Value};

/// What `authenticate` returned for a user, parsed: the subject and the custom claims.
#[derive(Debug)]
pub(crate) struct UserClaims {
    pub(crate) subject: String,
    pub(crate) custom: Map<String, Value>,
}

/// Why claims cannot be put in a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum UnusableClaims {
    /// They serialize to something other than a JSON object, or not at all.
    NotAnObject,
    /// They set a claim that the server sets.
    Registered(String),
    /// There is no `sub`.
    NoSubject,
    /// `sub` is not a string of 1 to 255 bytes without control characters.
    Subject,
    /// `sub` is not the subject that they were looked up for.
    OfAnother,
    /// `sub` is a client's id (RFC 9700 §4.15.1).
    SubjectIsClient,
    /// `amr` and `acr` are longer than they may be.
    HowTooLong,
    /// The name for the pages is empty or longer than one that may be typed.
    ShownAs,
    /// With them a code would be longer than it may be.
    TooLarge,
}

/// The claims that the server sets, so that no user's claims may.
pub(crate) const REGISTERED: &[&str] = &[
    "iss",
    "aud",
    "exp",
    "nbf",
    "iat",
    "jti",
    "client_id",
    "scope",
    "scp",
    "auth_time",
    "acr",
    "amr",
    "azp",
    "nonce",
    "sid",
    "gid",
    "as_of",
    "renewable",
    "cnf",
    "act",
    "at_hash",
    SEALED,
    SEALED_GRANT,
];

/// The claim that contains what the client of a token cannot read. It is gone once it was opened: while it is there,
/// absent claims may be in it.
pub(crate) const SEALED: &str = "sealed";

/// Used instead if the other claims are in the open: then an absent claim is really absent.
pub(crate) const SEALED_GRANT: &str = "sealed_grant";

/// The claims by which this server finds what a token belongs to. No one else needs them.
pub(crate) const OF_GRANT: [&str; 4] = ["sid", "gid", "as_of", "renewable"];

/// The scope that asks for an ID token (OpenID Connect Core §3.1.2.1).
pub(crate) const OPENID: &str = "openid";

/// The scope that asks for a refresh token, if the builder names it (OpenID Connect Core §11).
pub(crate) const OFFLINE_ACCESS: &str = "offline_access";

impl UserClaims {
    /// The claims of a sign-in: only their own `sub` says who it is, since one user can type their name in many ways.
    pub(crate) fn parse(claims: Value) -> Result<Self, UnusableClaims> {
        let (subject, custom) = parts(claims)?;
        Ok(UserClaims { subject: subject.ok_or(UnusableClaims::NoSubject)?, custom })
    }

    /// The claims of a known subject: they may name it, but no other.
    pub(crate) fn of(subject: &str, claims: Value) -> Result<Map<String, Value>, UnusableClaims> {
        let (named, custom) = parts(claims)?;
        if named.is_none_or(|named| named == subject) { Ok(custom) } else { Err(UnusableClaims::OfAnother) }
    }
}

/// The `sub`, if there is one, and the rest.
fn parts(claims: Value) -> Result<(Option<String>, Map<String, Value>), UnusableClaims> {
    let Value::Object(mut custom) = claims else { return Err(UnusableClaims::NotAnObject) };
    // The custom claims are the shorter list.
    if let Some(name) = custom.keys().find(|name| REGISTERED.contains(&name.as_str())) {
        return Err(UnusableClaims::Registered(name.clone()));
    }
    match custom.remove("sub") {
        None => Ok((None, custom)),
        Some(Value::String(subject)) if is_subject(&subject) => Ok((Some(subject), custom)),
        Some(_) => Err(UnusableClaims::Subject),
    }
}

fn is_subject(text: &str) -> bool {
    (1..=255).contains(&text.len()) && !text.chars().any(char::is_control)
}

impl std::fmt::Display for UnusableClaims {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            UnusableClaims::NotAnObject => f.write_str("return a struct or a JSON object as claims"),
            UnusableClaims::Registered(name) => {
                write!(f, "the server sets the claim `{name}` itself: give yours another name")
            }
            UnusableClaims::NoSubject => f.write_str(
                "add `sub` to them, an id of the user that never changes, such as the key of their row: \
                 a name as typed is not one",
            ),
            UnusableClaims::OfAnother => f.write_str("their `sub` is not the subject that was asked for"),
            UnusableClaims::Subject => f.write_str(
                "`sub` must be a string of 1 to 255 bytes without control characters: convert a number to a string",
            ),
            UnusableClaims::SubjectIsClient => {
                f.write_str("`sub` is the id of a client, and the two could be confused: prefix one of them")
            }
            UnusableClaims::ShownAs => f.write_str("the name of .shown_as(..) needs 1 to 256 bytes, and no control characters"),
            UnusableClaims::HowTooLong => f.write_str("amr and acr have more than 512 bytes together: shorten them"),
            UnusableClaims::TooLarge => f.write_str(
                "the claims are too large for a code, which has 2 KiB at most: keep lists in your database and an id in the claims",
            ),
        }
    }
}
