//! Whole seconds, and the clock that counts them.

use std::fmt;
use std::ops::Add;
#[cfg(feature = "testing")]
use std::sync::Arc;
#[cfg(feature = "testing")]
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// The longest that an access token may live.
pub(crate) const LONGEST_ACCESS_TOKEN: Duration = Duration::from_secs(24 * 3600);

/// A moment, in whole seconds since 1970 (RFC 7519's NumericDate).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(u64);

impl Timestamp {
    /// The moment this many seconds after 1970 began.
    #[must_use]
    pub const fn from_seconds(seconds: u64) -> Self {
        Timestamp(seconds)
    }

    /// Seconds since 1970 began.
    #[must_use]
    pub const fn seconds(self) -> u64 {
        self.0
    }

    /// How long from `earlier` until now; zero if that has not come yet.
    #[must_use]
    pub const fn since(self, earlier: Timestamp) -> Duration {
        Duration::from_secs(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Timestamp {
    type Output = Timestamp;

    /// Adds a duration; a started second counts whole.
    fn add(self, duration: Duration) -> Timestamp {
        let started = u64::from(duration.subsec_nanos() > 0);
        Timestamp(self.0.saturating_add(duration.as_secs()).saturating_add(started))
    }
}

impl From<Timestamp> for SystemTime {
    fn from(timestamp: Timestamp) -> SystemTime {
        UNIX_EPOCH.checked_add(Duration::from_secs(timestamp.0)).unwrap_or(UNIX_EPOCH)
    }
}

/// Tells the time: the system's, or, with the feature `testing`, one that a test sets.
#[derive(Clone, Default)]
pub struct Clock {
    #[cfg(feature = "testing")]
    set_by_hand: Option<Arc<AtomicU64>>,
}

impl Clock {
    /// The system's clock.
    #[must_use]
    pub fn system() -> Self {
        Clock::default()
    }

    /// A clock that starts at the system's time and then stands still until it is told to advance.
    ///
    /// ```
    /// use std::time::Duration;
    /// use oauth_runtime::Clock;
    ///
    /// let clock = Clock::by_hand();
    /// let before = clock.now();
    /// clock.advance(Duration::from_secs(60));
    /// assert_eq!(clock.now(), before + Duration::from_secs(60));
    /// ```
    #[cfg(feature = "testing")]
    #[must_use]
    pub fn by_hand() -> Self {
        Clock { set_by_hand: Some(Arc::new(AtomicU64::new(Clock::system().now().seconds()))) }
    }

    /// Moves a clock made by [`Clock::by_hand`] forward, for all who hold it. The system's clock stays as it is.
    #[cfg(feature = "testing")]
    pub fn advance(&self, by: Duration) {
        if let Some(seconds) = &self.set_by_hand {
            seconds.fetch_add(by.as_secs(), Ordering::SeqCst);
        }
    }

    /// The time now.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        #[cfg(feature = "testing")]
        if let Some(seconds) = &self.set_by_hand {
            return Timestamp(seconds.load(Ordering::SeqCst));
        }
        // A clock before 1970 makes everything expired: nobody gets in, nothing panics.
        Timestamp(SystemTime::now().duration_since(UNIX_EPOCH).map_or(u64::MAX, |since| since.as_secs()))
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Clock").field("now", &self.now()).finish()
    }
}
