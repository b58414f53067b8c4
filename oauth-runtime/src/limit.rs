//! Counting failed attempts, so that a password cannot be guessed at `/login`, nor a client's secret at `/token`.
//!
//! Counters are a table of fixed size in the store. Where a name counts is a hash under a key of the service's own, so that
//! no one can choose names that count together; where two do by chance, they add up. So nothing is ever dropped to make
//! room, and nothing is ever full: what is too much is refused.
//!
//! An attempt counts for its person before the password is looked at, so that what runs and what failed together never
//! exceed what is free; what has to wait for others to end, waits in order. A network pays for failures alone: what runs
//! in this process is not one yet, and what is broken off is. Whom an attempt was for is known once the author's function
//! has answered, and counts before the answer is told.

pub(crate) mod network;
mod row;
mod running;

use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_lc_rs::hmac;

use crate::limit::network::{Networks, Width};
use crate::limit::row::{Kind, Row, row};
use crate::limit::running::{LONGEST_WAIT, Running, Started, Turn};
use crate::model::device::Device;
use crate::model::name::FoldedName;
use crate::store::{Count, Counted, Store, StoreError};

/// The counters of one service.
pub(crate) struct Limits {
    store: Arc<dyn Store>,
    key: hmac::Key,
    running: Arc<Running>,
}

/// An attempt that was let through: it counts as failed until it is [taken back](Limits::forgive), or was
/// [right](Limits::right).
#[must_use]
pub(crate) struct Attempt {
    asked: Asked,
    /// None has failed for this name in these networks.
    is_elsewhere: bool,
    /// When the window of each row ends.
    until: Vec<Instant>,
    _started: Started,
}

/// An attempt whose user is beyond what is free. It is not to be answered before it has [passed](Limits::pass).
#[must_use]
pub(crate) struct Over {
    row: Row,
    failed: u64,
    was_right: bool,
    attempt: Attempt,
}

/// What is tried.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Guess {
    Password,
    /// What is asked after it.
    Answer,
}

/// The attempt is not allowed yet.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TooMany {
    /// Which limit it is.
    pub(crate) limit: &'static str,
    pub(crate) retry_after: Duration,
}

impl Limits {
    /// The key is one that the service's secret gives.
    pub(crate) fn new(store: Arc<dyn Store>, key: &[u8; 32]) -> Self {
        Limits { store, key: hmac::Key::new(hmac::HMAC_SHA256, key), running: Arc::default() }
    }

    /// Counts a password for this name, from this network.
    pub(crate) async fn password(
        &self,
        name: &FoldedName,
        networks: &Networks,
    ) -> Result<Result<Attempt, TooMany>, StoreError> {
        let at = networks.iter().map(|(width, network)| {
            let kind = match width {
                Width::Narrow => Kind::NameAt,
                Width::Middle => Kind::NameAt56,
                Width::Wide => Kind::NameAt48,
            };
            self.row(kind, &format!("{}\0{network}", name.as_str()))
        });
        let by_name = at.chain([self.row(Kind::Name, name.as_str())]);
        let counted = self.networks(networks).chain(by_name).collect();
        self.begin(Asked { counted, of: Kind::Subject, subject: None }).await
    }

    /// Counts an answer after the password: for the user where that is known, or else for the name that came with it. What
    /// another user fails with whose name folds alike does not count here.
    pub(crate) async fn answer(
        &self,
        name: &FoldedName,
        subject: Option<&str>,
        networks: &Networks,
    ) -> Result<Result<Attempt, TooMany>, StoreError> {
        let by_user = match subject {
            Some(subject) => self.row(Kind::AnswerOf, subject),
            None => self.row(Kind::Answer, name.as_str()),
        };
        let counted = self.networks(networks).chain([by_user]).collect();
        self.begin(Asked { counted, of: Kind::AnswerOf, subject: subject.map(str::to_owned) }).await
    }

    /// Counts a password, or an answer, from a browser that this user has signed in with by the same name: on its own, so
    /// that whatever others fail with, and wherever, does not hold the user up.
    pub(crate) async fn known(&self, what: Guess, device: &Device) -> Result<Result<Attempt, TooMany>, StoreError> {
        let (kind, of) = match what {
            Guess::Password => (Kind::Device, Kind::Subject),
            Guess::Answer => (Kind::DeviceAnswer, Kind::AnswerOf),
        };
        let (counted, subject) = (vec![self.row(kind, &device.id)], Some(device.subject.clone()));
        self.begin(Asked { counted, of, subject }).await
    }

    /// Counts a failed try of one client from one network: for the pair, so that no one can lock a client out from
    /// elsewhere. A try that is right is not counted, and never held up: a secret of 256 bits is not found by trying.
    pub(crate) async fn failed_try(
        &self,
        client: &str,
        networks: &Networks,
    ) -> Result<Result<(), TooMany>, StoreError> {
        let row = self.row(Kind::Client, &format!("{client}\0{}", networks.narrowest()));
        let failed = self.add(&[(&row, 1)]).await?.first().map_or(u64::MAX, Sum::of_others);
        if failed < row.kind.free() {
            return Ok(Ok(()));
        }
        let passed = self.pass_gate(&row, failed).await?;
        if passed.is_err() {
            self.add(&[(&row, -1)]).await?;
        }
        Ok(passed)
    }

    /// Takes an attempt back that was not made.
    pub(crate) async fn forgive(&self, attempt: Attempt) -> Result<(), StoreError> {
        self.add(&attempt.taken_back()).await.map(drop)
    }

    /// The attempt was wrong, and stays counted: for whom it was as well, where the author says who that is.
    pub(crate) async fn wrong(&self, attempt: Attempt, subject: Option<&str>) -> Result<Option<Over>, StoreError> {
        let row = self.row_of(&attempt, subject);
        let adds: Vec<_> = row.iter().map(|row| (row, 1)).collect();
        let failed = self.add(&adds).await?.last().map_or(0, Sum::of_others);
        Ok(row.filter(|row| failed >= row.kind.free()).map(|row| Over { row, failed, was_right: false, attempt }))
    }

    /// The attempt was right, for this user, and does not count. Where too much was guessed for the same user, under whatever
    /// names, it is answered as a wrong one is: else the one among many that is right would be found.
    pub(crate) async fn right(&self, attempt: Attempt, subject: Option<&str>) -> Result<Option<Over>, StoreError> {
        let row = self.row_of(&attempt, subject);
        let adds: Vec<_> = attempt.taken_back().into_iter().chain(row.iter().map(|row| (row, 0))).collect();
        let failed = self.add(&adds).await?.last().map_or(0, |sum| sum.sum);
        Ok(row.filter(|row| failed >= row.kind.free()).map(|row| Over { row, failed, was_right: true, attempt }))
    }

    /// Whether what came of an attempt may be told. If not, it counts as failed, whatever it was.
    ///
    /// `goes_by` says whether the user signed in by this name before. Then it may well be the user, where none has guessed at
    /// the name from the same networks.
    pub(crate) async fn pass(&self, over: Over, goes_by: bool) -> Result<Result<(), TooMany>, StoreError> {
        let Over { row, failed, was_right, attempt } = over;
        if goes_by && attempt.is_elsewhere && failed < BUDGET {
            return Ok(Ok(()));
        }
        let passed = self.pass_gate(&row, failed).await?;
        if passed.is_err() {
            let again = attempt.asked.counted.iter().map(|row| (row, 1));
            let undone: Vec<_> = if was_right { again.collect() } else { vec![(&row, -1)] };
            self.add(&undone).await?;
        }
        Ok(passed)
    }

    /// Lets an attempt begin: what is beyond the free ones needs an open gate, or waits for those that run.
    async fn begin(&self, asked: Asked) -> Result<Result<Attempt, TooMany>, StoreError> {
        let latest = tokio::time::Instant::now() + LONGEST_WAIT;
        let mut turn: Option<Turn> = None;
        // Those who wait already are not overtaken.
        let mut waits_at = asked.counted.iter().find(|row| self.running.is_awaited(row)).copied();
        loop {
            if let Some(row) = waits_at {
                let has_turn = match &turn {
                    Some(turn) if turn.is_at(&row) => turn.next_end().await,
                    Some(_) | None => {
                        // The old one first: none holds one and waits for another.
                        drop(turn.take());
                        turn = self.running.turn(&row, latest).await;
                        turn.is_some()
                    }
                };
                if !has_turn {
                    return Ok(Err(TooMany { limit: row.kind.as_str(), retry_after: SHORTEST }));
                }
            }
            let (found, started, until) = self.looked(&asked).await?;
            let refused = match found {
                Found::Free { gates, is_elsewhere } => match self.pass_gates(&gates).await? {
                    Ok(()) => return Ok(Ok(Attempt { asked, is_elsewhere, until, _started: started })),
                    Err(too_many) => Some(too_many),
                },
                Found::Spent { ends_in } => Some(TooMany { limit: "budget", retry_after: ends_in.max(SHORTEST) }),
                Found::Running(row) => {
                    waits_at = Some(row);
                    None
                }
            };
            self.add(&asked.counted.iter().map(|row| (row, -1)).collect::<Vec<_>>()).await?;
            started.withdraw(turn.as_ref());
            if let Some(too_many) = refused {
                return Ok(Err(too_many));
            }
        }
    }

    /// Counts an attempt, and finds what that comes to.
    async fn looked(&self, asked: &Asked) -> Result<(Found, Started, Vec<Instant>), StoreError> {
        let before: Vec<u64> = asked.counted.iter().map(|row| self.running.at(row)).collect();
        let started = self.running.start(&asked.counted);
        let sums = self.add(&asked.counted.iter().map(|row| (row, 1)).collect::<Vec<_>>()).await?;
        let until = sums.iter().map(|sum| Instant::now() + sum.ends_in).collect();
        let seen = |((row, sum), before): ((&Row, &Sum), u64)| {
            let others = before.max(self.running.at(row).saturating_sub(1));
            Seen { row: *row, sum: *sum, failed: sum.of_others().saturating_sub(others) }
        };
        let seen: Vec<Seen> = asked.counted.iter().zip(&sums).zip(before).map(seen).collect();
        Ok((found(&seen), started, until))
    }

    /// Adds to each row.
    async fn add(&self, adds: &[(&Row, i64)]) -> Result<Vec<Sum>, StoreError> {
        let mut counts: Vec<Count> = Vec::with_capacity(2 * adds.len());
        for (slot, add) in adds.iter().flat_map(|(row, add)| row.slots.map(|slot| (slot, *add))) {
            // Two that meet add up.
            match counts.iter_mut().find(|count| count.slot == slot) {
                Some(count) => count.add += add,
                None => counts.push(Count { slot, add, window: WINDOW }),
            }
        }
        if counts.is_empty() {
            return Ok(Vec::new());
        }
        let counted = self.store.count(&counts).await?;
        let at = |slot: &u32| counts.iter().position(|count| count.slot == *slot).and_then(|index| counted.get(index));
        // A counter without an answer has counted too much.
        let of = |row: &Row| {
            let [a, b] = row.slots.map(|slot| at(&slot).copied().unwrap_or(Counted { sum: u64::MAX, ends_in: WINDOW }));
            Sum { sum: a.sum.min(b.sum), ends_in: a.ends_in.min(b.ends_in) }
        };
        Ok(adds.iter().map(|(row, _)| of(row)).collect())
    }

    async fn pass_gates(&self, gates: &[(Row, u64)]) -> Result<Result<(), TooMany>, StoreError> {
        for (row, failed) in gates {
            if let Err(too_many) = self.pass_gate(row, *failed).await? {
                return Ok(Err(too_many));
            }
        }
        Ok(Ok(()))
    }

    /// Lets one attempt through, and no other until the delay after so many failures is over.
    async fn pass_gate(&self, row: &Row, failed: u64) -> Result<Result<(), TooMany>, StoreError> {
        let delay = delay(failed.saturating_sub(row.kind.free()));
        let too_many = |retry_after: Duration| TooMany { limit: row.kind.as_str(), retry_after };
        let gate = self.store.count(&[Count { slot: row.gate, add: 1, window: delay }]).await?;
        match gate.first() {
            Some(Counted { sum: 1, .. }) => Ok(Ok(())),
            Some(Counted { ends_in, .. }) => Ok(Err(too_many((*ends_in).max(SHORTEST)))),
            None => Ok(Err(too_many(delay))),
        }
    }

    /// Where whom it was for counts, unless it does already.
    fn row_of(&self, attempt: &Attempt, subject: Option<&str>) -> Option<Row> {
        let is_counted = |subject: &&str| attempt.asked.subject.as_deref() == Some(*subject);
        subject.filter(|subject| !is_counted(subject)).map(|subject| self.row(attempt.asked.of, subject))
    }

    fn networks(&self, networks: &Networks) -> impl Iterator<Item = Row> {
        networks.iter().map(|(width, network)| {
            let kind = match width {
                Width::Narrow => Kind::Address,
                Width::Middle => Kind::Address56,
                Width::Wide => Kind::Address48,
            };
            self.row(kind, network)
        })
    }

    fn row(&self, kind: Kind, value: &str) -> Row {
        row(&self.key, kind, value)
    }
}

impl Attempt {
    /// What takes it back: not from a window that began since, where it would hide another's failure.
    fn taken_back(&self) -> Vec<(&Row, i64)> {
        let now = Instant::now();
        let lasting = self.asked.counted.iter().zip(&self.until).filter(|(_, until)| now < **until);
        lasting.map(|(row, _)| (row, -1)).collect()
    }
}

impl Sum {
    /// But for one that was just added.
    fn of_others(&self) -> u64 {
        self.sum.saturating_sub(1)
    }
}

/// What an attempt counts for.
struct Asked {
    counted: Vec<Row>,
    /// Where whom it was for counts, once that is known.
    of: Kind,
    /// For whom it counts already.
    subject: Option<String>,
}

/// What one row has counted: no less than what is true.
#[derive(Clone, Copy)]
struct Sum {
    sum: u64,
    ends_in: Duration,
}

/// A row with the attempt that is looked at.
struct Seen {
    row: Row,
    sum: Sum,
    /// Without this attempt, and without those that still run.
    failed: u64,
}

/// What the counters say of an attempt.
enum Found {
    /// It may be made once these gates let it through: row, and what has failed.
    Free { gates: Vec<(Row, u64)>, is_elsewhere: bool },
    /// It has to wait for those that run.
    Running(Row),
    /// All that may be guessed for this name within an hour was.
    Spent { ends_in: Duration },
}

/// The networks first: one that is held up itself does not hold up a name's owner.
fn found(seen: &[Seen]) -> Found {
    let mut gates = Vec::new();
    let mut at = seen.iter().filter(|seen| seen.row.kind.is_of_a_name_in_a_network()).peekable();
    let is_elsewhere = at.peek().is_some() && at.all(|seen| seen.failed == 0);
    for Seen { row, sum, failed } in seen {
        let is_name = row.kind == Kind::Name;
        if is_name && *failed >= BUDGET {
            return Found::Spent { ends_in: sum.ends_in };
        }
        // The owner is most likely where none has guessed.
        let free = if is_name && is_elsewhere { BUDGET } else { row.kind.free() };
        if *failed >= free {
            gates.push((*row, *failed));
        } else if sum.sum > free && !row.kind.is_of_a_network() {
            // A network pays for failures alone, however much runs.
            return Found::Running(*row);
        }
    }
    Found::Free { gates, is_elsewhere }
}

/// 2, 4, 8 .. seconds, and then five minutes.
fn delay(beyond: u64) -> Duration {
    let exponent = u32::try_from(beyond).unwrap_or(u32::MAX).min(8) + 1;
    Duration::from_secs(1 << exponent).min(LONGEST_DELAY)
}

/// How long a failed attempt counts.
const WINDOW: Duration = Duration::from_secs(3600);
/// How many failures within an hour a name may have before it is closed to networks that are new to it as well.
const BUDGET: u64 = 1000;
const LONGEST_DELAY: Duration = Duration::from_secs(300);
const SHORTEST: Duration = Duration::from_secs(1);

#[cfg(test)]
#[path = "limit/tests.rs"]
mod tests;
