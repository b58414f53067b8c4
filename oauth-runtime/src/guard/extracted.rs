//! What a handler reads the claims as: told to the compiler, which compares it with the type that `claims!(..)` names, and to
//! the builder.

use std::any::{TypeId, type_name};
use std::collections::{BTreeMap, HashMap};
use std::marker::PhantomData;

use serde_json::{Map, Value};

use crate::guard::extract::Claims;
use crate::policy::bound::Binds;

/// One argument of a handler, by its type alone.
#[derive(Debug)]
pub struct Extracted<A>(PhantomData<A>);

impl<A> Extracted<A> {
    /// Of this type.
    #[must_use]
    #[allow(clippy::new_without_default)]
    pub const fn new() -> Self {
        Extracted(PhantomData)
    }
}

// Its own methods come before those of `OtherExtractor`: so the claims are told from all else.
impl<T: 'static> Extracted<Claims<T>> {
    /// The crate's claims are of this type.
    pub fn is_bound<B: Binds<T>>(&self, _: B) {}

    /// What the claims are read as; none where that says nothing of them.
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
    /// Nothing is to be compared.
    fn is_bound<B>(&self, _: B) {}

    /// It has none.
    fn claims_type(&self) -> Option<(TypeId, &'static str)> {
        None
    }
}

impl<A> OtherExtractor for Extracted<A> {}
