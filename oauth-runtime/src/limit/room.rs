//! The seats of waiting attempts: bounded in total and per network, so that they take bounded memory and no network
//! takes all of it.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;

/// The seats of one process.
#[derive(Default)]
pub(crate) struct Room(Mutex<Taken>);

#[derive(Default)]
struct Taken {
    all: usize,
    by: HashMap<From, usize>,
}

/// The widest network that an attempt is from, by its slots.
pub(crate) type From = [u32; 2];

/// A seat, free again when it is dropped.
pub(crate) struct Seat {
    room: Arc<Room>,
    from: Option<From>,
}

impl Room {
    /// `None` if too many wait, in total or of this network. `from` is `None` for a known browser or a signed-in user.
    pub(crate) fn seat(self: &Arc<Self>, from: Option<From>) -> Option<Seat> {
        let mut taken = self.0.lock();
        let Taken { all, by } = &mut *taken;
        match from {
            None if *all >= MOST => return None,
            None => {}
            Some(_) if *all >= MOST_OF_STRANGERS => return None,
            Some(from) => {
                let of_network = by.entry(from).or_default();
                // There is an entry because others from there wait.
                if *of_network >= MOST_OF_A_NETWORK {
                    return None;
                }
                *of_network += 1;
            }
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
        let Some(from) = self.from else { return };
        if let Some(of_network) = taken.by.get_mut(&from) {
            *of_network = of_network.saturating_sub(1);
            if *of_network == 0 {
                taken.by.remove(&from);
            }
        }
    }
}

/// How many wait in total.
const MOST: usize = 4096;
/// The last quarter is for known browsers.
const MOST_OF_STRANGERS: usize = MOST / 4 * 3;
/// A whole office can wait in the morning; it takes three floods to keep others out.
const MOST_OF_A_NETWORK: usize = MOST / 4;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c46_no_network_takes_all_seats_and_the_last_are_for_known_browsers() {
        let room = Arc::new(Room::default());
        let mut seats = Vec::new();
        let mut fill = |from: Option<From>| {
            let before = seats.len();
            while let Some(seat) = room.seat(from) {
                seats.push(seat);
            }
            seats.len() - before
        };
        let network = |number| Some([number, number]);
        assert_eq!([1, 2, 3, 4].map(|number| fill(network(number))), [1024, 1024, 1024, 0]);
        assert_eq!((fill(None), fill(network(5))), (1024, 0));
        drop(seats);
        assert!(room.is_empty(), "it leaves nothing behind");
    }
}
