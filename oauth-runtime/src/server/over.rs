//! The middlewares that a service puts over an `App`, a scope or a resource.

use crate::guard::closed::Closed;
use crate::guard::require::Require;
use crate::policy::Policy;
use crate::server::OAuthService;

impl OAuthService {
    /// Puts a policy over everything in an `App`, a scope or a resource.
    ///
    /// ```
    /// use actix_web::{App, web};
    /// use oauth_runtime::policy;
    /// # use oauth_runtime::{Client, Login, OAuthService};
    /// # let oauth = OAuthService::builder().issuer("http://127.0.0.1:8000").client(Client::public("demo")
    /// #     .redirect_uri("http://127.0.0.1/")).authenticate_blocking(|_: Login| Some(serde_json::json!({})))
    /// #     .build().unwrap();
    ///
    /// let admin = web::scope("/admin").wrap(oauth.require(policy!(role = "admin")));
    /// let app = App::new().configure(oauth.routes()).service(admin);
    /// # let _ = app;
    /// ```
    ///
    /// The server's own addresses pass it, so that signing in is possible even if the whole `App` is wrapped. A CORS
    /// preflight does not: it has no token, so put the CORS layer around this one. Guards on the handlers decide
    /// afterwards, independently.
    ///
    /// Common mistakes: bare terms, as in `oauth.require(role = "admin")`, which rustc reads as an assignment (write
    /// `oauth.require(policy!(role = "admin"))`); and a policy without this around it, as in `.wrap(STAFF)`, which is
    /// not a `Transform` (write `.wrap(oauth.require(STAFF))`).
    #[must_use]
    pub fn require(&self, policy: Policy) -> Require {
        Require::new(self.0.protection(), policy)
    }

    /// Closes an `App`: a route without a guard is refused before its handler runs, with status 500 and the route in the log.
    ///
    /// ```
    /// use actix_web::{App, get, web};
    /// use oauth_runtime::{policy, public, require_token};
    /// # use oauth_runtime::testing;
    /// # let oauth = testing::service();
    ///
    /// #[require_token]
    /// #[get("/me")]
    /// async fn me() -> &'static str { "me" }
    ///
    /// #[public]
    /// #[get("/")]
    /// async fn welcome() -> &'static str { "welcome" }
    ///
    /// let audit = web::scope("/audit").wrap(oauth.require(policy!(role = "auditor")));
    /// let closed = oauth.closed().public(["/static/*", "GET /health"]).guarded(["/audit/*"]);
    /// let app = App::new().configure(oauth.routes()).service(me).service(welcome).service(audit).wrap(closed);
    /// # let _ = app;
    /// ```
    ///
    /// A route is known by the guard or the `#[public]` above its attribute: what a policy or [`pages`](Self::pages) around
    /// a scope decides is to be named. Upgrades are routes like any other; the
    /// server's own addresses, CORS preflights, 404 and 405 pass. As a safety net, an answer for which no guard decided
    /// is withheld all the same. Its handler has run by then: as where two scopes have a route of one method and text, such as
    /// `DELETE "/{id}"`, and one of them is without a guard.
    #[must_use]
    pub fn closed(&self) -> Closed {
        Closed::new(self.0.protection())
    }
}
