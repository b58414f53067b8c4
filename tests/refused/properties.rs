//! Whatever bytes come in, the server neither fails nor says yes.
#![allow(clippy::unwrap_used)]

use std::sync::LazyLock;

use oauth_runtime::{Client, Scope};
use oauth_tests::{Answer, Browser, Server, builder, start};
use proptest::collection::vec;
use proptest::prelude::*;
use tokio::runtime::Runtime;

struct World {
    _server: Server,
    runtime: Runtime,
    browser: Browser,
    form: String,
    code: String,
    token: String,
    refresh: String,
}

static WORLD: LazyLock<World> = LazyLock::new(|| {
    let server = start(|builder| builder.reload_blocking(|_| Some(serde_json::json!({}))));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let browser = Browser::new(&server);
    let (form, code, token, refresh) = runtime.block_on(async {
        let token = browser.token().await;
        let code = browser.code().await;
        let refresh = browser.issued(&[]).await["refresh_token"].as_str().unwrap().to_owned();
        (browser.authorize(&[("prompt", Some("login"))]).await.form(), code, token, refresh)
    });
    World { _server: server, runtime, browser, form, code, token, refresh }
});

fn encoded(bytes: &[u8]) -> String {
    url::form_urlencoded::byte_serialize(bytes).collect()
}

fn ask(request: impl Future<Output = Answer>) -> Answer {
    WORLD.runtime.block_on(request)
}

/// A text with a few bytes of it changed, moved or gone.
fn mangled(text: fn() -> &'static str) -> impl Strategy<Value = Vec<u8>> {
    let change = (any::<prop::sample::Index>(), any::<u8>(), 0..3_u8);
    vec(change, 1..4).prop_map(move |changes| {
        let mut bytes = text().as_bytes().to_vec();
        for (index, byte, how) in changes {
            if bytes.is_empty() {
                break;
            }
            let index = index.index(bytes.len());
            match how {
                0 => bytes[index] = byte,
                1 => bytes.truncate(index),
                _ => bytes.insert(index, byte),
            }
        }
        bytes
    })
}

fn form() -> &'static str {
    &WORLD.form
}

fn code() -> &'static str {
    &WORLD.code
}

fn refresh_token() -> &'static str {
    &WORLD.refresh
}

fn token() -> &'static str {
    &WORLD.token
}

const ANSWERS: &[u16] = &[200, 303, 400, 401, 403, 413, 429];

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_scope_parses_or_is_refused_and_goes_round(text in any::<String>()) {
        if let Ok(scope) = text.parse::<Scope>() {
            prop_assert_eq!(scope.to_string().parse::<Scope>(), Ok(scope.clone()));
            prop_assert!(scope.iter().all(|one| scope.contains(one) && text.contains(one)));
        }
    }

    #[test]
    fn scopes_go_round(tokens in vec("[!#-\\[\\]-~]{1,20}", 0..20)) {
        let scope: Scope = tokens.join(" ").parse().unwrap();
        prop_assert!(tokens.iter().all(|token| scope.contains(token)));
        let json = serde_json::to_string(&scope).unwrap();
        prop_assert_eq!(serde_json::from_str::<Scope>(&json).unwrap(), scope.clone());
        prop_assert_eq!(scope.to_string().parse::<Scope>().unwrap(), scope);
    }

    #[test]
    fn any_bytes_as_scope(bytes in vec(any::<u8>(), 0..200)) {
        let url = format!("{}&scope={}", WORLD.browser.authorize_url(&[]), encoded(&bytes));
        let answer = ask(Answer::to(WORLD.browser.http.get(url)));
        if answer.status != 200 {
            prop_assert!(["invalid_scope", "invalid_request"].contains(&answer.redirect()["error"].as_str()));
        }
    }

    #[test]
    fn any_state_comes_back_byte_for_byte(state in "\\PC{1,200}") {
        let answer = ask(WORLD.browser.authorize(&[("state", Some(&state)), ("scope", Some("none"))]));
        if !state.contains(char::REPLACEMENT_CHARACTER) {
            prop_assert_eq!(&answer.redirect()["state"], &state);
        }
    }

    #[test]
    fn any_query_at_all(bytes in vec(any::<u8>(), 0..300)) {
        let url = format!("{}/authorize?{}", WORLD.browser.base, encoded(&bytes).replace("%26", "&").replace("%3D", "="));
        prop_assert_eq!(ask(Answer::to(WORLD.browser.http.get(url))).status, 400);
    }

    #[test]
    fn any_bytes_as_redirect_uri(bytes in vec(any::<u8>(), 1..200)) {
        let url = format!("{}&redirect_uri={}", WORLD.browser.authorize_url(&[("redirect_uri", None)]), encoded(&bytes));
        let answer = ask(Answer::to(WORLD.browser.http.get(url)));
        prop_assert!(answer.status == 400 && answer.is_page(), "{answer:?}");
    }

    #[test]
    fn c07_c08_a_redirect_uri_that_is_nearly_right(bytes in mangled(|| oauth_tests::REDIRECT)) {
        let url = format!("{}&redirect_uri={}", WORLD.browser.authorize_url(&[("redirect_uri", None)]), encoded(&bytes));
        let answer = ask(Answer::to(WORLD.browser.http.get(url)));
        let port = std::str::from_utf8(&bytes).ok().and_then(|text| text.strip_prefix("http://127.0.0.1"));
        let port = port.and_then(|rest| rest.strip_suffix("/callback"));
        let allowed = port.is_some_and(|port| port.is_empty()
            || port.strip_prefix(':').is_some_and(|port| port.bytes().all(|byte| byte.is_ascii_digit())));
        // An empty one is an absent one, and the client has only one.
        prop_assert!(answer.status == 400 && answer.is_page() || (allowed || bytes.is_empty()) && answer.status == 200);
    }

    #[test]
    fn any_text_registered_as_redirect_uri(
        uri in prop_oneof![
            any::<String>(),
            "(https|http|com\\.app|javascript)://(\\[::1\\]|127\\.0\\.0\\.1|localhost|a\\.example)(:[0-9]{0,6})?[/?#a-z@:%]{0,20}",
        ],
    ) {
        let client = Client::public("spa").redirect_uri(uri.clone());
        if let Ok(service) = builder("http://127.0.0.1:9").client(client).build() {
            prop_assert!(!uri.contains('#') && uri.is_ascii(), "{uri}");
            drop(service);
        }
    }

    #[test]
    fn any_bytes_as_a_form(bytes in vec(any::<u8>(), 0..400)) {
        for path in ["/login", "/token", "/revoke"] {
            let answer = ask(WORLD.browser.post(path, bytes.clone()));
            prop_assert_eq!(answer.status, 400, "{} {:?}", path, answer);
        }
    }

    #[test]
    fn any_values_in_the_fields_of_a_form(fields in vec(("[a-z_]{0,12}|grant_type|code|client_id|code_verifier|redirect_uri|client_secret", vec(any::<u8>(), 0..60)), 0..8)) {
        let body: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
        let answer = ask(WORLD.browser.post("/token", body.join("&")));
        prop_assert_eq!(answer.status, 400, "{:?}", answer);
        let answer = ask(WORLD.browser.post("/token", format!("grant_type=authorization_code&client_id=demo&{}", body.join("&"))));
        prop_assert_eq!(answer.status, 400, "{:?}", answer);
    }

    #[test]
    fn any_bytes_in_the_header(bytes in vec(any::<u8>(), 0..200), scheme in "(Bearer |bearer|Bearer  |Basic )?") {
        let value = [scheme.as_bytes(), &bytes].concat();
        if let Ok(value) = reqwest::header::HeaderValue::from_bytes(&value) {
            let request = WORLD.browser.http.get(format!("{}/me", WORLD.browser.base)).header("authorization", value);
            let answer = ask(Answer::to(request));
            prop_assert!([400, 401].contains(&answer.status), "{answer:?}");
            let _ = answer.challenge();
        }
    }

    #[test]
    fn a_token_that_is_nearly_right(bytes in mangled(token)) {
        if bytes != token().as_bytes() && let Ok(value) = reqwest::header::HeaderValue::from_bytes(&[b"Bearer ", &bytes[..]].concat()) {
            let request = WORLD.browser.http.get(format!("{}/me", WORLD.browser.base)).header("authorization", value);
            let answer = ask(Answer::to(request));
            // White space around the value of a header is none of it.
            prop_assert!([400, 401].contains(&answer.status) || bytes.trim_ascii() == token().as_bytes(), "{answer:?}");
        }
    }

    #[test]
    fn a_code_that_is_nearly_right(bytes in mangled(code)) {
        prop_assume!(bytes != code().as_bytes());
        let body = format!("{}&code={}", WORLD.browser.token_form("", &[("code", None)]), encoded(&bytes));
        let answer = ask(WORLD.browser.post("/token", body));
        prop_assert_eq!(answer.status, 400, "{:?}", answer);
    }

    #[test]
    fn a_refresh_token_that_is_nearly_right(bytes in mangled(refresh_token)) {
        prop_assume!(bytes != refresh_token().as_bytes());
        let body = format!("client_id=demo&grant_type=refresh_token&refresh_token={}", encoded(&bytes));
        let answer = ask(WORLD.browser.post("/token", body));
        prop_assert_eq!(answer.status, 400, "{:?}", answer);
        let answer = ask(WORLD.browser.post("/revoke", format!("client_id=demo&token={}", encoded(&bytes))));
        prop_assert!([200, 400].contains(&answer.status), "{answer:?}");
        let me = ask(WORLD.browser.call("/me", Some(token())));
        prop_assert_eq!(me.status, 200, "nothing was revoked");
    }

    #[test]
    fn any_bytes_as_basic_credentials(bytes in vec(any::<u8>(), 0..100), path in "/(token|revoke)") {
        use base64::Engine as _;
        let value = format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(&bytes));
        let request = WORLD.browser.http.post(format!("{}{path}", WORLD.browser.base)).header("authorization", value);
        let answer = ask(Answer::to(request.form(&[("grant_type", "refresh_token"), ("token", "x")])));
        prop_assert_eq!(answer.status, 401, "{:?}", answer);
    }

    #[test]
    fn a_form_that_is_nearly_right(bytes in mangled(form)) {
        prop_assume!(bytes != form().as_bytes());
        let body = format!("request={}&username=admin&password=admin123", encoded(&bytes));
        let answer = ask(WORLD.browser.post("/login", body));
        prop_assert_eq!(answer.status, 400, "{:?}", answer);
    }

    #[test]
    fn any_bytes_as_name_and_password(name in vec(any::<u8>(), 0..300), password in vec(any::<u8>(), 0..300)) {
        let body = format!("request={}&username={}&password={}", WORLD.form, encoded(&name), encoded(&password));
        let answer = ask(WORLD.browser.post("/login", body));
        prop_assert!(ANSWERS.contains(&answer.status) && answer.status != 303, "{answer:?}");
    }
}
