use oauth_runtime::Client;
use serde_json::Value;

/// One of `clients` in a realm that `kc.sh export` wrote; nothing where it signs no one in. An error says what has to be
/// registered by hand.
pub fn from_keycloak(exported: &Value) -> Result<Option<Client>, String> {
    if exported["standardFlowEnabled"] != true || exported["enabled"] != true {
        return Ok(None);
    }
    let texts = |value: &Value| -> Vec<String> {
        value.as_array().into_iter().flatten().filter_map(|text| text.as_str().map(str::to_owned)).collect()
    };
    let id = exported["clientId"].as_str().ok_or("a client has no id")?;
    let (uris, attributes) = (texts(&exported["redirectUris"]), &exported["attributes"]);
    let client = match exported["clientAuthenticatorType"].as_str() {
        _ if exported["publicClient"] == true => Client::public(id).redirect_uris(uris),
        Some("client-secret") | None => {
            let secret = exported["secret"].as_str().ok_or_else(|| format!("{id} has no secret"))?;
            Client::confidential(id).secret(secret).redirect_uris(uris)
        }
        Some("client-jwt") if attributes["use.jwks.string"] == "true" => {
            let keys = attributes["jwks.string"].as_str().ok_or_else(|| format!("{id} has no keys"))?;
            Client::confidential(id).jwks(keys).redirect_uris(uris)
        }
        // Not by a secret, though one may stand there: a key at a URL, a certificate, a secret that signs.
        Some(other) => return Err(format!("{id} authenticates by {other}: give it `.jwks(..)`, or a new secret")),
    };
    // What it may have is yours to allow: `.allow_scopes(..)`.
    let client = if exported["consentRequired"] == true { client.third_party() } else { client };
    let after_sign_out = attributes["post.logout.redirect.uris"].as_str().unwrap_or_default();
    let after_sign_out = after_sign_out.split("##").filter(|uri| uri.starts_with("https://"));
    let client = after_sign_out.fold(client, |client, uri| client.post_logout_redirect_uri(uri));
    Ok(Some(client.name(exported["name"].as_str().filter(|name| !name.is_empty()).unwrap_or(id))))
}
