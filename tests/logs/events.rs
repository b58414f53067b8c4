//! Every event there is, made to happen: what its function is given and what the log says are the same, and
//! `docs/events.md` has the table.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use actix_web::{Error, HttpRequest, HttpResponse, post, web};
use oauth_runtime::states::WithReload;
use oauth_runtime::store::{About, Change, Count, Counted, Incarnation, Key, MemoryStore, Reply, Seen, Store, Swap};
use oauth_runtime::testing::{Fault, Verb};
use oauth_runtime::{
    AuthTime, Builder, Client, Clock, Event, EventKind, Holder, Login, OAuthService, Question, SecondFactor, SignIn,
};
use oauth_tests::{Answer, Browser, Changes, PATIENCE, REDIRECT, Server, builder, free_port, pages, serve, watched};
use serde_json::{Value, json};

use crate::{JOB, LOG};

const GUEST: Changes<'static> =
    &[("client_id", Some("guest")), ("redirect_uri", Some("https://guest.example/cb")), ("scope", Some("notes:read"))];
const OFF_THE_WIRE: &str = "Typed by mistake: 's3cret";
/// What does not happen here: it takes a minute, thousands of endings, or a client or a key that is taken away meanwhile.
const ELSEWHERE: [(EventKind, &str); 5] = [
    (EventKind::LogoutNotTold, "clients_away"),
    (EventKind::LogoutNotTold, "no_answer"),
    (EventKind::LogoutNotTold, "no_client"),
    (EventKind::LogoutNotTold, "no_key"),
    (EventKind::LogoutNotTold, "too_many"),
];

/// A service, and what it tells.
struct Told {
    oauth: OAuthService,
    server: Server,
    events: Receiver<Event>,
}

impl Told {
    fn by<S>(change: impl FnOnce(Builder) -> Builder<S>) -> Told {
        Told::of(|base| change(builder(base)))
    }

    fn of<S>(builder: impl FnOnce(&str) -> Builder<S>) -> Told {
        let (listener, base) = free_port();
        let (sender, events) = channel();
        let tell = move |event: &Event| sender.send(event.clone()).unwrap();
        let oauth = builder(&base).on_event(tell).build().unwrap();
        let (routes, page) = (oauth.clone(), oauth.clone());
        let server = serve(listener, move |app| {
            app.configure(routes.routes()).service(denies).service(knows).app_data(web::Data::new(page.clone()));
        });
        Told { oauth, server, events }
    }

    /// All that was told up to now.
    async fn all(self) -> Vec<Event> {
        self.oauth.sign_out("the last of all").await.unwrap();
        let next = || self.events.recv_timeout(PATIENCE).unwrap();
        let mut all = vec![next()];
        while all[all.len() - 1].subject.as_deref() != Some("the last of all") {
            all.push(next());
        }
        all
    }
}

/// A page of the author's that lets no one in.
#[post("/own/page")]
async fn denies(oauth: OAuthService, http: HttpRequest, request: String) -> Result<HttpResponse, Error> {
    oauth.pending(&http, &request).await?.finish(&http, SignIn::<Value>::refused(), AuthTime::Now).await
}

/// A page of the author's that knows its user for two hours.
#[post("/own/known")]
async fn knows(oauth: OAuthService, http: HttpRequest, request: String) -> Result<HttpResponse, Error> {
    let ago = AuthTime::Ago(Duration::from_secs(7_200));
    oauth.pending(&http, &request).await?.finish(&http, SignIn::done(json!({ "sub": "alice" })), ago).await
}

/// A store that can be put back to what it was when it began.
struct Rewindable(MemoryStore, Arc<AtomicBool>);

impl Store for Rewindable {
    fn read(&self, key: Key) -> Reply<'_, Seen> {
        Reply::later(async move {
            let seen = self.0.read(key).await?;
            Ok(if self.1.load(Ordering::SeqCst) { Seen { sequence: 0, kept: None, ..seen } } else { seen })
        })
    }

    fn swap(&self, key: Key, change: Change) -> Reply<'_, Swap> {
        self.0.swap(key, change)
    }

    fn count<'a>(&'a self, counts: &'a [Count]) -> Reply<'a, Vec<Counted>> {
        self.0.count(counts)
    }

    fn renew(&self, bucket: u16, was: Incarnation) -> Reply<'_, Incarnation> {
        self.0.renew(bucket, was)
    }

    fn about(&self) -> About {
        self.0.about()
    }
}

fn signs_in(login: &Login) -> Result<SignIn<Value>, &'static str> {
    Ok(match (login.username.as_str(), &*login.password) {
        ("broken", _) => return Err("the database is away"),
        ("reserved", "right") => SignIn::done(json!({ "exp": 1 })),
        ("factor", "right") => SignIn::ask(Question::code("Enter the code")),
        (name, "right") => SignIn::done(json!({ "sub": name })),
        (name, _) if name.starts_with("many names ") => SignIn::refused_for("of many names"),
        _ => SignIn::refused(),
    })
}

/// The usual service of these tests. A header says where a request comes from, and the user `leaver` may leave.
fn usual(builder: Builder, clock: &Clock, has_left: &Arc<AtomicBool>) -> Builder<WithReload> {
    let has_left = Arc::clone(has_left);
    let builder = (0..10).fold(builder, |builder, number| {
        builder.client(Client::public(format!("c{number}")).redirect_uri("http://127.0.0.1/callback"))
    });
    builder
        .clock(clock.clone())
        .scope("openid", "Know who you are")
        .acr_values(["two"])
        .client(
            Client::public("guest").redirect_uri("https://guest.example/cb").third_party().allow_scopes("notes:read"),
        )
        .client(Client::confidential("job").secret(JOB).scope("notes:read"))
        .client(Client::public("tv").device())
        .client_address(|http| match http.headers().get("from") {
            Some(from) => from.to_str().ok()?.parse::<IpAddr>().ok(),
            None => http.peer_addr().map(|peer| peer.ip()),
        })
        .authenticate(async |login: Login| signs_in(&login))
        .second_factor(async |factor: SecondFactor| match &*factor.answer {
            "000000" => Err("the database is away"),
            "314159" => Ok(SignIn::done(json!({ "sub": factor.username }))),
            _ => Ok(SignIn::refused()),
        })
        .reload(async move |subject: &str| {
            let is_gone = subject == "leaver" && has_left.load(Ordering::SeqCst);
            (!is_gone).then(|| json!({ "sub": subject }))
        })
        .account_page()
}

async fn post(browser: &Browser, path: &str, form: &str, more: (&str, &str)) -> Answer {
    Answer::to(browser.http.post(format!("{}{path}", browser.base)).form(&[("request", form), more])).await
}

async fn signed_in(told: &Told, name: &str) -> (Browser, Value) {
    let browser = Browser::new(&told.server);
    let answer = browser.sign_in(&[("scope", Some("openid"))], name, "right").await;
    let tokens = browser.redeem(&answer.redirect()["code"], &[]).await;
    assert_eq!(tokens.status, 200, "{tokens:?}");
    (browser, tokens.json())
}

fn text<'a>(json: &'a Value, name: &str) -> &'a str {
    json[name].as_str().unwrap_or_else(|| panic!("no {name}: {json}"))
}

async fn sign_ins(told: &Told) {
    let browser = Browser::new(&told.server);
    let form = browser.authorize(&[]).await.form();
    assert_eq!(browser.login(&form, OFF_THE_WIRE, OFF_THE_WIRE).await.status, 401);
    assert_eq!(browser.login(&form, "broken", "right").await.status, 503);
    assert_eq!(browser.login(&form, "reserved", "right").await.status, 500);
    assert_eq!(post(&browser, "/login", &form, ("cancel", "1")).await.redirect()["error"], "access_denied");

    let asked = browser.login(&form, "factor", "right").await;
    assert_eq!(post(&browser, "/verify", &asked.form(), ("answer", "000000")).await.status, 503);
    assert_eq!(post(&browser, "/verify", &asked.form(), ("answer", "271828")).await.status, 401);
    post(&browser, "/verify", &asked.form(), ("cancel", "1")).await.redirect();
    told.oauth.sign_out("factor").await.unwrap();
    assert_eq!(post(&browser, "/verify", &asked.form(), ("answer", "314159")).await.status, 400);
    let asked = browser.login(&form, "factor", "right").await;
    for attempt in 0..=6 {
        let status = post(&browser, "/verify", &asked.form(), ("answer", "271828")).await.status;
        assert_eq!(status, if attempt < 5 { 401 } else { 429 }, "{attempt}");
    }
}

async fn consents_and_grants(told: &Told, clock: &Clock, has_left: &AtomicBool) {
    let (browser, tokens) = signed_in(told, "alice").await;
    let hint = ("id_token_hint", Some(text(&tokens, "id_token")));
    for (asked, error) in [(hint, "login_required"), (("acr_values", Some("two")), "unmet_authentication_requirements")]
    {
        let other = Browser::new(&told.server);
        let answer = other.sign_in(&[("scope", Some("openid")), asked], "bob", "right").await;
        assert_eq!(answer.redirect()["error"], error);
    }
    let page = browser.authorize(GUEST).await.form();
    browser.consent(&page, "allow").await.redirect();
    let page = browser.authorize(&[GUEST, &[("prompt", Some("consent"))]].concat()).await.form();
    browser.consent(&page, "deny").await.redirect();
    browser.post_as("/token", "job", JOB, &[("grant_type", "client_credentials")]).await.json();

    let code = browser.sign_in(&[], "alice", "right").await.redirect()["code"].clone();
    assert_eq!(browser.redeem(&code, &[]).await.status, 200);
    assert_eq!(browser.redeem(&code, &[]).await.status, 400, "a replay");
    let first = text(&tokens, "refresh_token");
    assert_eq!(browser.refresh(first, &[]).await.status, 200);
    clock.advance(Duration::from_secs(60));
    assert_eq!(browser.refresh(first, &[]).await.status, 400, "a reuse");

    let (_, tokens) = signed_in(told, "alice").await;
    browser.post("/revoke", format!("client_id=demo&token={}", text(&tokens, "access_token"))).await;
    signed_in(told, "alice").await;
    let (browser, _) = signed_in(told, "alice").await;
    let page = Answer::to(browser.http.get(format!("{}/account", browser.base))).await;
    assert_eq!(post(&browser, "/account", &page.form(), ("client", "demo")).await.status, 303);
    let form = browser.authorize(&[("prompt", Some("login"))]).await.form();
    browser.login(&form, "alice", "right").await.redirect();
    post(&browser, "/login", &form, ("cancel", "1")).await.redirect();
    signed_in(told, "alice").await;
    let grants = told.oauth.grants("alice").await.unwrap();
    let grant = grants.iter().find(|grant| matches!(grant.holder, Holder::Client(_))).unwrap();
    assert!(told.oauth.revoke_grant("alice", &grant.id).await.unwrap());

    let (leaver, tokens) = signed_in(told, "leaver").await;
    has_left.store(true, Ordering::SeqCst);
    assert_eq!(leaver.refresh(text(&tokens, "refresh_token"), &[]).await.status, 400);
    assert!(leaver.authorize(&[]).await.is_page());
}

async fn devices(told: &Told, clock: &Clock) {
    let browser = Browser::new(&told.server);
    let ask = async || browser.post("/device_authorization", "client_id=tv").await;
    let device = ask().await.json();
    let page = Answer::to(browser.http.get(format!("{}/device", browser.base))).await.form();
    let page = post(&browser, "/device", &page, ("user_code", text(&device, "user_code"))).await;
    let page = browser.login(&page.form(), "viewer", "right").await;
    assert_eq!(browser.consent(&page.form(), "allow").await.status, 200);
    let grant = "urn:ietf:params:oauth:grant-type:device_code";
    let form = format!("client_id=tv&grant_type={grant}&device_code={}", text(&device, "device_code"));
    assert_eq!(browser.post("/token", form).await.status, 200);
    let page = Answer::to(browser.http.get(format!("{}/device", browser.base))).await.form();
    while post(&browser, "/device", &page, ("user_code", "BBBB-BBBB")).await.status != 429 {}
    while ask().await.status != 429 {}
    let (known, _) = signed_in(told, "owner").await;
    let form = known.authorize(&[("prompt", Some("login"))]).await.form();
    while known.login(&form, "owner", OFF_THE_WIRE).await.status != 429 {}
    clock.advance(Duration::from_secs(3_600));
}

async fn sign_outs(told: &Told) {
    let (browser, _) = signed_in(told, "alice").await;
    let logout = format!("{}/logout", browser.base);
    let page = Answer::to(browser.http.get(&logout)).await.form();
    assert_eq!(post(&browser, "/logout", &page, ("decision", "sign_out")).await.status, 200);
    let (browser, tokens) = signed_in(told, "alice").await;
    let hint = [("id_token_hint", text(&tokens, "id_token"))];
    assert_eq!(Answer::to(Browser::new(&told.server).http.post(&logout).form(&hint)).await.status, 200);
    assert_eq!(Answer::to(browser.http.post(&logout).form(&hint)).await.status, 200);
    signed_in(told, "alice").await;
    let (browser, _) = signed_in(told, "bob").await;
    browser.sign_in(&[], "alice", "right").await;
    told.oauth.sign_out("alice").await.unwrap();
    told.oauth.forget("alice").await.unwrap();
}

async fn limits(told: &Told) {
    let browser = Browser::new(&told.server);
    let form = browser.authorize(&[]).await.form();
    let wrong = async |from: &str, name: &str| {
        let fields = [("request", form.as_str()), ("username", name), ("password", OFF_THE_WIRE)];
        Answer::to(browser.http.post(format!("{}/login", browser.base)).header("from", from).form(&fields)).await.status
    };
    let mut held_up = 0;
    for number in 0..102 {
        held_up += u32::from(wrong("192.0.2.1", &format!("user {number}")).await == 429);
        held_up += u32::from(wrong(&format!("198.51.100.{}", number % 25), "one name").await == 429);
        held_up += u32::from(wrong(&format!("10.1.0.{}", number % 25), &format!("many names {number}")).await == 429);
        if number < 12 {
            held_up += u32::from(wrong("203.0.113.7", "one name from one place").await == 429);
        }
        if number < 12 {
            browser.post_as("/token", "job", OFF_THE_WIRE, &[("grant_type", "client_credentials")]).await;
        }
    }
    for number in 0..=1_000 {
        held_up += u32::from(wrong(&format!("10.2.{}.{}", number / 250, number % 250), "all of it").await == 429);
    }
    assert_eq!(held_up, 5, "once each: by address, by name, by both, by user, and the budget");
    for number in 0..101 {
        let client = if number < 100 { format!("c{}", number / 10) } else { "demo".to_owned() };
        let client = ("client_id", Some(client.as_str()));
        let code = browser.sign_in(&[client], "collector", "right").await.redirect()["code"].clone();
        let status = browser.redeem(&code, &[client, ("redirect_uri", Some(REDIRECT))]).await.status;
        assert_eq!(status, if number < 100 { 200 } else { 503 }, "{number}");
    }
}

/// Of clients that register themselves, at a service that has no other.
async fn registrations() -> Vec<Event> {
    let told = Told::of(|base| {
        let builder = OAuthService::builder().untyped_claims().issuer(base).registration();
        builder.authenticate(async |_: Login| Some(json!({ "sub": "alice" })))
    });
    let browser = Browser::new(&told.server);
    let register = async || {
        let request =
            browser.http.post(format!("{}/register", browser.base)).header("Content-Type", "application/json");
        Answer::to(request.body(r#"{"redirect_uris":["http://127.0.0.1/cb"]}"#)).await
    };
    let client = register().await.json()["client_id"].as_str().unwrap().to_owned();
    assert!(told.oauth.end_registration(&client).await.unwrap());
    let mut statuses = Vec::new();
    for _ in 0..52 {
        statuses.push(register().await.status);
    }
    assert!(statuses.contains(&429), "{statuses:?}");
    told.all().await
}

/// Of clients that are notified of a sign-out: one accepts, one refuses.
async fn back_channel() -> Vec<Event> {
    let (listener, clients) = free_port();
    let _clients = serve(listener, |app| {
        app.route("/takes", web::post().to(HttpResponse::Ok))
            .route("/refuses", web::post().to(HttpResponse::BadRequest));
    });
    let told = Told::by(|builder| {
        let client = |id: &str| {
            let client = Client::confidential(id).secret(JOB).redirect_uri(REDIRECT);
            client.backchannel_logout_uri(format!("{clients}/{id}"))
        };
        let builder = builder.scope("openid", "Know who you are").client(client("takes")).client(client("refuses"));
        builder.reload(async |_: &str| Some(json!({})))
    });
    let browser = Browser::new(&told.server);
    for client in ["takes", "refuses"] {
        let client: Changes<'_> = &[("client_id", Some(client)), ("scope", Some("openid"))];
        let answer = browser.authorize(client).await;
        let answer = if answer.is_page() { browser.login(&answer.form(), "user", "user123").await } else { answer };
        let code = &answer.redirect()["code"];
        let answer = browser.redeem(code, &[client[0], ("client_secret", Some(JOB))]).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }
    told.oauth.sign_out("user").await.unwrap();
    let mut events = Vec::new();
    let is_of_it = |event: &Event| matches!(event.kind, EventKind::LogoutTold | EventKind::LogoutNotTold);
    while events.iter().filter(|event| is_of_it(event)).count() < 2 {
        events.push(told.events.recv_timeout(PATIENCE).unwrap());
    }
    events
}

/// All that can happen.
async fn everything() -> Vec<Event> {
    let (clock, has_left) = (Clock::by_hand(), Arc::default());
    let store = watched(clock.clone());
    let kept = store.clone();
    let told =
        Told::by(|builder| usual(builder, &clock, &has_left).store(kept).store_deadline(Duration::from_millis(20)));
    sign_ins(&told).await;
    consents_and_grants(&told, &clock, &has_left).await;
    sign_outs(&told).await;
    devices(&told, &clock).await;
    limits(&told).await;
    clock.advance(Duration::from_secs(30 * 24 * 3600));
    let (browser, _) = signed_in(&told, "of the next period").await;
    for fault in [Fault::Unavailable, Fault::Slow(Duration::from_secs(60))] {
        store.fail(Verb::ALL, fault);
        for _ in 0..2 {
            let answer = browser.authorize(&[]).await;
            assert_eq!(answer.redirect()["error"], "temporarily_unavailable");
        }
        store.repair();
        assert!(browser.authorize(&[]).await.is_page());
    }
    told.oauth.renew().await.unwrap();
    let mut all = told.all().await;

    let told = Told::of(|base| {
        let client = Client::public("demo").redirect_uri("http://127.0.0.1/callback");
        OAuthService::builder().untyped_claims().issuer(base).client(client).sign_in_at("/own/page")
    });
    let browser = Browser::new(&told.server);
    for (page, asked) in [("/own/page", None), ("/own/known", Some("login"))] {
        let sent = browser.authorize(&[("prompt", asked)]).await;
        let request = sent.header("location").split_once("?request=").unwrap().1.to_owned();
        Answer::to(browser.http.post(format!("{}{page}", browser.base)).body(request)).await.redirect();
    }
    all.extend(told.all().await);
    all.extend(registrations().await);
    all.extend(back_channel().await);

    let is_rewound: Arc<AtomicBool> = Arc::default();
    let store = Rewindable(MemoryStore::with_clock(clock.clone()), Arc::clone(&is_rewound));
    let told = Told::by(|builder| usual(builder, &clock, &Arc::default()).store(store));
    let (browser, _) = signed_in(&told, "alice").await;
    is_rewound.store(true, Ordering::SeqCst);
    assert!(browser.authorize(&[]).await.is_page(), "the session is not taken");
    all.extend(told.all().await);
    all
}

/// An event as its line in the log has it.
fn fields(event: &Event) -> BTreeSet<String> {
    let json = serde_json::to_value(event).unwrap();
    let is_logged = |name: &str| !matches!(name, "kind" | "at" | "dropped");
    let fields = json.as_object().unwrap().iter().filter(|(name, _)| is_logged(name));
    fields.map(|(name, value)| format!("{name}={}", value.as_str().unwrap())).collect()
}

/// What the log says of an event.
struct Line<'a> {
    level: &'a str,
    text: &'a str,
    kind: &'a str,
    fields: BTreeSet<String>,
}

impl<'a> Line<'a> {
    /// None where a line is of something else.
    fn read(line: &'a str) -> Option<Self> {
        let (before, after) = line.split_once(" event=\"")?;
        let level = before.split_whitespace().nth(1)?;
        let text = before.rsplit_once("oauth: ")?.1;
        let (kind, rest) = after.split_once('"')?;
        let mut fields = BTreeSet::new();
        let mut rest = rest.trim();
        while let Some((name, value)) = rest.split_once('=') {
            // A text is in quotes, and none of these tests has a quote in it.
            let (value, next) = match value.strip_prefix('"') {
                Some(value) => value.split_once('"')?,
                None => value.split_once(' ').unwrap_or((value, "")),
            };
            fields.insert(format!("{name}={value}"));
            rest = next.trim();
        }
        Some(Line { level, text, kind, fields })
    }
}

/// What was seen of one kind.
struct Row<'a> {
    level: &'a str,
    text: &'a str,
    fields: BTreeSet<String>,
    reasons: BTreeSet<&'static str>,
}

impl Row<'_> {
    fn print(&self, kind: EventKind, table: &mut String) {
        let order = ["subject", "client", "grant", "session", "key", "address", "request"];
        let fields: Vec<&str> = order.into_iter().filter(|name| self.fields.contains(*name)).collect();
        let reasons: Vec<String> = kind.reasons().iter().map(|reason| format!("`{reason}`")).collect();
        let (fields, reasons) = (fields.join(", "), reasons.join(", "));
        writeln!(table, "| `{}` | {}: {} | {fields} | {reasons} |", kind.as_str(), self.level, self.text).unwrap();
    }
}

#[tokio::test]
async fn every_event_is_told_to_the_log_and_to_the_author_with_the_same_fields() {
    let log = LOG.clone();
    let all = everything().await;
    let log = log.text();
    let lines: Vec<_> = log.lines().filter_map(Line::read).collect();
    let mut rows: BTreeMap<&str, Row<'_>> = BTreeMap::new();
    for event in &all {
        assert_eq!(event.dropped, 0, "{event:?}");
        let (kind, fields) = (event.kind.as_str(), fields(event));
        let Some(line) = lines.iter().find(|line| line.kind == kind && line.fields == fields) else {
            panic!("the log does not have {event:?}\n{log}")
        };
        let Line { level, text, .. } = *line;
        let new = || Row { level, text, fields: BTreeSet::new(), reasons: BTreeSet::new() };
        let row = rows.entry(kind).or_insert_with(new);
        row.fields.extend(fields.iter().filter_map(|field| field.split_once('=')).map(|(name, _)| name.to_owned()));
        row.reasons.extend(event.reason);
        if let Some(request) = &event.request {
            let span = format!("request{{id=\"{request}\" method=\"");
            assert!(log.lines().any(|line| line.contains(&span) && line.contains("event=")), "{span}\n{log}");
        }
    }
    assert!(!log.contains(OFF_THE_WIRE), "{log}");

    let mut table = String::from("\n| Event | The line in the log | Fields | Reasons |\n|---|---|---|---|\n");
    for kind in EventKind::ALL {
        let row = rows.get(kind.as_str()).unwrap_or_else(|| panic!("{kind:?} never happened"));
        row.print(*kind, &mut table);
        let elsewhere = ELSEWHERE.iter().filter(|(of, _)| of == kind).map(|(_, reason)| *reason);
        let all: Vec<_> = row.reasons.iter().copied().chain(elsewhere).collect();
        let known: BTreeSet<_> = kind.reasons().iter().copied().collect();
        assert_eq!(all.iter().copied().collect::<BTreeSet<_>>(), known, "{kind:?}");
        assert_eq!(all.len(), known.len(), "{kind:?}: what happens here is not elsewhere");
    }
    pages::hold("events", "events", &(table + "\n"));
}

/// An answer that has no room for a user's claims has no code, whatever does not fit: the code, or the cookies beside it.
#[tokio::test]
async fn a_code_is_issued_where_it_is_sent() {
    let told = Told::by(|builder| {
        let user = |login: Login| json!({ "sub": login.username, "x": "x".repeat(login.password.parse().unwrap()) });
        builder.authenticate(async move |login: Login| Some(user(login))).reload(async |_: &str| Some(json!({})))
    });
    let state = "s".repeat(1024);
    let mut sent = 0;
    for claims in (400..1600).step_by(50) {
        let browser = Browser::new(&told.server);
        let name = format!("{claims}{}", "n".repeat(200));
        match browser.sign_in(&[("state", Some(&state))], &name, &claims.to_string()).await.status {
            303 => sent += 1,
            status => assert_eq!(status, 500),
        }
    }
    let events = told.all().await;
    assert_eq!(events.iter().filter(|event| event.kind == EventKind::CodeIssued).count(), sent);
    assert!(0 < sent && sent < 24, "some have room, and some have none: {sent}");
}

/// What can be known of a browser is whether it shows a session of the user's, be it one that ended.
#[tokio::test]
async fn a_browser_is_new_to_a_user_who_has_no_session_in_it() {
    let clock = Clock::by_hand();
    let told = Told::by(|builder| usual(builder, &clock, &Arc::default()));
    let (browser, other) = (Browser::new(&told.server), Browser::new(&told.server));
    for (browser, name) in [(&browser, "alice"), (&browser, "alice"), (&browser, "bob"), (&other, "bob")] {
        browser.sign_in(&[], name, "right").await.redirect();
    }
    told.oauth.sign_out("bob").await.unwrap();
    clock.advance(Duration::from_secs(1));
    other.sign_in(&[], "bob", "right").await.redirect();
    let events = told.all().await;
    let of = |kind| {
        let events = events.iter().filter(|event| event.kind == kind);
        events.map(|event| event.subject.clone().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(of(EventKind::SignedIn), ["alice", "alice", "bob", "bob", "bob"]);
    assert_eq!(of(EventKind::NewDevice), ["alice", "bob", "bob"]);
}

/// A request's span says which URL of the server it is for and how it ended, and nothing that the client sent along.
#[tokio::test]
async fn a_request_has_one_span_without_its_query_and_body() {
    let log = LOG.clone();
    let told = Told::by(|builder| builder);
    let browser = Browser::new(&told.server);
    let form = browser.authorize(&[("state", Some("of-this-very-request"))]).await.form();
    browser.login(&form, "admin", "admin123").await;
    let request = browser.http.request("BREW".parse().unwrap(), format!("{}/token?q=in-the-query", browser.base));
    assert_eq!(Answer::to(request).await.status, 405);
    let events = told.all().await;
    let signed_in = events.iter().find(|event| event.kind == EventKind::SignedIn).unwrap();
    let issued = events.iter().find(|event| event.kind == EventKind::CodeIssued).unwrap();
    assert_eq!(signed_in.request, issued.request, "both are of one request");
    assert_eq!(signed_in.address, Some([127, 0, 0, 1].into()));
    let id = signed_in.request.as_deref().unwrap();
    assert_eq!(id.len(), 22, "128 bits");

    let log = log.text();
    let spans = |span: &str| log.lines().filter(|line| line.contains(span) && line.contains("oauth: close")).count();
    assert_eq!(spans(&format!("request{{id=\"{id}\" method=\"POST\" path=\"/login\" status=303}}")), 1, "{log}");
    assert_eq!(spans("method=\"other\" path=\"/token\" status=405}"), 1, "{log}");
    for sent in ["of-this-very-request", "in-the-query", "BREW", &form] {
        assert!(!log.contains(sent), "{sent}: {log}");
    }
}
