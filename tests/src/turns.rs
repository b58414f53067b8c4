//! Requests to one service at once, in every order of their steps: a store whose calls wait for their turn, before they are done
//! and before they are answered, and a search through who goes on next. And requests that are broken off at each of these steps.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};

use oauth_runtime::StoreError;
use oauth_runtime::store::{About, Change, Count, Counted, Incarnation, Key, MemoryStore, Reply, Seen, Store, Swap};
use tokio::sync::oneshot;
use tokio::task::{spawn_local, yield_now};

/// A store that waits for its turns while an order is run, and answers at once otherwise. Clones are one.
#[derive(Clone)]
pub struct Turns(Arc<Inner>);

struct Inner {
    store: MemoryStore,
    /// Whether a swap looks in one step, and writes in another.
    is_split: bool,
    line: Mutex<Line>,
}

#[derive(Default)]
struct Line {
    is_on: bool,
    /// After how many calls one fails, and whether it is done before.
    fails: Option<(usize, bool)>,
    /// How many have come.
    came: usize,
    waiting: Vec<oneshot::Sender<()>>,
}

impl Turns {
    /// Over this store.
    pub fn new(store: MemoryStore) -> Turns {
        Turns(Arc::new(Inner { store, is_split: false, line: Mutex::default() }))
    }

    /// The same with a fault, to show that it is found: a swap looks in one step, and writes in another.
    pub fn split(store: MemoryStore) -> Turns {
        Turns(Arc::new(Inner { store, is_split: true, line: Mutex::default() }))
    }

    /// Waits until it is chosen to go on: for a function of the test's own, too.
    pub async fn turn(&self) {
        let (go, goes) = oneshot::channel();
        {
            let mut line = self.line();
            if !line.is_on {
                return;
            }
            line.came += 1;
            line.waiting.push(go);
        }
        // It is dropped where the order ends before: then all go on.
        let _ = goes.await;
    }

    async fn around<'a, T: Unpin>(
        &'a self,
        reply: impl FnOnce(&'a MemoryStore) -> Reply<'a, T>,
    ) -> Result<T, StoreError> {
        self.turn().await;
        let fails = self.fails();
        let cut = || StoreError::Unavailable("it fails for a test".into());
        if fails == Some(false) {
            return Err(cut());
        }
        let answer = reply(&self.0.store).await;
        self.turn().await;
        if fails == Some(true) { Err(cut()) } else { answer }
    }

    /// Whether this call fails, and is done before.
    fn fails(&self) -> Option<bool> {
        let mut line = self.line();
        let (after, is_done) = line.fails?;
        line.fails = (after > 0).then(|| (after - 1, is_done));
        (after == 0).then_some(is_done)
    }

    /// Asks, and breaks off in this way; the answer, and whether it came to that.
    pub async fn broken<T: 'static>(&self, how: Break, asked: Asked<T>) -> (Option<T>, bool) {
        let (left, fails) = match how {
            Break::Dropped { after } => (Some(after), None),
            Break::Refused { after } => (None, Some((after, false))),
            Break::Lost { after } => (None, Some((after, true))),
        };
        *self.line() = Line { is_on: true, fails, ..Line::default() };
        let turns = self.clone();
        let task = spawn_local(async move {
            turns.turn().await;
            asked.await
        });
        let (mut made, mut is_dropped) = (0, false);
        while self.settled().await > 0 {
            if left == Some(made) {
                task.abort();
                is_dropped = !task.is_finished();
                if self.settled().await == 0 {
                    break;
                }
            }
            made += 1;
            let go = self.line().waiting.remove(0);
            let _ = go.send(());
        }
        let has_failed = left.is_none() && self.line().fails.is_none();
        *self.line() = Line::default();
        (task.await.ok(), is_dropped || has_failed)
    }

    /// A swap with that fault.
    async fn swap_in_two(&self, key: Key, change: Change) -> Result<Swap, StoreError> {
        let store = &self.0.store;
        let version = |seen: &Seen| seen.kept.as_ref().map(|kept| kept.version);
        self.turn().await;
        let seen = store.read(key).await?;
        if version(&seen) != change.since || seen.incarnation != change.incarnation {
            return Ok(Swap::Changed(seen));
        }
        self.turn().await;
        let since = version(&store.read(key).await?);
        store.swap(key, Change { since, ..change }).await
    }

    /// Lets all run until each waits for its turn, or for another; the number of those whose turn it could be.
    async fn settled(&self) -> usize {
        let (mut quiet, mut came) = (0, self.line().came);
        while quiet < QUIET {
            yield_now().await;
            let now = self.line().came;
            quiet = if now == came { quiet + 1 } else { 0 };
            came = now;
        }
        let mut line = self.line();
        line.waiting.retain(|go| !go.is_closed());
        line.waiting.len()
    }

    fn line(&self) -> MutexGuard<'_, Line> {
        self.0.line.lock().unwrap()
    }
}

impl Store for Turns {
    fn read(&self, key: Key) -> Reply<'_, Seen> {
        Reply::later(self.around(move |store| store.read(key)))
    }

    fn swap(&self, key: Key, change: Change) -> Reply<'_, Swap> {
        if self.0.is_split {
            return Reply::later(self.swap_in_two(key, change));
        }
        Reply::later(self.around(move |store| store.swap(key, change)))
    }

    fn count<'a>(&'a self, counts: &'a [Count]) -> Reply<'a, Vec<Counted>> {
        Reply::later(self.around(move |store| store.count(counts)))
    }

    fn renew(&self, bucket: u16, was: Incarnation) -> Reply<'_, Incarnation> {
        Reply::later(self.around(move |store| store.renew(bucket, was)))
    }

    fn about(&self) -> About {
        self.0.store.about()
    }
}

/// How a request ends before its end.
#[derive(Clone, Copy, Debug)]
pub enum Break {
    /// Its client goes away, after so many steps.
    Dropped {
        /// Of the store, two for each call.
        after: usize,
    },
    /// The store does not do one call, after so many others.
    Refused {
        /// Calls.
        after: usize,
    },
    /// The answer to one call is lost.
    Lost {
        /// Calls.
        after: usize,
    },
}

/// Every order, each once: a search through the choices, the last one first. Or so many at random, the same each time.
pub struct Orders {
    /// Which was chosen of how many.
    path: Vec<(usize, usize)>,
    /// How many choices the order that runs has made.
    made: usize,
    tried: usize,
    at_random: Option<(usize, u64)>,
}

/// What is asked for at once.
pub type Asked<T> = Pin<Box<dyn Future<Output = T>>>;

impl Orders {
    /// Every one.
    pub fn all() -> Orders {
        Orders { path: Vec::new(), made: 0, tried: 0, at_random: None }
    }

    /// This many at random.
    pub fn at_random(many: usize) -> Orders {
        Orders { at_random: Some((many, 0x9E37_79B9_7F4A_7C15)), ..Orders::all() }
    }

    /// Whether there is another one, which is run next.
    pub fn has_next(&mut self) -> bool {
        self.made = 0;
        let is_first = self.tried == 0;
        self.tried += 1;
        if let Some((many, _)) = self.at_random {
            self.path.clear();
            return self.tried <= many;
        }
        if is_first {
            return true;
        }
        while let Some((chosen, of)) = self.path.pop() {
            if chosen + 1 < of {
                self.path.push((chosen + 1, of));
                return true;
            }
        }
        false
    }

    /// The choices of this one.
    pub fn shown(&self) -> String {
        self.path.iter().map(|(chosen, _)| chosen.to_string()).collect::<Vec<_>>().join(" ")
    }

    /// Runs it: all that is asked, and the answers.
    pub async fn run<T: 'static>(&mut self, turns: &Turns, asked: Vec<Asked<T>>) -> Vec<T> {
        turns.line().is_on = true;
        let begin = |asked: Asked<T>| {
            let turns = turns.clone();
            spawn_local(async move {
                turns.turn().await;
                asked.await
            })
        };
        let tasks: Vec<_> = asked.into_iter().map(begin).collect();
        loop {
            let waiting = turns.settled().await;
            if waiting == 0 {
                break;
            }
            let chosen = self.choose(waiting);
            let go = turns.line().waiting.remove(chosen);
            // Its caller is there: those that were dropped have left the line.
            let _ = go.send(());
        }
        *turns.line() = Line::default();
        let mut answers = Vec::new();
        for task in tasks {
            assert!(task.is_finished(), "it waits for nothing that comes: {}", self.shown());
            answers.push(task.await.unwrap());
        }
        answers
    }

    fn choose(&mut self, of: usize) -> usize {
        if self.made == self.path.len() {
            let chosen = self.at_random.as_mut().map_or(0, |(_, seed)| {
                // Xorshift, by Marsaglia.
                *seed ^= *seed << 13;
                *seed ^= *seed >> 7;
                *seed ^= *seed << 17;
                (*seed % of as u64) as usize
            });
            self.path.push((chosen, of));
        }
        let (chosen, known) = self.path[self.made];
        assert_eq!(known, of, "the same choices lead to another place: {}", self.shown());
        self.made += 1;
        chosen
    }
}

/// After so many turns of the runtime in which no one came, no one will.
const QUIET: usize = 16;
