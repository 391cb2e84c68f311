//! Hugo's shortcodes: `{{< ... >}}` and `{{% ... %}}`.
//!
//! In: text that begins with one. Out: what it becomes, and how much of the text it
//! covers, its end included where it has one.

use crate::convert::shortcodes::{self, Call};
use crate::convert::templates::{DEEPEST, MOST_WORK, Renderer, between};

impl Renderer<'_> {
    /// `{{< ... >}}` and `{{% ... %}}`.
    pub(super) fn hugo(&mut self, rest: &str, out: &mut String) -> usize {
        let (opening, closing) =
            if rest.starts_with("{{<") { ("{{<", ">}}") } else { ("{{%", "%}}") };
        let Some((inside, length)) = between(rest, opening, closing) else {
            return self.no_tag();
        };
        let inside = inside.trim();
        // A shortcode that is shown, not called.
        if let Some(shown) = inside.strip_prefix("/*").and_then(|it| it.strip_suffix("*/")) {
            out.push_str(&format!("{opening}{shown}{closing}"));
            return length;
        }
        if inside.starts_with('/') {
            return length;
        }
        let call = Call::hugo(inside.trim_end_matches('/'));
        let after = &rest[length..];
        let end =
            (!inside.ends_with('/')).then(|| hugo_end(after, &call.name, &mut self.work)).flatten();
        match end {
            Some((to, beyond)) if self.depth < DEEPEST => {
                let inner = &after[..to];
                let text = match call.name.as_str() {
                    "highlight" | "code" | "codeblock" | "code-toggle" => {
                        let language = call
                            .positional
                            .first()
                            .cloned()
                            .or_else(|| call.named("lang").map(str::to_owned));
                        self.code(&language.unwrap_or_default(), inner)
                    }
                    _ => {
                        let inner = self.inner(inner);
                        shortcodes::become_text(&call, Some(&inner), self.dialect, &|it| {
                            self.value(it)
                        })
                    }
                };
                out.push_str(&text);
                length + beyond
            }
            _ => {
                out.push_str(&shortcodes::become_text(&call, None, self.dialect, &|it| {
                    self.value(it)
                }));
                length
            }
        }
    }
}

/// Where `{{< /name >}}` stands in `text`, and where it ends; shortcodes of this name
/// that open in between are passed over with their ends.
fn hugo_end(text: &str, name: &str, work: &mut usize) -> Option<(usize, usize)> {
    let mut open = 1;
    for (at, _) in text.match_indices("{{") {
        if *work > MOST_WORK {
            return None;
        }
        let inside = text[at + 2..].trim_start_matches(['<', '%', ' ']);
        let (is_end, inside) = match inside.strip_prefix('/') {
            Some(inside) => (true, inside.trim_start()),
            None => (false, inside),
        };
        let Some(after) = inside.strip_prefix(name) else { continue };
        if after.starts_with(|it: char| it.is_alphanumeric() || matches!(it, '_' | '-' | '/')) {
            continue;
        }
        let Some(close) = after.find("}}") else { continue };
        if !is_end {
            open += i32::from(!after[..close].trim_end_matches(['>', '%', ' ']).ends_with('/'));
            continue;
        }
        open -= 1;
        if open == 0 {
            *work += at;
            return Some((at, text.len() - after.len() + close + 2));
        }
    }
    *work += text.len();
    None
}
