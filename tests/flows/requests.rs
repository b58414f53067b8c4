//! What authorization requests of programs of others look like, and where their answers go.

use oauth_runtime::{Builder, Client, Login, OAuthService, Remember};
use oauth_tests::{Answer, Browser, CHALLENGE, SECRET, VERIFIER, free_port, serve, start};
use serde_json::json;

use crate::ceilings::{InTurn, PARTNER, moved, partner, with_partner};

fn with_local_clients(builder: Builder) -> Builder {
    builder
        .client(Client::public("native").redirect_uri("http://localhost/callback"))
        .client(Client::public("fixed").redirect_uri("http://localhost:3000/callback"))
        .client(Client::public("site").redirect_uri("http://notes.localhost:3000/callback"))
        .client(Client::public("editor").allow_scheme("cursor").redirect_uri("cursor://app.cursor/callback"))
}

#[tokio::test]
async fn c08_c09_native_apps_come_back_to_localhost_and_to_their_own_scheme() {
    let server = start(with_local_clients);
    for (client, uri, is_registered) in [
        ("native", "http://localhost/callback", true),
        ("native", "http://localhost:49152/callback", true),
        ("native", "http://127.0.0.1:49152/callback", false),
        ("native", "http://localhost:49152/callback/", false),
        ("native", "http://localhost:49152@evil.example/callback", false),
        ("native", "http://notes.localhost:49152/callback", false),
        ("fixed", "http://localhost:3000/callback", true),
        ("fixed", "http://localhost:3001/callback", false),
        ("site", "http://notes.localhost:3000/callback", true),
        ("site", "http://notes.localhost:3001/callback", false),
        ("editor", "cursor://app.cursor/callback", true),
        ("editor", "cursor://evil/callback", false),
    ] {
        let browser = Browser::new(&server);
        let asked = [("client_id", Some(client)), ("redirect_uri", Some(uri))];
        let page = browser.authorize(&asked).await;
        assert!(!page.headers.contains_key("location"), "{client} {uri}: {page:?}");
        if !is_registered {
            assert_eq!(page.status, 400, "{client} {uri}: {page:?}");
            continue;
        }
        let answer = browser.login(&page.form(), "admin", "admin123").await;
        assert!(answer.header("location").starts_with(&format!("{uri}?code=")), "{client} {uri}: {answer:?}");
        let issued = browser.redeem(&answer.redirect()["code"], &asked).await;
        assert_eq!(issued.status, 200, "{client} {uri}: {issued:?}");
    }
}

/// What nginx takes of an answer's head unless it is configured otherwise.
const PROXY_BUFFER: usize = 4096;

/// The status line, the headers and the empty line, as they are on the wire.
fn head_bytes(answer: &Answer) -> usize {
    let headers = answer.headers.iter().map(|(name, value)| name.as_str().len() + value.len() + ": \r\n".len());
    "HTTP/1.1 303 See Other\r\n".len() + headers.sum::<usize>() + "\r\n".len()
}

#[tokio::test]
async fn c05_a_state_over_the_limit_is_answered_with_a_page() {
    let server = start(|builder| with_partner(builder, |client| client));
    let browser = Browser::new(&server);
    let (longest, longer) = ("s".repeat(1024), "s".repeat(1025));
    for asked in [&[][..], &[("prompt", Some("none"))], &[("response_type", Some("token"))], &partner(&[])] {
        let page = browser.authorize(&[asked, &[("state", Some(&longer))]].concat()).await;
        assert!(page.status == 400 && page.is_page() && page.body.contains("state is too long"), "{page:?}");
        assert!(!page.body.contains("<a "), "nothing could be brought back: {page:?}");
    }
    let redirect = browser.authorize(&[("prompt", Some("none")), ("state", Some(&longest))]).await.redirect();
    assert_eq!((redirect["error"].as_str(), &redirect["state"]), ("login_required", &longest));
    let redirect = browser.sign_in(&[("state", Some(&longest))], "admin", "admin123").await.redirect();
    assert!(redirect.contains_key("code") && redirect["state"] == longest, "{redirect:?}");
}

#[tokio::test]
async fn c05_a_scope_over_the_limit_is_refused_wherever_it_is_asked_for() {
    let server = start(|builder| builder.reload(async |_: &str| Some(json!({}))));
    let browser = Browser::new(&server);
    let padded = |bytes: usize| format!("notes:read {}", "s".repeat(bytes - "notes:read ".len()));
    let (longest, longer) = (padded(1024), padded(1025));
    let redirect = browser.authorize(&[("prompt", Some("none")), ("scope", Some(&longer))]).await.redirect();
    assert_eq!((&*redirect["error"], &*redirect["error_description"]), ("invalid_request", "scope is too long"));
    // What is unknown is left out.
    let issued = browser.issued(&[("scope", Some(&longest))]).await;
    assert_eq!(issued["scope"], "notes:read");
    let refresh = issued["refresh_token"].as_str().unwrap();
    let answer = browser.refresh(refresh, &[("scope", Some(&longer))]).await;
    assert_eq!((answer.status, answer.json()["error"].as_str()), (400, Some("invalid_request")), "{answer:?}");
    let answer = browser.refresh(refresh, &[("scope", Some(&longest))]).await;
    assert_eq!((answer.status, &answer.json()["scope"]), (200, &json!("notes:read")), "nothing was spent: {answer:?}");
}

#[tokio::test]
async fn c05_code_state_and_cookies_together_fit_what_a_proxy_takes() {
    let server = start(|builder| {
        // Whose password says how long their claims are.
        let user = |login: Login| {
            let claims = "c".repeat(login.password.parse().unwrap());
            Some(json!({ "sub": login.username.chars().take(36).collect::<String>(), "claims": claims }))
        };
        builder
            .authenticate(async move |login: Login| user(login))
            .reload(async |_: &str| Some(json!({})))
            .remember_sessions(Remember::Always)
    });
    let longest = "s".repeat(1024);
    let quoted = "{".repeat(330);
    for state in [longest.as_str(), &quoted, ""] {
        let browser = Browser::new(&server);
        let (mut largest, mut refused) = (0, 0);
        for (count, claims) in (0..2000).step_by(50).enumerate() {
            // By many names, so that the cookie of known browsers is as long as it gets.
            let name = format!("{}-{}", count % 5, "n".repeat(254));
            let answer = browser.sign_in(&[("state", Some(state))], &name, &claims.to_string()).await;
            if answer.status == 303 {
                assert_eq!(refused, 0, "what is larger is refused: {claims}");
                largest = largest.max(head_bytes(&answer));
                assert_eq!(answer.redirect().get("state").map_or("", String::as_str), state);
                assert_eq!(browser.redeem(&answer.redirect()["code"], &[]).await.status, 200);
            } else {
                assert!(answer.status == 500 && answer.is_page(), "{answer:?}");
                refused += 1;
            }
            assert!(head_bytes(&answer) <= PROXY_BUFFER, "{} bytes: {answer:?}", head_bytes(&answer));
        }
        // The test came to the limit: what is left is for headers that an application adds to each answer.
        assert!(refused > 0 && largest > 3300, "{refused} refused, the largest has {largest} bytes");
    }
}

#[tokio::test]
async fn c05_a_page_of_the_author_s_gets_no_more_in_its_url_than_a_proxy_takes() {
    let (listener, base) = free_port();
    let uri = format!("http://127.0.0.1/callback?from={}", "u".repeat(1024));
    let demo = Client::public("demo").redirect_uri(&uri);
    let oauth = OAuthService::builder()
        .untyped_claims()
        .issuer(&base)
        .secret(SECRET)
        .client(demo)
        .sign_in_at("/welcome")
        .build()
        .unwrap();
    let server = serve(listener, move |app| {
        app.configure(oauth.routes());
    });
    let (mut passed, mut refused) = (0, 0);
    for bytes in (0..=1024).step_by(64) {
        let (state, nonce) = ("s".repeat(bytes), "n".repeat(bytes / 2));
        let hint = "h".repeat(256);
        let asked = [
            ("state", Some(&*state)),
            ("nonce", Some(&*nonce)),
            ("login_hint", Some(&*hint)),
            ("redirect_uri", Some(&*uri)),
        ];
        let answer = Browser::new(&server).authorize(&asked).await;
        assert!(head_bytes(&answer) <= PROXY_BUFFER, "{answer:?}");
        if answer.header("location").starts_with("/welcome?request=") {
            passed += 1;
        } else {
            assert_eq!(answer.redirect()["error"], "invalid_request", "{answer:?}");
            refused += 1;
        }
    }
    assert!(passed > 8 && refused > 0, "{passed} {refused}");
}

#[tokio::test]
async fn c03_an_error_sends_no_browser_to_a_third_party_before_anyone_signed_in() {
    let server = start(|builder| with_partner(builder, |client| client));
    let browser = Browser::new(&server);
    let errors = [
        ("response_type", "token", "unsupported_response_type"),
        ("scope", "notes:write", "invalid_scope"),
        ("resource", "https://mail.example", "invalid_target"),
        ("code_challenge", "x", "invalid_request"),
        ("prompt", "create", "invalid_request"),
        ("request", "x", "request_not_supported"),
        ("nonce", "\n", "invalid_request"),
    ];
    for (name, value, error) in errors {
        let asked = partner(&[(name, Some(value)), ("state", Some("s"))]);
        let page = browser.authorize(&asked).await;
        assert!(page.status == 400 && page.is_page(), "{name}={value}: {page:?}");
        // Its user may go there, and the client learns what it can mend.
        let way = format!("<a class=\"button\" href=\"{PARTNER}?error={error}&#38;");
        assert!(page.body.contains(&way) && page.body.contains("&#38;state=s&#38;"), "{name}={value}: {page:?}");

        let silent = [&asked[..], &[("prompt", Some("none"))]].concat();
        if name != "prompt" {
            let redirect = browser.authorize(&silent).await.redirect();
            assert_eq!((redirect["error"].as_str(), redirect["state"].as_str()), (error, "s"), "{name}={value}");
        }
        // A client of the author's own is no stranger's.
        let own = browser.authorize(&[("scope", Some("none")), ("state", Some("s"))]).await.redirect();
        assert_eq!((own["error"].as_str(), own["state"].as_str()), ("invalid_scope", "s"));
    }
    browser.sign_in(&[], "admin", "admin123").await;
    for (name, value, error) in errors {
        let redirect = browser.authorize(&partner(&[(name, Some(value))])).await.redirect();
        assert_eq!(redirect["error"], error, "a user is signed in: {name}={value}");
    }
}

const WIKI: &str = "https://wiki.example/cb";

fn wiki() -> Client {
    Client::confidential("wiki").secret(SECRET).redirect_uri(WIKI)
}

/// Changes to an authorization request that leave PKCE out.
const WITHOUT: [(&str, Option<&str>); 2] = [("code_challenge", None), ("code_challenge_method", None)];

#[tokio::test]
async fn c12_c13_c20_pkce_is_left_out_by_clients_that_say_so_and_no_downgrade_is_possible() {
    let turns = InTurn::new();
    let server = turns.serve(|builder| {
        let web = Client::confidential("web").secret(SECRET).redirect_uri("https://web.example/cb");
        builder.client(wiki().danger_without_pkce()).client(web)
    });
    let after = turns.serve(|builder| builder.client(wiki()));
    let browser = Browser::new(&server);
    for client in [&[][..], &[("client_id", Some("web")), ("redirect_uri", Some("https://web.example/cb"))]] {
        let refused = browser.authorize(&[client, &WITHOUT].concat()).await.redirect();
        assert_eq!(refused["error"], "invalid_request", "{client:?}");
    }
    let of_wiki = [("client_id", Some("wiki")), ("redirect_uri", Some(WIKI))];
    for half in [
        [("code_challenge", None), ("code_challenge_method", Some("S256"))],
        [("code_challenge", Some(CHALLENGE)), ("code_challenge_method", None)],
        [("code_challenge", Some(VERIFIER)), ("code_challenge_method", Some("plain"))],
    ] {
        let refused = browser.authorize(&[&of_wiki[..], &half].concat()).await.redirect();
        assert_eq!(refused["error"], "invalid_request", "{half:?}");
    }

    let code = async |pkce: &[(&str, Option<&str>)]| {
        browser.sign_in(&[&of_wiki[..], pkce].concat(), "admin", "admin123").await.redirect()["code"].clone()
    };
    let redeem = async |browser: &Browser, code: &str, more: &[(&str, &str)]| {
        let form = [&[("grant_type", "authorization_code"), ("code", code)], more].concat();
        let answer = browser.post_as("/token", "wiki", SECRET, &form).await;
        if answer.status == 200 { String::new() } else { answer.json()["error"].as_str().unwrap().to_owned() }
    };
    let (uri, verifier) = (("redirect_uri", WIKI), ("code_verifier", VERIFIER));

    // Made without a challenge. RFC 9700 §4.8.2: a verifier then tells of a challenge that an attacker removed.
    let without = code(&WITHOUT).await;
    for (more, error) in [
        (&[uri, verifier][..], "invalid_grant"),
        (&[], "invalid_grant"),
        (&[("redirect_uri", "https://other.example/cb")], "invalid_grant"),
    ] {
        assert_eq!(redeem(&browser, &without, more).await, error, "{more:?}");
    }
    // What its author took away since is gone.
    assert_eq!(redeem(&moved(&browser, &after), &without, &[uri]).await, "invalid_grant");
    assert_eq!(redeem(&browser, &without, &[uri]).await, "", "nothing was spent");

    // Made with one: its client has no choice any more.
    let with = code(&[]).await;
    assert_ne!(redeem(&browser, &with, &[uri]).await, "");
    assert_eq!(redeem(&browser, &with, &[uri, ("code_verifier", &"x".repeat(43))]).await, "invalid_grant");
    assert_eq!(redeem(&browser, &with, &[uri, verifier]).await, "");
}
