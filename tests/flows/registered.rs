//! Clients that registered themselves (RFC 7591).

use std::time::Duration;

use oauth_runtime::states::WithReload;
use oauth_runtime::store::MemoryStore;
use oauth_runtime::testing::FaultyStore;
use oauth_runtime::{Builder, Clock, Holder, Login, OAuthService, Question, SecondFactor, Secret, SignIn};
use oauth_tests::proofs::ProofKey;
use oauth_tests::{Answer, Browser, Server, builder, serve_service, start_here};
use serde_json::{Value, json};

const CALLBACK: &str = "http://127.0.0.1:53682/callback";
const OTHER: &str = "YdYQ8GU1ZaifFM+45Ep9QAFqr0GY0b9DomzH6GQjLtQ=";

fn open(builder: Builder, base: &str) -> Builder<WithReload> {
    builder
        .mcp(format!("{base}/mcp"))
        .open_scopes("notes:read")
        .scope("openid", "Know who you are")
        .reload_blocking(|_| Some(json!({ "role": "admin" })))
}

fn server() -> (Server, Browser) {
    let server = start_here(open);
    let browser = Browser::new(&server);
    (server, browser)
}

/// A server whose service the test has as well.
fn with_its_service() -> (OAuthService, Server, Browser) {
    let (listener, base) = oauth_tests::free_port();
    let oauth = open(builder(&base), &base).build().unwrap();
    let server = serve_service(listener, &oauth);
    let browser = Browser::new(&server);
    (oauth, server, browser)
}

async fn post(browser: &Browser, body: impl ToString) -> Answer {
    let request = browser.http.post(format!("{}/register", browser.base));
    Answer::to(request.header("Content-Type", "application/json").body(body.to_string())).await
}

async fn registered(browser: &Browser, metadata: Value) -> Value {
    let answer = post(browser, metadata).await;
    assert_eq!((answer.status, answer.header("cache-control")), (201, "no-store"), "{answer:?}");
    answer.json()
}

fn public() -> Value {
    json!({
        "client_name": "Agent", "redirect_uris": [CALLBACK, "cursor://anysphere.cursor-retrieval/oauth/callback"],
        "token_endpoint_auth_method": "none", "grant_types": ["authorization_code", "refresh_token"], "response_types": ["code"],
        "software_id": "of no use here", "logo_uri": "https://evil.example/logo.svg"
    })
}

fn id(registered: &Value) -> String {
    registered["client_id"].as_str().unwrap().to_owned()
}

/// The page that asks, after a sign-in by this client.
async fn asked(browser: &Browser, client: &str, more: &[(&str, Option<&str>)]) -> Answer {
    let changes = [&[("client_id", Some(client)), ("redirect_uri", Some(CALLBACK))], more].concat();
    browser.sign_in(&changes, "admin", "admin123").await
}

async fn code(browser: &Browser, client: &str, more: &[(&str, Option<&str>)]) -> String {
    let page = asked(browser, client, more).await;
    assert!(page.is_page() && page.body.contains("name=\"decision\""), "a third party asks: {page:?}");
    browser.consent(&page.form(), "allow").await.redirect()["code"].clone()
}

async fn redeem(browser: &Browser, client: &str, code: &str, more: &[(&str, Option<&str>)]) -> Answer {
    let changes = [&[("client_id", Some(client)), ("redirect_uri", Some(CALLBACK))], more].concat();
    browser.redeem(code, &changes).await
}

#[tokio::test]
async fn c49_a_client_that_says_that_its_tokens_are_bound_gets_no_others() {
    let mut metadata = public();
    metadata["dpop_bound_access_tokens"] = json!(true);
    // RFC 7591 §2: what a service does not do is left out of its answer.
    let (_server, browser) = server();
    assert!(registered(&browser, metadata.clone()).await.get("dpop_bound_access_tokens").is_none());

    let server = start_here(|builder, base| open(builder, base).dpop());
    let browser = Browser::new(&server);
    let answer = registered(&browser, metadata).await;
    assert_eq!(answer["dpop_bound_access_tokens"], true);
    let client = id(&answer);
    let code = code(&browser, &client, &[]).await;
    let refused = redeem(&browser, &client, &code, &[]).await;
    assert_eq!((refused.status, &refused.json()["error"]), (400, &json!("invalid_request")), "{refused:?}");
    let key = ProofKey::new();
    let changes = [("client_id", Some(&*client)), ("redirect_uri", Some(CALLBACK))];
    let proof = key.proof("POST", &format!("{}/token", browser.base));
    let request = browser.http.post(format!("{}/token", browser.base)).header("dpop", proof);
    let request = request.header("content-type", "application/x-www-form-urlencoded");
    let issued = Answer::to(request.body(browser.token_form(&code, &changes))).await;
    assert_eq!((issued.status, &issued.json()["token_type"]), (200, &json!("DPoP")), "{issued:?}");
}

#[tokio::test]
async fn users_see_the_name_that_such_a_client_gave_itself_and_what_it_may_do_today() {
    let (listener, base) = oauth_tests::free_port();
    let store = FaultyStore::new(MemoryStore::new());
    let built = |scopes: &str| {
        let builder = open(builder(&base), &base).secret(OTHER).open_scopes(scopes).store(store.clone());
        builder.account_page().build().unwrap()
    };
    let (oauth, later) = (built("notes:write"), built(""));
    let server = serve_service(listener, &oauth);
    let browser = Browser::new(&server);
    let client = id(&registered(&browser, public()).await);
    let code = code(&browser, &client, &[("scope", Some("notes:read notes:write"))]).await;
    let issued = redeem(&browser, &client, &code, &[]).await.json();
    assert!(issued["refresh_token"].is_string(), "{issued}");
    for (oauth, scope) in [(oauth, "notes:read notes:write"), (later, "notes:read")] {
        let grants = oauth.grants("admin").await.unwrap();
        let given = grants.iter().find_map(|grant| match &grant.holder {
            Holder::Client(given) => Some(given),
            _ => None,
        });
        let given = given.unwrap();
        assert_eq!((given.name.as_deref(), given.scope.to_string().as_str()), (Some("Agent"), scope), "{given:?}");
    }
    let page = Answer::to(browser.http.get(format!("{}/account", browser.base))).await;
    assert!(page.body.contains("Agent") && page.body.contains("Write your notes"), "{page:?}");
}

#[tokio::test]
async fn a_client_that_registers_itself_signs_its_user_in_and_nothing_is_stored() {
    let (_server, browser) = server();
    let metadata = browser.call("/.well-known/oauth-authorization-server", None).await.json();
    assert_eq!(metadata["registration_endpoint"], format!("{}/register", browser.base));
    for method in ["none", "client_secret_basic", "client_secret_post"] {
        assert!(metadata["token_endpoint_auth_methods_supported"].as_array().unwrap().contains(&json!(method)));
    }
    let registered = registered(&browser, public()).await;
    let client = id(&registered);
    assert!(client.len() <= 1024 && registered.get("client_secret").is_none(), "{registered}");
    for (name, expected) in [
        ("client_name", json!("Agent")),
        ("redirect_uris", public()["redirect_uris"].clone()),
        ("token_endpoint_auth_method", json!("none")),
        ("grant_types", json!(["authorization_code", "refresh_token"])),
        ("response_types", json!(["code"])),
        ("id_token_signed_response_alg", json!("ES256")),
        ("scope", json!("notes:read openid")),
    ] {
        assert_eq!(registered[name], expected, "{name}");
    }

    // No resource is named: the only one that is open is meant.
    let code = code(&browser, &client, &[("scope", Some("openid notes:read notes:write"))]).await;
    let issued = redeem(&browser, &client, &code, &[]).await.json();
    assert_eq!(issued["scope"], "notes:read openid");
    let token = crate::sessions::claims(&issued["access_token"]);
    assert_eq!(token["aud"], format!("{}/mcp", browser.base));
    let name = token["client_id"].as_str().unwrap();
    assert!(name.starts_with("registered-") && name.len() < 64, "{name}");
    assert!(token.get("role").is_none(), "a third party reads what it was granted: {token}");
    // OpenID Connect Core §3.1.3.7: the client compares it with what it knows itself by
    assert_eq!(crate::sessions::claims(&issued["id_token"])["aud"], client);

    let refreshed = browser.refresh(issued["refresh_token"].as_str().unwrap(), &[("client_id", Some(&client))]).await;
    assert_eq!(refreshed.status, 200, "{refreshed:?}");
    let mine = issued["access_token"].as_str().unwrap();
    assert_eq!(browser.call("/me", Some(mine)).await.status, 401, "it is for /mcp alone");
}

#[tokio::test]
async fn a_confidential_one_has_a_secret_that_is_derived() {
    let (_server, browser) = server();
    let registered = registered(&browser, json!({ "redirect_uris": [CALLBACK] })).await;
    let (client, secret) = (id(&registered), registered["client_secret"].as_str().unwrap());
    assert_eq!(registered["token_endpoint_auth_method"], "client_secret_basic", "RFC 7591 §2");
    assert!(registered["client_secret_expires_at"].as_u64() > registered["client_id_issued_at"].as_u64());
    let code = code(&browser, &client, &[]).await;
    for (secret, expected) in [("wrong", "invalid_client"), ("", "invalid_client")] {
        let answer = redeem(&browser, &client, &code, &[("client_secret", Some(secret))]).await;
        assert_eq!(answer.json()["error"], expected);
    }
    let other = self::registered(&browser, json!({ "redirect_uris": [CALLBACK] })).await;
    assert_ne!(other["client_secret"], registered["client_secret"]);
    let stolen = redeem(&browser, &id(&other), &code, &[("client_secret", other["client_secret"].as_str())]).await;
    assert_eq!(stolen.json()["error"], "invalid_grant");
    assert_eq!(redeem(&browser, &client, &code, &[("client_secret", Some(secret))]).await.status, 200);
}

#[tokio::test]
async fn what_cannot_be_registered_is_refused_with_the_code_of_rfc_7591() {
    let (_server, browser) = server();
    let with = |name: &str, value: Value| {
        let mut metadata = public();
        metadata[name] = value;
        metadata.to_string()
    };
    let uris = |uris: &[&str]| with("redirect_uris", json!(uris));
    let many: Vec<String> = (0..9).map(|port| format!("http://127.0.0.1:900{port}/callback")).collect();
    for (body, error, told) in [
        (uris(&[]), "invalid_redirect_uri", "1 to 8"),
        (with("redirect_uris", json!(many)), "invalid_redirect_uri", "1 to 8"),
        (uris(&[&format!("https://a.example/{}", "a".repeat(400))]), "invalid_redirect_uri", "400 bytes"),
        (uris(&["http://a.example/cb"]), "invalid_redirect_uri", "plain http"),
        (uris(&["https://a.example/cb#x"]), "invalid_redirect_uri", "fragment"),
        (uris(&["https://me@a.example/cb"]), "invalid_redirect_uri", "user name"),
        (uris(&["javascript:alert(1)"]), "invalid_redirect_uri", "private scheme"),
        (uris(&["data:text/html,x"]), "invalid_redirect_uri", "private scheme"),
        (uris(&["zed://callback"]), "invalid_redirect_uri", "private scheme"),
        (uris(&["https://a.example/cb?code=x"]), "invalid_redirect_uri", "code, state"),
        (uris(&["/callback"]), "invalid_redirect_uri", "absolute"),
        (with("application_type", json!("web")), "invalid_redirect_uri", "https"),
        (with("application_type", json!("other")), "invalid_client_metadata", "application_type"),
        (
            with("token_endpoint_auth_method", json!("private_key_jwt")),
            "invalid_client_metadata",
            "token_endpoint_auth_method",
        ),
        (with("grant_types", json!(["client_credentials"])), "invalid_client_metadata", "grant_types"),
        (with("grant_types", json!(["implicit", "password"])), "invalid_client_metadata", "grant_types"),
        (with("response_types", json!(["token"])), "invalid_client_metadata", "response_types"),
        (with("redirect_uris", json!("https://a.example/cb")), "invalid_client_metadata", "arrays"),
        ("[]".to_owned(), "invalid_client_metadata", "JSON object"),
        (r#"[["https://a.example/cb"],"x"]"#.to_owned(), "invalid_client_metadata", "JSON object"),
        (r#"{"grant_types":null}"#.to_owned(), "invalid_redirect_uri", "1 to 8"),
        ("{".to_owned(), "invalid_client_metadata", "JSON"),
        ("redirect_uris=https://a.example".to_owned(), "invalid_client_metadata", "JSON"),
    ] {
        let answer = post(&browser, &body).await;
        let json = answer.json();
        assert_eq!((answer.status, json["error"].as_str().unwrap()), (400, error), "{body}: {json}");
        assert!(json["error_description"].as_str().unwrap().contains(told), "{body}: {json}");
    }
    let form = browser.post("/register", "redirect_uris=https://a.example").await;
    assert_eq!((form.status, &form.json()["error"]), (400, &json!("invalid_client_metadata")));
    assert_eq!(browser.call("/register", None).await.status, 405);
}

#[tokio::test]
async fn only_what_was_sealed_here_is_a_client() {
    let (_server, browser) = server();
    let client = id(&registered(&browser, public()).await);
    let changed = |at: usize| {
        let letter = if client.as_bytes()[at] == b'A' { "B" } else { "A" };
        format!("{}{letter}{}", &client[..at], &client[at + 1..])
    };
    let elsewhere = Browser::new(&start_here(|builder, base| open(builder, base).secret(OTHER))).base;
    let other = Browser::at(&elsewhere);
    for made_up in
        [changed(2), changed(20), changed(client.len() - 2), client[..client.len() - 4].to_owned(), "r.".to_owned()]
    {
        let page = browser.authorize(&[("client_id", Some(&made_up)), ("redirect_uri", Some(CALLBACK))]).await;
        assert!(page.status == 400 && page.is_page(), "{page:?}");
    }
    drop(other);
    // What is registered of it holds: no other address gets a code, whatever is asked.
    for uri in ["http://127.0.0.1:53682/other", "https://evil.example/callback", "cursor://other"] {
        let page = browser.authorize(&[("client_id", Some(&client)), ("redirect_uri", Some(uri))]).await;
        assert!(page.status == 400 && page.is_page(), "{uri}: {page:?}");
    }
}

#[tokio::test]
async fn c51_the_page_says_that_the_name_is_not_verified_and_shows_none_like_our_own() {
    let server = start_here(|builder, base| open(builder, base).name("Acme Notes"));
    let browser = Browser::new(&server);
    for (name, shown) in [
        ("Agent", Some("Agent")),
        ("Acme Notes", None),
        ("ACME  NÖTES", None),
        ("The real Acme Notes app", None),
        ("Acme\u{200b} Notes", None),
        ("\u{202e}setoN emcA", Some("setoN emcA")),
        ("  \n ", None),
        ("<b>bold</b>", Some("&#60;b&#62;bold&#60;/b&#62;")),
        (server.base.trim_start_matches("http://"), None),
    ] {
        let mut metadata = public();
        metadata["client_name"] = json!(name);
        let client = id(&registered(&browser, metadata).await);
        let page = asked(&Browser::new(&server), &client, &[]).await;
        let lead = page.body.split_once("class=\"lead\">").unwrap().1.split_once("</p>").unwrap().0;
        let expected = shown.unwrap_or("127.0.0.1:53682");
        assert!(lead.contains(expected), "{name:?}: {lead}");
        assert!(
            page.body.contains("its name is not verified") && page.body.contains("runs on your device"),
            "{page:?}"
        );
    }
    // Without a name of its own a service is known by its host.
    let nameless = start_here(open);
    let its_browser = Browser::new(&nameless);
    let mut metadata = public();
    metadata["client_name"] = json!(format!("Sign in at {}", nameless.base.trim_start_matches("http://")));
    let client = id(&registered(&its_browser, metadata).await);
    let page = asked(&its_browser, &client, &[]).await;
    assert!(!page.body.contains("Sign in at ") && page.body.contains("127.0.0.1:53682</bdi>"), "{page:?}");
    // One of https is not on the user's device.
    let client = id(&registered(&browser, json!({ "redirect_uris": ["https://agent.example/cb"] })).await);
    let changes = [("client_id", Some(&*client)), ("redirect_uri", Some("https://agent.example/cb"))];
    let before = browser.authorize(&changes).await;
    assert!(before.body.contains("its name is not verified"), "before a password is typed: {before:?}");
    assert!(!browser.authorize(&[]).await.body.contains("not verified"), "the author lists that one");
    let page = Browser::new(&server).sign_in(&changes, "admin", "admin123").await;
    assert!(page.body.contains("its name is not verified") && !page.body.contains("runs on your device"), "{page:?}");
}

#[tokio::test]
async fn an_ended_registration_gets_nothing_any_more() {
    let (oauth, _server, browser) = with_its_service();
    let (kept, ended) = (id(&registered(&browser, public()).await), id(&registered(&browser, public()).await));
    let issued = async |client: &str| redeem(&browser, client, &code(&browser, client, &[]).await, &[]).await.json();
    let (of_kept, of_ended) = (issued(&kept).await, issued(&ended).await);
    assert!(oauth.end_registration(&ended).await.unwrap());
    assert!(!oauth.end_registration(&ended).await.unwrap(), "it has ended");
    assert!(!oauth.end_registration("r.made-up").await.unwrap() && !oauth.end_registration("demo").await.unwrap());
    let refresh = async |client: &str, issued: &Value| {
        browser.refresh(issued["refresh_token"].as_str().unwrap(), &[("client_id", Some(client))]).await
    };
    assert_eq!(refresh(&ended, &of_ended).await.json()["error"], "invalid_client");
    assert_eq!(refresh(&kept, &of_kept).await.status, 200);
    let page = browser.authorize(&[("client_id", Some(&ended)), ("redirect_uri", Some(CALLBACK))]).await;
    assert!(page.status == 400 && page.is_page());
    // By the name that events and tokens have.
    let name = crate::sessions::claims(&of_kept["access_token"])["client_id"].as_str().unwrap().to_owned();
    assert!(oauth.end_registration(&name).await.unwrap());
    assert_eq!(refresh(&kept, &of_kept).await.status, 400);
}

#[tokio::test]
async fn a_registration_lasts_four_hundred_days() {
    let clock = Clock::by_hand();
    let server = start_here(|builder, base| open(builder, base).clock(clock.clone()));
    let browser = Browser::new(&server);
    let metadata = json!({ "redirect_uris": [CALLBACK] });
    let answer = registered(&browser, metadata).await;
    let lasts = 400 * 24 * 3600;
    let [begins, ends] = ["client_id_issued_at", "client_secret_expires_at"].map(|name| answer[name].as_u64().unwrap());
    assert_eq!(ends - begins, lasts);
    let (client, secret) = (id(&answer), answer["client_secret"].as_str().unwrap());
    let asks = [("client_id", Some(&*client)), ("redirect_uri", Some(CALLBACK))];
    let form = [("grant_type", "authorization_code"), ("code", "x")];
    for (later, page, status, error) in [(lasts - 1, 200, 400, "invalid_grant"), (1, 400, 401, "invalid_client")] {
        clock.advance(Duration::from_secs(later));
        let shown = browser.authorize(&asks).await;
        assert!(shown.status == page && shown.is_page(), "{shown:?}");
        let refused = browser.post_as("/token", &client, secret, &form).await;
        assert_eq!((refused.status, &refused.json()["error"]), (status, &json!(error)), "{refused:?}");
    }
}

#[tokio::test]
async fn a_registration_outlives_a_change_of_the_secret() {
    let old = "mLwAG93DWI1RRbFX7yemhh4BP892dokJkL+94Wmzyck=";
    let service = |change: &dyn Fn(Builder<WithReload>) -> Builder<WithReload>, base: &str, listener| {
        let oauth = change(open(builder(base), base).store(MemoryStore::new())).build().unwrap();
        oauth_tests::serve(listener, move |app| {
            app.configure(oauth.routes());
        })
    };
    let (listener, base) = oauth_tests::free_port();
    let before = service(&|builder| builder.secret(old), &base, listener);
    let browser = Browser::at(&base);
    let registered = registered(&browser, json!({ "redirect_uris": [CALLBACK] })).await;
    let (client, secret) = (id(&registered), registered["client_secret"].as_str().unwrap().to_owned());
    drop(before);
    let known = async |change: &dyn Fn(Builder<WithReload>) -> Builder<WithReload>| {
        // The same issuer, wherever it listens.
        let (listener, at) = oauth_tests::free_port();
        let _server = service(change, &base, listener);
        let form = format!("grant_type=authorization_code&code=x&client_id={client}&client_secret={secret}");
        let answer = Browser::at(&at).post("/token", form).await.json()["error"].clone();
        match answer.as_str() {
            Some("invalid_grant") => true,
            Some("invalid_client") => false,
            _ => panic!("{answer}"),
        }
    };
    assert!(known(&|builder| builder.secret(old)).await);
    assert!(!known(&|builder| builder.secret(OTHER)).await);
    assert!(known(&|builder| builder.secret(OTHER).previous_secret(old)).await);
    assert!(known(&|builder| builder.secret(OTHER).registration_secret(Secret::from(old))).await);
}

#[tokio::test]
async fn c09_a_client_that_anyone_can_register_is_no_way_to_send_a_browser_on() {
    let (_server, browser) = server();
    let uri = "https://evil.example/phish";
    let client =
        id(&registered(&browser, json!({ "redirect_uris": [uri], "token_endpoint_auth_method": "none" })).await);
    let ask = |more: &[(&'static str, Option<&'static str>)]| {
        [&[("client_id", Some(&*client)), ("redirect_uri", Some(uri))], more].concat()
    };
    let refused =
        [("prompt", Some("none")), ("scope", Some("bogus")), ("code_challenge", None), ("response_type", Some("x"))];
    for change in refused {
        let answer = browser.authorize(&ask(&[change])).await;
        assert!(answer.status == 400 && answer.is_page(), "{change:?}: {answer:?}");
    }
    // Signed in, and by a user's own decision alone.
    let page = browser.sign_in(&ask(&[]), "admin", "admin123").await;
    for change in refused {
        let answer = browser.authorize(&ask(&[change])).await;
        assert!(answer.status == 400 && answer.is_page(), "{change:?}: {answer:?}");
    }
    assert_eq!(browser.consent(&page.form(), "deny").await.redirect()["error"], "access_denied");
}

#[tokio::test]
async fn c51_a_secret_that_a_client_got_by_itself_does_not_spare_the_question() {
    // https proves no more on the user's own machine.
    for callback in [CALLBACK, "https://localhost:8443/callback", "https://127.0.0.1/callback"] {
        is_asked_each_time(callback).await;
    }
}

async fn is_asked_each_time(callback: &str) {
    let (_server, browser) = server();
    let client = id(&registered(&browser, json!({ "redirect_uris": [callback] })).await);
    for _ in 0..2 {
        let changes = [("client_id", Some(&*client)), ("redirect_uri", Some(callback))];
        let shown = browser.authorize(&changes).await;
        let page = if shown.body.contains("name=\"password\"") {
            browser.login(&shown.form(), "admin", "admin123").await
        } else {
            shown
        };
        assert!(page.is_page() && page.body.contains("name=\"decision\""), "{callback}: {page:?}");
        assert!(page.body.contains("runs on your device"), "{callback}: {page:?}");
        browser.consent(&page.form(), "allow").await.redirect();
    }
}

#[tokio::test]
async fn c51_a_page_without_the_warning_shows_no_name_that_a_client_gave_itself() {
    let server = start_here(|builder, base| {
        open(builder, base)
            .authenticate(async |_: Login| -> SignIn<Value> { SignIn::ask(Question::code("Which code?")) })
            .second_factor(async |_: SecondFactor| -> SignIn<Value> { SignIn::refused() })
    });
    let browser = Browser::new(&server);
    let metadata = json!({
        "client_name": "Your bank", "redirect_uris": ["https://agent.example/cb"], "token_endpoint_auth_method": "none"
    });
    let client = id(&registered(&browser, metadata).await);
    let changes: &[_] = &[("client_id", Some(&*client)), ("redirect_uri", Some("https://agent.example/cb"))];
    let shown = browser.authorize(changes).await;
    assert!(shown.body.contains("Your bank") && shown.body.contains("its name is not verified"), "{shown:?}");
    let question = browser.login(&shown.form(), "admin", "admin123").await;
    let fields = [("request", question.form()), ("answer", "1".to_owned())];
    let wrong = Answer::to(browser.http.post(format!("{}/verify", server.base)).form(&fields)).await;
    for page in [
        // Anyone can link to the first two.
        browser.authorize(&[changes, &[("response_type", Some("token"))]].concat()).await,
        browser.call(&format!("/login?request={}", shown.form()), None).await,
        Browser::new(&server).login(&shown.form(), "admin", "admin123").await,
        question,
        wrong,
    ] {
        assert!(page.body.contains("<strong><bdi>agent.example</bdi></strong>"), "{page:?}");
        assert!(!page.body.contains("Your bank"), "{page:?}");
    }
}

#[tokio::test]
async fn a_user_s_grants_to_it_end_by_its_id_and_by_its_name() {
    let (oauth, _server, browser) = with_its_service();
    let client = id(&registered(&browser, public()).await);
    for by_name in [false, true] {
        let issued = redeem(&browser, &client, &code(&browser, &client, &[]).await, &[]).await.json();
        let claims = crate::sessions::claims(&issued["access_token"]);
        let name = if by_name { claims["client_id"].as_str().unwrap() } else { &client };
        oauth.revoke_client("admin", name).await.unwrap();
        let refresh = browser.refresh(issued["refresh_token"].as_str().unwrap(), &[("client_id", Some(&client))]).await;
        assert_eq!(refresh.json()["error"], "invalid_grant", "by name: {by_name}");
    }
    let taken = |id: &'static str| {
        let client = oauth_runtime::Client::public(id).redirect_uri("https://a.example/cb");
        builder("http://127.0.0.1:8000").client(client).build().is_err()
    };
    assert!(taken("registered-cli") && taken("r.x") && !taken("regular"));
}

#[tokio::test]
async fn an_address_registers_fifty_and_then_waits() {
    let (_server, browser) = server();
    for _ in 0..50 {
        registered(&browser, public()).await;
    }
    let mut refused = 0;
    for _ in 0..4 {
        let answer = post(&browser, public()).await;
        if answer.status == 429 {
            assert!(answer.header("retry-after").parse::<u64>().unwrap() > 0);
            refused += 1;
        }
    }
    assert!(refused >= 2, "{refused}");
}

#[tokio::test]
async fn without_the_line_there_is_no_registration() {
    let server = oauth_tests::start(|builder| builder);
    let browser = Browser::new(&server);
    assert_eq!(post(&browser, public()).await.status, 404);
    let metadata = browser.call("/.well-known/oauth-authorization-server", None).await.json();
    assert!(metadata.get("registration_endpoint").is_none());
}
