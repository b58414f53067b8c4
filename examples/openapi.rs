//! An API that describes itself, guards included: `cargo run --example openapi`, then open <http://127.0.0.1:8000/docs/>, press
//! "Authorize" and sign in as ada / ada123.

use actix_web::web::{Json, Path};
use actix_web::{App, HttpServer, Responder, delete, get};
use oauth_runtime::{Client, Login, OAuthService, Policy, policy, public, require_claim};
use serde_json::{Value, json};
use utoipa::OpenApi;
use utoipa::openapi::OpenApi as Document;
use utoipa_actix_web::service_config::ServiceConfig;
use utoipa_actix_web::{AppExt as _, scope};
use utoipa_swagger_ui::{Config, SwaggerUi, oauth};

/// The notes of a user
#[utoipa::path(responses((status = 200, description = "Their titles", body = [String])))]
#[require_claim(any(scope = "notes:read", scope = "notes:write"), any(sub = path.owner, role = "editor"))]
#[get("/notes/{owner}")]
async fn notes(owner: Path<String>) -> impl Responder {
    Json([format!("The plans of {owner}")])
}

/// Ends a note
#[utoipa::path(responses((status = 204, description = "It is gone")))]
#[require_claim(scope = "notes:write", sub = path.owner)]
#[delete("/notes/{owner}/{id:\\d+}")]
async fn remove(_place: Path<(String, u64)>) -> impl Responder {
    actix_web::HttpResponse::NoContent()
}

/// Over all of `/api/audit`.
const AUDITORS: Policy = policy!(role = "auditor");

/// What was done
#[utoipa::path(responses((status = 200, description = "The log", body = [String])))]
#[require_claim(scope = "notes:read")]
#[get("/log")]
async fn log() -> impl Responder {
    Json(["ada wrote a note"])
}

/// Whether the service runs
#[utoipa::path(responses((status = 200, description = "It does")))]
#[public]
#[get("/health")]
async fn health() -> impl Responder {
    "up"
}

#[derive(OpenApi)]
#[openapi(info(title = "Notes", description = "Notes that users share"))]
struct Api;

fn routes(oauth: &OAuthService) -> impl FnOnce(&mut ServiceConfig<'_>) {
    let auditors = oauth.require(AUDITORS);
    move |app| {
        let audit = scope("/audit").service(log).map(|scope| scope.wrap(auditors));
        app.service(scope("/api").service(notes).service(remove).service(audit)).service(health);
    }
}

/// What `utoipa` knows of the handlers, and the service of their guards.
fn document(oauth: &OAuthService, openapi: Document) -> Document {
    oauth.document_below("/api/audit", AUDITORS, oauth.document(openapi))
}

fn swagger_ui(document: Document) -> SwaggerUi {
    let client = oauth::Config::new().client_id("docs").use_pkce_with_authorization_code_grant(true);
    SwaggerUi::new("/docs/{_:.*}").url("/openapi.json", document).config(Config::default()).oauth(client)
}

fn authenticate(login: Login) -> Option<Value> {
    // In production: look the user up, and check an Argon2 hash.
    let role = if login.username == "bob" { "auditor" } else { "author" };
    matches!((login.username.as_str(), &*login.password), ("ada", "ada123") | ("bob", "bob123"))
        .then(|| json!({ "sub": login.username, "role": role }))
}

fn service(origin: &str) -> OAuthService {
    OAuthService::builder()
        .issuer(origin)
        .name("Notes")
        .scope("notes:read", "Read notes")
        .scope("notes:write", "Write and delete notes")
        .client(
            Client::public("docs")
                .name("The documentation")
                .redirect_uri(format!("{origin}/docs/oauth2-redirect.html")),
        )
        .authenticate_blocking(authenticate)
        .build()
        .expect("a whole configuration")
}

#[actix_web::main]
async fn main() -> std::io::Result<()> {
    tracing_subscriber::fmt().with_env_filter("info").init();
    let port: u16 = std::env::var("PORT").ok().and_then(|port| port.parse().ok()).unwrap_or(8000);
    let oauth = service(&format!("http://127.0.0.1:{port}"));
    HttpServer::new(move || {
        let app = App::new().configure(oauth.routes()).into_utoipa_app().openapi(Api::openapi());
        let app = app.configure(routes(&oauth));
        app.openapi_service(|openapi| swagger_ui(document(&oauth, openapi))).into_app()
    })
    .bind(("127.0.0.1", port))?
    .run()
    .await
}

#[cfg(test)]
mod tests {
    use oauth_runtime::testing;

    use super::*;

    #[actix_web::test]
    async fn the_document_says_what_the_guards_do() {
        let oauth = service("http://127.0.0.1:8000");
        let app = App::new().configure(oauth.routes()).into_utoipa_app().configure(routes(&oauth));
        let (app, openapi) = app.split_for_parts();
        let routes = testing::coverage(app).await;
        routes.assert_closed();
        routes.assert_documented(&document(&oauth, openapi.clone()));
        // What the handlers alone say has no guard in it.
        assert_eq!(routes.undocumented(&openapi).len(), 3);
        let written = serde_json::to_value(document(&oauth, openapi)).expect("JSON");
        assert_eq!(
            written["paths"]["/api/notes/{owner}"]["get"]["security"],
            json!([{ "oauth2": ["notes:read"] }, { "oauth2": ["notes:write"] }])
        );
    }
}
