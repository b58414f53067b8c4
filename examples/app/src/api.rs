//! The API: each handler with its place in the OpenAPI document, its guard and its route.

use actix_web::web::{Data, Json, Path};
use actix_web::{Error, HttpResponse, Responder, get, post};
use oauth_runtime::{Claims, require_claim};
use utoipa::OpenApi;

use crate::{User, accounts::broken, database::Database};

#[derive(OpenApi)]
#[openapi(info(title = "Notes"), paths(notes, add_note))]
pub struct Description;

/// The notes of a user: for them, and for admins. A user is their `sub`: an address may be another person's one day
#[utoipa::path(responses((status = 200, description = "Their texts", body = [String])))]
#[require_claim(scope = "notes:read", any(sub = path.owner, role = "admin"))]
#[get("/api/notes/{owner}")]
pub async fn notes(owner: Path<String>, database: Data<Database>) -> Result<impl Responder, Error> {
    Ok(Json(database.notes(&owner).await.map_err(broken)?))
}

/// Adds a note of the user who asks, and says where theirs are
#[utoipa::path(request_body = String, responses((status = 201, description = "It is kept")))]
#[require_claim(scope = "notes:write")]
#[post("/api/notes")]
pub async fn add_note(Claims(user): Claims<User>, db: Data<Database>, text: String) -> Result<HttpResponse, Error> {
    db.add_note(&user.sub, &text).await.map_err(broken)?;
    Ok(HttpResponse::Created().insert_header(("Location", format!("/api/notes/{}", user.sub))).finish())
}
