//! Go's layouts: how a date is written that is `Mon Jan 2 15:04:05 MST 2006`. Source: Go, `time`,
//! "Constants".

/// What stands for a part of a moment in a layout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Element {
    /// `January`
    MonthName,
    /// `Jan`
    ShortMonthName,
    /// `1`, `01`
    Month(Padding),
    /// `Monday`
    Weekday,
    /// `Mon`
    ShortWeekday,
    /// `2`, `_2`, `02`
    Day(Padding),
    /// `__2`, `002`
    DayOfYear(Padding),
    /// `15`
    Hour,
    /// `3`, `03`
    Hour12(Padding),
    /// `4`, `04`
    Minute(Padding),
    /// `5`, `05`
    Second(Padding),
    /// `2006`
    Year,
    /// `06`
    ShortYear,
    /// `PM`, `pm`
    HalfDay { is_upper: bool },
    /// `MST`
    Abbreviation,
    /// `-07:00`, `Z0700`
    Offset(Offset),
    /// `.000`, `,999`
    Fraction(Fraction),
}

/// What a number is filled up with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Padding {
    None,
    Space,
    Zero,
}

/// How the distance from UTC is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Offset {
    /// `Z` for UTC itself.
    pub(super) has_z: bool,
    pub(super) has_colons: bool,
    /// 1: hours only; 3: seconds too.
    pub(super) parts: u8,
}

/// How a fraction of a second is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fraction {
    /// `.` or `,`
    pub(super) separator: u8,
    pub(super) digits: usize,
    /// Whether zeros at the end are left out.
    pub(super) is_trimmed: bool,
}

/// The layouts that OPA knows by a name.
const NAMED: [(&str, &str); 10] = [
    ("ANSIC", "Mon Jan _2 15:04:05 2006"),
    ("UnixDate", "Mon Jan _2 15:04:05 MST 2006"),
    ("RubyDate", "Mon Jan 02 15:04:05 -0700 2006"),
    ("RFC822", "02 Jan 06 15:04 MST"),
    ("RFC822Z", "02 Jan 06 15:04 -0700"),
    ("RFC850", "Monday, 02-Jan-06 15:04:05 MST"),
    ("RFC1123", "Mon, 02 Jan 2006 15:04:05 MST"),
    ("RFC1123Z", "Mon, 02 Jan 2006 15:04:05 -0700"),
    ("RFC3339", RFC3339),
    ("RFC3339Nano", RFC3339_NANO),
];

pub(super) const RFC3339: &str = "2006-01-02T15:04:05Z07:00";
pub(super) const RFC3339_NANO: &str = "2006-01-02T15:04:05.999999999Z07:00";

/// The layout of a name, or the layout itself.
pub(super) fn named(layout: &str) -> &str {
    let known = NAMED.iter().find(|(name, _)| *name == layout);
    known.map_or(layout, |(_, layout)| layout)
}

/// What stands before the next element, the element, and what follows.
pub(super) struct Step<'a> {
    pub(super) before: &'a [u8],
    pub(super) element: Option<Element>,
    pub(super) rest: &'a [u8],
}

/// The next element of a layout; without one all of it stands before.
pub(super) fn step(layout: &[u8]) -> Step<'_> {
    for (index, byte) in layout.iter().enumerate() {
        let Some((before, here)) = layout.split_at_checked(index) else {
            break;
        };
        // `_2006` is a `_` and a year.
        if here.starts_with(b"_2006") {
            continue;
        }
        let found = match byte {
            b'.' | b',' => fraction(here),
            b'J' | b'M' | b'P' | b'p' | b'Z' | b'-' | b'_' | b'0'..=b'5' => listed(here),
            _ => None,
        };
        if let Some((element, length)) = found
            && let Some((_, rest)) = here.split_at_checked(length)
        {
            return Step {
                before,
                element: Some(element),
                rest,
            };
        }
    }
    Step {
        before: layout,
        element: None,
        rest: b"",
    }
}

const fn offset(has_z: bool, has_colons: bool, parts: u8) -> Element {
    Element::Offset(Offset {
        has_z,
        has_colons,
        parts,
    })
}

/// Of those that begin alike the longer one stands first.
const ELEMENTS: [(&str, Element); 33] = [
    ("January", Element::MonthName),
    ("Jan", Element::ShortMonthName),
    ("Monday", Element::Weekday),
    ("Mon", Element::ShortWeekday),
    ("MST", Element::Abbreviation),
    ("01", Element::Month(Padding::Zero)),
    ("02", Element::Day(Padding::Zero)),
    ("03", Element::Hour12(Padding::Zero)),
    ("04", Element::Minute(Padding::Zero)),
    ("05", Element::Second(Padding::Zero)),
    ("06", Element::ShortYear),
    ("002", Element::DayOfYear(Padding::Zero)),
    ("15", Element::Hour),
    ("1", Element::Month(Padding::None)),
    ("2006", Element::Year),
    ("2", Element::Day(Padding::None)),
    ("_2", Element::Day(Padding::Space)),
    ("__2", Element::DayOfYear(Padding::Space)),
    ("3", Element::Hour12(Padding::None)),
    ("4", Element::Minute(Padding::None)),
    ("5", Element::Second(Padding::None)),
    ("PM", Element::HalfDay { is_upper: true }),
    ("pm", Element::HalfDay { is_upper: false }),
    ("-070000", offset(false, false, 3)),
    ("-07:00:00", offset(false, true, 3)),
    ("-0700", offset(false, false, 2)),
    ("-07:00", offset(false, true, 2)),
    ("-07", offset(false, false, 1)),
    ("Z070000", offset(true, false, 3)),
    ("Z07:00:00", offset(true, true, 3)),
    ("Z0700", offset(true, false, 2)),
    ("Z07:00", offset(true, true, 2)),
    ("Z07", offset(true, false, 1)),
];

fn listed(here: &[u8]) -> Option<(Element, usize)> {
    let fits = |text: &str, element: Element| {
        let Some(rest) = here.strip_prefix(text.as_bytes()) else {
            return false;
        };
        // `Month` and `Janus` are words, not a weekday and a month.
        let is_short = matches!(element, Element::ShortMonthName | Element::ShortWeekday);
        !(is_short && rest.first().is_some_and(u8::is_ascii_lowercase))
    };
    let (text, element) = ELEMENTS
        .iter()
        .find(|(text, element)| fits(text, *element))?;
    Some((*element, text.len()))
}

/// A separator and zeros or nines that no other digit follows.
fn fraction(here: &[u8]) -> Option<(Element, usize)> {
    let (separator, digits) = here.split_first()?;
    let digit = *digits.first()?;
    if digit != b'0' && digit != b'9' {
        return None;
    }
    let count = digits.iter().take_while(|byte| **byte == digit).count();
    if digits.get(count).is_some_and(u8::is_ascii_digit) {
        return None;
    }
    let fraction = Fraction {
        separator: *separator,
        // Go keeps the number of digits in 12 bits.
        digits: count & 0xfff,
        is_trimmed: digit == b'9',
    };
    Some((Element::Fraction(fraction), count.saturating_add(1)))
}
