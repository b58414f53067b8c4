//! Clients that the author's function knows.

use std::sync::Arc;

use actix_web::web;

use crate::builder::clients::client;
use crate::builder::error::BuildError;
use crate::builder::whole::Whole;
use crate::builder::{Builder, Settings};
use crate::clients::Clients;
use crate::clients::told::{FoundClient, Told};
use crate::keys::KeyRing;
use crate::model::GrantType;
use crate::model::ceiling::Ceiling;
use crate::model::client::RegisteredClient;
use crate::users::Typing;

/// # Clients that a function knows
impl<S> Builder<S> {
    /// Clients that a function knows, beside those of [`Builder::client`]: an async function from a `client_id` to a
    /// [`Client`](crate::Client), `None` where there is none. So they can live in a table, and change while the service runs.
    ///
    /// It returns `Option<Client>` or `Result<Option<Client>, error>`. A client is cached for a minute, and `None` for
    /// five seconds; [`OAuthService::client_changed`](crate::OAuthService::client_changed) makes this process ask again
    /// at once. It is called with ids that anyone may send and with the `sub` of each user, for at most 24 at once and 8
    /// more that are a user's or existed before, and never with an id that [`Builder::client`] has or that you cannot have
    /// given out (`https://..`, `registered-..`).
    /// Ids are compared byte for byte; give them a prefix of their own, since no user may have one as their `sub`. It
    /// must not block, and may take as long as `authenticate` ([`Builder::authenticate_timeout`]).
    ///
    /// Each client is checked like one of [`Builder::client`]. One that the builder would refuse is answered with 500;
    /// an error, a panic or a timeout with 503. The log says why.
    ///
    /// A scope or a resource that is taken from such a client is missing from what it is issued next; access tokens
    /// that it has keep it until they expire. [`OAuthService::revoke_client`](crate::OAuthService::revoke_client) ends
    /// those of one user at once. Which clients will come is not known beforehand, so all URLs exist (`/device`,
    /// `/introspect`), the metadata names all grants and ways to authenticate, and pages of any origin may call
    /// `/token`.
    ///
    /// ```
    /// use oauth_runtime::{Client, OAuthService};
    /// # use oauth_runtime::Login;
    /// # use serde_json::json;
    /// # async fn row(id: &str) -> Result<Option<String>, std::io::Error> { Ok(None) }
    ///
    /// let oauth = OAuthService::builder()
    ///     .issuer("http://127.0.0.1:8000")
    ///     .clients(async |id: &str| -> Result<Option<Client>, std::io::Error> {
    ///         let redirect_uri = row(id).await?; // SELECT redirect_uri FROM clients WHERE id = $1
    ///         Ok(redirect_uri.map(|uri| Client::public(id).redirect_uri(uri)))
    ///     })
    /// #     .authenticate(async |_: Login| Some(json!({ "sub": "ada" })))
    ///     .build();
    /// assert!(oauth.is_ok());
    /// ```
    pub fn clients<R: FoundClient>(mut self, function: impl AsyncFn(&str) -> R + Send + Sync + 'static) -> Self {
        let function = Arc::new(function);
        self.settings.told = Some(Arc::new(move |id: String, place| {
            let function = Arc::clone(&function);
            Box::pin(async move {
                let _place = place;
                function(&id).await.into_found()
            })
        }));
        self
    }

    /// Like [`Builder::clients`], with a plain function that may block: it runs on threads of its own.
    pub fn clients_blocking<R: FoundClient>(mut self, function: impl Fn(&str) -> R + Send + Sync + 'static) -> Self {
        let function = Arc::new(function);
        self.settings.told = Some(Arc::new(move |id: String, place| {
            let function = Arc::clone(&function);
            let call = web::block(move || {
                // Kept until the thread is free again, however long ago its caller gave up.
                let _place = place;
                function(&id).into_found()
            });
            Box::pin(async move { call.await.unwrap_or_else(|_| Err("it panicked".to_owned())) })
        }));
        self
    }
}

impl Settings {
    /// The most that clients of the author's function may have, if there is one.
    pub(super) fn tellable(&self, whole: &Whole) -> Option<Arc<Ceiling>> {
        let all = || Ceiling {
            grants: GrantType::ALL.to_vec(),
            of_users: whole.all_scopes(),
            of_its_own: whole.all_scopes(),
            resources: whole.all_with_userinfo(),
            default_resource: None,
        };
        self.told.as_ref().map(|_| Arc::new(all()))
    }

    /// Adds the clients that the author's function knows, if there is one.
    pub(super) fn telling(&mut self, clients: Clients, whole: Whole, keys: &KeyRing, takes_proofs: bool) -> Clients {
        let Some(function) = self.told.take() else { return clients };
        let (signed, assertions) = (keys.algorithms(), self.assertion_algorithms.clone());
        let typing = self.typing;
        let check = move |settings| {
            let checked = || {
                if typing == Typing::One {
                    super::typing::check_claims_of(&settings)?;
                }
                let checked = client(settings, &whole)?;
                super::build::check_algorithms(&checked, &assertions, &signed)?;
                Ok(checked)
            };
            let checked: RegisteredClient = checked().map_err(|why: BuildError| why.to_string())?;
            if checked.requires_proof && !takes_proofs {
                return Err(
                    "it has .require_dpop(), and this service takes no proofs: add .dpop() to the builder".to_owned()
                );
            }
            Ok(checked)
        };
        clients.telling(Told::new(function, Box::new(check), self.authenticate_timeout, self.clock.clone()))
    }
}
