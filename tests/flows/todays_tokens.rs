//! Access tokens that were issued before the configuration became another one.

use oauth_runtime::{Builder, Client};
use oauth_tests::{Browser, SECRET, Server};
use serde_json::{Value, json};

use crate::ceilings::{FILES, InTurn, issued, moved, with_partner};

/// With a client of the service's own that may ask about tokens for it, and a job.
fn with_others<S>(builder: Builder<S>, own: &str, job: &str) -> Builder<S> {
    let api = Client::confidential("api").secret(SECRET).resource_server(own).resource_server(FILES);
    builder.client(api).client(Client::confidential("job").secret(SECRET).scope(job))
}

async fn status(browser: &Browser, path: &str, token: &str) -> u16 {
    // The second time from the cache.
    let first = browser.call(path, Some(token)).await;
    let again = browser.call(path, Some(token)).await;
    assert_eq!(first.status, again.status, "{path}");
    if first.status == 401 {
        assert_eq!(first.challenge()["error"], "invalid_token", "{first:?}");
    }
    first.status
}

async fn introspected(browser: &Browser, client: &str, token: &str) -> Value {
    browser.post_as("/introspect", client, SECRET, &[("token", token)]).await.json()
}

/// A server as it was, one that allows the partner less, and one that does not know it.
struct Turns {
    before: Server,
    after: Server,
    gone: Server,
    /// The audience of the three.
    own: String,
}

fn turns() -> Turns {
    let turns = InTurn::new();
    let own = turns.base.clone();
    let before = turns.serve(|builder| {
        let allow =
            |client: Client| client.allow_scopes("notes:read notes:write profile").allow_resources([&own, FILES]);
        with_others(with_partner(builder, allow), &own, "notes:read notes:write")
    });
    let after = turns.serve(|builder| {
        let allow = |client: Client| client.allow_scopes("notes:read").allow_resources([FILES]);
        with_others(with_partner(builder, allow), &own, "notes:write")
    });
    let gone = turns.serve(|builder| {
        let builder = builder.scope("openid", "Know who you are").reload(async |_: &str| Some(json!({})));
        builder.client(Client::confidential("api").secret(SECRET).resource_server(&own))
    });
    Turns { before, after, gone, own }
}

#[tokio::test]
async fn c43_an_access_token_has_no_more_than_its_client_may_have_today() {
    let Turns { before, after, gone, own } = turns();
    let browser = Browser::new(&before);
    let (there, nowhere) = (moved(&browser, &after), moved(&browser, &gone));
    let token =
        async |more: &[(&str, Option<&str>)]| issued(&browser, more).await["access_token"].as_str().unwrap().to_owned();
    let at_both = [("resource", Some(own.as_str())), ("resource", Some(FILES))];
    let here = token(&[("scope", Some("openid profile notes:read notes:write"))]).await;
    let both = token(&[&at_both[..], &[("scope", Some("openid profile notes:read notes:write"))]].concat()).await;
    let write = token(&[("scope", Some("notes:write")), ("resource", Some(FILES))]).await;
    let whole = json!("notes:read notes:write openid profile");
    for token in [&here, &both] {
        assert_eq!(status(&browser, "/notes", token).await, 200);
        let told = introspected(&browser, "api", token).await;
        assert_eq!((&told["active"], &told["scope"]), (&json!(true), &whole));
    }

    // The service's own audience is none of its resources any more.
    for path in ["/me", "/notes"] {
        assert_eq!(status(&there, path, &here).await, 401, "{path}");
        assert_eq!(status(&there, path, &both).await, 401, "{path}");
    }
    // What is left of it is named, and no more.
    let told = introspected(&there, "api", &both).await;
    assert_eq!((&told["scope"], &told["aud"]), (&json!("notes:read openid"), &json!(FILES)));
    // Nothing is left of one for this service alone, nor of one for a scope alone.
    for token in [&here, &write] {
        assert_eq!(introspected(&there, "api", token).await, json!({ "active": false }));
    }

    // A client that is gone has no tokens.
    for token in [&here, &both, &write] {
        for path in ["/me", "/notes", "/userinfo"] {
            assert_eq!(status(&nowhere, path, token).await, 401, "{path}");
        }
        assert_eq!(introspected(&nowhere, "api", token).await, json!({ "active": false }));
    }
    // Where it is in the configuration again, the token has it again.
    assert_eq!(status(&browser, "/notes", &both).await, 200);
}

#[tokio::test]
async fn c43_userinfo_and_guards_take_of_a_token_what_is_left_of_its_scope() {
    let turns = InTurn::new();
    let own = turns.base.clone();
    let serve = |scopes: &'static str| {
        turns.serve(|builder| {
            with_partner(builder, |client| client.allow_scopes(scopes).allow_resources([&own]))
                .authenticate(async |_: oauth_runtime::Login| Some(json!({ "sub": "admin", "name": "Ada" })))
        })
    };
    let (before, after) = (serve("profile notes:read notes:write"), serve("notes:write"));
    let browser = Browser::new(&before);
    let there = moved(&browser, &after);
    let token = issued(&browser, &[("scope", Some("openid profile notes:read notes:write"))]).await;
    let token = token["access_token"].as_str().unwrap();
    assert_eq!(browser.call("/userinfo", Some(token)).await.json(), json!({ "sub": "admin", "name": "Ada" }));
    assert_eq!(there.call("/userinfo", Some(token)).await.json(), json!({ "sub": "admin" }));
    assert_eq!((status(&browser, "/notes", token).await, status(&there, "/notes", token).await), (200, 403));
    let me = there.call("/me", Some(token)).await.json();
    assert_eq!((&me["scope"], &me["aud"]), (&json!("notes:write openid"), &json!([own])));
}

#[tokio::test]
async fn c43_a_job_has_no_more_than_it_may_have_today_and_what_it_gives_back_stays_ended() {
    let Turns { before, after, .. } = turns();
    let browser = Browser::new(&before);
    let there = moved(&browser, &after);
    let ask = async |scope: &str| {
        let form = [("grant_type", "client_credentials"), ("scope", scope)];
        let answer = browser.post_as("/token", "job", SECRET, &form).await.json();
        answer["access_token"].as_str().unwrap().to_owned()
    };
    let (both, read) = (ask("notes:read notes:write").await, ask("notes:read").await);
    assert_eq!((status(&there, "/me", &both).await, status(&there, "/notes", &both).await), (200, 403));
    assert_eq!((status(&there, "/me", &read).await, status(&browser, "/notes", &read).await), (401, 200));
    // It is good for nothing there, and can be given back all the same.
    let revoked = there.post_as("/revoke", "job", SECRET, &[("token", &read)]).await;
    assert_eq!(revoked.status, 200, "{revoked:?}");
    assert_eq!(status(&browser, "/notes", &read).await, 401);
}
