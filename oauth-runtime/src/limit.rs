//! Counting failed attempts, so that a password cannot be guessed at `/login`, nor a client's secret at `/token`.
//!
//! Counters are tables of fixed size in the store. The slot of a name is a hash under a key of the service, so that no
//! one can choose names that count together; if two do by chance, they add up. So nothing is ever dropped to make room,
//! and nothing is ever full: attempts beyond the limit are refused.
//!
//! An attempt counts for its person before the password is checked, so that running and failed attempts together never
//! exceed the allowance; more attempts wait in order. A network pays only for failures: an attempt that runs in this
//! process is not one yet, but a cancelled one is. For which user an attempt was is known once the author's function
//! has returned, and is counted before the answer is sent.
//!
//! If there were many guesses at a name or a user, the owner is most likely in a network with hardly any failures for
//! them: such a network is admitted as long as the budget of the hour lasts.

mod found;
pub(crate) mod network;
mod on_devices;
pub(crate) mod room;
mod row;
pub(crate) mod running;

use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use crate::limit::found::{Found, Seen, Sum, delay, found};
use crate::limit::network::{Networks, Width};
use crate::limit::room::From;
use crate::limit::row::{Kind, Row, RowKey};
use crate::limit::running::{Running, Started, Turn};
use crate::model::device::Device;
use crate::model::name::FoldedName;
use crate::store::{Count, Counted, Store, StoreError};

/// The counters of one service.
#[derive(Clone)]
pub(crate) struct Limits {
    store: Arc<dyn Store>,
    key: RowKey,
    running: Arc<Running>,
    /// How long an attempt waits for others to end.
    patience: Duration,
}

/// An attempt that was admitted: it counts as failed until it is [taken back](Limits::forgive) or was
/// [right](Limits::right).
#[must_use]
pub(crate) struct Attempt {
    asked: Asked,
    /// When the window of each row ends.
    until: Vec<Instant>,
    started: Started,
    /// The rows whose gates it has passed, as the one attempt that they admit.
    passed: Vec<Row>,
    /// Until when it waits.
    latest: tokio::time::Instant,
}

/// What is tried.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Guess {
    Password,
    /// An answer after the password.
    Answer,
}

/// The attempt is not allowed yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TooMany {
    /// Which limit it is.
    pub(crate) limit: &'static str,
    pub(crate) retry_after: Duration,
}

impl Limits {
    /// The key is derived from the service's secret.
    pub(crate) fn new(store: Arc<dyn Store>, key: &[u8; 32], patience: Duration) -> Self {
        Limits { store, key: RowKey::new(key), running: Arc::default(), patience }
    }

    /// Counts a password for this name, from this network.
    pub(crate) async fn password(
        &self,
        name: &FoldedName,
        networks: &Networks,
    ) -> Result<Result<Attempt, TooMany>, StoreError> {
        let counted = self.of_password(name, networks);
        self.begin(Asked { counted, by: By::Name { name: name.clone(), networks: networks.clone() } }).await
    }

    /// Counts an answer after the password: for the user if known, or else for the name that came with it. Failures of
    /// another user whose name folds alike do not count here.
    pub(crate) async fn answer(
        &self,
        name: &FoldedName,
        subject: Option<&str>,
        networks: &Networks,
    ) -> Result<Result<Attempt, TooMany>, StoreError> {
        let by_user = match subject {
            Some(subject) => self.row(Kind::AnswerOf, &Whom::User(subject).to_string()),
            None => self.row(Kind::Answer, name.as_str()),
        };
        let counted = self.networks(networks).chain([by_user]).collect();
        self.begin(Asked { counted, by: By::Counted { of: Kind::AnswerOf, subject: subject.map(str::to_owned) } }).await
    }

    /// Counts a password, or an answer, from a browser that this user has signed in with by the same name: separately,
    /// so that failures of others anywhere do not delay the user.
    pub(crate) async fn known(&self, what: Guess, device: &Device) -> Result<Result<Attempt, TooMany>, StoreError> {
        let (kind, of) = match what {
            Guess::Password => (Kind::Device, Kind::Subject),
            Guess::Answer => (Kind::DeviceAnswer, Kind::AnswerOf),
        };
        let by = By::Counted { of, subject: Some(device.subject.clone()) };
        self.begin(Asked { counted: vec![self.row(kind, &device.id)], by }).await
    }

    /// Counts a failed try of one client from one network: for the pair, so that no one can lock a client out from
    /// elsewhere. A try that is right is not counted, and never held up: a secret of 256 bits is not found by trying.
    pub(crate) async fn failed_try(
        &self,
        client: &str,
        networks: &Networks,
    ) -> Result<Result<(), TooMany>, StoreError> {
        self.each(self.row(Kind::Client, &format!("{client}\0{}", networks.narrowest()))).await
    }

    /// Counts a registration from this network.
    pub(crate) async fn registration(&self, networks: &Networks) -> Result<Result<(), TooMany>, StoreError> {
        let kinds = [Kind::Registration, Kind::Registration56, Kind::Registration48];
        let rows: Vec<Row> = self.by_width(kinds, networks, str::to_owned).collect();
        self.all(&rows, |seen| seen.iter().map(|(row, _)| row.kind.free()).collect()).await
    }

    /// Counts one, whatever its outcome: beyond the free ones, one at a time.
    async fn each(&self, row: Row) -> Result<Result<(), TooMany>, StoreError> {
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

    /// Takes back an attempt that was not made.
    pub(crate) async fn forgive(&self, mut attempt: Attempt) -> Result<(), StoreError> {
        attempt.started.failed = false;
        self.add(&attempt.taken_back()).await.map(drop)
    }

    /// Whether an attempt that had to wait may still be made. Waiting attempts were admitted together: if as many of
    /// its network have failed meanwhile as are free, the others are treated as if they came afterwards.
    pub(crate) async fn may_still(&self, attempt: &Attempt) -> Result<Result<(), TooMany>, StoreError> {
        let failed_here = |row: &&Row| row.kind.is_of_a_network() && self.running.failed(row) >= row.kind.free();
        let has_to_pass = |row: &&Row| failed_here(row) && !attempt.passed.contains(row);
        let rows: Vec<Row> = attempt.asked.counted.iter().filter(has_to_pass).copied().collect();
        let sums = self.add(&adding(&rows, 0)).await?;
        let failed = rows.iter().zip(sums).map(|(row, sum)| (*row, sum.sum.saturating_sub(self.running.at(row))));
        let gates: Vec<_> = failed.filter(|(row, failed)| *failed >= row.kind.free()).collect();
        self.pass_gates(&gates).await
    }

    /// The attempt was wrong, and stays counted, also for its user if the author names one. If not, there may be no
    /// such user, and it counts in the same way: otherwise the answer would show which names exist.
    ///
    /// Returns whether the answer may be sent. If not, it counts as failed all the same.
    pub(crate) async fn wrong(
        &self,
        attempt: Attempt,
        subject: Option<&str>,
    ) -> Result<Result<(), TooMany>, StoreError> {
        let rows = self.rows_of(&attempt.asked.by, subject, true);
        let sums = self.add(&adding(&rows, 1)).await?;
        let seen: Vec<Seen> =
            rows.iter().zip(sums).map(|(row, sum)| Seen { row: *row, sum, failed: sum.of_others() }).collect();
        let told = self.settle(&seen).await?;
        if told.is_err() {
            self.add(&adding(&rows, -1)).await?;
        }
        Ok(told)
    }

    /// The attempt was right, for this user, and does not count. If there were too many guesses for the same user,
    /// under any names, it is answered like a wrong one, and counts as one: otherwise one right guess among many would
    /// be found.
    pub(crate) async fn right(
        &self,
        mut attempt: Attempt,
        subject: Option<&str>,
    ) -> Result<Result<(), TooMany>, StoreError> {
        let rows = self.rows_of(&attempt.asked.by, subject, false);
        let adds: Vec<_> = attempt.taken_back().into_iter().chain(adding(&rows, 0)).collect();
        let sums = self.add(&adds).await?.split_off(adds.len() - rows.len());
        let seen: Vec<Seen> =
            rows.iter().zip(sums).map(|(row, sum)| Seen { row: *row, sum, failed: sum.sum }).collect();
        let told = self.settle(&seen).await?;
        attempt.started.failed = told.is_err();
        if told.is_err() {
            self.add(&adding(&attempt.asked.counted, 1)).await?;
        }
        Ok(told)
    }

    /// Whether the outcome of an attempt may be sent, by what was counted for its user.
    async fn settle(&self, seen: &[Seen]) -> Result<Result<(), TooMany>, StoreError> {
        match found(seen) {
            Found::Free { gates } => self.pass_gates(&gates).await,
            Found::Spent { ends_in } => Ok(Err(TooMany::spent(ends_in))),
            // An attempt that has ended does not wait for others.
            Found::Running(_) => Ok(Ok(())),
        }
    }

    /// Lets an attempt begin: beyond the free ones it needs an open gate, or waits for running ones.
    async fn begin(&self, asked: Asked) -> Result<Result<Attempt, TooMany>, StoreError> {
        let latest = running::latest(self.patience);
        let mut turn: Option<Turn> = None;
        // Attempts that wait already are not overtaken.
        let mut waits_at = asked.counted.iter().find(|row| self.running.is_awaited(row)).copied();
        loop {
            if let Some(row) = waits_at {
                let has_turn = match &turn {
                    Some(turn) if turn.is_at(&row) => turn.next_end().await,
                    Some(_) | None => {
                        // The old turn is released first: no attempt holds one and waits for another.
                        drop(turn.take());
                        turn = self.running.turn(&row, asked.from(), latest).await;
                        turn.is_some()
                    }
                };
                if !has_turn {
                    return Ok(Err(TooMany { limit: row.kind.as_str(), retry_after: SHORTEST }));
                }
            }
            match self.entered(&asked, latest).await? {
                Entered::Begun(attempt) => return Ok(Ok(attempt)),
                Entered::Refused(too_many, started) => {
                    started.withdraw(turn.as_ref());
                    return Ok(Err(too_many));
                }
                Entered::HasToWait(row, started) => {
                    started.withdraw(turn.as_ref());
                    waits_at = Some(row);
                }
            }
        }
    }

    /// Counts an attempt in a task of its own: if the request is cancelled, what was counted and not begun is still
    /// taken back.
    async fn entered(&self, asked: &Asked, latest: tokio::time::Instant) -> Result<Entered, StoreError> {
        let mut entering = Box::pin(self.clone().enter(asked.clone(), latest));
        // If the store answers at once, it cannot be cancelled in between.
        let at_once = poll_fn(|context| Poll::Ready(entering.as_mut().poll(context))).await;
        match at_once {
            Poll::Ready(entered) => entered,
            Poll::Pending => tokio::spawn(entering).await.map_err(|error| StoreError::Unavailable(error.into()))?,
        }
    }

    /// Counts an attempt, and takes it back if it may not begin.
    async fn enter(self, asked: Asked, latest: tokio::time::Instant) -> Result<Entered, StoreError> {
        let (found, started, until) = self.looked(&asked).await?;
        let entered = match found {
            Found::Free { gates } => match self.pass_gates(&gates).await? {
                Ok(()) => {
                    let passed = gates.iter().map(|(row, _)| *row).collect();
                    return Ok(Entered::Begun(Attempt { asked, until, started, passed, latest }));
                }
                Err(too_many) => Entered::Refused(too_many, started),
            },
            Found::Spent { ends_in } => Entered::Refused(TooMany::spent(ends_in), started),
            Found::Running(row) => Entered::HasToWait(row, started),
        };
        self.add(&adding(&asked.counted, -1)).await?;
        Ok(entered)
    }

    /// Counts an attempt, and finds the result.
    async fn looked(&self, asked: &Asked) -> Result<(Found, Started, Vec<Instant>), StoreError> {
        let before: Vec<u64> = asked.counted.iter().map(|row| self.running.at(row)).collect();
        let started = self.running.start(&asked.counted);
        let sums = self.add(&adding(&asked.counted, 1)).await?;
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
        for (slot, add, window) in adds.iter().flat_map(|(row, add)| row.slots.map(|it| (it, *add, row.kind.window())))
        {
            // Two in the same slot add up.
            match counts.iter_mut().find(|count| count.slot == slot) {
                Some(count) => count.add += add,
                None => counts.push(Count { slot, add, window }),
            }
        }
        if counts.is_empty() {
            return Ok(Vec::new());
        }
        let counted = self.store.count(&counts).await?;
        let at = |slot: &u32| counts.iter().position(|count| count.slot == *slot).and_then(|index| counted.get(index));
        // A counter without an answer counts as too much.
        let of = |row: &Row| {
            let unknown = Counted { sum: u64::MAX, ends_in: row.kind.window() };
            let [a, b] = row.slots.map(|slot| at(&slot).copied().unwrap_or(unknown));
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

    /// Admits one attempt, and no other until the delay after so many failures is over.
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

    /// The rows of the user it was for, unless they were counted already.
    fn rows_of(&self, by: &By, subject: Option<&str>, no_one_counts: bool) -> Vec<Row> {
        match by {
            By::Name { name, networks } => {
                let whom = match subject {
                    Some(subject) => Whom::User(subject),
                    None if no_one_counts => Whom::NoOne(name.as_str()),
                    None => return Vec::new(),
                };
                let at = networks.iter().map(|(_, network)| self.row(Kind::SubjectAt, &format!("{whom}\0{network}")));
                at.chain([self.row(Kind::Subject, &whom.to_string())]).collect()
            }
            By::Counted { of, subject: counted } => {
                let other = subject.filter(|subject| counted.as_deref() != Some(*subject));
                other.map(|subject| self.row(*of, &Whom::User(subject).to_string())).into_iter().collect()
            }
        }
    }

    /// The rows of a password, counted before it is checked.
    fn of_password(&self, name: &FoldedName, networks: &Networks) -> Vec<Row> {
        let kinds = [Kind::NameAt, Kind::NameAt56, Kind::NameAt48];
        let at = self.by_width(kinds, networks, |network| format!("{}\0{network}", name.as_str()));
        let by_name = at.chain([self.row(Kind::Name, name.as_str())]);
        self.networks(networks).chain(by_name).collect()
    }

    fn networks(&self, networks: &Networks) -> impl Iterator<Item = Row> {
        self.by_width([Kind::Address, Kind::Address56, Kind::Address48], networks, str::to_owned)
    }

    /// The rows for each of these networks, from the narrowest to the widest.
    fn by_width(
        &self,
        [narrow, middle, wide]: [Kind; 3],
        networks: &Networks,
        value: impl Fn(&str) -> String,
    ) -> impl Iterator<Item = Row> {
        networks.iter().map(move |(width, network)| {
            let kind = match width {
                Width::Narrow => narrow,
                Width::Middle => middle,
                Width::Wide => wide,
            };
            self.row(kind, &value(network))
        })
    }

    fn row(&self, kind: Kind, value: &str) -> Row {
        self.key.row(kind, value)
    }
}

impl Attempt {
    /// Whether it is from a browser that is known for the name.
    pub(crate) fn is_known(&self) -> bool {
        self.asked.counted.iter().any(|row| matches!(row.kind, Kind::Device | Kind::DeviceAnswer))
    }

    /// The widest network that it is from; `None` from a known browser.
    pub(crate) fn from(&self) -> Option<From> {
        self.asked.from()
    }

    /// Until when it waits, for anything.
    pub(crate) fn latest(&self) -> tokio::time::Instant {
        self.latest
    }

    /// The counts that take it back: not from a window that began since, where it would hide another's failure.
    fn taken_back(&self) -> Vec<(&Row, i64)> {
        let now = Instant::now();
        let lasting = self.asked.counted.iter().zip(&self.until).filter(|(_, until)| now < **until);
        lasting.map(|(row, _)| (row, -1)).collect()
    }
}

impl TooMany {
    fn spent(ends_in: Duration) -> Self {
        TooMany { limit: "budget", retry_after: ends_in.max(SHORTEST) }
    }
}

impl fmt::Display for Whom<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Whom::User(subject) => write!(f, "user\0{subject}"),
            Whom::NoOne(name) => write!(f, "name\0{name}"),
        }
    }
}

fn adding(rows: &[Row], add: i64) -> Vec<(&Row, i64)> {
    rows.iter().map(|row| (row, add)).collect()
}

/// The result for an attempt that wanted to begin.
enum Entered {
    Begun(Attempt),
    Refused(TooMany, Started),
    /// It waits for running attempts of this row.
    HasToWait(Row, Started),
}

/// What an attempt counts for.
#[derive(Clone)]
struct Asked {
    counted: Vec<Row>,
    by: By,
}

impl Asked {
    fn from(&self) -> Option<From> {
        self.counted.iter().rev().find(|row| row.kind.is_of_a_network()).map(|row| From::Network(row.slots))
    }
}

/// How the user it was for is counted, once known.
#[derive(Clone)]
enum By {
    /// For the user, and for the user in these networks.
    Name { name: FoldedName, networks: Networks },
    /// For the user, unless it counts for them already, or separately.
    Counted { of: Kind, subject: Option<String> },
}

/// The user an attempt was for.
#[derive(Clone, Copy)]
enum Whom<'a> {
    User(&'a str),
    /// The author named no user: all attempts at a name count for the same one.
    NoOne(&'a str),
}

const SHORTEST: Duration = Duration::from_secs(1);

#[cfg(test)]
#[path = "limit/tests.rs"]
mod tests;
