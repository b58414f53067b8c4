//! The OpenAPI document of an application, beside what its guards do.
#![allow(clippy::unwrap_used)]

use actix_web::{App, Responder, delete, get, post, test as harness, web};
use oauth_runtime::{Client, Login, OAuthService, Policy, policy, public, require_claim, require_token, testing};
use serde_json::{Value, json};
use utoipa::OpenApi;
use utoipa::openapi::OpenApi as Document;
use utoipa_actix_web::service_config::ServiceConfig;
use utoipa_actix_web::{AppExt as _, scope};

mod notes {
    use super::*;

    #[utoipa::path(operation_id = "notes_list", responses((status = 200, description = "All")))]
    #[require_claim(scope = "notes:read")]
    #[get("")]
    pub(super) async fn list() -> impl Responder {
        "notes"
    }

    #[utoipa::path(
        responses((status = 204, description = "Gone"), (status = 403, description = "In the author's words"))
    )]
    #[require_claim(scope = "notes:write")]
    #[require_claim(any(role = "editor", sub = path.owner))]
    #[delete("/{owner}/{id:\\d+}")]
    pub(super) async fn remove(_: web::Path<(String, u32)>) -> impl Responder {
        "gone"
    }
}

mod files {
    use super::*;

    #[utoipa::path(operation_id = "files_list", responses((status = 200, description = "All")))]
    #[require_claim(scope = "files")]
    #[get("")]
    pub(super) async fn list() -> impl Responder {
        "files"
    }

    /// It asks for a key as well.
    #[utoipa::path(security(("key" = []), ("key" = [], "partner" = [])), responses((status = "4XX", description = "No")))]
    #[require_token]
    #[post("/{tail:.*}")]
    pub(super) async fn upload() -> impl Responder {
        "there"
    }
}

const AUDITORS: Policy = policy!(any(scope = "audit", scope = "notes:write"), role = "auditor");

#[utoipa::path(responses((status = 200, description = "Who did what")))]
#[public]
#[get("/log")]
async fn audit_log() -> impl Responder {
    "log"
}

#[utoipa::path(responses((status = 200, description = "Up")))]
#[public]
#[get("/health")]
async fn health() -> impl Responder {
    "up"
}

#[derive(OpenApi)]
#[openapi(info(title = "Notes"))]
struct Api;

fn service() -> OAuthService {
    OAuthService::builder()
        // The table of the guide speaks of scopes that are not these.
        .untyped_claims()
        .issuer("https://notes.example/auth")
        .scope("notes:read", "Read notes")
        .scope("notes:write", "Write notes")
        .scope("files", "Files")
        .scope("audit", "The log")
        .scope("openid", "Who you are")
        .client(Client::public("web").redirect_uri("https://notes.example/callback"))
        .direct_peers()
        .authenticate(async |_: Login| Some(json!({ "sub": "ada" })))
        .reload(async |subject: &str| Some(json!({ "sub": subject })))
        .build()
        .unwrap()
}

fn routes(oauth: &OAuthService) -> impl FnOnce(&mut ServiceConfig<'_>) {
    let auditors = oauth.require(AUDITORS);
    move |app| {
        app.service(scope("/api/notes").service(notes::list).service(notes::remove));
        app.service(scope("/api/files").service(files::list).service(files::upload));
        app.service(scope("/api/audit/{year}").service(audit_log).map(|scope| scope.wrap(auditors)));
        app.service(health);
    }
}

/// What the routes do, and what `utoipa` knows of them.
async fn application(oauth: &OAuthService) -> (testing::Coverage, Document) {
    let app = App::new().configure(oauth.routes()).into_utoipa_app().openapi(Api::openapi());
    let (app, openapi) = app.configure(routes(oauth)).split_for_parts();
    (testing::coverage(app).await, openapi)
}

fn document(oauth: &OAuthService, openapi: Document) -> Document {
    oauth.document_below("/api/audit/{year}", AUDITORS, oauth.document(openapi))
}

#[actix_web::test]
async fn each_guarded_operation_demands_what_its_guards_do() {
    let oauth = service();
    let (routes, openapi) = application(&oauth).await;
    let document = document(&oauth, openapi);
    routes.assert_documented(&document);
    let written = serde_json::to_value(&document).unwrap();
    let security = |method: &str, path: &str| written["paths"][path][method]["security"].clone();
    for (method, path, expected) in [
        ("get", "/api/notes", json!([{ "oauth2": ["notes:read"] }])),
        ("delete", "/api/notes/{owner}/{id}", json!([{ "oauth2": ["notes:write"] }])),
        ("get", "/api/files", json!([{ "oauth2": ["files"] }])),
        ("post", "/api/files/{tail}", json!([{ "key": [], "oauth2": [] }])),
        ("get", "/api/audit/{year}/log", json!([{ "oauth2": ["audit"] }, { "oauth2": ["notes:write"] }])),
        ("get", "/health", Value::Null),
    ] {
        assert_eq!(security(method, path), expected, "{method} {path}");
    }
    let responses = |method: &str, path: &str| written["paths"][path][method]["responses"].clone();
    let codes = |of: &Value| of.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let removed = responses("delete", "/api/notes/{owner}/{id}");
    assert_eq!(codes(&removed), ["204", "401", "403"]);
    assert_eq!(removed["403"], json!({ "description": "In the author's words" }));
    assert!(removed["401"]["headers"]["WWW-Authenticate"]["schema"]["type"] == "string", "{removed}");
    assert_eq!(codes(&responses("post", "/api/files/{tail}")), ["401", "4XX"], "any token will do");
    assert_eq!(codes(&responses("get", "/health")), ["200"]);
    // To document what is documented changes nothing.
    let again = serde_json::to_value(self::document(&oauth, document)).unwrap();
    assert_eq!(again, written);
}

#[actix_web::test]
async fn the_schemes_are_those_of_the_metadata() {
    let oauth = service();
    let app = harness::init_service(App::new().configure(oauth.routes())).await;
    let request = harness::TestRequest::get().uri("/.well-known/openid-configuration/auth").to_request();
    let metadata: Value = harness::call_and_read_body_json(&app, request).await;
    let written = serde_json::to_value(oauth.document(Api::openapi())).unwrap();
    let schemes = &written["components"]["securitySchemes"];
    let flow = json!({
        "authorizationUrl": metadata["authorization_endpoint"],
        "tokenUrl": metadata["token_endpoint"],
        "refreshUrl": metadata["token_endpoint"],
        "scopes": {
            "audit": "The log", "files": "Files", "notes:read": "Read notes", "notes:write": "Write notes", "openid": "Who you are",
        },
    });
    assert_eq!(schemes["oauth2"], json!({ "type": "oauth2", "flows": { "authorizationCode": flow } }));
    let discovery = format!("{}/.well-known/openid-configuration", metadata["issuer"].as_str().unwrap());
    assert_eq!(schemes["openIdConnect"], json!({ "type": "openIdConnect", "openIdConnectUrl": discovery }));
    // Without them there is neither.
    let bare = serde_json::to_value(testing::service().document(Api::openapi())).unwrap();
    let schemes = &bare["components"]["securitySchemes"];
    assert!(
        schemes["openIdConnect"].is_null() && schemes["oauth2"]["flows"]["authorizationCode"]["refreshUrl"].is_null()
    );
}

#[actix_web::test]
async fn where_the_document_and_the_guards_differ_a_line_says_so() {
    let oauth = service();
    let (routes, openapi) = application(&oauth).await;
    let whole = document(&oauth, openapi.clone());
    let changed = |change: &dyn Fn(&mut Value)| {
        let mut written = serde_json::to_value(&whole).unwrap();
        change(&mut written);
        routes.undocumented(&serde_json::from_value(written).unwrap())
    };
    let one = |differences: Vec<String>, begin: &str| {
        let [difference] = differences.try_into().expect("one difference");
        assert!(difference.starts_with(begin), "{difference}");
    };
    // A policy around a scope that was forgotten, or an alternative that no guard accepts.
    one(
        routes.undocumented(&oauth.document(openapi)),
        "GET /api/audit/{year}/log: it has `security` [{}], and its guards demand",
    );
    let security = json!([{ "oauth2": ["files"] }, { "oauth2": [] }]);
    one(
        changed(&|it| it["paths"]["/api/files"]["get"]["security"] = security.clone()),
        r#"GET /api/files: it has `security` [{"oauth2": {}}, {"oauth2": {"files"}}], and its guards demand [{"oauth2": {"files"}}]"#,
    );
    // A guard that the handler lost, and one for all operations that say nothing.
    let token = json!([{ "oauth2": [] }]);
    one(
        changed(&|it| it["paths"]["/health"]["get"]["security"] = token.clone()),
        "GET /health: it has `security` [{\"oauth2\": {}}], and no guard refuses there: public",
    );
    one(changed(&|it| it["security"] = token.clone()), "GET /health: it has `security`");
    // A route that is not in the document, and one that is in it alone.
    let renamed = changed(&|it| {
        let paths = it["paths"].as_object_mut().unwrap();
        let files = paths.remove("/api/files").unwrap();
        paths.insert("/api/old-files".to_owned(), files);
    });
    assert_eq!(renamed.len(), 2, "{renamed:?}");
    assert!(renamed[0].starts_with("GET /api/old-files: it has `security`"), "{renamed:?}");
    assert!(renamed[0].ends_with("there is no such route in the App"), "{renamed:?}");
    assert_eq!(renamed[1], "GET /api/files: guarded (scope = \"files\"), and not in the document");
    // Without their names, either guard of two may be that of a path.
    let unnamed = changed(&|it| {
        for path in ["/api/notes", "/api/files"] {
            it["paths"][path]["get"].as_object_mut().unwrap().remove("operationId");
        }
    });
    assert_eq!(unnamed.len(), 4, "{unnamed:?}");
    let unsure = "GET /api/files: the guards of documented::files::list, documented::notes::list fit";
    assert!(unnamed.iter().any(|line| line.starts_with(unsure)), "{unnamed:?}");
    let (routes, openapi) = application(&oauth).await;
    let excepted = routes.except(&["GET /api/files"]).undocumented(&document(&oauth, openapi));
    assert!(excepted.is_empty(), "{excepted:?}");
}

/// Of a server with a path, the paths of the document do not have it.
#[actix_web::test]
async fn a_path_may_be_below_that_of_a_server() {
    let oauth = service();
    let (routes, openapi) = application(&oauth).await;
    let mut written = serde_json::to_value(openapi).unwrap();
    let paths = written["paths"].as_object().unwrap().clone();
    let below = |(path, item): (String, Value)| Some((path.strip_prefix("/api")?.to_owned(), item));
    written["paths"] = paths.into_iter().filter_map(below).collect::<serde_json::Map<_, _>>().into();
    written["servers"] = json!([{ "url": "https://notes.example/api/" }]);
    let openapi = oauth.document(serde_json::from_value(written).unwrap());
    routes.assert_documented(&oauth.document_below("/audit/{year}", AUDITORS, openapi));
}

/// The table of the guide.
#[test]
fn the_scopes_of_a_policy_are_those_that_the_guide_says() {
    let oauth = service();
    let page = include_str!("../oauth-runtime/docs/openapi.md");
    for (policy, written, said, security) in [
        (policy!(role = "admin"), r#"`role = "admin"`"#, "`oauth2`, without a scope", json!([{ "oauth2": [] }])),
        (policy!(scope = "a b"), r#"`scope = "a b"`"#, "`oauth2` with `a` and `b`", json!([{ "oauth2": ["a", "b"] }])),
        (
            policy!(any(scope = "a", scope = "b")),
            r#"`any(scope = "a", scope = "b")`"#,
            "two alternatives",
            json!([{ "oauth2": ["a"] }, { "oauth2": ["b"] }]),
        ),
        (
            policy!(any(scope = "a", role = "admin")),
            r#"`any(scope = "a", role = "admin")`"#,
            "`oauth2` with `a`",
            json!([{ "oauth2": ["a"] }]),
        ),
        (
            policy!(any(all(scope = "a", role = "admin"), scope = "b")),
            r#"`any(all(scope = "a", role = "admin"), scope = "b")`"#,
            "`oauth2` with `a` and `b`",
            json!([{ "oauth2": ["a", "b"] }]),
        ),
        (policy!(not(scope = "a")), r#"`not(scope = "a")`"#, "`oauth2`, without a scope", json!([{ "oauth2": [] }])),
    ] {
        let row = format!("{written} | {said}");
        assert!(page.contains(&row), "the guide has no row {row}");
        let openapi = json!({
            "openapi": "3.1.0", "info": { "title": "", "version": "" },
            "paths": { "/": { "get": { "responses": {} } } },
        });
        let openapi = oauth.document_below("/", policy, serde_json::from_value(openapi).unwrap());
        assert_eq!(serde_json::to_value(openapi).unwrap()["paths"]["/"]["get"]["security"], security, "{policy}");
    }
}
