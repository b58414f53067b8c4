//! What the pages are made of besides HTML.

use actix_web::HttpResponse;
use actix_web::http::header;

use crate::server::OAuthService;

/// `GET /oauth/pages.css`
pub(crate) async fn stylesheet(oauth: OAuthService) -> HttpResponse {
    asset("text/css; charset=utf-8", oauth.0.stylesheet.clone().into_bytes())
}

/// `GET /oauth/logo`
pub(crate) async fn logo(oauth: OAuthService) -> HttpResponse {
    match &oauth.0.logo {
        Some(logo) => asset(logo.media_type, logo.bytes.clone().into_owned()),
        None => HttpResponse::NotFound().finish(),
    }
}

fn asset(media_type: &'static str, bytes: Vec<u8>) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, media_type))
        .insert_header((header::CACHE_CONTROL, "public, max-age=3600"))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        // An SVG opened by itself is a document: it shall run nothing.
        .insert_header((header::CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'unsafe-inline'; sandbox"))
        .body(bytes)
}
