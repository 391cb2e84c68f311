//! Pictures and files beside a body, with their facts.

use crate::catalog::entry::Lead;
use crate::convert::article::{Media, Source};
use crate::convert::body::Target;
use crate::feed::fill::{self, Places};
use crate::feed::page::Attachment;

/// `media` with the facts of its file, or the stated ones where it stands
/// elsewhere. `None` where it leads to no file: feeds promise an enclosure's
/// length and type, and announce nothing that cannot be fetched yet.
pub fn attachment(places: &Places<'_>, media: Media) -> Option<Attachment> {
    let stated_type = media.media_type.as_deref().map(str::trim).filter(|it| is_media_type(it));
    let (url, media_type, length, size) = match media.source {
        Source::Folder(reference) => match (&reference.target, places.leads.of(&reference)) {
            (Target::Path(_) | Target::Name(_), Lead::File { path, media_type, length, size }) => {
                let url = places.file(path) + &reference.suffix;
                let known = Some(media_type.as_str())
                    .filter(|it| *it != UNKNOWN && is_media_type(it))
                    .or(stated_type);
                (url, known.unwrap_or(UNKNOWN).to_owned(), Some(*length), *size)
            }
            _ => return None,
        },
        Source::Elsewhere(url) => {
            let url = fill::web_url(&url)?;
            let media_type = stated_type.unwrap_or_else(|| type_by_name(&url)).to_owned();
            (url, media_type, media.length, None)
        }
    };
    Some(Attachment { url, title: media.title, media_type, length, size, duration: media.duration })
}

/// What RFC 2046, section 4.5.1, calls bytes of which nothing is known.
const UNKNOWN: &str = "application/octet-stream";

/// Whether this is `type/subtype` (RFC 6838, section 4.2), without parameters.
fn is_media_type(text: &str) -> bool {
    let is_name = |name: &str| {
        (1..=127).contains(&name.len())
            && name.bytes().all(|it| it.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&it))
    };
    text.split_once('/').is_some_and(|(kind, subtype)| is_name(kind) && is_name(subtype))
}

/// The type that the extension in the URL of a file elsewhere stands for.
fn type_by_name(url: &str) -> &'static str {
    let path = url.split(['?', '#']).next().unwrap_or(url);
    let name = path.rsplit('/').next().unwrap_or(path);
    let extension = name.rsplit_once('.').map_or("", |(_, it)| it).to_ascii_lowercase();
    TYPES.iter().find(|(it, _)| *it == extension).map_or(UNKNOWN, |(_, media_type)| media_type)
}

/// What articles of the web show and enclose.
const TYPES: &[(&str, &str)] = &[
    ("avif", "image/avif"),
    ("gif", "image/gif"),
    ("jpeg", "image/jpeg"),
    ("jpg", "image/jpeg"),
    ("jxl", "image/jxl"),
    ("png", "image/png"),
    ("svg", "image/svg+xml"),
    ("webp", "image/webp"),
    ("aac", "audio/aac"),
    ("flac", "audio/flac"),
    ("m4a", "audio/mp4"),
    ("mp3", "audio/mpeg"),
    ("oga", "audio/ogg"),
    ("ogg", "audio/ogg"),
    ("opus", "audio/ogg"),
    ("wav", "audio/wav"),
    ("m4v", "video/mp4"),
    ("mov", "video/quicktime"),
    ("mp4", "video/mp4"),
    ("ogv", "video/ogg"),
    ("webm", "video/webm"),
    ("csv", "text/csv"),
    ("epub", "application/epub+zip"),
    ("pdf", "application/pdf"),
    ("torrent", "application/x-bittorrent"),
    ("zip", "application/zip"),
];
