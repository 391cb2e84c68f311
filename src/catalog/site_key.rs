//! The site key: what ids are minted from, fixed at the first start and kept as a
//! text file of its own outside the database, so that a catalog that is lost and
//! made again mints the same ids.

use std::fs;
use std::io;
use std::path::Path;

/// The key of the state folder `state`. At the first start it is `configured`, else
/// the base URL's host and path, else random. A key that is configured later and
/// differs comes back as the second value: it is reported, not followed.
pub fn open(
    state: &Path,
    configured: Option<&str>,
    base_url: Option<&str>,
) -> io::Result<(String, Option<String>)> {
    let file = state.join("site.key");
    match fs::read_to_string(&file) {
        Ok(text) if !text.trim().is_empty() => {
            let key = text.trim().to_owned();
            let ignored = configured.filter(|it| *it != key).map(str::to_owned);
            return Ok((key, ignored));
        }
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let key = match (configured, base_url) {
        (Some(key), _) => key.to_owned(),
        (None, Some(url)) => {
            url.split_once("://").map_or(url, |(_, rest)| rest).trim_end_matches('/').to_owned()
        }
        (None, None) => {
            let mut bytes = [0; 16];
            getrandom::fill(&mut bytes).map_err(|it| io::Error::other(it.to_string()))?;
            bytes.iter().map(|it| format!("{it:02x}")).collect()
        }
    };
    // Written whole under another name first: a key cut short would change every id.
    let new = state.join("site.key.new");
    fs::write(&new, format!("{key}\n"))?;
    fs::File::open(&new)?.sync_all()?;
    fs::rename(&new, &file)?;
    fs::File::open(state)?.sync_all()?;
    Ok((key, None))
}
