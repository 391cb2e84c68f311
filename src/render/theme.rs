//! How pages for people look: templates and a stylesheet that stand in for the built-in
//! ones.
//!
//! In: a page as Sower makes it, and what it is about. Out: the page as the theme makes
//! it. A template that fails leaves the built-in page and is a [`Problem`] with file and
//! line. Feeds have no look.
//!
//! | template | page |
//! |---|---|
//! | `index.html` | of a scope, and of its older articles |
//! | `article.html` | of an article |
//! | `visit.html` | what people see who open the address of a feed |
//! | `names.html` | of all tags, authors or languages |
//! | `calendar.html` | of what was published in a time |
//! | `page.html` | any of these that has no template of its own |
//! | `style.css` | instead of the built-in stylesheet |
//!
//! Others are there to be included or extended. What templates may use stands in
//! docs/themes.md.

use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use jiff::fmt::strtime::BrokenDownTime;
use jiff::tz::Offset;
use minijinja::value::Value;
use minijinja::{Environment, Error, ErrorKind, UndefinedBehavior, context};

use crate::catalog::entry::Part;
use crate::catalog::scope::Kind;
use crate::feed::page::{Attachment, Calendar, Directory, Feed, Item, Section};
use crate::problem::Problem;
use crate::render::html;
use crate::render::rendition::{Format, Payload, Rendition};
use crate::render::xml;
use crate::watch::seed::SeedPath;

/// So many steps a template may take: one that never ends is a fault like others.
const STEPS: u64 = 5_000_000;

/// What a page is about.
#[derive(Debug, Clone, Copy)]
pub enum Subject<'f> {
    Scope(&'f Feed),
    /// Of the first item.
    Article(&'f Feed),
    Visit(&'f Feed, Format),
    Names(&'f Directory, Kind),
    Calendar(&'f Calendar),
}

/// A problem, and whether [`Theme::news`] told it.
#[derive(Debug)]
struct Met {
    problem: Problem,
    is_told: bool,
}

/// The look of a site's pages; by default the built-in one.
#[derive(Debug, Default)]
pub struct Theme {
    style: Option<String>,
    templates: Option<Environment<'static>>,
    digest: String,
    /// Since when the site looks so: no page is older.
    since: Timestamp,
    /// What is wrong with its files, and what failed in them since.
    problems: Mutex<Vec<Met>>,
}

impl Theme {
    /// The look that these files make, each with its path in the theme's folder. What is
    /// wrong with one is a problem, and leaves the built-in look there.
    pub fn new(files: Vec<(String, String)>) -> Theme {
        let mut theme = Theme::default();
        let mut hash = blake3::Hasher::new();
        let mut templates = Environment::new();
        templates.set_undefined_behavior(UndefinedBehavior::SemiStrict);
        templates.set_fuel(Some(STEPS));
        templates.set_recursion_limit(50);
        templates.add_filter("date", date);
        let mut has_template = false;
        for (name, text) in files {
            hash.update(name.as_bytes()).update(&[0]).update(text.as_bytes()).update(&[0]);
            if name == "style.css" {
                match ends_style(&text) {
                    None => theme.style = Some(xml::text(&text).into_owned()),
                    Some(line) => {
                        let reason = "expected a stylesheet, found `</style`, which would end it";
                        theme.note(&name, Some(line), reason.into());
                    }
                }
            } else if name.ends_with(".html") {
                match templates.add_template_owned(name.clone(), text) {
                    Ok(()) => has_template = true,
                    Err(error) => theme.fail(&name, &error),
                }
            }
        }
        theme.templates = has_template.then_some(templates);
        theme.digest = hash.finalize().to_string();
        theme
    }

    /// Changes when any of its files does.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// The same look, worn since then.
    pub fn worn_since(mut self, since: Timestamp) -> Theme {
        self.since = since;
        self
    }

    pub fn since(&self) -> Timestamp {
        self.since
    }

    /// Everything that is wrong with it, as far as it was met.
    pub fn problems(&self) -> Vec<Problem> {
        let problems = self.problems.lock().unwrap_or_else(PoisonError::into_inner);
        problems.iter().map(|it| it.problem.clone()).collect()
    }

    /// The problems that it has not told yet.
    pub fn news(&self) -> Vec<Problem> {
        let mut problems = self.problems.lock().unwrap_or_else(PoisonError::into_inner);
        let news = problems.iter_mut().filter(|it| !it.is_told);
        news.map(|it| {
            it.is_told = true;
            it.problem.clone()
        })
        .collect()
    }

    /// `page` as this theme has it.
    pub fn dress(&self, mut page: Rendition, subject: Subject<'_>) -> Rendition {
        page.modified = page.modified.max(self.since);
        if self.style.is_none() && self.templates.is_none() {
            return page;
        }
        let Payload::Bytes(bytes) = &page.payload else { return page };
        let Ok(built_in) = std::str::from_utf8(bytes) else { return page };
        let Some(parts) = Parts::of(built_in) else { return page };
        let style = self.style.as_deref().unwrap_or(html::STYLE);
        let dressed = self.rendered(&parts, style, subject).unwrap_or_else(|| {
            let Parts { opening, head, body, .. } = parts;
            format!(
                "{opening}{head}<style>\n{style}</style>\n</head>\n<body>\n{body}</body>\n</html>\n"
            )
        });
        page.payload = Payload::Bytes(dressed.into());
        page
    }

    fn rendered(&self, parts: &Parts<'_>, style: &str, subject: Subject<'_>) -> Option<String> {
        let templates = self.templates.as_ref()?;
        let own = match subject {
            Subject::Scope(_) => "index.html",
            Subject::Article(_) => "article.html",
            Subject::Visit(..) => "visit.html",
            Subject::Names(..) => "names.html",
            Subject::Calendar(_) => "calendar.html",
        };
        let template =
            [own, "page.html"].into_iter().find_map(|it| templates.get_template(it).ok())?;
        let safe = |it: &str| Value::from_safe_string(it.to_owned());
        let common = context! {
            kind => own.trim_end_matches(".html"),
            head => safe(parts.head),
            body => safe(parts.body),
            style => safe(style),
        };
        match template.render(context! { ..about(subject), ..common }) {
            Ok(text) => Some(xml::text(&text).into_owned()),
            Err(error) => {
                self.fail(template.name(), &error);
                None
            }
        }
    }

    fn fail(&self, name: &str, error: &Error) {
        // Of several that led to each other the innermost is where it went wrong.
        let mut innermost = error;
        let mut source = std::error::Error::source(error);
        while let Some(inner) = source {
            if let Some(inner) = inner.downcast_ref::<Error>().filter(|it| it.line().is_some()) {
                innermost = inner;
            }
            source = inner.source();
        }
        let file = innermost.name().unwrap_or(name).to_owned();
        let line = innermost.line().and_then(|it| u32::try_from(it).ok());
        let reason = match innermost.detail() {
            _ if innermost.kind() == ErrorKind::OutOfFuel => {
                "expected a template that ends, found one that takes too many steps".into()
            }
            Some(detail) => format!("{}: {detail}", innermost.kind()),
            None => innermost.kind().to_string(),
        };
        self.note(&file, line, reason.replace('\n', " "));
    }

    fn note(&self, file: &str, line: Option<u32>, reason: String) {
        /// A broken theme fails on every page in the same few ways.
        const MOST: usize = 100;
        let Some(path) = SeedPath::new(format!("theme/{file}")) else { return };
        let consequence = "the built-in page stands in".into();
        let problem = Problem { path, line, reason, consequence };
        let mut problems = self.problems.lock().unwrap_or_else(PoisonError::into_inner);
        if problems.len() < MOST && problems.iter().all(|it| it.problem != problem) {
            problems.push(Met { problem, is_told: false });
        }
    }
}

/// The line of what would end a style element.
fn ends_style(text: &str) -> Option<u32> {
    let at = text.to_ascii_lowercase().find("</style")?;
    u32::try_from(text[..at].matches('\n').count() + 1).ok()
}

/// A built-in page, taken apart.
struct Parts<'p> {
    /// Up to the inside of the head.
    opening: &'p str,
    /// What stands in the head, but for the stylesheet.
    head: &'p str,
    body: &'p str,
}

impl Parts<'_> {
    fn of(page: &str) -> Option<Parts<'_>> {
        const HEAD: &str = "<head>\n";
        let at = page.find(HEAD)? + HEAD.len();
        let (opening, rest) = page.split_at(at);
        // What people wrote is escaped, so the first is ours.
        let (head, rest) = rest.split_once("<style>\n")?;
        let (_, rest) = rest.split_once("</style>\n</head>\n<body>\n")?;
        let body = rest.strip_suffix("</body>\n</html>\n")?;
        Some(Parts { opening, head, body })
    }
}

/// `{{ item.published | date("%-d %B %Y") }}`, in UTC.
fn date(time: &str, format: &str) -> Result<String, Error> {
    let wrong =
        |it: &dyn std::fmt::Display| Error::new(ErrorKind::InvalidOperation, it.to_string());
    let time: Timestamp = time.parse().map_err(|it: jiff::Error| wrong(&it))?;
    let time = BrokenDownTime::from(Offset::UTC.to_datetime(time));
    time.to_string(format).map_err(|it| wrong(&it))
}

/// What templates may use.
fn about(subject: Subject<'_>) -> Value {
    match subject {
        Subject::Scope(feed) => context! { feed => scope(feed), items => items(feed) },
        Subject::Visit(feed, format) => context! {
            feed => scope(feed),
            items => items(feed),
            address => feed.url(Part::Current, format.extension()),
            format => html::name(format),
        },
        Subject::Article(feed) => context! {
            feed => scope(feed),
            item => feed.items.first().map(item),
        },
        Subject::Names(directory, kind) => context! {
            feed => scope(&directory.channel),
            names => directory.sections.iter().filter(|it| Kind::of(&it.scope) == Some(kind))
                .map(section).collect::<Vec<_>>(),
            path => kind.folder(),
        },
        Subject::Calendar(calendar) => context! {
            feed => scope(&calendar.channel),
            path => calendar.own.period.path(),
            around => calendar.around.as_ref().map(|it| it.url.clone()),
            parts => calendar.parts.iter()
                .map(|it| context! { url => it.url.clone(), path => it.period.path() })
                .collect::<Vec<_>>(),
            items => calendar.headlines.iter()
                .map(|it| context! {
                    title => it.title.clone(),
                    url => it.url.clone(),
                    published => it.published.to_string(),
                    updated => it.updated.to_string(),
                })
                .collect::<Vec<_>>(),
        },
    }
}

fn scope(feed: &Feed) -> Value {
    let page = |part| feed.page_url(part);
    let newer = match (feed.part, feed.newer) {
        (Part::Current, _) => None,
        (_, Some(newer)) => Some(page(Part::Archive(newer))),
        (_, None) => Some(page(Part::Current)),
    };
    context! {
        id => feed.id.clone(),
        title => feed.title.clone(),
        description => feed.description.clone(),
        url => page(feed.part),
        language => feed.language.clone(),
        direction => feed.language.as_deref().map(html::direction),
        author => feed.author.name.clone(),
        copyright => feed.copyright.clone(),
        icon => feed.icon.clone(),
        logo => feed.logo.clone(),
        image => feed.image.clone(),
        updated => feed.updated.to_string(),
        site => feed.site.clone(),
        site_title => feed.site_title.clone(),
        number => match feed.part { Part::Current => None, Part::Archive(it) => Some(it) },
        newer => newer,
        older => feed.older.map(|it| page(Part::Archive(it))),
        feeds => Format::ALL.into_iter()
            .map(|it| context! {
                name => html::name(it),
                type => xml::bare_type(it),
                url => feed.url(Part::Current, it.extension()),
            })
            .collect::<Vec<_>>(),
        folders => feed.sections.iter().map(section).collect::<Vec<_>>(),
    }
}

fn section(section: &Section) -> Value {
    context! { name => section.label.clone(), url => section.url.clone(), entries => section.entries }
}

fn items(feed: &Feed) -> Vec<Value> {
    feed.items.iter().map(item).collect()
}

fn item(item: &Item) -> Value {
    context! {
        id => item.id.clone(),
        url => item.url.clone(),
        title => item.title.clone(),
        subtitle => item.subtitle.clone(),
        summary => item.summary.clone(),
        html => Value::from_safe_string(item.html.clone()),
        authors => item.authors.iter()
            .map(|it| context! { name => it.name.clone(), url => it.uri.clone(), email => it.email.clone() })
            .collect::<Vec<_>>(),
        tags => item.tags.iter()
            .map(|it| context! { name => it.label.clone(), url => it.url.clone() })
            .collect::<Vec<_>>(),
        language => item.language.clone(),
        direction => item.language.as_deref().map(html::direction),
        published => item.published.to_string(),
        updated => item.updated.to_string(),
        is_updated => item.updated > item.published,
        image => item.image.as_ref().map(attachment),
        enclosures => item.enclosures.iter().map(attachment).collect::<Vec<_>>(),
        link => item.link.clone(),
        words => item.words,
        rights => item.rights.clone(),
        via => item.via.clone(),
        source => item.source.as_ref().map(|it| context! { url => it.url.clone(), title => it.title.clone() }),
        replies_to => item.replies_to.clone(),
        translations => item.translations.iter()
            .map(|it| context! { language => it.language.clone(), url => it.url.clone() })
            .collect::<Vec<_>>(),
    }
}

fn attachment(attachment: &Attachment) -> Value {
    let (width, height) = attachment.size.unzip();
    context! {
        url => attachment.url.clone(),
        title => attachment.title.clone(),
        type => attachment.media_type.clone(),
        length => attachment.length,
        width => width,
        height => height,
        duration => attachment.duration,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render;
    use crate::render::tests::{sample, text};

    fn theme(files: &[(&str, &str)]) -> Theme {
        let files = files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
        Theme::new(files.collect())
    }

    fn index(theme: &Theme) -> String {
        text(theme.dress(render::index(&sample()), Subject::Scope(&sample())))
    }

    fn article(theme: &Theme) -> String {
        text(theme.dress(render::page(&sample()), Subject::Article(&sample())))
    }

    fn problems(theme: &Theme) -> Vec<String> {
        theme.problems().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn without_files_pages_are_the_built_in_ones() {
        assert_eq!(index(&theme(&[])), text(render::index(&sample())));
        assert_eq!(index(&theme(&[("notes.txt", "x")])), text(render::index(&sample())));
    }

    #[test]
    fn a_stylesheet_alone_leaves_the_markup() {
        let own = index(&theme(&[("style.css", "body { color: teal; }\n")]));
        let built_in = text(render::index(&sample()));
        assert_eq!(own, built_in.replacen(html::STYLE, "body { color: teal; }\n", 1));
    }

    #[test]
    fn templates_stand_in_for_pages() {
        let own = theme(&[
            (
                "base.html",
                "<!DOCTYPE html><head>{{ head }}</head><b>{% block main %}{% endblock %}</b>",
            ),
            (
                "article.html",
                "{% extends \"base.html\" %}{% block main %}{{ item.title }}|{{ item.html }}|\
                 {{ item.published | date(\"%Y\") }}{% endblock %}",
            ),
            ("page.html", "{{ kind }}: {{ body }}"),
        ]);
        let page = article(&own);
        let item = &sample().items[0];
        assert!(page.contains("<link rel=\"canonical\""), "{page}");
        assert!(page.contains(&format!("|{}|20", xml::text(&item.html))), "{page}");
        assert!(
            page.contains(&format!(
                "<b>{}|",
                html::Escaped(&item.title).to_string().replace('\'', "&#x27;")
            )),
            "{page}"
        );
        assert!(index(&own).starts_with("index: <"), "{}", index(&own));
        assert_eq!(problems(&own), Vec::<String>::new());
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line_and_the_built_in_page_stands_in() {
        let table = [
            ("index.html", "a\n{% if %}", "theme/index.html:2: ", "does not parse"),
            ("index.html", "a\n\n{{ feed.tittle }}", "theme/index.html:3: ", "no such name"),
            ("index.html", "{{ feed.title | shout }}", "theme/index.html:1: ", "no such filter"),
            ("index.html", "{% include \"x.html\" %}", "theme/index.html:1: ", "no such file"),
            (
                "index.html",
                "{% for a in range(99999) %}{% for a in range(99999) %}{% endfor %}{% endfor %}",
                "theme/index.html",
                "never ends",
            ),
            ("style.css", "a{}\n</STYLE><script>", "theme/style.css:2: ", "ends the element"),
        ];
        for (name, text_of_it, expected, why) in table {
            let own = theme(&[(name, text_of_it)]);
            assert_eq!(index(&own), text(render::index(&sample())), "{why}");
            assert_eq!(index(&own), text(render::index(&sample())), "{why}, again");
            let told = problems(&own);
            assert_eq!(told.len(), 1, "{why}: {told:?}");
            assert!(told[0].starts_with(expected), "{why}: {}", told[0]);
            assert!(told[0].ends_with("; the built-in page stands in"), "{why}: {}", told[0]);
            assert_eq!(own.news().len(), 1, "{why}");
            assert!(own.news().is_empty(), "{why}: told once");
        }
    }

    #[test]
    fn a_fault_in_an_included_file_is_told_there() {
        let own =
            theme(&[("index.html", "\n{% include \"a.html\" %}"), ("a.html", "\n\n{{ 1 / 0 }}")]);
        index(&own);
        assert!(problems(&own)[0].starts_with("theme/a.html:3: "), "{:?}", problems(&own));
    }
}
