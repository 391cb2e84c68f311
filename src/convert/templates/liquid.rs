//! Tags of Liquid and its kin: `{% ... %}`, as Jekyll, Eleventy, Pelican and Zola have
//! them.
//!
//! In: text that begins with such a tag. Out: what the tag becomes, and how much of the
//! text it covers. Loops and macros are taken out whole: what they show is in no
//! document.

use crate::convert::shortcodes::{self, Call};
use crate::convert::templates::{DEEPEST, MOST_WORK, Renderer, between, trimmed};

impl Renderer<'_> {
    /// `{% ... %}`.
    pub(super) fn liquid(&mut self, rest: &str, out: &mut String) -> usize {
        let Some((inside, length)) = between(rest, "{%", "%}") else { return self.no_tag() };
        let inside = trimmed(inside);
        let name_to = inside
            .find(|it: char| !(it.is_alphanumeric() || matches!(it, '_' | '-' | '.')))
            .unwrap_or(inside.len());
        let (name, arguments) = (&inside[..name_to], inside[name_to..].trim());
        let after = &rest[length..];
        match name {
            "raw" | "verbatim" => self.block(
                after,
                &["endraw", "endverbatim"],
                length,
                |_, inner| inner.to_owned(),
                out,
            ),
            "comment" => self.block(after, &["endcomment"], length, |_, _| String::new(), out),
            "highlight" | "codeblock" | "code" | "prism" => {
                let language = arguments.split_whitespace().next().unwrap_or_default().to_owned();
                let ends = ["endhighlight", "endcodeblock", "endcode", "endprism"];
                self.block(after, &ends, length, |it, inner| it.code(&language, inner), out)
            }
            "capture" => {
                let variable = arguments.trim_matches(['"', '\'']);
                self.capture(after, variable, "endcapture", length, out)
            }
            // Markdown within HTML begins and ends with a blank line.
            "markdown" | "markdownify" => {
                let ends = ["endmarkdown", "endmarkdownify"];
                self.block(after, &ends, length, |it, inner| blank_lines(&it.inner(inner)), out)
            }
            // Nunjucks: a capture by another name.
            "set" if !arguments.contains('=') && !arguments.is_empty() => {
                self.capture(after, arguments, "endset", length, out)
            }
            "assign" | "set" => {
                if let Some((variable, value)) = arguments.split_once('=')
                    && let Some(value) = self.expression(value.trim())
                {
                    self.remember(variable.trim().to_owned(), value);
                }
                length
            }
            // What a loop shows is in no document.
            "for" | "tablerow" | "case" | "macro" => {
                let end = ["end".to_owned() + name];
                self.nested_block(after, name, &end[0], length, |_, _| String::new(), out)
            }
            "if" | "unless" | "ifversion" => {
                let end = "end".to_owned() + name;
                self.nested_block(
                    after,
                    name,
                    &end,
                    length,
                    |it, inner| it.inner(first_branch(inner)),
                    out,
                )
            }
            "include" | "include_relative" | "render" | "includecode" => {
                let call = Call::include(arguments);
                out.push_str(&shortcodes::become_text(&call, None, self.dialect, &|it| {
                    self.value(it)
                }));
                length
            }
            _ if name.starts_with("end")
                || matches!(name, "else" | "elsif" | "elseif" | "when") =>
            {
                length
            }
            _ => {
                // A block of a name that only its generator knows, or a tag alone.
                let call = Call::zola(inside).unwrap_or_else(|| Call::liquid(name, arguments));
                let ends = ["end".to_owned() + name, "end".to_owned(), format!("/{name}")];
                let end = ends.iter().find(|it| is_end_near(after, it, &mut self.work));
                match end {
                    Some(end) => self.block(
                        after,
                        &[end],
                        length,
                        |it, inner| {
                            let inner = it.inner(inner);
                            shortcodes::become_text(&call, Some(&inner), it.dialect, &|name| {
                                it.value(name)
                            })
                        },
                        out,
                    ),
                    None => {
                        out.push_str(&shortcodes::become_text(&call, None, self.dialect, &|it| {
                            self.value(it)
                        }));
                        length
                    }
                }
            }
        }
    }

    /// A block without blocks of its own kind in it: `become` makes its inside text.
    fn block(
        &mut self,
        after: &str,
        ends: &[&str],
        length: usize,
        make: impl FnOnce(&mut Self, &str) -> String,
        out: &mut String,
    ) -> usize {
        let end = ends.iter().filter_map(|it| liquid_end(after, it, &mut self.work)).min();
        match end {
            Some((to, beyond)) if self.depth < DEEPEST => {
                let text = make(self, &after[..to]);
                out.push_str(&text);
                length + beyond
            }
            _ => length,
        }
    }

    /// A block whose inside is the value of a variable, and is not shown there.
    fn capture(
        &mut self,
        after: &str,
        variable: &str,
        end: &str,
        length: usize,
        out: &mut String,
    ) -> usize {
        let remember = |it: &mut Self, inner: &str| {
            let value = it.inner(inner);
            it.remember(variable.to_owned(), value);
            String::new()
        };
        self.block(after, &[end], length, remember, out)
    }

    /// A block whose kind may stand in itself.
    fn nested_block(
        &mut self,
        after: &str,
        name: &str,
        end: &str,
        length: usize,
        make: impl FnOnce(&mut Self, &str) -> String,
        out: &mut String,
    ) -> usize {
        let mut at = 0;
        let mut open = 1;
        while let Some((to, beyond)) = liquid_end(&after[at..], end, &mut self.work) {
            open += openings(&after[at..at + to], name);
            open -= 1;
            if open == 0 && self.depth < DEEPEST {
                let text = make(self, &after[..at + to]);
                out.push_str(&text);
                return length + at + beyond;
            }
            at += beyond;
        }
        length
    }
}

fn blank_lines(inner: &str) -> String {
    format!("\n\n{}\n\n", inner.trim())
}

/// Where `{% end %}` stands in `text`, and where it ends.
fn liquid_end(text: &str, end: &str, work: &mut usize) -> Option<(usize, usize)> {
    if *work > MOST_WORK {
        return None;
    }
    let mut from = 0;
    while let Some(at) = text[from..].find("{%") {
        let at = at + from;
        let inside = text[at + 2..].trim_start_matches(['-', ' ', '\n']);
        if let Some(after) = inside.strip_prefix(end)
            && let Some(close) = after.find("%}")
            && after[..close].trim_matches([' ', '-', '\n']).len() < 40
            && !after.starts_with(|it: char| it.is_alphanumeric() || it == '_')
        {
            *work += at;
            return Some((at, text.len() - after.len() + close + 2));
        }
        from = at + 2;
    }
    *work += text.len();
    None
}

fn is_end_near(text: &str, end: &str, work: &mut usize) -> bool {
    liquid_end(text, end, work).is_some()
}

/// How often `{% name` opens in `text`.
fn openings(text: &str, name: &str) -> usize {
    text.match_indices("{%")
        .filter(|(at, _)| {
            let inside = text[at + 2..].trim_start_matches(['-', ' ']);
            inside.strip_prefix(name).is_some_and(|it| it.starts_with([' ', '\n']))
        })
        .count()
}

/// What stands before the `else` of this `if` itself.
fn first_branch(inner: &str) -> &str {
    let mut open = 0_i32;
    for (at, _) in inner.match_indices("{%") {
        let inside = inner[at + 2..].trim_start_matches(['-', ' ']);
        let word = inside.split(|it: char| !it.is_alphanumeric()).next().unwrap_or_default();
        match word {
            "if" | "unless" | "case" | "for" => open += 1,
            "endif" | "endunless" | "endcase" | "endfor" => open -= 1,
            "else" | "elsif" | "elseif" | "elif" if open == 0 => return &inner[..at],
            _ => {}
        }
    }
    inner
}
