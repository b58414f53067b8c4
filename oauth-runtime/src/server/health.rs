//! How the service and its store are, and what an operator can do about it.

use std::time::Duration;

use crate::event::{EventKind, Fact};
use crate::server::OAuthService;
use crate::store::{About, Incarnation, Key, StoreError};

/// How the service is: see [`OAuthService::health`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Health {
    /// The store's name.
    pub engine: &'static str,
    /// The version of its schema, where it has one.
    pub schema: Option<u32>,
    /// One of its incarnations, always of the same bucket: another one than before says that the store lost its memory or
    /// was put back to an earlier state.
    pub incarnation: Incarnation,
    /// How long it took to answer.
    pub answered_in: Duration,
    /// Seconds that the store's clock is ahead of this machine's, or behind it where that is negative; zero where the store
    /// has none.
    pub clock_ahead: i64,
    /// Seconds of a step of this machine's clock that is not followed, until [`OAuthService::accept_clock`].
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
    /// The store has no answer, or its clock and this machine's are more than 30 seconds apart.
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

    /// Ends all that was ever handed out, of every user: call it once after a store was restored from a backup, where
    /// something that was spent or ended since may be alive again. It also takes the machine's clock as it is, if it was
    /// set back.
    ///
    /// What is newer than the backup shows by itself that the store was put back; what is older does not.
    ///
    /// # Errors
    /// The store has no answer: call it again.
    pub async fn renew(&self) -> Result<(), StoreError> {
        self.server().ledger().renew().await?;
        self.server().tell(Fact::of(EventKind::Renewed));
        Ok(())
    }

    /// Takes the machine's clock as it is, after a step of more than a minute that was meant. Time does not go back by it:
    /// where the clock was ahead, it stands still until the right time has come.
    pub fn accept_clock(&self) {
        self.server().clock().accept();
    }
}
