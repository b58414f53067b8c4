//! The addresses to which a request with a stranger's URL may go: only those that the whole internet can reach.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The addresses to which requests may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// Only public ones.
    Public,
    /// This machine as well, for a service that is on loopback itself (draft §8.6).
    AndLoopback,
}

impl Reach {
    pub(super) fn has(self, address: IpAddr) -> bool {
        is_public(address) || (self == Reach::AndLoopback && address.is_loopback())
    }
}

/// Whether the IANA registries list it, and any address embedded in it, as globally reachable.
pub(super) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => !SPECIAL_V4.iter().any(|(network, bits)| begins_v4(address, *network, *bits)),
        IpAddr::V6(address) => match address.to_ipv4_mapped() {
            Some(within) => is_public(IpAddr::V4(within)),
            None => {
                let is_in = |(network, bits): &(Ipv6Addr, u32)| begins_v6(address, *network, *bits);
                is_in(&GLOBAL_V6) && !SPECIAL_V6.iter().any(is_in)
            }
        },
    }
}

fn begins_v4(address: Ipv4Addr, network: Ipv4Addr, bits: u32) -> bool {
    (address.to_bits() ^ network.to_bits()) >> (32 - bits) == 0
}

fn begins_v6(address: Ipv6Addr, network: Ipv6Addr, bits: u32) -> bool {
    (address.to_bits() ^ network.to_bits()) >> (128 - bits) == 0
}

/// IANA IPv4 Special-Purpose Address Registry (RFC 6890), multicast, and reserved addresses.
const SPECIAL_V4: [(Ipv4Addr, u32); 16] = [
    // This network.
    (Ipv4Addr::new(0, 0, 0, 0), 8),
    // Private use.
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    // Shared by the customers of a provider (CGNAT).
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    // Loopback.
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    // Link-local: the metadata services of clouds.
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    // Private use.
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    // IETF protocol assignments.
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    // Documentation.
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    // Relays of 6to4, deprecated.
    (Ipv4Addr::new(192, 88, 99, 0), 24),
    // Private use.
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    // Benchmarking.
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    // Documentation.
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
    // Multicast.
    (Ipv4Addr::new(224, 0, 0, 0), 4),
    // Reserved, and the limited broadcast.
    (Ipv4Addr::new(240, 0, 0, 0), 4),
    // A public number, but the platform of a cloud (WireServer), which answers from inside.
    (Ipv4Addr::new(168, 63, 129, 16), 32),
];

/// All assigned global unicast addresses. Outside of it are loopback, unique local, link-local and site-local
/// addresses, multicast, NAT64 (`64:ff9b::/96` and `64:ff9b:1::/48`), the discard prefix and segment routing.
const GLOBAL_V6: (Ipv6Addr, u32) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);

/// IANA IPv6 Special-Purpose Address Registry, as far as it is within global unicast.
const SPECIAL_V6: [(Ipv6Addr, u32); 4] = [
    // IETF protocol assignments: Teredo, benchmarking, ORCHID.
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
    // Documentation.
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32),
    // 6to4, which embeds any IPv4 address.
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16),
    // Documentation.
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> IpAddr {
        text.parse().expect(text)
    }

    /// The first and the last address of each range, and their neighbours if public.
    #[test]
    fn each_special_range_is_refused_from_its_first_address_to_its_last() {
        for (first, last, before, after) in [
            ("0.0.0.0", "0.255.255.255", None, Some("1.0.0.0")),
            ("10.0.0.0", "10.255.255.255", Some("9.255.255.255"), Some("11.0.0.0")),
            ("100.64.0.0", "100.127.255.255", Some("100.63.255.255"), Some("100.128.0.0")),
            ("127.0.0.0", "127.255.255.255", Some("126.255.255.255"), Some("128.0.0.0")),
            ("168.63.129.16", "168.63.129.16", Some("168.63.129.15"), Some("168.63.129.17")),
            ("169.254.0.0", "169.254.255.255", Some("169.253.255.255"), Some("169.255.0.0")),
            ("172.16.0.0", "172.31.255.255", Some("172.15.255.255"), Some("172.32.0.0")),
            ("192.0.0.0", "192.0.0.255", Some("191.255.255.255"), Some("192.0.1.0")),
            ("192.0.2.0", "192.0.2.255", Some("192.0.1.255"), Some("192.0.3.0")),
            ("192.88.99.0", "192.88.99.255", Some("192.88.98.255"), Some("192.88.100.0")),
            ("192.168.0.0", "192.168.255.255", Some("192.167.255.255"), Some("192.169.0.0")),
            ("198.18.0.0", "198.19.255.255", Some("198.17.255.255"), Some("198.20.0.0")),
            ("198.51.100.0", "198.51.100.255", Some("198.51.99.255"), Some("198.51.101.0")),
            ("203.0.113.0", "203.0.113.255", Some("203.0.112.255"), Some("203.0.114.0")),
            ("224.0.0.0", "239.255.255.255", Some("223.255.255.255"), None),
            ("240.0.0.0", "255.255.255.255", None, None),
            ("::", "::", None, None),
            ("::1", "::1", None, None),
            // IPv4-compatible, deprecated.
            ("::808:808", "::ffff:fffe", None, None),
            ("64:ff9b::", "64:ff9b::ffff:ffff", None, None),
            ("64:ff9b::808:808", "64:ff9b::a00:1", None, None),
            ("64:ff9b:1::", "64:ff9b:1:ffff:ffff:ffff:ffff:ffff", None, None),
            ("100::", "100::ffff:ffff:ffff:ffff", None, None),
            ("2001::", "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff", Some("2000:ffff::1"), Some("2001:200::")),
            ("2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", Some("2001:db7:ffff::"), Some("2001:db9::")),
            ("2002::", "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff", Some("2001:ffff::"), Some("2003::")),
            ("2002:808:808::1", "2002:7f00:1::1", None, None),
            ("3fff::", "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff", Some("3ffe:ffff::"), Some("3fff:1000::")),
            ("4000::", "5eff:ffff::", Some("3fff:ffff::"), None),
            ("5f00::", "5f00:ffff:ffff:ffff:ffff:ffff:ffff:ffff", None, None),
            ("fc00::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", None, None),
            ("fe80::", "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff", None, None),
            ("fec0::", "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", None, None),
            ("ff00::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", None, None),
        ] {
            assert!(!is_public(parsed(first)), "{first}");
            assert!(!is_public(parsed(last)), "{last}");
            for beside in before.into_iter().chain(after) {
                assert!(is_public(parsed(beside)), "{beside}");
            }
        }
    }

    #[test]
    fn an_ipv4_address_within_ipv6_is_judged_as_what_it_is() {
        for special in ["127.0.0.1", "10.1.2.3", "169.254.169.254", "0.0.0.0", "100.64.0.1", "255.255.255.255"] {
            assert!(!is_public(parsed(&format!("::ffff:{special}"))), "{special}");
        }
        assert!(is_public(parsed("::ffff:8.8.8.8")));
        for public in ["8.8.8.8", "1.1.1.1", "2606:4700::1111", "2a00:1450:4001::200e", "2001:4860:4860::8888"] {
            assert!(is_public(parsed(public)), "{public}");
        }
    }

    #[test]
    fn loopback_is_for_services_on_loopback_and_nothing_else_is() {
        for loopback in ["127.0.0.1", "127.9.9.9", "::1"] {
            assert!(Reach::AndLoopback.has(parsed(loopback)) && !Reach::Public.has(parsed(loopback)), "{loopback}");
        }
        for private in ["10.0.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0", "::", "fe80::1", "::ffff:127.0.0.1"] {
            assert!(!Reach::AndLoopback.has(parsed(private)), "{private}");
        }
        assert!(Reach::AndLoopback.has(parsed("8.8.8.8")) && Reach::Public.has(parsed("8.8.8.8")));
    }
}
