//! The names that people and generators (Jekyll, Hugo, Zola, Eleventy, Pelican,
//! Obsidian) give to what they state of an article. A new name is a word in a list.

/// Names are compared in lower case without `-`, `_` and blanks; the first that is
/// stated wins. `a.b` is the key `b` of the table `a`.
pub const TITLE: &[&str] = &["title", "headline", "extra.title", "params.title", "subject"];
pub const SUBTITLE: &[&str] =
    &["subtitle", "subheading", "subhead", "tagline", "deck", "extra.subtitle", "params.subtitle"];
pub const SUMMARY: &[&str] = &[
    "summary",
    "description",
    "excerpt",
    "abstract",
    "teaser",
    "lede",
    "standfirst",
    "extra.summary",
    "extra.description",
    "params.summary",
    "params.description",
];
pub const DATE: &[&str] = &[
    "date",
    "pubdate",
    "published",
    "publishdate",
    "publishedat",
    "publishedon",
    "datepublished",
    "publicationdate",
    "posted",
    "postedon",
    "created",
    "createdat",
    "createdon",
    "datecreated",
    "creationdate",
    "issued",
];
pub const RELEASE: &[&str] = &["publishdate", "pubdate", "publishedat"];
pub const UPDATED: &[&str] = &[
    "updated",
    "lastmod",
    "lastmodifiedat",
    "lastmodified",
    "modified",
    "updatedat",
    "updatedon",
    "update",
    "updatedate",
    "dateupdated",
    "datemodified",
    "modifiedat",
    "modifieddate",
    "modificationdate",
    "lastupdated",
    "lastupdate",
    "extra.updated",
];
pub const EXPIRES: &[&str] = &[
    "expires",
    "expirydate",
    "expiredate",
    "expirationdate",
    "expiration",
    "expiry",
    "expire",
    "expiresat",
    "expireson",
    "unpublishdate",
    "unpublished",
];
pub const TAGS: &[&str] =
    &["tags", "tag", "taxonomies.tags", "extra.tags", "params.tags", "topics", "labels"];
pub const CATEGORIES: &[&str] = &[
    "categories",
    "category",
    "taxonomies.categories",
    "taxonomies.category",
    "extra.categories",
    "params.categories",
];
pub const KEYWORDS: &[&str] = &["keywords", "keyword", "extra.keywords", "params.keywords"];
pub const AUTHORS: &[&str] = &[
    "authors",
    "author",
    "taxonomies.authors",
    "taxonomies.author",
    "extra.authors",
    "extra.author",
    "params.authors",
    "params.author",
    "by",
    "byline",
    "creator",
    "writer",
    "from",
];
pub const AUTHOR_EMAIL: &[&str] = &["authoremail", "email", "extra.authoremail", "extra.email"];
pub const AUTHOR_URL: &[&str] =
    &["authorurl", "authoruri", "authorlink", "extra.authorurl", "extra.authorlink"];
pub const LANGUAGE: &[&str] = &[
    "lang",
    "language",
    "locale",
    "languagecode",
    "inlanguage",
    "extra.lang",
    "extra.language",
    "params.lang",
    "params.language",
];
pub const IMAGE: &[&str] = &[
    "image",
    "cover",
    "banner",
    "coverimage",
    "featuredimage",
    "featureimage",
    "featureimg",
    "featuredimg",
    "leadimage",
    "heroimage",
    "headerimage",
    "bannerimage",
    "ogimage",
    "socialimage",
    "postimage",
    "images",
    "thumbnail",
    "hero",
    "img",
    "header.image",
    "header.ogimage",
    "header.teaser",
    "og.image",
    "opengraph.image",
    "extra.image",
    "extra.cover",
    "extra.banner",
    "extra.thumbnail",
    "extra.ogimage",
    "extra.images",
    "params.image",
    "params.cover",
    "params.images",
    "params.featuredimage",
];
pub const IMAGE_ALT: &[&str] = &[
    "imagealt",
    "coveralt",
    "banneralt",
    "imgalt",
    "featuredimagealt",
    "thumbnailalt",
    "alt",
    "extra.imagealt",
];
pub const LINK: &[&str] = &[
    "link",
    "externalurl",
    "externallink",
    "linkurl",
    "externaluri",
    "extra.externalurl",
    "extra.externallink",
    "extra.link",
    "extra.linkto",
    "params.externalurl",
    "params.externallink",
    "params.link",
];
pub const ENCLOSURES: &[&str] = &[
    "enclosure",
    "enclosures",
    "attachment",
    "attachments",
    "audio",
    "audiofile",
    "audiourl",
    "podcast",
    "podcastfile",
    "podcasturl",
    "extra.enclosure",
    "params.enclosure",
];
pub const SLUG: &[&str] = &["slug", "basename"];
pub const PERMALINK: &[&str] = &["permalink", "url", "path"];
pub const ALIASES: &[&str] = &["aliases", "alias", "redirectfrom", "redirectsfrom", "oldurls"];
pub const GUID: &[&str] = &["guid"];
pub const ID: &[&str] = &["id"];
pub const DRAFT: &[&str] = &["draft", "isdraft", "drafts"];
pub const PUBLISH: &[&str] = &["publish", "ispublished"];
pub const STATUS: &[&str] = &["status", "visibility", "poststatus"];
pub const MINOR: &[&str] = &["minor"];
pub const SEPARATOR: &[&str] = &["excerptseparator", "moremarker"];

/// Every list; a key in none of them is kept as an extra.
pub const KNOWN: &[&[&str]] = &[
    TITLE,
    SUBTITLE,
    SUMMARY,
    DATE,
    UPDATED,
    EXPIRES,
    TAGS,
    CATEGORIES,
    KEYWORDS,
    AUTHORS,
    AUTHOR_EMAIL,
    AUTHOR_URL,
    LANGUAGE,
    IMAGE,
    IMAGE_ALT,
    LINK,
    ENCLOSURES,
    SLUG,
    PERMALINK,
    ALIASES,
    GUID,
    ID,
    DRAFT,
    PUBLISH,
    STATUS,
    MINOR,
    SEPARATOR,
];

/// The names that headers of plain text go by. Fewer than front matter knows, since a
/// line with a colon may be anything.
pub fn is_header(key: &str) -> bool {
    const LISTS: &[&[&str]] = &[
        TITLE, SUBTITLE, DATE, UPDATED, TAGS, CATEGORIES, KEYWORDS, AUTHORS, LANGUAGE, SLUG,
        STATUS, DRAFT,
    ];
    let name = folded(key);
    let is_other = matches!(
        name.as_str(),
        "summary" | "description" | "subject" | "translation" | "lang" | "guid"
    );
    is_other || LISTS.iter().any(|list| list.contains(&name.as_str()))
}

/// Lower case, without the signs that generators disagree about.
pub fn folded(key: &str) -> String {
    key.chars().filter(|it| !matches!(it, '-' | '_' | ' ')).flat_map(char::to_lowercase).collect()
}
