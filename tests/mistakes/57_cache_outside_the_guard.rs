//! A cache that knows nothing of users stands around a guarded route.
//!
//! It hands the answer for one user to the next.
// caught: request
// says: private

use std::collections::HashMap;
use std::sync::Mutex;

use actix_web::body::{self, BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::{StatusCode, header};
use actix_web::middleware::{Next, from_fn};
use actix_web::test::{TestRequest, init_service};
use actix_web::web::{Bytes, Data};
use actix_web::{App, Error, HttpResponse, Responder, get};
use oauth_runtime::{Claims, require_token, testing};

use crate::{User, call, service, user};

#[require_token]
#[get("/me")]
async fn me(Claims(user): Claims<User>) -> impl Responder {
    user.sub
}

type Kept = Data<Mutex<HashMap<String, Bytes>>>;

/// A cache by the path, as there are many; it keeps what does not say that it is private (RFC 9111 section 3).
#[allow(dead_code)]
async fn cache<B: MessageBody + 'static>(
    kept: Kept,
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let path = request.path().to_owned();
    let found = kept.lock().expect("no thread panicked").get(&path).cloned();
    if let Some(found) = found {
        return Ok(request.into_response(HttpResponse::Ok().body(found)));
    }
    let (request, response) = next.call(request).await?.into_parts();
    let control = response.headers().get(header::CACHE_CONTROL).and_then(|value| value.to_str().ok());
    if control.is_some_and(|value| value.contains("private") || value.contains("no-store")) {
        tracing::warn!("{path} was not kept: it is private");
        return Ok(ServiceResponse::new(request, response.map_into_boxed_body()));
    }
    let (response, content) = response.into_parts();
    let content = body::to_bytes(content).await.unwrap_or_default();
    kept.lock().expect("no thread panicked").insert(path, content.clone());
    Ok(ServiceResponse::new(request, response.set_body(BoxBody::new(content))))
}

pub async fn program() -> (StatusCode, String) {
    let oauth = service();
    let app = App::new().app_data(Kept::default()).configure(oauth.routes()).service(me);
    // right: let app = init_service(app).await;
    let app = init_service(app.wrap(from_fn(cache))).await;
    let of = |name| testing::token(&oauth, &user(name).expect("a user")).header();
    call(&app, TestRequest::get().uri("/me").insert_header(of("ada"))).await;
    let (status, answer) = call(&app, TestRequest::get().uri("/me").insert_header(of("bob"))).await;
    assert_eq!(answer, "bob", "the answer for another user");
    (status, answer)
}
