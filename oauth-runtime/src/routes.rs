//! The map of the server's URLs: a handler for each. The rest of a URL (its path, methods, form of its errors, CORS,
//! name in the metadata) is in its row in `server/paths.rs`.

mod url;

use std::sync::Arc;

use actix_web::dev::{AppService, HttpServiceFactory, ServiceRequest, ServiceResponse, fn_service};
use actix_web::web::ServiceConfig;
use actix_web::{Error, HttpResponse};

use crate::endpoints::{
    account, assets, authorize, consent, device, device_authorization, discovery, introspect, jwks, login, logout, par,
    protected_resource, register, revoke, token, userinfo, verify,
};
use crate::error::Reason;
use crate::guard::own;
use crate::guard::protection::tell_of_scope;
use crate::response::json_error;
use crate::routes::url::{Handler, answer};
use crate::server::OAuthService;
use crate::server::paths::Url;

impl OAuthService {
    /// The routes of the server, for [`actix_web::App::configure`]: all its URLs.
    ///
    /// They are absolute, and belong to the `App` itself: inside a `web::scope` they answer 500 and the log says so,
    /// since the metadata's address (RFC 8414 §3) is above any scope. Give the issuer a path instead.
    ///
    /// Common mistake: `.service(oauth.routes())`, for which rustc says that it is not a `HttpServiceFactory`. These
    /// are several services: write `.configure(oauth.routes())`.
    pub fn routes(&self) -> impl FnOnce(&mut ServiceConfig) + use<> {
        let oauth = self.clone();
        move |app| {
            app.app_data(Arc::clone(oauth.server().protection())).app_data(oauth.clone()).service(Routes(oauth));
        }
    }
}

/// The handler of each URL.
fn handler(url: Url) -> Handler {
    macro_rules! to {
        ($handler:path) => {
            // Allocated first: a future made elsewhere would be copied there, some KiB.
            |server, http, parameters| {
                let future = Box::write(Box::new_uninit(), $handler(server, http, parameters));
                Box::into_pin(future)
            }
        };
    }
    match url {
        Url::Authorize => to!(authorize::respond),
        Url::Login => to!(login::respond),
        Url::Verify => to!(verify::submit),
        Url::Consent => to!(consent::decide),
        Url::Logout => to!(logout::sign_out),
        Url::Account => to!(account::respond),
        Url::Device => to!(device::respond),
        Url::DeviceAuthorization => to!(device_authorization::ask),
        Url::PushedAuthorization => to!(par::push),
        Url::Token => to!(token::exchange),
        Url::Revoke => to!(revoke::revoke),
        Url::Introspect => to!(introspect::introspect),
        Url::UserInfo => to!(userinfo::userinfo),
        Url::Register => to!(register::register),
        Url::Stylesheet => to!(assets::stylesheet),
        Url::Logo => to!(assets::logo),
        Url::Metadata => to!(discovery::metadata),
        Url::OpenId => to!(discovery::openid),
        Url::Jwks => to!(jwks::keys),
        Url::ProtectedResource => to!(protected_resource::metadata),
    }
}

/// All URLs as one service of the `App`: however many there are, they cost the router one step, also for requests to
/// the application's own routes.
struct Routes(OAuthService);

impl HttpServiceFactory for Routes {
    fn register(self, app: &mut AppService) {
        let Routes(oauth) = self;
        let paths = oauth.server().paths();
        let resource = own::definition(paths.registered().map(|placed| placed.path.as_str()));
        if app.is_root() {
            let service = fn_service(move |request| respond(oauth.clone(), request));
            app.register_service(resource, None, service, None);
            return;
        }
        tell_of_scope(oauth.server().issuer().as_str());
        // Below a scope nothing would be where the metadata says, and half a server is worse than none.
        let service = fn_service(async |request: ServiceRequest| {
            Ok::<_, Error>(request.into_response(json_error(&Reason::NoService)))
        });
        app.register_service(resource, None, service, None);
    }
}

async fn respond(oauth: OAuthService, request: ServiceRequest) -> Result<ServiceResponse, Error> {
    match oauth.server().paths().at(request.match_info().as_str()) {
        Some(placed) => Ok(answer(placed, handler(placed.row.url), &oauth, request).await),
        None => Ok(request.into_response(HttpResponse::NotFound())),
    }
}
