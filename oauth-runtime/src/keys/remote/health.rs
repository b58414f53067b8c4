//! How the keys of an issuer elsewhere are, and what an operator can do about it.

use std::time::Duration;

use crate::keys::remote::RemoteKeys;

/// How the keys of the issuer are: see [`ResourceServer::health`](crate::ResourceServer::health).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct IssuerHealth {
    /// How many it publishes that can be used. None: it withdrew them, and all of its tokens are refused.
    pub keys: usize,
    /// How long ago it said so.
    pub fetched: Duration,
    /// How long these are still trusted if it says nothing.
    pub trusted_for: Duration,
    /// How long it has had no answer of use, where it has none now; the log says why.
    pub away_for: Option<Duration>,
}

/// There are no keys of the issuer that may be trusted: guards answer 503 until there are.
///
/// `Display` and `Debug` print the same text, which says what to change.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[error("the issuer {issuer:?} has had no answer of use for {} s, and guards answer 503: {why}", .away_for.as_secs())]
pub struct IssuerAway {
    /// The issuer as configured.
    pub issuer: String,
    /// How long it has had no answer of use.
    pub away_for: Duration,
    /// What was wrong with its last one.
    pub why: String,
}

crate::model::debug_as_text!(IssuerAway);

impl RemoteKeys {
    /// Asks the issuer where a guard would, and waits for its answer.
    pub(crate) async fn health(&self) -> Result<IssuerHealth, IssuerAway> {
        if self.state.read().at.is_none_or(|at| self.is_old(self.clock.now().since(at))) {
            self.ask().await;
        }
        let now = self.clock.now();
        let state = self.state.read();
        let away_for = state.away.as_ref().map(|away| now.since(away.since));
        let fetched = state.at.map(|at| now.since(at)).filter(|age| *age < self.max_staleness);
        match fetched {
            Some(fetched) => {
                let trusted_for = self.max_staleness.saturating_sub(fetched);
                Ok(IssuerHealth { keys: state.keys.len(), fetched, trusted_for, away_for })
            }
            None => Err(IssuerAway {
                issuer: self.documents.issuer().to_owned(),
                away_for: away_for.unwrap_or_default(),
                why: state.away.as_ref().map_or_else(|| "it was not asked yet".to_owned(), |away| away.why.clone()),
            }),
        }
    }
}
