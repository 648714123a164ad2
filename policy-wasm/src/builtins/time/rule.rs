//! `CET-1CEST,M3.5.0,M10.5.0/3`: what the clocks of a zone show as long as nobody changes the rule.
//! Source: POSIX, `TZ`, with the hours beyond 24 of RFC 9636; Go, `tzset`.

use super::{
    civil::{days_before, days_in, is_leap, year_and_day},
    zone::LocalTime,
};

/// When in a year the clocks change.
enum Day {
    /// `J60`: from 1; the 29th of February has no number.
    Julian(i64),
    /// `59`: from 0.
    OfYear(i64),
    /// `M3.5.0`: month, week (5: the last), weekday from Sunday.
    Weekday(i64, i64, i64),
}

struct Change {
    day: Day,
    /// Seconds from midnight, where the clocks still show the time before the change.
    time: i64,
}

/// What the clocks show at a moment after the last transition. `None`: the rule can't be read.
pub(super) fn at(rule: &str, last: i64, seconds: i64) -> Option<LocalTime<'_>> {
    let mut text = Text(rule);
    let winter = text.name()?;
    let winter_offset = text.offset()?.checked_neg()?;
    if text.0.is_empty() {
        return Some(LocalTime {
            offset: winter_offset,
            abbreviation: winter,
            start: last,
            end: i64::MAX,
        });
    }
    let summer = text.name()?;
    let summer_offset = if text.0.starts_with(',') {
        winter_offset.checked_add(3600)?
    } else {
        text.offset()?.checked_neg()?
    };
    let begins = text.after(',')?.change()?;
    let ends = text.after(',')?.change()?;
    let (year, day) = year_and_day(seconds.div_euclid(86_400));
    let year_starts = seconds
        .checked_sub(seconds.rem_euclid(86_400))?
        .checked_sub(day.checked_sub(1)?.checked_mul(86_400)?)?;
    let begin = year_starts.checked_add(begins.in_year(year, winter_offset)?)?;
    let end = year_starts.checked_add(ends.in_year(year, summer_offset)?)?;
    // In the south the year begins and ends in summer.
    let (first, second, outer, inner) = if end < begin {
        (end, begin, (summer, summer_offset), (winter, winter_offset))
    } else {
        (begin, end, (winter, winter_offset), (summer, summer_offset))
    };
    // As Go has it: near a change the bounds are exact, else they are those of the year.
    let ((abbreviation, offset), start, end) = if seconds < first {
        (outer, year_starts, first)
    } else if seconds >= second {
        (outer, second, year_starts.checked_add(365 * 86_400)?)
    } else {
        (inner, first, second)
    };
    Some(LocalTime {
        offset,
        abbreviation,
        start,
        end,
    })
}

impl Change {
    /// Seconds from the start of a year, in UTC.
    fn in_year(&self, year: i64, offset: i64) -> Option<i64> {
        let days = match self.day {
            Day::Julian(day) => {
                let leap = i64::from(is_leap(year) && day >= 60);
                day.checked_sub(1)?.checked_add(leap)?
            }
            Day::OfYear(day) => day,
            Day::Weekday(month, week, weekday) => day_of_year(year, month, week, weekday)?,
        };
        days.checked_mul(86_400)?
            .checked_add(self.time)?
            .checked_sub(offset)
    }
}

/// The day, from 0, of the first, second … or last such weekday of a month.
fn day_of_year(year: i64, month: i64, week: i64, weekday: i64) -> Option<i64> {
    let first = super::civil::days_since_1970(year, month, 1)?;
    // 1970-01-01 was a Thursday.
    let first_weekday = first.checked_add(4)?.rem_euclid(7);
    let mut day = weekday.checked_sub(first_weekday)?.rem_euclid(7);
    for _ in 1..week {
        if day.checked_add(7)? >= days_in(month, year) {
            break;
        }
        day = day.checked_add(7)?;
    }
    let leap = i64::from(is_leap(year) && month > 2);
    days_before(month).checked_add(day)?.checked_add(leap)
}

/// What is still to be read.
struct Text<'a>(&'a str);

impl<'a> Text<'a> {
    fn after(&mut self, wanted: char) -> Option<&mut Self> {
        self.0 = self.0.strip_prefix(wanted)?;
        Some(self)
    }

    fn take(&mut self, end: usize) -> Option<&'a str> {
        let (taken, rest) = self.0.split_at_checked(end)?;
        self.0 = rest;
        Some(taken)
    }

    /// `CET`, `<+03>`.
    fn name(&mut self) -> Option<&'a str> {
        if let Some(rest) = self.0.strip_prefix('<') {
            let (name, rest) = rest.split_once('>')?;
            self.0 = rest;
            return Some(name);
        }
        let end = self.0.find(|letter: char| !letter.is_ascii_alphabetic());
        let name = self.take(end.unwrap_or(self.0.len()))?;
        (name.len() >= 3).then_some(name)
    }

    fn number(&mut self) -> Option<i64> {
        let end = self.0.find(|letter: char| !letter.is_ascii_digit());
        self.take(end.unwrap_or(self.0.len()))?.parse().ok()
    }

    /// `-3:30`, in seconds.
    fn offset(&mut self) -> Option<i64> {
        let sign = match self.0.as_bytes().first()? {
            b'-' => -1,
            _ => 1,
        };
        self.0 = self.0.strip_prefix(['+', '-']).unwrap_or(self.0);
        let mut seconds = self.number()?.checked_mul(3600)?;
        for unit in [60, 1] {
            if self.after(':').is_some() {
                seconds = seconds.checked_add(self.number()?.checked_mul(unit)?)?;
            }
        }
        seconds.checked_mul(sign)
    }

    fn change(&mut self) -> Option<Change> {
        let day = if self.after('M').is_some() {
            let month = self.number()?;
            let week = self.after('.')?.number()?;
            Day::Weekday(month, week, self.after('.')?.number()?)
        } else if self.after('J').is_some() {
            Day::Julian(self.number()?)
        } else {
            Day::OfYear(self.number()?)
        };
        let time = match self.after('/') {
            Some(rest) => rest.offset()?,
            None => 7200,
        };
        Some(Change { day, time })
    }
}
