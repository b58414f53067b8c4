//! What only a run of the routes, or a review of them, can see.

use actix_web::{App, Responder, get, test as harness, web};
use futures_util::FutureExt as _;
use oauth_runtime::testing::{self, Coverage, Finding, NotSignedIn};
use oauth_runtime::{Client, Login, OAuthService, Policy, ResourceServer, policy, require_claim, require_token};
use serde_json::json;

const ADMINS: Policy = policy!(role = "admin");
const AUDITORS: Policy = policy!(role = ["auditor", "admin"]);

#[get("/{id}")]
#[require_claim(sub = dyn path.id)]
async fn of_an_owner() -> impl Responder {
    "a note"
}

#[require_token]
#[get("/log")]
async fn log() -> impl Responder {
    "who did what"
}

async fn plain() -> impl Responder {
    "plain"
}

async fn coverage(configure: impl FnOnce(&OAuthService, &mut web::ServiceConfig)) -> Coverage {
    let oauth = testing::service();
    testing::coverage(App::new().configure(oauth.routes()).configure(|app| configure(&oauth, app))).await
}

#[actix_web::test]
async fn a_misfit_names_its_handler_and_what_does_not_fit() {
    let table = coverage(|_, app| {
        app.service(web::scope("/teams/{id}").service(of_an_owner));
    });
    let table = table.await;
    let misfit = table.findings().find(|(route, _)| route.path.starts_with("/teams")).unwrap().1.clone();
    let Finding::Misfit(why) = &misfit else { panic!("{table}") };
    assert!(why.contains("guards speak of it on `of_an_owner`"), "{why}");
    assert!(why.contains("the parameter `id` occurs twice") && !table.is_closed(), "{why}");

    let table = coverage(|_, app| {
        app.service(web::scope("/no/owner").service(without_owner));
    });
    let table = table.await.to_string();
    assert!(
        table.contains("the guard of `without_owner` does not fit its route: the route has no parameter `owner`"),
        "{table}"
    );
}

/// As the documentation of `testing` says: it is actix-web that cannot list it.
#[actix_web::test]
async fn an_app_with_a_parameter_twice_is_not_made_with_the_feature_of_tests() {
    let twice = || web::scope("/org/{id}").route("/user/{id}", web::get().to(plain));
    let made = std::panic::AssertUnwindSafe(harness::init_service(App::new().service(twice())));
    let told = made.catch_unwind().await.err().unwrap();
    let told = told.downcast_ref::<String>().unwrap();
    assert!(told.contains("Wrong path pattern") && told.contains("duplicate capture group"), "{told}");
    let table = testing::coverage(App::new().service(twice())).await.to_string();
    assert!(table.contains("the parameter `id` occurs twice"), "{table}");
}

#[get("/{id}")]
#[require_claim(sub = dyn path.owner)]
async fn without_owner() -> impl Responder {
    "a note"
}

#[actix_web::test]
async fn what_is_amiss_comes_first_and_what_is_the_servers_is_one_line() {
    let table = coverage(|_, app| {
        app.service(web::scope("/audit").service(log)).route("/zebra", web::get().to(plain));
    });
    let table = table.await;
    let text = table.to_string();
    let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with('?')).collect();
    let own = table.findings().filter(|(_, finding)| **finding == Finding::Server).count();
    assert!(own > 9, "{text}");
    assert_eq!(
        lines,
        [
            "! GET /zebra      OPEN: it answered 200",
            "  GET /audit/log  guarded: any valid token",
            &format!("  ({own} paths)      of the server itself"),
        ]
    );
}

/// What `assert_closed` says above its table.
fn headline(table: &Coverage) -> String {
    let told = std::panic::catch_unwind(|| table.assert_closed()).unwrap_err();
    let told = told.downcast_ref::<String>().unwrap();
    told.lines().take_while(|line| !line.starts_with('!')).collect::<Vec<_>>().join("\n")
}

#[actix_web::test]
async fn the_headline_says_what_there_is_to_do_of_each_kind() {
    let open = coverage(|_, app| _ = app.route("/zebra", web::get().to(plain))).await;
    assert_eq!(headline(&open), "1 open to strangers: put a guard on each, `#[public]`, or `.except(&[..])`");
    let others = coverage(|_, app| {
        app.service(web::scope("/no/owner").service(without_owner)).service(web::resource("/none"));
    });
    let others = headline(&others.await);
    assert!(others.starts_with("1 guarded in vain: ") && others.contains("\n1 unchecked: "), "{others}");
    assert!(!others.contains("strangers"), "{others}");
}

#[actix_web::test]
async fn an_app_without_the_service_is_told_so() {
    let without = testing::coverage(App::new().service(log)).await;
    let told = headline(&without);
    assert!(told.starts_with("no service is in this App") && told.contains(".configure(oauth.routes())"), "{told}");
    assert_eq!(told.lines().count(), 1, "{told}");
    // An open route stays one.
    let open = testing::coverage(App::new().service(log).route("/zebra", web::get().to(plain))).await;
    assert!(headline(&open).contains("\n1 open to strangers"), "{open}");
    // A scope's own is as good.
    let oauth = testing::service();
    let scope = web::scope("/v1").configure(oauth.routes()).service(log).route("/zebra", web::get().to(plain));
    let scoped = headline(&testing::coverage(App::new().service(scope)).await);
    assert!(!scoped.contains("no service is in this App"), "{scoped}");
}

#[actix_web::test]
async fn what_a_resource_server_answers_by_itself_is_its_own() {
    let api = ResourceServer::discover("http://127.0.0.1:1").audience("https://api.example").build().await.unwrap();
    let table = testing::coverage(App::new().configure(api.routes()).service(log)).await;
    table.assert_closed();
    let own = table.findings().find(|(_, finding)| **finding == Finding::Server).unwrap();
    assert_eq!(own.0.path, "/.well-known/oauth-protected-resource");
}

#[actix_web::test]
async fn a_route_beside_the_scope_of_its_path_is_told_so() {
    let table = coverage(|oauth, app| {
        let admin = web::scope("/admin").route("/users", web::get().to(plain)).wrap(oauth.require(ADMINS));
        let open = web::scope("/shop").route("/all", web::get().to(plain));
        app.route("/admin/export", web::get().to(plain)).service(admin).service(open);
        app.route("/administer/all", web::get().to(plain));
    });
    let table = table.await.to_string();
    let line = |path: &str| table.lines().find(|line| line.contains(path)).unwrap().to_owned();
    assert!(line("GET /admin/export").contains("is not in the scope that has its path"), "{table}");
    assert!(line("GET /admin/users").contains("guarded: role = \"admin\""), "{table}");
    for path in ["GET /shop/all", "GET /administer/all"] {
        assert!(line(path).contains("OPEN") && !line(path).contains("not in the scope"), "{table}");
    }
}

#[actix_web::test]
async fn a_policy_that_nothing_is_wrapped_in_is_told() {
    let unworn = |table: &Coverage| table.unworn().filter(|place| place.contains("seen::")).count();
    let bare = coverage(|_, app| {
        app.service(web::scope("/audit").service(log));
    });
    let bare = bare.await;
    assert_eq!(unworn(&bare), 2, "{bare}");
    assert!(bare.unworn().any(|place| place.ends_with("seen::AUDITORS, policy!")), "{bare}");
    let worn = coverage(|oauth, app| {
        let resource = web::resource("/one").route(web::get().to(plain)).wrap(oauth.require(ADMINS));
        app.service(web::scope("/audit").service(log).wrap(oauth.require(AUDITORS))).service(resource);
    });
    let worn = worn.await;
    assert_eq!(unworn(&worn), 0, "{worn}");
    assert_eq!(unworn(&coverage(|_, _| {}).await), 2, "what another `App` wears is none of this one's");
}

/// The map of policies is the same for both.
#[actix_web::test]
async fn the_snapshot_changes_when_a_route_leaves_its_scope() {
    let lines = |table: Coverage| {
        let lines = table.snapshot();
        lines.lines().filter(|line| line.contains("audit") || line.contains("seen::")).map(str::to_owned).collect()
    };
    let within: Vec<String> = lines(
        coverage(|oauth, app| {
            app.service(web::scope("/audit").service(log).wrap(oauth.require(AUDITORS)));
        })
        .await,
    );
    let beside: Vec<String> = lines(
        coverage(|_, app| {
            app.service(web::scope("/audit").service(log));
        })
        .await,
    );
    assert_eq!(within[0], r#"/audit/log  role = ["admin", "auditor"]"#);
    assert_eq!(beside[0], "GET /audit/log  any valid token");
    let admins = "(no scope)  testing::seen::ADMINS, policy!  role = \"admin\"".to_owned();
    let auditors = r#"(no scope)  testing::seen::AUDITORS, policy!  role = ["admin", "auditor"]"#.to_owned();
    assert_eq!((&within[1..], &beside[1..]), (&[admins.clone()][..], &[admins, auditors][..]));
}

/// In `policy_map().snapshot()` too, which is one for the whole program.
#[require_claim(any(role = "admin", suspended = false), scope = "x")]
#[get("/weak")]
async fn weak() -> impl Responder {
    "weak"
}

#[actix_web::test]
async fn each_term_of_an_any_is_shown_alone() {
    let _ = weak;
    let snapshot = oauth_runtime::policy_map().snapshot();
    let lines: Vec<_> =
        snapshot.lines().filter_map(|line| line.strip_prefix("testing::seen::weak  GET /weak  ")).collect();
    assert_eq!(
        lines,
        [
            r#"scope = "x", any(role = "admin", suspended = false)"#,
            r#"- role = "admin" alone, beside scope = "x""#,
            r#"- suspended = false alone, beside scope = "x""#,
        ]
    );
    let suite = testing::suite_of("weak").unwrap();
    assert_eq!(suite.alone().len(), 2);
    assert_eq!(suite.alone()[1], r#"suspended = false alone, beside scope = "x""#);
}

/// The page refers to the log, which a test has none of.
#[actix_web::test]
async fn a_sign_in_that_fails_prints_what_the_log_says() {
    let oauth = OAuthService::builder()
        .issuer("http://127.0.0.1/no-subject")
        .client(Client::public("test").redirect_uri("http://127.0.0.1/callback"))
        .untyped_claims()
        .authenticate(async |_: Login| Some(json!({ "role": "admin" })))
        .build()
        .unwrap();
    let app = harness::init_service(App::new().configure(oauth.routes())).await;
    let why = testing::sign_in(&app).user("ada", "ada123").await.unwrap_err();
    let NotSignedIn::Unexpected { status: 500, text, .. } = &why else { panic!("{why}") };
    assert!(text.contains("the log of the server says why"), "{text}");
    assert!(text.contains("the log: the claims of the user who signed in cannot be used: add `sub` to them"), "{text}");
}
