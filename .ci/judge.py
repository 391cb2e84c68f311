#!/usr/bin/env python3
"""Judges the feeds of a running Sower by programs that are not ours.

Usage: judge.py BASE [SAMPLE]

Walks from /opml.xml to every feed in its three formats (or to SAMPLE of them), along
`prev-archive` to the oldest page, and asks, as far as they are installed:

- feedvalidator, the W3C's validator: its folder `src` in PYTHONPATH;
- jing with the RELAX NG schema of RFC 4287, appendix B, in the file ATOM_RNC;
- feedparser: whether all formats say the same ids, titles and dates;
- our own eyes for JSON Feed 1.1, since nobody keeps a schema of it.

Ends with 1 where one of them finds a fault. What is not installed is named.
"""

import collections
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.request

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

try:
    import feedparser
except ImportError:
    print("skipped: feedparser is missing")
else:
    compared = 0
    for path in [it for it in documents if it.endswith(".rss")]:
        atom, rss = documents[path[:-3] + "atom"], documents[path]
        parsed = {}
        for name, document in (("atom", atom), ("rss", rss)):
            result = feedparser.parse(document, sanitize_html=False, resolve_relative_uris=False)
            if result.bozo:
                newsworthy(f"{path[:-3]}{name}: feedparser: {result.bozo_exception}")
            parsed[name] = [
                (it.id, " ".join(it.title.split()), tuple(it.published_parsed[:6]),
                 [(at.get("href"), at.get("length")) for at in it.enclosures[:1]])
                for it in result.entries
            ]
        from_json = []
        for item in json.loads(documents[path[:-3] + "json"])["items"]:
            date = tuple(int(it) for it in re.findall(r"\d+", item["date_published"])[:6])
            from_json.append((item["id"], " ".join(item["title"].split()), date))
        compared += len(from_json)
        # An id that is no IRI is another one in Atom, by intention.
        is_iri = lambda one: re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", one)
        for one, other, third in zip(parsed["atom"], parsed["rss"], from_json):
            if is_iri(other[0]) and one[0] != other[0] or other[0] != third[0]:
                newsworthy(f"{path}: ids {one[0]}, {other[0]}, {third[0]}")
            if one[1] != other[1] or one[1] != third[1]:
                newsworthy(f"{path}: titles {one[1]!r}, {other[1]!r}, {third[1]!r}")
            if one[2] != other[2] or one[2] != third[2]:
                newsworthy(f"{path}: dates {one[2]}, {other[2]}, {third[2]}")
            if one[3][:1] and other[3][:1] and one[3][0][0] != other[3][0][0]:
                newsworthy(f"{path}: enclosures {one[3]}, {other[3]}")
        counts = [len(it) for it in (parsed["atom"], parsed["rss"], from_json)]
        if len(set(counts)) > 1:
            newsworthy(f"{path}: {counts} entries")
    print("feedparser:", compared, "entries the same in three formats")

print(len(faults), "faults")
sys.exit(1 if faults else 0)
