//! What a client may be given: scopes, resources and grants, by the configuration and the user of now.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use oauth_runtime::states::WithReload;
use oauth_runtime::store::MemoryStore;
use oauth_runtime::testing::FaultyStore;
use oauth_runtime::{Builder, Client, GrantType, Granting, Login, Question, SecondFactor, SignIn};
use oauth_tests::{Answer, Browser, Changes, SECRET, Server, builder, free_port, handlers, serve, start};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::{Value, json};

pub(crate) const PARTNER: &str = "https://partner.example/cb";
pub(crate) const FILES: &str = "https://files.example";

/// A service with `openid`, two resources elsewhere, and a third party's client as configured.
pub(crate) fn with_partner(builder: Builder, configured: impl FnOnce(Client) -> Client) -> Builder<WithReload> {
    builder
        .scope("openid", "Know who you are")
        .scope("profile", "Know your name")
        .own_resource(FILES)
        .own_resource("https://mail.example")
        .reload(async |subject: &str| Some(json!({ "role": if subject == "admin" { "admin" } else { "user" } })))
        .client(configured(Client::public("partner").redirect_uri(PARTNER).third_party()))
}

/// The changes to an authorization request that make it one of the partner.
pub(crate) fn partner<'a>(more: &[(&'a str, Option<&'a str>)]) -> Vec<(&'a str, Option<&'a str>)> {
    [&[("client_id", Some("partner")), ("redirect_uri", Some(PARTNER))], more].concat()
}

async fn allowed(browser: &Browser, changes: Changes<'_>) -> Answer {
    let page = browser.sign_in(changes, "admin", "admin123").await;
    if page.status == 303 { page } else { browser.consent(&page.form(), "allow").await }
}

/// What the partner gets, as the token endpoint answers.
pub(crate) async fn issued(browser: &Browser, more: &[(&str, Option<&str>)]) -> Value {
    let answer = allowed(browser, &partner(more)).await;
    let code = answer.redirect()["code"].clone();
    browser.redeem(&code, &partner(&[])).await.json()
}

fn error(answer: &Answer) -> String {
    if answer.status == 303 {
        return answer.redirect().get("error").cloned().unwrap_or_default();
    }
    assert_eq!(answer.status, 400, "{answer:?}");
    match answer.is_page() {
        // Of the way to the client that the page leaves to its user.
        true => answer.body.split_once("?error=").unwrap().1.split_once("&#38;").unwrap().0.to_owned(),
        false => answer.json()["error"].as_str().unwrap().to_owned(),
    }
}

fn claims(issued: &Value) -> Value {
    crate::sessions::claims(&issued["access_token"])
}

#[tokio::test]
async fn c43_a_third_party_gets_nothing_but_who_signed_in_until_the_builder_allows_it() {
    let server = start(|builder| with_partner(builder, |client| client));
    let browser = Browser::new(&server);
    let own = server.base.as_str();
    for (more, expected) in [
        (vec![("scope", Some("notes:read"))], "invalid_scope"),
        (vec![("scope", Some("profile notes:write"))], "invalid_scope"),
        (vec![("resource", Some(FILES))], "invalid_target"),
        (vec![("resource", Some(own))], "invalid_target"),
    ] {
        let refused = browser.authorize(&partner(&more)).await;
        assert_eq!(error(&refused), expected, "{more:?}: {refused:?}");
    }

    let signed_in = issued(&browser, &[("scope", Some("openid profile notes:read"))]).await;
    assert_eq!(signed_in["scope"], "openid", "what was granted is said");
    let token = signed_in["access_token"].as_str().unwrap();
    assert_eq!(browser.call("/userinfo", Some(token)).await.json(), json!({ "sub": "admin" }));
    // No guard takes it, though its user is an admin.
    for path in ["/me", "/admin", "/notes"] {
        let refused = browser.call(path, Some(token)).await;
        assert_eq!((refused.status, refused.challenge()["error"].as_str()), (401, "invalid_token"), "{path}");
    }
    let refresh = signed_in["refresh_token"].as_str().unwrap();
    for (changes, expected) in [
        ([("scope", Some("notes:read"))], "invalid_scope"),
        ([("resource", Some(own))], "invalid_target"),
        ([("resource", Some(FILES))], "invalid_target"),
    ] {
        let refused = browser.refresh(refresh, &[&[("client_id", Some("partner"))], &changes[..]].concat()).await;
        assert_eq!(error(&refused), expected);
    }
    // Clients repeat their scope: what was left out at first still is.
    let again = [("client_id", Some("partner")), ("scope", Some("openid profile notes:read"))];
    assert_eq!(browser.refresh(refresh, &again).await.json()["scope"], "openid");
}

#[tokio::test]
async fn c43_a_third_party_gets_what_the_builder_allows_and_no_more() {
    let (listener, base) = free_port();
    let allow =
        |client: Client| client.allow_scopes("notes:read").allow_scopes("profile").allow_resources([&base, FILES]);
    let oauth = with_partner(builder(&base), allow).build().unwrap();
    let server = serve(listener, move |app| {
        app.configure(oauth.routes()).configure(handlers);
    });
    let browser = Browser::new(&server);
    let page =
        browser.sign_in(&partner(&[("scope", Some("notes:read notes:write profile"))]), "admin", "admin123").await;
    assert!(page.body.contains("Read your notes") && !page.body.contains("Write your notes"), "{page:?}");
    let signed_in = issued(&browser, &[("scope", Some("notes:read notes:write profile no-such-scope"))]).await;
    assert_eq!(signed_in["scope"], "notes:read profile");
    let token = signed_in["access_token"].as_str().unwrap();
    assert_eq!(browser.call("/notes", Some(token)).await.status, 200);
    let at_files = issued(&browser, &[("scope", Some("notes:read")), ("resource", Some(FILES))]).await;
    assert_eq!(claims(&at_files)["aud"], FILES);
    let beyond = browser.authorize(&partner(&[("resource", Some("https://mail.example"))])).await;
    assert_eq!(error(&beyond), "invalid_target");
}

#[tokio::test]
async fn c43_what_is_unknown_or_beyond_the_ceiling_is_left_out_and_the_answer_says_so() {
    let server = start(|builder| {
        builder
            .scope("reports:read", "Read reports")
            .default_scope("notes:read reports:read")
            .client(Client::public("narrow").redirect_uri("http://127.0.0.1/narrow").allow_scopes("notes:read"))
            .client(Client::confidential("job").secret(SECRET).scope("reports:read notes:read"))
    });
    let browser = Browser::new(&server);
    let narrow =
        |scope| [("client_id", Some("narrow")), ("redirect_uri", Some("http://127.0.0.1/narrow")), ("scope", scope)];
    for scope in [Some("notes:read notes:write"), Some("notes:read unknown"), None] {
        let code = browser.sign_in(&narrow(scope), "admin", "admin123").await.redirect()["code"].clone();
        let issued = browser.redeem(&code, &narrow(None)).await.json();
        assert_eq!((&issued["scope"], &claims(&issued)["scope"]), (&json!("notes:read"), &json!("notes:read")));
    }
    for scope in ["notes:write", "unknown", "reports:read unknown"] {
        assert_eq!(error(&browser.authorize(&narrow(Some(scope))).await), "invalid_scope", "{scope}");
    }

    let job = async |scope: &str| {
        browser.post_as("/token", "job", SECRET, &[("grant_type", "client_credentials"), ("scope", scope)]).await
    };
    // RFC 6749 §5.2: there is no user who could have allowed less, as at a refresh.
    assert_eq!(job("notes:read").await.json()["scope"], "notes:read");
    for scope in ["notes:write", "unknown", "notes:read notes:write", "notes:read unknown"] {
        assert_eq!(error(&job(scope).await), "invalid_scope", "{scope}");
    }
}

#[tokio::test]
async fn c43_a_client_uses_the_grants_that_it_has() {
    let (listener, base) = free_port();
    let all = Client::confidential("all").secret(SECRET).redirect_uri("http://127.0.0.1/all");
    let oauth = builder(&base)
        .reload(async |_: &str| Some(json!({})))
        .client(Client::confidential("web").secret(SECRET).redirect_uri("http://127.0.0.1/callback"))
        .client(Client::confidential("job").secret(SECRET).scope("notes:read"))
        .client(all.grants(GrantType::ALL.iter().copied()).scope("notes:read"))
        .client(Client::public("once").redirect_uri("http://127.0.0.1/callback").grants([GrantType::AuthorizationCode]))
        .client(Client::confidential("partner").secret(SECRET).scope("notes:read").third_party())
        .build()
        .unwrap();
    let server = serve(listener, move |app| {
        app.configure(oauth.routes()).configure(handlers);
    });
    let browser = Browser::new(&server);
    let own = [("grant_type", "client_credentials")];
    let refused = browser.post_as("/token", "web", SECRET, &own).await;
    assert_eq!((refused.status, error(&refused).as_str()), (400, "unauthorized_client"));
    for grant in ["authorization_code", "refresh_token"] {
        let refused = browser.post_as("/token", "job", SECRET, &[("grant_type", grant)]).await;
        assert_eq!(error(&refused), "unauthorized_client", "{grant}");
    }
    assert_eq!(browser.post_as("/token", "job", SECRET, &own).await.status, 200);
    assert_eq!(browser.post_as("/token", "all", SECRET, &own).await.status, 200);

    let once = [("client_id", Some("once"))];
    let code = browser.sign_in(&once, "admin", "admin123").await.redirect()["code"].clone();
    let issued = browser.redeem(&code, &once).await.json();
    assert!(issued.get("access_token").is_some() && issued.get("refresh_token").is_none(), "{issued}");

    // A third party's job has no token for this service until that is allowed.
    assert_eq!(error(&browser.post_as("/token", "partner", SECRET, &own).await), "invalid_target");
}

/// Servers of one issuer, secret and store: each with a configuration of its own, as one server has them in turn.
pub(crate) struct InTurn {
    pub(crate) base: String,
    store: FaultyStore,
}

impl InTurn {
    pub(crate) fn serve<S>(&self, change: impl FnOnce(Builder) -> Builder<S>) -> Server {
        let (listener, _) = free_port();
        let oauth = change(builder(&self.base)).store(self.store.clone()).build().unwrap();
        serve(listener, move |app| {
            app.configure(oauth.routes()).configure(handlers);
        })
    }

    pub(crate) fn new() -> InTurn {
        InTurn { base: free_port().1, store: FaultyStore::new(MemoryStore::new()) }
    }
}

pub(crate) fn moved(browser: &Browser, to: &Server) -> Browser {
    Browser { base: to.base.clone(), ..browser.clone() }
}

#[tokio::test]
async fn c43_what_was_taken_out_of_the_configuration_is_gone_at_the_next_use() {
    let turns = InTurn::new();
    let asking = |builder: Builder<WithReload>| {
        builder
            .authenticate(async |login: Login| match oauth_tests::users(&login) {
                Some(user) if login.acr_values.is_empty() => SignIn::done(user),
                Some(_) => SignIn::ask(Question::code("Enter the code")),
                None => SignIn::refused(),
            })
            .second_factor(async |factor: SecondFactor| {
                SignIn::done(json!({ "sub": factor.username, "role": "admin" })).acr("strong")
            })
    };
    let own = turns.base.clone();
    let before = turns.serve(|builder| {
        let allow = |client: Client| client.allow_scopes("notes:read notes:write").allow_resources([&own, FILES]);
        asking(with_partner(builder, allow))
    });
    let after = turns.serve(|builder| {
        let allow = |client: Client| client.allow_scopes("notes:read").allow_resources([&own]);
        asking(with_partner(builder, allow))
    });
    // Of the client, and of the service altogether.
    let gone = turns.serve(|builder| {
        let allow = |client: Client| client.allow_resources([&own]);
        asking(with_partner(builder, allow))
    });
    let both = [("scope", Some("notes:read notes:write"))];
    let write = [("scope", Some("notes:write"))];
    let files = [("scope", Some("notes:read")), ("resource", Some(FILES))];
    let redeem =
        async |browser: &Browser, answer: &Answer| browser.redeem(&answer.redirect()["code"], &partner(&[])).await;

    for (asked, scope, refused) in
        [(&both[..], "notes:read", ""), (&write[..], "", "invalid_scope"), (&files[..], "", "invalid_target")]
    {
        let browser = Browser::new(&before);
        let there = moved(&browser, &after);
        let check = |step: &str, answer: &Answer| {
            if refused.is_empty() {
                assert_eq!(answer.json()["scope"], scope, "{step}");
            } else {
                assert_eq!(error(answer), refused, "{step}: {answer:?}");
            }
        };
        // The sign-in form.
        let page = browser.authorize(&partner(asked)).await;
        let answer = there.login(&page.form(), "admin", "admin123").await;
        if refused.is_empty() {
            assert!(!answer.body.contains("Write your notes"), "{answer:?}");
            let allowed = there.consent(&answer.form(), "allow").await;
            check("the sign-in form", &redeem(&there, &allowed).await);
        } else {
            check("the sign-in form", &answer);
        }
        // The question.
        let strong = [asked, &[("acr_values", Some("strong")), ("prompt", Some("login"))]].concat();
        let page = browser.authorize(&partner(&strong)).await;
        let question = browser.login(&page.form(), "admin", "admin123").await.form();
        let fields = [("request", question.as_str()), ("answer", "1")];
        let answer = Answer::to(there.http.post(format!("{}/verify", there.base)).form(&fields)).await;
        if refused.is_empty() {
            check("the question", &redeem(&there, &answer).await);
        } else {
            check("the question", &answer);
        }
        // The consent page, which was shown before.
        let strict = [asked, &[("prompt", Some("login consent"))]].concat();
        let page = browser.authorize(&partner(&strict)).await;
        let consent = browser.login(&page.form(), "admin", "admin123").await;
        let answer = there.consent(&consent.form(), "allow").await;
        if refused.is_empty() {
            check("the consent page", &redeem(&there, &answer).await);
        } else {
            check("the consent page", &answer);
        }
        // The code.
        let answer = allowed(&browser, &partner(asked)).await;
        check("the code", &redeem(&there, &answer).await);
        // The refresh token, which stays valid.
        let answer = allowed(&browser, &partner(asked)).await;
        let held = redeem(&browser, &answer).await.json();
        let refresh = held["refresh_token"].as_str().unwrap();
        let id = [("client_id", Some("partner"))];
        let refreshed = there.refresh(refresh, &id).await;
        check("the refresh token", &refreshed);
        if !refused.is_empty() {
            assert_eq!(browser.refresh(refresh, &id).await.status, 200, "nothing was spent");
        }
        // The session.
        let silent = [asked, &[("prompt", Some("none"))]].concat();
        if !refused.is_empty() {
            assert_eq!(error(&there.authorize(&partner(&silent)).await), refused, "the session");
        }
        // What the service has no more.
        let held = issued(&browser, asked).await;
        let refresh = held["refresh_token"].as_str().unwrap();
        let left = moved(&browser, &gone).refresh(refresh, &id).await;
        assert!(["invalid_scope", "invalid_target"].contains(&error(&left).as_str()), "{left:?}");
    }
}

#[tokio::test]
async fn c43_what_comes_into_the_configuration_later_is_not_allowed_by_a_page_of_before() {
    let turns = InTurn::new();
    let own = turns.base.clone();
    let before = turns.serve(|builder| with_partner(builder, |client| client.allow_scopes("notes:read")));
    let after = turns.serve(|builder| {
        with_partner(builder, |client| client.allow_scopes("notes:read notes:write").allow_resources([&own, FILES]))
    });
    let browser = Browser::new(&before);
    let there = moved(&browser, &after);
    let asked = partner(&[("scope", Some("notes:read notes:write"))]);
    let form = browser.sign_in(&asked, "admin", "admin123").await.form();
    let allowed = there.consent(&form, "allow").await;
    let issued = there.redeem(&allowed.redirect()["code"], &partner(&[])).await.json();
    assert_eq!(issued["scope"], "notes:read");
    // Nor is it for this service, for which it was not when the user allowed it.
    assert_eq!(claims(&issued)["aud"], format!("{own}/userinfo"));
    let refresh = issued["refresh_token"].as_str().unwrap();
    let refreshed = there.refresh(refresh, &[("client_id", Some("partner"))]).await.json();
    assert_eq!(
        (&refreshed["scope"], &claims(&refreshed)["aud"]),
        (&json!("notes:read"), &json!(format!("{own}/userinfo")))
    );
    // What was remembered is for less, so the user is asked.
    let page = there.authorize(&asked).await;
    assert!(page.status == 200 && page.body.contains("Write your notes"), "{page:?}");
}

#[tokio::test]
async fn c43_a_user_grants_what_the_rule_lets_them() {
    let is_demoted = Arc::new(AtomicBool::new(false));
    let demoted = Arc::clone(&is_demoted);
    let server = start(move |builder| {
        builder
            .scope("reports:read", "Read reports")
            .reload(async move |subject: &str| {
                let is_admin = subject == "admin" && !demoted.load(Ordering::SeqCst);
                Some(json!({ "role": if is_admin { "admin" } else { "user" } }))
            })
            .client(
                Client::public("partner").redirect_uri(PARTNER).third_party().allow_scopes("notes:read reports:read"),
            )
            .narrow_scopes(|user: &Granting<'_>, scope| {
                assert!(user.asked.contains(scope) && !user.client_id.is_empty());
                assert!(scope != "notes:write" || user.subject != "admin", "the rule is broken");
                scope != "reports:read" || user.claim("role") == "admin"
            })
    });
    let browser = Browser::new(&server);
    let asks = [("scope", Some("notes:read reports:read"))];
    let granted = async |browser: &Browser, name: &str| {
        let code = browser.sign_in(&asks, name, &format!("{name}123")).await.redirect()["code"].clone();
        browser.redeem(&code, &[]).await.json()
    };
    assert_eq!(granted(&browser, "user").await["scope"], "notes:read");
    let admin = granted(&Browser::new(&server), "admin").await;
    assert_eq!(admin["scope"], "notes:read reports:read");
    let alone = browser.sign_in(&[("scope", Some("reports:read"))], "user", "user123").await;
    assert_eq!(error(&alone), "invalid_scope", "nothing is left");
    // They are signed in all the same, and by their session they get no more.
    let other = [("client_id", Some("other")), ("redirect_uri", Some("https://other.example/cb"))];
    let by_session = browser.authorize(&[&other[..], &[("scope", Some("reports:read"))]].concat()).await;
    assert_eq!(error(&by_session), "invalid_scope");

    // The page names what may be granted, and what is remembered is that.
    let page = browser.sign_in(&partner(&asks), "user", "user123").await;
    assert!(page.body.contains("Read your notes") && !page.body.contains("Read reports"), "{page:?}");
    assert!(browser.consent(&page.form(), "allow").await.redirect().contains_key("code"));
    let silent = [&asks[..], &[("prompt", Some("none"))]].concat();
    assert!(browser.authorize(&partner(&silent)).await.redirect().contains_key("code"));

    // A role that was taken away takes its scopes with it, at the next refresh.
    is_demoted.store(true, Ordering::SeqCst);
    let refreshed = browser.refresh(admin["refresh_token"].as_str().unwrap(), &[]).await.json();
    assert_eq!((&refreshed["scope"], &claims(&refreshed)["scope"]), (&json!("notes:read"), &json!("notes:read")));

    // A rule that panics lets nothing through.
    let broken = browser.sign_in(&[("scope", Some("notes:write"))], "admin", "admin123").await;
    assert_eq!(error(&broken), "server_error");
}

/// RFC 6749 §6. Libraries repeat at each refresh what they asked for at first.
#[tokio::test]
async fn c24_c43_a_refresh_leaves_out_what_its_user_may_not_grant_and_gives_no_more_than_was_granted() {
    let may_report = Arc::new(AtomicBool::new(false));
    let promoted = Arc::clone(&may_report);
    let server = start(move |builder| {
        builder
            .scope("reports:read", "Read reports")
            .reload(async |_: &str| Some(json!({ "role": "user" })))
            .narrow_scopes(move |_: &Granting<'_>, scope| scope != "reports:read" || promoted.load(Ordering::SeqCst))
    });
    let browser = Browser::new(&server);
    let both = [("scope", Some("notes:read reports:read"))];
    let code = browser.sign_in(&both, "user", "user123").await.redirect()["code"].clone();
    let first = browser.redeem(&code, &[]).await.json();
    assert_eq!(first["scope"], "notes:read");
    let again = browser.refresh(first["refresh_token"].as_str().unwrap(), &both).await.json();
    let token = again["refresh_token"].as_str().unwrap();
    assert_eq!((&again["scope"], &claims(&again)["scope"]), (&json!("notes:read"), &json!("notes:read")));
    let alone = [("scope", Some("reports:read"))];
    assert_eq!(error(&browser.refresh(token, &alone).await), "invalid_scope", "nothing is left");

    // What its user may grant by now was not granted, and the client learns that it has to ask.
    may_report.store(true, Ordering::SeqCst);
    for more in [both, alone] {
        let grown = browser.refresh(token, &more).await.json();
        assert_eq!(grown["error"], "invalid_scope", "{grown}");
        assert!(grown["error_description"].as_str().unwrap().contains("not for more"), "{grown}");
    }
    assert_eq!(browser.refresh(token, &[("scope", Some("notes:read"))]).await.status, 200, "nothing was spent");
}

/// RFC 9700 §4.11.2, OpenID Connect Core §3.1.2.6
#[tokio::test]
async fn c09_c43_what_a_user_may_not_grant_is_told_to_no_client_that_they_never_allowed() {
    let server = start(|builder| {
        builder
            .scope("openid", "Know who you are")
            .reload(async |_: &str| Some(json!({ "role": "user" })))
            .registration()
            .open_scopes("notes:read notes:write")
            .client(Client::public("partner").redirect_uri(PARTNER).third_party().allow_scopes("openid notes:read"))
            .narrow_scopes(|_: &Granting<'_>, scope| scope == "notes:read")
    });
    let browser = Browser::new(&server);
    browser.sign_in(&[("scope", Some("notes:read"))], "user", "user123").await;
    let asks = |scope| [("scope", Some(scope)), ("prompt", Some("none"))];
    // As it is for all who have to be asked, whatever they may grant.
    for scope in ["openid notes:read", "openid"] {
        assert_eq!(error(&browser.authorize(&partner(&asks(scope))).await), "consent_required", "{scope}");
        for subject in ["user", "admin"] {
            let claims = json!({ "id_token": { "sub": { "value": subject } } }).to_string();
            let changes = [&asks(scope)[..], &[("claims", Some(&*claims))]].concat();
            assert_eq!(error(&browser.authorize(&partner(&changes)).await), "login_required", "{scope} {subject}");
        }
    }
    // With no page the way to a client that anyone registered is the user's to go.
    let callback = "https://anyone.example/cb";
    let metadata = json!({ "redirect_uris": [callback], "token_endpoint_auth_method": "none", "scope": "notes:write" });
    let registered = browser.http.post(format!("{}/register", browser.base)).json(&metadata);
    let registered = Answer::to(registered).await.json();
    let id = registered["client_id"].as_str().unwrap();
    for prompt in [None, Some("none")] {
        let changes = [("client_id", Some(id)), ("redirect_uri", Some(callback)), ("scope", Some("notes:write"))];
        let answer = browser.authorize(&[&changes[..], &[("prompt", prompt)]].concat()).await;
        assert!(answer.status == 400 && answer.is_page() && !answer.headers.contains_key("location"), "{answer:?}");
    }
    // Once they allowed it something, it may learn what it does not get.
    let page = browser.authorize(&partner(&[("scope", Some("notes:read"))])).await;
    assert!(browser.consent(&page.form(), "allow").await.redirect().contains_key("code"));
    assert_eq!(error(&browser.authorize(&partner(&asks("openid"))).await), "invalid_scope");
}

/// What one configuration allows the client.
#[derive(Debug)]
struct Allows {
    scopes: BTreeSet<&'static str>,
    resources: BTreeSet<String>,
    /// Scopes that no user may grant.
    withheld: BTreeSet<&'static str>,
}

fn some<T: Clone + Ord>(all: &[T], random: &mut StdRng) -> BTreeSet<T> {
    all.iter().filter(|_| random.random_bool(0.6)).cloned().collect()
}

fn joined<T: AsRef<str>>(set: &BTreeSet<T>) -> String {
    set.iter().map(AsRef::as_ref).collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn c43_no_sequence_of_configurations_lets_a_refresh_exceed_the_ceiling_of_today() {
    const SCOPES: [&str; 5] = ["a", "b", "c", "notes:read", "notes:write"];
    let seed: u64 = rand::random();
    let random = &mut StdRng::seed_from_u64(seed);
    let turns = InTurn::new();
    let own = turns.base.clone();
    let userinfo = format!("{own}/userinfo");
    let resources = [own.clone(), FILES.to_owned(), "https://mail.example".to_owned()];
    let mut worlds = Vec::new();
    for number in 0..12 {
        let everything = number == 0;
        let allows = Allows {
            scopes: if everything { SCOPES.into() } else { some(&SCOPES, random) },
            resources: if everything { resources.clone().into() } else { some(&resources, random) },
            withheld: if everything || random.random() { BTreeSet::new() } else { some(&SCOPES[..2], random) },
        };
        let (scopes, named, withheld) = (joined(&allows.scopes), allows.resources.clone(), allows.withheld.clone());
        let server = turns.serve(|builder| {
            let builder = SCOPES[..3].iter().fold(builder, |builder, scope| builder.scope(*scope, "A scope"));
            with_partner(builder, |client| client.allow_scopes(scopes).allow_resources(named))
                .narrow_scopes(move |_: &Granting<'_>, scope| !withheld.contains(scope))
        });
        worlds.push((server, allows));
    }

    for _ in 0..12 {
        // Granted by the first, which allows everything.
        let browser = Browser::new(&worlds[0].0);
        let (scope, target) = (some(&SCOPES, random), some(&resources, random));
        let asked = joined(&scope);
        let mut changes = vec![("scope", Some(asked.as_str()))];
        changes.extend(target.iter().map(|resource| ("resource", Some(resource.as_str()))));
        let mut refresh = issued(&browser, &changes).await["refresh_token"].as_str().unwrap().to_owned();
        for _ in 0..8 {
            let (server, allows) = worlds.choose(random).unwrap();
            let wanted = if random.random() { scope.clone() } else { some(&SCOPES, random) };
            let targets = if random.random() { BTreeSet::new() } else { some(&resources, random) };
            let text = joined(&wanted);
            let mut changes = vec![("client_id", Some("partner"))];
            changes.extend((wanted != scope).then_some(("scope", Some(text.as_str()))));
            changes.extend(targets.iter().map(|resource| ("resource", Some(resource.as_str()))));
            let answer = moved(&browser, server).refresh(&refresh, &changes).await;

            let asks = if text.is_empty() { &scope } else { &wanted };
            let ceiling = &allows.scopes - &allows.withheld;
            let left = &(asks & &scope) & &ceiling;
            let context = format!("seed {seed}: {allows:?} {changes:?} granted {scope:?} {target:?}: {answer:?}");
            if answer.status != 200 {
                let named = if target.is_empty() { [own.clone()].into() } else { target.clone() };
                let has_grown = !asks.is_subset(&scope) || !targets.is_subset(&(&named & &allows.resources));
                let nothing_left = (left.is_empty() && !asks.is_empty())
                    || (!target.is_empty() && (&target & &allows.resources).is_empty());
                assert!(has_grown || nothing_left, "{context}");
                continue;
            }
            let answer = answer.json();
            let got: BTreeSet<&str> = answer["scope"].as_str().unwrap_or_default().split_whitespace().collect();
            assert_eq!(got, left, "{context}");
            let claims = claims(&answer);
            let audience: BTreeSet<String> = match &claims["aud"] {
                Value::String(one) => [one.clone()].into(),
                several => several.as_array().unwrap().iter().map(|it| it.as_str().unwrap().to_owned()).collect(),
            };
            let most = &allows.resources | &[userinfo.clone()].into();
            let granted =
                &(if target.is_empty() { [own.clone()].into() } else { target.clone() }) | &[userinfo.clone()].into();
            assert!(audience.is_subset(&most) && audience.is_subset(&granted), "{context}");
            refresh = answer["refresh_token"].as_str().unwrap().to_owned();
        }
    }
}
