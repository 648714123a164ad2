//! Time zones: what the clocks showed, show and will show where. `scripts/pack-zones.py` describes
//! the file that they are read from.

use std::{io::Read, sync::OnceLock};

use super::rule;

static PACKED: &[u8] = include_bytes!("zones.bin");

/// What a zone's clocks show at a moment.
#[derive(Debug, Clone, Copy)]
pub(super) struct LocalTime<'a> {
    /// Seconds east of UTC.
    pub(super) offset: i64,
    /// `CET`, `+03`.
    pub(super) abbreviation: &'a str,
    /// The moments between which it is known to be so.
    pub(super) start: i64,
    pub(super) end: i64,
}

/// A place with its own time.
#[derive(Debug)]
pub(super) enum Zone {
    Utc,
    Named(History),
}

/// One kind of local time that a zone has or had.
#[derive(Debug, Clone, Copy)]
struct Kind {
    offset: i64,
    is_summer: bool,
    abbreviation: &'static str,
}

#[derive(Debug)]
pub(super) struct History {
    /// When which kind began.
    transitions: Vec<(i64, usize)>,
    kinds: Vec<Kind>,
    /// What holds after the last transition, as in `TZ` of POSIX.
    rule: &'static str,
}

impl Zone {
    /// The zone of a name. `None`: there is none. `Local` is UTC, since where an edge runs is chance.
    /// Source: Go, `time.LoadLocation`.
    pub(super) fn find(name: &str) -> Option<Self> {
        match name {
            "" | "UTC" | "Local" => Some(Self::Utc),
            _ => database()?.zone(name).map(Self::Named),
        }
    }

    /// What its clocks show at a moment, in seconds since 1970.
    pub(super) fn at(&self, seconds: i64) -> LocalTime<'_> {
        match self {
            Self::Utc => LocalTime {
                offset: 0,
                abbreviation: "UTC",
                start: i64::MIN,
                end: i64::MAX,
            },
            Self::Named(history) => history.at(seconds),
        }
    }

    /// The moment when its clocks show as many seconds since 1970. Source: Go, `time.Date`.
    pub(super) fn moment(&self, local_seconds: i64) -> i64 {
        let there = self.at(local_seconds);
        let moment = local_seconds.saturating_sub(there.offset);
        if there.offset == 0 || (there.start..there.end).contains(&moment) {
            return moment;
        }
        local_seconds.saturating_sub(self.at(moment).offset)
    }
}

impl History {
    fn at(&self, seconds: i64) -> LocalTime<'_> {
        let next = self
            .transitions
            .partition_point(|(start, _)| *start <= seconds);
        let end = self.transitions.get(next).map_or(i64::MAX, |(end, _)| *end);
        let Some((start, kind)) = next
            .checked_sub(1)
            .and_then(|last| self.transitions.get(last))
        else {
            // A zone that never changed has its one kind, and its rule says the same.
            return self.kind(self.first_kind(), i64::MIN, end);
        };
        if end == i64::MAX
            && let Some(local) = rule::at(self.rule, *start, seconds)
        {
            return local;
        }
        self.kind(*kind, *start, end)
    }

    fn kind(&self, index: usize, start: i64, end: i64) -> LocalTime<'_> {
        let kind = self.kinds.get(index);
        LocalTime {
            offset: kind.map_or(0, |kind| kind.offset),
            abbreviation: kind.map_or("UTC", |kind| kind.abbreviation),
            start,
            end,
        }
    }

    /// What was before the first transition. Source: Go, `lookupFirstZone`, which follows tzcode.
    fn first_kind(&self) -> usize {
        if self.transitions.iter().all(|(_, kind)| *kind != 0) {
            return 0;
        }
        let is_winter = |index: &usize| self.kinds.get(*index).is_some_and(|kind| !kind.is_summer);
        let first = self.transitions.first().map_or(0, |(_, kind)| *kind);
        if !is_winter(&first)
            && let Some(before) = (0..first).rev().find(is_winter)
        {
            return before;
        }
        (0..self.kinds.len()).find(is_winter).unwrap_or(0)
    }
}

/// The file, unpacked, and where what stands in it.
struct Database {
    names: Vec<&'static str>,
    zone_of_name: Vec<usize>,
    rules: Vec<&'static str>,
    kinds: Vec<Kind>,
    zones: Vec<&'static [u8]>,
}

static UNPACKED: OnceLock<Vec<u8>> = OnceLock::new();
static DATABASE: OnceLock<Option<Database>> = OnceLock::new();

/// `None`, which a test rules out: the file is not as it should be.
fn database() -> Option<&'static Database> {
    let read = || {
        let bytes = UNPACKED.get_or_init(|| {
            let mut bytes = Vec::new();
            // What is missing after a failure is missed by the reader.
            let _ = flate2::read::DeflateDecoder::new(PACKED).read_to_end(&mut bytes);
            bytes
        });
        Database::read(&mut Reader(bytes))
    };
    DATABASE.get_or_init(read).as_ref()
}

impl Database {
    fn read(reader: &mut Reader) -> Option<Self> {
        let names: Vec<&str> = reader.text()?.lines().collect();
        let zone_of_name = names
            .iter()
            .map(|_| reader.index())
            .collect::<Option<_>>()?;
        let rules = reader.text()?.lines().collect();
        let kinds = reader.text()?.lines().map(kind).collect::<Option<_>>()?;
        let mut zones = Vec::new();
        while let Some(zone) = reader.block() {
            zones.push(zone);
        }
        Some(Self {
            names,
            zone_of_name,
            rules,
            kinds,
            zones,
        })
    }

    fn zone(&self, name: &str) -> Option<History> {
        let place = self.names.binary_search(&name).ok()?;
        let reader = &mut Reader(self.zones.get(*self.zone_of_name.get(place)?)?);
        let rule = self.rules.get(reader.byte()?)?;
        let kind_count = reader.byte()?;
        let kinds = (0..kind_count)
            .map(|_| self.kinds.get(reader.index()?).copied())
            .collect::<Option<_>>()?;
        let count = reader.index()?;
        let indexes: Vec<usize> = (0..count).map(|_| reader.byte()).collect::<Option<_>>()?;
        let mut moment = 0_i64;
        let mut transitions = Vec::with_capacity(count);
        for kind in indexes {
            moment = moment.checked_add(reader.seconds()?)?;
            transitions.push((moment, kind));
        }
        if transitions.is_empty() {
            transitions.push((i64::MIN, 0));
        }
        Some(History {
            transitions,
            kinds,
            rule,
        })
    }
}

fn kind(line: &'static str) -> Option<Kind> {
    let mut parts = line.split(' ');
    Some(Kind {
        offset: parts.next()?.parse().ok()?,
        is_summer: parts.next()? == "1",
        abbreviation: parts.next()?,
    })
}

/// What is still to be read.
struct Reader(&'static [u8]);

impl Reader {
    fn take(&mut self, count: usize) -> Option<&'static [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn byte(&mut self) -> Option<usize> {
        self.take(1)?.first().map(|byte| usize::from(*byte))
    }

    fn index(&mut self) -> Option<usize> {
        let bytes = self.take(2)?.try_into().ok()?;
        Some(usize::from(u16::from_le_bytes(bytes)))
    }

    fn block(&mut self) -> Option<&'static [u8]> {
        let bytes = self.take(4)?.try_into().ok()?;
        self.take(usize::try_from(u32::from_le_bytes(bytes)).ok()?)
    }

    fn text(&mut self) -> Option<&'static str> {
        std::str::from_utf8(self.block()?).ok()
    }

    fn seconds(&mut self) -> Option<i64> {
        let quarters = i64::try_from(self.index()?).ok()?;
        if quarters < 0xffff {
            return quarters.checked_mul(900);
        }
        let bytes = self.take(8)?.try_into().ok()?;
        Some(i64::from_le_bytes(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_zone_can_be_read() {
        let database = database().unwrap();
        assert!(database.names.len() > 590);
        for name in &database.names {
            let zone = database.zone(name).unwrap_or_else(|| panic!("{name}"));
            assert!(!zone.kinds.is_empty(), "{name}");
            let count = zone.kinds.len();
            assert!(
                zone.transitions.iter().all(|(_, kind)| *kind < count),
                "{name}"
            );
            assert!(zone.transitions.is_sorted(), "{name}");
            assert!(
                rule::at(zone.rule, 0, 4_000_000_000).is_some(),
                "{name}: {}",
                zone.rule
            );
        }
    }
}
