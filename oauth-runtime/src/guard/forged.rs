//! Limits what strangers can make a guard pay for: bad signatures that take long to verify.
//!
//! A network has a budget of them for each second. Beyond it, tokens are refused unread, good or bad, until the second
//! is over: a flood costs no more than its budget, and delays only callers in the same network whose token is new here.

use std::hash::{BuildHasher as _, RandomState};
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};

use actix_web::HttpRequest;

use crate::error::Reason;
use crate::model::Timestamp;
use crate::model::address::{canonical, is_private};

/// The signatures of this second that did not verify, by the network that they came from.
pub(crate) struct Forged {
    address: Box<ReadAddress>,
    /// The budget of a network: more if its address may be that of a proxy in front of all clients.
    of_a_network: u64,
    /// Keyed, so that no one else can choose networks that share a slot.
    hash: RandomState,
    /// For each slot the second, and the number in it.
    slots: Box<[AtomicU64]>,
    /// The last second in which a budget was spent: in any other, nothing is looked up.
    spent_in: AtomicU64,
}

type ReadAddress = dyn Fn(&HttpRequest) -> Option<IpAddr> + Send + Sync;

impl Forged {
    /// `address` reads where a request comes from; `None` if that cannot be told.
    pub(crate) fn new(address: impl Fn(&HttpRequest) -> Option<IpAddr> + Send + Sync + 'static) -> Self {
        Forged::with(address, OF_A_NETWORK)
    }

    /// By the peer's address, which may be that of a proxy, and surely is if it is private.
    pub(crate) fn by_peers() -> Self {
        let peer = |request: &HttpRequest| request.peer_addr().map(|peer| peer.ip()).filter(|peer| !is_private(*peer));
        Forged::with(peer, OF_ALL_UNKNOWN)
    }

    fn with(address: impl Fn(&HttpRequest) -> Option<IpAddr> + Send + Sync + 'static, of_a_network: u64) -> Self {
        Forged {
            address: Box::new(address),
            of_a_network,
            hash: RandomState::new(),
            slots: (0..SLOTS).map(|_| AtomicU64::new(0)).collect(),
            spent_in: AtomicU64::new(0),
        }
    }

    /// Whether one more signature that takes long may be verified.
    pub(crate) fn check(
        &self,
        request: &HttpRequest,
        now: Timestamp,
        is_costly: impl FnOnce() -> bool,
    ) -> Result<(), Reason> {
        let is_quiet = self.spent_in.load(Ordering::Relaxed) != now.seconds();
        if is_quiet
            || !is_costly()
            || self.counted_for((self.address)(request)).all(|(slot, budget)| count(slot, now) < budget)
        {
            return Ok(());
        }
        Err(Reason::TooManyForged)
    }

    /// A signature that took long was bad.
    pub(crate) fn note(&self, request: &HttpRequest, now: Timestamp) {
        self.add((self.address)(request), now);
    }

    fn add(&self, address: Option<IpAddr>, now: Timestamp) {
        for (slot, budget) in self.counted_for(address) {
            let next = |_| Some(now.seconds() << COUNT_BITS | (count(slot, now) + 1).min(COUNT_MASK));
            slot.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next).ok();
            if count(slot, now) >= budget {
                self.spent_in.store(now.seconds(), Ordering::Relaxed);
            }
        }
    }

    /// Where an address counts, with the budget there: its network, and for IPv6 its site as well.
    fn counted_for(&self, address: Option<IpAddr>) -> impl Iterator<Item = (&AtomicU64, u64)> {
        let networks = match address.map(canonical) {
            None => [Some((0, 0, OF_ALL_UNKNOWN)), None],
            Some(IpAddr::V4(address)) => [Some((32, u128::from(address.to_bits()), self.of_a_network)), None],
            Some(IpAddr::V6(address)) => {
                let wide = |bits, budget| Some((bits, address.to_bits() >> (128 - bits), budget));
                [wide(64, self.of_a_network), wide(48, SITE * self.of_a_network)]
            }
        };
        networks.into_iter().flatten().filter_map(|(bits, network, budget)| {
            let place = self.hash.hash_one((bits, network)) as usize % SLOTS;
            self.slots.get(place).map(|slot| (slot, budget))
        })
    }
}

/// How many a slot has counted in this second.
fn count(slot: &AtomicU64, now: Timestamp) -> u64 {
    let slot = slot.load(Ordering::Relaxed);
    if slot >> COUNT_BITS == now.seconds() { slot & COUNT_MASK } else { 0 }
}

/// Some 70 µs each: less than a hundredth of a core.
const OF_A_NETWORK: u64 = 100;
/// An IPv6 site has the budget of this many networks.
const SITE: u64 = 4;
/// Behind an unknown proxy, or if no address can be read, all clients may be one network.
const OF_ALL_UNKNOWN: u64 = 20 * OF_A_NETWORK;
/// Two networks that share a slot add up; to spend all of them takes more requests than a process can answer.
const SLOTS: usize = 4096;
const COUNT_BITS: u32 = 24;
const COUNT_MASK: u64 = (1 << COUNT_BITS) - 1;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_has_a_budget_a_second_and_a_site_of_ipv6_one_for_all_of_its_own() {
        let forged = Forged::new(|_| None);
        let now = Timestamp::from_seconds(1_000);
        let is_spent = |address: Option<&str>, now| {
            let address = address.map(|address| address.parse().expect("an address"));
            forged.counted_for(address).any(|(slot, budget)| count(slot, now) >= budget)
        };
        let spend = |address: Option<&str>, now| {
            let parsed = address.map(|address| address.parse().expect("an address"));
            let mut made = 0;
            while !is_spent(address, now) {
                forged.add(parsed, now);
                made += 1;
            }
            made
        };
        assert_eq!(spend(Some("192.0.2.1"), now), OF_A_NETWORK);
        assert_eq!(spend(Some("::ffff:192.0.2.1"), now), 0, "the same");
        assert_eq!(spend(Some("192.0.2.1"), now + std::time::Duration::from_secs(1)), OF_A_NETWORK, "each second anew");
        let sites = (0..5).map(|network| spend(Some(&format!("2001:db8:1:{network}::1")), now));
        assert_eq!(sites.collect::<Vec<_>>(), [100, 100, 100, 100, 0]);
        assert_eq!(spend(None, now), OF_ALL_UNKNOWN);
        assert!(!is_spent(Some("198.51.100.1"), now));
    }
}
