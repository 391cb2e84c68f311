//! Places where connections come in.

use std::io;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::net::{TcpListener, UnixListener};

use crate::serve::respond::Role;
use crate::serve::tls::Tls;

/// A bound socket, and what it is for.
#[derive(Debug)]
pub struct Listener {
    pub(super) socket: Socket,
    pub(super) role: Role,
    pub(super) tls: Option<Arc<Tls>>,
    /// Whether others, such as systemd, keep it open when this process ends; who waits
    /// in its queue is then answered by the next.
    pub(super) is_kept: bool,
}

#[derive(Debug)]
pub(super) enum Socket {
    Tcp(TcpListener),
    /// With the path to remove in the end.
    Unix(UnixListener, Option<PathBuf>),
}

impl Listener {
    pub fn tcp(listener: TcpListener) -> Listener {
        Listener::of(Socket::Tcp(listener))
    }

    pub fn unix(listener: UnixListener) -> Listener {
        Listener::of(Socket::Unix(listener, None))
    }

    fn of(socket: Socket) -> Listener {
        Listener { socket, role: Role::Site, tls: None, is_kept: false }
    }

    /// Binds a Unix socket, in place of one that nobody listens at any more. Who may
    /// reach it is for the folder to say.
    ///
    /// # Errors
    /// Where somebody listens there, or something else lies there.
    pub fn at_path(path: &Path) -> io::Result<Listener> {
        if std::fs::symlink_metadata(path).is_ok_and(|it| it.file_type().is_socket()) {
            if std::os::unix::net::UnixStream::connect(path).is_ok() {
                return Err(io::ErrorKind::AddrInUse.into());
            }
            std::fs::remove_file(path)?;
        }
        let listener = UnixListener::bind(path)?;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o666))?;
        Ok(Listener::of(Socket::Unix(listener, Some(path.to_owned()))))
    }

    #[must_use]
    pub fn with_role(self, role: Role) -> Listener {
        Listener { role, ..self }
    }

    #[must_use]
    pub fn with_tls(self, tls: Arc<Tls>) -> Listener {
        Listener { tls: Some(tls), ..self }
    }

    /// The socket is somebody else's, too.
    #[must_use]
    pub fn kept(self) -> Listener {
        Listener { is_kept: true, ..self }
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        if let Socket::Unix(_, Some(path)) = self {
            // Whoever connects is told at once that nobody is here.
            let _ = std::fs::remove_file(path);
        }
    }
}
