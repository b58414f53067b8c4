//! The map of the server's URLs.

mod url;

use std::sync::Arc;

use actix_web::dev::{AppService, HttpServiceFactory};
use actix_web::web::ServiceConfig;

use crate::endpoints::{
    assets, authorize, consent, discovery, introspect, jwks, login, logout, protected_resource, revoke, token,
    userinfo, verify,
};
use crate::routes::url::{Cors, url};
use crate::server::OAuthService;

impl OAuthService {
    /// The routes of the server, for [`actix_web::App::configure`]: every URL it has, one a line.
    ///
    /// They are absolute, and belong to the `App` itself: inside a `web::scope` they answer 500 and the log says so,
    /// since the metadata's address (RFC 8414 §3) is above any scope. Give the issuer a path instead.
    pub fn routes(&self) -> impl FnOnce(&mut ServiceConfig) + use<> {
        let oauth = self.clone();
        move |app| {
            let paths = &oauth.0.paths;
            app.service(AtRoot { oauth: oauth.clone() })
                .service(url(&paths.authorize).get(authorize::page).post(authorize::posted))
                .service(url(&paths.login).post(login::submit))
                .service(url(&paths.verify).post(verify::submit))
                .service(url(&paths.consent).post(consent::decide))
                .service(url(&paths.token).post(token::exchange).cors(Cors::Clients))
                .service(url(&paths.revoke).post(revoke::revoke).cors(Cors::Clients))
                .service(url(&paths.metadata).get(discovery::metadata).cors(Cors::Everyone))
                .service(url(&paths.stylesheet).get(assets::stylesheet));
            if oauth.0.keys.published().is_some() {
                app.service(url(&paths.jwks).get(jwks::keys).cors(Cors::Everyone));
            }
            if oauth.has_openid() {
                app.service(url(&paths.openid).get(discovery::openid).cors(Cors::Everyone))
                    .service(url(&paths.userinfo).get(userinfo::claims).post(userinfo::claims).cors(Cors::Clients));
            }
            if oauth.0.sessions.is_some() {
                app.service(url(&paths.logout).get(logout::sign_out).post(logout::sign_out));
            }
            // Servers alone ask here: no page of another origin may.
            if let Some(introspect) = &paths.introspect {
                app.service(url(introspect).post(introspect::introspect));
            }
            if let Some(resource) = &paths.resource {
                app.service(url(resource).get(protected_resource::metadata).cors(Cors::Everyone));
            }
            if oauth.0.logo.is_some() {
                app.service(url(&paths.logo).get(assets::logo));
            }
            app.app_data(Arc::clone(&oauth.0.protection)).app_data(oauth);
        }
    }
}

/// Says at start-up where the routes were put in a scope, below which they cannot be found.
struct AtRoot {
    oauth: OAuthService,
}

impl HttpServiceFactory for AtRoot {
    fn register(self, app: &mut AppService) {
        if !app.is_root() {
            tracing::error!(
                target: "oauth",
                issuer = self.oauth.0.issuer.as_str(),
                "oauth.routes() was given to a web::scope: give it to App::configure, and put the path into .issuer(..)"
            );
        }
    }
}
