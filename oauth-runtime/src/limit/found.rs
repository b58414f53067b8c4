//! What the counters say about an attempt.

use std::time::Duration;

use crate::limit::row::{MISTYPED, Row};

/// What one row has counted: at least the true number.
#[derive(Clone, Copy)]
pub(super) struct Sum {
    pub(super) sum: u64,
    pub(super) ends_in: Duration,
}

impl Sum {
    /// Without the one that was just added.
    pub(super) fn of_others(&self) -> u64 {
        self.sum.saturating_sub(1)
    }
}

/// A row, with the attempt in question.
pub(super) struct Seen {
    pub(super) row: Row,
    pub(super) sum: Sum,
    /// Without this attempt, and without those that still run.
    pub(super) failed: u64,
}

/// What the counters say of an attempt.
pub(super) enum Found {
    /// It may be made once these gates admit it: row, and failures.
    Free { gates: Vec<(Row, u64)> },
    /// It has to wait for running attempts.
    Running(Row),
    /// The allowance of guesses for this person within an hour is used up.
    Spent { ends_in: Duration },
}

/// The networks first: a network over its limit does not delay a person elsewhere.
pub(super) fn found(seen: &[Seen]) -> Found {
    let mut at = seen.iter().filter(|seen| seen.row.kind.is_of_a_person_in_a_network()).peekable();
    // The owner is most likely where hardly any attempts failed: a user who mistypes once or twice is not locked out.
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
            // Running them at the same time allows no more.
            MISTYPED
        } else {
            row.kind.free()
        };
        if *failed >= free {
            gates.push((*row, *failed));
        } else if sum.sum > free && !row.kind.is_of_a_network() {
            // A network pays only for failures, however many run.
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

/// How many failures within an hour a person may have before even networks that are new to them are refused.
const BUDGET: u64 = 1000;
pub(super) const LONGEST_DELAY: Duration = Duration::from_secs(300);
