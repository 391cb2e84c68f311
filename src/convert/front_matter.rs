//! What a document states of itself at its top, and beside it: keys and values.
//!
//! In: text that may begin with YAML between `---`, TOML between `+++`, a JSON object,
//! or headers (`Title: ...`); or a whole TOML file. Out: the keys with their values and
//! lines, and the text below them. What a key means is `metadata`'s matter.
//!
//! Front matter that cannot be read is an error, never skipped: it may say draft.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use crate::convert::Error;
use crate::convert::clean;
use crate::convert::keys;

/// A value as people write it, the same for every format.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Nothing,
    Flag(bool),
    /// As written where that is known.
    Number(String),
    Text(String),
    List(Vec<Value>),
    Map(Vec<(String, Value)>),
}

/// Keys at the top level, in the order written, with the lines they stand on.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Fields {
    pub entries: Vec<(String, Value)>,
    /// The text they were read from, and the line of the file it begins on.
    source: String,
    first_line: u32,
}

impl Fields {
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Fields that were not written as text of their own (a page's properties).
    pub fn of(entries: Vec<(String, Value)>) -> Fields {
        Fields { entries, source: String::new(), first_line: 1 }
    }

    /// The line in its file that states `key`, counted from 1.
    pub fn line(&self, key: &str) -> u32 {
        let states = |line: &str| {
            let line = line.trim_start().trim_start_matches(['"', '\'']);
            line.strip_prefix(key).is_some_and(|rest| {
                rest.trim_start_matches(['"', '\'']).trim_start().starts_with([':', '='])
            })
        };
        let at = self.source.lines().position(states).unwrap_or(0);
        self.first_line + u32::try_from(at).unwrap_or(0)
    }
}

/// The fields at the top of `text`, and the text below them.
///
/// # Errors
/// Where front matter opens and is never closed, or cannot be read.
pub fn split(text: &str) -> Result<(Fields, &str), Error> {
    let trimmed = text.trim_start_matches(['\n', ' ', '\t', '\u{FEFF}']);
    let skipped = line_count(&text[..text.len() - trimmed.len()]);
    let first = trimmed.lines().next().unwrap_or_default().trim_end();
    match first {
        "---" => fenced(trimmed, skipped, &["---", "..."], "---", yaml),
        "+++" => fenced(trimmed, skipped, &["+++"], "+++", toml),
        // Eleventy's and gray-matter's way to name the language.
        "---yaml" | "---yml" => fenced(trimmed, skipped, &["---"], first, yaml),
        "---toml" => fenced(trimmed, skipped, &["---"], first, toml),
        "---json" => fenced(trimmed, skipped, &["---"], first, json),
        // gray-matter runs JavaScript and more; what these say nobody here can tell.
        _ if is_other_language(first) && trimmed.lines().skip(1).any(|it| it.trim() == "---") => {
            Err(Error::BadFrontMatter {
                line: skipped + 1,
                format: "YAML, TOML or JSON",
                reason: format!("`{first}`"),
            })
        }
        "{" | "{}" => opening_object(text, trimmed, skipped),
        _ if first.starts_with("{\"") || first.starts_with("{ \"") => {
            opening_object(text, trimmed, skipped)
        }
        _ => Ok(unopened(trimmed, skipped).unwrap_or((Fields::default(), text))),
    }
}

fn is_other_language(first: &str) -> bool {
    first.strip_prefix("---").is_some_and(|it| {
        (1..=12).contains(&it.len()) && it.bytes().all(|byte| byte.is_ascii_alphabetic())
    })
}

fn line_count(text: &str) -> u32 {
    u32::try_from(text.matches('\n').count()).unwrap_or(u32::MAX)
}

/// How front matter of one format is read: its text to entries.
type Reader = fn(&str) -> Result<Vec<(String, Value)>, Unreadable>;

/// Why it was not, and the line within it, counted from 1.
struct Unreadable {
    line: u32,
    format: &'static str,
    reason: String,
}

fn fenced<'t>(
    text: &'t str,
    skipped: u32,
    closings: &[&str],
    opening: &str,
    read: Reader,
) -> Result<(Fields, &'t str), Error> {
    let inside_from = text.find('\n').map_or(text.len(), |it| it + 1);
    let inside = &text[inside_from..];
    let mut at = 0;
    for line in inside.split_inclusive('\n') {
        if closings.contains(&line.trim_end()) {
            let source = &inside[..at];
            // `---` also opens a text with a rule, and front matter that says nothing.
            if opening == "---" && !looks_like_fields(source) {
                let rest = if source.trim().is_empty() { &inside[at + line.len()..] } else { text };
                return Ok((Fields::default(), rest));
            }
            within(source, skipped + 1)?;
            let entries = read(source).map_err(|it| Error::BadFrontMatter {
                line: skipped + 1 + it.line,
                format: it.format,
                reason: it.reason,
            })?;
            let fields = Fields { entries, source: source.to_owned(), first_line: skipped + 2 };
            return Ok((fields, &inside[at + line.len()..]));
        }
        at += line.len();
    }
    match opening == "---" && !begins_with_field(inside) {
        true => Ok((Fields::default(), text)),
        false => Err(Error::OpenFrontMatter { line: skipped + 1, fence: opening.to_owned() }),
    }
}

/// More than anybody writes; what reads fields need not be quick beyond it.
const LONGEST: usize = 64 * 1024;

fn within(source: &str, line: u32) -> Result<(), Error> {
    match source.len() > LONGEST {
        true => Err(Error::TooMuch {
            line,
            key: "front matter".into(),
            what: "bytes",
            limit: LONGEST,
            found: source.len(),
        }),
        false => Ok(()),
    }
}

/// Whether some line is a key with its value, or all lines are comments.
fn looks_like_fields(source: &str) -> bool {
    let mut lines = source.lines().map(str::trim).filter(|it| !it.is_empty());
    lines.any(|it| is_field(it) || it.starts_with(['{', '#']))
}

fn begins_with_field(text: &str) -> bool {
    text.lines().map(str::trim).find(|it| !it.is_empty()).is_some_and(is_field)
}

fn is_field(line: &str) -> bool {
    let line = line.trim_start_matches(['"', '\'']);
    line.find(':').is_some_and(|at| {
        let key = line[..at].trim_end_matches(['"', '\'', ' ']);
        let after = &line[at + 1..];
        !key.is_empty()
            && key
                .chars()
                .all(|it| it.is_alphanumeric() || matches!(it, '_' | '-' | '.' | ' ' | '@'))
            && key.split(' ').count() <= 3
            && (after.is_empty() || after.starts_with([' ', '\t']))
    })
}

/// A JSON object and the text behind it.
fn opening_object<'t>(
    whole: &'t str,
    text: &'t str,
    skipped: u32,
) -> Result<(Fields, &'t str), Error> {
    // An object that long would be read for nothing if it turned out to be text.
    let end = text.char_indices().nth(LONGEST).map_or(text.len(), |it| it.0);
    let text_to_read = &text[..end];
    let mut objects = serde_json::Deserializer::from_str(text_to_read).into_iter::<Value>();
    match objects.next() {
        Some(Ok(Value::Map(entries))) => {
            let end = objects.byte_offset();
            let fields =
                Fields { entries, source: text[..end].to_owned(), first_line: skipped + 1 };
            Ok((fields, &text[end..]))
        }
        Some(Err(error)) if text.lines().nth(1).is_some_and(|it| it.trim().starts_with('"')) => {
            if error.is_eof() {
                return Err(Error::OpenFrontMatter { line: skipped + 1, fence: "{".into() });
            }
            Err(Error::BadFrontMatter {
                line: skipped + u32::try_from(error.line()).unwrap_or(1),
                format: "JSON",
                reason: without_place(&error.to_string()),
            })
        }
        _ => Ok((Fields::default(), whole)),
    }
}

/// The fields of a whole TOML file: a sidecar, a folder's defaults.
pub fn whole_toml(bytes: &[u8]) -> Result<Fields, Error> {
    let source = clean::decode(bytes, None);
    within(&source, 1)?;
    let entries = toml(&source).map_err(|it| Error::BadFrontMatter {
        line: it.line,
        format: it.format,
        reason: it.reason,
    })?;
    Ok(Fields { entries, source, first_line: 1 })
}

fn yaml(source: &str) -> Result<Vec<(String, Value)>, Unreadable> {
    if source.trim().is_empty() {
        return Ok(Vec::new());
    }
    let options = serde_saphyr::options! {
        // As the generators' parsers do.
        duplicate_keys: serde_saphyr::DuplicateKeyPolicy::LastWins,
        budget: serde_saphyr::budget! {
            max_nodes: 20_000,
            max_events: 60_000,
            max_aliases: 200,
            max_anchors: 200,
            max_depth: 32,
        },
    };
    // Tabs indent nothing in YAML; people who type them mean blanks.
    let spaced;
    let text = match source.contains('\t') {
        true => {
            spaced = source.replace('\t', "  ");
            &spaced
        }
        false => source,
    };
    match serde_saphyr::from_str_with_options::<Value>(text, options) {
        Ok(Value::Map(entries)) => Ok(entries),
        Ok(Value::Nothing) => Ok(Vec::new()),
        Ok(other) => Err(Unreadable {
            line: 1,
            format: "YAML",
            reason: format!("expected keys with values, found {}", other.kind()),
        }),
        Err(error) => Err(Unreadable {
            line: error.location().map_or(1, |it| u32::try_from(it.line()).unwrap_or(1)),
            format: "YAML",
            reason: without_place(&error.to_string()),
        }),
    }
}

fn toml(source: &str) -> Result<Vec<(String, Value)>, Unreadable> {
    match toml::from_str::<Value>(source) {
        Ok(Value::Map(entries)) => Ok(entries),
        Ok(_) => Ok(Vec::new()),
        Err(error) => {
            let before = error.span().map_or("", |it| source.get(..it.start).unwrap_or_default());
            Err(Unreadable {
                line: line_count(before) + 1,
                format: "TOML",
                reason: without_place(error.message()),
            })
        }
    }
}

fn json(source: &str) -> Result<Vec<(String, Value)>, Unreadable> {
    let unreadable = |line: usize, reason: String| Unreadable {
        line: u32::try_from(line).unwrap_or(1),
        format: "JSON",
        reason,
    };
    match serde_json::from_str::<Value>(source) {
        Ok(Value::Map(entries)) => Ok(entries),
        Ok(other) => Err(unreadable(1, format!("expected an object, found {}", other.kind()))),
        Err(error) => Err(unreadable(error.line(), without_place(&error.to_string()))),
    }
}

/// The first line of a parser's message without its own words for the place, which
/// the problem states in its own way.
fn without_place(message: &str) -> String {
    let first = message.lines().next().unwrap_or_default();
    let first = match first.find(" at line ") {
        Some(at) => &first[..at],
        None => first,
    };
    let first = match first.strip_prefix("error: line ").and_then(|it| it.split_once(": ")) {
        Some((_, reason)) => reason,
        None => first.strip_prefix("error: ").unwrap_or(first),
    };
    clean::one_line(first)
}

/// Headers at the top of a text (`Title: ...`), as Pelican, MultiMarkdown and mail
/// have them: one a line from the first line on, of which the first is one that we
/// know, then a blank line. Continued lines are indented.
pub fn split_headers(text: &str, is_known: impl Fn(&str) -> bool) -> (Fields, &str) {
    let none = (Fields::default(), text);
    let start = text.trim_start_matches('\n');
    let first_line = line_count(&text[..text.len() - start.len()]) + 1;
    let mut entries: Vec<(String, Value)> = Vec::new();
    let mut at = 0;
    for line in start.split_inclusive('\n') {
        let content = line.trim_end();
        if content.is_empty() {
            break;
        }
        match (content.starts_with([' ', '\t']), entries.last_mut()) {
            (true, Some((_, Value::Text(value)))) => {
                value.push(' ');
                value.push_str(content.trim());
            }
            _ => {
                let Some((key, value)) = content.split_once(':') else { return none };
                let is_key = !key.is_empty()
                    && key.len() <= 40
                    && key.chars().all(|it| it.is_alphanumeric() || matches!(it, '-' | '_' | ' '));
                let is_apart = value.is_empty() || value.starts_with([' ', '\t']);
                if !is_key || !is_apart || (entries.is_empty() && !is_known(key)) {
                    return none;
                }
                entries.push((key.to_owned(), Value::Text(value.trim().to_owned())));
            }
        }
        at += line.len();
    }
    // One line with a colon may be a headline; of several, most must be headers that
    // we know, or it is a dialogue or a recipe.
    let known = entries.iter().filter(|(key, _)| is_known(key)).count();
    if entries.is_empty() || known * 2 < entries.len() {
        return none;
    }
    (Fields { entries, source: start[..at].to_owned(), first_line }, &start[at..])
}

/// Keys that nobody but generators has.
const GENERATORS: &[&str] = &["layout", "permalink", "comments", "toc", "number"];

/// Hexo's front matter, which `---` closes and nothing opens: fields of which we know
/// the most.
fn unopened(text: &str, skipped: u32) -> Option<(Fields, &str)> {
    let first = text.lines().next().filter(|it| is_field(it))?;
    let key = first.split(':').next().unwrap_or_default();
    if !keys::is_header(key) {
        return None;
    }
    let mut to = 0;
    for line in text.split_inclusive('\n').take(100) {
        match line.trim_end() {
            "" => return None,
            "---" => {
                let entries = yaml(&text[..to]).ok()?;
                let is_known =
                    |key: &str| keys::is_header(key) || GENERATORS.contains(&&*keys::folded(key));
                let known = entries.iter().filter(|(key, _)| is_known(key)).count();
                let source = text[..to].to_owned();
                let fields = Fields { entries, source, first_line: skipped + 1 };
                let is_sure = known * 2 >= fields.entries.len();
                return is_sure.then(|| (fields, &text[to + line.len()..]));
            }
            _ => to += line.len(),
        }
    }
    None
}

impl Value {
    /// For messages: what kind of value was found.
    pub fn kind(&self) -> &'static str {
        match self {
            Value::Nothing => "nothing",
            Value::Flag(_) => "true or false",
            Value::Number(_) => "a number",
            Value::Text(_) => "text",
            Value::List(_) => "a list",
            Value::Map(_) => "a table",
        }
    }

    pub fn get(&self, name: &str) -> Option<&Value> {
        match self {
            Value::Map(entries) => {
                entries.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|it| &it.1)
            }
            _ => None,
        }
    }

    /// The text of a scalar.
    pub fn scalar(&self) -> Option<String> {
        match self {
            Value::Text(text) | Value::Number(text) => Some(text.clone()),
            Value::Flag(flag) => Some(flag.to_string()),
            Value::Nothing | Value::List(_) | Value::Map(_) => None,
        }
    }

    pub fn to_json(&self) -> serde_json::Value {
        match self {
            Value::Nothing => serde_json::Value::Null,
            Value::Flag(flag) => (*flag).into(),
            Value::Number(number) => match number.parse::<serde_json::Number>() {
                Ok(number) => number.into(),
                Err(_) => number.as_str().into(),
            },
            Value::Text(text) => text.as_str().into(),
            Value::List(values) => values.iter().map(Value::to_json).collect(),
            Value::Map(entries) => serde_json::Value::Object(
                entries.iter().map(|(key, value)| (key.clone(), value.to_json())).collect(),
            ),
        }
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(Any)
    }
}

struct Any;

impl<'de> Visitor<'de> for Any {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Nothing)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Nothing)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        Value::deserialize(deserializer)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Value, E> {
        Ok(Value::Flag(flag))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(Value::Number(number.to_string()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(Value::Number(number.to_string()))
    }

    fn visit_i128<E>(self, number: i128) -> Result<Value, E> {
        Ok(Value::Number(number.to_string()))
    }

    fn visit_u128<E>(self, number: u128) -> Result<Value, E> {
        Ok(Value::Number(number.to_string()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Value, E> {
        Ok(Value::Number(number.to_string()))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::Text(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Value, E> {
        Ok(Value::Text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = access.next_element()? {
            values.push(value);
        }
        Ok(Value::List(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut entries: Vec<(String, Value)> = Vec::new();
        while let Some((key, value)) = access.next_entry::<Value, Value>()? {
            let key = key.scalar().unwrap_or_default();
            // How `toml` hands its dates to serde.
            if key == "$__toml_private_datetime" {
                return Ok(value);
            }
            // Of two the last wins, as with the generators' parsers; but a draft stays one.
            match entries.iter_mut().find(|it| it.0 == key) {
                Some((key, Value::Flag(true))) if key == "draft" => {}
                Some(first) => first.1 = value,
                None => entries.push((key, value)),
            }
        }
        Ok(Value::Map(entries))
    }
}
