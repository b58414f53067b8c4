//! The state of the service and its store, and what an operator can do about it.

use std::time::Duration;

use crate::event::{EventKind, Fact};
use crate::server::OAuthService;
use crate::store::{About, Incarnation, Key, StoreError};

/// The state of the service: see [`OAuthService::health`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Health {
    /// The store's name.
    pub engine: &'static str,
    /// The version of its schema, if it has one.
    pub schema: Option<u32>,
    /// One of its incarnations, always of the same bucket: if it changes, the store lost its memory or was restored to
    /// an earlier state.
    pub incarnation: Incarnation,
    /// How long it took to answer.
    pub answered_in: Duration,
    /// Seconds that the store's clock is ahead of this machine's, negative if behind; zero if the store has no clock.
    pub clock_ahead: i64,
    /// Seconds of a step of this machine's clock that is not followed until [`OAuthService::accept_clock`].
    pub clock_stepped: i64,
}

impl OAuthService {
    /// Asks the store, for a health check: an error means that no one can sign in or refresh now.
    ///
    /// ```
    /// # #[actix_web::main] async fn main() {
    /// # use oauth_runtime::{Client, Login, OAuthService};
    /// # let oauth = OAuthService::builder().issuer("http://127.0.0.1:8000").client(Client::public("demo")
    /// #     .redirect_uri("http://127.0.0.1/")).authenticate_blocking(|_: Login| Some(serde_json::json!({})))
    /// #     .build().unwrap();
    /// let health = oauth.health().await.unwrap();
    /// assert_eq!((health.engine, health.clock_stepped), ("memory", 0));
    /// # }
    /// ```
    ///
    /// # Errors
    /// The store gave no answer, or its clock and this machine's are more than 30 seconds apart.
    pub async fn health(&self) -> Result<Health, StoreError> {
        let (ledger, clock) = (self.server().ledger(), self.server().clock());
        let begun = clock.monotonic();
        let incarnation = ledger.view(Key::in_bucket(0)).await?.as_of().incarnation;
        let About { engine, schema, .. } = ledger.about();
        Ok(Health {
            engine,
            schema,
            incarnation,
            answered_in: clock.monotonic().saturating_sub(begun),
            clock_ahead: clock.ahead(),
            clock_stepped: clock.stepped(),
        })
    }

    /// Ends everything that was ever issued, for every user: call it once after restoring a store from a backup, in
    /// which something that was spent or ended since may be valid again. It also accepts the machine's clock if that
    /// was set back.
    ///
    /// Anything newer than the backup reveals by itself that the store was restored; anything older does not.
    ///
    /// # Errors
    /// The store gave no answer: call it again.
    pub async fn renew(&self) -> Result<(), StoreError> {
        self.server().ledger().renew().await?;
        self.server().tell(Fact::of(EventKind::Renewed));
        Ok(())
    }

    /// Accepts the machine's clock after an intended step of more than a minute. Time does not go back: if the clock
    /// was ahead, the service's clock stands still until the right time has come.
    pub fn accept_clock(&self) {
        self.server().clock().accept();
    }
}
