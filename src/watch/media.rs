//! What a file that is no seed is: its media type, and the size of a picture.
//!
//! Pure: a name and the first bytes in, facts out. Nothing is decoded but headers.
//!
//! A new kind of file is one row in `TYPES`.

use crate::watch::seed::SeedPath;

/// How many of a file's first bytes are needed at first, by its name: pictures for
/// their size, files whose name says nothing for their type.
pub fn head_bytes(path: &SeedPath) -> usize {
    match by_name(path) {
        Some("image/svg+xml") => 0,
        Some(it) if it.starts_with("image/") => 64 * 1024,
        Some(_) => 0,
        None => 64,
    }
}

/// The most bytes of a picture that are looked at: cameras put previews before the
/// size.
pub const MOST_HEAD_BYTES: usize = 1024 * 1024;

/// The media type of the file at `path` that begins with `head`: of pictures by
/// their first bytes, since many have the wrong name; of others by the name, and
/// where that says nothing by the first bytes.
pub fn media_type(path: &SeedPath, head: &[u8]) -> &'static str {
    let named = by_name(path);
    let is_picture = named.is_none_or(|it| it.starts_with("image/") && it != "image/svg+xml");
    let seen = if is_picture { by_head(head) } else { None };
    seen.or(named).unwrap_or("application/octet-stream")
}

/// Width and height in pixels of a picture that begins with `head`; `None` where
/// the head does not say.
pub fn picture_size(head: &[u8]) -> Option<(u32, u32)> {
    by_head(head).filter(|it| it.starts_with("image/"))?;
    let size = imagesize::blob_size(head).ok()?;
    let (width, height) = (u32::try_from(size.width).ok()?, u32::try_from(size.height).ok()?);
    (width > 0 && height > 0).then_some((width, height))
}

fn by_name(path: &SeedPath) -> Option<&'static str> {
    let extension = path.extension()?;
    TYPES.iter().find(|(it, _)| *it == extension).map(|(_, it)| *it)
}

fn by_head(head: &[u8]) -> Option<&'static str> {
    let at =
        |offset: usize, bytes: &[u8]| head.get(offset..).is_some_and(|it| it.starts_with(bytes));
    let brand = |names: &[&[u8]]| at(4, b"ftyp") && names.iter().any(|it| at(8, it));
    Some(match head {
        _ if at(0, b"\x89PNG\r\n\x1a\n") => "image/png",
        _ if at(0, b"\xff\xd8\xff") => "image/jpeg",
        _ if at(0, b"GIF87a") || at(0, b"GIF89a") => "image/gif",
        _ if at(0, b"RIFF") && at(8, b"WEBP") => "image/webp",
        _ if brand(&[b"avif", b"avis"]) => "image/avif",
        _ if brand(&[b"heic", b"heix", b"mif1", b"msf1"]) => "image/heic",
        _ if at(0, b"\xff\x0a") || at(0, b"\0\0\0\x0cJXL \r\n\x87\n") => "image/jxl",
        _ if at(0, b"II*\0") || at(0, b"MM\0*") => "image/tiff",
        _ if at(0, b"%PDF-") => "application/pdf",
        _ if at(0, b"PK\x03\x04") => "application/zip",
        _ if at(0, b"\x1f\x8b") => "application/gzip",
        _ if at(0, b"OggS") => "audio/ogg",
        _ if at(0, b"ID3") => "audio/mpeg",
        _ if at(0, b"fLaC") => "audio/flac",
        _ => return None,
    })
}

/// By extension. Media types as the IANA registers them, or where it has none as
/// feed readers know them.
const TYPES: &[(&str, &str)] = &[
    ("avif", "image/avif"),
    ("bmp", "image/bmp"),
    ("gif", "image/gif"),
    ("heic", "image/heic"),
    ("ico", "image/vnd.microsoft.icon"),
    ("jfif", "image/jpeg"),
    ("jpe", "image/jpeg"),
    ("jpeg", "image/jpeg"),
    ("jpg", "image/jpeg"),
    ("jxl", "image/jxl"),
    ("png", "image/png"),
    ("svg", "image/svg+xml"),
    ("tif", "image/tiff"),
    ("tiff", "image/tiff"),
    ("webp", "image/webp"),
    ("aac", "audio/aac"),
    ("aif", "audio/aiff"),
    ("aiff", "audio/aiff"),
    ("flac", "audio/flac"),
    ("m4a", "audio/x-m4a"),
    ("m4b", "audio/x-m4b"),
    ("mid", "audio/midi"),
    ("mp3", "audio/mpeg"),
    ("oga", "audio/ogg"),
    ("ogg", "audio/ogg"),
    ("opus", "audio/ogg"),
    ("wav", "audio/wav"),
    ("weba", "audio/webm"),
    ("avi", "video/x-msvideo"),
    ("m4v", "video/x-m4v"),
    ("mkv", "video/matroska"),
    ("mov", "video/quicktime"),
    ("mp4", "video/mp4"),
    ("mpeg", "video/mpeg"),
    ("mpg", "video/mpeg"),
    ("ogv", "video/ogg"),
    ("webm", "video/webm"),
    ("css", "text/css"),
    ("csv", "text/csv"),
    ("htm", "text/html"),
    ("html", "text/html"),
    ("ics", "text/calendar"),
    ("js", "text/javascript"),
    ("md", "text/markdown"),
    ("mjs", "text/javascript"),
    ("srt", "application/x-subrip"),
    ("txt", "text/plain"),
    ("vcf", "text/vcard"),
    ("vtt", "text/vtt"),
    ("otf", "font/otf"),
    ("ttf", "font/ttf"),
    ("woff", "font/woff"),
    ("woff2", "font/woff2"),
    ("7z", "application/x-7z-compressed"),
    ("bz2", "application/x-bzip2"),
    ("doc", "application/msword"),
    ("docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    ("epub", "application/epub+zip"),
    ("geojson", "application/geo+json"),
    ("gpx", "application/gpx+xml"),
    ("gz", "application/gzip"),
    ("json", "application/json"),
    ("kml", "application/vnd.google-earth.kml+xml"),
    ("odp", "application/vnd.oasis.opendocument.presentation"),
    ("ods", "application/vnd.oasis.opendocument.spreadsheet"),
    ("odt", "application/vnd.oasis.opendocument.text"),
    ("pdf", "application/pdf"),
    ("ppt", "application/vnd.ms-powerpoint"),
    ("pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation"),
    ("rtf", "application/rtf"),
    ("tar", "application/x-tar"),
    ("toml", "application/toml"),
    ("torrent", "application/x-bittorrent"),
    ("wasm", "application/wasm"),
    ("xls", "application/vnd.ms-excel"),
    ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ("xml", "application/xml"),
    ("xz", "application/x-xz"),
    ("yaml", "application/yaml"),
    ("yml", "application/yaml"),
    ("zip", "application/zip"),
    ("zst", "application/zstd"),
];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(path: &str) -> SeedPath {
        SeedPath::new(path).unwrap()
    }

    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\x01\x40\0\0\0\xf0\x08\x02\0\0\0";
    const GIF: &[u8] = b"GIF89a\x20\x03\x58\x02\x80\0\0";

    #[test]
    fn types() {
        let table: &[(&str, &[u8], &str, &str)] = &[
            ("a/photo.JPG", b"", "image/jpeg", "any case"),
            ("photo.jpg", PNG, "image/png", "pictures by their bytes"),
            ("photo", GIF, "image/gif", "no extension"),
            ("x.mp3", b"", "audio/mpeg", "by name"),
            ("x.mp3", PNG, "audio/mpeg", "only pictures are doubted"),
            ("x.svg", b"<svg/>", "image/svg+xml", "text has no first bytes"),
            ("x.svg", PNG, "image/svg+xml", "what is served as active content keeps its guard"),
            ("x.html", GIF, "text/html", "so does this"),
            ("x.opus", b"", "audio/ogg", "RFC 7845"),
            ("x.unknown", b"%PDF-1.7", "application/pdf", "bytes help out"),
            ("x.unknown", b"abc", "application/octet-stream", "nothing says anything"),
            (".png", b"", "application/octet-stream", "a hidden name has no extension"),
        ];
        for (path, head, expected, why) in table {
            assert_eq!(media_type(&at(path), head), *expected, "{path}: {why}");
        }
    }

    #[test]
    fn sizes() {
        type Row = (&'static [u8], Option<(u32, u32)>, &'static str);
        let table: &[Row] = &[
            (PNG, Some((320, 240)), "PNG"),
            (GIF, Some((800, 600)), "GIF"),
            (&PNG[..18], None, "cut short"),
            (b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\0\0\0\0\0\xf0\x08\x02", None, "no width"),
            (b"P6 20 20 255 ", None, "a picture that no browser shows"),
            (b"", None, "empty"),
        ];
        for (head, expected, why) in table {
            assert_eq!(picture_size(head), *expected, "{why}");
        }
    }

    #[test]
    fn extensions_stand_once_and_in_lower_case() {
        for (index, (extension, _)) in TYPES.iter().enumerate() {
            assert_eq!(*extension, extension.to_ascii_lowercase());
            assert!(TYPES[index + 1..].iter().all(|(it, _)| it != extension), "{extension}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_have_a_type_and_perhaps_a_size(
            start in prop::sample::select(vec![
                &b""[..], PNG, GIF, b"\xff\xd8\xff\xe0", b"RIFF\x10\0\0\0WEBPVP8X",
                b"RIFF\x10\0\0\0WEBPVP8 ", b"RIFF\x10\0\0\0WEBPVP8L", b"\0\0\0\x20ftypavif",
                b"\xff\x0a", b"\0\0\0\x0cJXL \r\n\x87\n", b"II*\0", b"MM\0*",
            ]),
            rest in prop::collection::vec(any::<u8>(), 0..300),
        ) {
            let head = [start, &rest].concat();
            prop_assert!(media_type(&at("x"), &head).contains('/'));
            picture_size(&head);
        }
    }
}
