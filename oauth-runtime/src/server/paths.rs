//! The server's URLs.

use std::collections::BTreeMap;

use crate::builder::error::BuildError;
use crate::guard::refusal::Resource;
use crate::model::issuer::{Issuer, is_plain_path};

/// A URL of the server whose path can be chosen with [`Builder::path`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Endpoint {
    /// `/authorize`, where the sign-in page is.
    Authorize,
    /// `/login`, where the sign-in page posts its form.
    Login,
    /// `/verify`, where the page for a second factor posts its form.
    Verify,
    /// `/consent`, where the consent page posts its form.
    Consent,
    /// `/logout`, which is there with sessions.
    Logout,
    /// `/token`.
    Token,
    /// `/revoke`.
    Revoke,
    /// `/introspect`, which is there for confidential clients.
    Introspect,
    /// `/userinfo`, which is there with the scope `openid`.
    UserInfo,
    /// `/oauth/pages.css`, what the pages look like.
    Stylesheet,
    /// `/oauth/logo`.
    Logo,
}

/// The paths of the server's URLs, the issuer's own path included.
#[derive(Clone, Debug)]
pub(crate) struct Paths {
    pub(crate) authorize: String,
    pub(crate) login: String,
    pub(crate) verify: String,
    pub(crate) consent: String,
    /// Registered where there are sessions.
    pub(crate) logout: String,
    pub(crate) token: String,
    pub(crate) revoke: String,
    /// Where a client could ask.
    pub(crate) introspect: Option<String>,
    pub(crate) stylesheet: String,
    pub(crate) logo: String,
    pub(crate) metadata: String,
    pub(crate) jwks: String,
    pub(crate) openid: String,
    pub(crate) userinfo: String,
    /// Of the protected resource, if it has a URL here.
    pub(crate) resource: Option<String>,
    /// All that are registered.
    pub(crate) own: Vec<String>,
}

/// What of the server is there, by its configuration.
#[derive(Clone, Copy)]
pub(crate) struct Has {
    pub(crate) logo: bool,
    pub(crate) introspection: bool,
    pub(crate) public_keys: bool,
    pub(crate) openid: bool,
    pub(crate) sessions: bool,
}

impl Paths {
    pub(crate) fn parse(
        issuer: &Issuer,
        resource: Option<&Resource>,
        chosen: Vec<(Endpoint, String)>,
        has: Has,
    ) -> Result<Self, BuildError> {
        let mut paths: BTreeMap<Endpoint, String> = BTreeMap::from([
            (Endpoint::Authorize, "/authorize".to_owned()),
            (Endpoint::Login, "/login".to_owned()),
            (Endpoint::Verify, "/verify".to_owned()),
            (Endpoint::Consent, "/consent".to_owned()),
            (Endpoint::Logout, "/logout".to_owned()),
            (Endpoint::Token, "/token".to_owned()),
            (Endpoint::Revoke, "/revoke".to_owned()),
            (Endpoint::Introspect, "/introspect".to_owned()),
            (Endpoint::UserInfo, "/userinfo".to_owned()),
            (Endpoint::Stylesheet, "/oauth/pages.css".to_owned()),
            (Endpoint::Logo, "/oauth/logo".to_owned()),
        ]);
        paths.extend(chosen);
        let metadata = issuer.well_known("oauth-authorization-server");
        let resource = resource.map(|resource| resource.path.clone());
        let jwks = format!("{}/.well-known/jwks.json", issuer.path());
        let openid = format!("{}/.well-known/openid-configuration", issuer.path());
        let mut taken: Vec<String> = resource.iter().chain([&metadata]).cloned().collect();
        taken.extend(
            [(has.public_keys, &jwks), (has.openid, &openid)]
                .into_iter()
                .filter(|(is_there, _)| *is_there)
                .map(|(_, path)| path.clone()),
        );
        let mut place = |endpoint: Endpoint| {
            let path = paths.remove(&endpoint).unwrap_or_default();
            let whole = format!("{}{path}", issuer.path());
            if path.is_empty() || !is_plain_path(&path) || taken.contains(&whole) {
                return Err(BuildError::Path { endpoint, path });
            }
            let is_there = match endpoint {
                Endpoint::Logo => has.logo,
                Endpoint::Introspect => has.introspection,
                Endpoint::UserInfo => has.openid,
                Endpoint::Logout => has.sessions,
                Endpoint::Authorize
                | Endpoint::Login
                | Endpoint::Verify
                | Endpoint::Consent
                | Endpoint::Token
                | Endpoint::Revoke
                | Endpoint::Stylesheet => true,
            };
            if is_there {
                taken.push(whole.clone());
            }
            Ok(whole)
        };
        Ok(Paths {
            authorize: place(Endpoint::Authorize)?,
            login: place(Endpoint::Login)?,
            verify: place(Endpoint::Verify)?,
            consent: place(Endpoint::Consent)?,
            logout: place(Endpoint::Logout)?,
            token: place(Endpoint::Token)?,
            revoke: place(Endpoint::Revoke)?,
            introspect: Some(place(Endpoint::Introspect)?).filter(|_| has.introspection),
            stylesheet: place(Endpoint::Stylesheet)?,
            logo: place(Endpoint::Logo)?,
            userinfo: place(Endpoint::UserInfo)?,
            metadata,
            jwks,
            openid,
            resource,
            own: taken,
        })
    }
}
