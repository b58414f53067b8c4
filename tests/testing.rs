//! The helpers for an application's own tests, used as an application would.
#![allow(clippy::unwrap_used)]

#[path = "testing/seen.rs"]
mod seen;

use std::time::Duration;

use actix_web::dev::Service as _;
use actix_web::http::StatusCode;
use actix_web::{App, HttpResponse, Responder, get, guard, post, test as harness, web};
use oauth_runtime::testing::{self, Finding, Unsuitable};
use oauth_runtime::{AccessToken, OAuthService, Policy, policy, public, require_claim, require_token};
use serde_json::{Value, json};

#[require_claim(any(sub = path.owner, role = "admin"), fresh = "5m", not(suspended))]
#[get("/report/{owner}")]
async fn report(owner: web::Path<String>) -> impl Responder {
    owner.into_inner()
}

#[require_claim(scope = "notes:write", level > 3)]
#[require_claim(realm.roles = ["editor", "admin"])]
#[post("/notes/{id}")]
async fn save(_: web::Path<u32>, _: web::Json<Value>) -> impl Responder {
    "saved"
}

#[require_claim(any(role = "admin", all(role = "admin", level > 3)))]
#[get("/absorbed")]
async fn absorbed() -> impl Responder {
    "absorbed"
}

#[derive(serde::Deserialize)]
struct User {
    level: u8,
}

#[require_claim(User { level: 3.. })]
#[get("/typed")]
async fn typed() -> impl Responder {
    "typed"
}

#[require_token]
#[get("/me")]
async fn me() -> impl Responder {
    "me"
}

#[public]
#[get("/")]
async fn welcome() -> impl Responder {
    "welcome"
}

/// It would refuse a stranger's empty body before it could say that it is public.
#[public]
#[post("/feedback")]
async fn feedback(body: web::Json<Value>) -> impl Responder {
    body
}

#[get("/forgotten")]
async fn forgotten() -> impl Responder {
    "forgotten"
}

#[get("/own-401")]
async fn own_401() -> impl Responder {
    HttpResponse::Unauthorized().finish()
}

/// Only the map of policies knows of these.
#[allow(dead_code)]
mod mapped {
    use actix_web::{Responder, get, route, routes};
    use oauth_runtime::require_token;

    #[require_token]
    #[route("/methods", method = "GET", method = "POST")]
    async fn methods() -> impl Responder {
        "methods"
    }

    #[require_token]
    #[routes]
    #[get("/one")]
    #[put("/{other}")]
    async fn several() -> impl Responder {
        "several"
    }

    #[get("/unseen")]
    #[require_token]
    async fn unseen() -> impl Responder {
        "unseen"
    }
}

#[require_claim(sub = dyn path.owner)]
async fn lost() -> impl Responder {
    "lost"
}

#[require_token]
async fn any_method() -> impl Responder {
    "any method"
}

async fn plain() -> impl Responder {
    "plain"
}

async fn findings(configure: impl FnOnce(&mut web::ServiceConfig)) -> Vec<(String, Finding)> {
    let oauth = testing::service();
    let coverage = testing::coverage(App::new().configure(oauth.routes()).configure(configure)).await;
    let own = |finding: &Finding| *finding == Finding::Server;
    coverage
        .findings()
        .filter(|(_, finding)| !own(finding))
        .map(|(route, finding)| (route.to_string(), finding.clone()))
        .collect()
}

async fn one(configure: impl FnOnce(&mut web::ServiceConfig)) -> (String, Finding) {
    let mut findings = findings(configure).await;
    assert_eq!(findings.len(), 1, "{findings:?}");
    findings.remove(0)
}

#[actix_web::test]
async fn what_is_guarded_or_says_that_it_is_public_is_closed() {
    let oauth = testing::service();
    let app = App::new()
        .configure(oauth.routes())
        .service(report)
        .service(save)
        .service(typed)
        .service(me)
        .service(welcome)
        .service(feedback)
        .service(web::scope("/staff").wrap(oauth.require(policy!(role = "staff"))).service(forgotten))
        .service(web::resource("/any").to(any_method));
    let coverage = testing::coverage(app).await;
    coverage.assert_closed();
    let table = coverage.to_string();
    for line in [
        "GET /report/{owner}",
        "guarded: fresh = \"5m\", not(suspended), any(role = \"admin\", sub = path.owner)",
        "GET /staff/forgotten",
        "guarded: role = \"staff\"",
        "  /any ",
        "POST /feedback",
        "of the server itself",
    ] {
        assert!(table.contains(line), "{line} is not in\n{table}");
    }
}

#[actix_web::test]
async fn what_was_forgotten_is_found() {
    let open = |method: &str, path: &str, status| (format!("{method} {path}"), Finding::Open(status));
    assert_eq!(one(|app| _ = app.service(forgotten)).await, open("GET", "/forgotten", 200));
    assert_eq!(one(|app| _ = app.service(own_401)).await, open("GET", "/own-401", 401));
    let resource = findings(|app| _ = app.service(web::resource("/plain").to(plain))).await;
    assert_eq!(resource.len(), 7, "{resource:?}");
    assert!(resource.iter().all(|(_, finding)| *finding == Finding::Open(200)));

    // A guarded GET does not hide what takes the other methods.
    let mixed = findings(|app| {
        app.service(web::resource("/mixed").route(web::get().to(any_method)).route(web::route().to(plain)));
    });
    let mixed = mixed.await;
    assert!(mixed.contains(&("GET /mixed".to_owned(), Finding::Guarded("any valid token".to_owned()))), "{mixed:?}");
    assert!(mixed.contains(&open("DELETE", "/mixed", 200)), "{mixed:?}");

    // What takes all that nothing else does.
    assert_eq!(one(|app| _ = app.default_service(web::to(plain))).await.1, Finding::Open(200));
}

#[actix_web::test]
async fn what_cannot_be_found_out_is_not_called_closed() {
    let (route, finding) = one(|app| _ = app.route("/lost", web::get().to(lost))).await;
    assert!(route == "GET /lost" && matches!(finding, Finding::Misfit(_)), "{finding:?}");
    for configure in [
        (|app| _ = app.route("/{id:x{40}}", web::get().to(any_method))) as fn(&mut web::ServiceConfig),
        |app| _ = app.route("/asks", web::get().guard(guard::Header("x-key", "1")).to(any_method)),
        |app| _ = app.route("/item/{id}", web::get().to(async |_: web::Path<bool>| "item")),
        |app| _ = app.service(web::resource("/none")),
    ] {
        let (_, finding) = one(configure).await;
        assert!(matches!(finding, Finding::Unchecked(_)), "{finding:?}");
    }
    // Without the server nothing can be decided.
    let finding = testing::coverage(App::new().service(me)).await;
    let finding: Vec<_> = finding.findings().collect();
    assert!(matches!(finding[..], [(_, Finding::Misfit(_))]), "{finding:?}");
}

#[actix_web::test]
async fn an_exception_is_made_by_name_and_only_of_what_there_is() {
    let app = || App::new().configure(testing::service().routes()).service(forgotten).service(me);
    testing::coverage(app()).await.except(&["GET /forgotten"]).assert_closed();
    testing::coverage(app()).await.except(&["/forgotten"]).assert_closed();
    let coverage = testing::coverage(app()).await;
    assert!(!coverage.is_closed());
    let told = std::panic::catch_unwind(|| coverage.assert_closed()).unwrap_err();
    let told = told.downcast_ref::<String>().unwrap();
    assert!(told.contains("! GET /forgotten") && told.contains("OPEN: it answered 200"), "{told}");
    let told = std::panic::catch_unwind(|| drop(coverage.except(&["GET /gone"]))).unwrap_err();
    assert!(told.downcast_ref::<String>().unwrap().contains("there is no route \"GET /gone\""));
}

#[actix_web::test]
async fn each_term_is_proven_by_a_pair_of_tokens() {
    let oauth = testing::service();
    let app = App::new().configure(oauth.routes()).service(report).service(save).service(absorbed).service(typed);
    let app = harness::init_service(app).await;
    let suite = testing::suite_of("report").unwrap();
    let terms: Vec<&str> = suite.cases().iter().map(|case| case.term.as_str()).collect();
    assert_eq!(terms.len(), 4, "{terms:?}");
    suite.check(&oauth, &app, || harness::TestRequest::get().uri("/report/1")).await;

    // Both guards of a stack; the handler's own 400 comes after them, and counts as let in.
    let suite = testing::suite_of("testing::save").unwrap();
    assert_eq!(suite.cases().len(), 3);
    suite.check(&oauth, &app, || harness::TestRequest::post().uri("/notes/1")).await;

    assert_eq!(testing::suite_of("absorbed").unwrap().redundant(), ["level > 3"]);
    let of_typed = testing::suite_of("typed").unwrap_err();
    assert!(matches!(of_typed, Unsuitable::Typed { .. }), "{of_typed}");
    let Unsuitable::NoGuard { known, .. } = testing::suite_of("forgotten").unwrap_err() else {
        panic!("it has a guard")
    };
    assert!(known.contains(&"testing::report".to_owned()));
}

async fn status(oauth: &OAuthService, path: &str, token: testing::Token) -> StatusCode {
    let app = harness::init_service(App::new().configure(oauth.routes()).service(report).service(me)).await;
    let request = harness::TestRequest::get().uri(path).insert_header(token.header()).to_request();
    match app.call(request).await {
        Ok(response) => response.status(),
        Err(error) => error.as_response_error().status_code(),
    }
}

#[actix_web::test]
async fn c26_tokens_good_and_bad_in_one_line() {
    let oauth = testing::service();
    let token = || testing::token(&oauth, &json!({}));
    assert_eq!(status(&oauth, "/me", token()).await, 200);
    for bad in [
        token().expired(),
        token().for_audience("another"),
        token().from_issuer("https://another.example"),
        token().signed_by_another(),
        token().without("jti"),
        testing::token(&testing::service(), &json!({})),
    ] {
        assert_eq!(status(&oauth, "/me", bad).await, 401);
    }
    let alice = || token().subject("alice");
    assert_eq!(status(&oauth, "/report/alice", alice()).await, 200);
    assert_eq!(status(&oauth, "/report/bob", alice()).await, 403);
    assert_eq!(status(&oauth, "/report/bob", alice().claim("role", "admin")).await, 200);
    assert_eq!(status(&oauth, "/report/alice", alice().claim("suspended", true)).await, 403);
    assert_eq!(status(&oauth, "/report/alice", alice().signed_in(Duration::from_secs(600))).await, 401);
}

#[test]
fn the_policies_of_a_program_are_listed() {
    let policies = oauth_runtime::policy_map();
    let json = serde_json::to_value(&policies).unwrap();
    let entry = json.as_array().unwrap().iter().find(|entry| entry["handler"] == "report").unwrap();
    assert_eq!(entry["module"], "testing");
    assert_eq!(entry["routes"], json!([{ "methods": ["GET"], "pattern": "/report/{owner}" }]));
    assert_eq!(entry["normal"], "fresh = \"5m\", not(suspended), any(role = \"admin\", sub = path.owner)");
    assert!(entry["file"].as_str().unwrap().ends_with("testing.rs") && entry["line"].as_u64().unwrap() > 10);
    let snapshot = policies.snapshot();
    assert!(snapshot.contains("testing::typed  GET /typed  User { level: 3.. }\n"), "{snapshot}");
    assert!(snapshot.contains("testing::welcome  GET /  #[public]\n"), "{snapshot}");
    assert!(snapshot.contains("testing::save  POST /notes/{id}  level > 3, scope = \"notes:write\"\n"), "{snapshot}");
    assert!(
        snapshot.contains("testing::save  POST /notes/{id}  realm.roles = [\"admin\", \"editor\"]\n"),
        "{snapshot}"
    );
    assert!(snapshot.contains("testing::lost  sub = path.owner\n"), "{snapshot}");
    assert!(snapshot.contains("testing::mapped::methods  GET|POST /methods  any valid token\n"), "{snapshot}");
    assert!(snapshot.contains("testing::mapped::several  GET /one, PUT /{other}  any valid token\n"), "{snapshot}");
    assert!(snapshot.contains("testing::mapped::unseen  any valid token\n"), "{snapshot}");
    assert!(
        snapshot.contains("testing::what_is_guarded_or_says_that_it_is_public_is_closed, policy!  role = \"staff\"\n"),
        "{snapshot}"
    );
    // A guard's own lines, for the terms of an `any(..)`, are below it.
    let of_guards = || snapshot.lines().filter(|line| !line.contains("  - "));
    let mut lines: Vec<&str> = of_guards().collect();
    lines.sort_unstable();
    assert!(lines.iter().copied().eq(of_guards()) && !snapshot.contains(".rs"), "{snapshot}");
    let table = policies.to_string();
    assert!(table.starts_with("Guard ") && table.contains("tests/testing.rs:"), "{table}");
}

#[require_claim(share = 0.1234567890123456, large = 18014398509481985)]
#[get("/numbers")]
async fn numbers(oauth_runtime::Claims(claims): oauth_runtime::Claims) -> impl Responder {
    web::Json(claims)
}

/// From the claims of a sign-in through the signature to the guard and the handler.
#[actix_web::test]
async fn numbers_are_exact_through_signing_and_reading() {
    let oauth = testing::service();
    let app = harness::init_service(App::new().configure(oauth.routes()).service(numbers)).await;
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let doubles = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        f64::from_bits(state)
    });
    let mut doubles: Vec<f64> = doubles.filter(|double| double.is_finite()).take(100).collect();
    doubles.extend([0.1 + 0.2, 1e-7, 5e-324, f64::MAX, 1.0 / 3.0, 1_234.567_890_123_456_7]);
    let token = testing::token(&oauth, &json!({}))
        .claim("share", 0.123_456_789_012_345_6)
        .claim("large", 18_014_398_509_481_985_u64)
        .claim("doubles", &doubles);
    let request = harness::TestRequest::get().uri("/numbers").insert_header(token.clone().header()).to_request();
    let claims: Value = harness::call_and_read_body_json(&app, request).await;
    let read: Vec<f64> = serde_json::from_value(claims["doubles"].clone()).unwrap();
    assert!(read.iter().map(|double| double.to_bits()).eq(doubles.iter().map(|double| double.to_bits())));
    for (name, other) in [("share", json!(0.123_456_789_012_345_7)), ("large", json!(18_014_398_509_481_984_u64))] {
        let request =
            harness::TestRequest::get().uri("/numbers").insert_header(token.clone().claim(name, other).header());
        assert_eq!(harness::call_service(&app, request.to_request()).await.status(), 403, "{name}");
    }
}

#[get("/authentication")]
async fn authentication(token: AccessToken) -> impl Responder {
    HttpResponse::Ok().json(json!({
        "auth_time": token.auth_time(),
        "amr": token.amr().collect::<Vec<_>>(),
        "acr": token.acr(),
        "sid": token.session_id(),
    }))
}

#[actix_web::test]
async fn a_handler_learns_how_its_caller_was_authenticated() {
    let oauth = testing::service();
    let app = harness::init_service(App::new().configure(oauth.routes()).service(authentication)).await;
    let ask = async |token: testing::Token| -> Value {
        let request = harness::TestRequest::get().uri("/authentication").insert_header(token.header()).to_request();
        harness::call_and_read_body_json(&app, request).await
    };
    let user = testing::token(&oauth, &json!({})).claim("auth_time", 7).claim("amr", ["pwd", "otp"]).acr("strong");
    assert_eq!(
        ask(user.claim("sid", "s")).await,
        json!({ "auth_time": 7, "amr": ["pwd", "otp"], "acr": "strong", "sid": "s" })
    );
    let client = testing::token(&oauth, &json!({})).without("auth_time");
    assert_eq!(ask(client).await, json!({ "auth_time": null, "amr": [], "acr": null, "sid": null }));
}

/// What shares a name must not share a line of the snapshot, or two policies could change places unseen.
mod same_names {
    use super::*;

    pub(super) struct Ours;
    pub(super) struct Theirs;

    impl Ours {
        #[require_claim(role = "ours")]
        pub(super) async fn list() -> &'static str {
            "ours"
        }
    }

    impl Theirs {
        #[require_claim(role = "theirs")]
        pub(super) async fn list() -> &'static str {
            "theirs"
        }
    }

    pub(super) const FIRST: Policy = policy!(role = "first");
    pub(super) const SECOND: Policy = policy!(role = "second");

    pub(super) fn in_blocks() -> (actix_web::Route, actix_web::Route) {
        let one = {
            #[require_token]
            #[require_claim(role = "one")]
            async fn inner() -> &'static str {
                "one"
            }
            web::get().to(inner)
        };
        let other = {
            #[require_claim(role = "other")]
            async fn inner() -> &'static str {
                "other"
            }
            web::get().to(inner)
        };
        (one, other)
    }

    #[require_claim(public)]
    pub(super) async fn claim_of_that_name() -> &'static str {
        "public"
    }

    #[require_claim(any(sub = dyn path."owner, admin", sub = dyn path.owner), a = ["x", "y"])]
    pub(super) async fn comma_in_a_parameter() -> &'static str {
        "quoted"
    }

    #[require_claim(public)]
    #[get("/public")]
    pub(super) async fn claim_on_a_route() -> &'static str {
        "public"
    }

    #[require_token]
    #[get("/a  any valid token")]
    pub(super) async fn spaces_in_a_route() -> &'static str {
        "quoted"
    }
}

#[test]
fn two_policies_never_read_as_one() {
    let _ = (web::get().to(same_names::Ours::list), web::get().to(same_names::Theirs::list), same_names::in_blocks());
    let _ = (web::get().to(same_names::claim_of_that_name), web::get().to(same_names::comma_in_a_parameter));
    let _ = (same_names::FIRST, same_names::SECOND, App::new().service(same_names::spaces_in_a_route));
    let _ = App::new().service(same_names::claim_on_a_route);
    let snapshot = oauth_runtime::policy_map().snapshot();
    for line in [
        "Ours::list  role = \"ours\"",
        "Theirs::list  role = \"theirs\"",
        "FIRST, policy!  role = \"first\"",
        "SECOND, policy!  role = \"second\"",
        "in_blocks::inner  any valid token",
        "in_blocks::inner  role = \"one\"",
        "in_blocks::inner #2  role = \"other\"",
        "claim_of_that_name  public",
        "claim_on_a_route  GET /public  public",
        "comma_in_a_parameter  a = [\"x\", \"y\"], any(sub = path.\"owner, admin\", sub = path.owner)",
        "spaces_in_a_route  GET \"/a  any valid token\"  any valid token",
    ] {
        let line = format!("testing::same_names::{line}\n");
        assert_eq!(snapshot.matches(&line).count(), 1, "{line}{snapshot}");
    }
}

mod overlapping {
    use super::*;

    async fn open() -> &'static str {
        "open to everyone"
    }

    #[require_token]
    async fn guarded() -> &'static str {
        "guarded"
    }

    #[actix_web::test]
    async fn what_a_sample_does_not_reach_is_not_called_closed() {
        let findings = findings(|app| {
            app.route("/files/{id:\\d+}", web::get().to(guarded)).route("/files/{name}", web::get().to(open));
            app.route("/all/{tail:.*}", web::get().to(guarded)).route("/all/below", web::get().to(open));
            app.service(web::scope("/hosts").guard(guard::Host("b.example")).route("/x", web::get().to(open)));
            app.service(web::scope("/hosts").route("/x", web::get().to(guarded)));
            app.service(
                web::scope("/kinds")
                    .guard(guard::Header("x-kind", "a"))
                    .service(web::scope("/deeper").route("/z", web::get().to(open))),
            );
            app.service(web::scope("/kinds").route("/deeper/z", web::get().to(guarded)));
        })
        .await;
        let of = |route: &str| findings.iter().find(|(found, _)| found == route).map(|(_, finding)| finding.clone());
        assert_eq!(of("GET /files/{id:\\d+}"), Some(Finding::Guarded("any valid token".to_owned())), "{findings:?}");
        assert_eq!(of("GET /files/{name}"), Some(Finding::Open(200)), "{findings:?}");
        for unreached in ["/all/below", "/hosts/x", "/kinds/deeper/z"] {
            assert!(matches!(of(unreached), Some(Finding::Unchecked(_))), "{unreached}: {findings:?}");
        }
        assert_eq!(findings.len(), 6, "{findings:?}");
    }

    #[actix_web::test]
    async fn a_handler_that_answers_that_it_is_not_there_is_not_called_closed() {
        async fn missing() -> HttpResponse {
            HttpResponse::NotFound().body("there is no such record")
        }
        let findings = findings(|app| {
            let any = web::resource("/any/{id}").route(web::get().to(guarded)).route(web::route().to(missing));
            let default =
                web::resource("/default/{id}").route(web::get().to(guarded)).default_service(web::to(missing));
            app.service(any).service(default).route("/alone", web::get().to(guarded));
            // The fallback of a scope answers the other methods of an attribute's route.
            let scope = web::scope("/scope").service(attribute).default_service(web::to(missing));
            app.service(scope);
        })
        .await;
        let unchecked = |path: &str| {
            let of_path = findings.iter().filter(|(route, _)| route.split_whitespace().last() == Some(path));
            of_path.filter(|(_, finding)| matches!(finding, Finding::Unchecked(_))).count()
        };
        for (path, count) in [("/any/{id}", 6), ("/default/{id}", 6), ("/alone", 0), ("/scope/attribute", 0)] {
            assert_eq!(unchecked(path), count, "{path}: {findings:?}");
        }
    }

    #[require_token]
    #[get("/attribute")]
    async fn attribute() -> &'static str {
        "guarded"
    }

    #[actix_web::test]
    async fn a_scope_that_is_known_by_its_guards_alone_is_unchecked() {
        let of_host = || guard::Host("b.example");
        let without = findings(|app| {
            app.service(web::resource("/").guard(of_host()).route(web::get().to(guarded)));
        });
        assert!(without.await.iter().all(|(route, _)| route != "(a scope without a prefix)"));
        for is_page_at_root in [false, true] {
            let findings = findings(|app| {
                app.service(web::scope("").guard(of_host()).route("/x", web::get().to(open)));
                app.route("/x", web::get().to(guarded));
                if is_page_at_root {
                    app.route("/", web::get().to(guarded));
                }
            })
            .await;
            let row = findings.iter().find(|(route, _)| route == "(a scope without a prefix)");
            let Some((_, Finding::Unchecked(why))) = row else { panic!("{findings:?}") };
            assert!(why.contains("b.example"), "{why}");
        }
    }

    #[actix_web::test]
    async fn an_applications_handler_at_an_address_of_the_servers_is_not_the_servers() {
        let service = OAuthService::builder()
            .untyped_claims()
            .issuer("http://127.0.0.1:8000")
            .client(oauth_runtime::Client::public("app").redirect_uri("http://127.0.0.1/callback"))
            .authenticate(async |_| None::<Value>)
            .build()
            .unwrap();
        let app = App::new()
            .service(web::resource("/verify").guard(guard::Get()).to(open))
            .service(web::resource("/token").guard(guard::Post()).to(open))
            .configure(service.routes())
            .service(web::resource("/revoke").guard(guard::Post()).to(open));
        let coverage = testing::coverage(app).await;
        let own: Vec<(String, Finding)> = coverage
            .findings()
            .map(|(route, finding)| (route.to_string(), finding.clone()))
            .filter(|(route, _)| ["/verify", "/token", "/revoke"].iter().any(|path| route.ends_with(path)))
            .collect();
        let server = |path: &str| (path.to_owned(), Finding::Server);
        let open = |route: &str| (route.to_owned(), Finding::Open(200));
        // What comes after the server's own is out of reach.
        let mut expected =
            vec![server("/revoke"), server("/token"), server("/verify"), open("GET /verify"), open("POST /token")];
        let mut found = own;
        expected.sort_by(|(one, _), (other, _)| one.cmp(other));
        found.sort_by(|(one, _), (other, _)| one.cmp(other));
        assert_eq!(found, expected);
        assert!(!coverage.is_closed());
    }
}
