//! Lists for readers: all scopes, the addresses of all entries, the entries of a
//! time. Titles and addresses alone: no list reads an article.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::Offset;
use rusqlite::params;

use crate::catalog::entry::{Calendar, Headline, Listed, Period};
use crate::catalog::order::scope_of;
use crate::catalog::read::{Reader, revision, timestamp};
use crate::catalog::rows::Micros;
use crate::catalog::scope::Scope;
use crate::catalog::store::{Result, Rows};

/// So many entries a year or month lists; of more it names the months or days.
const LISTED: usize = 300;
/// So many entries of one day are listed.
const OF_A_DAY: usize = 500;

/// A list, when the site last changed, and the revision both were read at.
pub type Read<T> = (T, Timestamp, u64);

impl Reader {
    /// The scopes that hold entries, of each kind by name; and those of the
    /// configuration.
    pub fn scopes(&mut self) -> Result<Read<Vec<Listed>>> {
        let chosen = self.feeds.chosen.clone();
        self.list(|rows| {
            let mut scopes = rows.live_scopes("1")?;
            for it in chosen {
                let scope = Scope::Folder(it.folder);
                if let Some(listed) = scopes.iter_mut().find(|it| it.scope == scope) {
                    listed.label = it.label;
                } else {
                    scopes.push(Listed { scope, label: it.label, live: 0 });
                }
            }
            Ok(scopes)
        })
    }

    /// The folders right below a scope's own, if it is a folder.
    pub fn below(&mut self, scope: &Scope) -> Result<Vec<Listed>> {
        let start = match scope {
            Scope::Site => String::new(),
            Scope::Folder(name) => format!("{name}/"),
            _ => return Ok(Vec::new()),
        };
        self.store.read(|rows| rows.folders_below(&start))
    }

    /// The highest number of an entry.
    pub fn last_number(&mut self) -> Result<Read<i64>> {
        self.list(|rows| rows.last_number())
    }

    /// The live entries with these numbers, in order.
    pub fn numbered(&mut self, from: i64, to: i64) -> Result<Read<Vec<Headline>>> {
        self.list(|rows| rows.numbered(from, to))
    }

    /// The entries that were published in this time; `None` where none was.
    pub fn calendar(&mut self, period: Period) -> Result<Read<Option<Calendar>>> {
        self.list(|rows| calendar(rows, period))
    }

    fn list<T>(&mut self, read: impl FnOnce(&Rows<'_>) -> Result<T>) -> Result<Read<T>> {
        self.store.read(|rows| {
            let born = rows.number("born")?.unwrap_or(0);
            let changed = rows.scope(&Scope::Site)?.map_or(born, |it| it.changed.max(born));
            Ok((read(rows)?, timestamp(changed), revision(rows)?))
        })
    }
}

/// As the index says it.
const LIVE: &str = "status IN ('live', 'leaving', 'held')";

impl Rows<'_> {
    fn live_scopes(&self, condition: &str) -> Result<Vec<Listed>> {
        let sql = format!(
            "SELECT kind, name, label, live FROM scopes WHERE live > 0 AND {condition} \
             ORDER BY kind, name"
        );
        let all = self.all(&sql, [], listed)?;
        Ok(all.into_iter().flatten().collect())
    }

    fn folders_below(&self, start: &str) -> Result<Vec<Listed>> {
        // `0` comes right after `/`.
        let end = match start.strip_suffix('/') {
            Some(name) => format!("{name}0"),
            None => "\u{10FFFF}".into(),
        };
        let sql = "SELECT kind, name, label, live FROM scopes WHERE kind = 'folder' AND live > 0 \
                   AND name >= ?1 AND name < ?2 AND instr(substr(name, length(?1) + 1), '/') = 0 \
                   ORDER BY name";
        let all = self.all(sql, [start, end.as_str()], listed)?;
        Ok(all.into_iter().flatten().collect())
    }

    fn numbered(&self, from: i64, to: i64) -> Result<Vec<Headline>> {
        let sql = format!(
            "SELECT title, permalink, published, updated FROM entries \
             WHERE number BETWEEN ? AND ? AND {LIVE} ORDER BY number"
        );
        self.all(&sql, [from, to], headline)
    }

    /// The last published first.
    fn published(&self, from: Micros, to: Micros, most: usize) -> Result<Vec<Headline>> {
        let sql = format!(
            "SELECT title, permalink, published, updated FROM entries \
             WHERE {LIVE} AND published >= ? AND published < ? \
             ORDER BY published DESC, number DESC LIMIT ?"
        );
        self.all(&sql, params![from, to, most as i64], headline)
    }

    /// The first date of publication at or after `from`.
    fn next_published(&self, from: Micros) -> Result<Option<Micros>> {
        let sql = format!(
            "SELECT published FROM entries WHERE {LIVE} AND published >= ? \
             ORDER BY published LIMIT 1"
        );
        self.one(&sql, [from], |row| row.get(0))
    }
}

fn listed(row: &rusqlite::Row<'_>) -> rusqlite::Result<Option<Listed>> {
    let kind: String = row.get(0)?;
    let (label, live): (String, i64) = (row.get(2)?, row.get(3)?);
    let scope = scope_of(&kind, row.get(1)?);
    Ok(scope.map(|scope| Listed { scope, label, live: live.max(0) as u64 }))
}

fn headline(row: &rusqlite::Row<'_>) -> rusqlite::Result<Headline> {
    Ok(Headline {
        title: row.get(0)?,
        permalink: row.get(1)?,
        published: timestamp(row.get(2)?),
        updated: timestamp(row.get(3)?),
    })
}

fn calendar(rows: &Rows<'_>, period: Period) -> Result<Option<Calendar>> {
    let (from, to) = bounds(period);
    let most = match period {
        Period::All => 0,
        Period::Year(_) | Period::Month(..) => LISTED + 1,
        Period::Day(..) => OF_A_DAY,
    };
    let headlines = rows.published(from, to, most)?;
    if most > 0 && headlines.len() <= LISTED || matches!(period, Period::Day(..)) {
        let calendar = Calendar { period, headlines, parts: Vec::new() };
        return Ok((!calendar.headlines.is_empty()).then_some(calendar));
    }
    let mut parts = Vec::new();
    let mut next = from;
    while let Some(published) = rows.next_published(next)?.filter(|it| *it < to) {
        let date = Offset::UTC.to_datetime(timestamp(published)).date();
        let part = match period {
            Period::All => Period::Year(date.year()),
            Period::Year(_) => Period::Month(date.year(), date.month()),
            Period::Month(..) | Period::Day(..) => {
                Period::Day(date.year(), date.month(), date.day())
            }
        };
        next = bounds(part).1;
        parts.push(part);
    }
    parts.reverse();
    Ok(Some(Calendar { period, headlines: Vec::new(), parts }))
}

/// The first microsecond of a time, and the first after it; days are UTC's.
fn bounds(period: Period) -> (Micros, Micros) {
    let start = |date: Option<Date>, other: Micros| {
        date.and_then(|it| Offset::UTC.to_timestamp(it.at(0, 0, 0, 0)).ok())
            .map_or(other, Timestamp::as_microsecond)
    };
    let (first, next) = match period {
        Period::All => (None, None),
        Period::Year(year) => (Date::new(year, 1, 1).ok(), Date::new(year + 1, 1, 1).ok()),
        Period::Month(year, month) => {
            let next = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
            (Date::new(year, month, 1).ok(), Date::new(next.0, next.1, 1).ok())
        }
        Period::Day(year, month, day) => {
            let first = Date::new(year, month, day).ok();
            (first, first.and_then(|it| it.tomorrow().ok()))
        }
    };
    (start(first, Micros::MIN), start(next, Micros::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_bounds() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap().as_microsecond();
        let table = [
            (Period::All, Micros::MIN, Micros::MAX, "everything"),
            (Period::Year(2026), at("2026-01-01T00:00:00Z"), at("2027-01-01T00:00:00Z"), "a year"),
            (
                Period::Month(2026, 12),
                at("2026-12-01T00:00:00Z"),
                at("2027-01-01T00:00:00Z"),
                "the last month of a year",
            ),
            (
                Period::Day(2024, 2, 29),
                at("2024-02-29T00:00:00Z"),
                at("2024-03-01T00:00:00Z"),
                "a day of a leap year",
            ),
            (
                Period::Year(9999),
                at("9999-01-01T00:00:00Z"),
                Micros::MAX,
                "the last year that is known",
            ),
        ];
        for (period, from, to, why) in table {
            assert_eq!(bounds(period), (from, to), "{why}");
        }
    }
}
