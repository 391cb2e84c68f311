//! What calls of shortcodes and includes become: pictures, videos, links, code. The
//! names are those that Hugo and Zola bring along and themes agree on; a call of any
//! other name leaves what it encloses.
//!
//! A new shortcode is an arm in [`become_text`].

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::convert::sanitize;
use crate::convert::tags::escaped;
use crate::convert::templates::Dialect;

/// A call: its name in lower case, what it was given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Call {
    pub name: String,
    pub positional: Vec<String>,
    pub named: Vec<(String, String)>,
    /// Arguments that were no literals but names.
    pub variables: Vec<String>,
}

impl Call {
    /// `figure src="a.png" "b"`.
    pub fn hugo(inside: &str) -> Call {
        let name_to = inside.find(char::is_whitespace).unwrap_or(inside.len());
        Call::with(&inside[..name_to], &inside[name_to..], '=')
    }

    /// `youtube ID`, `image "a.png", "alt"`.
    pub fn liquid(name: &str, arguments: &str) -> Call {
        Call::with(name, arguments, '=')
    }

    /// `figure.html src="a.png"`, `"figure.njk", src: "a.png"`.
    pub fn include(arguments: &str) -> Call {
        let arguments = arguments.trim();
        let (file, rest) = match arguments.chars().next() {
            Some(sign @ ('"' | '\'')) => arguments[1..].split_once(sign).unwrap_or((arguments, "")),
            _ => arguments.split_once([' ', ',', '\n']).unwrap_or((arguments, "")),
        };
        let name = file.rsplit('/').next().unwrap_or_default();
        let name = name.split('.').next().unwrap_or_default();
        let is_liquid = rest.contains(':') && !rest.contains('=');
        Call::with(name, rest.trim_start_matches(','), if is_liquid { ':' } else { '=' })
    }

    /// `youtube(id="x", w=3)`; `None` where it is no call.
    pub fn zola(inside: &str) -> Option<Call> {
        let open = inside.find('(')?;
        let name = &inside[..open];
        let is_name = !name.is_empty()
            && name.chars().all(|it| it.is_alphanumeric() || matches!(it, '_' | ':'));
        let arguments = inside[open + 1..].trim_end().strip_suffix(')')?;
        is_name.then(|| Call::with(name.rsplit(':').next().unwrap_or(name), arguments, '='))
    }

    fn with(name: &str, arguments: &str, equals: char) -> Call {
        let mut call = Call { name: name.to_lowercase().replace('_', "-"), ..Call::default() };
        let mut rest = arguments;
        loop {
            rest = rest.trim_start_matches([' ', '\t', '\n', ',']);
            if rest.is_empty() || call.positional.len() + call.named.len() > 50 {
                return call;
            }
            let key_to = rest
                .find(|it: char| !(it.is_alphanumeric() || matches!(it, '_' | '-')))
                .unwrap_or(rest.len());
            let after = rest[key_to..].trim_start_matches(' ');
            let key = rest[..key_to].to_lowercase();
            let value = after.strip_prefix(equals).filter(|_| key_to > 0);
            let (text, is_literal, remaining) = argument(value.unwrap_or(rest).trim_start());
            if remaining.len() >= rest.len() {
                return call;
            }
            rest = remaining;
            if !is_literal {
                call.variables.push(text.clone());
            }
            match value {
                Some(_) => call.named.push((key, text)),
                None => call.positional.push(text),
            }
        }
    }

    pub fn named(&self, name: &str) -> Option<&str> {
        self.named
            .iter()
            .find(|it| it.0 == name)
            .map(|it| it.1.as_str())
            .filter(|it| !it.is_empty())
    }

    fn any(&self, names: &[&str]) -> Option<&str> {
        names.iter().find_map(|it| self.named(it))
    }

    fn first(&self) -> Option<&str> {
        self.positional.first().map(String::as_str).filter(|it| !it.is_empty())
    }
}

/// One argument: its text, whether it was quoted, what follows it.
fn argument(text: &str) -> (String, bool, &str) {
    match text.chars().next() {
        Some(sign @ ('"' | '\'' | '`' | '“')) => {
            let from = sign.len_utf8();
            let sign = if sign == '“' { '”' } else { sign };
            let mut escape = false;
            let end = text[from..].char_indices().find(|&(_, it)| {
                let is_end = it == sign && !escape;
                escape = it == '\\' && !escape;
                is_end
            });
            match end {
                Some((at, _)) => {
                    let inside =
                        text[from..from + at].replace(&format!("\\{sign}"), &sign.to_string());
                    (inside, true, &text[from + at + sign.len_utf8()..])
                }
                None => (text[from..].to_owned(), true, ""),
            }
        }
        _ => {
            let to = text.find([' ', '\t', '\n', ',']).unwrap_or(text.len());
            (text[..to].to_owned(), false, &text[to..])
        }
    }
}

/// The text that stands for `call` around `inner`. `value` knows variables.
pub fn become_text(
    call: &Call,
    inner: Option<&str>,
    dialect: Dialect,
    value: &dyn Fn(&str) -> Option<String>,
) -> String {
    let target = || call.any(&["id", "url", "src", "video", "v"]).or(call.first());
    match call.name.as_str() {
        "figure" | "img" | "image" | "picture" | "photo" | "figure-img" | "imgc" | "lightbox"
        | "responsive-image" | "resize-image" | "figimg" | "asset-img" => {
            picture(call, inner, dialect, value)
        }
        "youtube" | "youtube-lite" | "yt" | "youtubeplayer" | "youtube-embed" => match target() {
            Some(id) => video(id, "https://www.youtube.com/watch?v=", dialect),
            None => String::new(),
        },
        "vimeo" => target().map(|it| video(it, "https://vimeo.com/", dialect)).unwrap_or_default(),
        "gist" => match (call.first(), call.positional.get(1)) {
            (Some(user), Some(id)) => {
                link(&format!("https://gist.github.com/{user}/{id}"), "", dialect)
            }
            (Some(id), None) => link(&format!("https://gist.github.com/{id}"), "", dialect),
            _ => String::new(),
        },
        "tweet" | "twitter" | "x" | "x-simple" | "twitter-simple" => {
            match (call.named("user"), call.named("id"), call.first()) {
                (Some(user), Some(id), _) => {
                    link(&format!("https://twitter.com/{user}/status/{id}"), "", dialect)
                }
                (_, _, Some(url)) if url.starts_with("http") => link(url, "", dialect),
                _ => String::new(),
            }
        }
        "instagram" => target()
            .map(|it| link(&format!("https://www.instagram.com/p/{it}/"), "", dialect))
            .unwrap_or_default(),
        "audio" | "video" | "html5video" | "mp4" => {
            match call.any(&["src", "url", "file", "mp4"]).or(call.first()) {
                Some(src) if dialect == Dialect::Html || src.contains(['.', '/']) => {
                    let element = if call.name == "audio" { "audio" } else { "video" };
                    format!("<{element} src=\"{}\" controls></{element}>", escaped(src))
                }
                _ => String::new(),
            }
        }
        "ref" | "relref" => call.first().or(call.named("path")).map(reference).unwrap_or_default(),
        "post-url" => {
            let name = call.first().unwrap_or_default().rsplit('/').next().unwrap_or_default();
            format!("{}:{}", sanitize::NAME, encoded(name))
        }
        "link" if inner.is_none() && call.positional.len() == 1 && call.named.is_empty() => {
            let path = call.first().unwrap_or_default();
            if path.contains("://") {
                path.to_owned()
            } else {
                encoded_path(&format!("/{}", path.trim_start_matches('/')))
            }
        }
        "baseurl" | "siteurl" | "url" if call.positional.is_empty() => String::new(),
        "url" | "absurl" | "relurl" | "asset" | "static" | "asset-path" | "get-url" => call
            .any(&["path"])
            .or(call.first())
            .map(|it| match it.strip_prefix("@/") {
                Some(_) => encoded_path(it),
                None => encoded_path(it),
            })
            .unwrap_or_default(),
        "param" => call.first().and_then(value).unwrap_or_default(),
        "details" | "collapse" | "expand" | "spoiler" | "fold" => {
            let summary = call.any(&["summary", "title"]).or(call.first()).unwrap_or("…");
            format!(
                "\n<details><summary>{}</summary>\n\n{}\n\n</details>\n",
                escaped(summary),
                inner.unwrap_or_default().trim()
            )
        }
        "quote" | "blockquote" | "pullquote" if inner.is_some() => {
            quotation(call, inner.unwrap_or_default(), dialect)
        }
        "button" | "link" | "a" | "btn" | "extlink" => {
            let href = call.any(&["href", "url", "link", "to", "relref"]).or(call.first());
            let label = inner.map(str::trim).filter(|it| !it.is_empty());
            let label = label
                .or(call.any(&["text", "label", "title", "name"]))
                .or(call.positional.get(1).map(String::as_str));
            match (href, label) {
                (Some(href), label) => link(href, label.unwrap_or_default(), dialect),
                (None, label) => label.unwrap_or_default().to_owned(),
            }
        }
        "rawhtml" | "html" | "raw" => inner.unwrap_or_default().to_owned(),
        "mermaid" | "plantuml" | "math" | "katex" if inner.is_some() => match dialect {
            Dialect::Markdown => format!(
                "\n```{}\n{}\n```\n",
                call.name,
                inner.unwrap_or_default().trim_matches('\n')
            ),
            Dialect::Html => format!("<pre>{}</pre>", inner.unwrap_or_default()),
        },
        _ => unknown(call, inner, dialect, value),
    }
}

/// A call that only its theme knows: what it encloses, what was captured for it, a
/// picture that it names.
fn unknown(
    call: &Call,
    inner: Option<&str>,
    dialect: Dialect,
    value: &dyn Fn(&str) -> Option<String>,
) -> String {
    if let Some(inner) = inner {
        let title = call.any(&["title", "name", "heading"]);
        return match (title, dialect) {
            (Some(title), Dialect::Markdown) => {
                format!("**{}** {}", comrak::escape_commonmark_inline(title), inner.trim_start())
            }
            _ => inner.to_owned(),
        };
    }
    if let Some(source) = call
        .any(&["src", "image", "img", "image_path", "image_src", "file"])
        .filter(|it| is_picture(it))
        && !source.contains("{{")
    {
        return picture(call, inner, dialect, value);
    }
    if let Some(text) = call.variables.iter().find_map(|it| value(it)) {
        return text;
    }
    call.any(&["content", "text", "body"]).unwrap_or_default().to_owned()
}

fn is_picture(path: &str) -> bool {
    let path = path.split(['?', '#']).next().unwrap_or_default().to_ascii_lowercase();
    [".png", ".jpg", ".jpeg", ".gif", ".webp", ".avif", ".svg", ".jxl"]
        .iter()
        .any(|it| path.ends_with(it))
}

fn picture(
    call: &Call,
    inner: Option<&str>,
    dialect: Dialect,
    value: &dyn Fn(&str) -> Option<String>,
) -> String {
    let names = [
        "src",
        "path",
        "url",
        "image",
        "img",
        "image_path",
        "image-path",
        "file",
        "filename",
        "link",
    ];
    let Some(source) = call.any(&names).or(call.first()) else {
        return inner.unwrap_or_default().to_owned();
    };
    let source = match call.variables.iter().any(|it| it == source) {
        true => value(source).unwrap_or_else(|| source.to_owned()),
        false => source.to_owned(),
    };
    if !source.contains(['.', '/']) {
        return inner.unwrap_or_default().to_owned();
    }
    let alt = call
        .any(&["alt", "alt_text", "image_alt", "image_alt_text"])
        .or(call.positional.get(1).map(String::as_str))
        .unwrap_or_default();
    let inner = inner.map(str::trim).filter(|it| !it.is_empty());
    let caption = inner
        .or(call.any(&["caption", "description", "desc", "cap"]))
        .or_else(|| (call.name == "figure").then(|| call.named("title")).flatten());
    match (caption, dialect) {
        (None, Dialect::Markdown) => {
            format!("![{}](<{}>)", comrak::escape_commonmark_inline(alt), in_brackets(&source))
        }
        (None, Dialect::Html) => {
            format!("<img src=\"{}\" alt=\"{}\">", escaped(&source), escaped(alt))
        }
        (Some(caption), _) => {
            let caption = crate::convert::markdown::plain(caption);
            format!(
                "<figure><img src=\"{}\" alt=\"{}\"><figcaption>{}</figcaption></figure>",
                escaped(&source),
                escaped(alt),
                escaped(caption.trim())
            )
        }
    }
}

fn quotation(call: &Call, inner: &str, dialect: Dialect) -> String {
    let author = call.any(&["author", "cite", "source"]).or(call.first());
    match dialect {
        Dialect::Html => {
            let author =
                author.map(|it| format!("<footer>{}</footer>", escaped(it))).unwrap_or_default();
            format!("<blockquote>{inner}{author}</blockquote>")
        }
        Dialect::Markdown => {
            let author = author
                .map(|it| format!("\n\n— {}", comrak::escape_commonmark_inline(it)))
                .unwrap_or_default();
            let quoted: Vec<String> =
                format!("{}{author}", inner.trim()).lines().map(|it| format!("> {it}")).collect();
            format!("\n\n{}\n\n", quoted.join("\n"))
        }
    }
}

fn video(id: &str, base: &str, dialect: Dialect) -> String {
    let url = match id.contains("://") || id.starts_with("//") {
        true => id.to_owned(),
        false => format!("{base}{}", encoded(id)),
    };
    link(&url, "", dialect)
}

fn link(url: &str, label: &str, dialect: Dialect) -> String {
    let label = if label.is_empty() { url } else { label };
    match dialect {
        Dialect::Html => format!("<a href=\"{}\">{}</a>", escaped(url), escaped(label)),
        Dialect::Markdown if label == url => {
            format!("[{}](<{}>)", comrak::escape_commonmark_inline(url), in_brackets(url))
        }
        Dialect::Markdown => format!("[{label}](<{}>)", in_brackets(url)),
    }
}

/// Hugo finds pages by their path in the content folder, or by their file name alone.
fn reference(path: &str) -> String {
    if path.starts_with('#') {
        return encoded_path(path);
    }
    if path.contains('/') {
        return encoded_path(&format!("@/{}", path.trim_start_matches('/')));
    }
    let (file, fragment) = path.split_once('#').unwrap_or((path, ""));
    let name = file.rsplit_once('.').map_or(file, |it| it.0);
    let fragment = if fragment.is_empty() { String::new() } else { format!("#{fragment}") };
    format!("{}:{}{}", sanitize::NAME, encoded(name), encoded_path(&fragment))
}

/// A note or picture by its name, as Obsidian and wikis link it.
pub fn wikilink(target: &str, label: &str, is_embedded: bool) -> String {
    if is_embedded && is_picture(target) {
        // Behind the bar stands a size or an alternative text.
        let is_size = label.bytes().all(|it| it.is_ascii_digit() || it == b'x');
        let alt = if is_size { String::new() } else { comrak::escape_commonmark_inline(label) };
        return format!("![{alt}](<{}>)", in_brackets(target));
    }
    let shown = match label {
        "" => target.trim_start_matches('#').replace('#', " > "),
        label => label.to_owned(),
    };
    let name = target.strip_suffix(".md").unwrap_or(target);
    format!(
        "[{}](<{}:{}>)",
        comrak::escape_commonmark_inline(&shown),
        sanitize::NAME,
        encoded(name).replace("%23", "#")
    )
}

/// What stays as it is in a path that Markdown puts between parentheses.
const PATH: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'/')
    .remove(b'.')
    .remove(b'-')
    .remove(b'_')
    .remove(b'~')
    .remove(b'#')
    .remove(b'?')
    .remove(b'=')
    .remove(b'&')
    .remove(b'@')
    .remove(b'%')
    .remove(b':')
    .remove(b',')
    .remove(b'+');

fn encoded(name: &str) -> String {
    utf8_percent_encode(name, NON_ALPHANUMERIC)
        .to_string()
        .replace("%2D", "-")
        .replace("%2E", ".")
        .replace("%5F", "_")
        .replace("%2F", "/")
}

fn encoded_path(path: &str) -> String {
    utf8_percent_encode(path, PATH).to_string()
}

/// A URL between `<` and `>`.
fn in_brackets(url: &str) -> String {
    url.replace('<', "%3C").replace('>', "%3E").replace('\n', "").replace('\\', "%5C")
}
