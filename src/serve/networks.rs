//! Sets of addresses, such as those of proxies that are believed.
//!
//! Pure.

use std::net::IpAddr;

/// Addresses and networks, and perhaps Unix sockets.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Networks {
    networks: Vec<(IpAddr, u8)>,
    has_unix: bool,
}

impl Networks {
    /// Each text is an address, a network such as `10.0.0.0/8`, or `unix`.
    ///
    /// # Errors
    /// The first text that is none.
    pub fn parse(texts: &[String]) -> Result<Networks, String> {
        let mut all = Networks::default();
        for text in texts {
            if text == "unix" {
                all.has_unix = true;
                continue;
            }
            let (address, bits) = match text.split_once('/') {
                Some((address, bits)) => (address, bits.parse::<u8>().ok()),
                None => (text.as_str(), Some(u8::MAX)),
            };
            let address = address.parse::<IpAddr>().ok();
            let (Some(address), Some(bits)) = (address, bits) else { return Err(text.clone()) };
            let most = width(address);
            if bits != u8::MAX && bits > most {
                return Err(text.clone());
            }
            all.networks.push((address, bits.min(most)));
        }
        Ok(all)
    }

    /// Whether `address` is one of these; `None` is the other end of a Unix socket.
    pub fn hold(&self, address: Option<IpAddr>) -> bool {
        match address {
            None => self.has_unix,
            Some(address) => self.networks.iter().any(|it| contains(*it, address.to_canonical())),
        }
    }
}

fn width(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

fn contains((network, bits): (IpAddr, u8), address: IpAddr) -> bool {
    let differing = match (network, address) {
        (IpAddr::V4(one), IpAddr::V4(other)) => (one.to_bits() ^ other.to_bits()).leading_zeros(),
        (IpAddr::V6(one), IpAddr::V6(other)) => (one.to_bits() ^ other.to_bits()).leading_zeros(),
        _ => return false,
    };
    differing >= u32::from(bits)
}

/// What counts as one client: an address, and of IPv6 the network that one household
/// or machine is given (RFC 6177).
pub(super) fn client(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(it) => IpAddr::V6((it.to_bits() >> 64 << 64).into()),
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn networks(texts: &[&str]) -> Result<Networks, String> {
        Networks::parse(&texts.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn networks_hold_addresses() {
        let table: &[(&[&str], &str, bool, &str)] = &[
            (&["10.0.0.0/8"], "10.255.0.1", true, ""),
            (&["10.0.0.0/8"], "11.0.0.1", false, ""),
            (&["10.0.0.0/8"], "::ffff:10.0.0.1", true, "IPv4 in the clothes of IPv6"),
            (&["192.0.2.1"], "192.0.2.1", true, "an address is a network of one"),
            (&["192.0.2.1"], "192.0.2.2", false, ""),
            (&["fd00::/8"], "fd12::1", true, ""),
            (&["fd00::/8"], "fe80::1", false, ""),
            (&["0.0.0.0/0"], "203.0.113.9", true, "all of IPv4"),
            (&["0.0.0.0/0"], "2001:db8::1", false, "and none of IPv6"),
            (&["::1", "127.0.0.1"], "127.0.0.1", true, "any of several"),
            (&[], "127.0.0.1", false, "nobody"),
        ];
        for (texts, address, expected, why) in table {
            let found = networks(texts).unwrap().hold(Some(address.parse().unwrap()));
            assert_eq!(found, *expected, "{texts:?} {address}: {why}");
        }
        assert!(networks(&["unix"]).unwrap().hold(None));
        assert!(!networks(&["0.0.0.0/0"]).unwrap().hold(None));
        for wrong in ["10.0.0.0/33", "::/129", "example.org", "10.0.0.0/x", ""] {
            assert_eq!(networks(&["::1", wrong]), Err(wrong.to_owned()));
        }
    }

    #[test]
    fn one_household_is_one_client() {
        let of = |it: &str| client(it.parse().unwrap()).to_string();
        assert_eq!(of("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
        assert_eq!(of("192.0.2.7"), "192.0.2.7");
        assert_eq!(of("::ffff:192.0.2.7"), "192.0.2.7");
    }
}
