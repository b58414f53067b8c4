//! What a refusal is on the wire, to the byte.

use actix_web::test::TestRequest;
use aws_lc_rs::hmac;

use super::*;
use crate::guard::proofs::Rules;
use crate::model::Clock;
use crate::model::proof::{Flaw, NotProven, ShownAt};
use crate::model::resource::Resources;
use crate::policy::bound::UNBOUND;
use crate::policy::{Rule, Test, Value};

static ADMIN: Guard = Guard {
    rule: Rule::Claim(&["role"], Test::Equals(Value::Str("admin"))),
    parameters: &[],
    policy: r#"role = "admin""#,
    handler: Some("delete"),
    routes: &[],
    claims: &[],
    bound: UNBOUND,
    dynamic: &[],
    module: "tests",
    place: || "tests::delete",
    named_at: (1, 1),
    file: "tests.rs",
    line: 1,
};

fn plain() -> RefusalForm {
    RefusalForm {
        realm: "https://a.example".to_owned(),
        resource: None,
        proofs: None,
        body: None,
        explains: false,
        issues: true,
        prepared: Prepared::default(),
    }
}

fn of_resource() -> RefusalForm {
    RefusalForm { resource: Resource::here("https://a.example/api"), ..plain() }
}

fn with_proofs(is_required: bool) -> RefusalForm {
    let names = hmac::Key::new(hmac::HMAC_SHA256, b"names");
    let rules = Arc::new(Rules::new(None, false, Resources::default(), names, Clock::system()));
    let origin = "https://a.example".to_owned();
    RefusalForm { proofs: Some(Arc::new(Proofs { origin, is_required, rules })), ..plain() }
}

fn scope(text: &str) -> Scope {
    text.parse().expect("a scope")
}

fn refusal(reason: Reason, form: RefusalForm) -> Refusal {
    Refusal::new(reason, Some(&Arc::new(form)))
}

/// Status, headers in the order of their names, body.
fn wire(refusal: Refusal) -> String {
    // From a page of another origin, which gets the most headers.
    let request = TestRequest::get().uri("/api").insert_header(("origin", "https://b.example")).to_http_request();
    let response = refusal.into_error(&request).error_response();
    let mut headers: Vec<String> = Vec::new();
    for (name, value) in response.headers() {
        headers.push(format!("{name}: {}\n", value.to_str().expect("ASCII")));
    }
    // Several of one name stay in their order.
    headers.sort_by(|one, other| one.split(':').next().cmp(&other.split(':').next()));
    let status = response.status().as_u16();
    let body = actix_web::body::MessageBody::try_into_bytes(response.into_body()).expect("a body that is there");
    format!("{status}\n{}\n{}\n", headers.concat(), std::str::from_utf8(&body).expect("UTF-8"))
}

#[test]
fn refusals_are_these_bytes() {
    let step_up = |scope_text: &str, max_age, acr: &[&'static str]| {
        Reason::SignInAgain(Need { scope: scope(scope_text), max_age, acr: acr.to_vec() })
    };
    let proof = |flaw| Reason::ProofRefused(NotProven { flaw, at: ShownAt::Resource });
    let own = |refusal: &Refusal, _: &HttpRequest| HttpResponse::Ok().body(refusal.description());
    let own: Arc<RefusalBody> = Arc::new(own);
    let refused = [
        refusal(Reason::TokenMissing, plain()),
        refusal(Reason::TokenMissing, plain()).asking(|| scope("notes:write notes:read")),
        refusal(Reason::TokenMissing, of_resource()).asking(|| scope("notes:read")),
        refusal(Reason::TokenMissing, with_proofs(false)),
        refusal(Reason::TokenMissing, with_proofs(true)).asking(|| scope("notes:read")),
        refusal(Reason::AuthorizationMalformed, plain()).asking(|| scope("notes:read")),
        refusal(Reason::TokenMalformed, plain()),
        refusal(Reason::TokenMalformed, of_resource()).asking(|| scope("notes:read")),
        refusal(Reason::TokenSignature, plain()),
        refusal(Reason::TokenSignature, with_proofs(false)),
        refusal(Reason::TokenExpired, plain()),
        refusal(Reason::TokenRevoked, of_resource()),
        refusal(proof(Flaw::Missing), with_proofs(false)),
        refusal(Reason::TokenWithoutProof, with_proofs(false)),
        refusal(Reason::TokenBound, plain()),
        refusal(Reason::PolicyRefused(Scope::default()), plain()),
        refusal(Reason::PolicyRefused(Scope::default()), plain()).by(&ADMIN, "role is false".to_owned()),
        refusal(Reason::PolicyRefused(scope("notes:write")), of_resource()),
        refusal(Reason::PolicyRefused(Scope::default()), RefusalForm { explains: true, ..plain() })
            .by(&ADMIN, "role = \"admin\" is false".to_owned()),
        refusal(Reason::ClaimsOfAnotherShape, plain()),
        refusal(step_up("", Some(300), &[]), plain()),
        refusal(step_up("notes:write", Some(300), &["mfa", "phr"]), of_resource()),
        refusal(step_up("", None, &["mfa"]), with_proofs(false)),
        refusal(Reason::ParameterMisfit, plain()).by(&ADMIN, "no such parameter".to_owned()),
        refusal(Reason::StoreUnavailable, plain()).asking(|| scope("notes:read")),
        refusal(Reason::UserRefused, plain()).on_page(),
        refusal(Reason::SessionMissing, plain()).on_page(),
        refusal(Reason::TokenMissing, RefusalForm { body: Some(Arc::clone(&own)), ..plain() }),
        refusal(Reason::PolicyRefused(scope("a")), RefusalForm { body: Some(own), ..of_resource() }),
        Refusal::new(Reason::NoService, None),
        Refusal::new(Reason::TokenMissing, None),
    ];
    let table: Vec<String> = refused.into_iter().map(wire).collect();
    let recorded = include_str!("recorded.txt");
    assert_eq!(table.join("\n"), recorded);
}
