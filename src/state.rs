//! Which state folder belongs to a seeds folder.
//!
//! `$STATE_DIRECTORY` under systemd; else one for each seeds folder, by its real
//! path, under `$XDG_STATE_HOME/sower` (`~/.local/state/sower`), found again by the
//! folder's device and inode where it was moved.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// The state folder for `seeds`. `variable` looks a variable of the environment up.
///
/// # Errors
/// Where no home is set, or the folders of other sites cannot be listed.
pub fn folder_for(seeds: &Path, variable: impl Fn(&str) -> Option<String>) -> io::Result<PathBuf> {
    // systemd gives several, with colons between them, where a unit asks for several.
    if let Some(folder) = variable("STATE_DIRECTORY").filter(|it| !it.is_empty()) {
        return Ok(PathBuf::from(folder.split(':').next().unwrap_or(&folder)));
    }
    let home = match (variable("XDG_STATE_HOME"), variable("HOME")) {
        (Some(state), _) if Path::new(&state).is_absolute() => PathBuf::from(state),
        (_, Some(home)) if !home.is_empty() => Path::new(&home).join(".local/state"),
        _ => {
            return Err(io::Error::new(
                io::ErrorKind::NotFound,
                "expected `HOME` to be set, or a state folder by `--state`",
            ));
        }
    };
    let all = home.join("sower");
    let real = fs::canonicalize(seeds).or_else(|_| std::path::absolute(seeds))?;
    let hash = blake3::hash(real.as_os_str().as_encoded_bytes()).to_hex();
    let name = real.file_name().map_or("root".into(), |it| it.to_string_lossy().into_owned());
    let folder = all.join(format!("{name}-{}", &hash[..12]));
    let Ok(here) = fs::metadata(&real).map(|it| format!("{}:{}", it.dev(), it.ino())) else {
        return Ok(folder);
    };
    let moved = if folder.exists() { None } else { folder_of(&all, &here, &real)? };
    let folder = moved.unwrap_or(folder);
    fs::create_dir_all(&folder)?;
    fs::write(folder.join("folder"), format!("{here}\n{}\n", real.display()))?;
    Ok(folder)
}

/// The state folder that was made for this device and inode, whose own path holds
/// nothing any more.
fn folder_of(all: &Path, here: &str, real: &Path) -> io::Result<Option<PathBuf>> {
    let listing = match fs::read_dir(all) {
        Ok(listing) => listing,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    for other in listing {
        let other = other?.path();
        let Ok(text) = fs::read_to_string(other.join("folder")) else { continue };
        let mut lines = text.lines();
        let (id, path) = (lines.next(), lines.next().map(Path::new));
        let is_moved = path.is_some_and(|it| it != real && !it.exists());
        if id == Some(here) && is_moved {
            return Ok(Some(other));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_seeds_folder_has_its_own_and_keeps_it_when_it_moves() {
        let home = tempfile::tempdir().unwrap();
        let variable =
            |name: &str| (name == "HOME").then(|| home.path().to_string_lossy().into_owned());
        let (one, two, moved) =
            (home.path().join("one"), home.path().join("two"), home.path().join("moved"));
        fs::create_dir(&one).unwrap();
        fs::create_dir(&two).unwrap();
        let first = folder_for(&one, variable).unwrap();
        assert_ne!(first, folder_for(&two, variable).unwrap());
        assert_eq!(first, folder_for(&one, variable).unwrap());
        fs::rename(&one, &moved).unwrap();
        assert_eq!(first, folder_for(&moved, variable).unwrap());
        fs::create_dir(&one).unwrap();
        let systemd = |name: &str| (name == "STATE_DIRECTORY").then(|| "/var/lib/sower".into());
        assert_eq!(folder_for(&one, systemd).unwrap(), Path::new("/var/lib/sower"));
    }
}
