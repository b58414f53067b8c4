//! What the counters say of an attempt.

use std::time::Duration;

use crate::limit::row::{MISTYPED, Row};

/// What one row has counted: no less than what is true.
#[derive(Clone, Copy)]
pub(super) struct Sum {
    pub(super) sum: u64,
    pub(super) ends_in: Duration,
}

impl Sum {
    /// But for one that was just added.
    pub(super) fn of_others(&self) -> u64 {
        self.sum.saturating_sub(1)
    }
}

/// A row with the attempt that is looked at.
pub(super) struct Seen {
    pub(super) row: Row,
    pub(super) sum: Sum,
    /// Without this attempt, and without those that still run.
    pub(super) failed: u64,
}

/// What the counters say of an attempt.
pub(super) enum Found {
    /// It may be made once these gates let it through: row, and what has failed.
    Free { gates: Vec<(Row, u64)> },
    /// It has to wait for those that run.
    Running(Row),
    /// All that may be guessed for this person within an hour was.
    Spent { ends_in: Duration },
}

/// The networks first: one that is held up itself does not hold up a person elsewhere.
pub(super) fn found(seen: &[Seen]) -> Found {
    let mut at = seen.iter().filter(|seen| seen.row.kind.is_of_a_person_in_a_network()).peekable();
    // The owner is most likely where hardly any has failed: who mistypes once or twice is not locked out.
    let is_elsewhere = at.peek().is_some() && at.all(|seen| seen.failed < MISTYPED);
    let is_guessed = seen.iter().any(|seen| seen.row.kind.is_of_a_person() && seen.sum.sum > seen.row.kind.free());
    let mut gates = Vec::new();
    for Seen { row, sum, failed } in seen {
        let free = if row.kind.is_of_a_person() {
            if *failed >= BUDGET {
                return Found::Spent { ends_in: sum.ends_in };
            }
            if is_elsewhere { BUDGET } else { row.kind.free() }
        } else if row.kind.is_of_a_person_in_a_network() && is_elsewhere && is_guessed {
            // No more by running at once.
            MISTYPED
        } else {
            row.kind.free()
        };
        if *failed >= free {
            gates.push((*row, *failed));
        } else if sum.sum > free && !row.kind.is_of_a_network() {
            // A network pays for failures alone, however much runs.
            return Found::Running(*row);
        }
    }
    Found::Free { gates }
}

/// 2, 4, 8 .. seconds, and then five minutes.
pub(super) fn delay(beyond: u64) -> Duration {
    let exponent = u32::try_from(beyond).unwrap_or(u32::MAX).min(8) + 1;
    Duration::from_secs(1 << exponent).min(LONGEST_DELAY)
}

/// How many failures within an hour a person may have before they are closed to networks that are new to them as well.
const BUDGET: u64 = 1000;
pub(super) const LONGEST_DELAY: Duration = Duration::from_secs(300);
