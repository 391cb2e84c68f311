//! One daemon for each state folder.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;

/// Held while this process may write the state folder; the kernel lets go of it
/// however the process ends.
#[derive(Debug)]
pub struct StateLock {
    _file: File,
}

impl StateLock {
    /// Takes the lock, or says who has it.
    pub fn take(state: &Path) -> Result<StateLock, String> {
        let path = state.join("lock");
        let explain = |it: std::io::Error| format!("cannot lock `{}`: {it}", path.display());
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(explain)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut process = String::new();
                // The name is a courtesy; that somebody has the lock is certain.
                let _ = file.read_to_string(&mut process);
                return Err(format!(
                    "expected the state folder `{}` to be free, found process {} at work in it; \
                     stop that one, or choose another folder with `--state`",
                    state.display(),
                    process.trim()
                ));
            }
            Err(TryLockError::Error(error)) => return Err(explain(error)),
        }
        file.set_len(0).map_err(explain)?;
        file.seek(SeekFrom::Start(0)).map_err(explain)?;
        writeln!(file, "{}", std::process::id()).map_err(explain)?;
        Ok(StateLock { _file: file })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_daemon_is_told_who_is_first() {
        let state = tempfile::tempdir().unwrap();
        let first = StateLock::take(state.path()).unwrap();
        let message = StateLock::take(state.path()).unwrap_err();
        assert!(message.contains(&format!("found process {}", std::process::id())), "{message}");
        drop(first);
        StateLock::take(state.path()).unwrap();
    }
}
