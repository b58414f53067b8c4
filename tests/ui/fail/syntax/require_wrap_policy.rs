use actix_web::web;
use oauth_runtime::{Policy, policy};

const STAFF: Policy = policy!(role = "admin");

fn main() {
    let _ = web::resource("/staff").wrap(STAFF);
}
