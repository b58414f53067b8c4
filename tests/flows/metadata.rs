//! Everything that the metadata says is true, and everything that is true is in the metadata.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::Header;
use oauth_runtime::states::WithReload;
use oauth_runtime::{Builder, Client, Keys, Login, SigningKey, Texts};
use oauth_tests::{Answer, Browser, SECRET, Server, aged, start};
use serde_json::{Value, json};

use crate::clients::KEYS;

fn bare(builder: Builder) -> Builder {
    builder
}

fn confidential(builder: Builder) -> Builder {
    builder.client(Client::confidential("web").secret(SECRET))
}

fn whole(builder: Builder) -> Builder<WithReload> {
    aged(confidential(builder))
        .client(Client::confidential("job").jwks(KEYS[0].public.clone()))
        .keys(Keys::new(SigningKey::generate().unwrap()))
        .scope("openid", "Know who you are")
        .scope("email", "Know your address")
        .scope("phone", "Know your number")
        .language(Texts::german())
        .authenticate(async |login: Login| {
            oauth_tests::users(&login).map(|mut user| {
                user["email"] = json!("ada@example.com");
                user["email_verified"] = json!(true);
                user["phone_number"] = json!("+49 1");
                user["phone_number_verified"] = json!(false);
                user["address"] = json!({});
                user
            })
        })
        .reload(async |_: &str| Some(json!({})))
}

/// The strings of a list in the metadata.
fn listed(metadata: &Value, name: &str) -> BTreeSet<String> {
    let list = metadata[name].as_array().unwrap_or_else(|| panic!("{name}: {metadata}"));
    list.iter().map(|value| value.as_str().unwrap().to_owned()).collect()
}

fn set(values: impl IntoIterator<Item = impl Into<String>>) -> BTreeSet<String> {
    values.into_iter().map(Into::into).collect()
}

async fn metadata_of(browser: &Browser) -> Value {
    let openid = browser.call("/.well-known/openid-configuration", None).await;
    match openid.status {
        200 => openid.json(),
        _ => browser.call("/.well-known/oauth-authorization-server", None).await.json(),
    }
}

/// Which of these values the authorization endpoint takes.
async fn taken(server: &Server, name: &str, values: &[&str], error: &str) -> BTreeSet<String> {
    let mut taken = BTreeSet::new();
    for value in values {
        let answer = Browser::new(server).authorize(&[(name, Some(*value))]).await;
        if answer.status != 303 || answer.redirect().get("error").is_none_or(|code| code != error) {
            taken.insert((*value).to_owned());
        }
    }
    taken
}

/// Which kinds of proof the token endpoint takes from a client that has it.
async fn proofs(browser: &Browser, base: &str) -> BTreeSet<String> {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let assertion = json!({ "iss": "job", "sub": "job", "aud": base, "iat": now + 1, "exp": now + 60, "jti": "once" });
    let header = Header { kid: Some("ec".to_owned()), ..Header::new(KEYS[0].algorithm) };
    let assertion = jsonwebtoken::encode(&header, &assertion, &KEYS[0].private).unwrap();
    let client_credentials = ("grant_type", "client_credentials");
    let url = format!("{base}/token");
    let public = [("grant_type", "authorization_code"), ("client_id", "demo"), ("code", "x"), ("code_verifier", "x")];
    let post = [client_credentials, ("client_id", "web"), ("client_secret", SECRET)];
    let jwt = [
        client_credentials,
        ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
        ("client_assertion", &assertion),
    ];
    let mut accepted = BTreeSet::new();
    for (method, request) in [
        ("none", browser.http.post(&url).form(&public)),
        ("client_secret_basic", browser.http.post(&url).basic_auth("web", Some(SECRET)).form(&[client_credentials])),
        ("client_secret_post", browser.http.post(&url).form(&post)),
        ("private_key_jwt", browser.http.post(&url).form(&jwt)),
    ] {
        let answer = Answer::to(request).await.json();
        if answer["error"] != "invalid_client" && answer["error"] != "unsupported_grant_type" {
            accepted.insert(method.to_owned());
        }
    }
    accepted
}

#[tokio::test]
async fn c14_c34_the_metadata_and_the_server_say_the_same() {
    for (name, server) in [("bare", start(bare)), ("confidential", start(confidential)), ("whole", start(whole))] {
        let browser = Browser::new(&server);
        let metadata = metadata_of(&browser).await;
        assert_eq!(metadata["issuer"], server.base, "{name}");

        // Every address that a client may want, and those alone, with the methods it expects.
        for (member, path) in [
            ("authorization_endpoint", "/authorize"),
            ("token_endpoint", "/token"),
            ("device_authorization_endpoint", "/device_authorization"),
            ("pushed_authorization_request_endpoint", "/par"),
            ("revocation_endpoint", "/revoke"),
            ("introspection_endpoint", "/introspect"),
            ("userinfo_endpoint", "/userinfo"),
            ("jwks_uri", "/.well-known/jwks.json"),
            ("end_session_endpoint", "/logout"),
        ] {
            let is_there = browser.call(path, None).await.status != 404;
            let said = metadata.get(member).map(|url| url.as_str().unwrap().to_owned());
            assert_eq!(said, is_there.then(|| format!("{}{path}", server.base)), "{name} {member}");
        }

        let grants = [
            "authorization_code",
            "refresh_token",
            "client_credentials",
            "password",
            "implicit",
            "urn:ietf:params:oauth:grant-type:device_code",
            "urn:ietf:params:oauth:grant-type:token-exchange",
            "urn:ietf:params:oauth:grant-type:jwt-bearer",
        ];
        let mut offered = BTreeSet::new();
        for grant in grants {
            let answer = browser.post("/token", format!("client_id=demo&grant_type={grant}")).await;
            if answer.json()["error"] != "unsupported_grant_type" {
                offered.insert(grant.to_owned());
            }
        }
        assert_eq!(listed(&metadata, "grant_types_supported"), offered, "{name}");

        let types = ["code", "token", "id_token", "code id_token", "none"];
        let types = taken(&server, "response_type", &types, "unsupported_response_type").await;
        assert_eq!(listed(&metadata, "response_types_supported"), types, "{name}");
        let modes =
            taken(&server, "response_mode", &["query", "fragment", "form_post", "jwt"], "invalid_request").await;
        assert_eq!(listed(&metadata, "response_modes_supported"), modes, "{name}");
        let methods = taken(&server, "code_challenge_method", &["S256", "plain", "S512"], "invalid_request").await;
        assert_eq!(listed(&metadata, "code_challenge_methods_supported"), methods, "{name}");
        let scopes = ["notes:read", "notes:write", "openid", "email", "phone", "profile", "offline_access", "x"];
        let scopes = taken(&server, "scope", &scopes, "invalid_scope").await;
        assert_eq!(listed(&metadata, "scopes_supported"), scopes, "{name}");

        let accepted = proofs(&browser, &server.base).await;
        assert_eq!(listed(&metadata, "token_endpoint_auth_methods_supported"), accepted, "{name}");
        assert_eq!(listed(&metadata, "revocation_endpoint_auth_methods_supported"), accepted, "{name}");
        if metadata.get("introspection_endpoint").is_some() {
            let proven: BTreeSet<String> = accepted.iter().filter(|method| *method != "none").cloned().collect();
            assert_eq!(listed(&metadata, "introspection_endpoint_auth_methods_supported"), proven, "{name}");
        }
        let by_key = accepted.contains("private_key_jwt");
        for endpoint in ["token", "revocation", "introspection"] {
            let member = format!("{endpoint}_endpoint_auth_signing_alg_values_supported");
            assert_eq!(metadata.get(&member).is_some(), by_key, "{name} {member}");
        }

        let mut languages = BTreeSet::new();
        for language in ["en", "de", "fr", "nl"] {
            let page = Browser::new(&server).authorize(&[("ui_locales", Some(language))]).await;
            if page.body.contains(&format!("<html lang=\"{language}\" ")) {
                languages.insert(language.to_owned());
            }
        }
        assert_eq!(listed(&metadata, "ui_locales_supported"), languages, "{name}");
        let redirect = browser.sign_in(&[], "admin", "admin123").await.redirect();
        assert_eq!(
            metadata["authorization_response_iss_parameter_supported"].as_bool(),
            Some(redirect.get("iss") == Some(&server.base)),
            "{name}"
        );
    }
}

#[tokio::test]
async fn what_the_metadata_says_of_openid_is_what_there_is() {
    let server = start(whole);
    let browser = Browser::new(&server);
    let metadata = metadata_of(&browser).await;
    let prompts = ["none", "login", "consent", "select_account", "create"];
    let prompts = taken(&server, "prompt", &prompts, "invalid_request").await;
    assert_eq!(listed(&metadata, "prompt_values_supported"), prompts);
    for (member, parameter, error) in [
        ("claims_parameter_supported", "claims", "invalid_request"),
        ("request_parameter_supported", "request", "request_not_supported"),
        ("request_uri_parameter_supported", "request_uri", "request_uri_not_supported"),
    ] {
        let is_taken = !taken(&server, parameter, &["{}"], error).await.is_empty();
        assert_eq!(metadata[member].as_bool(), Some(is_taken), "{member}");
    }

    let asked = [("scope", Some("openid email phone")), ("nonce", Some("n"))];
    let redirect = browser.sign_in(&asked, "admin", "admin123").await.redirect();
    let issued = browser.redeem(&redirect["code"], &[]).await.json();
    let part = |index: usize| -> Value {
        let part = issued["id_token"].as_str().unwrap().split('.').nth(index).unwrap();
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
    };
    let algorithms = set([part(0)["alg"].as_str().unwrap()]);
    assert_eq!(listed(&metadata, "id_token_signing_alg_values_supported"), algorithms);
    let userinfo = browser.call("/userinfo", issued["access_token"].as_str()).await.json();
    let mut told = set(part(1).as_object().unwrap().keys().cloned());
    told.extend(userinfo.as_object().unwrap().keys().cloned());
    // Only an author who names a strength has one in their tokens.
    told.insert("acr".to_owned());
    assert_eq!(listed(&metadata, "claims_supported"), told);
    assert_eq!(metadata["subject_types_supported"], json!(["public"]));
}
