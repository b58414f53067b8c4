//! The attempts that run in this process, and those that wait until one of them has ended.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::{Notify, OwnedMutexGuard};
use tokio::time::{Instant, timeout_at};

use crate::limit::room::{From, Room, Seat};
use crate::limit::row::Row;

/// The running and waiting attempts, by their slots.
#[derive(Default)]
pub(super) struct Running {
    places: Mutex<Places>,
    /// The seats for all lines.
    room: Arc<Room>,
}

#[derive(Default)]
struct Places(HashMap<[u32; 2], Place>);

/// The attempts of one row; it exists as long as there are any.
#[derive(Default)]
struct Place {
    running: u64,
    /// How many have failed since it exists, including cancelled ones.
    failed: u64,
    waiting: usize,
    line: Arc<Line>,
}

/// The line of waiting attempts, in the order in which they came.
#[derive(Default)]
struct Line {
    /// Held by the first.
    turn: Arc<tokio::sync::Mutex<()>>,
    /// An attempt has ended.
    ended: Notify,
}

/// An attempt that runs; it ends when this is dropped.
pub(super) struct Started {
    running: Arc<Running>,
    slots: Vec<[u32; 2]>,
    /// The line that is not notified of its end.
    silent: Option<[u32; 2]>,
    pub(super) failed: bool,
}

/// The first in a line, which no other overtakes while it looks for a place.
pub(super) struct Turn {
    waiter: Waiter,
    _first: OwnedMutexGuard<()>,
}

struct Waiter {
    running: Arc<Running>,
    slots: [u32; 2],
    line: Arc<Line>,
    until: Instant,
    _seat: Seat,
}

impl Running {
    /// From here on the attempt counts as running.
    pub(super) fn start(self: &Arc<Self>, rows: &[Row]) -> Started {
        let slots: Vec<_> = rows.iter().map(|row| row.slots).collect();
        let mut places = self.places.lock();
        slots.iter().for_each(|slots| places.0.entry(*slots).or_default().running += 1);
        Started { running: Arc::clone(self), slots, silent: None, failed: true }
    }

    /// How many attempts of this row run.
    pub(super) fn at(&self, row: &Row) -> u64 {
        self.places.lock().0.get(&row.slots).map_or(0, |place| place.running)
    }

    /// How many have failed in this process since there was last none running.
    pub(super) fn failed(&self, row: &Row) -> u64 {
        self.places.lock().0.get(&row.slots).map_or(0, |place| place.failed)
    }

    /// Whether others wait here already.
    pub(super) fn is_awaited(&self, row: &Row) -> bool {
        self.places.lock().0.get(&row.slots).is_some_and(|place| place.waiting > 0)
    }

    /// Waits until all that came before have found a place. `None` if too many wait, or for too long.
    pub(super) async fn turn(self: &Arc<Self>, row: &Row, from: Option<From>, until: Instant) -> Option<Turn> {
        let waiter = self.waiter(row, from, until)?;
        let first = timeout_at(until, Arc::clone(&waiter.line.turn).lock_owned()).await.ok()?;
        Some(Turn { waiter, _first: first })
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.places.lock().0.is_empty() && self.room.is_empty()
    }

    fn waiter(self: &Arc<Self>, row: &Row, from: Option<From>, until: Instant) -> Option<Waiter> {
        let seat = self.room.seat(from)?;
        let mut places = self.places.lock();
        let place = places.0.entry(row.slots).or_default();
        let waiter = (place.waiting < MOST_IN_A_LINE).then(|| {
            place.waiting += 1;
            let line = Arc::clone(&place.line);
            Waiter { running: Arc::clone(self), slots: row.slots, line, until, _seat: seat }
        });
        places.tidy(row.slots);
        waiter
    }
}

impl Places {
    fn tidy(&mut self, slots: [u32; 2]) {
        if self.0.get(&slots).is_some_and(|place| place.running == 0 && place.waiting == 0) {
            self.0.remove(&slots);
        }
    }
}

impl Turn {
    pub(super) fn is_at(&self, row: &Row) -> bool {
        self.waiter.slots == row.slots
    }

    /// Waits until an attempt has ended. `false` if that takes too long.
    pub(super) async fn next_end(&self) -> bool {
        timeout_at(self.waiter.until, self.waiter.line.ended.notified()).await.is_ok()
    }
}

impl Started {
    /// It may not run yet. The first of a line does not wake itself by this.
    pub(super) fn withdraw(mut self, turn: Option<&Turn>) {
        (self.silent, self.failed) = (turn.map(|turn| turn.waiter.slots), false);
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        let mut places = self.running.places.lock();
        for slots in &self.slots {
            if let Some(place) = places.0.get_mut(slots) {
                place.running = place.running.saturating_sub(1);
                place.failed += u64::from(self.failed);
                if self.silent != Some(*slots) {
                    place.line.ended.notify_one();
                }
            }
            places.tidy(*slots);
        }
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        let mut places = self.running.places.lock();
        if let Some(place) = places.0.get_mut(&self.slots) {
            place.waiting = place.waiting.saturating_sub(1);
        }
        places.tidy(self.slots);
    }
}

/// Until when to wait, from now on.
pub(crate) fn latest(patience: Duration) -> Instant {
    let now = Instant::now();
    now.checked_add(patience).unwrap_or(now + AT_MOST)
}

/// Longer than any browser waits.
const AT_MOST: Duration = Duration::from_secs(86_400);
/// How many wait for one name.
const MOST_IN_A_LINE: usize = 512;
