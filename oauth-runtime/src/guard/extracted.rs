//! The type as which a handler reads the claims: for the compiler, which compares it with the one that `claims!(..)`
//! names, and for the builder.

use std::any::{TypeId, type_name};
use std::collections::{BTreeMap, HashMap};
use std::marker::PhantomData;

use serde_json::{Map, Value};

use crate::guard::extract::Claims;
use crate::policy::bound::Binds;

/// The type of one argument of a handler.
#[derive(Debug)]
pub struct Extracted<A>(PhantomData<A>);

impl<A> Extracted<A> {
    /// For this type.
    #[must_use]
    #[allow(clippy::new_without_default)]
    pub const fn new() -> Self {
        Extracted(PhantomData)
    }
}

// Inherent methods come before those of `OtherExtractor`: this distinguishes the claims from all other arguments.
impl<T: 'static> Extracted<Claims<T>> {
    /// The crate's claims are of this type.
    pub fn is_bound<B: Binds<T>>(&self, _: B) {}

    /// The type as which the claims are read; `None` if it says nothing about them.
    #[must_use]
    pub fn claims_type(&self) -> Option<(TypeId, &'static str)> {
        let json = [
            TypeId::of::<Value>(),
            TypeId::of::<Map<String, Value>>(),
            TypeId::of::<HashMap<String, Value>>(),
            TypeId::of::<BTreeMap<String, Value>>(),
        ];
        (!json.contains(&TypeId::of::<T>())).then(|| (TypeId::of::<T>(), type_name::<T>()))
    }
}

/// An argument that does not read the claims.
pub trait OtherExtractor {
    /// There is nothing to compare.
    fn is_bound<B>(&self, _: B) {}

    /// It has none.
    fn claims_type(&self) -> Option<(TypeId, &'static str)> {
        None
    }
}

impl<A> OtherExtractor for Extracted<A> {}
