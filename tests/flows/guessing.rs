//! Passwords, codes and secrets that an attacker guesses: whom that holds up, and whom it does not.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use actix_web::HttpRequest;
use oauth_runtime::client_address::x_forwarded_for;
use oauth_runtime::{Builder, Client, Clock, EventKind, Login, OAuthService, Question, SecondFactor, SignIn};
use oauth_tests::{Answer, Browser, SECRET, Server, builder, free_port, serve, start};
use serde_json::{Value, json};
use tokio::sync::Semaphore;

/// Where a test says that a request comes from.
pub(crate) fn address(request: &HttpRequest) -> Option<IpAddr> {
    request.headers().get("x-test-address")?.to_str().ok()?.parse().ok()
}

/// A server, and the service that it serves.
fn started<S>(change: impl FnOnce(Builder) -> Builder<S>) -> (Server, OAuthService) {
    let (listener, base) = free_port();
    let oauth = change(builder(&base).client_address(address)).build().unwrap();
    let routes = oauth.clone();
    let server = serve(listener, move |app| {
        app.configure(routes.routes());
    });
    (server, oauth)
}

/// The answer to a sign-in from this address.
pub(crate) async fn sign_in(browser: &Browser, address: &str, name: &str, password: &str) -> Answer {
    let form = browser.authorize(&[("prompt", Some("login"))]).await.form();
    post(browser, "/login", address, &[("request", &form), ("username", name), ("password", password)]).await
}

pub(crate) async fn post(browser: &Browser, path: &str, address: &str, fields: &[(&str, &str)]) -> Answer {
    let request = browser.http.post(format!("{}{path}", browser.base)).header("x-test-address", address);
    Answer::to(request.form(fields)).await
}

/// The author looks a user up by many names: what stands after a plus sign is not read, and neither are dots.
fn user(name: &str) -> Option<&'static str> {
    let name = name.split_once('@').map_or(name, |(name, _)| name);
    let name = name.split_once('+').map_or(name, |(name, _)| name).replace('.', "");
    (name == "ada").then_some("user-17")
}

fn by_many_names(login: &Login) -> SignIn<Value> {
    match user(&login.username) {
        Some(id) if &*login.password == "right" => SignIn::done(json!({ "sub": id, "role": "admin" })).amr("pwd"),
        Some(id) => SignIn::refused_for(id),
        None => SignIn::refused(),
    }
}

#[tokio::test]
async fn c46_a_user_of_many_names_is_guessed_no_faster_for_that() {
    let (sender, events) = std::sync::mpsc::channel();
    let (server, oauth) = started(|builder| {
        builder
            .clock(Clock::by_hand())
            .authenticate(async |login: Login| by_many_names(&login))
            .reload(async |_: &str| Some(json!({ "role": "admin" })))
            .on_event(move |event| {
                if event.kind == EventKind::Throttled {
                    sender.send((event.subject.clone(), event.reason)).unwrap();
                }
            })
    });
    let mut statuses = Vec::new();
    for guess in 0..300 {
        // One of them is right.
        let password = if guess == 250 { "right" } else { "wrong" };
        let (from, name) = (format!("10.0.0.{}", guess % 25), format!("ada+{guess}@b.example"));
        statuses.push(sign_in(&Browser::new(&server), &from, &name, password).await.status);
    }
    assert!(
        statuses[..101].iter().all(|status| *status == 401),
        "what is free, and one through the gate: {statuses:?}"
    );
    assert!(statuses[101..].iter().all(|status| *status == 429), "the right one too: {statuses:?}");
    assert_eq!(events.recv().unwrap(), (Some("user-17".to_owned()), Some("subject")));
    let held = oauth.grants("user-17").await.unwrap();
    assert!(held.is_empty(), "what was not told was not begun: {held:?}");
    let other = sign_in(&Browser::new(&server), "192.0.2.1", "nobody", "wrong").await;
    assert_eq!(other.status, 401, "others are not held up");
}

/// New, or signed out of everything: no browser of theirs is known.
#[tokio::test]
async fn c46_a_user_without_a_known_browser_gets_in_where_hardly_any_has_failed() {
    let (server, oauth) = started(|builder| {
        builder
            .clock(Clock::by_hand())
            .authenticate(async |login: Login| by_many_names(&login))
            .reload(async |_: &str| Some(json!({ "role": "admin" })))
    });
    let attack = async |names: [&str; 2]| {
        for guess in 0..105 {
            let (from, name) = (format!("10.0.0.{}", guess % 15), names[guess % 2]);
            sign_in(&Browser::new(&server), &from, name, "wrong").await;
        }
        assert_eq!(sign_in(&Browser::new(&server), "10.0.0.1", names[0], "right").await.status, 429);
    };
    let owner = async |from: &str, password: &str| sign_in(&Browser::new(&server), from, "ada", password).await.status;
    attack(["ada", "a.d.a"]).await;
    assert_eq!(owner("192.0.2.1", "right").await, 303, "new");
    oauth.sign_out("user-17").await.unwrap();
    assert_eq!(owner("198.51.100.1", "mistyped").await, 401);
    assert_eq!(owner("198.51.100.1", "mistyped").await, 401);
    let last = owner("198.51.100.1", "right").await;
    assert_ne!(last, 429, "signed out, and mistyped twice");
}

/// A page that holds up only names which users have would tell which these are.
#[tokio::test]
async fn c46_names_that_somebody_has_and_others_answer_alike() {
    let mut answers = Vec::new();
    for name in ["ada", "eve"] {
        let (clock, calls) = (Clock::by_hand(), Arc::new(AtomicU64::new(0)));
        let while_asked = clock.clone();
        let (server, _) = started(|builder| {
            builder.clock(clock.clone()).authenticate(async move |login: Login| {
                // Now and then it takes long.
                while_asked.advance(Duration::from_secs(calls.fetch_add(1, Ordering::SeqCst) % 5));
                by_many_names(&login)
            })
        });
        let mut told = Vec::new();
        for guess in 0..180 {
            // From few networks, and now and then from a new one; and the delays pass, most of them.
            let from = if guess % 3 == 0 { format!("10.1.0.{}", guess / 3) } else { format!("10.0.0.{}", guess % 13) };
            let answer = sign_in(&Browser::new(&server), &from, name, "wrong").await;
            let retry_after = answer.headers.get("retry-after").map(|value| value.to_str().unwrap().to_owned());
            told.push((answer.status, retry_after));
            clock.advance(Duration::from_secs(guess % 5));
        }
        answers.push(told);
    }
    assert_eq!(answers[0], answers[1]);
    let held_up = answers[0].iter().filter(|(status, _)| *status == 429).count();
    assert!((20..160).contains(&held_up), "both kinds of answers: {held_up}");
}

/// That a sign-in is not what the client asked for says that the password was right.
#[tokio::test]
async fn c39_c46_what_a_client_asks_for_tells_no_more_of_a_guess() {
    let (server, _) =
        started(|builder| builder.clock(Clock::by_hand()).authenticate(async |login: Login| by_many_names(&login)));
    let asks = async |guess: u32, password: &str| {
        let browser = Browser::new(&server);
        let form = browser.authorize(&[("acr_values", Some("gold"))]).await.form();
        let (from, name) = (format!("10.0.0.{}", guess % 25), format!("ada+{guess}@b.example"));
        post(&browser, "/login", &from, &[("request", &form), ("username", &name), ("password", password)]).await
    };
    assert_eq!(asks(0, "right").await.redirect()["error"], "unmet_authentication_requirements");
    for guess in 0..=101 {
        asks(guess, "wrong").await;
    }
    assert_eq!(asks(200, "right").await.status, 429);
}

#[tokio::test]
async fn c46_one_name_counts_once_however_it_is_spelt() {
    let (server, _) = started(|builder| builder.clock(Clock::by_hand()));
    let browser = Browser::new(&server);
    let spellings = [
        "admin",
        "ADMIN",
        "ádmin",
        "ａｄｍｉｎ",
        "ad min",
        "adm\u{200b}in",
        "a\u{308}dmin",
        "𝐚𝐝𝐦𝐢𝐧",
        "admın",
        "ad\u{ad}min",
    ];
    let mut statuses = Vec::new();
    for round in 0..2 {
        for name in spellings {
            statuses.push(sign_in(&browser, "192.0.2.1", name, &format!("wrong{round}")).await.status);
        }
    }
    assert_eq!(statuses.iter().filter(|status| **status == 401).count(), 11, "{statuses:?}");
}

/// Asks for a code; the author takes the name in any case and accents.
fn with_code(builder: Builder, names_the_user: bool) -> Builder {
    builder
        .clock(Clock::by_hand())
        .authenticate(async move |login: Login| -> SignIn<Value> {
            let question = Question::code("Enter the code");
            match user(&login.username) {
                Some(id) if names_the_user => SignIn::ask(question.of(id)),
                Some(_) => SignIn::ask(question),
                None => SignIn::refused(),
            }
        })
        .second_factor(async move |factor: SecondFactor| {
            let id = user(&factor.username).unwrap();
            assert_eq!(factor.subject.as_deref(), names_the_user.then_some(id));
            match &*factor.answer {
                "314159" => SignIn::done(json!({ "sub": id, "role": "admin" })),
                _ if names_the_user => SignIn::refused(),
                _ => SignIn::refused_for(id),
            }
        })
}

/// Names that fold alike are of two users, where the author says so.
#[tokio::test]
async fn c46_a_user_whose_name_folds_alike_holds_up_no_one_s_second_factor() {
    let (server, _) = started(|builder| {
        builder
            .clock(Clock::by_hand())
            .authenticate(async |login: Login| -> SignIn<Value> {
                SignIn::ask(Question::code("Enter the code").of(login.username))
            })
            .second_factor(async |factor: SecondFactor| match &*factor.answer {
                "314159" => SignIn::done(json!({ "sub": factor.subject })),
                _ => SignIn::refused(),
            })
    });
    let answers = async |name: &str, from: &str, answer: &str| {
        let browser = Browser::new(&server);
        let form = sign_in(&browser, from, name, "any").await.form();
        post(&browser, "/verify", from, &[("request", &form), ("answer", answer)]).await.status
    };
    for _ in 0..7 {
        answers("Ádmin", "192.0.2.1", "000000").await;
    }
    assert_eq!(answers("Ádmin", "192.0.2.2", "314159").await, 429);
    assert_eq!(answers("admin", "198.51.100.1", "314159").await, 303);
}

#[tokio::test]
async fn c46_a_second_factor_is_guessed_no_faster_by_many_names() {
    for names_the_user in [true, false] {
        let (server, _) = started(|builder| with_code(builder, names_the_user));
        let mut statuses = Vec::new();
        for guess in 0..12 {
            let (browser, from) = (Browser::new(&server), format!("10.0.0.{guess}"));
            let form = sign_in(&browser, &from, &format!("ada+{guess}"), "any").await.form();
            let answer = if guess == 10 { "314159" } else { "000000" };
            statuses.push(post(&browser, "/verify", &from, &[("request", &form), ("answer", answer)]).await.status);
        }
        let expected = [[401; 6], [429; 6]].concat();
        assert_eq!(statuses, expected, "what is free, one through the gate, and no right one after: {names_the_user}");
    }
}

/// Else the question would tell which of too many guesses was right.
#[tokio::test]
async fn c46_a_question_names_its_user_where_wrong_passwords_do() {
    for names_the_user in [true, false] {
        let (server, _) = started(|builder| {
            builder
                .clock(Clock::by_hand())
                .authenticate(async move |login: Login| -> SignIn<Value> {
                    let question = Question::code("Enter the code");
                    match user(&login.username) {
                        Some(id) if &*login.password == "right" && names_the_user => SignIn::ask(question.of(id)),
                        Some(_) if &*login.password == "right" => SignIn::ask(question),
                        Some(id) => SignIn::refused_for(id),
                        None => SignIn::refused(),
                    }
                })
                .second_factor(async |_: SecondFactor| SignIn::<Value>::refused())
        });
        assert_eq!(sign_in(&Browser::new(&server), "10.0.0.1", "ada+1", "wrong").await.status, 401);
        let answer = sign_in(&Browser::new(&server), "10.0.0.2", "ada+2", "right").await;
        if names_the_user {
            assert!(answer.status == 200 && answer.body.contains("Enter the code"), "{answer:?}");
        } else {
            assert_eq!((answer.status, answer.body.contains("Enter the code")), (500, false), "{answer:?}");
        }
    }
}

#[tokio::test]
async fn c46_wrong_codes_are_failures_of_their_address() {
    let (server, _) = started(|builder| {
        builder
            .clock(Clock::by_hand())
            .authenticate(async |login: Login| -> SignIn<Value> {
                SignIn::ask(Question::code("Enter the code").of(login.username))
            })
            .second_factor(async |_| SignIn::<Value>::refused())
    });
    let mut statuses = Vec::new();
    for guess in 0..104 {
        let (browser, name) = (Browser::new(&server), format!("user {guess}"));
        let asked = sign_in(&browser, "192.0.2.1", &name, "any").await;
        if asked.status == 429 {
            statuses.push(429);
            continue;
        }
        let fields = [("request", asked.form()), ("answer", "000000".to_owned())];
        let fields = fields.each_ref().map(|(name, value)| (*name, value.as_str()));
        statuses.push(post(&browser, "/verify", "192.0.2.1", &fields).await.status);
    }
    assert!(statuses[..100].iter().all(|status| *status == 401), "{statuses:?}");
    assert!(statuses[100..].iter().all(|status| *status == 429), "{statuses:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn c46_right_sign_ins_at_once_all_succeed() {
    let (server, _) = started(|builder| {
        builder.authenticate(async |login: Login| {
            tokio::time::sleep(Duration::from_millis(50)).await;
            oauth_tests::users(&login)
        })
    });
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..24 {
        let browser = Browser::new(&server);
        let name = if number % 4 == 0 { "user" } else { "admin" };
        tasks.spawn(async move { sign_in(&browser, "192.0.2.1", name, &format!("{name}123")).await.status });
    }
    assert_eq!(tasks.join_all().await, [303; 24]);
}

#[tokio::test]
async fn a_name_of_the_longest_length_works_to_the_end_and_a_longer_one_is_refused_at_the_form() {
    for letter in ["a", "\"", "é", "\u{fdfa}"] {
        let (server, _) = started(|builder| {
            builder
                .authenticate(async |login: Login| match &*login.password {
                    "ask" => SignIn::ask(Question::code("?").of("ada")),
                    _ => SignIn::done(json!({ "sub": "ada", "role": "admin" })),
                })
                .second_factor(async |_| SignIn::done(json!({ "sub": "ada", "role": "admin" })))
                .reload(async |_: &str| Some(json!({ "role": "admin" })))
        });
        let name = letter.repeat(256 / letter.len());
        let state = "s".repeat(1024);
        let browser = Browser::new(&server);
        let asked = browser.sign_in(&[("state", Some(&state))], &name, "ask").await;
        let done = post(&browser, "/verify", "192.0.2.1", &[("request", &asked.form()), ("answer", "1")]).await;
        let code = done.redirect()["code"].clone();
        assert_eq!(browser.redeem(&code, &[]).await.status, 200, "{letter:?}");
        // The session and the consent page have the name as well.
        let consent = browser.authorize(&[]).await;
        assert!(browser.consent(&consent.form(), "allow").await.redirect().contains_key("code"), "{letter:?}");
        let longer = browser.sign_in(&[], &format!("{name}{letter}"), "x").await;
        assert!(longer.status == 400 && longer.is_page(), "{letter:?}: {longer:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn c46_sign_ins_keep_no_refresh_waiting() {
    let (begun, may_end) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
    let signals = (Arc::clone(&begun), Arc::clone(&may_end));
    let server = start(|builder| {
        let blocking = move |login: Login| {
            if &*login.password == "slow" {
                signals.0.add_permits(1);
                tokio::runtime::Builder::new_current_thread()
                    .build()
                    .unwrap()
                    .block_on(signals.1.acquire())
                    .unwrap()
                    .forget();
            }
            oauth_tests::users(&login)
        };
        builder
            .blocking_at_once(1)
            .authenticate_blocking(blocking)
            .reload_blocking(|_| Some(json!({ "role": "admin" })))
    });
    let owner = Browser::new(&server);
    let issued = owner.issued(&[]).await;
    let stranger = Browser::new(&server);
    let form = stranger.authorize(&[]).await.form();
    let guess = tokio::spawn(async move { stranger.login(&form, "user", "slow").await.status });
    begun.acquire().await.unwrap().forget();
    let refreshed = owner.refresh(issued["refresh_token"].as_str().unwrap(), &[]).await;
    assert_eq!(refreshed.status, 200, "every place for passwords is taken: {refreshed:?}");
    may_end.add_permits(1);
    assert_eq!(guess.await.unwrap(), 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn c46_a_right_secret_is_never_throttled_whatever_fails_beside_it() {
    const OTHER: &str = "SWFzY2h1c3MtbmljaHQtZ2VoZWltLWdlbnVnLS0tLS0=";
    let server = start(|builder| {
        builder
            .client(Client::confidential("job").secret(SECRET))
            .client(Client::confidential("web").secret(OTHER).redirect_uri("https://web.example/cb"))
    });
    let browser = Browser::new(&server);
    let grant = [("grant_type", "client_credentials")];
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..90 {
        for (client, secret) in [("job", SECRET), ("job", "wrong"), ("web", "wrong"), ("nobody", "wrong")] {
            let browser = browser.clone();
            tasks.spawn(async move {
                let status = browser.post_as("/token", client, secret, &grant).await.status;
                (number, client, secret == SECRET, status)
            });
        }
    }
    let answers = tasks.join_all().await;
    for (number, client, is_right, status) in &answers {
        assert_eq!(*is_right, *status == 200, "{number} {client} {status}");
    }
    assert!(answers.iter().any(|(.., status)| *status == 429), "wrong ones are slowed down");
}

#[tokio::test]
async fn c46_behind_a_proxy_users_do_not_share_one_count() {
    let (listener, base) = free_port();
    let oauth = builder(&base)
        .clock(Clock::by_hand())
        .issuer("https://notes.example")
        .client_address(x_forwarded_for(1))
        .build()
        .unwrap();
    let server = serve(listener, move |app| {
        app.configure(oauth.routes());
    });
    // The cookie is for https alone, so it is carried by hand.
    let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let page = Answer::to(http.get(Browser::new(&server).authorize_url(&[]))).await;
    let cookie = page.header("set-cookie").split(';').next().unwrap().to_owned();
    let sign_in = async |address: &str, name: &str, password: &str| {
        let fields = [("request", page.form()), ("username", name.to_owned()), ("password", password.to_owned())];
        // A browser writes what it likes; the proxy adds where it was called from.
        let mut forwarded = format!("203.0.113.{}, {address}", name.len()).into_bytes();
        forwarded[0] = b'\xff';
        let request = http.post(format!("{}/login", server.base)).header("x-forwarded-for", forwarded);
        let request = request.header("sec-fetch-site", "same-origin");
        Answer::to(request.header("cookie", &cookie).form(&fields)).await.status
    };
    for number in 0..130 {
        let status = sign_in("192.0.2.1", &format!("{}name", "x".repeat(number)), "wrong").await;
        assert_eq!(status, if number <= 100 { 401 } else { 429 }, "{number}");
    }
    assert_eq!(sign_in("198.51.100.1", "admin", "admin123").await, 303, "a user elsewhere");
}
