//! `time.format`: moments as a layout shows them. Source: Go, `Time.Format`.

use super::{
    civil::Civil,
    layout::{self, Element, Fraction, Offset, Padding},
};

/// The moment that the clocks of a place show, and how far from UTC they are.
pub(super) struct Shown<'a> {
    pub(super) civil: Civil,
    pub(super) offset: i64,
    pub(super) abbreviation: &'a str,
}

/// As the layout says.
pub(super) fn format(shown: &Shown<'_>, layout: &str) -> String {
    let mut out = Vec::with_capacity(layout.len());
    let mut rest = layout.as_bytes();
    loop {
        let step = layout::step(rest);
        out.extend_from_slice(step.before);
        let Some(element) = step.element else {
            break;
        };
        push(&mut out, shown, element);
        rest = step.rest;
    }
    // The elements are ASCII, so what lies between them is as whole as the layout was.
    String::from_utf8(out).unwrap_or_default()
}

fn push(out: &mut Vec<u8>, shown: &Shown<'_>, element: Element) {
    let civil = &shown.civil;
    match element {
        Element::MonthName => push_text(out, civil.month_name()),
        Element::ShortMonthName => push_short(out, civil.month_name()),
        Element::Weekday => push_text(out, civil.weekday()),
        Element::ShortWeekday => push_short(out, civil.weekday()),
        Element::Month(padding) => push_number(out, civil.month, 2, padding),
        Element::Day(padding) => push_number(out, civil.day, 2, padding),
        Element::DayOfYear(padding) => push_number(out, civil.day_of_year(), 3, padding),
        Element::Hour => push_number(out, civil.hour, 2, Padding::Zero),
        Element::Hour12(padding) => push_number(out, hour_of_12(civil.hour), 2, padding),
        Element::Minute(padding) => push_number(out, civil.minute, 2, padding),
        Element::Second(padding) => push_number(out, civil.second, 2, padding),
        Element::Year => push_number(out, civil.year, 4, Padding::Zero),
        Element::ShortYear => push_number(out, civil.year.rem_euclid(100), 2, Padding::Zero),
        Element::HalfDay { is_upper } => push_text(out, half_day(civil.hour, is_upper)),
        Element::Abbreviation => push_text(out, shown.abbreviation),
        Element::Offset(how) => push_offset(out, shown.offset, how),
        Element::Fraction(how) => push_fraction(out, civil.nanosecond, how),
    }
}

fn push_text(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(text.as_bytes());
}

fn push_short(out: &mut Vec<u8>, name: &str) {
    out.extend(name.bytes().take(3));
}

fn push_number(out: &mut Vec<u8>, number: i64, width: usize, padding: Padding) {
    let text = match padding {
        Padding::None => number.to_string(),
        Padding::Space => format!("{number:width$}"),
        Padding::Zero => format!("{number:0width$}"),
    };
    push_text(out, &text);
}

fn hour_of_12(hour: i64) -> i64 {
    match hour.rem_euclid(12) {
        0 => 12,
        hour => hour,
    }
}

const fn half_day(hour: i64, is_upper: bool) -> &'static str {
    match (hour >= 12, is_upper) {
        (true, true) => "PM",
        (true, false) => "pm",
        (false, true) => "AM",
        (false, false) => "am",
    }
}

fn push_offset(out: &mut Vec<u8>, offset: i64, how: Offset) {
    if how.has_z && offset == 0 {
        out.push(b'Z');
        return;
    }
    // Less than a minute west is not west of UTC: as Go has it.
    let minutes = offset / 60;
    out.push(if minutes < 0 { b'-' } else { b'+' });
    let has_odd_sign = minutes == 0 && offset < 0;
    let minutes = minutes.saturating_abs();
    let seconds = (offset % 60).saturating_abs();
    let parts = [minutes / 60, minutes % 60, seconds];
    for (index, part) in parts.into_iter().take(usize::from(how.parts)).enumerate() {
        if index > 0 && how.has_colons {
            out.push(b':');
        }
        if index == 2 && has_odd_sign {
            out.push(b'-');
        }
        push_number(out, part, 2, Padding::Zero);
    }
}

fn push_fraction(out: &mut Vec<u8>, nanosecond: i64, how: Fraction) {
    let digits = format!("{nanosecond:09}");
    let mut digits = digits.get(..how.digits).unwrap_or(&digits);
    if how.is_trimmed {
        digits = digits.trim_end_matches('0');
        if digits.is_empty() {
            return;
        }
    }
    out.push(how.separator);
    push_text(out, digits);
}
