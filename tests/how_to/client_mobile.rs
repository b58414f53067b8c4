//! The requests that AppAuth makes, parameter by parameter, as its sources for Android (0.11) and iOS (2.0) have them. AppAuth
//! itself needs a device: it is not run.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use oauth_tests::{Answer, Browser, pages};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::shown::client_mobile;
use crate::site::{ISSUER, behind_nginx};

const OWN_SCHEME: &str = "com.example.notes:/callback";
const CLAIMED: &str = "https://notes.example/app/callback";
/// The port is that which was free.
const LOOPBACK: &str = "http://127.0.0.1:50124/";

/// Android draws 64 random bytes for the verifier and 16 for state and nonce, iOS 32 for each.
#[derive(Clone, Copy, Debug)]
enum Platform {
    Android,
    Ios,
}

struct App<'a> {
    platform: Platform,
    redirect: &'static str,
    browser: &'a Browser,
}

fn random(bytes: usize) -> String {
    let mut random = vec![0; bytes];
    aws_lc_rs::rand::fill(&mut random).unwrap();
    URL_SAFE_NO_PAD.encode(random)
}

/// What stays in the app while its user is in the browser.
struct Pending {
    state: String,
    nonce: String,
    verifier: String,
}

impl App<'_> {
    /// What the browser is sent to.
    fn authorize(&self) -> (String, Pending) {
        let (random_bytes, verifier) = match self.platform {
            Platform::Android => (16, random(64)),
            Platform::Ios => (32, random(32)),
        };
        let pending = Pending { state: random(random_bytes), nonce: random(random_bytes), verifier };
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(pending.verifier.as_bytes()));
        let (id, redirect) = (("client_id", "mobile"), ("redirect_uri", self.redirect));
        let kind = ("response_type", "code");
        let (state, nonce) = (("state", pending.state.as_str()), ("nonce", pending.nonce.as_str()));
        let scope = ("scope", "openid notes:read");
        let begin = match self.platform {
            Platform::Android => [redirect, id, kind, state, nonce, scope],
            Platform::Ios => [kind, id, redirect, scope, state, nonce],
        };
        let challenge = [("code_challenge", challenge.as_str()), ("code_challenge_method", "S256")];
        let mut url = url::Url::parse(&format!("{ISSUER}/authorize")).unwrap();
        url.query_pairs_mut().extend_pairs(begin.iter().chain(&challenge));
        (url.into(), pending)
    }

    /// Takes the redirect, compares it as AppAuth does, and asks for tokens.
    async fn exchange(&self, back: &Answer, pending: &Pending) -> Value {
        let scheme = self.redirect.split('?').next().unwrap();
        assert!(back.header("location").starts_with(&format!("{scheme}?")), "{back:?}");
        let back = back.redirect();
        assert_eq!(back["state"], pending.state);
        let code = ("code", back["code"].as_str());
        let (redirect, verifier) = (("redirect_uri", self.redirect), ("code_verifier", pending.verifier.as_str()));
        let (grant, id) = (("grant_type", "authorization_code"), ("client_id", "mobile"));
        let answer = match self.platform {
            Platform::Android => self.token(&[redirect, verifier, code, grant, id]).await,
            Platform::Ios => self.token(&[grant, redirect, code, verifier, id]).await,
        };
        let issued = answer.json();
        assert_eq!(answer.status, 200, "{answer:?}");
        self.validate(&issued, &pending.nonce);
        issued
    }

    async fn token(&self, form: &[(&str, &str)]) -> Answer {
        let body: String = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let request = self.browser.http.post(format!("{ISSUER}/token")).body(body);
        Answer::to(match self.platform {
            Platform::Android => {
                request.header("accept", "application/json").header("content-type", "application/x-www-form-urlencoded")
            }
            Platform::Ios => request.header("content-type", "application/x-www-form-urlencoded; charset=UTF-8"),
        })
        .await
    }

    /// The rules that both have for an ID token, which they take from `/token` and so do not verify the signature of.
    fn validate(&self, issued: &Value, nonce: &str) {
        assert_eq!(issued["token_type"], "Bearer");
        assert!(issued["expires_in"].is_u64() && issued["refresh_token"].is_string(), "{issued}");
        let token = issued["id_token"].as_str().unwrap();
        let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
        let claims: Value = serde_json::from_slice(&claims).unwrap();
        assert_eq!((claims["iss"].as_str(), claims["aud"].as_str()), (Some(ISSUER), Some("mobile")), "{claims}");
        let now = oauth_runtime::Clock::system().now().seconds();
        let (issued_at, expires) = (claims["iat"].as_u64().unwrap(), claims["exp"].as_u64().unwrap());
        assert!(expires > now && now.abs_diff(issued_at) <= 600, "{claims}");
        assert_eq!(claims["nonce"], nonce);
    }

    async fn refresh(&self, token: &str) -> Answer {
        let (grant, token) = (("grant_type", "refresh_token"), ("refresh_token", token));
        self.token(&[grant, token, ("client_id", "mobile")]).await
    }
}

/// What AppAuth refuses discovery without.
const REQUIRED: [&str; 7] = [
    "issuer",
    "authorization_endpoint",
    "token_endpoint",
    "jwks_uri",
    "response_types_supported",
    "subject_types_supported",
    "id_token_signing_alg_values_supported",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_requests_of_appauth_are_answered_for_each_kind_of_redirect() {
    let (_server, proxy, discovering) = behind_nginx(&client_mobile::oauth().unwrap());
    let discovery = Answer::to(discovering.http.get(format!("{ISSUER}/.well-known/openid-configuration"))).await;
    for member in REQUIRED {
        assert!(!discovery.json()[member].is_null(), "{member}: {discovery:?}");
    }
    for platform in [Platform::Android, Platform::Ios] {
        for redirect in [OWN_SCHEME, CLAIMED, LOOPBACK] {
            let browser = crate::site::browser(&proxy);
            let app = App { platform, redirect, browser: &browser };
            let (url, pending) = app.authorize();
            let page = Answer::to(browser.http.get(url)).await;
            let issued = app.exchange(&browser.login(&page.form(), "ada", "ada123").await, &pending).await;
            let renewed = app.refresh(issued["refresh_token"].as_str().unwrap()).await;
            assert_eq!(renewed.status, 200, "{renewed:?}");

            // A second time: no other program gets what comes back to the claimed URL, so no one is asked.
            let (url, pending) = app.authorize();
            let second = Answer::to(browser.http.get(url)).await;
            if redirect == CLAIMED {
                app.exchange(&second, &pending).await;
            } else {
                assert!(second.is_page() && second.body.contains("Notes"), "{redirect}: {second:?}");
            }

            let end = [
                ("id_token_hint", issued["id_token"].as_str().unwrap()),
                ("post_logout_redirect_uri", "com.example.notes:/signed-out"),
                ("state", "abc"),
            ];
            let end = url::Url::parse_with_params(&format!("{ISSUER}/logout"), end).unwrap();
            let gone = Answer::to(browser.http.get(end)).await;
            assert_eq!(gone.header("location"), "com.example.notes:/signed-out?state=abc", "{platform:?} {gone:?}");
            let refused = app.refresh(renewed.json()["refresh_token"].as_str().unwrap()).await;
            assert_eq!((refused.status, &refused.json()["error"]), (400, &"invalid_grant".into()));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_goes_wrong_with_a_mobile_app_is_what_the_page_says() {
    let (_server, _proxy, browser) = behind_nginx(&client_mobile::oauth().unwrap());
    let page = include_str!("../../oauth-runtime/docs/client-mobile.md");
    // Two slashes are another URI.
    let app = App { platform: Platform::Ios, redirect: "com.example.notes://callback", browser: &browser };
    let refused = Answer::to(browser.http.get(app.authorize().0)).await;
    let text = "this redirect_uri is not registered for the client";
    assert!(refused.status == 400 && refused.body.contains(text), "{refused:?}");
    assert!(page.contains(text));

    let app = App { redirect: OWN_SCHEME, ..app };
    let (url, pending) = app.authorize();
    let form = Answer::to(browser.http.get(url)).await.form();
    let cancelled =
        browser.http.post(format!("{ISSUER}/login")).form(&[("request", form.as_str()), ("cancel", "cancel")]);
    let back = Answer::to(cancelled).await.redirect();
    assert_eq!((back["error"].as_str(), &back["state"]), ("access_denied", &pending.state));
    assert!(page.contains("`access_denied`") && page.contains("`invalid_grant`"));
}

/// The blocks for Kotlin and Swift are not compiled. What they say of the service is what is asked above.
#[test]
fn the_page_configures_appauth_with_what_is_tested() {
    for (name, scopes) in [("android", "\"openid notes:read\""), ("ios", "[\"openid\", \"notes:read\"]")] {
        let code = pages::shown("client-mobile", name);
        for part in [&format!("\"{ISSUER}\""), "\"mobile\"", &format!("\"{CLAIMED}\""), scopes] {
            assert!(code.contains(part), "{name} has no {part}");
        }
    }
    let scheme = OWN_SCHEME.split(':').next().unwrap();
    assert!(pages::shown("client-mobile", "gradle").contains(&format!("appAuthRedirectScheme: '{scheme}'")));
    assert!(pages::shown("client-mobile", "ios").contains(&format!("var redirect = \"{OWN_SCHEME}\"")));
    // The claimed one is the first that a reader sees (RFC 8252 §7.2).
    let registered = include_str!("shown/client_mobile.rs");
    assert!(registered.find(CLAIMED).unwrap() < registered.find(OWN_SCHEME).unwrap());
    let claimed = url::Url::parse(CLAIMED).unwrap();
    let (host, path) = (claimed.host_str().unwrap(), claimed.path());
    let data = format!("android:scheme=\"https\" android:host=\"{host}\" android:path=\"{path}\"");
    assert!(pages::shown("client-mobile", "manifest").contains(&data));
}
