//! Feeds of the configuration that came, went or choose otherwise, and scopes whose
//! members were lost.

use crate::catalog::decide::Decider;
use crate::catalog::store::Result;

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
        self.join_again()?;
        self.rows.put_fact("chosen", &now)
    }

    /// Brings every live entry into the scopes that it belongs to, and records what it
    /// refers to.
    pub fn join_again(&mut self) -> Result<()> {
        for number in 1..=self.rows.last_number()? {
            let entry = self.rows.entry(number)?.filter(|it| it.is_live());
            let Some(entry) = entry else { continue };
            if let Some(kept) = self.rows.article(entry.article)? {
                self.touch.scopes_of(&entry, &kept.article, entry.announced)?;
                self.touch.uses_of(&entry, &kept.article)?;
            }
        }
        self.touch.close_pages()
    }
}
