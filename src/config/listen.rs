//! Where to listen, as people write it: `127.0.0.1:8080`, `[::]:443`, `unix:/path`, one
//! or several of them.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

use serde::de::{self, Deserialize, Deserializer, SeqAccess, Visitor};

/// One place to listen at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listen {
    Tcp(SocketAddr),
    Unix(PathBuf),
}

/// One or several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listens(pub Vec<Listen>);

const EXPECTED: &str = "an address such as \"127.0.0.1:8080\", \"[::]:8080\" or \
                        \"unix:/run/sower/http\"";

impl FromStr for Listen {
    type Err = String;

    fn from_str(text: &str) -> Result<Listen, String> {
        let wrong = || format!("expected {EXPECTED}, found \"{text}\"");
        match text.trim().strip_prefix("unix:") {
            Some(path) if path.starts_with('/') => Ok(Listen::Unix(path.into())),
            Some(_) => Err(wrong()),
            None => text.trim().parse().map(Listen::Tcp).map_err(|_| wrong()),
        }
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Listen::Tcp(address) => write!(f, "{address}"),
            Listen::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

struct OneOrMany;

impl<'de> Visitor<'de> for OneOrMany {
    type Value = Listens;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{EXPECTED}")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Listens, E> {
        // A variable of the environment is one text.
        let all = text.split(',').map(Listen::from_str).collect::<Result<_, _>>();
        all.map(Listens).map_err(|_| E::invalid_value(de::Unexpected::Str(text), &self))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Listens, A::Error> {
        let mut all = Vec::new();
        while let Some(text) = seq.next_element::<String>()? {
            let one = Listen::from_str(&text);
            all.push(
                one.map_err(|_| de::Error::invalid_value(de::Unexpected::Str(&text), &OneOrMany))?,
            );
        }
        Ok(Listens(all))
    }
}

impl<'de> Deserialize<'de> for Listens {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OneOrMany)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_to_listen_at() {
        let table = [
            ("127.0.0.1:8080", "127.0.0.1:8080", ""),
            ("[::]:443", "[::]:443", ""),
            ("unix:/run/sower/http", "unix:/run/sower/http", ""),
            ("unix:http", "", "where it lies must not depend on the working folder"),
            ("localhost:80", "", "a name may stand for several"),
            ("8080", "", "no address"),
        ];
        for (text, expected, why) in table {
            let found = Listen::from_str(text).map(|it| it.to_string()).unwrap_or_default();
            assert_eq!(found, expected, "{text}: {why}");
        }
    }
}
