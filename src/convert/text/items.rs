//! Lists: where one begins, which lines belong to which item.

use crate::convert::text::blocks::{AHEAD, Block, DEEPEST, Scan};
use crate::convert::text::compose;
use crate::convert::text::lines::Line;
use crate::convert::text::lists::{self, Kind, Marker};
use crate::convert::text::marks::{self, Ending};
use crate::convert::text::paragraphs;

impl<'a> Scan<'_, 'a> {
    /// The first item of the list that begins at `at`. A mark alone makes none:
    /// another item, a colon before it or a blank line must speak for it.
    pub fn list_begins(&self, at: usize, in_paragraph: bool) -> Option<Marker> {
        let line = &self.lines[at];
        let marker = lists::marker(line.text())?;
        let is_section = line.indent + 2 <= self.shape.base
            && marker.kind.is_ordered()
            && line.ending() == Ending::Nothing
            && self.lines.get(at + 1).is_some_and(|it| it.blanks > 0);
        if self.depth >= DEEPEST || self.document.is_turn(line) || is_section {
            return None;
        }
        let is_announced =
            at > 0 && line.blanks <= 1 && self.lines[at - 1].text().ends_with(marks::is_colon);
        let siblings = self.siblings(at, &marker);
        let has_sibling = siblings.count > 0;
        let begins = match marker.kind {
            Kind::Bullet(_) => has_sibling || !in_paragraph || is_announced || self.depth > 0,
            Kind::Dash('—' | '―') => has_sibling && !siblings.ends_sentences,
            Kind::Dash(_) => {
                ((has_sibling || is_announced) && !siblings.is_dialogue)
                    || (!in_paragraph
                        && self.document.has_dashes
                        && !paragraphs::is_attribution(line.text()))
                    || (self.depth > 0
                        && at > 0
                        && !in_paragraph_of_prose(line, &self.lines[at - 1]))
            }
            Kind::SmallLetter('.') | Kind::LargeLetter('.') => has_sibling && marker.number == 1,
            _ => has_sibling && (marker.number <= 1 || !in_paragraph || is_announced),
        };
        begins.then_some(marker)
    }

    fn siblings(&self, at: usize, first: &Marker) -> Siblings {
        let line = &self.lines[at];
        let mut last = first.number;
        let mut found = Siblings::default();
        let (mut sentences, mut questions) = (0, 0);
        let mut count_ending = |it: &Line| {
            sentences += u32::from(it.ending() == Ending::Sentence);
            questions += u32::from(marks::last_mark(it.text()).is_some_and(marks::is_loud));
        };
        count_ending(line);
        for (before, next) in self.lines[at..].iter().zip(&self.lines[at + 1..]).take(AHEAD) {
            let marker = lists::marker_in(next.text(), first.kind);
            let is_level = next.indent <= line.indent + 1
                || marker.is_some_and(|it| next.indent + it.columns == line.indent + first.columns);
            match marker {
                Some(it)
                    if is_level
                        && next.indent + 1 < line.indent
                        && !are_flush_right(&it, next.indent, first, line.indent) =>
                {
                    if it.kind == first.kind {
                        found.count += 1;
                    }
                    break;
                }
                Some(it) if is_level && it.kind == first.kind => {
                    let follows = !it.kind.is_ordered()
                        || it.number == last + 1
                        || (it.number == last && last <= 1);
                    if !follows {
                        break;
                    }
                    last = it.number;
                    found.count += 1;
                    count_ending(next);
                }
                Some(_) => {}
                None if next.blanks > 0 && is_level => break,
                None if is_level && !self.is_lazy(before, next) => break,
                None => {}
            }
        }
        found.ends_sentences = sentences > 0;
        found.is_dialogue =
            sentences * 2 > found.count + 1 && questions > 0 && questions < found.count + 1;
        found
    }

    /// Whether `next` goes on with an item though it does not stand further right.
    fn is_lazy(&self, line: &Line, next: &Line) -> bool {
        self.shape.wrapped && next.blanks == 0 && paragraphs::joins(line, next, self.shape)
    }

    pub fn list(&mut self, from: usize, first: Marker) -> usize {
        let level = self.lines[from].indent;
        let mut items: Vec<Item<'a>> = Vec::new();
        let mut at = from;
        while let Some(line) = self.lines.get(at) {
            let marker = lists::marker_in(line.text(), first.kind);
            let last = items.last().map_or(0, |it| it.marker.number);
            match marker {
                Some(it) if is_sibling(&it, &first, line.indent, level, last, items.is_empty()) => {
                    items.push(Item {
                        marker: it,
                        content: line.indent + it.columns,
                        lines: Vec::new(),
                    });
                    let rest = line.after(it.length).map(|it| it.outdented(u32::MAX));
                    if let (Some(rest), Some(item)) = (rest, items.last_mut()) {
                        item.lines.push(rest);
                    }
                }
                Some(it) if line.indent <= level + 1 => {
                    let nests = line.indent + 1 >= level
                        && it.kind != first.kind
                        && (first.kind.is_ordered() || !it.kind.is_ordered())
                        && self.list_begins(at, false).is_some();
                    if !nests || !push(&mut items, line) {
                        break;
                    }
                }
                _ if line.indent > level && (line.blanks == 0 || line.indent > level + 1) => {
                    // What stands far to the right below a blank line is a line in
                    // the middle of the page.
                    let content = items.last().map_or(0, |it| it.content);
                    let is_centred = line.blanks > 0 && line.indent >= content + 12;
                    if is_centred || !push(&mut items, line) {
                        break;
                    }
                }
                _ => {
                    let is_lazy =
                        at > from && marker.is_none() && self.is_lazy(&self.lines[at - 1], line);
                    if !is_lazy || !push(&mut items, line) {
                        break;
                    }
                }
            }
            at += 1;
        }
        let out = self.list_html(&first, &items);
        self.blocks.push(Block::Made(out));
        at
    }

    fn list_html(&self, first: &Marker, items: &[Item<'a>]) -> String {
        let mut out = String::from(if first.kind.is_ordered() { "<ol" } else { "<ul" });
        if let Some(it) = first.kind.html_type() {
            out.push_str(&format!(" type=\"{it}\""));
        }
        if first.kind.is_ordered() && first.number != 1 {
            out.push_str(&format!(" start=\"{}\"", first.number));
        }
        out.push('>');
        // Markdown's way to number: each item is the first.
        let are_all_alike =
            items.len() > 1 && items.iter().all(|it| it.marker.number == first.number);
        let mut expected = first.number;
        for item in items {
            out.push_str("\n<li");
            if first.kind.is_ordered() && !are_all_alike && item.marker.number != expected {
                out.push_str(&format!(" value=\"{}\"", item.marker.number));
                expected = item.marker.number;
            }
            expected += 1;
            let mark = match item.marker.done {
                Some(true) => "☑ ",
                Some(false) => "☐ ",
                None => "",
            };
            let shape = self.shape.of_item(&item.lines, self.document);
            compose::item(&item.lines, mark, &shape, self.document, self.depth + 1, &mut out);
            out.push_str("</li>");
        }
        out.push_str(if first.kind.is_ordered() { "\n</ol>" } else { "\n</ul>" });
        out
    }
}

#[derive(Debug, Default)]
struct Siblings {
    count: u32,
    /// Some item ends like a sentence.
    ends_sentences: bool,
    /// Most end like sentences, some ask and some answer.
    is_dialogue: bool,
}

struct Item<'a> {
    marker: Marker,
    /// The column where its text begins.
    content: u32,
    lines: Vec<Line<'a>>,
}

fn push<'a>(items: &mut [Item<'a>], line: &Line<'a>) -> bool {
    let Some(item) = items.last_mut() else {
        return false;
    };
    item.lines.push(line.outdented(item.content));
    true
}

fn is_sibling(
    marker: &Marker,
    first: &Marker,
    indent: u32,
    level: u32,
    last: u32,
    is_first: bool,
) -> bool {
    // Numbers may be set flush left or flush right.
    let is_level = (indent + 1 >= level && indent <= level + 1)
        || are_flush_right(marker, indent, first, level);
    let follows =
        !marker.kind.is_ordered() || marker.number > last || marker.number == first.number;
    marker.kind == first.kind && is_level && (is_first || follows)
}

fn are_flush_right(marker: &Marker, indent: u32, first: &Marker, level: u32) -> bool {
    marker.kind.is_ordered() && indent + marker.columns == level + first.columns
}

/// Whether a dash at the start of a line only happens to stand there.
fn in_paragraph_of_prose(line: &Line, before: &Line) -> bool {
    line.blanks == 0 && line.indent <= before.indent && lists::marker(before.text()).is_none()
}
