//! The type of a crate's claims, as its guards find it: what `claims!(..)` writes, and what stands in its place.

use std::any::TypeId;

use serde::Serialize;

use crate::policy::Shape;

/// What `claims!(..)` binds the guards of a crate to.
#[derive(Clone, Copy, Debug)]
pub struct Bound {
    /// One of these the claims are. None: the crate binds nothing.
    pub types: &'static [BoundType],
    /// The scopes that there are, where they are declared.
    pub scopes: Option<&'static [&'static str]>,
    /// The values of `acr` that there are, where they are declared.
    pub acr: Option<&'static [&'static str]>,
}

/// One of the types that `claims!(..)` names.
#[derive(Clone, Copy, Debug)]
pub struct BoundType {
    /// What it looks like in a token.
    pub shape: Shape,
    /// Tokens are made of it, and not read alone.
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

/// A type of which is asked what it is. Its own constants come before those of [`NotListed`] and [`NotIssued`].
#[derive(Debug)]
pub struct Probe<T>(std::marker::PhantomData<T>);

impl<T: Listed> Probe<T> {
    /// Its values.
    pub const ALL: &'static [T] = T::ALL;
}

impl<T: Serialize> Probe<T> {
    /// Tokens are made of it, and not read alone.
    pub const IS_ISSUED: bool = true;
}

/// Of a type that no token is made of.
pub trait NotIssued {
    /// It is read alone.
    const IS_ISSUED: bool = false;
}

impl<T> NotIssued for Probe<T> {}

/// Of a type in a pattern whose values are not listed.
pub trait NotListed {
    /// The type itself.
    type Value: 'static;

    /// It is not known which they are.
    const ALL: &'static [Self::Value] = &[];
}

impl<T: 'static> NotListed for Probe<T> {
    type Value = T;
}

/// Nothing is checked against it.
pub const UNBOUND: Bound = Bound { types: &[], scopes: None, acr: None };

/// What guards find in a crate without `claims!(..)`.
pub mod unbound {
    /// In the place of the module that `claims!(..)` writes.
    #[allow(non_snake_case)]
    pub mod __CLAIMS_MACRO_IS_WRITTEN_ONCE_AT_THE_ROOT_OF_THE_CRATE {
        use crate::policy::bound::Binds;
        pub use crate::policy::bound::UNBOUND as __OAUTH_CLAIMS;

        /// In the place of the type that `claims!(..)` names.
        #[derive(Debug)]
        pub struct __OAuthClaims;

        impl<T> Binds<T> for __OAuthClaims {}
    }
}
