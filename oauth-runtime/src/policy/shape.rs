//! What claims can be: the shape of a type, as serde writes it into a token.

mod types;

/// A type that claims have, or a part of them: what its values look like as JSON.
///
/// `#[derive(Claims)]` writes it for the application's structs and enums, by their serde attributes. By hand it is for a
/// type whose `Serialize` is written by hand too.
///
/// ```
/// use oauth_runtime::rule::{Shape, Shaped};
///
/// struct Email(String); // serialized as text, "ada@example.com"
///
/// impl Shaped for Email {
///     const SHAPE: Shape = Shape::Text;
/// }
/// assert_eq!(Email::SHAPE.to_string(), "text");
/// assert_eq!(<Vec<Option<u8>>>::SHAPE.to_string(), "a list, each an integer from 0 to 255 or null");
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not known as a claim",
    label = "what does this look like in a token?",
    note = "of this crate: `#[derive(Claims)]` on it; of another: `#[claims(as = String)]` on the field, with a type that \
            is written the same way (`serde_json::Value` for anything)"
)]
pub trait Shaped {
    /// What a value looks like.
    const SHAPE: Shape;
}

/// What the JSON of a claim can be.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Shape {
    /// Anything: what guards say about it is checked only at run time.
    Any,
    /// Always `null`.
    Null,
    /// A string.
    Text,
    /// `true` or `false`.
    Bool,
    /// An integer within these bounds, both included.
    Integer(i128, i128),
    /// Any number.
    Number,
    /// A string, one of these.
    Variants(&'static [&'static str]),
    /// An array of it.
    List(&'static Shape),
    /// An object with names that are not known.
    Map(&'static Shape),
    /// An object: the name of its type, and its fields.
    Object(&'static str, &'static [Field]),
    /// It, or `null`.
    Optional(&'static Shape),
    /// One of these.
    Either(&'static [Shape]),
}

/// A hash of a name, which two names share only by coincidence.
pub(crate) const fn key(name: &str) -> u64 {
    let mut bytes = name.as_bytes();
    let mut key = 0_u64;
    while let [first, rest @ ..] = bytes {
        key = (key << 7) ^ (key >> 57) ^ *first as u64;
        bytes = rest;
    }
    key
}

/// One field of a [`Shape::Object`].
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Field {
    pub(crate) name: &'static str,
    /// The key of the name, since comparing texts takes the compiler long.
    pub(crate) key: u64,
    pub(crate) shape: Shape,
    pub(crate) presence: Presence,
}

/// Whether the field is in a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Presence {
    Always,
    /// `default`: a token from elsewhere may lack it.
    Defaulted,
    /// `skip_serializing_if`, or only in some variants.
    Sometimes,
    /// `flatten`: the names are those of its own fields.
    Flat,
}

impl Field {
    /// A field that is in every token.
    #[must_use]
    pub const fn new(name: &'static str, shape: Shape) -> Self {
        Field { name, key: key(name), shape, presence: Presence::Always }
    }

    /// A field that is in every token of this server, and has a default when tokens of another are read.
    #[must_use]
    pub const fn defaulted(name: &'static str, shape: Shape) -> Self {
        Field { name, key: key(name), shape, presence: Presence::Defaulted }
    }

    /// A field that may be left out.
    #[must_use]
    pub const fn optional(name: &'static str, shape: Shape) -> Self {
        Field { name, key: key(name), shape, presence: Presence::Sometimes }
    }

    /// A field that is replaced by its own fields.
    #[must_use]
    pub const fn flat(shape: Shape) -> Self {
        Field { name: "", key: 0, shape, presence: Presence::Flat }
    }
}
