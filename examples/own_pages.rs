//! A sign-in page of one's own, by another template engine (MiniJinja): `cargo run --example own_pages`.
//!
//! The other pages stay the built-in ones. The server adds the headers, which allow no script.

use actix_web::{App, HttpServer};
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment};
use oauth_runtime::pages::{PageError, Pages, SignInPage};
use oauth_runtime::{Client, Login, OAuthService};
use serde_json::{Value, json};

struct MyPages(Environment<'static>);

impl MyPages {
    fn new() -> Self {
        let mut templates = Environment::new();
        // What a client is called, or a person typed, stays text.
        templates.set_auto_escape_callback(|_| AutoEscape::Html);
        templates.add_template("sign_in", include_str!("own_pages.html")).expect("it is part of the program");
        MyPages(templates)
    }
}

impl Pages for MyPages {
    fn sign_in(&self, page: &SignInPage<'_>) -> Result<String, PageError> {
        let html = self.0.get_template("sign_in")?.render(Serde(json!({
            "name": page.brand.name,
            "stylesheet": page.brand.stylesheet,
            "language": page.texts.language,
            "client": page.client,
            "returns_to": page.returns_to,
            "scopes": page.scopes,
            "problem": page.problem.map(|problem| problem.to_string()),
            "action": page.action,
            "request": page.request,
            "username": page.username,
        })))?;
        Ok(html)
    }
}

fn authenticate(login: Login) -> Option<Value> {
    // In production: look the user up, and check an Argon2 hash.
    (login.username == "ada" && &*login.password == "please").then(|| json!({ "sub": "ada", "role": "admin" }))
}

fn service(origin: &str) -> OAuthService {
    OAuthService::builder()
        .issuer(origin)
        .client(Client::public("demo").name("Notes & more").redirect_uri("http://127.0.0.1/callback"))
        .authenticate_blocking(authenticate)
        .pages(MyPages::new())
        .build()
        .expect("a whole configuration")
}

#[actix_web::main]
async fn main() -> std::io::Result<()> {
    tracing_subscriber::fmt().with_env_filter("info").init();
    let oauth = service("http://127.0.0.1:8000");
    HttpServer::new(move || App::new().configure(oauth.routes())).bind(("127.0.0.1", 8000))?.run().await
}

#[cfg(test)]
mod tests {
    use actix_web::test::{TestRequest, call_and_read_body, init_service};

    use super::*;

    #[actix_web::test]
    async fn the_page_is_ours_and_what_is_in_it_stays_text() {
        let app = init_service(App::new().configure(service("http://127.0.0.1:8000").routes())).await;
        let uri = "/authorize?response_type=code&client_id=demo&redirect_uri=http://127.0.0.1/callback&login_hint=%22%3Eada\
                   &code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256";
        let page = call_and_read_body(&app, TestRequest::get().uri(uri).to_request()).await;
        let page = String::from_utf8_lossy(&page);
        assert!(page.contains("And the magic word?") && page.contains("Notes &amp; more at 127.0.0.1"), "{page}");
        assert!(page.contains("value=\"&quot;&gt;ada\"") && page.contains("name=\"request\""), "{page}");
        let error = call_and_read_body(&app, TestRequest::get().uri("/authorize").to_request()).await;
        assert!(String::from_utf8_lossy(&error).contains("Error 400"), "the built-in one");
    }
}
