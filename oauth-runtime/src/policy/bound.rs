//! The type of a crate's claims, as its guards find it: what `claims!(..)` writes, and the fallback without it.

use std::any::TypeId;

use serde::Serialize;

use crate::policy::Shape;

/// What `claims!(..)` binds the guards of a crate to.
#[derive(Clone, Copy, Debug)]
pub struct Bound {
    /// The claims are of one of these types. If there are none, the crate binds nothing.
    pub types: &'static [BoundType],
    /// The scopes, if they are declared.
    pub scopes: Option<&'static [&'static str]>,
    /// The values of `acr`, if they are declared.
    pub acr: Option<&'static [&'static str]>,
}

/// One of the types that `claims!(..)` names.
#[derive(Clone, Copy, Debug)]
pub struct BoundType {
    /// What it looks like in a token.
    pub shape: Shape,
    /// Tokens are made of it, rather than only read.
    pub is_issued: bool,
    /// The type, and its name.
    pub named: fn() -> NamedType,
}

/// A type, and its name.
pub(crate) type NamedType = (TypeId, &'static str);

/// What `claims!(..)` registers for [`Builder::build`](crate::Builder::build).
#[derive(Debug)]
pub struct Binding(pub &'static Bound);

inventory::collect!(Binding);

/// The claims of this crate are a `T`.
#[diagnostic::on_unimplemented(
    message = "`{T}` is not the type of this crate's claims",
    label = "of another type than `claims!(..)` names",
    note = "name it there as well, as in `claims!(User, {T})`, or write the type that is there"
)]
pub trait Binds<T> {}

/// Every value of an enum without data.
pub trait Listed: Sized + 'static {
    /// In the order in which they are written.
    const ALL: &'static [Self];
}

/// Finds out about a type: its inherent constants come before those of [`NotListed`] and [`NotIssued`].
#[derive(Debug)]
pub struct Probe<T>(std::marker::PhantomData<T>);

impl<T: Listed> Probe<T> {
    /// Its values.
    pub const ALL: &'static [T] = T::ALL;
}

impl<T: Serialize> Probe<T> {
    /// Tokens are made of it, rather than only read.
    pub const IS_ISSUED: bool = true;
}

/// For a type of which no token is made.
pub trait NotIssued {
    /// It is only read.
    const IS_ISSUED: bool = false;
}

impl<T> NotIssued for Probe<T> {}

/// For a type in a pattern whose values are not listed.
pub trait NotListed {
    /// The type itself.
    type Value: 'static;

    /// Its values are not known.
    const ALL: &'static [Self::Value] = &[];
}

impl<T: 'static> NotListed for Probe<T> {
    type Value = T;
}

/// Nothing is checked against it.
pub const UNBOUND: Bound = Bound { types: &[], scopes: None, acr: None };

/// What guards find in a crate without `claims!(..)`.
pub mod unbound {
    /// Takes the place of the module that `claims!(..)` writes.
    #[allow(non_snake_case)]
    pub mod __CLAIMS_MACRO_IS_WRITTEN_ONCE_AT_THE_ROOT_OF_THE_CRATE {
        use crate::policy::bound::Binds;
        pub use crate::policy::bound::UNBOUND as __OAUTH_CLAIMS;

        /// Takes the place of the type that `claims!(..)` names.
        #[derive(Debug)]
        pub struct __OAuthClaims;

        impl<T> Binds<T> for __OAuthClaims {}
    }
}
