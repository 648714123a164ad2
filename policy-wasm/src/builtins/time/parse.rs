//! `time.parse_ns`: moments as a layout shows them, read. Source: Go, `time.Parse`.

use super::{
    civil::{Civil, MONTHS, WEEKDAYS, days_before, days_in, is_leap},
    layout::{self, Element, Fraction, Offset, Padding},
};

/// What has been read so far; `None`: the layout doesn't say.
#[derive(Default)]
struct Parts {
    year: i64,
    month: Option<i64>,
    day: Option<i64>,
    day_of_year: Option<i64>,
    hour: i64,
    minute: i64,
    second: i64,
    nanosecond: i64,
    is_utc: bool,
    offset: Option<i64>,
    half_day: Option<HalfDay>,
}

enum HalfDay {
    Am,
    Pm,
}

/// Where a text does not fit its layout.
pub(super) struct Misfit;

/// Seconds since 1970 and nanoseconds. A zone's abbreviation says nothing, since no clock is local.
pub(super) fn parse(layout: &str, text: &str) -> Result<(i64, i64), Misfit> {
    let mut parts = Parts::default();
    let mut layout = layout.as_bytes();
    let mut text = Text(text.as_bytes());
    loop {
        let step = layout::step(layout);
        text.skip(step.before)?;
        let Some(element) = step.element else {
            break;
        };
        layout = step.rest;
        parts.read(element, &mut text, layout)?;
    }
    if !text.0.is_empty() {
        return Err(Misfit);
    }
    parts.moment()
}

impl Parts {
    fn read(&mut self, element: Element, text: &mut Text<'_>, rest: &[u8]) -> Result<(), Misfit> {
        match element {
            Element::ShortYear => {
                let year = integer(text.take(2)?)?;
                self.year = year.saturating_add(if year >= 69 { 1900 } else { 2000 });
            }
            Element::Year => {
                text.digit(0).ok_or(Misfit)?;
                self.year = integer(text.take(4)?)?;
            }
            Element::MonthName => self.month = Some(text.name(&MONTHS, usize::MAX)?),
            Element::ShortMonthName => self.month = Some(text.name(&MONTHS, 3)?),
            Element::Weekday => drop(text.name(&WEEKDAYS, usize::MAX)?),
            Element::ShortWeekday => drop(text.name(&WEEKDAYS, 3)?),
            Element::Month(padding) => self.month = Some(within(text.number(padding)?, 1, 12)?),
            Element::Day(padding) => {
                text.skip_space(padding);
                self.day = Some(text.number(padding)?);
            }
            Element::DayOfYear(padding) => {
                text.skip_space(padding);
                text.skip_space(padding);
                self.day_of_year = Some(text.number_of_3(padding)?);
            }
            Element::Hour => self.hour = within(text.number(Padding::None)?, 0, 23)?,
            Element::Hour12(padding) => self.hour = within(text.number(padding)?, 0, 12)?,
            Element::Minute(padding) => self.minute = within(text.number(padding)?, 0, 59)?,
            Element::Second(padding) => {
                self.second = within(text.number(padding)?, 0, 59)?;
                self.read_extra_fraction(text, rest)?;
            }
            Element::HalfDay { is_upper } => self.half_day = Some(half_day(text, is_upper)?),
            Element::Abbreviation => self.read_abbreviation(text)?,
            Element::Offset(how) => self.read_offset(text, how)?,
            Element::Fraction(how) => self.read_fraction(text, how)?,
        }
        Ok(())
    }

    /// A fraction may follow the seconds even where the layout has none.
    fn read_extra_fraction(&mut self, text: &mut Text<'_>, rest: &[u8]) -> Result<(), Misfit> {
        if !text.begins_with_fraction() {
            return Ok(());
        }
        if let Some(Element::Fraction(_)) = layout::step(rest).element {
            return Ok(());
        }
        self.nanosecond = text.fraction(text.digits_from(1).saturating_add(1))?;
        Ok(())
    }

    fn read_fraction(&mut self, text: &mut Text<'_>, how: Fraction) -> Result<(), Misfit> {
        if !how.is_trimmed {
            self.nanosecond = text.fraction(how.digits.saturating_add(1))?;
        } else if text.begins_with_fraction() {
            self.nanosecond = text.fraction(text.digits_from(1).saturating_add(1))?;
        }
        Ok(())
    }

    fn read_offset(&mut self, text: &mut Text<'_>, how: Offset) -> Result<(), Misfit> {
        if how.has_z && text.0.first() == Some(&b'Z') {
            text.take(1)?;
            self.is_utc = true;
            return Ok(());
        }
        let is_west = match text.take(1)? {
            b"+" => false,
            b"-" => true,
            _ => return Err(Misfit),
        };
        let mut seconds = 0_i64;
        let units = [(3600, 24), (60, 60), (1, 60)];
        for (index, (unit, most)) in units.into_iter().take(usize::from(how.parts)).enumerate() {
            if index > 0 && how.has_colons && text.take(1)? != b":" {
                return Err(Misfit);
            }
            let part = within(text.number(Padding::Zero)?, 0, most)?;
            seconds = seconds.saturating_add(part.saturating_mul(unit));
        }
        let seconds = if is_west {
            seconds.saturating_neg()
        } else {
            seconds
        };
        // Go takes a second west of UTC for no offset at all.
        self.offset = (seconds != -1).then_some(seconds);
        Ok(())
    }

    fn read_abbreviation(&mut self, text: &mut Text<'_>) -> Result<(), Misfit> {
        if text.0.starts_with(b"UTC") {
            self.is_utc = true;
        }
        let length = abbreviation_length(text.0).ok_or(Misfit)?;
        text.take(length)?;
        Ok(())
    }

    fn moment(self) -> Result<(i64, i64), Misfit> {
        let (month, day) = self.month_and_day()?;
        let hour = match self.half_day {
            Some(HalfDay::Pm) if self.hour < 12 => self.hour.saturating_add(12),
            Some(HalfDay::Am) if self.hour == 12 => 0,
            _ => self.hour,
        };
        let civil = Civil {
            year: self.year,
            month,
            day,
            hour,
            minute: self.minute,
            second: self.second,
            nanosecond: self.nanosecond,
        };
        let seconds = civil.local_seconds().ok_or(Misfit)?;
        let offset = if self.is_utc { None } else { self.offset };
        let moment = seconds.saturating_sub(offset.unwrap_or(0));
        Ok((moment, self.nanosecond))
    }

    fn month_and_day(&self) -> Result<(i64, i64), Misfit> {
        let Some(day_of_year) = self.day_of_year else {
            let month = self.month.unwrap_or(1);
            let day = self.day.unwrap_or(1);
            return Ok((month, within(day, 1, days_in(month, self.year))?));
        };
        let (month, day) = month_of(self.year, day_of_year)?;
        let is_month = self.month.is_none_or(|other| other == month);
        let is_day = self.day.is_none_or(|other| other == day);
        if is_month && is_day {
            Ok((month, day))
        } else {
            Err(Misfit)
        }
    }
}

fn month_of(year: i64, day_of_year: i64) -> Result<(i64, i64), Misfit> {
    let day_of_year = match (is_leap(year), day_of_year) {
        (true, 60) => return Ok((2, 29)),
        (true, 61..) => day_of_year.saturating_sub(1),
        _ => day_of_year,
    };
    within(day_of_year, 1, 365)?;
    let ends_after = |month: &i64| days_before(month.saturating_add(1)) >= day_of_year;
    let month = (1..=12).find(ends_after).ok_or(Misfit)?;
    Ok((month, day_of_year.saturating_sub(days_before(month))))
}

fn half_day(text: &mut Text<'_>, is_upper: bool) -> Result<HalfDay, Misfit> {
    match (text.take(2)?, is_upper) {
        (b"PM", true) | (b"pm", false) => Ok(HalfDay::Pm),
        (b"AM", true) | (b"am", false) => Ok(HalfDay::Am),
        _ => Err(Misfit),
    }
}

fn within(number: i64, least: i64, most: i64) -> Result<i64, Misfit> {
    if (least..=most).contains(&number) {
        Ok(number)
    } else {
        Err(Misfit)
    }
}

/// Digits after a sign, if there is one.
fn integer(text: &[u8]) -> Result<i64, Misfit> {
    let (is_negative, digits) = match text.split_first() {
        Some((b'-', digits)) => (true, digits),
        Some((b'+', digits)) => (false, digits),
        _ => (false, text),
    };
    if !digits.iter().all(u8::is_ascii_digit) {
        return Err(Misfit);
    }
    let number = digits.iter().fold(0_i64, |number, digit| {
        let value = i64::from(digit.saturating_sub(b'0'));
        number.saturating_mul(10).saturating_add(value)
    });
    Ok(if is_negative {
        number.saturating_neg()
    } else {
        number
    })
}

/// How much of a text looks like the abbreviation of a zone. Source: Go, `parseTimeZone`.
fn abbreviation_length(text: &[u8]) -> Option<usize> {
    if text.starts_with(b"ChST") || text.starts_with(b"MeST") {
        return Some(4);
    }
    if let Some(rest) = text.strip_prefix(b"GMT") {
        return Some(signed_offset_length(rest).saturating_add(3));
    }
    if text.len() >= 3 && matches!(text.first(), Some(b'+' | b'-')) {
        return Some(signed_offset_length(text)).filter(|length| *length > 0);
    }
    let capitals = text
        .iter()
        .take(6)
        .take_while(|byte| byte.is_ascii_uppercase());
    match (capitals.count(), text.get(3), text.get(4)) {
        (5, _, Some(b'T')) => Some(5),
        (4, Some(b'T'), _) => Some(4),
        (4, ..) if text.starts_with(b"WITA") => Some(4),
        (3, ..) => Some(3),
        _ => None,
    }
}

/// The length of `+03`, `-11`: hours up to 23. 0: it is none.
fn signed_offset_length(text: &[u8]) -> usize {
    let Some((b'+' | b'-', rest)) = text.split_first() else {
        return 0;
    };
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let hours = rest.get(..digits).map(integer);
    match hours {
        Some(Ok(0..=23)) if digits > 0 => digits.saturating_add(1),
        _ => 0,
    }
}

/// What is still to be read.
struct Text<'a>(&'a [u8]);

impl<'a> Text<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], Misfit> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(Misfit)?;
        self.0 = rest;
        Ok(taken)
    }

    /// Passes over what must stand there; spaces match as many spaces as there are.
    fn skip(&mut self, mut before: &[u8]) -> Result<(), Misfit> {
        while let Some((wanted, rest)) = before.split_first() {
            if *wanted == b' ' {
                if self.0.first().is_some_and(|byte| *byte != b' ') {
                    return Err(Misfit);
                }
                before = after_spaces(before);
                self.0 = after_spaces(self.0);
                continue;
            }
            if self.take(1)?.first() != Some(wanted) {
                return Err(Misfit);
            }
            before = rest;
        }
        Ok(())
    }

    fn skip_space(&mut self, padding: Padding) {
        if padding == Padding::Space {
            self.0 = self.0.strip_prefix(b" ").unwrap_or(self.0);
        }
    }

    fn digit(&self, index: usize) -> Option<i64> {
        let byte = self.0.get(index).filter(|byte| byte.is_ascii_digit())?;
        Some(i64::from(byte.saturating_sub(b'0')))
    }

    fn digits_from(&self, start: usize) -> usize {
        let rest = self.0.get(start..).unwrap_or_default();
        rest.iter().take_while(|byte| byte.is_ascii_digit()).count()
    }

    /// One or two digits; two where zeros are filled in.
    fn number(&mut self, padding: Padding) -> Result<i64, Misfit> {
        let count = self.digits_from(0).min(2);
        if count == 0 || (padding == Padding::Zero && count < 2) {
            return Err(Misfit);
        }
        integer(self.take(count)?)
    }

    fn number_of_3(&mut self, padding: Padding) -> Result<i64, Misfit> {
        let count = self.digits_from(0).min(3);
        if count == 0 || (padding == Padding::Zero && count < 3) {
            return Err(Misfit);
        }
        integer(self.take(count)?)
    }

    /// Which of the names, from 1, in any case. `length`: how much of each counts.
    fn name(&mut self, names: &[&str], length: usize) -> Result<i64, Misfit> {
        for (index, name) in (1..).zip(names) {
            let name = name.as_bytes();
            let name = name.get(..length).unwrap_or(name);
            let start = self.0.get(..name.len());
            if start.is_some_and(|start| start.eq_ignore_ascii_case(name)) {
                self.take(name.len())?;
                return Ok(index);
            }
        }
        Err(Misfit)
    }

    fn begins_with_fraction(&self) -> bool {
        matches!(self.0.first(), Some(b'.' | b',')) && self.digit(1).is_some()
    }

    /// A separator and digits, in nanoseconds. `length`: of both.
    fn fraction(&mut self, length: usize) -> Result<i64, Misfit> {
        let text = self.take(length)?;
        let Some((b'.' | b',', digits)) = text.split_first() else {
            return Err(Misfit);
        };
        let digits = digits.get(..9).unwrap_or(digits);
        let mut nanoseconds = within(integer(digits)?, 0, i64::MAX)?;
        for _ in digits.len()..9 {
            nanoseconds = nanoseconds.saturating_mul(10);
        }
        Ok(nanoseconds)
    }
}

fn after_spaces(text: &[u8]) -> &[u8] {
    let spaces = text.iter().take_while(|byte| **byte == b' ').count();
    text.get(spaces..).unwrap_or_default()
}
