//! Clients that the author did not list, and what is opened to them.

use std::sync::Arc;

use crate::builder::clients::{known_resources, known_scopes};
use crate::builder::error::BuildError;
#[cfg(feature = "mcp")]
use crate::builder::openings::DocumentsFrom;
use crate::builder::openings::OpeningError;
use crate::builder::secrets::checked_secret;
use crate::builder::whole::Whole;
use crate::builder::{Builder, Settings};
use crate::clients::Clients;
#[cfg(feature = "mcp")]
use crate::clients::documents::hosts::Hosts;
#[cfg(feature = "mcp")]
use crate::clients::documents::{self, Documents};
use crate::clients::registered::{Registrar, Rules};
use crate::guard::map;
use crate::guard::protection::OwnTokens;
use crate::guard::refusal::Resource;
use crate::model::ceiling::{Ceiling, Unlisted};
use crate::model::claims::{OFFLINE_ACCESS, OPENID};
use crate::model::issuer::Issuer;
use crate::model::redirect_uri::is_private_scheme;
use crate::model::secret::Secrets;
use crate::model::{GrantType, Scope, Secret};

/// # MCP, and clients that register themselves
impl<S> Builder<S> {
    /// A resource of this very `App`, such as an MCP server (Model Context Protocol), and its URL: guards below its
    /// path accept only tokens for it, its metadata is at its well-known address (RFC 9728), which every challenge
    /// there names, and clients that are not listed may get tokens for it. Call it once for each.
    ///
    /// A [`Builder::resource`] of the issuer's own origin is one of this `App` as well; this one may have another host.
    /// A client that is not listed and names no resource means the only one.
    ///
    /// With the feature `mcp` it also does what `.client_documents(Hosts::any())` does, unless you call that method or
    /// `.without_client_documents()`.
    pub fn mcp(mut self, resource: impl Into<String>) -> Self {
        let resource = resource.into();
        self.settings.openings.served.push(resource.clone());
        self.settings.openings.open(Unlisted::Registered);
        self.resource(resource)
    }

    /// Lets clients register themselves at `/register` (RFC 7591), as MCP clients do: nothing is stored for that, since the
    /// `client_id` that they get is what they registered, sealed. [`Builder::mcp`] turns it on. Default: off.
    ///
    /// They are third parties whose names are not verified: users are asked for consent, and the clients may be granted
    /// only what [`Builder::open_scopes`] and [`Builder::open_resources`] say. A registration lasts 400 days;
    /// [`OAuthService::end_registration`](crate::OAuthService::end_registration) ends it.
    pub fn registration(mut self) -> Self {
        self.settings.openings.open(Unlisted::Registered);
        self
    }

    /// The secret under which registrations are sealed. Default: the service's [`secret`](Builder::secret), so all of
    /// them end when that changes and the old one is no longer a [`previous_secret`](Builder::previous_secret). To
    /// avoid that, give the old one here and leave it: each client that has registered keeps its id.
    pub fn registration_secret(mut self, secret: impl Into<Secret>) -> Self {
        self.settings.openings.registration_secret = Some(secret.into());
        self
    }

    /// Private schemes without a dot that clients may register redirect URIs of, instead of the usual ones. Any program
    /// can claim such a scheme, so users are asked each time (RFC 8252 §8.6). Default: `cursor`, `vscode` and
    /// `vscode-insiders`.
    pub fn registration_schemes<T: Into<String>>(mut self, schemes: impl IntoIterator<Item = T>) -> Self {
        self.settings.openings.schemes = Some(schemes.into_iter().map(Into::into).collect());
        self
    }

    /// What clients that are not listed may be granted by their users, as in `"notes:read notes:write"`: call it again for
    /// more. They are third parties, so the user is asked, each time if the client is not reached by https. Default: only
    /// `openid` and `offline_access`. If guards ask for more, the log says so; `""` confirms that this is intended.
    ///
    /// ```
    /// # use actix_web::{App, test};
    /// # use oauth_runtime::{Login, OAuthService};
    /// # use serde_json::{Value, json};
    /// # #[actix_web::main]
    /// # async fn main() {
    /// let oauth = OAuthService::builder()
    ///     .scope("notes:read", "Read your notes")
    ///     .scope("notes:delete", "Delete your notes")
    ///     .registration()
    ///     .open_scopes("notes:read")
    ///     // and the rest
    /// #   .issuer("http://127.0.0.1:8000")
    /// #   .authenticate(async |login: Login| Some(json!({ "sub": login.username })))
    ///     .build()
    ///     .unwrap();
    /// let app = test::init_service(App::new().configure(oauth.routes())).await;
    ///
    /// let asks = json!({ "redirect_uris": ["https://agent.example/callback"], "scope": "notes:read notes:delete" });
    /// let request = test::TestRequest::post().uri("/register").set_json(asks).to_request();
    /// let client: Value = test::call_and_read_body_json(&app, request).await;
    /// assert_eq!(client["scope"], "notes:read");
    /// # }
    /// ```
    pub fn open_scopes(mut self, scopes: impl Into<String>) -> Self {
        self.settings.openings.scopes.push(scopes.into());
        self
    }

    /// What the tokens of clients that are not listed may be for: resources of the service, and its own audience. Call it again
    /// for more. Default: those of [`Builder::mcp`].
    pub fn open_resources<R: Into<String>>(mut self, resources: impl IntoIterator<Item = R>) -> Self {
        self.settings.openings.resources.extend(resources.into_iter().map(Into::into));
        self
    }
}

/// # Clients that are known by a document
#[cfg(feature = "mcp")]
impl<S> Builder<S> {
    /// Accepts clients whose id is the URL of a document about them (Client ID Metadata Documents) on one of these
    /// hosts. The document is fetched only after the user has signed in; what the client may be granted is
    /// [`Builder::open_scopes`] and [`Builder::open_resources`]. Default: no such client, and with [`Builder::mcp`]
    /// those of any host.
    ///
    /// ```
    /// use oauth_runtime::{Hosts, OAuthService};
    ///
    /// let builder = OAuthService::builder()
    ///     .scope("notes:read", "Read your notes")
    ///     .mcp("https://notes.example/mcp")
    ///     .open_scopes("notes:read")
    ///     .client_documents(Hosts::of(["claude.ai", "vscode.dev"]));
    /// # let _ = builder;
    /// ```
    pub fn client_documents(mut self, hosts: Hosts) -> Self {
        self.settings.openings.documents = DocumentsFrom::Hosts(hosts);
        self
    }

    /// Accepts no client's document, even with a [`Builder::mcp`].
    pub fn without_client_documents(mut self) -> Self {
        self.settings.openings.documents = DocumentsFrom::Nowhere;
        self
    }
}

impl Settings {
    /// Adds what registers clients, if they may register themselves.
    pub(super) fn registering(
        &mut self,
        clients: Clients,
        secrets: &Secrets,
        issuer: &Issuer,
        tokens: &Arc<OwnTokens>,
    ) -> Result<Clients, BuildError> {
        let Some(ceiling) = clients.open_by(Unlisted::Registered) else { return Ok(clients) };
        let names = clients.names().chain(self.name.clone()).chain([issuer.host().to_owned()]).collect();
        let schemes = self.openings.schemes.take();
        let schemes = schemes.unwrap_or_else(|| USUAL_SCHEMES.map(str::to_owned).to_vec());
        if let Some(scheme) = schemes.iter().find(|scheme| !is_private_scheme(scheme)) {
            return Err(OpeningError::Scheme { scheme: scheme.clone() }.into());
        }
        let own = self.openings.registration_secret.take().map(checked_secret).transpose()?;
        let secrets = match own {
            Some(own) => Secrets::new(own, secrets.iter().cloned()),
            None => secrets.clone(),
        };
        let rules = Rules { ceiling, schemes, is_local: !issuer.is_https(), names };
        let registrar = Registrar::new(&secrets, issuer.as_str(), tokens, rules);
        Ok(clients.registering(registrar.ok_or(BuildError::Cryptography)?))
    }

    /// The resources of this `App`, those with the longest path first.
    pub(super) fn served(&self, issuer: &Issuer, audience: &str) -> Result<Vec<Resource>, BuildError> {
        let own = Resource::new(audience, issuer);
        let mut served: Vec<Resource> = Vec::new();
        for resource in self.resources.iter().filter(|resource| *resource != audience) {
            let is_said = self.openings.served.contains(resource);
            let here = if is_said { Resource::here(resource) } else { Resource::new(resource, issuer) };
            let here = here.filter(|here| !here.handlers.is_empty());
            let is_taken = |here: &Resource| served.iter().chain(&own).any(|other| other.handlers == here.handlers);
            if (is_said && here.is_none()) || here.as_ref().is_some_and(is_taken) {
                return Err(OpeningError::Path { resource: resource.clone() }.into());
            }
            served.extend(here);
        }
        served.sort_by_key(|resource| std::cmp::Reverse(resource.handlers.len()));
        Ok(served)
    }

    /// How clients that are not listed may come, and the most that they may be given.
    pub(super) fn unlisted(
        &self,
        whole: &Whole,
        none_is_listed: bool,
        has_sessions: bool,
    ) -> Result<Vec<(Unlisted, Arc<Ceiling>)>, BuildError> {
        // An application may have only pages of its own, which sessions open.
        if none_is_listed && self.openings.ways.is_empty() && self.told.is_none() && !has_sessions {
            return Err(BuildError::NoClient);
        }
        let open = Arc::new(self.open(whole)?);
        let ways = self.ways()?;
        if self.requires_pushed_requests && ways.contains(&Unlisted::Document) {
            return Err(OpeningError::PushedWithDocuments.into());
        }
        Ok(ways.into_iter().map(|way| (way, Arc::clone(&open))).collect())
    }

    /// The scopes that guards ask for, if clients that are not listed may come and `open_scopes` was not called.
    pub(super) fn unopened(&self, whole: &Whole) -> Result<Vec<&'static str>, BuildError> {
        if !self.openings.scopes.is_empty() || self.ways()?.is_empty() {
            return Ok(Vec::new());
        }
        // They get these two if the service has them.
        let is_withheld = |scope: &&str| ![OPENID, OFFLINE_ACCESS].contains(scope) && whole.scopes.contains_key(*scope);
        Ok(map::scopes().into_iter().filter(is_withheld).collect())
    }

    #[cfg(feature = "mcp")]
    fn ways(&self) -> Result<Vec<Unlisted>, BuildError> {
        let hosts = self.openings.hosts();
        if let Some(host) = hosts.as_ref().and_then(Hosts::unusable) {
            return Err(OpeningError::Host { host: host.to_owned() }.into());
        }
        Ok(self.openings.ways.iter().copied().chain(hosts.map(|_| Unlisted::Document)).collect())
    }

    #[cfg(not(feature = "mcp"))]
    fn ways(&self) -> Result<Vec<Unlisted>, BuildError> {
        Ok(self.openings.ways.clone())
    }

    /// Adds what knows the clients that have documents.
    #[cfg(feature = "mcp")]
    pub(super) fn documented(
        &self,
        clients: Clients,
        issuer: &Issuer,
        served: &[Resource],
    ) -> Result<Clients, BuildError> {
        let (Some(hosts), Some(ceiling)) = (self.openings.hosts(), clients.open_by(Unlisted::Document)) else {
            return Ok(clients);
        };
        let rules = documents::Rules {
            hosts,
            issuer,
            served: served.iter().map(|resource| resource.identifier.as_str()).collect(),
            clock: self.clock.clone(),
            ceiling,
            schemes: USUAL_SCHEMES.map(str::to_owned).into(),
        };
        Ok(clients.documented(Documents::new(rules).ok_or(OpeningError::HttpClient)?))
    }

    #[cfg(not(feature = "mcp"))]
    pub(super) fn documented(&self, clients: Clients, _: &Issuer, _: &[Resource]) -> Result<Clients, BuildError> {
        Ok(clients)
    }

    fn open(&self, whole: &Whole) -> Result<Ceiling, BuildError> {
        let openings = &self.openings;
        let mut of_users = known_scopes(&openings.scopes.join(" "), whole).map_err(OpeningError::Scope)?;
        of_users.extend([OPENID, OFFLINE_ACCESS].into_iter().filter(|scope| whole.scopes.contains_key(*scope)));
        let named = openings.resources.iter().chain(&openings.served);
        let mut resources = known_resources(named.map(String::as_str), whole)
            .map_err(|resource| OpeningError::Resource { resource })?;
        let default_resource = match resources.iter().collect::<Vec<_>>().as_slice() {
            [only] => Some((*only).to_owned()),
            [] | [_, _, ..] => None,
        };
        resources.join(&whole.of_userinfo());
        let grants = vec![GrantType::AuthorizationCode, GrantType::RefreshToken];
        Ok(Ceiling { grants, of_users, of_its_own: Scope::default(), resources, default_resource })
    }
}

/// A token without a scope is valid, so only the refusal of a guard would show the mistake.
pub(super) fn tell_of_unopened(scopes: &[&str]) {
    if !scopes.is_empty() {
        let scopes = scopes.join(" ");
        tracing::warn!(
            target: "oauth",
            scopes,
            "guards ask for these scopes, and clients that are not listed (.mcp(..), .registration()) get no scope, so each \
             such guard always refuses them: add .open_scopes({scopes:?}), or .open_scopes(\"\") where those guards are not \
             for them"
        );
    }
}

/// Those of editors that are MCP clients.
const USUAL_SCHEMES: [&str; 3] = ["cursor", "vscode", "vscode-insiders"];
