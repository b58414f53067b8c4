//! What an author can ask of proofs of possession: nonces, that there is one, that it is spent everywhere (RFC 9449 §5.2 to §11.1).

use std::time::Duration;

use actix_web::dev::Service as _;
use actix_web::http::header::{AUTHORIZATION, HeaderName};
use actix_web::web;
use oauth_runtime::{Builder, Client, Clock, GrantType, Keys, OAuthService, OpeningError, ResourceServer, policy};
use oauth_tests::proofs::ProofKey;
use oauth_tests::{Answer, Browser, REDIRECT, Server, builder, changed, free_port, handlers, serve, start, watched};
use serde_json::{Value, json};

use crate::dpop::{Bound, challenged, refused, text};

/// Signs in, and redeems the code with these proofs.
async fn redeem(bound: &Bound, proofs: &[String]) -> Answer {
    let code = bound.browser.code().await;
    bound.post("/token", bound.browser.token_form(&code, &[]), proofs).await
}

#[tokio::test]
async fn c52_a_proof_needs_the_nonce_of_the_server_where_the_author_wants_that() {
    let clock = Clock::by_hand();
    let server = start(|builder| builder.dpop_nonces().clock(clock.clone()));
    let bound = Bound::new(&server);
    let (url, me) = (bound.url("/token"), bound.url("/me"));
    let at = |clock: &Clock| json!(clock.now().seconds());
    let with = |nonce: &str| {
        let proof = bound.key.for_request("POST", &url).claim("iat", at(&clock));
        proof.claim("nonce", json!(nonce)).sign()
    };

    let answer = redeem(&bound, &[bound.key.for_request("POST", &url).claim("iat", at(&clock)).sign()]).await;
    refused(&answer, "use_dpop_nonce", "no nonce");
    let nonce = answer.header("dpop-nonce").to_owned();
    assert_eq!(nonce.len(), 22, "{answer:?}");
    for other in ["x", &nonce[1..], &oauth_tests::NEW_SECRET[..22]] {
        let answer = redeem(&bound, &[with(other)]).await;
        refused(&answer, "use_dpop_nonce", other);
        assert_eq!(answer.header("dpop-nonce"), nonce);
    }
    let answer = redeem(&bound, &[with(&nonce)]).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let token = text(&answer.json(), "access_token");
    // No proof, no nonce.
    assert_eq!(redeem(&bound, &[]).await.json()["token_type"], "Bearer");

    // The same one is good at guards: libraries keep one for an origin.
    let call = async |nonce: Option<&str>| {
        let proof = bound.key.for_request("GET", &me).claim("iat", at(&clock)).token(&token);
        let proof = if let Some(nonce) = nonce { proof.claim("nonce", json!(nonce)) } else { proof };
        bound.present("/me", "DPoP", &token, &[proof.sign()]).await
    };
    let answer = call(None).await;
    challenged(&answer, "use_dpop_nonce", "at a guard");
    assert_eq!(answer.header("dpop-nonce"), nonce);
    // None but a page of another origin needs to be told that it may read them.
    assert_eq!(answer.headers.get("access-control-expose-headers"), None);
    let proof = bound.key.for_request("GET", &me).claim("iat", at(&clock)).token(&token).sign();
    let from_page = bound.browser.http.get(&me).header("origin", "http://127.0.0.1:7777");
    let from_page = from_page.header("authorization", format!("DPoP {token}")).header("dpop", proof);
    let answer = Answer::to(from_page).await;
    challenged(&answer, "use_dpop_nonce", "of a page");
    assert_eq!(answer.header("access-control-expose-headers"), "DPoP-Nonce, WWW-Authenticate");
    assert_eq!(call(Some(&nonce)).await.status, 200);
    clock.advance(Duration::from_secs(120));
    assert_eq!(call(Some(&nonce)).await.status, 200, "of the period before");
    clock.advance(Duration::from_secs(120));
    let answer = call(Some(&nonce)).await;
    challenged(&answer, "use_dpop_nonce", "too old");
    let next = answer.header("dpop-nonce").to_owned();
    assert_ne!(next, nonce);
    assert_eq!(call(Some(&next)).await.status, 200);
    refused(&redeem(&bound, &[with(&nonce)]).await, "use_dpop_nonce", "too old at /token as well");
    assert_eq!(redeem(&bound, &[with(&next)]).await.status, 200);

    // A page of another origin can read it.
    let request = bound.browser.http.post(&url).header("origin", "http://127.0.0.1:7777").header("dpop", with("x"));
    let form = bound.browser.token_form(&bound.browser.code().await, &[]);
    let answer = Answer::to(request.header("content-type", "application/x-www-form-urlencoded").body(form)).await;
    assert_eq!(answer.header("access-control-expose-headers"), "DPoP-Nonce", "{answer:?}");
    // Pushed requests are held to the same.
    let pushed = oauth_tests::authorization_request(&[]);
    let proof = bound.key.for_request("POST", &bound.url("/par")).claim("iat", at(&clock)).sign();
    let answer = bound.post("/par", pushed, &[proof]).await;
    refused(&answer, "use_dpop_nonce", "at /par");
    assert_eq!(answer.header("dpop-nonce"), next);
}

/// A client whose proof lacks the nonce sends the same body again with it: nothing of that may be spent.
#[tokio::test]
async fn c17_c52_a_request_without_the_nonce_spends_no_assertion_and_counts_as_no_wrong_try() {
    let (clock, key) = (Clock::by_hand(), ProofKey::new());
    let signer = Client::confidential("signer").jwks(key.public()).redirect_uri(REDIRECT).scope("notes:read");
    let signer = signer.grants([GrantType::AuthorizationCode, GrantType::ClientCredentials]);
    let server = start(|builder| builder.dpop_nonces().client(signer).clock(clock.clone()));
    // What clients make has to be younger than the memory of the store.
    clock.advance(Duration::from_secs(15));
    let bound = Bound::new(&server);
    let now = clock.now().seconds();
    let proof = |path: &str| bound.key.for_request("POST", &bound.url(path)).claim("iat", json!(now));
    for (path, status) in [("/token", 200), ("/par", 201)] {
        let unsigned = key.for_request("", "").header("typ", Value::Null).header("jwk", Value::Null);
        let claims =
            [("htm", Value::Null), ("htu", Value::Null), ("aud", json!(server.base)), ("exp", json!(now + 60))];
        let claims =
            claims.into_iter().chain([("iss", json!("signer")), ("sub", json!("signer")), ("iat", json!(now))]);
        let assertion = claims.fold(unsigned, |assertion, (name, value)| assertion.claim(name, value)).sign();
        let form = oauth_tests::authorization_request(&[
            ("grant_type", Some("client_credentials").filter(|_| path == "/token")),
            ("client_id", Some("signer")),
            ("client_assertion_type", Some("urn:ietf:params:oauth:client-assertion-type:jwt-bearer")),
            ("client_assertion", Some(&assertion)),
        ]);
        let mut nonce = String::new();
        for _ in 0..30 {
            let answer = bound.post(path, form.clone(), &[proof(path).sign()]).await;
            refused(&answer, "use_dpop_nonce", path);
            answer.header("dpop-nonce").clone_into(&mut nonce);
        }
        let answer = bound.post(path, form.clone(), &[proof(path).claim("nonce", json!(nonce)).sign()]).await;
        assert_eq!(answer.status, status, "{path}: {answer:?}");
        let again = bound.post(path, form, &[proof(path).claim("nonce", json!(nonce)).sign()]).await;
        refused(&again, "invalid_client", path);
    }
}

#[tokio::test]
async fn c52_a_client_of_whom_it_is_required_gets_no_token_without_a_proof() {
    let server = start(|builder| {
        builder.client(Client::public("bank").redirect_uri("http://127.0.0.1/callback").require_dpop())
    });
    let bound = Bound::new(&server);
    let bank = [("client_id", Some("bank"))];
    let code = bound.browser.sign_in(&bank, "admin", "admin123").await.redirect()["code"].clone();
    let form = || bound.browser.token_form(&code, &bank);
    refused(&bound.post("/token", form(), &[]).await, "invalid_request", "without one");
    let answer = bound.token(form()).await;
    assert_eq!(answer.json()["token_type"], "DPoP", "{answer:?}");
    // Of the others it is not.
    assert_eq!(redeem(&bound, &[]).await.json()["token_type"], "Bearer");
}

/// A service with `/money` beside the usual handlers, behind a policy as well as under an attribute.
fn with_money(change: impl FnOnce(Builder, &str) -> Builder) -> Server {
    let (listener, base) = free_port();
    let oauth = change(builder(&base), &base).build().unwrap();
    serve(listener, move |app| {
        let money = web::scope("/money").wrap(oauth.require(policy!(role = "admin"))).configure(handlers);
        app.configure(oauth.routes()).service(money).configure(handlers);
    })
}

#[tokio::test]
async fn c52_a_resource_of_which_it_is_required_takes_bound_tokens_alone() {
    let server = with_money(|builder, base| {
        builder.mcp(format!("{base}/money")).require_dpop_at(format!("{base}/money")).open_scopes("notes:read")
    });
    let bound = Bound::new(&server);
    let money = bound.url("/money");
    let asked = [("resource", Some(money.as_str()))];
    let code = bound.browser.sign_in(&asked, "admin", "admin123").await.redirect()["code"].clone();
    let form = || bound.browser.token_form(&code, &[]);
    refused(&bound.post("/token", form(), &[]).await, "invalid_request", "a bearer token for it");
    let token = text(&bound.token(form()).await.json(), "access_token");
    // A policy around, guards and extractors: one proof is enough, and it is good once.
    let proof = bound.key.proof_with("GET", &bound.url("/money/stacked"), &token);
    let answer = bound.present("/money/stacked", "DPoP", &token, std::slice::from_ref(&proof)).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    challenged(&bound.present("/money/stacked", "DPoP", &token, &[proof]).await, "invalid_dpop_proof", "again");
    challenged(&bound.present("/money/me", "Bearer", &token, &[]).await, "invalid_token", "as a bearer's");
    let answer = bound.browser.call("/money/me", None).await;
    let [(scheme, parameters)] = &answer.challenges()[..] else { panic!("{answer:?}") };
    assert_eq!((scheme.as_str(), parameters.contains_key("error")), ("DPoP", false));
    let metadata = bound.browser.call("/.well-known/oauth-protected-resource/money", None).await.json();
    assert_eq!(metadata["dpop_bound_access_tokens_required"], true, "{metadata}");
    assert_eq!(metadata["dpop_signing_alg_values_supported"][0], "ES256");
    // Elsewhere in the same App it is as before.
    assert_eq!(bound.browser.call("/me", Some(&bound.browser.token().await)).await.status, 200);
    let own = bound.browser.call("/.well-known/oauth-protected-resource", None).await.json();
    assert_eq!(own["dpop_bound_access_tokens_required"], false, "{own}");

    let unknown = builder("http://127.0.0.1:1").require_dpop_at("https://other.example").build().unwrap_err();
    assert_eq!(unknown, OpeningError::BoundTokensAt { resource: "https://other.example".to_owned() }.into());
}

/// What was issued before it was required is refused too.
#[tokio::test]
async fn c49_a_bearer_token_from_before_is_refused_where_bound_ones_are_required() {
    let (listener, base) = free_port();
    let store = watched(Clock::system());
    let before = builder(&base).store(store.clone()).build().unwrap();
    let after = builder(&base).store(store).require_dpop_at(&base).build().unwrap();
    let server = serve(listener, move |app| {
        let strict = web::scope("/strict").configure(|app| {
            let oauth = &after;
            app.service(web::scope("").wrap(oauth.require(policy!(role = "admin"))).configure(handlers));
        });
        app.configure(before.routes()).service(strict).configure(handlers);
    });
    let browser = Browser::new(&server);
    let token = browser.token().await;
    assert_eq!(browser.call("/open", Some(&token)).await.status, 200);
    challenged(&browser.call("/strict/open", Some(&token)).await, "invalid_token", "bearer");
}

#[tokio::test]
async fn c52_a_code_is_for_the_key_that_was_named_or_shown_when_it_was_asked_for() {
    let server = start(|builder| builder.dpop());
    let bound = Bound::new(&server);
    let other = Bound { browser: bound.browser.clone(), key: ProofKey::new() };
    let jkt = bound.key.thumbprint();
    let named = [("dpop_jkt", Some(jkt.as_str()))];
    let code = bound.browser.sign_in(&named, "admin", "admin123").await.redirect()["code"].clone();
    let form = || bound.browser.token_form(&code, &[]);
    refused(&bound.post("/token", form(), &[]).await, "invalid_grant", "without a proof");
    refused(&other.token(form()).await, "invalid_grant", "another key");
    assert_eq!(bound.token(form()).await.status, 200);
    for malformed in ["x", &jkt[1..], &format!("{jkt}=")] {
        let answer = bound.browser.authorize(&[("dpop_jkt", Some(malformed))]).await;
        assert_eq!(answer.redirect()["error"], "invalid_request", "{malformed}");
    }

    // RFC 9449 §10.1: a key that is shown at /par is as good as one that is named.
    for named in [None, Some(jkt.as_str())] {
        let pushed = oauth_tests::authorization_request(&[("dpop_jkt", named)]);
        let proofs = [bound.key.proof("POST", &bound.url("/par"))];
        let proofs = if named.is_some() { &proofs[..0] } else { &proofs[..] };
        let answer = bound.post("/par", pushed, proofs).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        let uri = text(&answer.json(), "request_uri");
        let request = changed(&[("client_id", "demo"), ("request_uri", &uri)], &[]);
        let page = Answer::to(bound.browser.http.get(bound.url(&format!("/authorize?{request}")))).await;
        let code = bound.browser.login(&page.form(), "admin", "admin123").await.redirect()["code"].clone();
        refused(&other.token(bound.browser.token_form(&code, &[])).await, "invalid_grant", "another key");
        assert_eq!(bound.token(bound.browser.token_form(&code, &[])).await.status, 200);
    }
    let pushed = oauth_tests::authorization_request(&named);
    let answer = other.post("/par", pushed, &[other.key.proof("POST", &bound.url("/par"))]).await;
    refused(&answer, "invalid_request", "one key is named and another one shown");
    let pushed = oauth_tests::authorization_request(&[]);
    let answer = bound.post("/par", pushed, &[bound.key.proof("POST", &bound.url("/token"))]).await;
    refused(&answer, "invalid_dpop_proof", "made for /token");
}

/// RFC 9449 §11.1: at `/par` as elsewhere.
#[tokio::test]
async fn c52_a_proof_that_came_with_a_push_comes_with_no_other() {
    let server = start(|builder| builder.dpop());
    let bound = Bound::new(&server);
    let proof = [bound.key.proof("POST", &bound.url("/par"))];
    let push = async || bound.post("/par", oauth_tests::authorization_request(&[]), &proof).await;
    assert_eq!(push().await.status, 201);
    refused(&push().await, "invalid_dpop_proof", "used before");
}

/// A third party without a resource of its own gets tokens for `/userinfo`, which accepts what the guards accept.
#[tokio::test]
async fn c49_a_token_for_userinfo_alone_is_bound_where_the_guards_require_that() {
    let (listener, base) = free_port();
    let guest = Client::public("guest").redirect_uri("https://guest.example/cb").third_party().allow_scopes("openid");
    let usual = builder(&base).keys(Keys::generate().unwrap()).scope("openid", "Know who you are");
    let oauth = usual.require_dpop_at(&base).client(guest).build().unwrap();
    let server = serve(listener, move |app| {
        app.configure(oauth.routes());
    });
    let bound = Bound::new(&server);
    let guest =
        [("client_id", Some("guest")), ("redirect_uri", Some("https://guest.example/cb")), ("scope", Some("openid"))];
    let consent = bound.browser.sign_in(&guest, "admin", "admin123").await;
    let code = bound.browser.consent(&consent.form(), "allow").await.redirect()["code"].clone();
    let form = || bound.browser.token_form(&code, &guest[..2]);
    refused(&bound.post("/token", form(), &[]).await, "invalid_request", "a bearer token");
    let answer = bound.token(form()).await;
    assert_eq!((answer.status, &answer.json()["token_type"]), (200, &json!("DPoP")), "{answer:?}");
    let token = text(&answer.json(), "access_token");
    assert_eq!(bound.call("/userinfo", &token).await.json()["sub"], "admin");
}

/// A middleware between two guards may change the headers: each guard decides by what it sees.
#[tokio::test]
async fn c49_c52_a_proof_that_one_guard_took_is_good_for_that_token_alone() {
    // Without a cache the guards of a request share what they asked the store.
    for cache in [1 << 20, 0] {
        let (listener, base) = free_port();
        let oauth = builder(&base).dpop().token_cache(cache).build().unwrap();
        let server = serve(listener, move |app| {
            let swapped = web::scope("/swapped").configure(handlers).wrap_fn(|mut request, service| {
                for (name, other) in [(AUTHORIZATION, "x-authorization"), (HeaderName::from_static("dpop"), "x-dpop")] {
                    if let Some(other) = request.headers().get(other).cloned() {
                        request.headers_mut().insert(name, other);
                    }
                }
                service.call(request)
            });
            app.configure(oauth.routes()).service(swapped.wrap(oauth.require(policy!(role = "admin"))));
        });
        let (bound, other) = (Bound::new(&server), Bound::new(&server));
        let (token, others) = (bound.access_token().await, other.access_token().await);
        let url = bound.url("/swapped/me");
        let ask = async |swapped: &[(&str, String)]| {
            let request = bound.browser.http.get(&url).header("authorization", format!("DPoP {token}"));
            let request = request.header("dpop", bound.key.proof_with("GET", &url, &token));
            Answer::to(swapped.iter().fold(request, |request, (name, value)| request.header(*name, value))).await
        };
        let another_token = ("x-authorization", format!("DPoP {others}"));
        let its_proof = ("x-dpop", other.key.proof_with("GET", &url, &others));
        for (name, swapped, status) in [
            ("nothing", vec![], 200),
            ("another token", vec![another_token.clone()], 401),
            ("the same as a bearer's", vec![("x-authorization", format!("Bearer {token}"))], 401),
            ("a proof of another key", vec![("x-dpop", other.key.proof_with("GET", &url, &token))], 401),
            ("another token with its proof", vec![another_token, its_proof], 200),
        ] {
            assert_eq!(ask(&swapped).await.status, status, "{name}, cache of {cache}");
        }
    }
}

/// Two processes with one store behind one address.
fn two(change: impl Fn(Builder) -> Builder) -> [Server; 2] {
    const ISSUER: &str = "http://127.0.0.1:1";
    let store = watched(Clock::system());
    [(), ()].map(|()| {
        let oauth: OAuthService = change(builder(ISSUER).store(store.clone())).build().unwrap();
        serve(free_port().0, move |app| {
            app.configure(oauth.routes()).configure(handlers);
        })
    })
}

/// The status of the same request, sent to each of them twice.
async fn sent_to_each(servers: &[Server; 2], change: impl Fn(&ProofKey) -> (String, String)) -> Vec<u16> {
    let key = ProofKey::new();
    let (token, proof) = change(&key);
    let mut statuses = Vec::new();
    for server in [&servers[0], &servers[1], &servers[0], &servers[1]] {
        let request = reqwest::Client::new().get(format!("{}/me", server.base));
        let request = request.header("authorization", format!("DPoP {token}")).header("dpop", &proof);
        statuses.push(Answer::to(request).await.status);
    }
    statuses
}

#[tokio::test]
async fn c52_a_proof_is_good_once_for_a_process_or_once_for_all() {
    let clean = |builder: Builder| builder.token_cache(0);
    for (servers, expected) in [
        (two(Builder::dpop), [200, 200, 401, 401]),
        (two(|builder| clean(builder.dpop())), [200, 200, 401, 401]),
        (two(Builder::dpop_once), [200, 401, 401, 401]),
        (two(|builder| clean(builder.dpop_once())), [200, 401, 401, 401]),
    ] {
        let bound = Bound::new(&servers[0]);
        let code = bound.browser.code().await;
        let proof = bound.key.proof("POST", "http://127.0.0.1:1/token");
        let answer = bound.post("/token", bound.browser.token_form(&code, &[]), std::slice::from_ref(&proof)).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let token = text(&answer.json(), "access_token");
        // At /token it is once for all, always.
        let there = Browser::new(&servers[1]);
        let form = bound.browser.token_form(&there.code().await, &[]);
        let request = there.http.post(format!("{}/token", servers[1].base)).header("dpop", &proof);
        let again = Answer::to(request.header("content-type", "application/x-www-form-urlencoded").body(form)).await;
        refused(&again, "invalid_dpop_proof", "at the other process");

        let made = |_: &ProofKey| (token.clone(), bound.key.proof_with("GET", "http://127.0.0.1:1/me", &token));
        assert_eq!(sent_to_each(&servers, made).await, expected);
        let answer = Answer::to(
            bound
                .browser
                .http
                .get(bound.url("/stacked"))
                .header("authorization", format!("DPoP {token}"))
                .header("dpop", bound.key.proof_with("GET", "http://127.0.0.1:1/stacked", &token)),
        );
        assert_eq!(answer.await.status, 200, "several guards of one request need one proof");
    }
}

#[tokio::test]
async fn c49_c52_another_process_with_the_guards_alone_takes_proofs_for_its_own_address() {
    let idp = start(|builder| builder.dpop().scope("openid", "Know who you are").resource("https://api.example"));
    let bound = Bound::new(&idp);
    let tokens = bound.issued(&[("resource", Some("https://api.example"))]).await;
    let token = text(&tokens, "access_token");
    let api = async |change: fn(oauth_runtime::ResourceServerBuilder) -> oauth_runtime::ResourceServerBuilder| {
        let api = change(ResourceServer::discover(&idp.base).audience("https://api.example")).build().await.unwrap();
        serve(free_port().0, move |app| {
            app.configure(api.routes()).configure(handlers);
        })
    };
    let call = async |server: &Server, scheme: &str, proofs: &[String]| {
        let request = bound.browser.http.get(format!("{}/me", server.base));
        let request = request.header("authorization", format!("{scheme} {token}"));
        Answer::to(proofs.iter().fold(request, |request, proof| request.header("dpop", proof))).await
    };
    let proof = || bound.key.proof_with("GET", "https://api.example/me", &token);
    let plain = api(|builder| builder).await;
    assert_eq!(call(&plain, "DPoP", &[proof()]).await.challenge()["error"], "invalid_token", "not turned on");

    let server = api(|builder| builder.dpop("https://api.example")).await;
    let once = proof();
    let answer = call(&server, "DPoP", std::slice::from_ref(&once)).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    challenged(&call(&server, "DPoP", &[once]).await, "invalid_dpop_proof", "replayed");
    challenged(&call(&server, "Bearer", &[proof()]).await, "invalid_token", "as a bearer's");
    let elsewhere = bound.key.proof_with("GET", &format!("{}/me", server.base), &token);
    challenged(&call(&server, "DPoP", &[elsewhere]).await, "invalid_dpop_proof", "by the host of the request");
    let thief = ProofKey::new().proof_with("GET", "https://api.example/me", &token);
    challenged(&call(&server, "DPoP", &[thief]).await, "invalid_token", "another key");
    let metadata = Browser::new(&server).call("/.well-known/oauth-protected-resource", None).await.json();
    assert_eq!(metadata["dpop_bound_access_tokens_required"], false, "{metadata}");

    let strict = api(|builder| builder.require_dpop("https://api.example")).await;
    assert_eq!(call(&strict, "DPoP", &[proof()]).await.status, 200);
    let bearer = bound.browser.issued(&[("resource", Some("https://api.example"))]).await;
    let answer = Browser::new(&strict).call("/me", Some(&text(&bearer, "access_token"))).await;
    challenged(&answer, "invalid_token", "a bearer token");
    for no_origin in ["api.example", "https://api.example/", "https://api.example/v1", "HTTPS://api.example"] {
        let api = ResourceServer::discover(&idp.base).audience("https://api.example").dpop(no_origin).build().await;
        assert!(api.unwrap_err().to_string().contains("is not an origin"), "{no_origin}");
    }
}
