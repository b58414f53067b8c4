//! The networks that an address counts for.

use std::net::IpAddr;

use crate::model::address::canonical;

/// The networks of an address, from the narrowest to the widest. An IPv4 address is a network of its own. With IPv6 a
/// household has a /64, and with some providers a whole /56 or /48: each counts, with a growing allowance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Networks {
    One(String),
    Nested([String; 3]),
}

impl Networks {
    /// Without an address all count as one network: uncounted attempts would allow endless guesses.
    pub(crate) fn of(address: Option<IpAddr>) -> Self {
        match address.map(canonical) {
            None => Networks::One(String::new()),
            Some(IpAddr::V4(address)) => Networks::One(address.to_string()),
            Some(IpAddr::V6(address)) => {
                let bits = address.to_bits();
                Networks::Nested([64, 56, 48].map(|length: u32| format!("{:x}/{length}", bits >> (128 - length))))
            }
        }
    }

    /// The narrowest.
    pub(crate) fn narrowest(&self) -> &str {
        match self {
            Networks::One(network) | Networks::Nested([network, ..]) => network,
        }
    }

    /// Each with how wide it is.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Width, &str)> {
        let networks: &[String] = match self {
            Networks::One(network) => std::slice::from_ref(network),
            Networks::Nested(networks) => networks,
        };
        [Width::Narrow, Width::Middle, Width::Wide].into_iter().zip(networks.iter().map(String::as_str))
    }
}

/// How wide a network is: /64 or one IPv4 address, /56, /48.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Width {
    Narrow,
    Middle,
    Wide,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c46_an_ipv6_address_counts_for_three_networks_and_another_for_one() {
        let of = |text: &str| Networks::of(Some(text.parse().expect(text)));
        let nested = |text: &str| match of(text) {
            Networks::Nested(networks) => networks,
            Networks::One(one) => panic!("{one}"),
        };
        let here = nested("2001:db8:1:102:3::4");
        assert_eq!(here, nested("2001:db8:1:102:ffff::1"));
        for (other, same) in [("2001:db8:1:103::1", 2), ("2001:db8:1:203::1", 1), ("2001:db8:2:102::1", 0)] {
            let other = nested(other);
            assert_eq!(here.iter().filter(|network| other.contains(network)).count(), same, "{other:?}");
        }
        for same in ["::ffff:192.0.2.1", "64:ff9b::192.0.2.1"] {
            assert_eq!(of(same), of("192.0.2.1"), "{same}");
        }
        assert_ne!(of("192.0.2.1"), of("192.0.2.2"));
        assert_eq!(Networks::of(None).iter().count(), 1);
    }
}
