//! A program that binds its claims: what speaks of them outside its guards, when a service is built and in its tests.
#![allow(clippy::unwrap_used, reason = "not production code")]
#![allow(dead_code, reason = "types are written, and policies are on the list, without being read")]

#[path = "src/log.rs"]
mod log;

use std::panic::{AssertUnwindSafe, catch_unwind};

use actix_web::test::{TestRequest, init_service};
use actix_web::{App, Responder, get};
use oauth_runtime::testing::{self, Unsuitable};
use oauth_runtime::{
    BuildError, Builder, Claims, Client, Granting, Login, OAuthService, Policy, claims, policy, require_claim,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

use crate::log::Log;

const SECRET: &str = "eyf3Vjq8Jc0vYTPRkwBkY0ieVS0SjAn9s1BG3Ih6Hbw";

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Claims)]
#[serde(rename_all = "lowercase")]
enum Role {
    Reader,
    Auditor,
    Admin,
}

#[derive(Clone, Debug, Serialize, Deserialize, Claims)]
struct User {
    sub: String,
    role: Role,
    level: u8,
    suspended: bool,
    teams: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    boss: Option<String>,
    address: Address,
}

#[derive(Clone, Debug, Serialize, Deserialize, Claims)]
struct Address {
    city: String,
}

/// A client in its own name.
#[derive(Clone, Debug, Serialize, Deserialize, Claims)]
struct Job {
    sub: String,
    shift: Shift,
    retries: Option<u8>,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize, Claims)]
#[serde(rename_all = "lowercase")]
enum Shift {
    Day,
    Night,
}

claims!(User, Job, scope = ["notes:read", "notes:write"], acr = ["mfa", "pwd"]);

fn ada() -> User {
    User {
        sub: "ada".to_owned(),
        role: Role::Admin,
        level: 7,
        suspended: false,
        teams: vec!["blue".to_owned()],
        boss: None,
        address: Address { city: "Nice".to_owned() },
    }
}

fn service() -> Builder {
    OAuthService::builder()
        .issuer("http://127.0.0.1:8000")
        .client(Client::public("app").redirect_uri("http://127.0.0.1/callback"))
        .scope("notes:read", "Read notes")
        .scope("notes:write", "Write notes")
        .authenticate(async |login: Login| Some(User { sub: login.username, ..ada() }))
}

fn job(claims: Json) -> Client {
    Client::confidential("job").secret(SECRET).claims(claims)
}

#[test]
fn what_a_client_has_in_its_own_name_is_compared_with_the_types() {
    for fits in [
        json!({}),
        json!({ "role": "auditor" }),
        json!({ "shift": "night" }),
        json!({ "shift": "night", "retries": null, "sub": "job" }),
        json!({ "role": "admin", "level": 255, "suspended": false, "teams": ["blue"], "boss": "ada", "address": { "city": "x" } }),
    ] {
        let built = service().client(job(fits.clone())).build();
        assert!(built.is_ok(), "{fits}: {built:?}");
    }
    for (claims, name, says) in [
        (json!({ "rol": "admin" }), "rol", "no field `rol` in the claims: a field with a similar name exists: `role`"),
        (json!({ "paid": true }), "paid", "no field `paid` in the claims: `User` has `sub`, `role`, "),
        (
            json!({ "role": "amdin" }),
            "role",
            "`role` is never \"amdin\": it is \"reader\", \"auditor\" or \"admin\"; did you mean \"admin\"?",
        ),
        (json!({ "shift": "nigth" }), "shift", "did you mean \"night\"?"),
        (json!({ "level": "3" }), "level", "`level` is never \"3\": it is an integer from 0 to 255"),
        (json!({ "level": 256 }), "level", "`level` is never 256"),
        (json!({ "teams": "blue" }), "teams", "`teams` is never \"blue\": it is a list, each text"),
        (json!({ "address": { "citi": "x" } }), "address", "no field `citi` in `address`"),
    ] {
        let refused = service().client(job(claims.clone())).build().expect_err("no type has it");
        let BuildError::ClientClaims { client, why } = &refused else { panic!("{claims}: {refused}") };
        assert!(client == "job" && why.contains(&format!("`{name}")), "{why}");
        let text = refused.to_string();
        assert!(text.contains(says) && text.contains("as in claims!(User, Job), or say .untyped_claims()"), "{text}");
        assert!(service().untyped_claims().client(job(claims)).build().is_ok());
    }
    // What the server sets is named as before.
    let refused = service().client(job(json!({ "exp": 1 }))).build();
    assert!(
        matches!(&refused, Err(BuildError::ClientClaims { why, .. }) if why.contains("the server sets the claim `exp` itself")),
        "{refused:?}"
    );
}

#[test]
fn what_a_scope_releases_is_a_claim_of_the_types_or_of_openid_connect() {
    let releasing = |claim: &str| service().scope("roles", "Know what you may do").releases([claim]);
    for known in ["role", "retries", "email", "birthdate", "sub"] {
        let built = releasing(known).build();
        assert!(built.is_ok(), "{known}: {built:?}");
    }
    let refused = releasing("rol").build().expect_err("no type has it");
    assert!(matches!(&refused, BuildError::ReleasedClaim { scope, claim, .. } if scope == "roles" && claim == "rol"));
    let text = refused.to_string();
    assert!(
        text.contains("the scope \"roles\" releases \"rol\"") && text.contains("similar name exists: `role`"),
        "{text}"
    );
    assert!(releasing("rol").untyped_claims().build().is_ok());
    let refused = releasing("exp").build().expect_err("the server's");
    assert!(refused.to_string().ends_with("it is not a claim of yours: leave it out"), "{refused}");
}

fn may_grant(user: &Granting<'_>, scope: &str) -> bool {
    let typed = user.claims::<User>().is_some_and(|user| user.role == Role::Admin && user.sub == "ada");
    let other = user.claims::<Job>().is_some();
    let plain = user.claim("role") == "admin" && user.claim("boss").is_null();
    let misspelt = [user.claim("rol"), user.claim("rol"), user.claim("sub")].into_iter().all(Json::is_null);
    typed && plain && misspelt && !other || scope == "notes:read"
}

/// Whether a name that the rule asks for is one of the types' is seen when it asks.
#[actix_web::test]
async fn a_rule_about_scopes_reads_the_type_and_is_told_of_a_name_that_it_has_not() {
    let granted = async |builder: Builder, name: &str| {
        let log = Log::default();
        let to_log = tracing_subscriber::fmt().with_ansi(false).with_writer(log.clone()).finish();
        let _guard = tracing::subscriber::set_default(to_log);
        let oauth = builder.narrow_scopes(may_grant).build().unwrap();
        let app = init_service(App::new().configure(oauth.routes())).await;
        let user = testing::sign_in(&app).user(name, "any").scope("notes:read notes:write").await.unwrap();
        (user.scope().to_owned(), log.text())
    };
    let (scope, log) = granted(service(), "ada").await;
    assert_eq!(scope, "notes:read notes:write");
    assert_eq!(granted(service(), "bob").await.0, "notes:read");
    let said = |text: &str| log.matches(text).count();
    assert_eq!(
        said("narrow_scopes asks for the claim `rol`, which no user has: no field `rol` in the claims"),
        1,
        "{log}"
    );
    assert_eq!(
        said("a field with a similar name exists: `role`; `Granting::claims` reads them as their type"),
        1,
        "{log}"
    );
    assert_eq!(
        said("narrow_scopes asks for the claim `sub`, which no user has: it is `Granting::subject`"),
        1,
        "{log}"
    );
    assert!(
        log.contains("narrow_scopes reads the claims of a user as another type: bindings::Job: missing field"),
        "{log}"
    );
    assert_eq!(said("the claim `boss`"), 0, "{log}");

    let (scope, log) = granted(service().untyped_claims(), "ada").await;
    assert!(scope == "notes:read notes:write" && !log.contains("the claim `rol`"), "{log}");
}

#[test]
fn a_token_of_a_test_has_a_scope_that_is_declared() {
    let panic = |oauth: &OAuthService, scope: &str| {
        let made = catch_unwind(AssertUnwindSafe(|| testing::token(oauth, &ada()).scope(scope).mint()));
        made.err().map(|panic| panic.downcast_ref::<String>().unwrap().clone())
    };
    let own = service().scope("profile", "Know your name").build().unwrap();
    let untyped = service().untyped_claims().build().unwrap();
    let of_test = testing::service();
    for (oauth, scope, says) in [
        (&own, "notes:read profile", None),
        (&own, "", None),
        (&of_test, "notes:write", None),
        (&untyped, "notes:raed", None),
        (&own, "notes:raed", Some("declares the scope \"notes:raed\": one with a similar name exists, \"notes:read\"")),
        (&of_test, "notes:read email", Some("the scope \"email\": there are notes:read notes:write")),
        (&own, "notes:read,notes:write", Some("scopes have spaces between them")),
    ] {
        match (panic(oauth, scope), says) {
            (None, None) => {}
            (Some(said), Some(says)) => {
                assert!(said.contains(says) && said.contains(".claim(\"scope\", ..)"), "{said}")
            }
            (said, _) => panic!("{scope}: {said:?}"),
        }
    }
    let made = testing::token(&own, &ada()).claim("scope", "no:such").mint();
    assert_eq!(made.split('.').count(), 3);
}

#[require_claim(any(role = "admin", level > 3), not(suspended), teams = "blue", boss != "bob", acr = "mfa", sub = path.owner)]
#[get("/report/{owner}")]
async fn report(Claims(user): Claims<User>) -> impl Responder {
    user.sub
}

#[require_claim(shift = "night", scope = "notes:read")]
#[get("/job")]
async fn nightly(Claims(job): Claims<Job>) -> impl Responder {
    job.sub
}

/// Each of them is, or is not; the compiler does not compare what is nested.
#[require_claim(any(all(suspended, level > 3), not(all(suspended, level > 3))))]
#[get("/all")]
async fn all() -> impl Responder {
    "all"
}

#[require_claim(any(role = "admin", suspended), role != "admin", not(suspended))]
#[get("/none")]
async fn none() -> impl Responder {
    "none"
}

/// Which of the types it is.
#[require_claim(shift)]
#[get("/which")]
async fn which() -> impl Responder {
    "which"
}

#[require_claim(any(shift, sub = path.owner))]
#[get("/either/{owner}")]
async fn either() -> impl Responder {
    "either"
}

const STAFF: Policy = policy!(role = ["auditor", "admin"], not(suspended));

mod others {
    use super::{Policy, policy};

    pub(crate) const STAFF: Policy = policy!(role = "admin");

    pub(crate) fn decide() -> [Policy; 2] {
        [policy!(level > 3), policy!(level > 4)]
    }
}

#[actix_web::test]
async fn a_suite_has_the_claims_of_the_types_and_no_others() {
    let oauth = testing::service();
    let app = init_service(App::new().configure(oauth.routes()).service((report, nightly))).await;
    for (handler, uri, cases) in [("report", "/report/1", 7), ("nightly", "/job", 2)] {
        let suite = testing::suite_of(handler).unwrap();
        assert!(suite.cases().len() == cases && suite.redundant().is_empty(), "{suite:?}");
        suite.check(&oauth, &app, || TestRequest::get().uri(uri)).await;
        for case in suite.cases() {
            for claims in [&case.admitted, &case.refused] {
                let mut claims = claims.clone();
                claims.entry("sub").or_insert(json!("ada"));
                let claims = Json::Object(claims);
                let is_known = match handler {
                    "report" => serde_json::from_value::<User>(claims.clone()).is_ok() || claims.get("shift").is_some(),
                    _ => serde_json::from_value::<Job>(claims.clone()).is_ok(),
                };
                assert!(is_known, "{}: {claims}", case.term);
            }
            // And the handler can read what its guard admits.
            let request = TestRequest::get().uri(uri).insert_header(case.admitted_token(&oauth).header());
            let answer = actix_web::test::call_service(&app, request.to_request()).await;
            assert_eq!(answer.status().as_u16(), 200, "{}", case.term);
        }
    }
}

#[actix_web::test]
async fn a_guard_that_admits_no_user_or_each_is_a_failure_that_says_so() {
    for (handler, admits_all, says) in [
        ("all", true, "every user who signed in passes this guard, whatever their claims are: level > 3; suspended"),
        (
            "none",
            false,
            "no user passes this guard, whatever their claims are: role != \"admin\"; role = \"admin\"; suspended",
        ),
    ] {
        let suite = testing::suite_of(handler).unwrap();
        assert_eq!((suite.admits_all(), suite.admits_none()), (admits_all, !admits_all), "{suite:?}");
        let checked = AssertUnwindSafe(async {
            let oauth = testing::service();
            let app = init_service(App::new().configure(oauth.routes()).service((all, none))).await;
            suite.check(&oauth, &app, || TestRequest::get().uri("/all")).await;
        });
        let told = futures_util::FutureExt::catch_unwind(checked).await.expect_err("it is named");
        let told = told.downcast_ref::<String>().unwrap();
        assert!(told.starts_with(says), "{told}");
    }
    for handler in ["report", "which", "either"] {
        let suite = testing::suite_of(handler).unwrap();
        assert!(!suite.admits_all() && !suite.admits_none() && suite.redundant().is_empty(), "{suite:?}");
    }
}

/// Within a type the term is always met, or never.
#[actix_web::test]
async fn a_term_that_asks_which_type_it_is_flips_between_two() {
    let oauth = testing::service();
    let app = init_service(App::new().configure(oauth.routes()).service((which, either))).await;
    let suite = testing::suite_of("which").unwrap();
    let [case] = suite.cases() else { panic!("{suite:?}") };
    assert!(case.admitted.contains_key("shift") && case.refused.contains_key("role"), "{case:?}");
    suite.check(&oauth, &app, || TestRequest::get().uri("/which")).await;
    let suite = testing::suite_of("either").unwrap();
    assert_eq!(suite.cases().len(), 2);
    suite.check(&oauth, &app, || TestRequest::get().uri("/either/1")).await;
}

#[test]
fn a_policy_is_found_by_the_constant_that_has_it() {
    let suite = testing::suite_of("bindings::STAFF").unwrap();
    assert_eq!(suite.cases().len(), 2);
    assert!(suite.cases().iter().all(|case| case.admitted["role"] != "reader"), "{suite:?}");
    assert_eq!(testing::suite(STAFF).unwrap().cases().len(), 2);
    assert_eq!(testing::suite_of("others::STAFF").unwrap().cases().len(), 1);
    let Unsuitable::Several { known } = testing::suite_of("decide").unwrap_err() else { panic!("there are two") };
    assert_eq!(known.len(), 2);
    assert_eq!(testing::suite_of(&known[1]).unwrap().cases()[0].term, "level > 4");
    assert!(matches!(testing::suite_of("STAFF"), Err(Unsuitable::Several { .. })));
    let Unsuitable::NoGuard { known, .. } = testing::suite_of("STUFF").unwrap_err() else { panic!("there is none") };
    assert!(known.contains(&"bindings::report".to_owned()), "{known:?}");
    assert!(known.iter().any(|name| name.starts_with("bindings::STAFF")), "{known:?}");
}
