//! Counting failed attempts, so that a password cannot be guessed at `/login`, nor a client's secret at `/token`.

use std::net::IpAddr;
use std::time::Duration;

use crate::model::id::digest;
use crate::store::{Store, StoreError};

/// An attempt that was allowed: it counts as failed until it is [forgiven](Attempt::forgive).
#[must_use]
pub(crate) struct Attempt {
    keys: Vec<String>,
}

/// The attempt is not allowed yet.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TooMany {
    pub(crate) retry_after: Duration,
}

/// Counts an attempt by username and by address before the password is looked at, so that a thousand at once are
/// counted as a thousand.
pub(crate) async fn attempt(
    store: &dyn Store,
    username: &str,
    address: Option<IpAddr>,
) -> Result<Result<Attempt, TooMany>, StoreError> {
    let name = folded(username);
    let from = address.map(network).unwrap_or_default();
    // The address first: one that is held up itself does not hold up a name's owner.
    let by_address = address.map(|_| (key("address", &from), FREE_BY_ADDRESS));
    let by_both = (key("name at", &format!("{name}\0{from}")), FREE_BY_BOTH);
    let by_name = (key("name", &name), FREE_BY_NAME);
    counted(store, by_address.into_iter().chain([by_both, by_name])).await
}

/// The same for a second factor: a user who gives it knows the password, so no one else is locked out.
pub(crate) async fn second_factor(store: &dyn Store, username: &str) -> Result<Result<Attempt, TooMany>, StoreError> {
    counted(store, std::iter::once((key("answer", &folded(username)), FREE_BY_ANSWER))).await
}

async fn counted(
    store: &dyn Store,
    keys: impl Iterator<Item = (String, u64)>,
) -> Result<Result<Attempt, TooMany>, StoreError> {
    let mut attempt = Attempt { keys: Vec::new() };
    for (key, free) in keys {
        let count = store.count(&key, 1, WINDOW).await?;
        attempt.keys.push(key.clone());
        if count.sum > free {
            // Beyond the free ones a single attempt is let through per delay, and the delay doubles.
            if let Err(too_many) = pass_gate(store, &key, delay(count.sum - free)).await? {
                attempt.forgive(store).await?;
                return Ok(Err(too_many));
            }
        }
    }
    Ok(Ok(attempt))
}

impl Attempt {
    /// Takes the attempt back: it succeeded, or was not made.
    pub(crate) async fn forgive(self, store: &dyn Store) -> Result<(), StoreError> {
        for key in &self.keys {
            let _ = store.count(key, -1, WINDOW).await?;
        }
        Ok(())
    }
}

/// The failed tries of one client from one address. Counted for the pair, so that nobody can lock a client out from
/// elsewhere.
#[must_use]
pub(crate) struct Tries {
    key: String,
    failed: u64,
}

/// Looks whether a client may try now. Unlike an attempt to sign in, a try is counted when it has failed: one that runs
/// meanwhile gains nothing, since a secret of 256 bits is not found in a thousand tries, and a client may well be at work
/// a thousand times at once.
pub(crate) async fn tries(
    store: &dyn Store,
    client: &str,
    address: Option<IpAddr>,
) -> Result<Result<Tries, TooMany>, StoreError> {
    let from = address.map(network).unwrap_or_default();
    let key = digest("client", &format!("{client}\0{from}"));
    let failed = store.count(&key, 0, WINDOW).await?.sum;
    if failed >= FREE_BY_CLIENT
        && let Err(too_many) = pass_gate(store, &key, delay(failed - FREE_BY_CLIENT + 1)).await?
    {
        return Ok(Err(too_many));
    }
    Ok(Ok(Tries { key, failed }))
}

impl Tries {
    pub(crate) async fn failed(self, store: &dyn Store) -> Result<(), StoreError> {
        let _ = store.count(&self.key, 1, WINDOW).await?;
        Ok(())
    }

    /// Takes back the failed ones: the client has shown who it is.
    pub(crate) async fn forgive(self, store: &dyn Store) -> Result<(), StoreError> {
        if let Some(failed) = i64::try_from(self.failed).ok().filter(|failed| *failed > 0) {
            let _ = store.count(&self.key, -failed, WINDOW).await?;
        }
        Ok(())
    }
}

/// Lets one attempt through, and no other until this delay is over.
async fn pass_gate(store: &dyn Store, key: &str, delay: Duration) -> Result<Result<(), TooMany>, StoreError> {
    let gate = store.count(&format!("{key}/gate"), GATE, delay).await?;
    if gate.sum <= GATE.unsigned_abs() {
        return Ok(Ok(()));
    }
    Ok(Err(TooMany { retry_after: gate.ends_in.max(Duration::from_secs(1)) }))
}

/// 2, 4, 8 .. seconds, and then five minutes.
fn delay(failed: u64) -> Duration {
    let exponent = u32::try_from(failed).unwrap_or(u32::MAX).min(9);
    Duration::from_secs(1 << exponent).min(LONGEST_DELAY)
}

/// One name, however a look-up of the author's may read it: without case and white space.
fn folded(username: &str) -> String {
    username.to_lowercase().split_whitespace().collect()
}

/// A key of fixed length that shows nobody's name.
fn key(kind: &str, value: &str) -> String {
    digest(&format!("login/{kind}"), value)
}

/// A household has an IPv6 network of 64 bits, and as many addresses as it likes.
fn network(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}")
        }
    }
}

/// How long a failed attempt counts.
const WINDOW: Duration = Duration::from_secs(3600);
/// Failed attempts by username from one address before delays begin.
const FREE_BY_BOTH: u64 = 10;
/// Failed attempts by username from anywhere before delays begin, for its owner as well.
const FREE_BY_NAME: u64 = 100;
/// Wrong answers after the password before delays begin: a code may have six digits.
const FREE_BY_ANSWER: u64 = 5;
/// Failed attempts by address before delays begin: an office shares one.
const FREE_BY_ADDRESS: u64 = 100;
/// Failed tries of a client from an address before delays begin.
const FREE_BY_CLIENT: u64 = 10;
/// What an attempt adds to a gate: more than any counter of attempts reaches. A store that makes room by dropping the
/// smallest counter, as the one in memory does, then drops no gate for a flood of new counters.
const GATE: i64 = 1 << 32;
const LONGEST_DELAY: Duration = Duration::from_secs(300);

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(feature = "testing")]
    use crate::{model::Clock, store::MemoryStore};

    /// A gate was a counter of 1 and the first to expire, so a flood of some 65,000 names opened it.
    #[cfg(feature = "testing")]
    #[tokio::test]
    async fn c46_c47_a_flood_of_other_names_opens_no_gate() {
        let store = MemoryStore::with(1_000, Clock::by_hand());
        let tries = async |name: &str| second_factor(&store, name).await.expect("an answer").is_ok();
        for _ in 0..=FREE_BY_ANSWER {
            assert!(tries("victim").await);
        }
        for name in 0..20_000 {
            assert!(tries(&format!("name {name}")).await);
        }
        assert!(!tries("victim").await, "one attempt was let through, and the delay is not over");
    }

    #[test]
    fn delays_grow_to_a_limit() {
        let seconds: Vec<u64> = (1..12).map(|failed| delay(failed).as_secs()).collect();
        assert_eq!(seconds, [2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]);
        assert_eq!(delay(u64::MAX), LONGEST_DELAY);
    }

    #[test]
    fn an_ipv6_network_counts_as_one() {
        let net = |text: &str| network(text.parse().expect(text));
        assert_eq!(net("2001:db8:1:2:3::4"), net("2001:db8:1:2:ffff::1"));
        assert_ne!(net("2001:db8:1:2::1"), net("2001:db8:1:3::1"));
        assert_eq!(net("::ffff:192.0.2.1"), net("192.0.2.1"));
    }
}
