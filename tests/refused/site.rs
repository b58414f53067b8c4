//! One service in this thread, whose store waits for its turns, and who asks it.
#![allow(clippy::unwrap_used)]

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashSet};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use actix_http::Request;
use actix_web::body::{BoxBody, MessageBody as _};
use actix_web::dev::{Service as _, ServiceResponse};
use actix_web::http::Method;
use actix_web::test::{self, TestRequest};
use actix_web::{App, web};
use oauth_runtime::client_address::x_forwarded_for;
use oauth_runtime::states::WithReload;
use oauth_runtime::store::MemoryStore;
use oauth_runtime::{
    Builder, Client, Clock, Event, EventKind, Login, OAuthService, Question, SecondFactor, SignIn, StoreError,
};
use oauth_tests::turns::{Asked, Turns};
use oauth_tests::{Answer, Changes, PATIENCE, REDIRECT, VERIFIER, authorization_request, builder, changed, handlers};
use parking_lot::Mutex;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::json;

pub(crate) const ISSUER: &str = "http://127.0.0.1:8000";
pub(crate) const PARTNERS: &str = "https://partner.example/cb";
/// What the client of a third party asks for.
pub(crate) const PARTNER: [(&str, Option<&str>); 2] =
    [("client_id", Some("partner")), ("redirect_uri", Some(PARTNERS))];

type Call = dyn Fn(Request) -> Asked<ServiceResponse<BoxBody>>;

pub(crate) struct Site {
    pub(crate) oauth: OAuthService,
    pub(crate) turns: Turns,
    pub(crate) clock: Clock,
    users: Arc<Users>,
    told: Receiver<EventKind>,
    app: Rc<Call>,
    next: Cell<usize>,
}

/// Their passwords are `right`. Who is called `two..` is asked for a code, which is `right` as well, and right once.
#[derive(Default)]
struct Users {
    /// How often a password was looked at.
    looked: AtomicUsize,
    used: Mutex<HashSet<String>>,
    gone: Mutex<HashSet<String>>,
}

/// A user, their browser, which is in a network of its own, and the client that it runs.
#[derive(Clone)]
pub(crate) struct Person {
    pub(crate) name: String,
    address: String,
    app: Rc<Call>,
    cookies: Rc<RefCell<BTreeMap<String, String>>>,
}

#[derive(Clone, Debug)]
pub(crate) struct Tokens {
    pub(crate) access: String,
    pub(crate) refresh: String,
}

/// Runs a test in this thread, as a worker of actix would.
pub(crate) fn here(test: impl Future<Output = ()>) {
    actix_web::rt::System::new().block_on(test);
}

fn usual(builder: Builder, turns: &Turns, users: &Arc<Users>) -> Builder<WithReload> {
    let [waits, waits_too, waits_as_well] = [turns.clone(), turns.clone(), turns.clone()];
    let [passwords, codes, all] = [Arc::clone(users), Arc::clone(users), Arc::clone(users)];
    builder
        .store(turns.clone())
        .client_address(x_forwarded_for(1))
        .dpop_once()
        .client(Client::public("tv").device())
        .client(Client::public("partner").redirect_uri(PARTNERS).third_party().allow_scopes("notes:read"))
        .authenticate(async move |login: Login| {
            passwords.looked.fetch_add(1, Ordering::SeqCst);
            waits.turn().await;
            match &*login.password {
                "right" if login.username.starts_with("two") => SignIn::ask(Question::code("Code?").of(login.username)),
                "right" => SignIn::done(json!({ "sub": login.username })),
                _ => SignIn::refused_for(login.username),
            }
        })
        .second_factor(async move |factor: SecondFactor| {
            let who = factor.subject.unwrap();
            let is_right = &*factor.answer == "right" && codes.used.lock().insert(who.clone());
            waits_too.turn().await;
            if is_right { SignIn::done(json!({ "sub": who })) } else { SignIn::refused_for(who) }
        })
        .reload(async move |subject: &str| {
            let is_there = !all.gone.lock().contains(subject);
            waits_as_well.turn().await;
            is_there.then(|| json!({}))
        })
        .account_page()
}

impl Site {
    pub(crate) async fn new() -> Site {
        Site::with(Turns::new, |builder| builder).await
    }

    pub(crate) async fn with(
        turns: fn(MemoryStore) -> Turns,
        change: impl FnOnce(Builder<WithReload>) -> Builder<WithReload>,
    ) -> Site {
        let (clock, users, (tells, told)) = (Clock::by_hand(), Arc::new(Users::default()), channel());
        let turns = turns(MemoryStore::with_clock(clock.clone()));
        let tells = move |event: &Event| tells.send(event.kind).unwrap_or_default();
        let configured = usual(builder(ISSUER).clock(clock.clone()).on_event(tells), &turns, &users);
        let oauth = change(configured).build().unwrap();
        // A client's assertion has to be younger than the store.
        clock.advance(Duration::from_secs(60));
        let pages = web::scope("/pages").wrap(oauth.pages()).route("", web::get().to(async || "a page"));
        let app = App::new().configure(oauth.routes()).configure(handlers).service(pages);
        let app = test::init_service(app).await;
        let call = move |request| -> Asked<ServiceResponse<BoxBody>> {
            let answer = app.call(request);
            Box::pin(async move { answer.await.unwrap().map_into_boxed_body() })
        };
        Site { oauth, turns, clock, users, told, app: Rc::new(call), next: Cell::new(0) }
    }

    /// Someone new.
    pub(crate) fn person(&self, name: &str) -> Person {
        let number = self.next.get();
        self.next.set(number + 1);
        let address = format!("10.0.{}.{}", number / 250, number % 250);
        Person { name: format!("{name}{number}"), address, app: Rc::clone(&self.app), cookies: Rc::default() }
    }

    /// What the application does by itself, for a user.
    pub(crate) fn does<F: Future<Output = Result<(), StoreError>> + 'static>(
        &self,
        does: impl FnOnce(OAuthService, String) -> F,
        user: &Person,
    ) -> Asked<Answer> {
        let done = does(self.oauth.clone(), user.name.clone());
        Box::pin(async move {
            let status = if done.await.is_ok() { 204 } else { 503 };
            Answer { status, headers: HeaderMap::new(), body: String::new() }
        })
    }

    pub(crate) fn signs_out(&self, user: &Person) -> Asked<Answer> {
        self.does(async |oauth, name| oauth.sign_out(&name).await, user)
    }

    pub(crate) fn looked(&self) -> usize {
        self.users.looked.load(Ordering::SeqCst)
    }

    /// Lets the author remove a user.
    pub(crate) fn removes(&self, user: &Person) -> impl FnOnce() + use<> {
        let (users, name) = (Arc::clone(&self.users), user.name.clone());
        move || _ = users.gone.lock().insert(name)
    }

    /// Waits for an event, whatever else happens.
    pub(crate) fn hears(&self, kind: EventKind) {
        while self.told.recv_timeout(PATIENCE).unwrap() != kind {}
    }
}

impl Person {
    /// The same user, in another browser.
    pub(crate) fn elsewhere(&self) -> Person {
        Person { cookies: Rc::default(), ..self.clone() }
    }

    /// Another user, in the same browser.
    pub(crate) fn as_other(&self, name: &str) -> Person {
        Person { name: format!("{name} beside {}", self.name), ..self.clone() }
    }

    fn send(&self, request: TestRequest) -> Asked<Answer> {
        let said = [("x-forwarded-for", &*self.address), ("sec-fetch-site", "same-origin"), ("host", "127.0.0.1:8000")];
        let request = said.into_iter().fold(request, TestRequest::insert_header);
        let cookie = |(name, value): (&String, &String)| ("cookie", format!("{name}={value}"));
        let request = self.cookies.borrow().iter().map(cookie).fold(request, TestRequest::append_header);
        let (answer, cookies) = ((self.app)(request.to_request()), Rc::clone(&self.cookies));
        Box::pin(async move {
            let answer = answer.await;
            let mut headers = HeaderMap::new();
            for (name, value) in answer.headers() {
                let name = HeaderName::from_bytes(name.as_str().as_bytes()).unwrap();
                headers.append(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
            }
            for cookie in headers.get_all("set-cookie") {
                let (name, rest) = cookie.to_str().unwrap().split_once('=').unwrap();
                match rest.split(';').next().unwrap() {
                    "" => cookies.borrow_mut().remove(name),
                    value => cookies.borrow_mut().insert(name.to_owned(), value.to_owned()),
                };
            }
            let status = answer.status().as_u16();
            let body = answer.into_body().try_into_bytes().unwrap();
            Answer { status, headers, body: String::from_utf8(body.to_vec()).unwrap() }
        })
    }

    pub(crate) fn get(&self, path: &str) -> Asked<Answer> {
        self.send(TestRequest::with_uri(path))
    }

    pub(crate) fn post(&self, path: &str, form: &[(&str, &str)]) -> Asked<Answer> {
        self.post_encoded(path, changed(form, &[]), &[])
    }

    pub(crate) fn post_encoded(&self, path: &str, form: String, headers: &[(&'static str, &str)]) -> Asked<Answer> {
        let form_type = ("content-type", "application/x-www-form-urlencoded");
        let request = TestRequest::with_uri(path).method(Method::POST).insert_header(form_type).set_payload(form);
        self.send(headers.iter().copied().fold(request, TestRequest::insert_header))
    }

    /// A page of the application's own.
    pub(crate) fn page(&self) -> Asked<Answer> {
        self.send(TestRequest::with_uri("/pages").insert_header(("sec-fetch-dest", "document")))
    }

    pub(crate) fn calls(&self, token: &str) -> Asked<Answer> {
        self.send(TestRequest::with_uri("/me").insert_header(("authorization", format!("Bearer {token}"))))
    }

    pub(crate) fn calls_with_proof(&self, token: &str, proof: &str) -> Asked<Answer> {
        let headers = [("authorization", format!("DPoP {token}")), ("dpop", proof.to_owned())];
        self.send(headers.into_iter().fold(TestRequest::with_uri("/me"), TestRequest::insert_header))
    }

    pub(crate) fn authorize(&self, changes: Changes<'_>) -> Asked<Answer> {
        self.get(&format!("/authorize?{}", authorization_request(changes)))
    }

    /// The URL with which the browser brings a request that was pushed.
    pub(crate) async fn pushes(&self) -> String {
        let pushed = self.post_encoded("/par", authorization_request(&[]), &[]).await.json();
        let query = [("client_id", "demo"), ("request_uri", pushed["request_uri"].as_str().unwrap())];
        format!("/authorize?{}", changed(&query, &[]))
    }

    pub(crate) fn login(&self, form: &str, password: &str) -> Asked<Answer> {
        self.post("/login", &[("request", form), ("username", &self.name), ("password", password)])
    }

    pub(crate) async fn signs_in(&self, changes: Changes<'_>) -> Answer {
        let page = self.authorize(&[&[("prompt", Some("login"))], changes].concat()).await;
        self.login(&page.form(), "right").await
    }

    pub(crate) fn answers(&self, form: &str, answer: &str) -> Asked<Answer> {
        self.post("/verify", &[("request", form), ("answer", answer)])
    }

    pub(crate) fn decides(&self, form: &str, decision: &str) -> Asked<Answer> {
        self.post("/consent", &[("request", form), ("decision", decision)])
    }

    pub(crate) async fn code(&self) -> String {
        self.signs_in(&[]).await.redirect()["code"].clone()
    }

    pub(crate) fn redeems(&self, code: &str, changes: Changes<'_>) -> Asked<Answer> {
        self.redeems_with(code, changes, &[])
    }

    pub(crate) fn redeems_with(
        &self,
        code: &str,
        changes: Changes<'_>,
        headers: &[(&'static str, &str)],
    ) -> Asked<Answer> {
        let form = [
            ("grant_type", "authorization_code"),
            ("client_id", "demo"),
            ("code", code),
            ("redirect_uri", REDIRECT),
            ("code_verifier", VERIFIER),
        ];
        self.post_encoded("/token", changed(&form, changes), headers)
    }

    /// A device asks for what its user may have allowed.
    pub(crate) fn polls(&self, code: &str) -> Asked<Answer> {
        let grant = "urn:ietf:params:oauth:grant-type:device_code";
        self.post("/token", &[("grant_type", grant), ("client_id", "tv"), ("device_code", code)])
    }

    pub(crate) async fn tokens(&self) -> Tokens {
        Tokens::of(&self.redeems(&self.code().await, &[]).await)
    }

    pub(crate) fn refreshes(&self, client: &str, tokens: &Tokens) -> Asked<Answer> {
        let form = [("grant_type", "refresh_token"), ("client_id", client), ("refresh_token", &*tokens.refresh)];
        self.post("/token", &form)
    }

    pub(crate) fn revokes(&self, tokens: &Tokens) -> Asked<Answer> {
        self.post("/revoke", &[("client_id", "demo"), ("token", &*tokens.access)])
    }

    /// Whether these open nothing any more.
    pub(crate) async fn has_ended(&self, client: &str, tokens: &Tokens) -> bool {
        self.calls(&tokens.access).await.status == 401 && self.refreshes(client, tokens).await.status == 400
    }

    /// How many wrong passwords, or codes, are looked at before one is held up.
    pub(crate) async fn wrong_ones(&self, wrong: impl Fn() -> Asked<Answer>) -> usize {
        let mut looked = 0;
        while wrong().await.status != 429 {
            looked += 1;
        }
        looked
    }
}

impl Tokens {
    pub(crate) fn of(answer: &Answer) -> Tokens {
        assert_eq!(answer.status, 200, "{answer:?}");
        let json = answer.json();
        let [access, refresh] = ["access_token", "refresh_token"].map(|name| json[name].as_str().unwrap().to_owned());
        Tokens { access, refresh }
    }
}

/// The code in a redirect.
pub(crate) trait Coded {
    fn code(&self) -> Option<String>;
}

impl Coded for Answer {
    fn code(&self) -> Option<String> {
        if self.status == 303 && self.header("location").contains('?') { self.redirect().remove("code") } else { None }
    }
}
