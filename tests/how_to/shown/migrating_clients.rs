use oauth_runtime::Client;
use serde_json::Value;

/// One of `clients` in a realm that `kc.sh export` wrote; nothing where it signs no one in.
pub fn from_keycloak(exported: &Value) -> Option<Client> {
    if exported["standardFlowEnabled"] != true || exported["enabled"] != true {
        return None;
    }
    let texts = |value: &Value| -> Vec<String> {
        value.as_array().into_iter().flatten().filter_map(|text| text.as_str().map(str::to_owned)).collect()
    };
    let (id, uris) = (exported["clientId"].as_str()?, texts(&exported["redirectUris"]));
    let client = match exported["secret"].as_str() {
        _ if exported["publicClient"] == true => Client::public(id).redirect_uris(uris),
        Some(secret) => Client::confidential(id).secret(secret).redirect_uris(uris),
        None => return None,
    };
    // What it may have is yours to allow: `.allow_scopes(..)`.
    let client = if exported["consentRequired"] == true { client.third_party() } else { client };
    let after_sign_out = exported["attributes"]["post.logout.redirect.uris"].as_str().unwrap_or_default();
    let after_sign_out = after_sign_out.split("##").filter(|uri| uri.starts_with("https://"));
    let client = after_sign_out.fold(client, |client, uri| client.post_logout_redirect_uri(uri));
    Some(client.name(exported["name"].as_str().filter(|name| !name.is_empty()).unwrap_or(id)))
}
