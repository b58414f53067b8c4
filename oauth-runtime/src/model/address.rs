//! What kind of network an address belongs to.

use std::net::{IpAddr, Ipv6Addr};

/// Of this machine, a private network, a link, or the network between a provider and its customers (RFC 6890).
pub(crate) fn is_private(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => {
            let [a, b, ..] = address.octets();
            let is_shared = a == 100 && (64..128).contains(&b);
            address.is_loopback() || address.is_private() || address.is_link_local() || is_shared
        }
        IpAddr::V6(address) => address.is_loopback() || address.is_unique_local() || address.is_unicast_link_local(),
    }
}

/// The address of who is behind this one: an IPv4 address that is written as IPv6, or translated to it (NAT64 and SIIT,
/// RFC 6052 §2.1), where all of IPv4 would be one network.
pub(crate) fn canonical(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) if address.to_bits() >> 32 == TRANSLATED.to_bits() >> 32 => {
            let [.., a, b, c, d] = address.octets();
            IpAddr::from([a, b, c, d])
        }
        address => address,
    }
}

/// The well-known prefix, a /96.
const TRANSLATED: Ipv6Addr = Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ipv4_address_is_itself_however_it_is_written() {
        let found = |text: &str| canonical(text.parse().expect(text)).to_string();
        for written in ["192.0.2.1", "::ffff:192.0.2.1", "64:ff9b::192.0.2.1"] {
            assert_eq!(found(written), "192.0.2.1", "{written}");
        }
        for other in ["2001:db8::1", "64:ff9b:1::1", "64:ff9b::1:0:0", "::1"] {
            assert_eq!(found(other), other);
        }
    }

    #[test]
    fn private_networks_are_told_from_others() {
        let found = |text: &str| is_private(text.parse().expect(text));
        for near in
            ["127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.1.1", "100.64.0.1", "::1", "fd00::1"]
        {
            assert!(found(near), "{near}");
        }
        for far in ["192.0.2.1", "100.128.0.1", "172.32.0.1", "2001:db8::1"] {
            assert!(!found(far), "{far}");
        }
        assert!(found("::ffff:10.0.0.1") && found("fe80::1"));
    }
}
