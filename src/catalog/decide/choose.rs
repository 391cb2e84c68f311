//! Feeds of the configuration that came, went or choose otherwise, and scopes whose
//! members were lost.

use crate::catalog::decide::Decider;
use crate::catalog::rows::EntryRow;
use crate::catalog::store::Result;
use crate::catalog::touched::Toucher;
use crate::convert::article::Article;

impl Decider<'_, '_> {
    /// Brings the members of all scopes in step with the configuration, where its feeds
    /// have changed. Entries that a feed begins with are announced when they were: who
    /// subscribes to it is not flooded later.
    pub fn choose(&mut self) -> Result<()> {
        let chosen = &self.options.feeds.chosen;
        let now = blake3::hash(format!("{chosen:?}").as_bytes()).to_string();
        let known = self.rows.fact("chosen")?;
        if known.as_ref() == Some(&now) || (known.is_none() && chosen.is_empty()) {
            return Ok(());
        }
        self.each_live(|touch, entry, article| touch.scopes_of(entry, article, entry.announced))?;
        self.touch.close_pages()?;
        self.rows.put_fact("chosen", &now)
    }

    /// Brings every live entry into the scopes that it belongs to, and records what it
    /// refers to, where that was lost.
    pub fn join_again(&mut self) -> Result<()> {
        self.each_live(|touch, entry, article| {
            touch.scopes_of(entry, article, entry.announced)?;
            touch.uses_of(entry, article)
        })?;
        self.touch.close_pages()
    }

    fn each_live(
        &mut self,
        work: impl Fn(&mut Toucher<'_, '_>, &EntryRow, &Article) -> Result<()>,
    ) -> Result<()> {
        for number in 1..=self.rows.last_number()? {
            let entry = self.rows.entry(number)?.filter(|it| it.is_live());
            let Some(entry) = entry else { continue };
            if let Some(kept) = self.rows.article(entry.article)? {
                work(&mut self.touch, &entry, &kept.article)?;
            }
        }
        Ok(())
    }
}
