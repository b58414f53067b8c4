//! The attempts that run in this process, and those that wait until one of them has ended.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::{Notify, OwnedMutexGuard};
use tokio::time::{Instant, timeout_at};

use crate::limit::row::Row;

/// What runs and waits, by the slots that it counts in.
#[derive(Default)]
pub(super) struct Running(Mutex<Places>);

#[derive(Default)]
struct Places {
    by: HashMap<[u32; 2], Place>,
    /// In all lines together.
    waiting: usize,
}

/// The attempts of one row: there as long as there are any.
#[derive(Default)]
struct Place {
    running: u64,
    waiting: usize,
    line: Arc<Line>,
}

/// Where attempts wait, in the order in which they came.
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
    /// The line that hears nothing of its end.
    silent: Option<[u32; 2]>,
}

/// The first in a line: none overtakes it while it looks for a place.
pub(super) struct Turn {
    waiter: Waiter,
    _first: OwnedMutexGuard<()>,
}

struct Waiter {
    running: Arc<Running>,
    slots: [u32; 2],
    line: Arc<Line>,
    until: Instant,
}

impl Running {
    /// From here on the attempt counts as running.
    pub(super) fn start(self: &Arc<Self>, rows: &[Row]) -> Started {
        let slots: Vec<_> = rows.iter().map(|row| row.slots).collect();
        let mut places = self.0.lock();
        slots.iter().for_each(|slots| places.by.entry(*slots).or_default().running += 1);
        Started { running: Arc::clone(self), slots, silent: None }
    }

    /// How many run that count here.
    pub(super) fn at(&self, row: &Row) -> u64 {
        self.0.lock().by.get(&row.slots).map_or(0, |place| place.running)
    }

    /// Whether others wait here already.
    pub(super) fn is_awaited(&self, row: &Row) -> bool {
        self.0.lock().by.get(&row.slots).is_some_and(|place| place.waiting > 0)
    }

    /// Waits until all who came before have found a place. None where too many wait, or for too long.
    pub(super) async fn turn(self: &Arc<Self>, row: &Row, until: Instant) -> Option<Turn> {
        let waiter = self.waiter(row, until)?;
        let first = timeout_at(until, Arc::clone(&waiter.line.turn).lock_owned()).await.ok()?;
        Some(Turn { waiter, _first: first })
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        let places = self.0.lock();
        places.by.is_empty() && places.waiting == 0
    }

    fn waiter(self: &Arc<Self>, row: &Row, until: Instant) -> Option<Waiter> {
        let mut places = self.0.lock();
        let Places { by, waiting } = &mut *places;
        let place = by.entry(row.slots).or_default();
        let is_full = *waiting >= MOST_WAITING || place.waiting >= MOST_IN_A_LINE;
        let waiter = (!is_full).then(|| {
            *waiting += 1;
            place.waiting += 1;
            Waiter { running: Arc::clone(self), slots: row.slots, line: Arc::clone(&place.line), until }
        });
        places.tidy(row.slots);
        waiter
    }
}

impl Places {
    fn tidy(&mut self, slots: [u32; 2]) {
        if self.by.get(&slots).is_some_and(|place| place.running == 0 && place.waiting == 0) {
            self.by.remove(&slots);
        }
    }
}

impl Turn {
    pub(super) fn is_at(&self, row: &Row) -> bool {
        self.waiter.slots == row.slots
    }

    /// Waits until an attempt has ended. False where that takes too long.
    pub(super) async fn next_end(&self) -> bool {
        timeout_at(self.waiter.until, self.waiter.line.ended.notified()).await.is_ok()
    }
}

impl Started {
    /// It was not to run yet. The first of a line does not wake itself by that.
    pub(super) fn withdraw(mut self, turn: Option<&Turn>) {
        self.silent = turn.map(|turn| turn.waiter.slots);
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        let mut places = self.running.0.lock();
        for slots in &self.slots {
            if let Some(place) = places.by.get_mut(slots) {
                place.running = place.running.saturating_sub(1);
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
        let mut places = self.running.0.lock();
        places.waiting = places.waiting.saturating_sub(1);
        if let Some(place) = places.by.get_mut(&self.slots) {
            place.waiting = place.waiting.saturating_sub(1);
        }
        places.tidy(self.slots);
    }
}

/// How long an attempt waits for others to end.
pub(super) const LONGEST_WAIT: Duration = Duration::from_secs(10);
/// How many wait for one name, and in all.
const MOST_IN_A_LINE: usize = 32;
const MOST_WAITING: usize = 1024;
