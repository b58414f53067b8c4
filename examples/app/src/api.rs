//! The API: each handler with its place in the OpenAPI document, its guard and its route.

use actix_web::web::{Data, Json, Path};
use actix_web::{Error, HttpResponse, Responder, get, post};
use oauth_runtime::{Claims, require_claim};
use utoipa::OpenApi;

use crate::{User, accounts::broken, database::Database};

#[derive(OpenApi)]
#[openapi(info(title = "Notes"), paths(notes, add_note))]
pub struct Description;

/// The notes of a user: for them, and for admins
#[utoipa::path(responses((status = 200, description = "Their texts", body = [String])))]
#[require_claim(scope = "notes:read", any(email = path.address, role = "admin"))]
#[get("/api/notes/{address}")]
pub async fn notes(address: Path<String>, database: Data<Database>) -> Result<impl Responder, Error> {
    Ok(Json(database.notes(&address).await.map_err(broken)?))
}

/// Adds a note of the user who asks
#[utoipa::path(request_body = String, responses((status = 201, description = "It is kept")))]
#[require_claim(scope = "notes:write")]
#[post("/api/notes")]
pub async fn add_note(
    Claims(user): Claims<User>,
    database: Data<Database>,
    text: String,
) -> Result<impl Responder, Error> {
    database.add_note(&user.sub, &text).await.map_err(broken)?;
    Ok(HttpResponse::Created())
}
