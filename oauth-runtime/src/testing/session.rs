//! A user who is signed in with their browser.

use actix_web::HttpResponse;
use actix_web::http::header;

use crate::model::id::random_id;
use crate::model::record::Record;
use crate::model::session::{Authentication, Session};
use crate::server::OAuthService;
use crate::standing::{Decision, Ended};

/// The cookie of a user who is signed in with their browser, for the [pages](OAuthService::pages) of an application.
/// Their claims come from [`reload`](crate::Builder::reload).
///
/// ```
/// use actix_web::{App, get, http::StatusCode, test, web};
/// use oauth_runtime::{Login, OAuthService, require_claim, testing};
/// use serde_json::{Value, json};
///
/// #[require_claim(role = "admin")]
/// #[get("/users")]
/// async fn users() -> &'static str { "all users" }
///
/// # #[actix_web::main]
/// # async fn main() {
/// let oauth = OAuthService::builder()
///     .issuer("http://127.0.0.1:8000")
///     .authenticate(async |_: Login| None::<Value>)
///     .reload(async |subject: &str| Some(json!({ "role": if subject == "ada" { "admin" } else { "user" } })))
///     .build()
///     .unwrap();
/// let pages = web::scope("/app").wrap(oauth.pages()).service(users);
/// let app = test::init_service(App::new().configure(oauth.routes()).service(pages)).await;
///
/// for (user, status) in [("ada", StatusCode::OK), ("bob", StatusCode::FORBIDDEN)] {
///     let cookie = testing::session(&oauth, user).await;
///     let request = test::TestRequest::get().uri("/app/users").insert_header(cookie).to_request();
///     assert_eq!(test::call_service(&app, request).await.status(), status);
/// }
/// # }
/// ```
///
/// Add to a POST the header that browsers send from a page of the same origin: `.insert_header(("Sec-Fetch-Site",
/// "same-origin"))`.
///
/// # Panics
/// If the service has no sessions, or its store does not answer.
pub async fn session(oauth: &OAuthService, subject: &str) -> (&'static str, String) {
    let server = oauth.server();
    let Some(sessions) = server.sessions() else { panic!("the service has no sessions: add .reload(..)") };
    let (id, at) = (random_id(), server.now());
    let begin = |record: &mut Record, now| {
        record.begin_session(&id, at + sessions.lifetimes.absolute, server.sign_in_ends(at), now);
        Ok::<_, Ended>(Decision::Write(()))
    };
    let begun = server.ledger().change(subject, None, begin).await;
    let ((), view) = begun.unwrap_or_else(|why| panic!("the store does not take the session: {why:?}"));
    let authentication = Authentication {
        at,
        amr: vec!["pwd".to_owned()],
        acr: None,
        session: Some(id),
        until: Some(server.sign_in_ends(at)),
        as_of: view.as_of(),
    };
    let session = Session { subject: subject.to_owned(), account: subject.to_owned(), authentication, lasts: false };
    let mut response = HttpResponse::Ok().finish();
    session.prolong(&mut response, server).expect("a session of a test is short");
    let cookie = response.headers().get(header::SET_COOKIE).and_then(|cookie| cookie.to_str().ok());
    let cookie = cookie.and_then(|cookie| cookie.split(';').next()).expect("it was just set");
    ("Cookie", cookie.to_owned())
}
