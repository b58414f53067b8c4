//! Second looks at what an earlier step has decided: over HTTP that step answers first.

use std::sync::Arc;
use std::time::Duration;

use actix_web::http::{Method, header};
use actix_web::test::TestRequest;
use actix_web::{HttpRequest, HttpResponse};
use serde_json::{Map, json};

use crate::error::Reason;
use crate::model::Timestamp;
use crate::model::code::{AuthorizationRequest, FormId, Promised, QuestionForm, Requirements, SignInForm};
use crate::model::id::random_id;
use crate::model::question::Question;
use crate::model::record::Record;
use crate::model::redirect_uri::Destination;
use crate::model::session::{Authentication, By, Person, Session};
use crate::server::Server;
use crate::sign_in::begin::reloaded;
use crate::sign_in::browser::Browser;
use crate::sign_in::redirect::{self, approve, way_back_from};
use crate::sign_in::request::Authorization;
use crate::sign_in::{attempt, consent, form};
use crate::standing::Decision;
use crate::store::{Key, MemoryStore};
use crate::{Client, Login, OAuthService};

const BACK: &str = "http://127.0.0.1:9/cb";

/// A third party whose answers go to a program on the user's device.
fn third_party() -> Client {
    Client::public("other").redirect_uri(BACK).third_party()
}

fn service(client: Client, store: &Arc<MemoryStore>) -> OAuthService {
    let builder = OAuthService::builder().untyped_claims().issuer("https://here.example").direct_peers();
    builder
        .secret("6XNa6p+eZkCNrarFa2QxfZ5SWmHv6LkhsB2oJKDiCgM=")
        .store(Arc::clone(store))
        .client(client)
        .authenticate(async |_: Login| Some(json!({ "sub": "ada" })))
        .reload(async |_: &str| Some(json!({})))
        .build()
        .expect("a service")
}

fn asked(requirements: Requirements) -> AuthorizationRequest {
    let request = AuthorizationRequest::of_own_page(BACK.to_owned(), requirements);
    AuthorizationRequest { client_id: "other".to_owned(), state: Some("xyz".to_owned()), ..request }
}

async fn authorization(server: &Server, requirements: Requirements) -> Authorization {
    Authorization::of(server, asked(requirements)).await.expect("a valid request")
}

async fn ada(server: &Server) -> Person {
    let as_of = server.ledger().view(Key::of_subject("ada")).await.expect("an answer").as_of();
    let (at, amr) = (server.now(), Vec::new());
    let authentication = Authentication { at, amr, acr: None, session: None, until: None, as_of };
    Person { subject: "ada".to_owned(), account: "ada".to_owned(), claims: Map::new(), authentication, device: None }
}

fn location(response: &HttpResponse) -> Option<&str> {
    response.headers().get(header::LOCATION).map(|url| url.to_str().expect("text"))
}

/// A browser, and the page that gave it its cookie.
fn browser(server: &Server) -> (Browser, HttpResponse) {
    let first = TestRequest::default().to_http_request();
    let (browser, mut page) = (Browser::of(&first, server), HttpResponse::Ok().finish());
    browser.remember(&first, &mut page, server);
    (browser, page)
}

/// A request of the browser that this page gave a cookie.
fn with_cookie(request: TestRequest, response: &HttpResponse) -> HttpRequest {
    let cookie = response.headers().get(header::SET_COOKIE).expect("a cookie").to_str().expect("text");
    let (pair, _) = cookie.split_once(';').expect("it has attributes");
    request.insert_header((header::COOKIE, pair)).to_http_request()
}

#[tokio::test]
async fn c04_no_code_and_no_error_goes_where_nothing_is_registered() {
    let oauth = service(third_party(), &Arc::default());
    let server = oauth.server();
    let person = ada(server).await;
    let good = authorization(server, Requirements::default()).await;
    let granted = good.granted_by(server, &person).expect("what is asked for");
    let promised = || Promised { grant: random_id(), at: server.now() };
    let (sent, issued) = approve(server, &good, &granted, &person, promised()).await.expect("a code");
    assert!(issued.is_some() && location(&sent).is_some_and(|url| url.contains("code=")), "{sent:?}");
    assert!(location(&redirect::deny(server, &good)).is_some_and(|url| url.starts_with(BACK)));

    let destination = Destination { is_registered: false, ..good.destination.clone() };
    let elsewhere = Authorization { destination, ..good };
    let refused = approve(server, &elsewhere, &granted, &person, promised()).await.map(drop);
    assert_eq!(refused, Err(Reason::Internal));
    assert_eq!(location(&redirect::deny(server, &elsewhere)), None);
    assert!(redirect::way_back(server, &elsewhere).is_none(), "nor a link on a page");
}

#[tokio::test]
async fn c39_no_code_is_made_for_a_user_who_is_not_the_one_that_was_asked_for() {
    let oauth = service(third_party(), &Arc::default());
    let server = oauth.server();
    let person = ada(server).await;
    let later = server.now() + Duration::from_secs(60);
    let named = |subject: &str| Requirements { subject: Some(subject.to_owned()), ..Requirements::default() };
    for (requirements, expected) in [
        (named("ada"), Ok(())),
        (named("eve"), Err(Reason::AnotherUser)),
        (Requirements { signed_in_since: Some(later), ..Requirements::default() }, Err(Reason::SignedInTooLongAgo)),
        (Requirements { acr: vec!["strong".to_owned()], ..Requirements::default() }, Err(Reason::AcrUnmet)),
    ] {
        let asking = authorization(server, requirements).await;
        let granted = asking.granted_by(server, &person).expect("what is asked for");
        let promised = Promised { grant: random_id(), at: server.now() };
        let approved = approve(server, &asking, &granted, &person, promised).await;
        assert_eq!(approved.map(drop), expected);
    }
}

#[tokio::test]
async fn c05_the_way_back_from_a_form_tells_its_state_to_its_own_page_alone() {
    let oauth = service(third_party(), &Arc::default());
    let server = oauth.server();
    let (browser, page) = browser(server);
    let form = FormId::new(server.now());
    let form = SignInForm { form, request: asked(Requirements::default()), browser: browser.hash().to_owned() };
    let sealed = form::seal(server, &form).expect("a small form");
    for (method, site, is_told) in [
        (Method::POST, "same-origin", true),
        (Method::POST, "same-site", false),
        (Method::POST, "cross-site", false),
        (Method::GET, "cross-site", true),
    ] {
        let posted = TestRequest::default().method(method.clone()).insert_header(("sec-fetch-site", site));
        let back = way_back_from(server, &with_cookie(posted, &page), &sealed).await.expect("it was valid once");
        assert!(back.href.starts_with(BACK), "{}", back.href);
        assert_eq!(back.href.contains("xyz"), is_told, "{method} {site}");
    }
    let posted = TestRequest::post().insert_header(("sec-fetch-site", "same-origin")).to_http_request();
    let back = way_back_from(server, &posted, &sealed).await.expect("it was valid once");
    assert!(!back.href.contains("xyz"), "another browser");
}

/// Its secret vouched for it: without one, any program on the device can claim to be it.
#[tokio::test]
async fn c06_what_was_allowed_is_asked_again_once_its_client_no_longer_proves_who_it_is() {
    let store = Arc::default();
    let secret = "kA2jXq0cVt5wL8sZrN4yB7eH1mP9uG3dF6oT0iC2xQE=";
    let confidential = Client::confidential("other").secret(secret).redirect_uri(BACK).third_party();
    for (client, expected) in [(confidential, false), (third_party(), true)] {
        let oauth = service(client, &store);
        let server = oauth.server();
        let person = ada(server).await;
        let asking = authorization(server, Requirements::default()).await;
        let granted = asking.granted_by(server, &person).expect("what is asked for");
        let resources = granted.resources().named(server.audience());
        let allow = |record: &mut Record, now| {
            let bound_to = consent::bound_to(&asking);
            record.allow("other", &bound_to, granted.scope(), &resources, granted.lasts(), now);
            Ok(Decision::Write(()))
        };
        assert_eq!(consent::is_kept(server, &asking), !expected);
        let (_, view) = server.ledger().change("ada", None, allow).await.expect("it is written");
        let is_needed = consent::is_needed(server, &asking, &granted, &view, By::Session);
        assert_eq!(is_needed, Ok(expected));
    }
}

/// What it leads to stays as old as the look at the session, and so is refused after the sign-out.
#[tokio::test]
async fn c42_the_use_of_a_session_that_has_ended_meanwhile_writes_nothing() {
    let oauth = service(third_party(), &Arc::default());
    let server = oauth.server();
    let seen = async || server.ledger().view(Key::of_subject("ada")).await.expect("an answer");
    let long_ago = Timestamp::from_seconds(server.now().seconds() - 2 * 3600);
    let begin = |record: &mut Record, now: Timestamp| {
        let ends = now + Duration::from_secs(3600);
        record.begin_session("session", ends, ends, long_ago);
        Ok(Decision::Write(()))
    };
    for is_signed_out in [false, true] {
        let (_, view) = server.ledger().change("ada", None, begin).await.expect("it is written");
        if is_signed_out {
            oauth.sign_out("ada").await.expect("it is written");
        }
        let before = seen().await.as_of();
        let Person { subject, account, authentication, .. } = ada(server).await;
        let authentication = Authentication { session: Some("session".to_owned()), ..authentication };
        let session = Session { subject, account, authentication, lasts: false };
        let person = reloaded(server, session, &view).await.expect("an answer").expect("a user");
        assert_eq!(person.authentication.as_of, view.as_of());
        assert_eq!(seen().await.as_of() == before, is_signed_out);
    }
}

#[tokio::test]
async fn c41_no_question_outlives_the_sign_in_of_which_it_is_a_step() {
    let oauth = service(third_party(), &Arc::default());
    let server = oauth.server();
    let (browser, page) = browser(server);
    let long_ago = Timestamp::from_seconds(server.now().seconds() - 2 * 3600 + 60);
    let sign_in = FormId::new(long_ago);
    let question = QuestionForm {
        once: form::once(server).await.expect("an answer"),
        sign_in: sign_in.clone(),
        request: asked(Requirements::default()),
        browser: browser.hash().to_owned(),
        username: "ada".to_owned(),
        began: long_ago,
        question: Question::code("Which?"),
    };
    let sealed = form::seal(server, &question).expect("a small form");
    let http = with_cookie(TestRequest::post(), &page);
    let opened = form::open_sealed::<QuestionForm>(server, &http, &sealed).expect("a minute is left");
    assert_eq!(opened.expires_at, sign_in.until(), "until then it is remembered that the form was sent");
}

/// A name may be given to another user: the first would have guesses of their own at it.
#[tokio::test]
async fn c46_a_browser_that_is_known_for_one_user_has_no_count_of_its_own_for_another() {
    let oauth = service(third_party(), &Arc::default());
    let server = oauth.server();
    let mut page = HttpResponse::Ok().finish();
    let first = TestRequest::default().to_http_request();
    oauth.know_browser(&first, &mut page, "ada", "name").await.expect("it is known");
    for (subject, expected) in [(Some("ada"), true), (Some("eve"), false), (None, true)] {
        let http = with_cookie(TestRequest::post(), &page);
        let begun = attempt::answer(server, &http, "name", subject).await.expect("an answer").expect("free");
        assert_eq!(begun.is_known(), expected, "{subject:?}");
    }
}
