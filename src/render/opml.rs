//! OPML 2.0: the list of all feeds, for feed readers that import them.
//!
//! - Each scope stands there with its RSS feed, which every reader takes and which
//!   alone has a `version` in OPML.
//! - No dates: the list changes when a scope comes or goes, and its bytes with it.
//! - The feed of a folder without those below (`feed.only`) stands there where it
//!   differs.

use crate::catalog::scope::Scope;
use crate::feed::page::{Directory, Section};
use crate::render::html::Escaped;
use crate::render::rendition::Format;
use crate::render::xml;

pub fn document(directory: &Directory) -> String {
    let Directory { channel, sections } = directory;
    let mut text = String::with_capacity(1024 + 320 * sections.len());
    text.push_str("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<opml version=\"2.0\">\n<head>\n");
    text.push_str(&format!("<title>{}</title>\n", escaped(&channel.title)));
    text.push_str(&format!("<ownerName>{}</ownerName>\n", escaped(&channel.author.name)));
    if let Some(email) = &channel.author.email {
        text.push_str(&format!("<ownerEmail>{}</ownerEmail>\n", escaped(email)));
    }
    text.push_str("</head>\n<body>\n");
    let site = Section {
        scope: Scope::Site,
        label: channel.title.clone(),
        url: channel.folder.clone(),
        entries: 0,
        is_own: false,
    };
    outline(&mut text, &site, channel.language.as_deref());
    let of_folder = |name: &str| {
        sections.iter().find(|it| match &it.scope {
            Scope::Folder(other) => other == name,
            Scope::Site => name.is_empty(),
            _ => false,
        })
    };
    let is_listed = |section: &&Section| match &section.scope {
        Scope::FolderOnly(name) => of_folder(name).is_none_or(|it| it.entries != section.entries),
        scope => *scope != Scope::Site,
    };
    for group in ["Feeds", "Folders", "Tags", "Authors", "Languages"] {
        let mut members = sections.iter().filter(|it| self::group(it) == group);
        let mut members = members.by_ref().filter(is_listed).peekable();
        if members.peek().is_none() {
            continue;
        }
        text.push_str(&format!("<outline text=\"{group}\">\n"));
        for section in members {
            outline(&mut text, section, None);
        }
        text.push_str("</outline>\n");
    }
    text.push_str("</body>\n</opml>\n");
    text
}

fn group(section: &Section) -> &'static str {
    match &section.scope {
        _ if section.is_own => "Feeds",
        Scope::Site | Scope::Folder(_) | Scope::FolderOnly(_) => "Folders",
        Scope::Tag(_) => "Tags",
        Scope::Author(_) => "Authors",
        Scope::Language(_) => "Languages",
    }
}

fn outline(text: &mut String, section: &Section, language: Option<&str>) {
    let label = match &section.scope {
        Scope::FolderOnly(_) => format!("{} (without folders below)", section.label),
        _ => section.label.clone(),
    };
    let label = escaped(&label);
    let language = match &section.scope {
        Scope::Language(_) => Some(section.label.as_str()),
        _ => language,
    };
    text.push_str(&format!(
        "<outline type=\"rss\" text=\"{label}\" title=\"{label}\" version=\"RSS2\" xmlUrl=\"{}\" \
         htmlUrl=\"{}\"",
        escaped(&section.feed(Format::Rss.extension())),
        escaped(&section.url),
    ));
    if let Some(language) = language {
        text.push_str(&format!(" language=\"{}\"", escaped(language)));
    }
    text.push_str("/>\n");
}

fn escaped(text: &str) -> String {
    Escaped(&xml::line(text)).to_string()
}
