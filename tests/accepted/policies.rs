//! Every form of the language, each as a user would write it.

use actix_web::{App, Responder, delete, get, web};
use oauth_runtime::{AccessToken, Claims, Policy, Refusal, policy, public, require_claim};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize, Clone, Copy, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Role {
    Reader,
    Auditor,
    Admin,
}

impl Role {
    fn is_staff(self) -> bool {
        matches!(self, Role::Admin | Role::Auditor)
    }
}

#[derive(Serialize, Deserialize)]
struct User {
    sub: String,
    role: Role,
    level: u8,
}

#[derive(Deserialize)]
#[serde(tag = "kind")]
enum Account {
    Staff { level: u8 },
    Guest,
}

#[require_claim(User { role: Role::Admin | Role::Auditor, level: 3.., .. })]
#[get("/typed")]
async fn typed(Claims(user): Claims<User>) -> impl Responder {
    user.sub
}

#[require_claim(User { level, role, .. } if *level > 3 || role.is_staff())]
#[get("/condition")]
async fn condition(Claims(user): Claims<User>) -> impl Responder {
    format!("{} {}", user.sub, user.level)
}

#[require_claim(User { sub, .. } if sub == "alice", crate = "oauth_runtime")]
#[get("/string")]
async fn string() -> impl Responder {
    "string"
}

#[require_claim(Account::Staff { level: 1..=3 } | Account::Guest)]
#[get("/variants")]
async fn variants() -> impl Responder {
    "variants"
}

#[require_claim(account @ Account::Staff { .. } if matches!(account, Account::Staff { level: 9 }))]
#[get("/binding")]
async fn binding() -> impl Responder {
    "binding"
}

#[require_claim(self::User { level: 3, .. })]
#[require_claim(sub = path.owner)]
#[get("/stacked/{owner}")]
async fn stacked(owner: web::Path<String>) -> impl Responder {
    owner.into_inner()
}

#[require_claim(a != 1, b < 3, c <= 3.5, d > -3, e >= 18446744073709551615, f > 3, f < 9)]
#[get("/operators")]
async fn operators() -> impl Responder {
    "operators"
}

/// Of one claim each, and all of them ask something.
#[require_claim(a > 3, a < 4, b >= 3, b <= 3, all(c = "x", c = "y"), d = "x", d != "y", not(e), any(not(f), f = "x"))]
#[require_claim(any(g != "x", g != "y"), any(h < 3, h > 3), any(i = true, i = false), any(j != 3, j = "x"))]
#[get("/together")]
async fn together() -> impl Responder {
    "together"
}

#[require_claim(any(all(a, b = [1, path."id"]), not(c != true), all(not(any(d, e)))), realm_access.roles = "admin")]
#[delete("/nested/{id:\\d{3}}")]
async fn nested() -> impl Responder {
    "nested"
}

#[require_claim("all" = 1, "https://example.com/x"."fresh".not = 2, a.scope, fresh = "5m", acr = ["x", "y"],)]
#[get("/words")]
async fn words() -> impl Responder {
    "words"
}

#[public]
#[get("/")]
async fn open() -> impl Responder {
    "open"
}

const STAFF: Policy = policy!(role = ["admin", "auditor"]);
static GUESTS: Policy = policy!(User { role: Role::Reader, .. });

#[get("/values")]
async fn values(token: AccessToken) -> Result<&'static str, Refusal> {
    token.satisfies(STAFF)?;
    token.satisfies(GUESTS)?;
    token.satisfies(policy!(level > 3))?;
    Ok("values")
}

struct Handlers;

impl Handlers {
    #[require_claim(User { level: 3, .. })]
    async fn associated() -> impl Responder {
        "associated"
    }
}

pub(crate) fn main() {
    let _ = App::new()
        .service((typed, condition, string, variants, binding, stacked, operators))
        .service((nested, words, open, values, together))
        .route("/associated", web::get().to(Handlers::associated));
    println!("{}", oauth_runtime::policy_map());
}
