//! A device that waits for its user to decide, by the code that it shows (RFC 8628 §3).

use std::time::Duration;

use super::parts::{Decided, Record, Waiting};
use crate::model::Timestamp;

/// What a device learns when it asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Polled {
    Waits,
    /// It asked too soon, and has to wait longer from now on.
    TooSoon,
    Denied,
    /// What was granted, sealed.
    Allowed(String),
    /// Nothing waits under this code any more.
    Gone,
}

impl Waiting {
    /// Nothing is decided yet.
    pub(crate) fn new(id: String, request: String, until: Timestamp) -> Self {
        Waiting { id, request, polled: None, interval: FIRST_INTERVAL, decision: None, until }
    }
}

impl Record {
    /// Lets a device wait here. `false` if another does.
    pub(crate) fn wait(&mut self, waiting: Waiting, now: Timestamp) -> bool {
        self.prune(now);
        let is_free = self.waiting.is_none();
        if is_free {
            self.waiting = Some(waiting);
        }
        is_free
    }

    /// The device that waits here, if its user has not decided.
    pub(crate) fn waits(&self, now: Timestamp) -> Option<&Waiting> {
        self.waiting.as_ref().filter(|waiting| waiting.decision.is_none() && waiting.until > now)
    }

    /// Accepts a user's decision for a device. If several type its code, the decision of the first counts, which they
    /// may change while their form is valid. `false` if the device does not wait for them.
    pub(crate) fn decide(&mut self, id: &str, grant: &str, allowed: Option<&str>, now: Timestamp) -> bool {
        self.prune(now);
        let Some(waiting) = self.waiting.as_mut().filter(|waiting| waiting.id == id) else { return false };
        if waiting.decision.as_ref().is_some_and(|decided| decided.grant != grant) {
            return false;
        }
        waiting.decision = Some(Decided { grant: grant.to_owned(), allowed: allowed.map(str::to_owned) });
        true
    }

    /// What a device learns when it asks now (RFC 8628 §3.5). A decision it learns at once.
    pub(crate) fn poll(&mut self, id: &str, now: Timestamp) -> Polled {
        self.prune(now);
        let Some(waiting) = self.waiting.as_mut().filter(|waiting| waiting.id == id) else { return Polled::Gone };
        match &waiting.decision {
            Some(Decided { allowed: Some(allowed), .. }) => return Polled::Allowed(allowed.clone()),
            Some(Decided { allowed: None, .. }) => return Polled::Denied,
            None => {}
        }
        // Both are whole seconds, and a request may take less time than the one before: a difference of one second does
        // not count.
        let least = Duration::from_secs(waiting.interval.saturating_sub(1));
        let is_too_soon = waiting.polled.replace(now).is_some_and(|polled| now.since(polled) < least);
        if is_too_soon {
            waiting.interval = (waiting.interval + SLOWER_BY).min(LONGEST_INTERVAL);
            return Polled::TooSoon;
        }
        Polled::Waits
    }
}

/// Seconds between two questions of a device, to begin with (RFC 8628 §3.2).
pub(crate) const FIRST_INTERVAL: u64 = 5;
/// RFC 8628 §3.5
const SLOWER_BY: u64 = 5;
const LONGEST_INTERVAL: u64 = 60;

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_000);

    fn at(seconds: u64) -> Timestamp {
        NOW + Duration::from_secs(seconds)
    }

    fn record() -> Record {
        let mut record = Record::default();
        assert!(record.wait(Waiting::new("a".into(), "sealed".into(), at(600)), NOW));
        record
    }

    /// What was written is read back as it was.
    fn stored(record: &Record) -> Record {
        let stored = Record::decode(&record.encode().expect("JSON"), 7).expect("a record");
        assert_eq!(stored, *record);
        stored
    }

    #[test]
    fn one_device_waits_under_a_code_until_it_expires() {
        let mut record = record();
        let other = || Waiting::new("b".into(), "other".into(), at(1_200));
        assert!(!record.wait(other(), at(599)));
        assert_eq!(stored(&record).waits(at(599)).map(|waiting| waiting.request.as_str()), Some("sealed"));
        assert_eq!(record.keep(at(599)), Some(Duration::from_secs(1)));
        assert_eq!((record.waits(at(600)), record.keep(at(600))), (None, None));
        assert_eq!(record.clone().poll("a", at(600)), Polled::Gone);
        assert!(!record.clone().decide("a", "g", None, at(600)));
        assert!(record.wait(other(), at(600)));
        assert_eq!(record.poll("a", at(601)), Polled::Gone, "it is another device's");
        assert!(!record.decide("a", "g", Some("granted"), at(601)));
        assert_eq!(record.poll("b", at(601)), Polled::Waits);
    }

    #[test]
    fn who_asks_too_soon_waits_longer_each_time() {
        let mut record = record();
        let mut poll = |seconds| {
            record = stored(&record);
            record.poll("a", at(seconds))
        };
        assert_eq!((poll(0), poll(5), poll(9)), (Polled::Waits, Polled::Waits, Polled::Waits));
        assert_eq!((poll(12), poll(22)), (Polled::TooSoon, Polled::Waits), "ten seconds from now on");
        assert_eq!((poll(27), poll(42)), (Polled::TooSoon, Polled::Waits), "fifteen");
        for _ in 0..100 {
            assert_eq!(poll(42), Polled::TooSoon);
        }
        assert_eq!(poll(42 + LONGEST_INTERVAL), Polled::Waits);
    }

    #[test]
    fn the_first_to_decide_has_decided_and_may_think_again() {
        let mut record = record();
        assert!(record.decide("a", "g", Some("granted"), NOW));
        assert_eq!(record.waits(NOW), None, "the code is used");
        assert_eq!(stored(&record).poll("a", NOW), Polled::Allowed("granted".into()));
        assert_eq!(record.poll("a", NOW), Polled::Allowed("granted".into()), "however soon it asks");
        for allowed in [None, Some("other")] {
            assert!(!record.decide("a", "other", allowed, NOW));
        }
        assert_eq!(record.poll("a", NOW), Polled::Allowed("granted".into()));
        assert!(record.decide("a", "g", None, NOW));
        assert_eq!(stored(&record).poll("a", NOW), Polled::Denied);
    }
}
