//! Resource indicators (RFC 8707): what tokens are for.

use oauth_runtime::states::WithReload;
use oauth_runtime::{Builder, Client};
use oauth_tests::{Answer, Browser, Server, start_here};
use serde_json::{Value, json};

use crate::ceilings::{InTurn, moved};
use crate::sessions::claims;

const SECRET: &str = "the secret of a server that asks, in the tests";
const API: &str = "https://api.example";
const FILES: &str = "https://files.example/v1?a=b";

fn with_resources(builder: Builder, base: &str) -> Builder<WithReload> {
    builder.reload_blocking(|_| Some(json!({ "role": "admin" }))).own_resource(API).own_resource(FILES).client(
        Client::confidential("job").secret(SECRET).resource_server(base).resource_server(API).resource_server(FILES),
    )
}

fn server() -> (Server, Browser) {
    let server = start_here(with_resources);
    let browser = Browser::new(&server);
    (server, browser)
}

/// What a token says, as the confidential client learns by introspection.
async fn audience(browser: &Browser, answer: &Answer) -> Value {
    assert_eq!(answer.status, 200, "{answer:?}");
    let token = answer.json()["access_token"].as_str().unwrap().to_owned();
    let said = browser.post_as("/introspect", "job", SECRET, &[("token", &token)]).await.json();
    assert_eq!(said["active"], true, "{said}");
    // The guard here takes what is for here, and nothing else.
    let here =
        said["aud"] == browser.base || said["aud"].as_array().is_some_and(|all| all.contains(&json!(browser.base)));
    let me = browser.call("/me", Some(&token)).await;
    assert_eq!(me.status, if here { 200 } else { 401 }, "{me:?}");
    if !here {
        assert_eq!(me.challenge()["error"], "invalid_token");
    }
    said["aud"].clone()
}

fn refused(answer: &Answer) {
    assert_eq!((answer.status, &answer.json()["error"]), (400, &json!("invalid_target")), "{answer:?}");
}

async fn code(browser: &Browser, resources: &[&str]) -> String {
    let asked: Vec<_> = resources.iter().map(|resource| ("resource", Some(*resource))).collect();
    browser.sign_in(&asked, "admin", "admin123").await.redirect()["code"].clone()
}

#[tokio::test]
async fn c24_c26_a_token_is_for_what_was_asked_within_what_was_granted() {
    let (_server, browser) = server();
    let own = browser.base.clone();
    // Granted, asked for with the code, and what the token has.
    let table: &[(&[&str], &[&str], Option<Value>)] = &[
        (&[], &[], Some(json!(own))),
        (&[], &[&own], Some(json!(own))),
        (&[], &[API], None),
        (&[API], &[], Some(json!(API))),
        (&[API], &[API], Some(json!(API))),
        (&[API], &[FILES], None),
        (&[API], &[&own], None),
        (&[API], &["https://unknown.example"], None),
        (&[API, FILES], &[], Some(json!([API, FILES]))),
        (&[API, FILES, FILES], &[FILES], Some(json!(FILES))),
        (&[FILES, &own], &[], Some(json!([own, FILES]))),
        (&[FILES, &own], &[&own, FILES], Some(json!([own, FILES]))),
    ];
    for (granted, asked, expected) in table {
        let code = code(&browser, granted).await;
        let asked: Vec<_> = asked.iter().map(|resource| ("resource", Some(*resource))).collect();
        let answer = browser.redeem(&code, &asked).await;
        match expected {
            Some(expected) => assert_eq!(&audience(&browser, &answer).await, expected, "{granted:?} {asked:?}"),
            None => {
                refused(&answer);
                assert_eq!(browser.redeem(&code, &[]).await.status, 200, "the code was not spent");
            }
        }
    }
}

#[tokio::test]
async fn c24_each_refresh_chooses_among_what_was_granted() {
    let (_server, browser) = server();
    let own = browser.base.clone();
    let code = code(&browser, &[API, FILES]).await;
    // The first token is for one of them; the family is for both.
    let mut answer = browser.redeem(&code, &[("resource", Some(API))]).await;
    assert_eq!(audience(&browser, &answer).await, API);
    for (asked, expected) in [
        (vec![FILES], json!(FILES)),
        (vec![], json!([API, FILES])),
        (vec![API], json!(API)),
        (vec![API, FILES], json!([API, FILES])),
    ] {
        let token = answer.json()["refresh_token"].as_str().unwrap().to_owned();
        refused(&browser.refresh(&token, &[("resource", Some(&own))]).await);
        refused(&browser.refresh(&token, &[("resource", Some(API)), ("resource", Some("https://x.example"))]).await);
        let asked: Vec<_> = asked.into_iter().map(|resource| ("resource", Some(resource))).collect();
        answer = browser.refresh(&token, &asked).await;
        assert_eq!(audience(&browser, &answer).await, expected);
    }
}

#[tokio::test]
async fn c24_c26_a_token_for_a_server_of_somebody_else_is_for_that_alone() {
    const THEIRS: &str = "https://theirs.example";
    let server = start_here(|builder, base| with_resources(builder.resource(THEIRS), base));
    let browser = Browser::new(&server);
    let own = server.base.as_str();
    let userinfo = format!("{own}/userinfo");
    for granted in [[THEIRS, API], [THEIRS, own], [THEIRS, &userinfo]] {
        // Both may be granted; a token is for one of them.
        let code = code(&browser, &granted).await;
        refused(&browser.redeem(&code, &[]).await);
        refused(&browser.redeem(&code, &[("resource", Some(granted[0])), ("resource", Some(granted[1]))]).await);
        let issued = browser.redeem(&code, &[("resource", Some(THEIRS))]).await;
        let token = issued.json()["refresh_token"].as_str().unwrap().to_owned();
        refused(&browser.refresh(&token, &[]).await);
        for resource in granted {
            let issued = browser.refresh(&token, &[("resource", Some(resource))]).await;
            assert_eq!(claims(&issued.json()["access_token"])["aud"], resource);
        }
    }
    let job = [("grant_type", "client_credentials"), ("resource", THEIRS), ("resource", API)];
    refused(&browser.post_as("/token", "job", SECRET, &job).await);
}

#[tokio::test]
async fn an_authorization_request_for_an_unknown_resource() {
    let (_server, browser) = server();
    for unknown in
        ["https://unknown.example", "https://api.example/v1", "https://api.example/.", "api", "https://api.example#a"]
    {
        let redirect = browser.authorize(&[("resource", Some(unknown)), ("state", Some("s"))]).await.redirect();
        assert_eq!((redirect["error"].as_str(), redirect["state"].as_str()), ("invalid_target", "s"), "{unknown}");
    }
    let redirect = browser.authorize(&[("resource", Some(API)), ("resource", Some("https://x.example"))]).await;
    assert_eq!(redirect.redirect()["error"], "invalid_target");
    let long = format!("https://{}", "x".repeat(2100));
    assert_eq!(browser.authorize(&[("resource", Some(&long))]).await.redirect()["error"], "invalid_request");
    // It survives a wrong password, sealed in the form.
    let page = browser.authorize(&[("resource", Some(API)), ("resource", Some(""))]).await;
    let again = browser.login(&page.form(), "admin", "wrong").await;
    let redirect = browser.login(&again.form(), "admin", "admin123").await.redirect();
    assert_eq!(audience(&browser, &browser.redeem(&redirect["code"], &[]).await).await, API);
}

#[tokio::test]
async fn c24_c26_a_resource_is_asked_for_in_any_spelling_and_named_as_it_is_registered() {
    const SLASH: &str = "https://Mail.example/v1/";
    let server = start_here(|builder, base| {
        let wide = Client::public("wide").redirect_uri("http://127.0.0.1/callback").third_party();
        with_resources(builder, base).own_resource(SLASH).client(wide.allow_resources(["https://mail.example:443/v1"]))
    });
    let browser = Browser::new(&server);
    let own = server.base.as_str();
    for (asked, expected) in [
        ("https://api.example/", API),
        ("HTTPS://API.EXAMPLE:443", API),
        ("https://files.example/v1/?a=b", FILES),
        ("https://mail.example/v1", SLASH),
        ("https://mail.example:443/v1/", SLASH),
        (&own.replace("http", "HTTP"), own),
        (&format!("{own}/"), own),
    ] {
        // At each step where it is asked for.
        let code = code(&browser, &[asked]).await;
        let issued = browser.redeem(&code, &[("resource", Some(asked))]).await;
        assert_eq!(claims(&issued.json()["access_token"])["aud"], expected, "{asked}");
        let refresh = issued.json()["refresh_token"].as_str().unwrap().to_owned();
        let issued = browser.refresh(&refresh, &[("resource", Some(asked))]).await;
        assert_eq!(claims(&issued.json()["access_token"])["aud"], expected, "{asked}");
        if expected == own {
            assert_eq!(browser.call("/me", issued.json()["access_token"].as_str()).await.status, 200);
        }
        let job = [("grant_type", "client_credentials"), ("resource", asked), ("resource", expected)];
        let issued = browser.post_as("/token", "job", SECRET, &job).await.json();
        assert_eq!(claims(&issued["access_token"])["aud"], expected, "{asked}: one and the same");
    }
    // A ceiling is of what is meant, however its author spells it.
    let wide = [("client_id", Some("wide")), ("resource", Some("https://mail.example/v1"))];
    assert_eq!(browser.authorize(&wide).await.status, 200);
    for other in [
        "https://mail.example/V1",
        "https://mail.example/%76%31",
        "https://mail.example/v1//",
        "https://mail.example/x/../v1",
    ] {
        let redirect = browser.authorize(&[("resource", Some(other))]).await.redirect();
        assert_eq!(redirect["error"], "invalid_target", "{other}");
    }
}

#[tokio::test]
async fn a_client_in_its_own_name_and_a_token_for_elsewhere_that_is_revoked() {
    let (_server, browser) = server();
    let own = browser.base.clone();
    let grant = ("grant_type", "client_credentials");
    for (asked, expected) in [(vec![], json!(own)), (vec![API], json!(API)), (vec![FILES, API], json!([API, FILES]))] {
        let mut form = vec![grant];
        form.extend(asked.iter().map(|resource| ("resource", *resource)));
        let answer = browser.post_as("/token", "job", SECRET, &form).await;
        assert_eq!(audience(&browser, &answer).await, expected);
        let token = answer.json()["access_token"].as_str().unwrap().to_owned();
        assert_eq!(browser.post_as("/revoke", "job", SECRET, &[("token", &token)]).await.status, 200);
        let said = browser.post_as("/introspect", "job", SECRET, &[("token", &token)]).await.json();
        assert_eq!(said, json!({ "active": false }));
    }
    refused(&browser.post_as("/token", "job", SECRET, &[grant, ("resource", "https://x.example")]).await);
}

/// A user was asked about the service itself. By the time of the next step, clients of this kind may have another resource
/// and this one no more.
#[tokio::test]
async fn c24_c40_c43_what_was_allowed_for_one_resource_becomes_no_other_one() {
    let turns = InTurn::new();
    let (own, mcp) = (turns.base.clone(), format!("{}/mcp", turns.base));
    let reload = |builder: Builder| builder.reload_blocking(|_| Some(json!({ "role": "admin" })));
    let before =
        turns.serve(|builder| reload(builder.registration().open_resources([own.clone()]).open_scopes("notes:read")));
    let after = turns.serve(|builder| {
        reload(builder.registration().mcp(mcp.clone()).open_scopes("notes:read").without_client_documents())
    });
    let browser = Browser::new(&before);
    let there = moved(&browser, &after);
    let about = json!({ "redirect_uris": ["https://agent.example/cb"], "token_endpoint_auth_method": "none" });
    let request = browser.http.post(format!("{}/register", browser.base)).header("Content-Type", "application/json");
    let client = Answer::to(request.body(about.to_string())).await.json()["client_id"].as_str().unwrap().to_owned();
    let it = [("client_id", Some(&*client)), ("redirect_uri", Some("https://agent.example/cb"))];
    let asks = |prompt| [&it[..], &[("scope", Some("notes:read")), ("prompt", prompt)]].concat();

    let page = browser.sign_in(&asks(None), "admin", "admin123").await;
    let allowed = browser.consent(&page.form(), "allow").await;
    let issued = browser.redeem(&allowed.redirect()["code"], &it).await.json();
    let token = issued["refresh_token"].as_str().unwrap();
    let on_its_way = browser.consent(&browser.authorize(&asks(Some("consent"))).await.form(), "allow").await;
    let open = browser.authorize(&asks(Some("consent"))).await;

    let allowed = there.consent(&open.form(), "allow").await;
    for answer in [
        there.refresh(token, &it[..1]).await,
        there.redeem(&on_its_way.redirect()["code"], &it).await,
        there.redeem(&allowed.redirect()["code"], &it).await,
    ] {
        assert_eq!(answer.status, 200, "{answer:?}");
        // All that is left is to ask who signed in.
        assert_eq!(claims(&answer.json()["access_token"])["aud"], json!(format!("{own}/userinfo")), "{answer:?}");
    }
    let silent = there.authorize(&asks(Some("none"))).await;
    assert!(!silent.headers.get("location").is_some_and(|to| to.to_str().unwrap().contains("code=")), "{silent:?}");
}
