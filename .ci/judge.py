#!/usr/bin/env python3
"""Judges the feeds of a running Sower by programs that are not ours.

Usage: judge.py BASE [SAMPLE]

Walks from /opml.xml to every feed in its three formats (or to SAMPLE of them), along
`prev-archive` to the oldest page, and asks, as far as they are installed:

- feedvalidator, the W3C's validator: its folder `src` in PYTHONPATH;
- jing with the RELAX NG schema of RFC 4287, appendix B, in the file ATOM_RNC;
- feedparser: whether all formats say the same ids, titles, dates, bodies and enclosures;
- newsboat: the same, of at most thirty documents;
- our own eyes for JSON Feed 1.1, since nobody keeps a schema of it, and for the sitemaps
  (sitemaps.org).

Ends with 1 where one of them finds a fault. What is not installed is named.
"""

import calendar
import collections
import datetime
import json
import os
import random
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import urllib.request
import xml.etree.ElementTree

# Warnings that no publisher can avoid: they are about what an author wrote, or about
# extensions that the validator does not know.
UNAVOIDABLE = {
    # An article may hold an element or attribute that some reader strips.
    "NotHtml", "SecurityRisk", "SecurityRiskAttr", "DangerousStyleAttr", "ContainsRelRef",
    # The tombstones of RFC 6721, the licences of RFC 4946.
    "UndefinedElement", "UnknownNamespace", "UnregisteredAtomLinkRel",
    # The only page of an archive has a neighbour on neither side (RFC 5005, section 4).
    "ArchiveIncomplete",
    # Two articles of one second, or of one day without a time.
    "DuplicateUpdated",
}

base = sys.argv[1].rstrip("/")
sample = int(sys.argv[2]) if len(sys.argv) > 2 else 0
direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
faults = []


def get(path):
    with direct.open(base + path, timeout=60) as answer:
        return answer.read()


def local(url):
    """The path of an address of the site, whose base URL may be another than BASE."""
    return url[len(site):]


def newsworthy(what):
    faults.append(what)
    if len(faults) <= 20:
        print("FAULT", what[:600])


opml = get("/opml.xml").decode()
listed = re.findall(r'xmlUrl="([^"]+)"', opml)
site = listed[0][: -len("/feed.rss")]
feeds = [local(url) for url in listed]
if sample and len(feeds) > sample:
    random.seed(1)
    feeds = feeds[:1] + random.sample(feeds[1:], sample - 1)

documents = {"/opml.xml": opml.encode()}
for feed in feeds:
    path = feed
    while path:
        for extension in ("rss", "atom", "json"):
            one = path[: -len("rss")] + extension
            documents[one] = get(one)
        text = documents[path].decode()
        older = re.search(r'<atom:link href="([^"]+)" rel="prev-archive"', text)
        older = older or re.search(r'rel="prev-archive" href="([^"]+)"', text)
        path = local(older.group(1)) if older else None
print(f"{len(documents)} documents of {len(feeds)} feeds")

try:
    import feedvalidator
    from feedvalidator import compatibility
    from feedvalidator.formatter.text_plain import Formatter
except ImportError:
    print("skipped: feedvalidator is missing")
else:
    met = collections.Counter()
    for path, document in documents.items():
        if path.endswith(".json"):
            continue
        try:
            found = feedvalidator.validateString(
                document, firstOccurrenceOnly=1, base=site + path
            )["loggedEvents"]
        except feedvalidator.logging.ValidationFailure as failure:
            found = [failure.event]
        found = compatibility.AA(found)
        for event, line in zip(found, Formatter(found)):
            kind = type(event).__name__
            met[kind] += 1
            # A title that quotes markup is plain text all the same; what was encoded twice
            # or broken before it came to us the validator takes for ours.
            is_quoted = kind == "ContainsUndeclaredHTML" and event.params["element"] == "title"
            is_quoted |= kind == "BadCharacters" and not re.search(
                "[\x80-\x9f]", document.decode()
            )
            if kind not in UNAVOIDABLE and not is_quoted:
                newsworthy(f"{path}: {kind}: {line} {event.params}")
    print("feedvalidator:", dict(met) or "nothing")

schema = os.environ.get("ATOM_RNC")
if not shutil.which("jing"):
    print("skipped: jing is missing")
elif not schema:
    print("skipped: ATOM_RNC names no schema of RFC 4287")
else:
    with tempfile.TemporaryDirectory() as folder:
        names = {}
        for number, (path, document) in enumerate(documents.items()):
            if path.endswith(".atom"):
                names[f"{folder}/{number}.atom"] = path
                with open(f"{folder}/{number}.atom", "wb") as file:
                    file.write(document)
        files = list(names)
        for start in range(0, len(files), 500):
            ran = subprocess.run(
                ["jing", "-c", schema] + files[start : start + 500],
                capture_output=True, text=True,
            )
            for line in ran.stdout.splitlines():
                newsworthy(f"jing: {names.get(line.split(':')[0], '')} {line}")
    print("jing:", len(names), "Atom documents")


def judge_json(path):
    """JSON Feed 1.1, section by section."""
    feed = json.loads(documents[path])
    def expect(condition, what):
        if not condition:
            newsworthy(f"{path}: JSON Feed: {what}")
    text = lambda of, key: key not in of or isinstance(of[key], str)
    expect(feed.get("version") == "https://jsonfeed.org/version/1.1", "version")
    expect(isinstance(feed.get("title"), str) and feed["title"], "title")
    expect(feed.get("feed_url") == site + path, "feed_url")
    expect(feed.get("next_url") != feed.get("feed_url"), "next_url")
    for key in ("home_page_url", "description", "icon", "favicon", "language", "next_url"):
        expect(text(feed, key), key)
    for key in feed:
        expect(key.startswith("_") or key in {
            "version", "title", "home_page_url", "feed_url", "description", "user_comment",
            "next_url", "icon", "favicon", "authors", "language", "expired", "hubs", "items",
        }, key)
    expect("about" in feed.get("_sower", {"about": 1}), "_sower without about")
    for item in feed["items"]:
        expect(isinstance(item.get("id"), str) and item["id"], "id")
        expect("content_html" in item or "content_text" in item, "content")
        for key in ("url", "external_url", "title", "summary", "image", "banner_image",
                    "date_published", "date_modified", "language", "content_html"):
            expect(text(item, key), key)
        for key in ("date_published", "date_modified"):
            expect(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)",
                                item.get(key, "2026-01-01T00:00:00Z")), key)
        for attachment in item.get("attachments", []):
            expect(isinstance(attachment.get("url"), str), "attachment without url")
            expect(isinstance(attachment.get("mime_type"), str), "attachment without type")
            for key in ("size_in_bytes", "duration_in_seconds"):
                expect(isinstance(attachment.get(key, 0), (int, float)), key)
        for author in item.get("authors", []):
            expect(any(author.get(key) for key in ("name", "url", "avatar")), "an empty author")


for path in documents:
    if path.endswith(".json"):
        judge_json(path)

def judge_sitemap(path):
    """A list of pages, or of such lists; how many pages."""
    document = get(path)
    root = xml.etree.ElementTree.fromstring(document)
    name = lambda it: it.tag.removeprefix("{http://www.sitemaps.org/schemas/sitemap/0.9}")
    kind, inner = name(root), {"urlset": "url", "sitemapindex": "sitemap"}.get(name(root))
    if inner is None or len(root) > 50_000 or len(document) > 50 << 20:
        newsworthy(f"{path}: a sitemap named {kind} with {len(root)} of {len(document)} bytes")
    pages, seen = 0, set()
    for element in root:
        facts = {name(it): it.text for it in element}
        loc, changed = facts.get("loc", ""), facts.get("lastmod", "2026-01-01")
        if name(element) != inner or not loc.startswith(site + "/") or loc in seen:
            newsworthy(f"{path}: {name(element)} of {loc!r}")
        if not re.fullmatch(r"\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d))?", changed):
            newsworthy(f"{path}: lastmod {changed!r}")
        seen.add(loc)
        pages += judge_sitemap(local(loc)) if inner == "sitemap" else 1
    return pages


print("sitemap:", judge_sitemap("/sitemap.xml"), "pages")


def squeezed(text):
    return " ".join(text.split())


def json_entries(path):
    """Of each entry what all formats say: id, title, when, body, first enclosure."""
    entries = []
    for item in json.loads(documents[path])["items"]:
        when = datetime.datetime.fromisoformat(item["date_published"].replace("Z", "+00:00"))
        first = (item.get("attachments") or [{}])[0]
        body = item.get("content_html", item.get("content_text"))
        entries.append(
            (item["id"], squeezed(item["title"]), int(when.timestamp()), body, first.get("url"))
        )
    return entries


def is_same(mine, theirs):
    """But for blanks around, and for what feedparser takes for UTF-8 read as Latin 1."""
    if not isinstance(mine, str) or not isinstance(theirs, str):
        return mine == theirs
    if mine.strip() == theirs.strip():
        return True
    try:
        return mine.encode("iso-8859-1").decode().strip() == theirs.strip()
    except UnicodeError:
        return False


def compare(path, name, others):
    """Whether a reader's entries are those of the JSON Feed, in any order."""
    is_iri = lambda one: re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", one)
    own = json_entries(path)
    if len(own) != len(others):
        newsworthy(f"{path}: {name}: {len(others)} entries, not {len(own)}")
    # An id that is no IRI is another one in Atom, by intention.
    found = {it[0]: it for it in others}
    for one in own:
        if name.endswith("atom") and not is_iri(one[0]):
            continue
        other = found.get(one[0])
        if other is None:
            newsworthy(f"{path}: {name}: {one[0]} is missing")
            continue
        for what, mine, theirs in zip(("id", "title", "date", "body", "enclosure"), one, other):
            if not is_same(mine, theirs):
                newsworthy(f"{path}: {name}: {what} of {one[0]}: {mine!r:.200}, {theirs!r:.200}")
    return len(own)


try:
    import feedparser
except ImportError:
    print("skipped: feedparser is missing")
else:
    compared = 0
    for path in [it for it in documents if it.endswith(".rss")]:
        for name in ("atom", "rss"):
            result = feedparser.parse(
                documents[path[:-3] + name], sanitize_html=False, resolve_relative_uris=False
            )
            if result.bozo:
                newsworthy(f"{path[:-3]}{name}: feedparser: {result.bozo_exception}")
            entries = []
            for it in result.entries:
                first = (it.enclosures or [{}])[0]
                body = it.content[0].value if "content" in it else it.get("summary")
                when = calendar.timegm(it.published_parsed)
                entries.append((it.id, squeezed(it.title), when, body, first.get("href")))
            compared += compare(path[:-3] + "json", "feedparser, " + name, entries)
    print("feedparser:", compared, "entries are those of JSON Feed")


def newsboat_entries(path):
    """As a reader that fetches by itself has them in its cache."""
    with tempfile.TemporaryDirectory() as folder:
        for name, text in (("urls", base + path + "\n"), ("config", "")):
            with open(f"{folder}/{name}", "w") as file:
                file.write(text)
        subprocess.run(
            ["newsboat", "-u", f"{folder}/urls", "-c", f"{folder}/cache", "-C",
             f"{folder}/config", "-x", "reload"],
            env={**os.environ, "HOME": folder, "NO_PROXY": "*", "no_proxy": "*"}, check=True,
        )
        cache = sqlite3.connect(f"{folder}/cache")
        rows = cache.execute("SELECT guid, title, pubDate, content, enclosure_url FROM rss_item")
        return [(it[0], squeezed(it[1]), it[2], it[3], it[4] or None) for it in rows]


if not shutil.which("newsboat"):
    print("skipped: newsboat is missing")
else:
    compared = 0
    for path in [it for it in documents if it.endswith(".json")][:30]:
        for name in ("atom", "rss"):
            entries = newsboat_entries(path[:-4] + name)
            compared += compare(path, "newsboat, " + name, entries)
    print("newsboat:", compared, "entries are those of JSON Feed")

print(len(faults), "faults")
sys.exit(1 if faults else 0)
