//! One of five routes has no guard.
//!
//! It was added last, and anyone on the internet can call it.
// caught: tests
// says: DELETE /notes/{id}

use actix_web::{App, Responder, delete, get, post, put, web::Path};
use oauth_runtime::{require_claim, require_token, testing};

use crate::service;

#[require_token]
#[get("/notes")]
async fn list() -> impl Responder {
    "all notes"
}

#[require_claim(scope = "notes:write")]
#[post("/notes")]
async fn create() -> impl Responder {
    "created"
}

#[require_token]
#[get("/notes/{id}")]
async fn read(id: Path<u32>) -> impl Responder {
    format!("note {id}")
}

#[require_claim(scope = "notes:write")]
#[put("/notes/{id}")]
async fn write(id: Path<u32>) -> impl Responder {
    format!("note {id} is written")
}

// right: #[require_claim(scope = "notes:write")]
// right: #[delete("/notes/{id}")]
#[delete("/notes/{id}")]
async fn remove(id: Path<u32>) -> impl Responder {
    format!("note {id} is deleted")
}

pub async fn program() {
    let app = App::new().configure(service().routes());
    let app = app.service(list).service(create).service(read).service(write).service(remove);
    testing::coverage(app).await.assert_closed();
}
