//! Foreign HTML to harmless HTML: an allow-list, applied by a parser.
//!
//! In: any markup, its nesting bounded by the caller. Out: balanced HTML of the
//! elements and attributes below, values quoted, `<` and `>` escaped. URLs are not
//! resolved here, only their schemes judged; `holes` does the rest.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use ammonia::{Builder, UrlRelative};

use crate::convert::tags;

/// The allow-list. One for the life of the program: building it costs more than
/// cleaning a short post.
static ALLOWED: LazyLock<Builder<'static>> = LazyLock::new(|| {
    let mut builder = Builder::default();
    builder
        .add_tags([
            "section", "input", "picture", "source", "video", "audio", "track", "tfoot", "big",
        ])
        .rm_tags(["map", "area"])
        .clean_content_tags(HashSet::from([
            "script", "style", "template", "svg", "object", "applet", "select", "textarea",
            "button", "datalist", "title", "noembed", "noframes", "canvas", "noscript", "xmp",
            "iframe", "frameset", "head",
        ]))
        .generic_attributes(HashSet::from(["lang", "title", "dir", "id", "xml:lang"]))
        .tag_attributes(tag_attributes())
        .add_tag_attribute_values("input", "type", ["checkbox"])
        .url_schemes(SCHEMES.iter().copied().chain(["data"]).collect())
        .url_relative(UrlRelative::PassThrough)
        .link_rel(None)
        .attribute_filter(attribute);
    builder
});

/// Where a link may lead. A scheme that runs something, or opens what is on the
/// reader's machine, is not among them.
pub const SCHEMES: &[&str] = &[
    "http",
    "https",
    "mailto",
    "tel",
    "ftp",
    "ftps",
    "sftp",
    "geo",
    "irc",
    "ircs",
    "magnet",
    "news",
    "nntp",
    "sip",
    "sips",
    "sms",
    "xmpp",
    "bitcoin",
    "gemini",
    "gopher",
    "matrix",
    "webcal",
    "ssh",
    "git",
    "feed",
    "urn",
    "tag",
    "doi",
    "acct",
    "im",
    "openpgp4fpr",
    "ipfs",
    "ipns",
    "nostr",
    NAME,
];

/// Our own scheme for a note that is linked by its name; never leaves the stage.
pub const NAME: &str = "sower-name";

fn tag_attributes() -> HashMap<&'static str, HashSet<&'static str>> {
    let cell = ["align", "colspan", "rowspan", "headers", "scope", "abbr", "class"];
    [
        ("a", &["href", "hreflang", "name", "rel", "class", "type"][..]),
        ("abbr", &[]),
        ("audio", &["src", "controls", "loop", "muted", "preload"]),
        ("bdo", &["dir"]),
        ("blockquote", &["cite", "class"]),
        ("code", &["class"]),
        ("col", &["align", "span"]),
        ("colgroup", &["align", "span"]),
        ("data", &["value"]),
        ("del", &["cite", "datetime"]),
        ("details", &["open"]),
        ("div", &["class", "align"]),
        ("figure", &["class"]),
        ("img", &["src", "srcset", "sizes", "alt", "width", "height", "align", "class"]),
        ("input", &["checked", "disabled"]),
        ("ins", &["cite", "datetime"]),
        ("li", &["value", "class"]),
        ("ol", &["start", "type", "reversed", "class"]),
        ("p", &["align", "class"]),
        ("pre", &["class"]),
        ("q", &["cite"]),
        ("section", &["class"]),
        ("source", &["src", "srcset", "sizes", "media", "type", "width", "height"]),
        ("span", &["class"]),
        ("sup", &["class"]),
        ("table", &["class", "align"]),
        ("tbody", &["align"]),
        ("td", &cell),
        ("tfoot", &["align"]),
        ("th", &cell),
        ("thead", &["align"]),
        ("time", &["datetime"]),
        ("tr", &["align"]),
        ("track", &["src", "kind", "srclang", "label", "default"]),
        ("ul", &["class"]),
        (
            "video",
            &[
                "src",
                "poster",
                "controls",
                "loop",
                "muted",
                "preload",
                "width",
                "height",
                "playsinline",
            ],
        ),
    ]
    .into_iter()
    .map(|(tag, names)| (tag, names.iter().copied().collect()))
    .collect()
}

/// Classes that mean something to a reader or a page of ours; the rest belongs to a
/// style sheet that stays behind.
fn means_something(class: &str) -> bool {
    const WHOLE: &[&str] = &[
        "footnotes",
        "footnote",
        "footnote-ref",
        "footnote-backref",
        "contains-task-list",
        "task-list-item",
        "math",
        "callout",
        "callout-title",
        "callout-content",
        "h-entry",
    ];
    const BEGINNINGS: &[&str] = &["language-", "lang-", "markdown-alert"];
    WHOLE.contains(&class) || BEGINNINGS.iter().any(|it| class.starts_with(it))
}

fn attribute<'v>(element: &str, name: &str, value: &'v str) -> Option<Cow<'v, str>> {
    match (element, name) {
        (_, "class") => {
            let kept: Vec<&str> =
                value.split_ascii_whitespace().filter(|it| means_something(it)).collect();
            (!kept.is_empty()).then(|| Cow::Owned(kept.join(" ")))
        }
        ("a", "rel") => (value == "tag" || value == "footnote").then_some(Cow::Borrowed(value)),
        ("img", "src") if is_data(value) => is_picture_data(value).then_some(Cow::Borrowed(value)),
        (_, "href" | "src" | "cite" | "poster") if is_data(value) => None,
        ("img" | "video" | "source", "width" | "height") => {
            let digits = value.trim().trim_end_matches("px");
            let is_number = !digits.is_empty() && digits.bytes().all(|it| it.is_ascii_digit());
            is_number.then(|| Cow::Owned(digits.to_owned()))
        }
        (_, "dir") => matches!(value.to_ascii_lowercase().as_str(), "rtl" | "ltr" | "auto")
            .then_some(Cow::Borrowed(value)),
        (_, "id" | "name") => (!value.trim().is_empty()).then_some(Cow::Borrowed(value)),
        _ => Some(Cow::Borrowed(value)),
    }
}

fn is_data(url: &str) -> bool {
    url.trim_start().get(..5).is_some_and(|it| it.eq_ignore_ascii_case("data:"))
}

/// Pictures that cannot run anything: SVG can.
pub fn is_picture_data(url: &str) -> bool {
    let url = url.trim_start().to_ascii_lowercase();
    ["png", "gif", "jpeg", "webp", "avif"]
        .iter()
        .any(|it| url.strip_prefix("data:image/").is_some_and(|rest| rest.starts_with(it)))
}

/// Harmless, balanced HTML of what `html` says.
pub fn sanitized(html: &str) -> String {
    ALLOWED.clean(html).to_string()
}

/// The character that an HTML character reference stands for; the reference itself
/// where nobody knows it.
pub fn reference(reference: &str) -> String {
    static TEXT: LazyLock<Builder<'static>> = LazyLock::new(Builder::empty);
    let canonical = TEXT.clean(reference).to_string();
    match canonical.as_str() {
        "&amp;" => "&".into(),
        "&lt;" => "<".into(),
        "&gt;" => ">".into(),
        "&nbsp;" => "\u{a0}".into(),
        _ => match canonical.strip_prefix("&amp;") {
            // Not known: as it was typed.
            Some(rest) => format!("&{rest}"),
            None => canonical,
        },
    }
}

/// The text of a fragment of HTML that states a name or title.
pub fn text_of(html: &str) -> String {
    let mut text = String::with_capacity(html.len());
    for token in tags::Scanner::new(html) {
        if let tags::Token::Text(it) = token {
            text.push_str(&tags::unescape(it));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_passes_and_what_does_not() {
        let table = [
            ("<p onclick=x>a<script>b</script></p>", "<p>a</p>", "scripts"),
            ("<a href=\"javascript:x\">a</a>", "<a>a</a>", "a scheme that runs"),
            ("<a href=\" jAva\tscript:x\">a</a>", "<a>a</a>", "the same, hidden"),
            ("<a href=\"data:text/html,x\">a</a>", "<a>a</a>", "data is for pictures"),
            (
                "<img src=\"data:image/png;base64,AA\">",
                "<img src=\"data:image/png;base64,AA\">",
                "such as this",
            ),
            ("<img src=\"data:image/svg+xml,x\">", "<img>", "SVG runs scripts"),
            ("<div><p>a<b>b", "<div><p>a<b>b</b></p></div>", "balanced"),
            ("</div></div>a", "a", "ends without a start"),
            (
                "<code class=\"language-rust x\">a</code>",
                "<code class=\"language-rust\">a</code>",
                "code keeps its language",
            ),
            (
                "<input type=checkbox checked disabled>",
                "<input type=\"checkbox\" checked=\"\" disabled=\"\">",
                "task lists",
            ),
            ("<input type=password>", "<input>", "no other fields"),
            (
                "<details open><summary>a</summary>b</details>",
                "<details open=\"\"><summary>a</summary>b</details>",
                "details",
            ),
            (
                "<p dir=rtl lang=ar>a</p>",
                "<p dir=\"rtl\" lang=\"ar\">a</p>",
                "direction and language",
            ),
            ("<p style=\"position:fixed\">a</p>", "<p>a</p>", "no styles"),
            ("<svg><script>x</script><text>y</text></svg>a", "a", "no drawings with text in them"),
            ("<form action=x><p>a</p><button>b</button></form>", "<p>a</p>", "no forms"),
            ("<a title=\"a>b<c\">x</a>", "<a title=\"a&gt;b&lt;c\">x</a>", "values are escaped"),
            ("<!-- a --><p>b</p>", "<p>b</p>", "no comments"),
        ];
        for (html, clean, why) in table {
            assert_eq!(sanitized(html), clean, "{why}");
        }
    }
}
