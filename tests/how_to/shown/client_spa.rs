use actix_cors::Cors;
use actix_web::http::header;
use actix_web::web::{self, ServiceConfig};
use actix_web::{Responder, get};
use oauth_runtime::client_address::x_forwarded_for;
use oauth_runtime::{AccessToken, BuildError, Client, Login, OAuthService, require_claim};
use serde_json::{Value, json};

pub fn oauth() -> Result<OAuthService, BuildError> {
    let app = Client::public("app")
        .name("Notes")
        .redirect_uri("https://app.notes.example/callback")
        .post_logout_redirect_uri("https://app.notes.example/")
        .without_refresh_tokens();
    OAuthService::builder()
        .issuer("https://notes.example")
        .client_address(x_forwarded_for(1))
        .client(app)
        .scope("openid", "Know who you are")
        .scope("notes:read", "Read your notes")
        .authenticate_blocking(sign_in)
        .reload_blocking(find_user)
        .build()
}

#[require_claim(scope = "notes:read")]
#[get("/notes")]
async fn notes(token: AccessToken) -> impl Responder {
    web::Json(json!({ "of": token.subject() }))
}

pub fn api(app: &mut ServiceConfig) {
    let cors = Cors::default()
        .allowed_origin("https://app.notes.example")
        .allowed_methods(["GET"])
        .allowed_headers([header::AUTHORIZATION])
        .expose_headers([header::WWW_AUTHENTICATE]);
    app.service(web::scope("/api").wrap(cors).service(notes));
}

fn sign_in(login: Login) -> Option<Value> {
    if &*login.password == "ada123" { find_user(&login.username) } else { None }
}

fn find_user(name: &str) -> Option<Value> {
    (name == "ada").then(|| json!({ "sub": "ada", "name": "Ada" }))
}
