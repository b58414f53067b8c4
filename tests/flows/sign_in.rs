//! Who signs in, who does not, and what a server bears.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use oauth_runtime::{Clock, Event, EventKind, Login, Scope};
use oauth_tests::{Answer, Browser, PATIENCE, Server, builder, free_port, handlers, serve, start};
use serde_json::{Value, json};

fn is_try_again_later(answer: &Answer) -> bool {
    answer.status == 503 && answer.header("retry-after") == "5" && answer.is_page()
}

async fn lives_on(server: &Server) {
    for _ in 0..8 {
        assert_eq!(Browser::new(server).authorize(&[]).await.status, 200);
    }
}

#[tokio::test]
async fn c22_a_subject_that_is_a_client_id_is_refused() {
    let server = start(|builder| builder.authenticate(async |login: Login| Some(json!({ "sub": login.username }))));
    let browser = Browser::new(&server);
    for name in ["demo", "other"] {
        let answer = browser.sign_in(&[], name, "x").await;
        assert!(answer.status == 500 && answer.is_page(), "{answer:?}");
        assert!(!answer.body.contains("code="), "{answer:?}");
    }
    assert_eq!(browser.sign_in(&[], "Demo", "x").await.status, 303, "another name");
}

#[tokio::test]
async fn c45_a_name_as_typed_is_no_identity() {
    let (sender, told) = mpsc::channel();
    let (listener, base) = free_port();
    let oauth = builder(&base)
        // A database that compares without case and white space, as most do.
        .authenticate(async |login: Login| {
            let name = login.username.trim().to_lowercase();
            Some(match &*login.password {
                "without" => json!({ "role": "admin" }),
                "null" => json!({ "sub": null }),
                _ => json!({ "sub": name }),
            })
        })
        .reload(async |_: &str| Some(json!({ "role": "admin" })))
        .on_event(move |event: &Event| sender.send((event.kind, event.reason)).unwrap())
        .build()
        .unwrap();
    let routes = oauth.clone();
    let server = serve(listener, move |app| {
        app.configure(routes.routes()).configure(handlers);
    });
    let browser = Browser::new(&server);
    for password in ["without", "null"] {
        let refused = browser.sign_in(&[], "alice", password).await;
        assert!(refused.status == 500 && refused.is_page() && !refused.body.contains("code="), "{refused:?}");
        assert!(!refused.header("set-cookie").contains("session"), "{refused:?}");
        assert_eq!(told.recv_timeout(PATIENCE).unwrap(), (EventKind::SignInRefused, Some("claims")));
    }

    // However the name is typed, it is one user, and a sign-out ends them all.
    let mut held = Vec::new();
    for typed in ["alice", "ALICE ", "Alice"] {
        let browser = Browser::new(&server);
        let redirect = browser.sign_in(&[], typed, "right").await.redirect();
        let issued = browser.redeem(&redirect["code"], &[]).await.json();
        let (access, refresh) = (issued["access_token"].as_str().unwrap(), issued["refresh_token"].as_str().unwrap());
        assert_eq!(browser.call("/me", Some(access)).await.json()["sub"], "alice");
        held.push((access.to_owned(), refresh.to_owned()));
    }
    // What reload answers may leave the subject out: it was asked for one.
    assert_eq!(browser.refresh(&held[2].1, &[]).await.status, 200);
    oauth.sign_out("alice").await.unwrap();
    for (access, refresh) in held {
        assert_eq!(browser.call("/me", Some(&access)).await.status, 401);
        assert_eq!(browser.refresh(&refresh, &[]).await.status, 400);
    }
}

#[tokio::test]
async fn claims_that_no_token_can_carry_are_refused() {
    let server = start(|builder| {
        builder.authenticate(async |login: Login| {
            let name = login.username;
            Some(match name.as_str() {
                "array" => json!(["a"]),
                "text" => json!("a"),
                "number sub" => json!({ "sub": 7 }),
                "empty sub" => json!({ "sub": "" }),
                "long sub" => json!({ "sub": "x".repeat(256) }),
                "large" => json!({ "sub": "ada", "list": vec!["x".repeat(40); 50] }),
                "good" => json!({ "sub": "x".repeat(255), "auth": 1, "list": vec!["x"; 50] }),
                claim => json!({ "sub": "ada", claim: 1, "role": "admin" }),
            })
        })
    });
    let browser = Browser::new(&server);
    let registered = "iss aud exp nbf iat jti client_id scope auth_time acr amr azp nonce sid gid cnf act at_hash";
    let others = ["array", "text", "number sub", "empty sub", "long sub", "large"];
    for name in registered.split(' ').chain(others) {
        let answer = browser.sign_in(&[], name, "x").await;
        assert!(answer.status == 500 && answer.is_page() && !answer.body.contains("code="), "{name}: {answer:?}");
    }
    let redirect = browser.sign_in(&[], "good", "x").await.redirect();
    let token = browser.redeem(&redirect["code"], &[]).await.json()["access_token"].as_str().unwrap().to_owned();
    assert_eq!(browser.call("/me", Some(&token)).await.json()["claims"]["auth"], 1);
}

#[tokio::test]
async fn an_authenticate_that_panics_fails_or_never_ends() {
    let (_end, never) = mpsc::channel::<()>();
    let never = Mutex::new(never);
    let times: [Server; 6] = [
        start(|builder| builder.authenticate(async |_| -> Option<Value> { panic!("async") })),
        start(|builder| builder.authenticate_blocking(|_| -> Option<Value> { panic!("blocking") })),
        start(|builder| builder.authenticate(async |_| Err::<Option<Value>, _>("the database of users is away"))),
        start(|builder| builder.authenticate_blocking(|_| Err::<Option<Value>, _>("the database of users is away"))),
        start(|builder| {
            builder
                .authenticate_timeout(Duration::from_millis(300))
                .authenticate(async |_| std::future::pending::<Option<Value>>().await)
        }),
        start(|builder| {
            builder.authenticate_timeout(Duration::from_millis(300)).authenticate_blocking(move |_| {
                let _ = never.lock().unwrap().recv();
                Some(json!({ "sub": "ada" }))
            })
        }),
    ];
    for (number, server) in times.iter().enumerate() {
        let browser = Browser::new(server);
        // More than are free of delay: what was no attempt is not counted as one.
        for _ in 0..(if number == 5 { 1 } else { 15 }) {
            let answer = browser.sign_in(&[], "admin", "admin123").await;
            assert!(is_try_again_later(&answer), "{number}: {answer:?}");
            assert!(!answer.body.contains("database") && !answer.body.contains("panic"), "no hint: {answer:?}");
        }
        lives_on(server).await;
    }
}

#[tokio::test]
async fn no_more_blocking_calls_at_once_than_allowed() {
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let counters = (Arc::clone(&now), Arc::clone(&most));
    let (closed, gate) = mpsc::channel::<()>();
    let gate = Mutex::new(gate);
    let server = start(|builder| {
        // One of them is for known browsers alone.
        builder.blocking_at_once(3).authenticate_blocking(move |_| {
            let (now, most) = &counters;
            most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            let _ = gate.lock().unwrap().recv();
            now.fetch_sub(1, Ordering::SeqCst);
            Some(json!({ "sub": "ada" }))
        })
    });
    let browser = Browser::new(&server);
    let form = browser.authorize(&[]).await.form();
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..6 {
        let (browser, form) = (browser.clone(), form.clone());
        tasks.spawn(async move { browser.login(&form, &format!("user{number}"), "x").await });
    }
    while now.load(Ordering::SeqCst) < 2 {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    // Those without a place wait for one.
    drop(closed);
    let answers = tasks.join_all().await;
    assert!(answers.len() == 6 && answers.iter().all(|answer| answer.status == 303), "{answers:?}");
    assert_eq!(most.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn who_finds_no_place_in_time_is_told_to_come_again() {
    let (closed, gate) = mpsc::channel::<()>();
    let gate = Mutex::new(gate);
    let server = start(|builder| {
        let builder = builder.blocking_at_once(1).authenticate_timeout(Duration::from_millis(200));
        builder.authenticate_blocking(move |login: Login| {
            let _ = gate.lock().unwrap().recv();
            Some(json!({ "sub": login.username }))
        })
    });
    let browser = Browser::new(&server);
    let form = browser.authorize(&[]).await.form();
    // The first has the place until its thread ends, and no answer in time either.
    for name in ["ada", "eve"] {
        let answer = browser.login(&form, name, "x").await;
        assert!(is_try_again_later(&answer), "{answer:?}");
    }
    drop(closed);
}

#[tokio::test]
async fn c17_guessing_is_slowed_down_and_the_delay_doubles() {
    let clock = Clock::by_hand();
    let server = start(|builder| builder.clock(clock.clone()));
    let browser = Browser::new(&server);
    let form = browser.authorize(&[]).await.form();
    for attempt in 0..10 {
        assert_eq!(browser.login(&form, "admin", "wrong").await.status, 401, "{attempt}");
    }
    for delay in [2, 4, 8, 16, 32] {
        assert_eq!(browser.login(&form, "admin", "wrong").await.status, 401, "one is let through");
        for name in ["admin", "ADMIN"] {
            let refused = browser.login(&form, name, "admin123").await;
            assert!(refused.status == 429 && refused.is_page(), "{refused:?}");
            assert_eq!(refused.header("retry-after"), delay.to_string());
        }
        let other = Browser::new(&server).sign_in(&[], "user", "user123").await;
        assert_eq!(other.status, 303, "others are not held up");
        clock.advance(Duration::from_secs(delay - 1));
        assert_eq!(browser.login(&form, "admin", "admin123").await.status, 429);
        clock.advance(Duration::from_secs(1));
    }
    assert_eq!(browser.login(&form, "admin", "admin123").await.status, 303, "after the delay the right one is let in");
}

#[tokio::test]
async fn c17_an_address_that_guesses_many_names_is_slowed_down_too() {
    let clock = Clock::by_hand();
    let server = start(|builder| {
        builder.clock(clock.clone()).client_address(|request| {
            request.headers().get("x-address").and_then(|value| value.to_str().ok()).and_then(|text| text.parse().ok())
        })
    });
    let browser = Browser::new(&server);
    let form = browser.authorize(&[]).await.form();
    let from = async |address: &str, name: &str| {
        let request = browser.http.post(format!("{}/login", server.base)).header("x-address", address);
        Answer::to(request.form(&[("request", form.as_str()), ("username", name), ("password", "x")])).await.status
    };
    let mut refused = 0;
    for number in 0..110 {
        match from(&format!("2001:db8::{number:x}"), &format!("name{number}")).await {
            401 => assert!(number <= 100, "{number}"),
            429 => refused += 1,
            other => panic!("{other}"),
        }
    }
    assert_eq!(refused, 9, "a hundred free, and one for the first delay");
    assert_eq!(from("192.0.2.1", "name").await, 401, "another address is free");
}

#[tokio::test(flavor = "multi_thread")]
async fn c17_a_thousand_passwords_at_once_are_not_a_thousand_checks() {
    let checks = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&checks);
    let clock = Clock::by_hand();
    let server = start(|builder| {
        builder.clock(clock).authenticate(async move |login: Login| {
            counter.fetch_add(1, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(100)).await;
            oauth_tests::users(&login)
        })
    });
    let browser = Browser::new(&server);
    let form = browser.authorize(&[]).await.form();
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..1000 {
        let (browser, form) = (browser.clone(), form.clone());
        tasks.spawn(async move { browser.login(&form, "admin", &format!("guess{number}")).await.status });
    }
    let statuses = tasks.join_all().await;
    assert_eq!(checks.load(Ordering::SeqCst), 11, "ten free, and one for the first delay");
    assert_eq!(statuses.iter().filter(|status| **status == 401).count(), 11);
    assert_eq!(statuses.iter().filter(|status| **status == 429).count(), 989);
}

#[tokio::test]
async fn what_was_granted_is_what_was_asked_or_the_default() {
    let server = start(|builder| builder.default_scope("notes:read"));
    let browser = Browser::new(&server);
    for (asked, granted) in [(None, "notes:read"), (Some("notes:write  notes:read"), "notes:read notes:write")] {
        let redirect = browser.sign_in(&[("scope", asked)], "user", "user123").await.redirect();
        let issued = browser.redeem(&redirect["code"], &[]).await.json();
        assert_eq!(issued["scope"], granted);
        let scope: Scope = issued["scope"].as_str().unwrap().parse().unwrap();
        assert!(scope.contains("notes:read"));
    }
}
