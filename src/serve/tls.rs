//! TLS: certificate files to a configuration of rustls, and their new versions in its
//! place.
//!
//! In: two PEM files. Out: what accepts connections. A pair of files that do not
//! belong together, as they are for a moment while they are renewed, changes nothing.
//!
//! A certificate that is fetched by ACME would be put in place by [`Tls::put`]; its
//! challenge by TLS-ALPN-01 is another answer of [`Current::resolve`].

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use arc_swap::ArcSwap;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert, ServerConfig};
use rustls::sign::CertifiedKey;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// A chain of certificates and its key, for all listeners with TLS.
pub struct Tls {
    acceptor: TlsAcceptor,
    current: Arc<Current>,
    files: Mutex<Files>,
}

/// Which files, and how they looked when they were read.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Files {
    certificate: PathBuf,
    key: PathBuf,
    seen: [Option<Look>; 2],
}

/// Length and time of change.
type Look = (u64, SystemTime);

#[derive(Debug)]
struct Current(ArcSwap<CertifiedKey>);

impl ResolvesServerCert for Current {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.load_full())
    }
}

impl Tls {
    /// # Errors
    /// A sentence that names the file.
    pub fn open(certificate: &Path, key: &Path) -> Result<Tls, String> {
        let mut files =
            Files { certificate: certificate.into(), key: key.into(), seen: [None, None] };
        files.seen = files.looks();
        let current = Arc::new(Current(ArcSwap::from_pointee(files.read()?)));
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
        Ok(Tls { acceptor, current, files: Mutex::new(files) })
    }

    /// Reads the files again where they have changed since, or are others now; `true`
    /// where there is a new certificate. Connections go on with the one they began
    /// with.
    ///
    /// # Errors
    /// A sentence that names the file; then the old certificate stays.
    pub fn refresh(&self, paths: Option<(&Path, &Path)>) -> Result<bool, String> {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        let mut next = files.clone();
        if let Some((certificate, key)) = paths {
            (next.certificate, next.key) = (certificate.into(), key.into());
        }
        next.seen = next.looks();
        if next == *files {
            return Ok(false);
        }
        self.put(next.read()?);
        *files = next;
        Ok(true)
    }

    fn put(&self, certified: CertifiedKey) {
        self.current.0.store(Arc::new(certified));
    }

    /// The handshake.
    pub(super) async fn accept<S>(&self, stream: S) -> io::Result<TlsStream<S>>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        self.acceptor.accept(stream).await
    }
}

/// The name of HTTP/2 in the handshake (RFC 9113, section 3.1).
pub(super) const H2: &[u8] = b"h2";

impl Files {
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
        f.debug_struct("Tls").field("files", &self.files).finish_non_exhaustive()
    }
}
