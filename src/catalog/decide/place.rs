//! Which path of the site an entry gets: the one that it asks for, unless another has
//! it. Pure, as the rest of the decider.

use crate::catalog::decide::Decider;
use crate::catalog::permalink;
use crate::catalog::rows::{EntryRow, Status};
use crate::catalog::scope::encoded_segment;
use crate::catalog::store::Result;
use crate::convert::article::Article;
use crate::problem::Problem;

impl Decider<'_, '_> {
    /// Gives an entry the permalink that it asks for, if it asks for another one now.
    pub(super) fn place(&mut self, entry: &mut EntryRow, article: &Article) -> Result<()> {
        self.place_again(entry, article, true)
    }

    pub(super) fn place_again(
        &mut self,
        entry: &mut EntryRow,
        article: &Article,
        was_live: bool,
    ) -> Result<()> {
        let wanted = permalink::wanted(&entry.path, &article.stated);
        self.waiting.remove(&entry.number);
        if wanted != entry.wanted
            && !entry.permalink.is_empty()
            && !self.is_taken(&entry.permalink, entry.number)?
            && let Some(leaving) = self.leaving_at(&wanted)?.filter(|&it| it != entry.number)
            && self.waiting.get(&leaving) != Some(&entry.number)
        {
            self.waiting.insert(entry.number, leaving);
        } else if wanted != entry.wanted
            || (!was_live && self.is_taken(&entry.permalink, entry.number)?)
        {
            let number = entry.number;
            entry.permalink = permalink::free(&wanted, |it| self.is_taken(it, number))?;
            entry.wanted = wanted;
            if entry.permalink != entry.wanted {
                self.note_place(entry);
            }
        }
        self.rows.put_place(&entry.permalink, entry.number)?;
        for alias in &article.stated.aliases {
            let segments: Vec<_> =
                alias.split('/').filter(|it| !it.is_empty()).map(encoded_segment).collect();
            if !segments.is_empty() {
                let path = format!("/{}", segments.join("/"));
                if self.rows.put_place(&path, entry.number)? {
                    self.touch.led_elsewhere(entry);
                }
                self.touch.page(path);
            }
        }
        Ok(())
    }

    fn note_place(&mut self, entry: &EntryRow) {
        self.notes.push(Problem {
            path: entry.path.clone(),
            line: None,
            reason: format!(
                "expected the path `{}` to be free, found another article there",
                entry.wanted
            ),
            consequence: format!("its page is at `{}`", entry.permalink),
        });
    }

    pub(super) fn is_taken(&self, path: &str, by: i64) -> Result<bool> {
        for number in self.rows.holders(path)? {
            if number != by
                && !self.moving.contains(&number)
                && self.waiting.get(&number) != Some(&by)
                && let Some(entry) = self.rows.entry(number)?
                && entry.is_live()
                && entry.permalink == path
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The entry whose page stands at `permalink` and whose withdrawal is pending.
    pub(super) fn leaving_at(&self, permalink: &str) -> Result<Option<i64>> {
        for number in self.rows.holders(permalink)? {
            if let Some(entry) = self.rows.entry(number)?
                && entry.permalink == permalink
                && entry.is_live()
                && (entry.status != Status::Live
                    || self.left.contains(&number) && !self.claimed.contains_key(&number))
            {
                return Ok(Some(number));
            }
        }
        Ok(None)
    }
}
