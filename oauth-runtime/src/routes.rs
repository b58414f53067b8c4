//! The map of the server's URLs: a handler for each. What else there is to a URL (its path, methods, form of its errors,
//! CORS, name in the metadata) is its row in `server/paths.rs`.

mod url;

use std::sync::Arc;

use actix_web::dev::{AppService, HttpServiceFactory};
use actix_web::web::ServiceConfig;

use crate::endpoints::{
    account, assets, authorize, consent, device, device_authorization, discovery, introspect, jwks, login, logout, par,
    protected_resource, register, revoke, token, userinfo, verify,
};
use crate::routes::url::at;
use crate::server::OAuthService;
use crate::server::paths::{Placed, Url};

impl OAuthService {
    /// The routes of the server, for [`actix_web::App::configure`]: every URL it has, one a line.
    ///
    /// They are absolute, and belong to the `App` itself: inside a `web::scope` they answer 500 and the log says so,
    /// since the metadata's address (RFC 8414 §3) is above any scope. Give the issuer a path instead.
    ///
    /// Common mistake: `.service(oauth.routes())`, of which rustc says that it is no `HttpServiceFactory`. They are several services:
    /// `.configure(oauth.routes())`.
    pub fn routes(&self) -> impl FnOnce(&mut ServiceConfig) + use<> {
        let oauth = self.clone();
        move |app| {
            let server = oauth.server();
            app.service(AtRoot { issuer: server.issuer().as_str().to_owned() });
            for placed in server.paths().registered() {
                register(app, placed);
            }
            app.app_data(Arc::clone(server.protection())).app_data(oauth);
        }
    }
}

fn register(app: &mut ServiceConfig, placed: &Placed) {
    let url = at(placed);
    app.service(match placed.row.url {
        Url::Authorize => url.to(authorize::respond),
        Url::Login => url.to(login::respond),
        Url::Verify => url.to(verify::submit),
        Url::Consent => url.to(consent::decide),
        Url::Logout => url.to(logout::sign_out),
        Url::Account => url.to(account::respond),
        Url::Device => url.to(device::respond),
        Url::DeviceAuthorization => url.to(device_authorization::ask),
        Url::PushedAuthorization => url.to(par::push),
        Url::Token => url.to(token::exchange),
        Url::Revoke => url.to(revoke::revoke),
        Url::Introspect => url.to(introspect::introspect),
        Url::UserInfo => url.to(userinfo::userinfo),
        Url::Register => url.to(register::register),
        Url::Stylesheet => url.to(assets::stylesheet),
        Url::Logo => url.to(assets::logo),
        Url::Metadata => url.to(discovery::metadata),
        Url::OpenId => url.to(discovery::openid),
        Url::Jwks => url.to(jwks::keys),
        Url::ProtectedResource => url.to(protected_resource::metadata),
    });
}

/// Says at start-up where the routes were put in a scope, below which they cannot be found.
struct AtRoot {
    issuer: String,
}

impl HttpServiceFactory for AtRoot {
    fn register(self, app: &mut AppService) {
        if !app.is_root() {
            tracing::error!(
                target: "oauth",
                issuer = self.issuer,
                "oauth.routes() was given to a web::scope: give it to App::configure, and put the path into .issuer(..)"
            );
        }
    }
}
