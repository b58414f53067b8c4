//! The same with oxide-auth-actix: its simple endpoint with its primitives in memory, PKCE, and a page that asks.

use std::sync::Mutex;

use actix_web::web::{Data, ServiceConfig};
use actix_web::{HttpResponse, get, post};
use oxide_auth::endpoint::{Endpoint, OwnerConsent, OwnerSolicitor, QueryParameter as _, Solicitation};
use oxide_auth::frontends::simple::endpoint::{ErrorInto, FnSolicitor, Generic, Vacant};
use oxide_auth::frontends::simple::extensions::{AddonList, Extended, Pkce};
use oxide_auth::primitives::authorizer::AuthMap;
use oxide_auth::primitives::generator::RandomGenerator;
use oxide_auth::primitives::issuer::TokenMap;
use oxide_auth::primitives::registrar::{Client, ClientMap, ExactUrl, RegisteredUrl};
use oxide_auth::primitives::scope::Scope;
use oxide_auth_actix::{
    Authorize, OAuthOperation as _, OAuthRequest, OAuthResource, OAuthResponse, Refresh, Resource, Token, WebError,
};

use crate::REDIRECT;

/// The memory of the server.
pub type State = Mutex<Primitives>;

/// What an endpoint is made of.
pub struct Primitives {
    registrar: ClientMap,
    authorizer: AuthMap<RandomGenerator>,
    issuer: TokenMap<RandomGenerator>,
    scopes: Vec<Scope>,
    addons: AddonList,
}

/// Of a server with one client, `demo`, at its start.
pub(crate) fn state() -> Data<State> {
    let scope: Scope = "admin".parse().unwrap();
    let redirect = RegisteredUrl::Exact(ExactUrl::new(REDIRECT.to_owned()).unwrap());
    let mut registrar = ClientMap::new();
    registrar.register_client(Client::public("demo", redirect, scope.clone()));
    let mut addons = AddonList::new();
    addons.push_code(Pkce::required());
    Data::new(Mutex::new(Primitives {
        registrar,
        authorizer: AuthMap::new(RandomGenerator::new(16)),
        issuer: TokenMap::new(RandomGenerator::new(16)),
        scopes: vec![scope],
        addons,
    }))
}

pub(crate) fn configure(app: &mut ServiceConfig, state: &Data<State>) {
    app.app_data(state.clone()).service(ask).service(decide).service(token).service(refresh).service(admin);
}

impl Primitives {
    fn endpoint<'a>(
        &'a mut self,
        solicitor: impl OwnerSolicitor<OAuthRequest> + 'a,
    ) -> impl Endpoint<OAuthRequest, Error = WebError> + 'a {
        let Primitives { registrar, authorizer, issuer, scopes, addons } = self;
        let generic = Generic { registrar, authorizer, issuer, solicitor, scopes, response: Vacant };
        ErrorInto::new(Extended::extend_with(generic, addons))
    }
}

/// The page on which a user signs in and allows it.
#[get("/authorize")]
async fn ask(request: OAuthRequest, state: Data<State>) -> Result<OAuthResponse, WebError> {
    let page = FnSolicitor(|_: &mut OAuthRequest, asked: Solicitation<'_>| {
        let client = &asked.pre_grant().client_id;
        let html = format!(
            "<!DOCTYPE html><title>Sign in</title><p>{client} wants access.</p><form method=\"post\">\
             <input name=\"username\"><input name=\"password\" type=\"password\"><button>Sign in</button></form>"
        );
        match OAuthResponse::ok().content_type("text/html") {
            Ok(response) => OwnerConsent::InProgress(response.body(&html)),
            Err(why) => OwnerConsent::Error(why),
        }
    });
    Authorize(request).run(state.lock().unwrap().endpoint(page))
}

#[post("/authorize")]
async fn decide(request: OAuthRequest, state: Data<State>) -> Result<OAuthResponse, WebError> {
    let decision = FnSolicitor(|request: &mut OAuthRequest, _: Solicitation<'_>| {
        match request.body().and_then(|form| form.unique_value("username")) {
            Some(user) if user.starts_with("alice") => OwnerConsent::Authorized(user.into_owned()),
            Some(_) | None => OwnerConsent::Denied,
        }
    });
    Authorize(request).run(state.lock().unwrap().endpoint(decision))
}

#[post("/token")]
async fn token(request: OAuthRequest, state: Data<State>) -> Result<OAuthResponse, WebError> {
    Token(request).run(state.lock().unwrap().endpoint(Vacant))
}

#[post("/refresh")]
async fn refresh(request: OAuthRequest, state: Data<State>) -> Result<OAuthResponse, WebError> {
    Refresh(request).run(state.lock().unwrap().endpoint(Vacant))
}

#[get("/api/admin")]
async fn admin(request: OAuthResource, state: Data<State>) -> Result<HttpResponse, WebError> {
    match Resource(request.into_request()).run(state.lock().unwrap().endpoint(Vacant)) {
        Ok(_grant) => Ok(HttpResponse::Ok().body("hello")),
        Err(refused) => refused.map(|response| {
            HttpResponse::build(actix_web::http::StatusCode::UNAUTHORIZED).body(response.get_body().unwrap_or_default())
        }),
    }
}
