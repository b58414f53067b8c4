//! The addresses to which requests may go, and how many: only here names become addresses.

use std::collections::HashMap;
use std::error::Error;
use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::clients::documents::address::Reach;
use crate::model::document::{Away, Unfit};
use crate::model::{Clock, Timestamp};
use crate::store::Key;

/// Why a document was not fetched.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum NotFetched {
    Unfit(Unfit),
    Away(Away),
}

impl From<Unfit> for NotFetched {
    fn from(unfit: Unfit) -> Self {
        NotFetched::Unfit(unfit)
    }
}

impl From<Away> for NotFetched {
    fn from(away: Away) -> Self {
        NotFetched::Away(away)
    }
}

impl fmt::Display for NotFetched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            NotFetched::Unfit(unfit) => unfit.text(),
            NotFetched::Away(away) => away.text(),
        })
    }
}

impl Error for NotFetched {}

crate::model::debug_as_text!(NotFetched);

/// Asks the domain name system.
pub(super) type LookUp = Arc<dyn Fn(String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> + Send + Sync>;

/// Admits the requests of one kind of [asker](Asker): new clients take nothing from those that hold something.
pub(super) struct Gate {
    reach: Reach,
    look_up: LookUp,
    clock: Clock,
    counted: Mutex<Counted>,
}

/// For whom a document is asked for, by their subject.
#[derive(Clone, Copy)]
pub(crate) enum Asker<'a> {
    /// A user who is signed in, and a client that may be new.
    User(&'a str),
    /// A client that holds something of this user.
    Holder(&'a str),
}

impl<'a> Asker<'a> {
    /// Whose share it is: one user can have as many clients as they like.
    pub(super) fn subject(self) -> &'a str {
        match self {
            Asker::User(subject) | Asker::Holder(subject) => subject,
        }
    }
}

/// The requests of a minute.
#[derive(Default)]
struct Counted {
    since: Option<Timestamp>,
    all: u32,
    /// At most as many as there are requests.
    by_subject: HashMap<Key, u32>,
    /// At most as many as there are requests, times the addresses of each.
    by_network: HashMap<IpAddr, u32>,
}

impl Gate {
    pub(super) fn new(reach: Reach, look_up: LookUp, clock: Clock) -> Self {
        Gate { reach, look_up, clock, counted: Mutex::default() }
    }

    /// Whether one more request would be admitted, as far as known before its host is looked up.
    pub(super) fn has_room(&self, asker: Asker<'_>) -> bool {
        let subject = Key::of_subject(asker.subject());
        self.of_this_minute(|counted| counted.has_room(subject))
    }

    /// Counts a request before its host is looked up, since that is a request as well.
    pub(super) fn count(&self, asker: Asker<'_>) -> Result<(), Away> {
        let subject = Key::of_subject(asker.subject());
        self.of_this_minute(|counted| {
            if !counted.has_room(subject) {
                return Err(Away::Budget);
            }
            counted.all += 1;
            *counted.by_subject.entry(subject).or_default() += 1;
            Ok(())
        })
    }

    /// The addresses that a host has now and that a request may go to. A connection goes only to one of them: the name
    /// is not looked up again a moment later.
    pub(super) async fn addresses(&self, host: &str) -> Result<Vec<IpAddr>, NotFetched> {
        let found = (self.look_up)(host.to_owned()).await.map_err(|_| Away::Unreachable)?;
        self.admit(found)
    }

    /// The same, for known addresses.
    pub(super) fn admit(&self, mut found: Vec<IpAddr>) -> Result<Vec<IpAddr>, NotFetched> {
        // All of them must be: otherwise a name with one public address would be a way to the others.
        if !found.iter().all(|address| self.reach.has(*address)) {
            return Err(Unfit::Address.into());
        }
        if found.is_empty() {
            return Err(Away::Unreachable.into());
        }
        found.truncate(MOST_ADDRESSES);
        self.of_this_minute(|counted| {
            found.retain(|address| {
                let requests = counted.by_network.entry(network(*address)).or_default();
                *requests = requests.saturating_add(1);
                *requests <= MOST_OF_AN_ADDRESS
            });
        });
        if found.is_empty() { Err(Away::Budget.into()) } else { Ok(found) }
    }

    fn of_this_minute<T>(&self, judge: impl FnOnce(&mut Counted) -> T) -> T {
        let now = self.clock.now();
        let mut counted = self.counted.lock();
        if counted.since.is_none_or(|since| now.since(since) >= MINUTE) {
            *counted = Counted { since: Some(now), ..Counted::default() };
        }
        judge(&mut counted)
    }
}

impl Counted {
    fn has_room(&self, subject: Key) -> bool {
        self.all < MOST_OF_ALL && self.by_subject.get(&subject).is_none_or(|requests| *requests < MOST_OF_A_SUBJECT)
    }
}

/// The resolver of an HTTP client: it knows only addresses that the gate admitted.
pub(super) struct Resolver(pub(super) Arc<Gate>);

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let gate = Arc::clone(&self.0);
        Box::pin(async move {
            let found = gate.addresses(name.as_str()).await?;
            // Zero means the port of the URL.
            let found: Addrs = Box::new(found.into_iter().map(|address| SocketAddr::new(address, 0)));
            Ok(found)
        })
    }
}

/// The system's resolver.
pub(super) fn system() -> LookUp {
    Arc::new(|host| {
        Box::pin(async move {
            let found = tokio::net::lookup_host((host, 0)).await?;
            Ok(found.map(|address| address.ip()).collect())
        })
    })
}

/// What is counted together: an IPv6 network, in which one host has as many addresses as it likes.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
    }
}

const MINUTE: Duration = Duration::from_secs(60);
/// Per minute. New clients are few; known ones are not fetched again for at least a minute.
const MOST_OF_ALL: u32 = 60;
/// Per minute and user: fewer than of an address, so that no user alone keeps the clients of one from others.
const MOST_OF_A_SUBJECT: u32 = 8;
/// Per minute and address. A network that serves many sites has many addresses.
const MOST_OF_AN_ADDRESS: u32 = 10;
/// How many addresses of a host are tried.
const MOST_ADDRESSES: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    fn gate(reach: Reach, answers: impl Fn(&str) -> Vec<&'static str> + Send + Sync + 'static) -> Gate {
        let look_up: LookUp = Arc::new(move |host| {
            let found = answers(&host).iter().map(|text| text.parse().expect("an address")).collect();
            Box::pin(async { Ok(found) })
        });
        Gate::new(reach, look_up, Clock::by_hand())
    }

    fn ips(texts: &[&str]) -> Vec<IpAddr> {
        texts.iter().map(|text| text.parse().expect("an address")).collect()
    }

    #[tokio::test]
    async fn a_name_is_as_public_as_the_least_public_of_its_addresses() {
        let gate = gate(Reach::Public, |host| match host {
            "good" => vec!["8.8.8.8", "2606:4700::1111"],
            "mixed" => vec!["8.8.8.8", "10.0.0.1"],
            "hidden" => vec!["2606:4700::1111", "::ffff:169.254.169.254"],
            "late" => vec![
                "8.8.8.8",
                "8.8.8.8",
                "8.8.8.8",
                "8.8.8.8",
                "8.8.8.8",
                "8.8.8.8",
                "8.8.8.8",
                "8.8.8.8",
                "127.0.0.1",
            ],
            "many" => vec!["8.8.8.8"; 100],
            _ => vec![],
        });
        assert_eq!(gate.addresses("many").await.map(|tried| tried.len()), Ok(MOST_ADDRESSES));
        assert_eq!(gate.addresses("good").await, Ok(ips(&["8.8.8.8", "2606:4700::1111"])));
        for bad in ["mixed", "hidden", "late"] {
            assert_eq!(gate.addresses(bad).await, Err(Unfit::Address.into()), "{bad}");
        }
        assert_eq!(gate.addresses("none").await, Err(Away::Unreachable.into()));
    }

    /// Connections go to checked addresses: a name that changes is looked up and checked again.
    #[tokio::test]
    async fn a_name_that_changes_its_address_is_checked_at_each_connection() {
        let turn = Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let turns = Arc::clone(&turn);
        let gate =
            Arc::new(gate(Reach::Public, move |_| match turns.fetch_add(1, std::sync::atomic::Ordering::SeqCst) {
                0 => vec!["8.8.8.8"],
                _ => vec!["127.0.0.1"],
            }));
        let resolver = Resolver(Arc::clone(&gate));
        let resolve = || resolver.resolve("rebinds.example".parse().expect("a name"));
        let first: Vec<SocketAddr> = resolve().await.map(Iterator::collect).unwrap_or_default();
        assert_eq!(first, [SocketAddr::new(ips(&["8.8.8.8"])[0], 0)]);
        let second = resolve().await.map(drop).expect_err("it is loopback now");
        assert_eq!(second.downcast_ref::<NotFetched>(), Some(&NotFetched::Unfit(Unfit::Address)));
    }

    #[tokio::test]
    async fn requests_are_counted_in_all_and_by_address() {
        let gate = gate(Reach::Public, |host| match host {
            "one" => vec!["8.8.8.8"],
            "one network" => vec!["2606:4700::1", "2606:4700::2"],
            _ => vec!["8.8.8.8", "1.1.1.1"],
        });
        for _ in 0..MOST_OF_AN_ADDRESS {
            assert!(gate.addresses("one").await.is_ok());
        }
        assert_eq!(gate.addresses("one").await, Err(Away::Budget.into()));
        // The remaining addresses of a host that has more.
        assert_eq!(gate.addresses("two").await, Ok(ips(&["1.1.1.1"])));
        for _ in 0..MOST_OF_AN_ADDRESS / 2 {
            assert!(gate.addresses("one network").await.is_ok());
        }
        assert_eq!(gate.addresses("one network").await, Err(Away::Budget.into()));

        let subjects: Vec<String> = (0..MOST_OF_ALL).map(|number| number.to_string()).collect();
        for subject in &subjects {
            assert!(gate.has_room(Asker::User(subject)));
            assert_eq!(gate.count(Asker::User(subject)), Ok(()));
        }
        assert!(!gate.has_room(Asker::User("one more")));
        assert_eq!(gate.count(Asker::User("one more")), Err(Away::Budget));
        gate.clock.advance(MINUTE);
        assert_eq!(gate.count(Asker::User("one more")), Ok(()));
        assert!(gate.addresses("one").await.is_ok());
    }

    #[test]
    fn c50_one_user_takes_a_share_and_leaves_the_rest_to_others() {
        let gate = gate(Reach::Public, |_| vec![]);
        for _ in 0..MOST_OF_A_SUBJECT {
            assert_eq!(gate.count(Asker::User("mallory")), Ok(()));
        }
        assert!(!gate.has_room(Asker::User("mallory")) && gate.has_room(Asker::User("ada")));
        assert_eq!(gate.count(Asker::Holder("mallory")), Err(Away::Budget), "whatever for");
        assert_eq!(gate.count(Asker::User("ada")), Ok(()));
        gate.clock.advance(MINUTE);
        assert_eq!(gate.count(Asker::User("mallory")), Ok(()));
    }
}
