//! The claims of an access token that its client cannot read: sealed inside it, and opened after verification.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use crate::error::Reason;
use crate::model::Timestamp;
use crate::model::claims::{SEALED, SEALED_GRANT};
use crate::model::sealed_claims::{Hidden, SealedClaims};
use crate::seal::{NotOpened, NotSealed, Sealer};

/// Opens what was sealed in a token.
pub(crate) struct Opener(Arc<Sealer>);

impl Opener {
    pub(crate) fn new(sealer: &Arc<Sealer>) -> Self {
        Opener(Arc::clone(sealer))
    }
}

/// Seals all claims except those that may be read, under this name.
pub(crate) fn sealed(
    claims: Map<String, Value>,
    sealer: &Sealer,
    name: &str,
    is_open: impl Fn(&str) -> bool,
    expires_at: Timestamp,
) -> Result<Map<String, Value>, NotSealed> {
    let (mut open, closed): (Map<String, Value>, Map<String, Value>) =
        claims.into_iter().partition(|(name, _)| is_open(name));
    let id = open.get("jti").and_then(Value::as_str).ok_or(NotSealed::Failed)?;
    let sealed = sealer.seal_within(&SealedClaims(closed), id, expires_at)?;
    open.insert(name.to_owned(), json!(sealed));
    Ok(open)
}

/// Whether there is anything to open.
pub(super) fn is_sealed(claims: &Map<String, Value>) -> bool {
    claims.contains_key(SEALED) || claims.contains_key(SEALED_GRANT)
}

/// The claims of a token whose signature was verified, with the sealed ones put back in place. Guards read nothing
/// else, so they see no difference.
pub(super) fn opened(
    mut claims: Map<String, Value>,
    Opener(sealer): &Opener,
    now: Timestamp,
) -> Result<(Map<String, Value>, Hidden), Reason> {
    let hides_all_else = claims.contains_key(SEALED);
    let Some(sealed) = claims.remove(SEALED).or_else(|| claims.remove(SEALED_GRANT)) else {
        return Ok((claims, Hidden::Nothing));
    };
    let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned).ok_or(Reason::TokenMalformed);
    let (sealed, id) = (text(Some(&sealed))?, text(claims.get("jti"))?);
    let SealedClaims(closed) = sealer.open_within(&sealed, &id, now).map_err(|why| match why {
        NotOpened::Forged => Reason::TokenNotOpened,
        NotOpened::Expired => Reason::TokenExpired,
    })?;
    let mut readable: BTreeSet<String> = claims.keys().cloned().collect();
    for (name, value) in closed {
        readable.remove(&name);
        // No claim is in both, except the session, which has another name for each client.
        if claims.insert(name.clone(), value).is_some() && name != SESSION {
            return Err(Reason::TokenMalformed);
        }
    }
    Ok((claims, if hides_all_else { Hidden::AllBut(readable) } else { Hidden::Grant }))
}

/// In the open it is the client's own name for the session, sealed it is that of the session.
pub(crate) const SESSION: &str = "sid";

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::model::secret::{Secret, Secrets};

    const NOW: Timestamp = Timestamp::from_seconds(1_000);
    const LATER: Timestamp = Timestamp::from_seconds(1_100);

    fn sealer(secret: &str) -> Arc<Sealer> {
        let sealer = Sealer::new(&Secrets::new(Secret::from(secret), []), "https://a.example");
        Arc::new(sealer.expect("keys derive from any secret"))
    }

    fn opener(secret: &str) -> Opener {
        Opener::new(&sealer(secret))
    }

    fn map(value: Value) -> Map<String, Value> {
        value.as_object().expect("an object").clone()
    }

    fn made(claims: Value) -> Map<String, Value> {
        let is_open = |name: &str| ["jti", "sub", "name"].contains(&name);
        sealed(map(claims), &sealer("secret"), SEALED, is_open, LATER).expect("it has an id")
    }

    #[test]
    fn c44_what_is_sealed_is_read_here_alone_and_in_its_own_token_alone() {
        let claims = json!({ "jti": "1", "sub": "ada", "name": "Ada", "role": "admin", "gid": "g" });
        let token = made(claims.clone());
        // In whatever order: serde_json keeps one or sorts, as its features say.
        let names: BTreeSet<&str> = token.keys().map(String::as_str).collect();
        assert_eq!(names, ["jti", "name", "sealed", "sub"].into());
        let (all, hidden) = opened(token.clone(), &opener("secret"), NOW).expect("its own");
        assert_eq!(all, map(claims));
        for (name, is_hidden) in [("jti", false), ("name", false), ("role", true), ("gid", true), ("absent", true)] {
            assert_eq!(hidden.has(name), is_hidden, "{name}");
        }
        assert_eq!(opened(token.clone(), &opener("other"), NOW), Err(Reason::TokenNotOpened));
        assert_eq!(opened(token.clone(), &opener("secret"), LATER), Err(Reason::TokenExpired));
        let mut moved = token.clone();
        moved.insert("jti".to_owned(), json!("2"));
        assert_eq!(opened(moved, &opener("secret"), NOW), Err(Reason::TokenNotOpened), "of another token");
        let mut twice = token.clone();
        twice.insert("role".to_owned(), json!("member"));
        assert_eq!(opened(twice, &opener("secret"), NOW), Err(Reason::TokenMalformed), "in the open as well");
        for other in [json!(7), json!("x"), json!({})] {
            let mut changed = token.clone();
            changed.insert(SEALED.to_owned(), other);
            assert!(opened(changed, &opener("secret"), NOW).is_err());
        }
    }

    #[test]
    fn c44_the_length_of_what_is_sealed_says_little() {
        let length = |role: &str| made(json!({ "jti": "1", "role": role }))[SEALED].as_str().map(str::len);
        assert_eq!(length("admin"), length("a member of the accounting department"));
        assert!(length("admin") < length(&"x".repeat(512)));
    }
}
