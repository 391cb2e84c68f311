//! The PROXY protocol, version 2: who a proxy speaks for, said before anything else.
//!
//! In: the first bytes of a connection. Out: the address of the client. Nothing is
//! read that lies behind them.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use tokio::io::{AsyncRead, AsyncReadExt};

const SIGNATURE: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";
/// Addresses and notes; no proxy writes more.
const LONGEST: usize = 4096;

/// Reads the header off `stream`. `None` where the proxy speaks for itself, as it does
/// to ask whether all is well.
///
/// # Errors
/// `InvalidData` where it is no such header.
pub(super) async fn read<S: AsyncRead + Unpin>(stream: &mut S) -> io::Result<Option<IpAddr>> {
    let wrong = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what.to_owned());
    let mut head = [0; 16];
    stream.read_exact(&mut head).await?;
    let [signature @ .., version, family, high, low] = &head;
    if signature != SIGNATURE {
        return Err(wrong("expected a header of the PROXY protocol, version 2"));
    }
    let length = usize::from(u16::from_be_bytes([*high, *low]));
    if length > LONGEST {
        return Err(wrong("expected a shorter header of the PROXY protocol"));
    }
    let mut rest = vec![0; length];
    stream.read_exact(&mut rest).await?;
    match (version, family >> 4) {
        // LOCAL, and PROXY for a family that is no address.
        (0x20, _) | (0x21, 0 | 3) => Ok(None),
        (0x21, 1) if length >= 12 => {
            let octets: [u8; 4] = rest[..4].try_into().map_err(|_| wrong("no address"))?;
            Ok(Some(Ipv4Addr::from(octets).into()))
        }
        (0x21, 2) if length >= 36 => {
            let octets: [u8; 16] = rest[..16].try_into().map_err(|_| wrong("no address"))?;
            Ok(Some(Ipv6Addr::from(octets).to_canonical()))
        }
        _ => Err(wrong("expected a command and a family of the PROXY protocol, version 2")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn headers() {
        let header = |version: u8, family: u8, rest: &[u8]| {
            let length = (rest.len() as u16).to_be_bytes();
            [&SIGNATURE[..], &[version, family], &length, rest, b"GET /"].concat()
        };
        let v4 = [192, 0, 2, 1, 10, 0, 0, 1, 1, 2, 3, 4];
        let mut v6 = [0; 36];
        v6[..2].copy_from_slice(&[0x20, 0x01]);
        let table = [
            (header(0x21, 0x11, &v4), Ok(Some("192.0.2.1")), "TCP over IPv4"),
            (
                header(0x21, 0x11, &[&v4[..], &[4, 0, 1, 0]].concat()),
                Ok(Some("192.0.2.1")),
                "notes",
            ),
            (header(0x21, 0x21, &v6), Ok(Some("2001::")), "TCP over IPv6"),
            (header(0x20, 0x00, &[]), Ok(None), "LOCAL: the proxy itself"),
            (header(0x21, 0x31, &[0; 216]), Ok(None), "a Unix socket"),
            (header(0x21, 0x11, &v4[..8]), Err(()), "too short"),
            (header(0x11, 0x11, &v4), Err(()), "version 1 has no such header"),
            (header(0x22, 0x11, &v4), Err(()), "no command"),
            (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n".to_vec(), Err(()), "no header at all"),
            (SIGNATURE.to_vec(), Err(()), "ends too early"),
        ];
        for (bytes, expected, why) in table {
            let mut stream = &bytes[..];
            let found = read(&mut stream).await;
            let expected = expected.map(|it| it.map(|it| it.parse::<IpAddr>().unwrap()));
            assert_eq!(found.map_err(|_| ()), expected, "{why}");
            if expected.is_ok() {
                assert_eq!(stream, b"GET /", "{why}: nothing more is taken");
            }
        }
    }
}
