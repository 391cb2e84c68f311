#!/usr/bin/env python3
"""Judges what Sower makes of whole sites that other generators were written for.

Usage: corpora.py SOWER FOLDER...

Serves each FOLDER with the program SOWER, reads every article out of the JSON Feed and
its archives, and holds it against its seed, whose front matter is read here by other
code than Sower's (PyYAML where it is installed, else a reader of its simple forms):

- the title, date and tags that the front matter states are the article's;
- nearly every word of the seed's prose stands in the article (code and tags aside);
- no template tag, front matter, Markdown or HTML is visible in it, outside code;
- every address is absolute; no two ids of a feed's page are equal; pictures have `alt`;
- a summary has at most 300 characters, and neither it nor the title holds markup;
- at most 0.5 % of the seeds are problems; each is printed with its reason.

Ends with 1 where something is wrong. What is printed is for eyes: a post that explains
templates, and forgets to mark them as code, shows them with its own generator, too.
SHOW=20 prints so many of each kind.
"""

import collections
import datetime
import email.utils
import html
import html.parser
import json
import os
import pathlib
import re
import sqlite3
import subprocess
import sys
import tempfile
import time
import tomllib
import unicodedata
import urllib.request

try:
    import yaml
except ImportError:
    yaml = None

SHOW = int(os.environ.get("SHOW", "3"))
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))

# What may be an open fence of Liquid, Jinja, Hugo, kramdown, Obsidian, Markdown, HTML.
VISIBLE = {
    "a template tag": r"\{%|%\}|\{\{[<%#]|[>%]\}\}|\{\{\s*[a-z.$\"'][^{}]*\}\}",
    "attributes of kramdown": r"\{:\s*[.#a-z]|\{::",
    "front matter": r"\A\s*(?:---|\+\+\+)\s*\n|^(?:layout|draft|permalink): \S",
    "an open link": r"\]\((?:https?:|/|\.)|!\[[^\]\n]*\]|\[\^\w+\]",
    "a wikilink": r"!?\[\[[^\]\n]+\]\]",
    "HTML": r"</[a-z][a-z0-9]*>|<(?:p|div|a|img|br|span|b|i|em|strong|h[1-6]|table|td|li|ul)\b[^<>]*>|<!--",
    "a reference": r"&(?:amp|lt|gt|quot|nbsp|#\d+|#x[0-9a-fA-F]+);",
    "a fence": r"^(?:```|~~~|:::)",
    "a broken character": "\ufffd",
}
MARKUP = r"</?[a-z][^<>]*>|\{%|\{\{[^{}]*\}\}|\]\(|\*\*\w|&(?:amp|lt|gt|quot|nbsp|#\d+);|\[\[\w[^\d]|<!--|\ufffd"


# What Sower says

def articles(program, folder, state):
    """All articles of a folder by seed, and what was not made one, by reason."""
    daemon = subprocess.Popen(
        [program, "serve", "--seeds", folder, "--state", state, "--listen", "127.0.0.1:0"],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )
    try:
        base = daemon.stdout.readline().strip().removeprefix("listening on ")
        if not base.startswith("http"):
            sys.exit(f"{program}: expected `listening on`, found `{base}`")
        while json.loads(DIRECT.open(base + "/healthz").read())["status"] == "starting":
            time.sleep(0.1)
        items, pages, url = {}, [], "/feed.json"
        while url:
            page = json.loads(DIRECT.open(base + url, timeout=60).read())
            items.update((item["id"], item) for item in page["items"])
            pages.append(page["items"])
            url = page.get("next_url", "").removeprefix(base)
        catalog = sqlite3.connect(f"file:{state}/catalog.sqlite?mode=ro", uri=True)
        rows = catalog.execute(
            "SELECT seeds.path, standing, id FROM seeds LEFT JOIN entries ON number = entry"
        ).fetchall()
        problems = catalog.execute("SELECT path, line, reason, consequence FROM problems").fetchall()
        catalog.close()
    finally:
        daemon.terminate()
        daemon.wait()
    by_seed = {os.fsdecode(path): items[id] for path, _, id in rows if id in items}
    standings = collections.Counter(standing for _, standing, id in rows if id not in items)
    return by_seed, standings, problems, pages


# What the seed says

def front_matter(text):
    """What stands above a text, or nothing where it cannot be read, and the text."""
    text = text.lstrip("\ufeff\n ")
    for fence, read in (("---", read_yaml), (r"\+\+\+", tomllib.loads)):
        found = re.match(rf"{fence}[ \t]*\n(.*?)^{fence}[ \t]*$", text, re.S | re.M)
        if found:
            try:
                fields = read(found[1])
            except Exception:
                return None, text[found.end():]
            return (fields if isinstance(fields, dict) else {}), text[found.end():]
    if found := re.match(r"(?:title|date|tags|layout)\s*:.*\n(?:(?:[\w-]+\s*:|\s+\S|- ).*\n)*---[ \t]*\n", text):
        try:
            return read_yaml(found[0].rstrip("- \t\n")), text[found.end():]
        except Exception:
            return None, text[found.end():]
    if found := re.match(r"(?i:(?:title|date|modified|category|tags|slug|authors?|summary|comments): .*\n)+\n", text):
        lines = (line.split(":", 1) for line in found[0].strip().splitlines())
        return {key.lower(): value.strip() for key, value in lines}, text[found.end():]
    return {}, text


def read_yaml(text):
    if yaml:
        return yaml.load(text, yaml.BaseLoader)
    fields, key = {}, None
    for line in text.splitlines():
        if found := re.match(r"([\w-]+):\s*(.*)$", line):
            key, value = found[1], found[2].strip()
            if re.search(r"^[|>&*!{]|\s#", value):
                raise ValueError("more than the simple forms")
            is_list = value.startswith("[") and value.endswith("]")
            fields[key] = [unquoted(it) for it in value[1:-1].split(",")] if is_list else unquoted(value)
        elif (found := re.match(r"\s*-\s+(.*)$", line)) and key:
            fields[key] = (fields[key] if isinstance(fields[key], list) else []) + [unquoted(found[1])]
    return fields


def unquoted(text):
    return re.sub(r"^(['\"])(.*)\1$", r"\2", text.strip())


def first(fields, names):
    lower = {str(key).lower(): value for key, value in fields.items()}
    return next((lower[it] for it in names if lower.get(it) not in (None, "", [], {})), None)


def stated_date(value):
    """A moment, or a day where no time is stated; nothing where the form is not common."""
    if isinstance(value, datetime.datetime):
        return value.replace(tzinfo=value.tzinfo or datetime.timezone.utc)
    if isinstance(value, datetime.date):
        return value
    text = str(value).strip()
    found = re.fullmatch(
        r"(\d{4})[-/](\d\d?)[-/](\d\d?)(?:[T ]+(\d\d?):(\d\d)(?::(\d\d))?(?:\.\d+)?)?"
        r"\s*(Z|UTC|GMT|[+-]\d\d:?\d\d)?", text)
    if not found:
        try:
            return email.utils.parsedate_to_datetime(text)
        except (TypeError, ValueError):
            return None
    year, month, day, hour, minute, second = (int(it) if it else 0 for it in found.groups()[:6])
    zone = datetime.timezone.utc
    if found[7] and found[7][0] in "+-":
        sign = -1 if found[7][0] == "-" else 1
        hours, minutes = int(found[7][1:3]), int(found[7][-2:])
        zone = datetime.timezone(sign * datetime.timedelta(hours=hours, minutes=minutes))
    try:
        if found[4] is None and found[7] is None:
            return datetime.date(year, month, day)
        return datetime.datetime(year, month, day, hour, minute, second, tzinfo=zone)
    except ValueError:
        return None


def texts(value):
    """The readings of a list of tags: as a list, parted by commas, parted by blanks."""
    if isinstance(value, dict):
        value = list(value)
    if isinstance(value, list):
        return [[str(it) for it in value if it not in (None, "")]]
    text = str(value).strip("[]")
    return [text.split(","), text.split(), [text]]


def plain(text):
    """A title without markup, as one line."""
    text = re.sub(r"</?[a-zA-Z][^<>]*>", "", str(text))
    return " ".join(html.unescape(text).split())


def bare(text):
    """Letters and digits alone, in one case."""
    folded = unicodedata.normalize("NFKC", html.unescape(str(text))).casefold()
    return "".join(it for it in folded if it.isalnum())


def prose(text, is_html):
    """The words of a seed that its article must show."""
    text = re.sub(r"<!--.*?-->|<(script|style|noscript|svg|head|nav|footer|header|form|button|title|iframe)\b.*?</\1>", " ", text, flags=re.S | re.I)
    if not is_html:
        text = re.sub(r"^([ \t>*-]*)(`{3,}|~{3,})(?!.*`.*$).*?^\s*[>\s]*\2", " ", text, flags=re.S | re.M)
        text = re.sub(r"^[\s>*+\d.-]*(?:```|~~~).*$", " ", text, flags=re.M)
        text = re.sub(r"^(?: {4}|\t).*$|`[^`\n]*`|%%.*?%%|\$\$.*?\$\$|\$[^$\n]*\$", " ", text, flags=re.M | re.S)
        text = re.sub(r"^\s*\[[^\]]+\]:.*$|^\s*\|.*$", " ", text, flags=re.M)
        text = re.sub(r"\]\([^()\s]*(?:\([^()]*\)[^()]*)*(?:\s+[\"'][^\n]*?[\"'])?\s*\)|\]\[[^\]]*\]", " ", text)
        text = re.sub(r"<!\[CDATA\[|<[^<>]{0,400}>", " ", text)
        text = re.sub(r"!?\[\[[^\]]*\]\]|\[![A-Za-z]+\]|\{[:#.][^}\n]*\}", " ", text)
    text = re.sub(r"\{%-?\s*(highlight|raw|codeblock|code|include_code|comment|capture|mermaid)\b.*?\{%-?\s*end\1.*?%\}", " ", text, flags=re.S)
    text = re.sub(r"\{\{[<%]?\s*(highlight|mermaid|code)\b.*?\{\{[<%]\s*/\1.*?\}\}", " ", text, flags=re.S)
    text = re.sub(r"\{%.*?%\}|\{\{.*?\}\}|\{#.*?#\}|<[a-zA-Z/!][^<>]*>|https?://\S+|&\w+;", " ", text, flags=re.S)
    # Escapes and emphasis may part a word in the seed, and do not in the article.
    return [bare(it) for it in re.findall(r"[^\W\d_]{4,}", text) if len(it) >= 4]


# What the article says

class Shown(html.parser.HTMLParser):
    """The text that a body shows outside code, and what is to be checked of its tags."""

    APART = {"pre", "code", "kbd", "samp", "tt", "script", "style", "svg", "math"}
    INLINE = {"a", "b", "i", "em", "strong", "span", "sup", "sub", "mark", "del", "s", "u", "small", "code"}

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.parts, self.apart, self.everything, self.code = [], 0, [], ""
        self.addresses, self.ids, self.without_alt = [], [], 0
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.apart += tag in self.APART
        values = dict(attributes)
        if tag not in self.INLINE:
            self.parts.append("\n")
        self.addresses += [values[it] for it in ("href", "src", "poster", "cite") if it in values]
        self.addresses += [it.split()[0] for it in (values.get("srcset") or "").split(", ") if it.split()]
        self.ids += [values["id"]] if "id" in values else []
        self.without_alt += tag == "img" and "alt" not in values
        self.everything += [values.get(it) or "" for it in ("alt", "title", "aria-label")]

    def handle_endtag(self, tag):
        self.apart -= tag in self.APART and self.apart > 0
        if tag not in self.INLINE:
            self.parts.append("\n")

    def handle_data(self, data):
        self.everything.append(data)
        if not self.apart:
            self.parts.append(data)
        elif self.parts[-1:] != ["`"]:
            self.parts.append("`")
        self.code += data if self.apart else " "


def judge(path, seed, item, fault, counts):
    is_html = path.lower().endswith((".html", ".htm", ".xhtml"))
    fields, rest = front_matter(seed)
    if fields is None:
        counts["front matter not read here"] += 1
        fields = {}
    nested = [it for it in (fields.get("taxonomies"), fields.get("extra"), fields.get("params")) if isinstance(it, dict)]
    title = first(fields, ["title"])
    is_templated = isinstance(title, (dict, list)) or "{{" in str(title)
    if title is not None and not is_templated:
        counts["titles"] += 1
        # A title may name a tag of HTML, or be set in some.
        meant = {bare(title), bare(plain(title))}
        if bare(item.get("title", "")) not in meant and len(str(title)) <= 500:
            fault("another title", path, f"{title!r}, not {item.get('title')!r}")
    elif not item.get("title", "").strip():
        fault("no title", path, "")
    date = first(fields, ["date", "pubdate", "published", "publishdate", "posted", "created"])
    later = first(fields, ["publishdate", "pubdate"])
    wanted = [it for it in (stated_date(date), stated_date(later)) if it]
    if wanted:
        counts["dates"] += 1
        found = datetime.datetime.fromisoformat(item["date_published"].replace("Z", "+00:00"))
        is_same = any(
            found == it if isinstance(it, datetime.datetime) else found.date() == it for it in wanted)
        if not is_same:
            fault("another date", path, f"{date!r}, not {item['date_published']}")
    shown_tags = {bare(it) for it in item.get("tags", [])}
    for names in (["tags"], ["categories", "category"]):
        value = first(fields, names)
        value = value if value is not None else next((it[names[0]] for it in nested if names[0] in it), None)
        if value in (None, "", [], "null", "~"):
            continue
        counts["tags"] += 1
        readings = [[bare(tag) for tag in reading if bare(tag)] for reading in texts(value)]
        if not any(shown_tags.issuperset(reading) for reading in readings):
            fault("other tags", path, f"{value!r}, not {item.get('tags')!r}")
    body = Shown(item["content_html"])
    shown = "".join(body.parts)
    no_math = re.sub(r"\$\$.*?\$\$|\$[^$\n]+\$|\\\(.*?\\\)|\\\[.*?\\\]", " ", shown, flags=re.S)
    for name, pattern in VISIBLE.items():
        if found := re.search(pattern, no_math, re.M):
            around = no_math[max(0, found.start() - 40):found.end() + 60]
            fault(f"visible in a body: {name}", path, repr(around))
    everything = bare("".join(body.everything)) + bare(item.get("title", "")) + bare(item.get("summary", ""))
    own = re.escape(html.escape(item["url"], quote=False))
    if re.search(rf'<p><a href="{own}">[^<]*</a></p>\s*$', item["content_html"]):
        # A body that no feed can carry whole.
        counts["cut in feeds"] += 1
        return
    words = prose(rest, is_html)
    missing = [it for it in words if it not in everything]
    counts["words"] += len(words)
    counts["words missing"] += len(missing)
    if len(missing) > 5 and len(missing) * 20 > len(words) and not is_html:
        fault("words are missing", path, f"{len(missing)} of {len(words)}: {' '.join(missing[:12])}")
    for address in body.addresses:
        if not re.match(r"[a-zA-Z][a-zA-Z0-9+.-]*:", address or ""):
            fault("an address that is not absolute", path, repr(address))
        if re.search(r"\{\{|\{%|%7B%7B|%7B%25", address or ""):
            fault("a template tag in an address", path, repr(address))
    if body.without_alt:
        fault("a picture without alt", path, "")
    summary = item.get("summary", "")
    if len(summary) > 300 and not first(fields, ["summary", "description", "excerpt", "abstract", "teaser"]):
        fault("a long summary", path, f"{len(summary)} characters")
    for name in ("title", "summary"):
        for found in re.finditer(MARKUP, item.get(name, "")):
            # Code that a sentence names is named in the summary, too.
            if found[0] not in body.code:
                around = item[name][max(0, found.start() - 40):found.end() + 40]
                fault(f"markup in a {name}", path, repr(around))
                break


def site(program, folder):
    """Judges one folder; gives the number of faults."""
    faults = collections.defaultdict(list)
    counts = collections.Counter()

    def fault(kind, path, what):
        faults[kind].append(f"{path}: {what}")

    with tempfile.TemporaryDirectory() as state:
        by_seed, standings, problems, pages = articles(program, folder, state)
    for path, item in sorted(by_seed.items()):
        seed = pathlib.Path(folder, path).read_bytes().decode("utf-8", "replace").replace("\r\n", "\n")
        judge(path, seed, item, fault, counts)
    for page in pages:
        ids = collections.Counter(it for item in page for it in set(Shown(item["content_html"]).ids))
        for name, count in ids.items():
            if count > 1:
                fault("one id in two articles", name, f"{count} times")
    cut = [it for it in problems if "not published" not in it[3]]
    held = [it for it in problems if "not published" in it[3]]
    for path, line, reason, _ in held:
        print(f"    problem: {os.fsdecode(path)}:{line or ''} {reason}")
    share = 100 * len(held) / max(1, len(by_seed) + len(held))
    compared = ", ".join(f"{counts[it]} {it}" for it in ("titles", "dates", "tags"))
    print(f"  {len(by_seed)} articles, {len(held)} problems ({share:.2f} %), {len(cut)} notes, others {dict(standings)}")
    print(f"  compared: {compared}, {counts['words']} words ({counts['words missing']} missing), "
          f"{counts['cut in feeds']} cut in feeds")
    for kind, examples in sorted(faults.items(), key=lambda it: -len(it[1])):
        print(f"  {len(examples):5} {kind}")
        for example in examples[:: max(1, len(examples) // SHOW)][:SHOW]:
            print(f"          {example[:240]}")
    return sum(len(it) for it in faults.values()) + (share > 0.5)


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    wrong = 0
    for folder in sys.argv[2:]:
        print(folder, flush=True)
        wrong += site(sys.argv[1], folder)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
