//! Who asks: the other end of a connection, and the client that a proxy asks for.
//!
//! Pure. What a proxy says is believed where it is one of those that are trusted, and
//! from the other end of the chain where each link is: anybody can send such a field.

use std::net::IpAddr;

use http::HeaderMap;
use http::header::{FORWARDED, HeaderName};

use crate::serve::networks::Networks;

/// How trusted proxies say for which client they ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    XForwardedFor,
    /// RFC 7239.
    Forwarded,
    /// The PROXY protocol, before the first request of a connection.
    Proxy,
}

/// The other end of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Peer {
    /// `None`: a Unix socket.
    pub(super) address: Option<IpAddr>,
    /// Whether it is believed when it names another as its client.
    pub(super) is_trusted: bool,
}

impl Peer {
    /// Whether limits for each client do not count: this machine itself.
    pub(super) fn is_here(&self) -> bool {
        self.address.is_none_or(|it| it.to_canonical().is_loopback())
    }
}

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The client that `peer` asks for: itself, unless it is trusted and names another.
pub(super) fn client(
    peer: Peer,
    headers: &HeaderMap,
    told: Told,
    trusted: &Networks,
) -> Option<IpAddr> {
    let name = match told {
        _ if !peer.is_trusted => return peer.address,
        Told::Proxy => return peer.address,
        Told::XForwardedFor => X_FORWARDED_FOR,
        Told::Forwarded => FORWARDED,
    };
    let mut client = peer.address;
    for value in headers.get_all(name).iter().rev() {
        let Ok(value) = value.to_str() else { return client };
        for hop in value.rsplit(',') {
            let address = match told {
                Told::Forwarded => forwarded(hop),
                _ => address(hop.trim()),
            };
            let Some(address) = address else { return client };
            client = Some(address);
            if !trusted.hold(client) {
                return client;
            }
        }
    }
    client
}

/// `for` of one element (RFC 7239, section 4). Nothing that names an address has a
/// comma or semicolon in its quotation marks.
fn forwarded(element: &str) -> Option<IpAddr> {
    element.split(';').find_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        name.trim().eq_ignore_ascii_case("for").then(|| address(value.trim().trim_matches('"')))?
    })
}

/// An address, perhaps with brackets and a port (RFC 7239, section 6).
fn address(text: &str) -> Option<IpAddr> {
    let plain = match text.strip_prefix('[') {
        Some(rest) => rest.split_once(']')?.0,
        None if text.matches(':').count() == 1 => text.split_once(':')?.0,
        None => text,
    };
    plain.parse::<IpAddr>().ok().map(|it| it.to_canonical())
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn clients_of_proxies() {
        use Told::{Forwarded, Proxy, XForwardedFor};
        let trusted = Networks::parse(&["10.0.0.0/8".into(), "unix".into()]).unwrap();
        type Row = (
            Option<&'static str>,
            Told,
            &'static [&'static str],
            Option<&'static str>,
            &'static str,
        );
        let table: &[Row] = &[
            (Some("192.0.2.1"), XForwardedFor, &["1.1.1.1"], Some("192.0.2.1"), "not trusted"),
            (Some("10.0.0.1"), XForwardedFor, &["1.1.1.1"], Some("1.1.1.1"), ""),
            (Some("10.0.0.1"), XForwardedFor, &[], Some("10.0.0.1"), "it asks for itself"),
            (Some("10.0.0.1"), XForwardedFor, &["6.6.6.6, 1.1.1.1"], Some("1.1.1.1"), "the last"),
            (
                Some("10.0.0.1"),
                XForwardedFor,
                &["6.6.6.6, 1.1.1.1, 10.0.0.2"],
                Some("1.1.1.1"),
                "through two proxies",
            ),
            (
                Some("10.0.0.1"),
                XForwardedFor,
                &["6.6.6.6", "1.1.1.1"],
                Some("1.1.1.1"),
                "two lines",
            ),
            (Some("10.0.0.1"), XForwardedFor, &["1.1.1.1:99"], Some("1.1.1.1"), "a port"),
            (Some("10.0.0.1"), XForwardedFor, &["[2001:db8::1]:9"], Some("2001:db8::1"), ""),
            (Some("10.0.0.1"), XForwardedFor, &["2001:db8::1"], Some("2001:db8::1"), ""),
            (Some("10.0.0.1"), XForwardedFor, &["6.6.6.6, x"], Some("10.0.0.1"), "no address"),
            (None, XForwardedFor, &["1.1.1.1"], Some("1.1.1.1"), "over a Unix socket"),
            (Some("10.0.0.1"), Forwarded, &["for=1.1.1.1"], Some("1.1.1.1"), "RFC 7239, 4"),
            (
                Some("10.0.0.1"),
                Forwarded,
                &["For=6.6.6.6, proto=https; FOR=\"[2001:db8::1]:47\";by=10.0.0.1"],
                Some("2001:db8::1"),
                "RFC 7239, 4: names ignore case",
            ),
            (Some("10.0.0.1"), Forwarded, &["for=unknown"], Some("10.0.0.1"), "RFC 7239, 6.2"),
            (Some("10.0.0.1"), Forwarded, &["for=_x, for=_y"], Some("10.0.0.1"), "RFC 7239, 6.3"),
            (Some("10.0.0.1"), Proxy, &["1.1.1.1"], Some("10.0.0.1"), "said before the request"),
        ];
        for (address, told, values, expected, why) in table {
            let address = address.map(|it| it.parse().unwrap());
            let peer = Peer { address, is_trusted: trusted.hold(address) };
            let name = if *told == Forwarded { FORWARDED } else { X_FORWARDED_FOR };
            let headers =
                values.iter().map(|it| (name.clone(), HeaderValue::from_static(it))).collect();
            let found = client(peer, &headers, *told, &trusted);
            assert_eq!(found, expected.map(|it| it.parse().unwrap()), "{values:?}: {why}");
        }
        let other = [(FORWARDED, HeaderValue::from_static("for=6.6.6.6"))].into_iter().collect();
        let peer = Peer { address: "10.0.0.1".parse().ok(), is_trusted: true };
        let found = client(peer, &other, XForwardedFor, &trusted);
        assert_eq!(found, peer.address, "a field that the proxy does not write");
    }
}
