//! How long it is since a moment, with the time that the machine slept.

use std::time::{Duration, Instant};

/// A moment. An [`Instant`] stands still on Linux and macOS while the machine sleeps (rust-lang/rust#79462), so that a night with
/// the lid of a laptop closed would be a step of the system's clock by that night.
pub(crate) struct Moment {
    awake: Instant,
    /// `None` where the system has no clock that counts on.
    in_all: Option<Duration>,
}

impl Moment {
    pub(crate) fn now() -> Self {
        Moment { awake: Instant::now(), in_all: in_all() }
    }

    /// How long it is since.
    pub(crate) fn elapsed(&self) -> Duration {
        match (self.in_all, in_all()) {
            (Some(then), Some(now)) => now.saturating_sub(then),
            (None, _) | (_, None) => self.awake.elapsed(),
        }
    }
}

/// Since the machine began.
#[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
fn in_all() -> Option<Duration> {
    use nix::time::{ClockId, clock_gettime};

    #[cfg(not(target_vendor = "apple"))]
    const COUNTS_ON: ClockId = ClockId::CLOCK_BOOTTIME;
    // Unlike that of Linux, it counts on.
    #[cfg(target_vendor = "apple")]
    const COUNTS_ON: ClockId = ClockId::CLOCK_MONOTONIC;

    clock_gettime(COUNTS_ON).ok().map(Duration::from)
}

/// Windows counts on in an [`Instant`].
#[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
fn in_all() -> Option<Duration> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_passes_once_a_second() {
        let (then, awake) = (Moment::now(), Instant::now());
        std::thread::sleep(Duration::from_millis(20));
        let apart = then.elapsed().abs_diff(awake.elapsed());
        assert!(then.elapsed() >= Duration::from_millis(20) && apart < Duration::from_secs(10), "{apart:?}");
    }

    /// They differ on a machine that has slept, and under `unshare --user --map-root-user --time --boottime 86400`.
    #[cfg(target_os = "linux")]
    #[test]
    fn the_time_is_counted_that_the_machine_slept() {
        let told = std::fs::read_to_string("/proc/uptime").expect("Linux has it");
        let told: f64 = told.split(' ').next().and_then(|seconds| seconds.parse().ok()).expect("a number");
        let read = in_all().expect("Linux has the clock").as_secs_f64();
        assert!((0.0..10.0).contains(&(read - told + 0.01)), "{read} {told}");
    }
}
