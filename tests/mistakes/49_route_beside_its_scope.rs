//! A route is registered beside the scope whose policy was to guard it.
//!
//! Its path looks as if it were within, and the policy never sees it.
// caught: tests
// says: GET /admin/export

use actix_web::{App, Responder, web};
use oauth_runtime::{policy, testing};

use crate::service;

async fn users() -> impl Responder {
    "all users"
}

async fn export() -> impl Responder {
    "all data"
}

pub async fn program() {
    let oauth = service();
    let admin = web::scope("/admin").wrap(oauth.require(policy!(role = "admin"))).route("/users", web::get().to(users));
    let app = App::new().configure(oauth.routes());
    // right: let app = app.service(admin.route("/export", web::get().to(export)));
    let app = app.route("/admin/export", web::get().to(export)).service(admin);
    testing::coverage(app).await.assert_closed();
}
