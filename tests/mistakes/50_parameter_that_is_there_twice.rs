//! A scope and a route within it have a parameter of the same name.
//!
//! The guard would read the one, and the handler the other: every request is answered 500.
// caught: tests
// says: note_of_an_owner

use actix_web::{App, Responder, get, web};
use oauth_runtime::{require_claim, testing};

use crate::service;

#[get("/notes/{id}")]
#[require_claim(sub = dyn path.id)]
async fn note_of_an_owner() -> impl Responder {
    "a note"
}

pub async fn program() {
    // right: let teams = web::scope("/teams/{team}").service(note_of_an_owner);
    let teams = web::scope("/teams/{id}").service(note_of_an_owner);
    let app = App::new().configure(service().routes()).service(teams);
    testing::coverage(app).await.assert_closed();
}
