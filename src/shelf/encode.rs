//! Rendition to what stands on the shelf: codings, tags, header values.
//!
//! Pure: the same rendition gives the same bytes under the same tags, on every
//! machine that runs this version.

use std::io;
use std::sync::OnceLock;
use std::time::{Duration, SystemTime};

use brotli::enc::BrotliEncoderParams;
use bytes::Bytes;
use http::HeaderValue;
use jiff::Timestamp;
use libdeflater::{CompressionLvl, Compressor};

use crate::catalog::entry::Part;
use crate::render::rendition::{Key, Made, Payload, Rendition};
use crate::shelf::snapshot::{Body, Coding, Codings, Document, Item, Kind, Variant, with_moment};

/// Of libdeflate: as short as level 6 of zlib, in less time.
const GZIP_LEVEL: i32 = 5;
const BROTLI_QUALITY: i32 = 5;
const ZSTD_LEVEL: i32 = 9;

/// Below this a coding saves no packet and costs the reader time.
const LEAST: usize = 256;

/// `made` as it stands on the shelf: identity and gzip at once, the other codings
/// when they are asked for.
pub(super) fn item(key: &Key, made: Made) -> Item {
    match made {
        Made::Rendition(rendition) => Item::Document(document(key, rendition)),
        Made::Moved(to) => Item::Moved(to),
        Made::Gone => Item::Gone,
        Made::Missing => Item::Missing,
    }
}

fn document(key: &Key, rendition: Rendition) -> Document {
    let kind = kind(key, &rendition);
    let Rendition { media_type, payload, language, modified, links } = rendition;
    let body = match payload {
        Payload::Bytes(bytes) => {
            // In a place of just its length: one that was written into a growing one may
            // hold twice as much, even when it is told to shrink.
            let bytes = Bytes::copy_from_slice(&bytes);
            let mut tag = tag(&bytes, &media_type, language.as_deref());
            if kind == Kind::Feed {
                tag = with_moment(&tag, &key.path(), modified.as_microsecond());
            }
            Body::Bytes(codings(bytes, &tag))
        }
        Payload::Delta { changed, whole } => {
            let feed = match key {
                Key::Delta { scope, format, .. } => {
                    let (scope, format) = (scope.clone(), *format);
                    Key::Feed { scope, part: Part::Current, format }.path()
                }
                other => other.path(),
            };
            let tag = tag(&whole, &media_type, language.as_deref());
            Body::Bytes(codings(changed, &with_moment(&tag, &feed, modified.as_microsecond())))
        }
        Payload::File { path, .. } => Body::File(path),
    };
    Document {
        kind,
        media_type: HeaderValue::try_from(media_type)
            .unwrap_or(HeaderValue::from_static("application/octet-stream")),
        language: language.and_then(|it| HeaderValue::try_from(it).ok()),
        links: links.into_iter().filter_map(|it| HeaderValue::try_from(it).ok()).collect(),
        modified: modified.as_second(),
        last_modified: http_date(modified),
        body,
    }
}

fn kind(key: &Key, rendition: &Rendition) -> Kind {
    match (&rendition.payload, key) {
        (Payload::File { .. }, _) if is_passive(&rendition.media_type) => Kind::Media,
        (Payload::File { .. }, _) => Kind::Active,
        (_, Key::Delta { .. }) => Kind::Delta,
        (_, Key::Visit { .. }) => Kind::Visit,
        (_, Key::Feed { part: Part::Current, .. }) => Kind::Feed,
        (_, Key::Feed { part: Part::Archive(_), .. }) => Kind::Archive,
        (_, Key::Opml | Key::Sitemap(_) | Key::Robots) => Kind::List,
        (_, Key::Index(_) | Key::Older(..) | Key::Names(_) | Key::Period(_) | Key::Page(_)) => {
            Kind::Page
        }
    }
}

/// Whether browsers only show, play or save what has this media type. What we do
/// not know counts as active.
fn is_passive(media_type: &str) -> bool {
    let essence = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if essence.ends_with("+xml") {
        return false;
    }
    let (tree, _) = essence.split_once('/').unwrap_or_default();
    matches!(tree, "image" | "audio" | "video" | "font")
        || matches!(
            essence.as_str(),
            "text/plain"
                | "text/csv"
                | "text/vtt"
                | "application/pdf"
                | "application/zip"
                | "application/gzip"
                | "application/epub+zip"
                | "application/octet-stream"
        )
}

/// The tag of a content, without codings and quotation marks: a hash of all that a
/// reader would see. Media type and language count, since a cache that is told 304
/// keeps the old ones.
fn tag(bytes: &[u8], media_type: &str, language: Option<&str>) -> String {
    let mut hasher = blake3::Hasher::new();
    hasher.update(bytes);
    let content = hasher.finalize();
    let mut hasher = blake3::Hasher::new();
    hasher.update(content.as_bytes());
    hasher.update(media_type.as_bytes());
    hasher.update(b"\n");
    hasher.update(language.unwrap_or_default().as_bytes());
    hasher.finalize().to_hex()[..32].to_owned()
}

fn codings(bytes: Bytes, tag: &str) -> Codings {
    let gzip = shorter(&bytes, gzip).map(|it| variant(it, tag, Coding::Gzip));
    Codings {
        identity: variant(bytes, tag, Coding::Identity),
        gzip,
        brotli: OnceLock::new(),
        zstd: OnceLock::new(),
    }
}

/// The document in a coding that is made when asked for; `None` where it would not
/// be shorter, or is there at once.
pub(super) fn squeezed(identity: &Variant, coding: Coding) -> Option<Variant> {
    let code = match coding {
        Coding::Brotli => brotli,
        Coding::Zstd => zstd,
        Coding::Gzip | Coding::Identity => return None,
    };
    let tag = identity.etag.to_str().ok()?.trim_matches('"');
    shorter(&identity.bytes, code).map(|it| variant(it, tag, coding))
}

fn shorter(bytes: &Bytes, code: fn(&[u8]) -> io::Result<Vec<u8>>) -> Option<Bytes> {
    if bytes.len() < LEAST {
        return None;
    }
    let coded = code(bytes).ok().filter(|it| it.len() < bytes.len())?;
    Some(Bytes::copy_from_slice(&coded))
}

fn variant(bytes: Bytes, tag: &str, coding: Coding) -> Variant {
    Variant {
        length: HeaderValue::from(bytes.len()),
        bytes,
        etag: HeaderValue::try_from(format!("\"{tag}{}\"", coding.suffix()))
            .expect("a tag is hexadecimal digits and a suffix"),
        head: OnceLock::new(),
        unchanged: OnceLock::new(),
    }
}

fn gzip(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let level = CompressionLvl::new(GZIP_LEVEL).expect("libdeflate has levels 0 to 12");
    let mut compressor = Compressor::new(level);
    let mut out = vec![0; compressor.gzip_compress_bound(bytes.len())];
    let length = compressor.gzip_compress(bytes, &mut out).map_err(io::Error::other)?;
    out.truncate(length);
    Ok(out)
}

fn brotli(bytes: &[u8]) -> io::Result<Vec<u8>> {
    let parameters = BrotliEncoderParams {
        quality: BROTLI_QUALITY,
        size_hint: bytes.len(),
        ..BrotliEncoderParams::default()
    };
    let mut out = Vec::with_capacity(bytes.len() / 4);
    brotli::BrotliCompress(&mut &bytes[..], &mut out, &parameters)?;
    Ok(out)
}

/// With its length in the frame header, which lets readers allocate once.
fn zstd(bytes: &[u8]) -> io::Result<Vec<u8>> {
    zstd::bulk::compress(bytes, ZSTD_LEVEL)
}

/// RFC 9110, section 5.6.7. Times before 1970 count as 1970.
fn http_date(time: Timestamp) -> HeaderValue {
    let since = Duration::from_secs(u64::try_from(time.as_second()).unwrap_or(0));
    HeaderValue::try_from(httpdate::fmt_http_date(SystemTime::UNIX_EPOCH + since))
        .expect("an HTTP date is ASCII")
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    fn page(text: &str) -> Made {
        Made::Rendition(Rendition {
            media_type: "text/html; charset=utf-8".into(),
            payload: Payload::Bytes(Bytes::copy_from_slice(text.as_bytes())),
            language: Some("en".into()),
            modified: Timestamp::from_second(784_111_777).unwrap(),
            links: vec!["</feed.atom>; rel=\"alternate\"".into(), "bad\nlink".into()],
        })
    }

    fn shelved(text: &str) -> Document {
        match item(&Key::Page("/a".into()), page(text)) {
            Item::Document(document) => document,
            other => panic!("{other:?}"),
        }
    }

    fn in_codings(document: &Document) -> &Codings {
        match &document.body {
            Body::Bytes(codings) => codings,
            Body::File(_) => panic!("a file"),
        }
    }

    #[test]
    fn each_coding_decodes_to_the_same_bytes_under_its_own_tag() {
        let text = "Much of this is said again and again. ".repeat(100);
        let document = shelved(&text);
        let codings = in_codings(&document);
        let gzip = codings.gzip.as_ref().unwrap();
        let brotli = squeezed(&codings.identity, Coding::Brotli).unwrap();
        let zstd = squeezed(&codings.identity, Coding::Zstd).unwrap();

        let mut plain = String::new();
        flate2::read::GzDecoder::new(&gzip.bytes[..]).read_to_string(&mut plain).unwrap();
        assert_eq!(plain, text);
        let mut plain = Vec::new();
        brotli::BrotliDecompress(&mut &brotli.bytes[..], &mut plain).unwrap();
        assert_eq!(plain, text.as_bytes());
        assert_eq!(zstd::stream::decode_all(&zstd.bytes[..]).unwrap(), text.as_bytes());

        let all = [&codings.identity, gzip, &brotli, &zstd];
        for (at, one) in all.iter().enumerate() {
            assert_eq!(one.length, one.bytes.len().to_string());
            let tag = one.etag.to_str().unwrap();
            assert!(tag.starts_with('"') && tag.ends_with('"') && tag.len() > 30, "{tag}");
            for other in &all[at + 1..] {
                assert_ne!(one.etag, other.etag, "RFC 9110, 8.8.3: strong tags differ by coding");
            }
        }
    }

    #[test]
    fn a_tag_names_all_that_a_reader_sees() {
        let one = tag(b"text", "text/html", Some("en"));
        assert_eq!(one, tag(b"text", "text/html", Some("en")), "the same content, the same tag");
        assert_ne!(one, tag(b"texT", "text/html", Some("en")));
        assert_ne!(one, tag(b"text", "text/html", Some("ko")));
        assert_ne!(one, tag(b"text", "text/plain", Some("en")));
        assert_ne!(one, tag(b"text", "text/html", None));
    }

    #[test]
    fn what_does_not_get_shorter_stays_as_it_is() {
        assert!(in_codings(&shelved("short")).gzip.is_none());
        let mut noise = vec![0; 4096];
        blake3::Hasher::new().finalize_xof().fill(&mut noise);
        assert!(codings(noise.into(), "tag").gzip.is_none());
    }

    #[test]
    fn header_values_are_what_http_allows() {
        let document = shelved("text");
        assert_eq!(document.links, ["</feed.atom>; rel=\"alternate\""], "a line end is dropped");
        assert_eq!(document.last_modified, "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(document.language.unwrap(), "en");
    }

    #[test]
    fn passive_types() {
        let table = [
            ("image/png", true, ""),
            ("image/svg+xml", false, "SVG runs scripts"),
            ("IMAGE/SVG+XML; charset=utf-8", false, "types ignore case and have parameters"),
            ("audio/mpeg", true, ""),
            ("text/plain; charset=utf-8", true, "nosniff keeps it plain"),
            ("application/pdf", true, "browsers refuse to show a PDF in a sandbox"),
            ("text/html", false, ""),
            ("text/xml", false, "XML may be XHTML or have a style sheet with scripts"),
            ("application/x-unknown", false, "unknown is not known to be harmless"),
            ("nonsense", false, ""),
            ("", false, ""),
        ];
        for (media_type, passive, why) in table {
            assert_eq!(is_passive(media_type), passive, "{media_type}: {why}");
        }
    }
}
