//! The seats of who waits in one line: bounded in total, per network and per user, so that they take bounded memory and neither a
//! network nor a user takes all of it.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;

/// The seats of one line of a process.
#[derive(Default)]
pub(crate) struct Room(Mutex<Taken>);

#[derive(Default)]
struct Taken {
    all: usize,
    by: HashMap<From, usize>,
}

/// For whom a seat counts.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum From {
    /// The widest network that an attempt is from, by its slots.
    Network([u32; 2]),
    /// A user who is signed in.
    User(Arc<str>),
}

/// A seat, free again when it is dropped.
pub(crate) struct Seat {
    room: Arc<Room>,
    from: Option<From>,
}

impl Room {
    /// `None` if too many wait, in total or of these. `from` is `None` for a known browser.
    pub(crate) fn seat(self: &Arc<Self>, from: Option<From>) -> Option<Seat> {
        let mut taken = self.0.lock();
        let Taken { all, by } = &mut *taken;
        let (most, most_of_them) = match &from {
            None => (MOST, MOST),
            Some(From::User(_)) => (MOST, MOST_OF_A_USER),
            Some(From::Network(_)) => (MOST_OF_STRANGERS, MOST_OF_A_NETWORK),
        };
        if *all >= most {
            return None;
        }
        if let Some(from) = &from {
            let of_them = by.entry(from.clone()).or_default();
            // There is an entry because others of them wait.
            if *of_them >= most_of_them {
                return None;
            }
            *of_them += 1;
        }
        *all += 1;
        Some(Seat { room: Arc::clone(self), from })
    }

    #[cfg(test)]
    pub(crate) fn is_empty(&self) -> bool {
        let taken = self.0.lock();
        taken.all == 0 && taken.by.is_empty()
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self.room.0.lock();
        taken.all = taken.all.saturating_sub(1);
        let Some(from) = &self.from else { return };
        if let Some(of_them) = taken.by.get_mut(from) {
            *of_them = of_them.saturating_sub(1);
            if *of_them == 0 {
                taken.by.remove(from);
            }
        }
    }
}

/// How many wait in one line.
const MOST: usize = 4096;
/// The last quarter is for known browsers, and users who are signed in.
const MOST_OF_STRANGERS: usize = MOST / 4 * 3;
/// A whole office can wait in the morning; it takes three floods to keep others out.
const MOST_OF_A_NETWORK: usize = MOST / 4;
/// The tabs and applications of one user.
const MOST_OF_A_USER: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c46_no_network_and_no_user_takes_all_seats_and_the_last_are_for_known_browsers() {
        let room = Arc::new(Room::default());
        let mut seats = Vec::new();
        let mut fill = |from: Option<From>| {
            let before = seats.len();
            while let Some(seat) = room.seat(from.clone()) {
                seats.push(seat);
            }
            seats.len() - before
        };
        let network = |number| Some(From::Network([number, number]));
        let user = |name: &str| Some(From::User(name.into()));
        assert_eq!([1, 2, 3, 4].map(|number| fill(network(number))), [1024, 1024, 1024, 0]);
        assert_eq!(["ada", "bob", "ada"].map(|name| fill(user(name))), [64, 64, 0], "nor does a user");
        assert_eq!((fill(None), fill(network(5)), fill(user("eve"))), (896, 0, 0));
        drop(seats);
        assert!(room.is_empty(), "it leaves nothing behind");
    }
}
