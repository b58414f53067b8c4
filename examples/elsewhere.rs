//! Signing in on a page of one's own, by a code that is sent by mail: `cargo run --example elsewhere`.
//!
//! The same way goes for passkeys and for an upstream provider: keep `request` until you know who it is, then finish.

use actix_web::http::header::ContentType;
use actix_web::web::{Form, Query, ServiceConfig};
use actix_web::{App, Error, HttpRequest, HttpResponse, HttpServer, get, post};
use oauth_runtime::{AuthTime, Client, OAuthService, SignIn, public};
use serde::Deserialize;
use serde_json::json;

#[derive(Deserialize)]
struct Arrival {
    request: String,
}

#[derive(Deserialize)]
struct Answer {
    request: String,
    address: String,
    code: String,
}

/// The browser comes here from `/authorize`.
#[public]
#[get("/welcome")]
async fn page(oauth: OAuthService, http: HttpRequest, arrival: Query<Arrival>) -> Result<HttpResponse, Error> {
    // Only what this server sealed for this browser is opened.
    let pending = oauth.pending(&http, &arrival.request).await?;
    let (client, to) = (escaped(pending.client_name()), escaped(&pending.returns_to()));
    // What is sealed has no character that means something in HTML.
    let html = format!(
        "<!doctype html><html lang=\"en\"><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <title>Welcome</title><main><h1>Welcome</h1><p>{client} at {to} wants to know who you are.</p>\
         <form method=\"post\" action=\"/welcome\"><input type=\"hidden\" name=\"request\" value=\"{}\">\
         <label>Address <input name=\"address\" autocomplete=\"username\"></label> \
         <label>Code from our mail <input name=\"code\" autocomplete=\"one-time-code\"></label> \
         <button>Sign in</button></form>",
        arrival.request
    );
    // In no frame of another site and in no cache, and no other site learns its address.
    Ok(HttpResponse::Ok()
        .insert_header(ContentType::html())
        .insert_header(("X-Frame-Options", "DENY"))
        .insert_header(("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"))
        .insert_header(("Referrer-Policy", "no-referrer"))
        .insert_header(("Cache-Control", "no-store"))
        .body(html))
}

/// The page posts here. Count wrong codes: here that is your own affair.
#[public]
#[post("/welcome")]
async fn sign_in(oauth: OAuthService, http: HttpRequest, answer: Form<Answer>) -> Result<HttpResponse, Error> {
    let pending = oauth.pending(&http, &answer.request).await?;
    if answer.code != CODE {
        return pending.deny(&http).await;
    }
    // In production `sub` is the id of the user with this address: an address may be another person's one day.
    let user = json!({ "sub": answer.address, "email": answer.address });
    pending.finish(&http, SignIn::done(user).amr("otp").shown_as(&answer.address), AuthTime::Now).await
}

/// In production: drawn for each mail, kept for some minutes, and good once.
const CODE: &str = "314159";

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn service(origin: &str) -> OAuthService {
    OAuthService::builder()
        .issuer(origin)
        .client(Client::public("demo").name("Notes").redirect_uri("https://notes.example/callback"))
        .sign_in_at("/welcome")
        .build()
        .expect("a whole configuration")
}

fn routes(app: &mut ServiceConfig) {
    app.service((page, sign_in));
}

#[actix_web::main]
async fn main() -> std::io::Result<()> {
    tracing_subscriber::fmt().with_env_filter("info").init();
    let oauth = service("http://127.0.0.1:8000");
    HttpServer::new(move || App::new().configure(oauth.routes()).configure(routes))
        .bind(("127.0.0.1", 8000))?
        .run()
        .await
}

#[cfg(test)]
mod tests {
    use actix_web::dev::ServiceResponse;
    use actix_web::test::{TestRequest, call_service, init_service};

    use super::*;

    fn header<'a>(answer: &'a ServiceResponse, name: &str) -> &'a str {
        answer.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    #[actix_web::test]
    async fn a_code_from_the_mail_signs_in() {
        let app = init_service(App::new().configure(service("http://127.0.0.1:8000").routes()).configure(routes)).await;
        let uri = "/authorize?response_type=code&client_id=demo&redirect_uri=https://notes.example/callback\
                   &code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256";
        let sent = call_service(&app, TestRequest::get().uri(uri).to_request()).await;
        let cookie = header(&sent, "set-cookie").split(';').next().unwrap_or_default().to_owned();
        let place = header(&sent, "location").to_owned();
        let request = place.strip_prefix("/welcome?request=").expect("the page of the author").to_owned();
        let arrive = TestRequest::get().uri(&place).insert_header(("cookie", cookie.clone())).to_request();
        let shown = call_service(&app, arrive).await;
        assert_eq!((shown.status().as_u16(), header(&shown, "cache-control")), (200, "no-store"));
        assert!(header(&shown, "content-security-policy").contains("frame-ancestors 'none'"));
        for (code, expected) in [(CODE, "code="), ("0", "error=access_denied")] {
            let form = [("request", request.as_str()), ("address", "ada@example.com"), ("code", code)];
            let post = TestRequest::post().uri("/welcome").insert_header(("cookie", cookie.clone())).set_form(form);
            let answer = call_service(&app, post.to_request()).await;
            let to = header(&answer, "location");
            assert!(to.starts_with("https://notes.example/callback?") && to.contains(expected), "{code}: {to}");
        }
        let stranger = call_service(&app, TestRequest::get().uri(&place).to_request()).await;
        assert_eq!(stranger.status(), 403, "another browser");
    }
}
