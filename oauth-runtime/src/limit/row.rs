//! The slots of the store's counters in which something counts.

use std::hash::Hasher as _;
use std::time::Duration;

use siphasher::sip128::{Hasher128 as _, SipHasher24};

use crate::model::device_code::DeviceCode;
use crate::store::SLOTS;

/// The slots of a value in two tables, of which the smaller sum is closer to the truth, since another value rarely
/// shares both. And its gate, for when it has counted too much.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) kind: Kind,
    pub(crate) slots: [u32; 2],
    pub(crate) gate: u32,
}

/// From the table below: what is counted, in which table, how events name the limit, and how much is free.
macro_rules! kinds {
    ($($(#[$meta:meta])* $kind:ident, $table:ident, $limit:literal, $free:expr;)+) => {
        /// What is counted.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Kind { $($(#[$meta])* $kind),+ }

        impl Kind {
            #[cfg(test)]
            pub(super) const ALL: &[Kind] = &[$(Kind::$kind),+];

            /// The name of the limit in events.
            pub(crate) fn as_str(self) -> &'static str {
                match self { $(Kind::$kind => $limit),+ }
            }

            /// How many are free within its window, mostly an hour, before delays begin.
            pub(crate) fn free(self) -> u64 {
                match self { $(Kind::$kind => $free),+ }
            }

            /// Its table. Kinds that share a table may share a slot, and then add up.
            fn table(self) -> Table {
                match self { $(Kind::$kind => Table::$table),+ }
            }
        }
    };
}

kinds! {
    /// Failures of a network: an office shares one address.
    Address, Address, "address", 100;
    Address56, Address, "address", 200;
    Address48, Address, "address", 400;
    /// Passwords for a name from a network.
    NameAt, NameAt, "name_and_address", 10;
    NameAt56, NameAt56, "name_and_address", 20;
    NameAt48, NameAt48, "name_and_address", 40;
    /// Passwords for a name from anywhere.
    Name, Name, "name", 100;
    /// Wrong passwords for a user, under any name.
    Subject, Subject, "subject", 100;
    /// The same from a network: it says whether the network is new to them, and delays nothing by itself.
    SubjectAt, SubjectAt, "subject", u64::MAX;
    /// Answers after the password, by the name: a code may have six digits.
    Answer, Answer, "second_factor", 5;
    /// The same, by the user.
    AnswerOf, Answer, "second_factor", 5;
    /// Passwords from a browser that is known for the name.
    Device, Device, "device", 10;
    /// Answers from such a browser.
    DeviceAnswer, Device, "device", 5;
    /// Failed tries of a client from an address.
    Client, Client, "client", 10;
    /// Devices of a network that ask for a sign-in.
    DevicesAt, Client, "devices", 30;
    DevicesAt56, Client, "devices", 60;
    DevicesAt48, Client, "devices", 120;
    /// All devices that ask: each waits in the store for as long as this counts.
    Devices, Client, "devices", 10_000;
    /// Codes of devices that are typed in a network.
    UserCode, Client, "user_code", 10;
    /// Registrations from an address.
    Registration, Client, "registration", 50;
    Registration56, Client, "registration", 100;
    Registration48, Client, "registration", 200;
}

/// From the table below: how many counters each of the two rows has, one table after another.
macro_rules! tables {
    ($($table:ident, $width:literal;)+) => {
        #[derive(Clone, Copy)]
        enum Table { $($table),+ }

        impl Table {
            const WIDTHS: &[u32] = &[$($width),+];
        }
    };
}

// The fewer are free, and the more easily strangers can name what is counted, the wider the table: 500,000 failures
// within an hour, each by another name from another network, leave others their free attempts. In memory all tables
// take 8 MiB.
tables! {
    Address, 0x1_0000;
    NameAt, 0x2_0000;
    NameAt56, 0x8000;
    NameAt48, 0x4000;
    Name, 0x8000;
    Subject, 0x8000;
    SubjectAt, 0x2_0000;
    Answer, 0x8000;
    Device, 0x4000;
    Client, 0x4000;
}

impl Table {
    /// Its width, and where it begins.
    fn place(self) -> (u32, u32) {
        let index = self as usize;
        let (before, width) = (Table::WIDTHS.iter().take(index), Table::WIDTHS.get(index));
        (width.copied().unwrap_or(1), before.map(|width| 2 * width).sum())
    }
}

/// All gates, in a row of their own after the tables.
const GATES: u32 = 0x8000;
const GATES_AT: u32 = {
    let (mut slots, mut index) = (0, 0);
    while index < Table::WIDTHS.len() {
        slots += 2 * Table::WIDTHS[index];
        index += 1;
    }
    slots
};
const _: () = assert!(GATES_AT + GATES <= SLOTS);

impl Kind {
    pub(crate) fn is_of_a_network(self) -> bool {
        matches!(self, Kind::Address | Kind::Address56 | Kind::Address48)
    }

    /// How long it counts.
    pub(super) fn window(self) -> Duration {
        if self == Kind::Devices { DeviceCode::LIFETIME } else { AN_HOUR }
    }

    pub(crate) fn is_of_a_person(self) -> bool {
        matches!(self, Kind::Name | Kind::Subject)
    }

    pub(crate) fn is_of_a_person_in_a_network(self) -> bool {
        matches!(self, Kind::NameAt | Kind::NameAt56 | Kind::NameAt48 | Kind::SubjectAt)
    }
}

const AN_HOUR: Duration = Duration::from_secs(3600);

/// With fewer failures than this, a network counts as new to a person whose password is being guessed. Each network has
/// this many additional tries, within the budget of all: with a larger number, fewer networks could spend that.
pub(super) const MISTYPED: u64 = 3;

/// The key that assigns slots.
#[derive(Clone)]
pub(super) struct RowKey(SipHasher24);

impl RowKey {
    /// Without it no one can choose values that count together: so a short keyed hash is enough, the same in each
    /// process with the secret.
    pub(super) fn new(key: &[u8; 32]) -> Self {
        // Half of the key, all of whose bytes are random.
        RowKey(SipHasher24::new_with_key(&std::array::from_fn(|index| key[index])))
    }

    pub(super) fn row(&self, kind: Kind, value: &str) -> Row {
        let mut hasher = self.0;
        hasher.write(&[kind as u8]);
        hasher.write(value.as_bytes());
        let hash = hasher.finish128().as_u128();
        let part = |index: u32| (hash >> (32 * index)) as u32;
        let (width, start) = kind.table().place();
        let slots = [start + part(0) % width, start + width + part(1) % width];
        Row { kind, slots, gate: GATES_AT + part(2) % GATES }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_slot_is_one_of_the_store_in_the_table_of_its_kind() {
        let key = RowKey::new(&[7; 32]);
        let mut ends = 0;
        for kind in Kind::ALL {
            let (width, start) = kind.table().place();
            ends = ends.max(start + 2 * width);
            for value in 0..1_000 {
                let Row { slots: [first, second], gate, .. } = key.row(*kind, &value.to_string());
                assert!((start..start + width).contains(&first), "{kind:?}");
                assert!((start + width..start + 2 * width).contains(&second), "{kind:?}");
                assert!((GATES_AT..GATES_AT + GATES).contains(&gate));
            }
        }
        assert_eq!(ends, GATES_AT, "no table is in another");
    }

    /// Processes of two releases count together: if this changes, guesses have twice the allowance while both run.
    #[test]
    fn where_something_counts_stays_the_same() {
        let row = RowKey::new(&[7; 32]).row(Kind::Name, "alice");
        assert_eq!((row.slots, row.gate), ([497_145, 553_476], 1_016_155));
        let other = RowKey::new(&[8; 32]).row(Kind::Name, "alice");
        assert_ne!(row.slots, other.slots, "by the key");
    }
}
