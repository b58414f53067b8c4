//! The shapes of the standard library's types, and of JSON itself.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, LinkedList, VecDeque};
use std::marker::PhantomData;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::num::{NonZeroI8, NonZeroI16, NonZeroI32, NonZeroI64, NonZeroU8, NonZeroU16, NonZeroU32, NonZeroU64};
use std::rc::Rc;
use std::sync::Arc;

use serde_json::{Map, Value};

use crate::policy::{Shape, Shaped};

macro_rules! shaped {
    ($($shape:expr => $($ty:ty),+;)+) => {
        $($(impl Shaped for $ty {
            const SHAPE: Shape = $shape;
        })+)+
    };
}

shaped! {
    Shape::Any => Value;
    Shape::Map(&Shape::Any) => Map<String, Value>;
    Shape::Null => ();
    Shape::Bool => bool;
    Shape::Number => f32, f64;
    Shape::Text => str, String, char, IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr;
}

macro_rules! integers {
    ($($ty:ty),+) => {
        $(impl Shaped for $ty {
            const SHAPE: Shape = Shape::Integer(<$ty>::MIN as i128, <$ty>::MAX as i128);
        })+
    };
}

integers!(u8, u16, u32, u64, usize, i8, i16, i32, i64, isize);

macro_rules! without_zero {
    ($($ty:ty),+) => {
        $(impl Shaped for $ty {
            const SHAPE: Shape = Shape::Integer(<$ty>::MIN.get() as i128, <$ty>::MAX.get() as i128);
        })+
    };
}

without_zero!(NonZeroU8, NonZeroU16, NonZeroU32, NonZeroU64, NonZeroI8, NonZeroI16, NonZeroI32, NonZeroI64);

// JSON's practical range, which is what a policy can name.
impl Shaped for i128 {
    const SHAPE: Shape = Shape::Integer(i64::MIN as i128, u64::MAX as i128);
}

impl Shaped for u128 {
    const SHAPE: Shape = Shape::Integer(0, u64::MAX as i128);
}

macro_rules! transparent {
    ($($ty:ty),+) => {
        $(impl<T: Shaped + ?Sized> Shaped for $ty {
            const SHAPE: Shape = T::SHAPE;
        })+
    };
}

transparent!(&T, Box<T>, Rc<T>, Arc<T>);

impl<T: Shaped + ToOwned + ?Sized> Shaped for Cow<'_, T> {
    const SHAPE: Shape = T::SHAPE;
}

impl<T: Shaped> Shaped for Option<T> {
    const SHAPE: Shape = Shape::Optional(&T::SHAPE);
}

macro_rules! lists {
    ($($ty:ty),+) => {
        $(impl<T: Shaped> Shaped for $ty {
            const SHAPE: Shape = Shape::List(&T::SHAPE);
        })+
    };
}

lists!([T], Vec<T>, VecDeque<T>, LinkedList<T>, BTreeSet<T>);

impl<T: Shaped, S> Shaped for HashSet<T, S> {
    const SHAPE: Shape = Shape::List(&T::SHAPE);
}

impl<T: Shaped, const N: usize> Shaped for [T; N] {
    const SHAPE: Shape = Shape::List(&T::SHAPE);
}

macro_rules! tuples {
    ($($parameters:ident)+) => {
        impl<$($parameters: Shaped),+> Shaped for ($($parameters,)+) {
            const SHAPE: Shape = Shape::List(&Shape::Either(&[$($parameters::SHAPE),+]));
        }
    };
}

tuples!(A B);
tuples!(A B C);
tuples!(A B C D);

impl<T: ?Sized> Shaped for PhantomData<T> {
    const SHAPE: Shape = Shape::Null;
}

impl<K, T: Shaped> Shaped for BTreeMap<K, T> {
    const SHAPE: Shape = Shape::Map(&T::SHAPE);
}

impl<K, T: Shaped, S> Shaped for HashMap<K, T, S> {
    const SHAPE: Shape = Shape::Map(&T::SHAPE);
}
