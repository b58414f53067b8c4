//! The stylesheet and the logo of the pages.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse};

use crate::error::Reason;
use crate::model::form::Parameters;
use crate::server::Server;

/// `GET /oauth/pages.css`
pub(crate) async fn stylesheet(server: &Server, _: &HttpRequest, _: &Parameters<'_>) -> Result<HttpResponse, Reason> {
    Ok(asset("text/css; charset=utf-8", server.stylesheet().to_owned().into_bytes()))
}

/// `GET /oauth/logo`
pub(crate) async fn logo(server: &Server, _: &HttpRequest, _: &Parameters<'_>) -> Result<HttpResponse, Reason> {
    // Its URL exists only with a logo.
    let logo = server.logo().ok_or(Reason::Internal)?;
    Ok(asset(logo.media_type, logo.bytes.clone().into_owned()))
}

fn asset(media_type: &'static str, bytes: Vec<u8>) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, media_type))
        .insert_header((header::CACHE_CONTROL, "public, max-age=3600"))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        // An SVG opened by itself is a document, which must not run anything.
        .insert_header((header::CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'unsafe-inline'; sandbox"))
        .body(bytes)
}
