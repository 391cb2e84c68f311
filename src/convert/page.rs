//! A whole HTML page: the article out of its furniture.
//!
//! In: a page as it was saved or exported. Out: the part that holds the article, its
//! navigation, forms, share buttons and comments left out; not yet sanitised. What the
//! page says of itself is `page_head`'s matter.

use std::ops::Range;

use crate::convert::tags::{Scanner, Tag, Token};

/// A page cut into tokens, each with its place, and each start tag with its end.
pub struct Page<'t> {
    text: &'t str,
    pub tokens: Vec<(Token<'t>, Range<usize>)>,
    /// Where the element ends that begins at this token: the place of its end tag, or
    /// of what ends it.
    ends: Vec<usize>,
}

/// Whether `text` is a page, not a fragment that a generator would set into one.
pub fn is_page(text: &str) -> bool {
    let start: String = text.chars().take(2_000).flat_map(char::to_lowercase).collect();
    ["<!doctype", "<html", "<head>", "<head ", "<body", "<title"]
        .iter()
        .any(|it| start.contains(it))
}

/// Open elements beyond which ends are no longer looked for.
const DEEPEST: usize = 400;

impl<'t> Page<'t> {
    pub fn new(text: &'t str) -> Page<'t> {
        let mut tokens = Vec::new();
        let mut ends = Vec::new();
        let mut open: Vec<usize> = Vec::new();
        let mut scanner = Scanner::new(text);
        let mut from = 0;
        while let Some(token) = scanner.next() {
            let at = tokens.len();
            ends.push(at);
            match token {
                Token::Start(tag)
                    if !tag.is_void() && !tag.closes_itself() && open.len() < DEEPEST =>
                {
                    open.push(at);
                }
                Token::End(name) => {
                    let is_same =
                        |&it: &usize| matches!(tokens[it], (Token::Start(tag), _) if tag.is(name));
                    if let Some(place) = open.iter().rposition(is_same) {
                        for start in open.drain(place..) {
                            ends[start] = at;
                        }
                    }
                }
                _ => {}
            }
            tokens.push((token, from..scanner.at()));
            from = scanner.at();
        }
        for start in open {
            ends[start] = tokens.len();
        }
        Page { text, tokens, ends }
    }

    pub fn starts(&self) -> impl Iterator<Item = (usize, Tag<'t>)> {
        self.tokens.iter().enumerate().filter_map(|(at, (token, _))| match token {
            Token::Start(tag) => Some((at, *tag)),
            _ => None,
        })
    }

    /// The text of the element that begins at token `at`.
    pub fn text_of(&self, at: usize) -> String {
        let mut text = String::new();
        for (token, _) in &self.tokens[at..self.ends[at].max(at + 1).min(self.tokens.len())] {
            if let Token::Text(it) = token {
                text.push_str(&crate::convert::tags::unescape(it));
                text.push(' ');
            }
        }
        crate::convert::clean::one_line(&text)
    }

    /// The element that holds the article: what its author marked as such, else what
    /// themes call it, else the page.
    pub fn article(&self) -> Range<usize> {
        let mut best: Option<(u32, usize, usize)> = None;
        let mut articles = 0;
        for (at, tag) in self.starts() {
            articles += usize::from(tag.is("article"));
            let Some(rank) = rank(&tag) else { continue };
            let length = self.letters(at);
            // Cards of other articles, and boxes that a script would have filled.
            if length < 40 {
                continue;
            }
            let is_better = best.is_none_or(|(other, _, other_length)| {
                rank < other || (rank == other && length > other_length)
            });
            if is_better {
                best = Some((rank, at, length));
            }
        }
        let is_list = articles > 2;
        match best {
            // Many articles of one length are a list of them: the page is its own.
            Some((ARTICLE, at, length)) if is_list && length * 2 < self.letters_of_all() => {
                let around = self.starts().find(|(_, tag)| rank(tag) == Some(MAIN)).map(|it| it.0);
                let at = around.or(self.body()).unwrap_or(at);
                at + 1..self.ends[at].max(at + 1)
            }
            Some((_, at, _)) => at + 1..self.ends[at].max(at + 1),
            None => match self.body() {
                Some(at) => at + 1..self.ends[at].max(at + 1).min(self.tokens.len()),
                None => 0..self.tokens.len(),
            },
        }
    }

    fn body(&self) -> Option<usize> {
        self.starts().find(|(_, tag)| tag.is("body")).map(|it| it.0)
    }

    fn letters(&self, at: usize) -> usize {
        let tokens = &self.tokens[at..self.ends[at].max(at + 1).min(self.tokens.len())];
        tokens
            .iter()
            .map(|(token, _)| if let Token::Text(it) = token { it.trim().len() } else { 0 })
            .sum()
    }

    fn letters_of_all(&self) -> usize {
        self.body().map_or(0, |it| self.letters(it))
    }

    /// The HTML of these tokens without furniture. `title` is what the page calls
    /// itself: a header that holds it goes, its pictures stay.
    pub fn without_furniture(&self, tokens: Range<usize>) -> String {
        let mut out = String::with_capacity(self.text.len() / 2);
        let mut at = tokens.start;
        while at < tokens.end.min(self.tokens.len()) {
            let (token, place) = &self.tokens[at];
            if let Token::Start(tag) = token {
                let end = self.ends[at].max(at);
                if is_furniture(tag) {
                    at = end + 1;
                    continue;
                }
                if tag.is("header") && self.holds_title(at..end) {
                    self.push_pictures(at + 1..end, &mut out);
                    at = end + 1;
                    continue;
                }
            }
            out.push_str(&self.text[place.clone()]);
            at += 1;
        }
        out
    }

    fn holds_title(&self, tokens: Range<usize>) -> bool {
        self.tokens[tokens]
            .iter()
            .any(|(token, _)| matches!(token, Token::Start(tag) if tag.is("h1")))
    }

    fn push_pictures(&self, tokens: Range<usize>, out: &mut String) {
        let mut at = tokens.start;
        while at < tokens.end {
            let (token, place) = &self.tokens[at];
            if let Token::Start(tag) = token {
                if tag.is("figure") || tag.is("picture") {
                    let end = self.ends[at].max(at).min(self.tokens.len() - 1);
                    out.push_str(&self.text[place.start..self.tokens[end].1.end]);
                    at = end + 1;
                    continue;
                }
                if tag.is("img") {
                    out.push_str(&self.text[place.clone()]);
                }
            }
            at += 1;
        }
    }
}

const ARTICLE: u32 = 2;
const MAIN: u32 = 3;

/// How surely an element is the article; less is surer.
fn rank(tag: &Tag<'_>) -> Option<u32> {
    const CONTENT: &[&str] = &[
        "entry-content",
        "post-content",
        "article-content",
        "article-body",
        "article__body",
        "article__content",
        "post-body",
        "post__content",
        "post__body",
        "entry__content",
        "story-body",
        "e-content",
        "markdown-body",
        "article-text",
        "blog-post-content",
        "td-post-content",
        "post-entry",
        "postcontent",
        "entry-body",
        "field--name-body",
    ];
    if tag
        .get("itemprop")
        .is_some_and(|it| it.split_whitespace().any(|it| it.eq_ignore_ascii_case("articleBody")))
    {
        return Some(0);
    }
    let has_name = |names: &[&str]| {
        let class = tag.get("class").unwrap_or_default();
        let id = tag.get("id").unwrap_or_default();
        class
            .split_whitespace()
            .chain([id.as_ref()])
            .any(|it| names.iter().any(|name| it.eq_ignore_ascii_case(name)))
    };
    if has_name(CONTENT) {
        return Some(1);
    }
    if tag.is("article") {
        return Some(ARTICLE);
    }
    let is_main = tag.is("main")
        || tag.get("role").is_some_and(|it| it == "main")
        || (tag.is("div") && has_name(&["main-content", "maincontent", "page-content"]));
    is_main.then_some(MAIN)
}

/// Whether an element serves the page, not the article.
fn is_furniture(tag: &Tag<'_>) -> bool {
    const ELEMENTS: &[&str] = &[
        "nav", "footer", "aside", "form", "script", "style", "noscript", "template", "dialog",
        "menu", "link", "meta", "title", "head",
    ];
    const NAMES: &[&str] = &[
        "nav",
        "navbar",
        "navigation",
        "navigation-top",
        "site-header",
        "site-footer",
        "site-nav",
        "page-header",
        "page-footer",
        "masthead",
        "sidebar",
        "side-bar",
        "widget-area",
        "breadcrumb",
        "breadcrumbs",
        "skip-link",
        "skip-to-content",
        "comments",
        "comment-respond",
        "comment-list",
        "respond",
        "disqus_thread",
        "share",
        "sharing",
        "share-buttons",
        "social-share",
        "sharedaddy",
        "social",
        "social-links",
        "related",
        "related-posts",
        "relatedposts",
        "recommended",
        "jp-relatedposts",
        "newsletter",
        "newsletter-signup",
        "subscribe",
        "subscription",
        "cookie-banner",
        "cookie-notice",
        "cookies",
        "advertisement",
        "advert",
        "ad-container",
        "ads",
        "promo",
        "post-navigation",
        "nav-links",
        "pagination",
        "pager",
        "prev-next",
        "post-meta",
        "entry-meta",
        "article-meta",
        "post-footer",
        "entry-footer",
        "author-box",
        "author-bio",
        "tag-list",
        "post-tags",
        "entry-tags",
        "toc",
        "table-of-contents",
        "screen-reader-text",
        "sr-only",
        "visually-hidden",
        "print-only",
        "no-print",
        "noprint",
        "printfooter",
        "mw-editsection",
        "headerlink",
        "anchor-link",
        "edit-link",
        "back-to-top",
    ];
    if ELEMENTS.iter().any(|it| tag.is(it)) {
        return true;
    }
    if tag.inside.is_empty() {
        return false;
    }
    let role = tag.get("role").unwrap_or_default();
    if matches!(
        role.as_ref(),
        "navigation" | "banner" | "contentinfo" | "complementary" | "search" | "menu" | "toolbar"
    ) || tag.attributes().any(|(name, _)| name.eq_ignore_ascii_case("hidden"))
    {
        return true;
    }
    let class = tag.get("class").unwrap_or_default();
    let id = tag.get("id").unwrap_or_default();
    class
        .split_whitespace()
        .chain([id.as_ref()])
        .any(|it| NAMES.iter().any(|name| it.eq_ignore_ascii_case(name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn article(html: &str) -> String {
        let page = Page::new(html);
        page.without_furniture(page.article())
    }

    #[test]
    fn articles_out_of_their_pages() {
        let long = "A long enough paragraph that is plainly an article's.";
        let table = [
            (
                format!("<body><nav>x</nav><p>{long}</p><footer>y</footer></body>"),
                format!("<p>{long}</p>"),
                "the body",
            ),
            (
                format!("<body><div>x</div><main><p>{long}</p></main></body>"),
                format!("<p>{long}</p>"),
                "the main part",
            ),
            (
                format!(
                    "<main>x<article><header><h1>T</h1><p>By me</p><img src=a></header><p>{long}</p></article></main>"
                ),
                format!("<img src=a><p>{long}</p>"),
                "an article; the header goes, its picture stays",
            ),
            (
                format!(
                    "<article><div class='meta'>x</div><div class='entry-content wide'><p>{long}</p><div class=share>s</div></div></article>"
                ),
                format!("<p>{long}</p>"),
                "what a theme calls it",
            ),
            (
                format!(
                    "<div itemprop=articleBody>{long}</div><div class='post-content'>{long}{long}</div>"
                ),
                long.to_owned(),
                "what the author calls it",
            ),
            (format!("<p>{long}"), format!("<p>{long}"), "no structure at all"),
        ];
        for (html, expected, why) in table {
            assert_eq!(article(&html), expected, "{why}");
        }
    }

    #[test]
    fn pages_and_fragments() {
        assert!(is_page("<!DOCTYPE html><p>x"));
        assert!(is_page("\n<HTML lang=en>"));
        assert!(!is_page("<article><p>x</p></article>"));
    }
}
