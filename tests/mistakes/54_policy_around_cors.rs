//! A policy is wrapped around the CORS layer, and not the other way round.
//!
//! A preflight has no token and is refused, so no page of another origin can call the API.
// caught: request
// says: preflight

use actix_cors::Cors;
use actix_web::http::{Method, StatusCode, header};
use actix_web::test::{TestRequest, init_service};
use actix_web::{App, Responder, get, web};
use oauth_runtime::policy;

use crate::{call, service};

#[get("")]
async fn list() -> impl Responder {
    "all notes"
}

pub async fn program() -> (StatusCode, String) {
    let oauth = service();
    let readers = oauth.require(policy!(scope = "notes:read"));
    let cors = Cors::default().allowed_origin("https://app.example").allowed_methods(["GET"]);
    // right: let notes = web::scope("/notes").service(list).wrap(readers).wrap(cors);
    let notes = web::scope("/notes").service(list).wrap(cors).wrap(readers);
    let app = init_service(App::new().configure(oauth.routes()).service(notes)).await;
    let preflight = TestRequest::default().method(Method::OPTIONS).uri("/notes");
    let preflight = preflight.insert_header((header::ORIGIN, "https://app.example"));
    call(&app, preflight.insert_header((header::ACCESS_CONTROL_REQUEST_METHOD, "GET"))).await
}
