//! A policy is written, and no scope is wrapped in it.
//!
//! Every user reads what is for auditors alone: the handlers ask for no more than a token.
// caught: review
// says: AUDITORS

use actix_web::{App, Responder, get, web};
use oauth_runtime::{Policy, policy, require_token, testing};

use crate::service;

pub const AUDITORS: Policy = policy!(role = ["auditor", "admin"]);

#[require_token]
#[get("/log")]
async fn log() -> impl Responder {
    "who did what"
}

pub async fn program() -> String {
    let oauth = service();
    // right: let audit = web::scope("/audit").service(log).wrap(oauth.require(AUDITORS));
    let audit = web::scope("/audit").service(log);
    let table = testing::coverage(App::new().configure(oauth.routes()).service(audit)).await.to_string();
    table.lines().filter(|line| line.contains(module_path!())).collect()
}
