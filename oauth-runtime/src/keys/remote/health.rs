//! The state of the keys of an external issuer, and what an operator can do about it.

use std::time::Duration;

use crate::keys::remote::{LONGEST_ANSWER, RemoteKeys};

/// The state of the issuer's keys: see [`ResourceServer::health`](crate::ResourceServer::health).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct IssuerHealth {
    /// How many usable keys it publishes. With 0 it has withdrawn them, and all of its tokens are refused.
    pub keys: usize,
    /// How long ago they were fetched.
    pub fetched: Duration,
    /// How long they are still trusted if the issuer does not answer.
    pub trusted_for: Duration,
    /// For how long there has been no useful answer, if there is none now; the log says why.
    pub away_for: Option<Duration>,
}

/// There are no trusted keys of the issuer: guards answer 503 until there are.
///
/// `Display` and `Debug` print the same text, which says what to change.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[error("the issuer {issuer:?} has given no useful answer for {} s, and guards answer 503: {why}", .away_for.as_secs())]
pub struct IssuerAway {
    /// The issuer as configured.
    pub issuer: String,
    /// For how long there has been no useful answer.
    pub away_for: Duration,
    /// What was wrong with the last answer.
    pub why: String,
}

crate::model::debug_as_text!(IssuerAway);

impl RemoteKeys {
    /// Asks the issuer if a guard would, and waits for its answer, within bounds.
    pub(crate) async fn health(&self) -> Result<IssuerHealth, IssuerAway> {
        if self.state.read().at.is_none_or(|at| self.is_old(self.clock.now().since(at))) {
            // Another question may be under way, for whose answer this waits first.
            let _ = tokio::time::timeout(LONGEST_ANSWER * 2, self.ask()).await;
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
