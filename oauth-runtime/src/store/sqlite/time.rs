//! The time of the file: it never goes back.

use std::sync::atomic::{AtomicU64, Ordering};

use super::failed::Failed;
use crate::model::{Clock, Timestamp};

/// The latest of the clock and of all times seen by this process and in the file.
pub(super) struct Time {
    clock: Clock,
    highest: AtomicU64,
}

impl Time {
    pub(super) fn new(clock: Clock) -> Self {
        Time { clock, highest: AtomicU64::new(0) }
    }

    /// The time now.
    pub(super) fn now(&self) -> Timestamp {
        let now = self.clock.now();
        // A time before 1970 is not kept, and lets nothing expire, since that could not be undone.
        let now = if is_before_1970(now) { 0 } else { now.seconds() };
        Timestamp::from_seconds(now.max(self.highest.fetch_max(now, Ordering::SeqCst)))
    }

    /// Refuses while the clock is of no use.
    pub(super) fn check(&self) -> Result<(), Failed> {
        match is_before_1970(self.clock.now()) {
            false => Ok(()),
            true => Err(Failed::new("the system's clock is set to a time before 1970: set it".into())),
        }
    }

    /// Takes note of a time that the file had.
    pub(super) fn saw(&self, highest: i64) {
        self.highest.fetch_max(moment(highest).seconds(), Ordering::SeqCst);
    }

    /// How far the clock is behind a time that the file had, in seconds.
    pub(super) fn behind(&self, highest: i64) -> u64 {
        moment(highest).since(self.clock.now()).as_secs()
    }
}

/// [`Clock::now`] returns the end of time then.
fn is_before_1970(now: Timestamp) -> bool {
    column(now) == i64::MAX
}

/// A moment as SQLite keeps it: a number of 63 bits.
pub(super) fn column(moment: Timestamp) -> i64 {
    i64::try_from(moment.seconds()).unwrap_or(i64::MAX)
}

/// A moment as it was kept.
pub(super) fn moment(column: i64) -> Timestamp {
    Timestamp::from_seconds(u64::try_from(column).unwrap_or(0))
}

#[cfg(all(test, feature = "testing"))]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_clock_before_1970_is_refused_and_forgotten() {
        let clock = Clock::by_hand();
        let time = Time::new(clock.clone());
        let before = time.now();
        assert!(time.check().is_ok());
        clock.advance(Duration::from_secs(u64::MAX - before.seconds()));
        assert!(time.check().is_err());
        assert_eq!(time.now(), before);
        time.saw(column(before + Duration::from_secs(5)));
        assert_eq!(time.now(), before + Duration::from_secs(5));
    }
}
