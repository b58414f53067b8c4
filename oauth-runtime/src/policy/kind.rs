//! A kind of value that a claim can have: what terms about it, taken together, tell apart.

use crate::policy::Value;

/// Within one of these each of some terms says the same. The macros decide which there are, and for which the terms hold.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// Not there, or `null`.
    Absent,
    /// `true` or `false`.
    Bool(bool),
    /// This text.
    Text(&'static str),
    /// Any text but these.
    OtherText(&'static [&'static str]),
    /// This number.
    Is(Value),
    /// The numbers above the one and below the other.
    Between(Option<Value>, Option<Value>),
    /// An object.
    Object,
    /// A list of values of these kinds.
    List(&'static [Kind]),
}
