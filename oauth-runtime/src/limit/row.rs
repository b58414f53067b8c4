//! Where something counts: which slots of the store's counters.

use aws_lc_rs::hmac;

use crate::store::SLOTS;

/// Where a value counts: in two tables, of which the lesser sum is nearer the truth, since another value rarely meets it in
/// both. And its gate, where it has counted too much.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) kind: Kind,
    pub(crate) slots: [u32; 2],
    pub(crate) gate: u32,
}

/// From the table below: what is counted, how events name the limit, and how much is free.
macro_rules! kinds {
    ($($(#[$meta:meta])* $kind:ident, $tables:literal, $limit:literal, $free:expr;)+) => {
        /// What is counted.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Kind { $($(#[$meta])* $kind),+ }

        impl Kind {
            #[cfg(test)]
            pub(super) const ALL: &[Kind] = &[$(Kind::$kind),+];

            /// As events name the limit.
            pub(crate) fn as_str(self) -> &'static str {
                match self { $(Kind::$kind => $limit),+ }
            }

            /// How much of it is free within an hour: then delays begin.
            pub(crate) fn free(self) -> u64 {
                match self { $(Kind::$kind => $free),+ }
            }

            /// Which tables it has. Those that share theirs may meet, and then add up.
            fn tables(self) -> u32 {
                match self { $(Kind::$kind => $tables),+ }
            }
        }
    };
}

kinds! {
    /// Failures of a network: an office shares one address.
    Address, 0, "address", 100;
    Address56, 0, "address", 200;
    Address48, 0, "address", 400;
    /// Passwords for a name from a network.
    NameAt, 1, "name_and_address", 10;
    NameAt56, 2, "name_and_address", 20;
    NameAt48, 3, "name_and_address", 40;
    /// Passwords for a name from anywhere.
    Name, 4, "name", 100;
    /// Wrong passwords for a user, by whatever name.
    Subject, 5, "subject", 100;
    /// The same from a network: it says whether the network is a stranger to them, and holds up nothing by itself.
    SubjectAt, 5, "subject", u64::MAX;
    /// Answers after the password, by the name: a code may have six digits.
    Answer, 6, "second_factor", 5;
    /// The same, by the user.
    AnswerOf, 7, "second_factor", 5;
    /// Passwords from a browser that is known for the name.
    Device, 9, "device", 10;
    /// Answers from it.
    DeviceAnswer, 9, "device", 5;
    /// Failed tries of a client from an address.
    Client, 8, "client", 10;
}

impl Kind {
    pub(crate) fn is_of_a_network(self) -> bool {
        matches!(self, Kind::Address | Kind::Address56 | Kind::Address48)
    }

    pub(crate) fn is_of_a_person(self) -> bool {
        matches!(self, Kind::Name | Kind::Subject)
    }

    pub(crate) fn is_of_a_person_in_a_network(self) -> bool {
        matches!(self, Kind::NameAt | Kind::NameAt56 | Kind::NameAt48 | Kind::SubjectAt)
    }
}

/// How many failures leave a network a stranger to a person at whom is guessed. Each network has so many tries more, within
/// the budget of all: a larger number lets fewer networks spend that.
pub(super) const MISTYPED: u64 = 3;

/// The counters' key: no one else can choose values that count together.
pub(super) fn row(key: &hmac::Key, kind: Kind, value: &str) -> Row {
    let mut context = hmac::Context::with_key(key);
    context.update(&[kind as u8]);
    context.update(value.as_bytes());
    let tag = context.sign();
    let part = |index: usize| {
        tag.as_ref()
            .get(4 * index..4 * index + 4)
            .map_or(0, |bytes| bytes.iter().fold(0, |number: u32, byte| (number << 8) | u32::from(*byte)))
    };
    let slot = |index: u8| (kind.tables() * OF_A_KIND + u32::from(index)) * TABLE + part(usize::from(index)) % TABLE;
    Row { kind, slots: [slot(0), slot(1)], gate: slot(2) }
}

/// Counters of one table.
pub(super) const TABLE: u32 = 1 << 15;
/// Two to count in, and one of gates.
pub(super) const OF_A_KIND: u32 = 3;
const _: () = assert!(TABLE * OF_A_KIND * 10 <= SLOTS);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_slot_is_one_of_the_store() {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &[7; 32]);
        for kind in Kind::ALL {
            let tables = kind.tables() * OF_A_KIND;
            for value in 0..1_000 {
                let Row { slots: [first, second], gate, .. } = row(&key, *kind, &value.to_string());
                let found = [first, second, gate].map(|slot| slot / TABLE);
                assert_eq!(found, [tables, tables + 1, tables + 2]);
                assert!(gate < SLOTS);
            }
        }
    }
}
