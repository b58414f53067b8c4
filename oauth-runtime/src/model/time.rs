//! Whole seconds, and the clock that counts them.

use std::fmt;
use std::ops::Add;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use crate::model::since::Moment;

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

    /// The day in UTC, as `2026-11-25`.
    pub(crate) fn date(self) -> String {
        // Days of a proleptic Gregorian calendar whose years begin in March, so that a leap day is their last.
        let days = self.0 / 86_400 + 719_468;
        let (era, day) = (days / 146_097, days % 146_097);
        let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
        let day = day - (365 * year + year / 4 - year / 100);
        let month = (5 * day + 2) / 153;
        let (day, month) = (day - (153 * month + 2) / 5 + 1, if month < 10 { month + 3 } else { month - 9 });
        let year = era * 400 + year + u64::from(month <= 2);
        format!("{year:04}-{month:02}-{day:02}")
    }

    /// The time of the day in UTC, as `14:05`.
    pub(crate) fn time_of_day(self) -> String {
        let minutes = self.0 / 60 % (24 * 60);
        format!("{:02}:{:02}", minutes / 60, minutes % 60)
    }

    /// The moment this long before, rounding up to whole seconds.
    #[must_use]
    pub(crate) const fn before(self, duration: Duration) -> Self {
        let started = (duration.subsec_nanos() > 0) as u64;
        Timestamp(self.0.saturating_sub(duration.as_secs()).saturating_sub(started))
    }

    /// How long from `earlier` until now; zero if that has not come yet.
    #[must_use]
    pub const fn since(self, earlier: Timestamp) -> Duration {
        Duration::from_secs(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Timestamp {
    type Output = Timestamp;

    /// Adds a duration, rounding up to whole seconds.
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

/// A clock: the system's, or, with the feature `testing`, one that a test sets.
///
/// It does not follow a step of the system's clock of more than a minute: it goes on with the machine's monotonic clock,
/// until [`OAuthService::accept_clock`](crate::OAuthService::accept_clock) or a restart. Time that the machine slept is no
/// step on Linux, macOS and Windows. It goes back only together with
/// the clock of a store that it follows, PostgreSQL's or Redis's, when that is set back or another server takes over: by
/// a minute at most.
#[derive(Clone)]
pub struct Clock {
    told: Arc<Told>,
    /// By how many seconds a store's clock is ahead of it.
    ahead: Arc<AtomicI64>,
    /// The latest time that it showed, for each service, so that no other affects it.
    highest: Arc<AtomicU64>,
}

struct Told {
    source: Source,
    /// By how many seconds the system's time is ahead of the monotonic clock's. All threads read it on every request,
    /// so there is no lock, which would be written to.
    apart: AtomicU64,
    /// The seconds of the step that was last reported.
    reported: AtomicI64,
}

enum Source {
    /// Since when it runs, and by how many seconds it is shifted.
    System(Moment, i64),
    /// The time that it shows, and the time that passed.
    #[cfg(any(test, feature = "testing"))]
    ByHand { shown: AtomicU64, passed: AtomicU64 },
}

/// A store's clock and this one are too far apart, and it is unknown which is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ClocksDiffer {
    pub(crate) seconds: u64,
}

impl Clock {
    /// The system's clock.
    #[must_use]
    pub fn system() -> Self {
        // One for the process, so that all readers see and accept a step.
        static SYSTEM: LazyLock<Clock> = LazyLock::new(|| Clock::of(Source::System(Moment::now(), 0)));
        Clock { told: Arc::clone(&SYSTEM.told), ahead: Arc::default(), highest: Arc::default() }
    }

    fn of(source: Source) -> Self {
        let apart = AtomicU64::new(apart(source.shown(), source.passed()));
        let told = Told { source, apart, reported: AtomicI64::new(0) };
        Clock { told: Arc::new(told), ahead: Arc::default(), highest: Arc::default() }
    }

    /// A clock that starts at the system's time and then stands still until [`Clock::advance`].
    ///
    /// ```
    /// use std::time::Duration;
    /// use oauth_runtime::Clock;
    ///
    /// let clock = Clock::by_hand();
    /// let before = clock.now();
    /// clock.advance(Duration::from_secs(60));
    /// assert_eq!(clock.now(), before + Duration::from_secs(60));
    ///
    /// // An hour's step is not followed: no hour passed.
    /// clock.step(3600);
    /// assert_eq!(clock.now(), before + Duration::from_secs(60));
    /// ```
    #[cfg(any(test, feature = "testing"))]
    #[must_use]
    pub fn by_hand() -> Self {
        let shown = AtomicU64::new(Clock::system().now().seconds());
        Clock::of(Source::ByHand { shown, passed: AtomicU64::new(0) })
    }

    /// The same, starting this long before the system's time, for something that happened in the past.
    #[cfg(any(test, feature = "testing"))]
    #[must_use]
    pub fn by_hand_ago(ago: Duration) -> Self {
        let shown = AtomicU64::new(Clock::system().now().seconds().saturating_sub(ago.as_secs()));
        Clock::of(Source::ByHand { shown, passed: AtomicU64::new(0) })
    }

    /// A clock that runs like the system's, this many seconds ahead or behind, as on another machine.
    ///
    /// ```
    /// use oauth_runtime::Clock;
    ///
    /// let ahead = Clock::system_ahead_by(30).now().since(Clock::system().now());
    /// assert!((30..=31).contains(&ahead.as_secs()));
    /// ```
    #[cfg(any(test, feature = "testing"))]
    #[must_use]
    pub fn system_ahead_by(seconds: i64) -> Self {
        Clock::of(Source::System(Moment::now(), seconds))
    }

    /// Lets time pass on a clock made by [`Clock::by_hand`], and on all its clones. The system's clock stays as it is.
    #[cfg(any(test, feature = "testing"))]
    pub fn advance(&self, by: Duration) {
        if let Source::ByHand { shown, passed } = &self.told.source {
            shown.fetch_add(by.as_secs(), Ordering::SeqCst);
            passed.fetch_add(by.as_secs(), Ordering::SeqCst);
        }
    }

    /// Sets a clock made by [`Clock::by_hand`] forward or back by this many seconds, as an operator or a time server
    /// does: no time passes. The system's clock stays as it is.
    #[cfg(any(test, feature = "testing"))]
    pub fn step(&self, seconds: i64) {
        if let Source::ByHand { shown, .. } = &self.told.source {
            let _ =
                shown.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |now| Some(now.saturating_add_signed(seconds)));
        }
    }

    /// The time now.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.now_and_monotonic().0
    }

    /// Both at once, for the price of one.
    pub(crate) fn now_and_monotonic(&self) -> (Timestamp, Duration) {
        let passed = self.told.source.passed();
        let own = self.own(passed);
        // Read first: writing each time would make all threads wait for one another.
        let mut highest = self.highest.load(Ordering::Relaxed);
        if highest < own {
            highest = self.highest.fetch_max(own, Ordering::Relaxed).max(own);
        }
        (Timestamp(highest.saturating_add_signed(self.ahead.load(Ordering::Relaxed))), passed)
    }

    /// How long this clock has run, whatever the system's clock shows.
    pub(crate) fn monotonic(&self) -> Duration {
        self.told.source.passed()
    }

    /// Follows the time of a store that all processes share, which was asked this long ago and answered at some moment
    /// since.
    pub(crate) fn follow(&self, store: Timestamp, asked: Duration) -> Result<(), ClocksDiffer> {
        let own = self.own(self.monotonic()).max(self.highest.load(Ordering::Relaxed));
        let least = i64::try_from(store.0).unwrap_or(i64::MAX).saturating_sub_unsigned(own);
        let most = least.saturating_add_unsigned(asked.as_secs());
        let apart = if least > 0 { least.unsigned_abs() } else { most.min(0).unsigned_abs() };
        if apart > MOST_APART.as_secs() {
            return Err(ClocksDiffer { seconds: apart });
        }
        // Seconds are cut at different moments, so a difference of one does not count.
        let ahead = self.ahead.load(Ordering::Relaxed);
        if ahead < least.saturating_sub(1) {
            self.ahead.store(least, Ordering::Relaxed);
        } else if ahead > most.saturating_add(1) {
            self.ahead.store(most, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Raises the clock to what a store of this process has seen.
    pub(crate) fn raise(&self, seen: Timestamp) {
        if self.highest.load(Ordering::Relaxed) < seen.0 {
            self.highest.fetch_max(seen.0, Ordering::Relaxed);
        }
    }

    /// Accepts the system's time after an intended step. This does not set the clock back.
    pub(crate) fn accept(&self) {
        self.told.apart.store(apart(self.told.source.shown(), self.told.source.passed()), Ordering::Relaxed);
    }

    /// The same, but sets the clock back if the system's time is earlier: only what is issued from then on is dated
    /// correctly. `true` if it went back.
    pub(crate) fn accept_earlier(&self) -> bool {
        self.accept();
        let highest = self.highest.swap(0, Ordering::SeqCst);
        self.now() < Timestamp(highest)
    }

    /// By how many seconds a store's clock is ahead.
    pub(crate) fn ahead(&self) -> i64 {
        self.ahead.load(Ordering::Relaxed)
    }

    /// By how many seconds the system's clock was stepped and is not followed; zero if it was not.
    pub(crate) fn stepped(&self) -> i64 {
        let shown = i64::try_from(self.told.source.shown()).unwrap_or(i64::MAX);
        let step = shown.saturating_sub_unsigned(self.expected(self.told.source.passed()));
        if step.unsigned_abs() > LONGEST_STEP.as_secs() { step } else { 0 }
    }

    /// The system's time, or what it would be without a step.
    fn own(&self, passed: Duration) -> u64 {
        let shown = self.told.source.shown();
        let expected = self.expected(passed);
        let step = i64::try_from(shown).unwrap_or(i64::MAX).saturating_sub_unsigned(expected);
        // A difference of a second comes and goes, since the two clocks' seconds begin at different moments.
        if step.unsigned_abs() <= LONGEST_STEP.as_secs() {
            if step != 0 {
                self.told.apart.store(apart(shown, passed), Ordering::Relaxed);
            }
            return shown;
        }
        if self.told.reported.swap(step / 60, Ordering::Relaxed) != step / 60 {
            tracing::error!(
                target: "oauth",
                seconds = step,
                "the system's clock was stepped, which is not followed: set it right, or, if it is right now, call \
                 accept_clock() or restart"
            );
        }
        expected
    }

    fn expected(&self, passed: Duration) -> u64 {
        self.told.apart.load(Ordering::Relaxed).saturating_add(passed.as_secs())
    }
}

fn apart(shown: u64, passed: Duration) -> u64 {
    shown.saturating_sub(passed.as_secs())
}

impl Source {
    /// Seconds since 1970.
    fn shown(&self) -> u64 {
        match self {
            // A clock before 1970 makes everything expired: no one gets in, nothing panics.
            Source::System(_, shift) => {
                let since = SystemTime::now().duration_since(UNIX_EPOCH).map(|since| since.as_secs());
                since.map_or(u64::MAX, |seconds| seconds.saturating_add_signed(*shift))
            }
            #[cfg(any(test, feature = "testing"))]
            Source::ByHand { shown, .. } => shown.load(Ordering::SeqCst),
        }
    }

    fn passed(&self) -> Duration {
        match self {
            Source::System(started, _) => started.elapsed(),
            #[cfg(any(test, feature = "testing"))]
            Source::ByHand { passed, .. } => Duration::from_secs(passed.load(Ordering::SeqCst)),
        }
    }
}

impl Default for Clock {
    fn default() -> Self {
        Clock::system()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Clock").field("now", &self.now()).finish()
    }
}

/// The longest step of the system's clock that is followed without confirmation.
const LONGEST_STEP: Duration = Duration::from_secs(60);
/// How far a store's clock may be from this one.
const MOST_APART: Duration = Duration::from_secs(30);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c42_a_step_of_the_clock_is_not_followed_until_it_is_accepted() {
        for step in [-3_600, 3_600, 365 * 24 * 3_600] {
            let clock = Clock::by_hand();
            let begun = clock.now();
            clock.step(step);
            clock.advance(Duration::from_secs(10));
            assert_eq!((clock.now().since(begun).as_secs(), clock.stepped()), (10, step));
            clock.accept();
            let then = begun.seconds() + 10;
            assert_eq!((clock.now().seconds(), clock.stepped()), (then.max(then.saturating_add_signed(step)), 0));
        }
    }

    #[test]
    fn a_small_step_is_followed_and_time_never_goes_back() {
        let clock = Clock::by_hand();
        let begun = clock.now();
        clock.step(50);
        assert_eq!(clock.now().since(begun).as_secs(), 50);
        clock.step(-50);
        assert_eq!(clock.now().since(begun).as_secs(), 50);
        clock.advance(Duration::from_secs(51));
        assert_eq!(clock.now().since(begun).as_secs(), 51);
    }

    #[test]
    fn a_day_is_that_of_the_calendar() {
        for (seconds, date) in [
            (0, "1970-01-01"),
            (951_782_399, "2000-02-28"),
            (951_782_400, "2000-02-29"),
            (951_868_800, "2000-03-01"),
            (1_764_028_800, "2025-11-25"),
            (4_102_444_799, "2099-12-31"),
            (4_107_542_400, "2100-03-01"),
        ] {
            assert_eq!(Timestamp::from_seconds(seconds).date(), date);
        }
        let mut last = String::new();
        for day in 0..60_000 {
            let date = Timestamp::from_seconds(day * 86_400).date();
            assert!(date > last, "{last} is before {date}");
            last = date;
        }
    }

    #[test]
    fn a_day_has_hours_and_minutes() {
        for (seconds, time) in [(0, "00:00"), (86_399, "23:59"), (86_400, "00:00"), (50_759, "14:05")] {
            assert_eq!(Timestamp::from_seconds(seconds).time_of_day(), time);
        }
    }

    #[test]
    fn a_store_that_all_share_has_the_time() {
        let clock = Clock::by_hand();
        let begun = clock.now();
        assert_eq!(clock.follow(begun + Duration::from_secs(1), Duration::ZERO), Ok(()));
        assert_eq!(clock.now(), begun, "a second is none");
        assert_eq!(clock.follow(begun + Duration::from_secs(30), Duration::ZERO), Ok(()));
        assert_eq!(clock.now().since(begun).as_secs(), 30);
        assert_eq!(clock.follow(begun + Duration::from_secs(31), Duration::ZERO), Err(ClocksDiffer { seconds: 31 }));
    }
}
