//! Access tokens as issuers write them: which JWTs are access tokens, and where their client, scope and id are.

use serde_json::{Map, Value, json};

use crate::error::{Audiences, FOR_ITS_ISSUER, Reason};
use crate::keys::jwt::{ACCESS_TOKEN, Expected, JwtHeader};

/// The builder's settings for the issuer's tokens.
pub(crate) struct Shape {
    /// A type other than that of RFC 9068.
    pub(crate) accepted_type: Option<String>,
    /// Clients whose tokens may be without an audience.
    pub(crate) without_audience: Vec<String>,
}

impl Shape {
    /// The claims of a token whose signature was verified, by the names of RFC 9068.
    ///
    /// If a token that the issuer signed is refused, the configuration is wrong: the log says what to change.
    pub(crate) fn claims_of_access_token(
        &self,
        header: &JwtHeader,
        mut claims: Map<String, Value>,
        expected: &Expected,
    ) -> Result<Map<String, Value>, Reason> {
        // First, since issuers may share keys, and then the token is not a mistake of this issuer's configuration.
        if claims.get("iss").is_none_or(|issuer| *issuer != expected.issuer) {
            return Err(Reason::TokenIssuer);
        }
        // RFC 9068 §4: an ID token or any other JWT is not an access token
        if !header.is_type(ACCESS_TOKEN) && !self.accepts(header) {
            return Err(refused(
                Reason::TokenType,
                &claims,
                "its typ is not at+jwt: if the issuer has no such setting, add .danger_accept_type(\"JWT\")",
            ));
        }
        for (name, others) in [("client_id", &["azp", "appid", "cid"] as &[&str]), ("jti", &["uti"])] {
            let other = others.iter().find_map(|other| claims.get(*other).filter(|value| value.is_string()).cloned());
            if let (None, Some(value)) = (claims.get(name), other) {
                claims.insert(name.to_owned(), value);
            }
        }
        // A claim that decides nothing may be missing.
        claims.entry("jti").or_insert_with(|| json!(""));
        if let Some(scope) = scope(&claims)? {
            claims.insert("scope".to_owned(), json!(scope));
        }
        if !header.is_type(ACCESS_TOKEN) && is_for_another_use(&claims, expected) {
            return Err(refused(
                Reason::TokenOfAnotherUse,
                &claims,
                "it is an ID token, or another JWT that gives no access: send the access token",
            ));
        }
        self.check_audience(&mut claims, expected)?;
        Ok(claims)
    }

    /// RFC 7519 §5.1: `JWT` says no more than no type at all does.
    fn accepts(&self, header: &JwtHeader) -> bool {
        self.accepted_type.as_deref().is_some_and(|accepted| {
            header.is_type(accepted) || (header.typ.is_none() && accepted.eq_ignore_ascii_case("JWT"))
        })
    }

    fn check_audience(&self, claims: &mut Map<String, Value>, expected: &Expected) -> Result<(), Reason> {
        let is_audience = |value: &Value| value.as_str().is_some_and(|one| expected.is_audience(one));
        let is_for_this = match claims.get("aud") {
            Some(Value::Array(several)) => several.iter().any(is_audience),
            Some(one) => is_audience(one),
            None => {
                let client = claims.get("client_id").and_then(Value::as_str);
                if !client.is_some_and(|client| self.without_audience.iter().any(|it| it == client)) {
                    return Err(refused(
                        Reason::TokenAudience(Box::new(apart(claims, expected))),
                        claims,
                        "it has no aud: have the issuer write that of .audience(..), or, if it cannot, name in \
                         .danger_without_audience([..]) the clients to which it issues tokens for this API",
                    ));
                }
                // As the builder says.
                claims.insert("aud".to_owned(), json!(expected.audience));
                true
            }
        };
        if is_for_this {
            return Ok(());
        }
        let audiences = apart(claims, expected);
        let cure = if audiences.is_for_issuer(&expected.issuer) {
            FOR_ITS_ISSUER
        } else {
            "its aud is not that of .audience(..): have the issuer write it, or change the builder's line"
        };
        Err(refused(Reason::TokenAudience(Box::new(audiences)), claims, cure))
    }
}

/// Decides by what issuers without a type of their own write: a stated use (`typ` of Keycloak, `token_use` of Cognito);
/// else claims that only an ID token has (OpenID Connect Core §2, §3.1.3.6, §3.3.2.11) or a logout token (Back-Channel
/// Logout §2.4), or that it is for its own client and grants no scope.
fn is_for_another_use(claims: &Map<String, Value>, expected: &Expected) -> bool {
    if let Some(value) = claims.get("typ") {
        return value != "Bearer";
    }
    if let Some(value) = claims.get("token_use") {
        return value != "access";
    }
    let client = claims.get("client_id").and_then(Value::as_str);
    ["nonce", "at_hash", "c_hash", "s_hash", "events"].iter().any(|name| claims.contains_key(*name))
        || (client.is_some_and(|client| expected.is_audience(client)) && !claims.contains_key("scope"))
}

/// `scope`, or else `scp`: text, or a list of single scopes.
fn scope(claims: &Map<String, Value>) -> Result<Option<String>, Reason> {
    let Some(scope) = claims.get("scope").or_else(|| claims.get("scp")) else { return Ok(None) };
    let single = |one: &Value| one.as_str().filter(|one| !one.contains(' ')).map(str::to_owned);
    let text = match scope {
        Value::String(text) => Some(text.clone()),
        Value::Array(several) => {
            several.iter().map(single).collect::<Option<Vec<String>>>().map(|several| several.join(" "))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => None,
    };
    text.map(Some)
        .ok_or_else(|| refused(Reason::TokenMalformed, claims, "its scope is neither text nor a list of texts"))
}

fn apart(claims: &Map<String, Value>, expected: &Expected) -> Audiences {
    let of_the_token = match claims.get("aud") {
        Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        one => one.and_then(Value::as_str).map(str::to_owned).into_iter().collect(),
    };
    Audiences { of_the_token, expected: expected.audience.clone() }
}

/// Logs what the issuer wrote and what to change.
fn refused(reason: Reason, claims: &Map<String, Value>, cure: &str) -> Reason {
    let shown = |name: &str| claims.get(name).unwrap_or(&Value::Null).to_string();
    let (aud, client) = (shown("aud"), shown("client_id"));
    tracing::warn!(target: "oauth", ?reason, aud, client, cure, "a token that the issuer signed is refused");
    reason
}
