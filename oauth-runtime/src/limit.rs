//! Counting failed attempts, so that a password cannot be guessed at `/login`, nor a client's secret at `/token`.
//!
//! Counters are a table of fixed size in the store. Where a name counts is a hash under a key of the service's own, so that
//! no one can choose names that count together; where two do by chance, they add up. So nothing is ever dropped to make
//! room, and nothing is ever full: what is too much is refused.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_lc_rs::hmac;

use crate::store::{Count, Counted, SLOTS, Store, StoreError};

/// The counters of one service.
pub(crate) struct Limits {
    store: Arc<dyn Store>,
    key: hmac::Key,
}

/// An attempt that was allowed: it counts as failed until it is [forgiven](Limits::forgive).
#[must_use]
pub(crate) struct Attempt {
    counted: Vec<Row>,
    /// When the first window of these ends.
    until: Instant,
}

/// The attempt is not allowed yet.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TooMany {
    /// Which limit it is.
    pub(crate) limit: &'static str,
    pub(crate) retry_after: Duration,
}

impl Limits {
    /// The key is one that the service's secret gives.
    pub(crate) fn new(store: Arc<dyn Store>, key: &[u8; 32]) -> Self {
        Limits { store, key: hmac::Key::new(hmac::HMAC_SHA256, key) }
    }

    /// Counts an attempt by username and by address before the password is looked at, so that a thousand at once are
    /// counted as a thousand.
    pub(crate) async fn attempt(
        &self,
        username: &str,
        address: Option<IpAddr>,
    ) -> Result<Result<Attempt, TooMany>, StoreError> {
        let name = folded(username);
        let from = address.map(network).unwrap_or_default();
        // The address first: one that is held up itself does not hold up a name's owner.
        let by_address = address.map(|_| (self.row(Kind::Address, &from), FREE_BY_ADDRESS));
        let by_both = (self.row(Kind::NameAt, &format!("{name}\0{from}")), FREE_BY_BOTH);
        let by_name = (self.row(Kind::Name, &name), FREE_BY_NAME);
        self.counted(by_address.into_iter().chain([by_both, by_name]).collect()).await
    }

    /// The same for a second factor: a user who gives it knows the password, so no one else is locked out.
    pub(crate) async fn second_factor(&self, username: &str) -> Result<Result<Attempt, TooMany>, StoreError> {
        self.counted(vec![(self.row(Kind::Answer, &folded(username)), FREE_BY_ANSWER)]).await
    }

    /// Counts a failed try of one client from one address: for the pair, so that no one can lock a client out from
    /// elsewhere. A try that is right is not counted, and never held up: a secret of 256 bits is not found by trying.
    pub(crate) async fn failed_try(
        &self,
        client: &str,
        address: Option<IpAddr>,
    ) -> Result<Result<(), TooMany>, StoreError> {
        let from = address.map(network).unwrap_or_default();
        let row = self.row(Kind::Client, &format!("{client}\0{from}"));
        let attempt = self.counted(vec![(row, FREE_BY_CLIENT)]).await?;
        Ok(attempt.map(|Attempt { .. }| ()))
    }

    /// Takes an attempt back: it succeeded, or was not made.
    pub(crate) async fn forgive(&self, attempt: Attempt) -> Result<(), StoreError> {
        // Taken back from a window that began since, it would hide another's failure.
        if Instant::now() >= attempt.until {
            return Ok(());
        }
        self.add(&attempt.counted, -1).await.map(drop)
    }

    /// Counts all rows in one step; then those beyond their free attempts need an open gate, one after another.
    async fn counted(&self, rows: Vec<(Row, u64)>) -> Result<Result<Attempt, TooMany>, StoreError> {
        let (counted, free): (Vec<Row>, Vec<u64>) = rows.into_iter().unzip();
        let (sums, ends_in) = self.add(&counted, 1).await?;
        let until = Instant::now() + ends_in;
        for ((row, sum), free) in counted.iter().zip(sums).zip(free) {
            // Beyond the free ones a single attempt is let through per delay, and the delay doubles.
            if sum > free
                && let Err(too_many) = self.pass_gate(row, delay(sum - free)).await?
            {
                self.add(&counted, -1).await?;
                return Ok(Err(too_many));
            }
        }
        Ok(Ok(Attempt { counted, until }))
    }

    /// Adds to each row; answers the least that each may have counted, and how long all of their windows go on.
    async fn add(&self, rows: &[Row], add: i64) -> Result<(Vec<u64>, Duration), StoreError> {
        let mut counts: Vec<Count> = Vec::with_capacity(2 * rows.len());
        for slot in rows.iter().flat_map(|row| row.slots) {
            // Two that meet add up.
            match counts.iter_mut().find(|count| count.slot == slot) {
                Some(count) => count.add += add,
                None => counts.push(Count { slot, add, window: WINDOW }),
            }
        }
        let counted = self.store.count(&counts).await?;
        let sum = |slot: &u32| {
            let index = counts.iter().position(|count| count.slot == *slot);
            index.and_then(|index| counted.get(index)).map(|counted| counted.sum)
        };
        // A counter without an answer has counted too much.
        let least = |row: &Row| row.slots.iter().map(|slot| sum(slot).unwrap_or(u64::MAX)).min().unwrap_or(0);
        let ends_in = counted.iter().map(|counted| counted.ends_in).min().unwrap_or_default();
        Ok((rows.iter().map(least).collect(), ends_in))
    }

    /// Lets one attempt through, and no other until this delay is over.
    async fn pass_gate(&self, row: &Row, delay: Duration) -> Result<Result<(), TooMany>, StoreError> {
        let too_many = |retry_after| TooMany { limit: row.kind.as_str(), retry_after };
        let gate = self.store.count(&[Count { slot: row.gate, add: 1, window: delay }]).await?;
        match gate.first() {
            Some(Counted { sum: 1, .. }) => Ok(Ok(())),
            Some(Counted { ends_in, .. }) => Ok(Err(too_many((*ends_in).max(Duration::from_secs(1))))),
            None => Ok(Err(too_many(delay))),
        }
    }

    fn row(&self, kind: Kind, value: &str) -> Row {
        let mut context = hmac::Context::with_key(&self.key);
        context.update(&[kind as u8]);
        context.update(value.as_bytes());
        let tag = context.sign();
        let part = |index: usize| {
            tag.as_ref()
                .get(4 * index..4 * index + 4)
                .map_or(0, |bytes| bytes.iter().fold(0, |number: u32, byte| (number << 8) | u32::from(*byte)))
        };
        let table = kind as u32 * TABLES_OF_KIND;
        let slot = |index: u8| (table + u32::from(index)) * TABLE + part(usize::from(index)) % TABLE;
        Row { kind, slots: [slot(0), slot(1)], gate: slot(2) }
    }
}

/// What is counted. Each kind has tables of its own.
#[derive(Clone, Copy)]
enum Kind {
    Address = 0,
    NameAt = 1,
    Name = 2,
    Answer = 3,
    Client = 4,
}

impl Kind {
    /// As events name the limit.
    fn as_str(self) -> &'static str {
        match self {
            Kind::Address => "address",
            Kind::NameAt => "name_and_address",
            Kind::Name => "name",
            Kind::Answer => "second_factor",
            Kind::Client => "client",
        }
    }
}

/// Where a value counts: in two tables, of which the lesser sum is nearer the truth, since another value rarely meets it in
/// both. And its gate, where it has counted too much.
#[derive(Clone, Copy)]
struct Row {
    kind: Kind,
    slots: [u32; 2],
    gate: u32,
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
const LONGEST_DELAY: Duration = Duration::from_secs(300);
/// Counters of one table.
const TABLE: u32 = 1 << 15;
/// Two to count in, and one of gates.
const TABLES_OF_KIND: u32 = 3;
const _: () = assert!(TABLE * TABLES_OF_KIND * 5 <= SLOTS);

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(feature = "testing")]
    use crate::model::Clock;
    use crate::store::MemoryStore;

    /// A gate was a counter of 1 and the first to expire, so a flood of some 65,000 names opened it.
    #[cfg(feature = "testing")]
    #[tokio::test]
    async fn c46_c47_a_flood_of_other_names_opens_no_gate() {
        let limits = Limits::new(Arc::new(MemoryStore::with(1_000, Clock::by_hand())), &[7; 32]);
        let tries = async |name: &str| limits.second_factor(name).await.expect("an answer").is_ok();
        for _ in 0..=FREE_BY_ANSWER {
            assert!(tries("victim").await);
        }
        for name in 0..100_000 {
            tries(&format!("name {name}")).await;
        }
        assert!(!tries("victim").await, "one attempt was let through, and the delay is not over");
    }

    /// Many users who mistype once are no reason to hold up another.
    #[cfg(feature = "testing")]
    #[tokio::test]
    async fn users_who_mistype_hold_up_no_one_else() {
        let limits = Limits::new(Arc::new(MemoryStore::with(1_000, Clock::by_hand())), &[7; 32]);
        for name in 0..20_000 {
            assert!(limits.second_factor(&format!("name {name}")).await.expect("an answer").is_ok(), "{name}");
        }
        let held_up =
            async |name: u32| limits.second_factor(&format!("other {name}")).await.expect("an answer").is_err();
        for name in 0..1_000 {
            assert!(!held_up(name).await, "{name}");
        }
    }

    /// It would be taken from the failures of the next hour.
    #[tokio::test]
    async fn c46_an_attempt_that_outlasts_its_window_takes_nothing_back() {
        let limits = Limits::new(Arc::new(MemoryStore::new()), &[7; 32]);
        for _ in 0..FREE_BY_ANSWER {
            let _ = limits.second_factor("name").await.expect("an answer").expect("it is free");
        }
        let late = Attempt { counted: vec![limits.row(Kind::Answer, "name")], until: Instant::now() };
        for _ in 0..5 {
            limits.forgive(Attempt { counted: late.counted.clone(), ..late }).await.expect("an answer");
        }
        assert!(limits.second_factor("name").await.expect("an answer").is_ok(), "through the gate");
        assert!(limits.second_factor("name").await.expect("an answer").is_err(), "nothing was taken back");
    }

    #[test]
    fn every_slot_is_one_of_the_store() {
        let limits = Limits::new(Arc::new(MemoryStore::new()), &[7; 32]);
        for kind in [Kind::Address, Kind::NameAt, Kind::Name, Kind::Answer, Kind::Client] {
            let tables = kind as u32 * TABLES_OF_KIND;
            for value in 0..1_000 {
                let Row { slots: [first, second], gate, .. } = limits.row(kind, &value.to_string());
                let found = [first, second, gate].map(|slot| slot / TABLE);
                assert_eq!(found, [tables, tables + 1, tables + 2]);
                assert!(gate < SLOTS);
            }
        }
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
