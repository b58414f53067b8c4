//! A kind of value that a claim can have: all values that the terms about it do not distinguish.

use crate::policy::Value;

/// Each term gives the same answer for all values of one kind. The macros decide which kinds there are, and for which
/// the terms hold.
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
