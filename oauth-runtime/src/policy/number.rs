//! Numbers of JSON and of policies, compared without rounding.

use std::cmp::Ordering;

use serde_json::{Number, Value as Json};

/// A number without rounding: an integer, or what a double can hold.
#[derive(Clone, Copy)]
pub(super) enum Exact {
    /// Up to 2^64, or beyond where a crate of the application turns on numbers of any precision.
    Integer(i128),
    /// Not an integer, or beyond 2^64.
    Double(f64),
}

impl Exact {
    pub(super) fn of_json(claim: &Json) -> Option<Exact> {
        claim.as_number().and_then(Exact::of_number)
    }

    pub(super) fn of_number(number: &Number) -> Option<Exact> {
        number.as_i128().map(Exact::Integer).or_else(|| number.as_f64().map(Exact::of_double))
    }

    pub(super) fn of_double(double: f64) -> Exact {
        let integer = double.fract() == 0.0 && double.abs() <= TWO_TO_64;
        if integer { Exact::Integer(double as i128) } else { Exact::Double(double) }
    }

    pub(super) fn cmp(self, other: Exact) -> Option<Ordering> {
        match (self, other) {
            (Exact::Integer(one), Exact::Integer(other)) => Some(one.cmp(&other)),
            (Exact::Double(one), Exact::Double(other)) => one.partial_cmp(&other),
            (Exact::Double(double), Exact::Integer(integer)) => compare(double, integer),
            (Exact::Integer(integer), Exact::Double(double)) => compare(double, integer).map(Ordering::reverse),
        }
    }
}

/// Compares a double that is not an integer, or is beyond 2^64, with an integer.
fn compare(double: f64, integer: i128) -> Option<Ordering> {
    if double.abs() > TWO_TO_64 {
        return double.partial_cmp(&(integer as f64));
    }
    // Between 2^53 and 2^64 every double is an integer, so this one has its floor exactly.
    Some(if double.floor() as i128 >= integer { Ordering::Greater } else { Ordering::Less })
}

const TWO_TO_64: f64 = 18_446_744_073_709_551_616.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_integer_beyond_the_others_is_compared_with_a_double_as_well() {
        use Ordering::{Equal, Greater, Less};
        for (integer, double, expected) in [
            (10_i128.pow(30), 1e20, Greater),
            (10_i128.pow(30), 1e31, Less),
            (-10_i128.pow(30), -1e20, Less),
            (-10_i128.pow(30), 1e20, Less),
            (1 << 65, 36_893_488_147_419_103_232.0, Equal),
            (10_i128.pow(30), 2.5, Greater),
            (i128::from(u64::MAX), 1e20, Less),
            (i128::from(i64::MIN), -1e20, Greater),
        ] {
            let (one, other) = (Exact::Integer(integer), Exact::of_double(double));
            assert_eq!(one.cmp(other), Some(expected), "{integer} {double}");
            assert_eq!(other.cmp(one), Some(expected.reverse()), "{double} {integer}");
        }
    }
}
