//! TLS: certificate files to a configuration of rustls, and their new versions in its
//! place.
//!
//! In: pairs of PEM files. Out: what accepts connections. A pair of files that do not
//! belong together, as they are for a moment while they are renewed, changes nothing.
//!
//! A certificate that is fetched by ACME would be one more [`Pair`]; its challenge by
//! TLS-ALPN-01 is another answer of [`Current::resolve`].

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use arc_swap::ArcSwap;
use rustls::client::verify_server_name;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::{ClientHello, ParsedCertificate, ResolvesServerCert, ServerConfig};
use rustls::sign::CertifiedKey;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// Chains of certificates and their keys, for all listeners with TLS.
pub struct Tls {
    acceptor: TlsAcceptor,
    current: Arc<Current>,
    pairs: Mutex<Vec<Pair>>,
}

/// A file with a chain of certificates, one with the key of the first, how both looked
/// when they were read, and what they held; `None` where that is not known yet.
#[derive(Clone)]
struct Pair {
    certificate: PathBuf,
    key: PathBuf,
    seen: [Option<Look>; 2],
    certified: Option<Arc<CertifiedKey>>,
}

/// Length and time of change.
type Look = (u64, SystemTime);

#[derive(Debug)]
struct Current(ArcSwap<Vec<Arc<CertifiedKey>>>);

impl ResolvesServerCert for Current {
    /// The first that is for the name that the client asks for, else the first of all;
    /// of those the first whose key the client understands.
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let all = self.0.load();
        let is_understood =
            |it: &&Arc<CertifiedKey>| it.key.choose_scheme(hello.signature_schemes()).is_some();
        let name = hello.server_name().filter(|_| all.len() > 1);
        let name = name.and_then(|it| ServerName::try_from(it).ok());
        let named =
            name.and_then(|name| all.iter().filter(is_understood).find(|it| is_for(it, &name)));
        named.or_else(|| all.iter().find(is_understood)).or(all.first()).cloned()
    }
}

fn is_for(certified: &CertifiedKey, name: &ServerName<'_>) -> bool {
    let parsed = certified.cert.first().and_then(|it| ParsedCertificate::try_from(it).ok());
    parsed.is_some_and(|it| verify_server_name(&it, name).is_ok())
}

/// What came of looking at the files again.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Refreshed {
    /// Certificates that are new.
    pub fresh: usize,
    /// Sentences that name the file. What the pair held before is used on.
    pub wrong: Vec<String>,
}

impl Tls {
    /// Of pairs of a certificate's file and its key's.
    ///
    /// # Errors
    /// A sentence that names the file.
    pub fn open(paths: &[(PathBuf, PathBuf)]) -> Result<Tls, String> {
        let mut pairs = Vec::with_capacity(paths.len());
        for (certificate, key) in paths {
            let mut pair = Pair::new(certificate, key);
            pair.seen = pair.looks();
            pair.certified = Some(Arc::new(pair.read()?));
            pairs.push(pair);
        }
        let current = Arc::new(Current(ArcSwap::from_pointee(shown(&pairs))));
        let provider = Arc::new(ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|it| format!("cannot set TLS up: {it}"))?
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(&current) as Arc<dyn ResolvesServerCert>);
        config.alpn_protocols = vec![H2.into(), b"http/1.1".into()];
        // Who comes back saves a signature, without memory of ours.
        config.ticketer = ring::Ticketer::new().map_err(|it| format!("cannot set TLS up: {it}"))?;
        let acceptor = TlsAcceptor::from(Arc::new(config));
        Ok(Tls { acceptor, current, pairs: Mutex::new(pairs) })
    }

    /// Reads those files again that have changed since, or are others now. Connections go
    /// on with the certificate they began with.
    pub fn refresh(&self, paths: &[(PathBuf, PathBuf)]) -> Refreshed {
        let mut pairs = self.pairs.lock().unwrap_or_else(PoisonError::into_inner);
        let mut refreshed = Refreshed::default();
        let before = std::mem::take(&mut *pairs);
        for (certificate, key) in paths {
            let known = before.iter().find(|it| it.certificate == *certificate && it.key == *key);
            let mut pair = known.map_or_else(|| Pair::new(certificate, key), Pair::clone);
            let looks = pair.looks();
            if known.is_none() || looks != pair.seen {
                // What is wrong is said once, and looked at when it changes again.
                pair.seen = looks;
                match pair.read() {
                    Ok(certified) => {
                        pair.certified = Some(Arc::new(certified));
                        refreshed.fresh += 1;
                    }
                    Err(error) => refreshed.wrong.push(error),
                }
            }
            pairs.push(pair);
        }
        let now = shown(&pairs);
        // One without any certificate would turn everybody away.
        if !now.is_empty() {
            self.current.0.store(Arc::new(now));
        }
        refreshed
    }

    /// The handshake.
    pub(super) async fn accept<S>(&self, stream: S) -> io::Result<TlsStream<S>>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        self.acceptor.accept(stream).await
    }
}

fn shown(pairs: &[Pair]) -> Vec<Arc<CertifiedKey>> {
    pairs.iter().filter_map(|it| it.certified.clone()).collect()
}

/// The name of HTTP/2 in the handshake (RFC 9113, section 3.1).
pub(super) const H2: &[u8] = b"h2";

impl Pair {
    fn new(certificate: &Path, key: &Path) -> Pair {
        Pair {
            certificate: certificate.into(),
            key: key.into(),
            seen: [None, None],
            certified: None,
        }
    }

    fn looks(&self) -> [Option<Look>; 2] {
        [&self.certificate, &self.key].map(|it| {
            let meta = std::fs::metadata(it).ok()?;
            Some((meta.len(), meta.modified().ok()?))
        })
    }

    fn read(&self) -> Result<CertifiedKey, String> {
        let wrong = |file: &Path, what: &str, error: &dyn std::fmt::Display| {
            format!("expected {what} in `{}`, found none that can be read: {error}", file.display())
        };
        let chain = CertificateDer::pem_file_iter(&self.certificate)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(|it| wrong(&self.certificate, "a PEM certificate", &it))?;
        if chain.is_empty() {
            return Err(wrong(&self.certificate, "a PEM certificate", &"it holds no section"));
        }
        let key = PrivateKeyDer::from_pem_file(&self.key)
            .map_err(|it| wrong(&self.key, "a PEM private key", &it))?;
        let key = ring::sign::any_supported_type(&key)
            .map_err(|it| wrong(&self.key, "a private key for TLS", &it))?;
        let certified = CertifiedKey::new(chain, key);
        certified.keys_match().map_err(|_| {
            format!(
                "expected the key of `{}` in `{}`, found another one",
                self.certificate.display(),
                self.key.display()
            )
        })?;
        Ok(certified)
    }
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let pairs = self.pairs.lock().unwrap_or_else(PoisonError::into_inner);
        let files: Vec<_> = pairs.iter().map(|it| &it.certificate).collect();
        f.debug_struct("Tls").field("certificates", &files).finish_non_exhaustive()
    }
}
