//! `time.*`. Moments are nanoseconds since 1970, alone or with a zone and a layout beside them.

mod civil;
mod duration;
mod format;
mod layout;
mod parse;
mod rule;
mod zone;

use super::{Builtin, CallError, Context, operand};
use crate::value::{Number, Value};
use civil::{Civil, days_in, days_since_1970};
use format::Shown;
use zone::Zone;

pub(super) const BUILTINS: &[Builtin] = &[
    Builtin::new("time.add_date", add_date),
    Builtin::new("time.clock", clock),
    Builtin::new("time.date", date),
    Builtin::new("time.diff", diff),
    Builtin::new("time.format", format_moment),
    Builtin::new("time.now_ns", now_ns),
    Builtin::new("time.parse_duration_ns", parse_duration_ns),
    Builtin::new("time.parse_ns", parse_ns),
    Builtin::new("time.parse_rfc3339_ns", parse_rfc3339_ns),
    Builtin::new("time.weekday", weekday),
];

/// Seconds since 1970 of year, month, day, hour, minute and second. `None`: there is no such moment.
pub(super) fn seconds_since_1970(parts: [i64; 6]) -> Option<i64> {
    let [year, month, day, hour, minute, second] = parts;
    let is_day = (1..=12).contains(&month) && (1..=days_in(month, year)).contains(&day);
    let is_time = (0..24).contains(&hour) && (0..60).contains(&minute) && (0..60).contains(&second);
    if !is_day || !is_time {
        return None;
    }
    let civil = Civil {
        year,
        month,
        day,
        hour,
        minute,
        second,
        nanosecond: 0,
    };
    civil.local_seconds()
}

/// A moment as RFC 3339 writes it. `offset`: seconds east of UTC.
pub(super) fn rfc3339(seconds: i64, offset: i64) -> String {
    let shown = Shown {
        civil: Civil::of(seconds.saturating_add(offset), 0),
        offset,
        abbreviation: "",
    };
    format::format(&shown, layout::RFC3339)
}

/// 1,000,000,000: nanoseconds of a second.
const SECOND: i64 = 1_000_000_000;
/// 16: steps for unpacking what is known of a zone.
const ZONE_STEPS: u64 = 16;

/// What an operand says of a moment.
struct Moment<'a> {
    nanoseconds: i64,
    zone: Zone,
    layout: &'a str,
}

impl<'a> Moment<'a> {
    /// Nanoseconds, or an array of them, a zone and a layout.
    fn read(
        context: &Context<'_>,
        arguments: &'a [Value],
        index: usize,
    ) -> Result<Self, CallError> {
        let value = operand::any(arguments, index)?;
        let Value::Array(array) = value else {
            return Self::new(value, Zone::Utc, "");
        };
        let Some(nanoseconds) = array.get(0) else {
            return Err(not_a_moment(value));
        };
        if nanoseconds.as_number().is_none() {
            return Err(operand::wrong(0, "number", nanoseconds));
        }
        let text = |index| {
            array.get(index).map_or(Ok(""), |value: &Value| {
                value
                    .as_str()
                    .ok_or_else(|| operand::wrong(0, "string", value))
            })
        };
        let name = text(1)?;
        context.budget.pay_bytes(name.len())?;
        context.budget.pay(ZONE_STEPS)?;
        let zone = Zone::find(name)
            .ok_or_else(|| CallError::Builtin(format!("unknown time zone {name}")))?;
        Self::new(nanoseconds, zone, text(2)?)
    }

    fn new(value: &Value, zone: Zone, layout: &'a str) -> Result<Self, CallError> {
        let number = value.as_number().ok_or_else(|| not_a_moment(value))?;
        Ok(Self {
            nanoseconds: whole(number).ok_or_else(|| CallError::new("timestamp too big"))?,
            zone,
            layout,
        })
    }

    fn shown(&self) -> Shown<'_> {
        shown(&self.zone, self.nanoseconds)
    }
}

/// What the clocks of a zone show.
fn shown(zone: &Zone, nanoseconds: i64) -> Shown<'_> {
    let seconds = nanoseconds.div_euclid(SECOND);
    let local = zone.at(seconds);
    let civil = Civil::of(
        seconds.saturating_add(local.offset),
        nanoseconds.rem_euclid(SECOND),
    );
    Shown {
        civil,
        offset: local.offset,
        abbreviation: local.abbreviation,
    }
}

fn not_a_moment(value: &Value) -> CallError {
    operand::wrong(0, "either number (ns) or [number (ns), string (tz)]", value)
}

/// The whole number that a number is, however it is written.
fn whole(number: &Number) -> Option<i64> {
    if let Some(whole) = number.as_i64() {
        return Some(whole);
    }
    let float = number.as_f64();
    let is_whole = float.fract() == 0.0 && float.abs() < 9_223_372_036_854_775_808.0;
    is_whole.then(|| format!("{float:.0}").parse().ok())?
}

/// A number of years, months, days.
fn integer(arguments: &[Value], index: usize) -> Result<i64, CallError> {
    let number = operand::number(arguments, index)?;
    number.as_i64().ok_or_else(|| {
        let place = index.saturating_add(1);
        CallError::Type(format!(
            "operand {place} must be integer number but got floating-point number"
        ))
    })
}

/// Nanoseconds, if they fit.
fn nanoseconds(seconds: i64, nanosecond: i64) -> Result<Option<Value>, CallError> {
    let all = i128::from(seconds)
        .saturating_mul(i128::from(SECOND))
        .saturating_add(i128::from(nanosecond));
    match i64::try_from(all) {
        Ok(all) => Ok(Some(all.into())),
        Err(_) => Err(out_of_range()),
    }
}

fn out_of_range() -> CallError {
    CallError::new("time outside of valid range")
}

fn numbers(numbers: impl IntoIterator<Item = i64>) -> Value {
    Value::array(numbers.into_iter().map(Value::from).collect())
}

#[expect(clippy::unnecessary_wraps, reason = "as every call")]
fn now_ns(context: &Context<'_>, _arguments: &[Value]) -> Result<Option<Value>, CallError> {
    Ok(Some(context.now_ns.into()))
}

fn parse_ns(context: &Context<'_>, arguments: &[Value]) -> Result<Option<Value>, CallError> {
    let layout = operand::text(arguments, 0)?;
    let text = operand::text(arguments, 1)?;
    parse_with(context, layout::named(layout), text)
}

fn parse_rfc3339_ns(
    context: &Context<'_>,
    arguments: &[Value],
) -> Result<Option<Value>, CallError> {
    parse_with(context, layout::RFC3339, operand::text(arguments, 0)?)
}

fn parse_with(context: &Context<'_>, layout: &str, text: &str) -> Result<Option<Value>, CallError> {
    pay_for_layout(context, layout)?;
    context.budget.pay_bytes(text.len())?;
    let (seconds, nanosecond) = parse::parse(layout, text).map_err(|parse::Misfit| {
        CallError::Builtin(format!(
            "parsing time \"{text}\" as \"{layout}\": cannot parse"
        ))
    })?;
    nanoseconds(seconds, nanosecond)
}

/// Each byte may be an element.
fn pay_for_layout(context: &Context<'_>, layout: &str) -> Result<(), CallError> {
    let steps = u64::try_from(layout.len()).unwrap_or(u64::MAX);
    Ok(context.budget.pay(steps)?)
}

fn parse_duration_ns(
    context: &Context<'_>,
    arguments: &[Value],
) -> Result<Option<Value>, CallError> {
    let text = operand::text(arguments, 0)?;
    // Each of its parts may be a float that is read and written.
    context
        .budget
        .pay(u64::try_from(text.len()).unwrap_or(u64::MAX))?;
    let duration = duration::parse(text)
        .ok_or_else(|| CallError::Builtin(format!("time: invalid duration \"{text}\"")))?;
    Ok(Some(duration.into()))
}

fn format_moment(context: &Context<'_>, arguments: &[Value]) -> Result<Option<Value>, CallError> {
    let moment = Moment::read(context, arguments, 0)?;
    let layout = match moment.layout {
        "" => layout::RFC3339_NANO,
        layout => layout::named(layout),
    };
    pay_for_layout(context, layout)?;
    Ok(Some(format::format(&moment.shown(), layout).into()))
}

fn date(context: &Context<'_>, arguments: &[Value]) -> Result<Option<Value>, CallError> {
    let civil = Moment::read(context, arguments, 0)?.shown().civil;
    Ok(Some(numbers([civil.year, civil.month, civil.day])))
}

fn clock(context: &Context<'_>, arguments: &[Value]) -> Result<Option<Value>, CallError> {
    let civil = Moment::read(context, arguments, 0)?.shown().civil;
    Ok(Some(numbers([civil.hour, civil.minute, civil.second])))
}

fn weekday(context: &Context<'_>, arguments: &[Value]) -> Result<Option<Value>, CallError> {
    let civil = Moment::read(context, arguments, 0)?.shown().civil;
    Ok(Some(civil.weekday().into()))
}

fn add_date(context: &Context<'_>, arguments: &[Value]) -> Result<Option<Value>, CallError> {
    let moment = Moment::read(context, arguments, 0)?;
    let years = integer(arguments, 1)?;
    let months = integer(arguments, 2)?;
    let days = integer(arguments, 3)?;
    let mut civil = moment.shown().civil;
    let local = (|| {
        let year = civil.year.checked_add(years)?;
        let month = civil.month.checked_add(months)?;
        // The day counts on from the first one of that month.
        let first = days_since_1970(year, month, 1)?;
        let day = first.checked_add(civil.day.checked_sub(1)?.checked_add(days)?)?;
        civil.year = 1970;
        civil.month = 1;
        civil.day = 1;
        civil.local_seconds()?.checked_add(day.checked_mul(86_400)?)
    })();
    let seconds = moment.zone.moment(local.ok_or_else(out_of_range)?);
    nanoseconds(seconds, civil.nanosecond)
}

/// The years, months, days, hours, minutes and seconds between two moments, as the clocks of the
/// first one's zone show them. Source: OPA, `time.diff`.
fn diff(context: &Context<'_>, arguments: &[Value]) -> Result<Option<Value>, CallError> {
    let first = Moment::read(context, arguments, 0)?;
    let second = Moment::read(context, arguments, 1)?;
    let earlier = first.nanoseconds.min(second.nanoseconds);
    let later = first.nanoseconds.max(second.nanoseconds);
    let from = shown(&first.zone, earlier).civil;
    let to = shown(&first.zone, later).civil;
    let mut seconds = to.second.saturating_sub(from.second);
    let mut minutes = to.minute.saturating_sub(from.minute);
    let mut hours = to.hour.saturating_sub(from.hour);
    let mut days = to.day.saturating_sub(from.day);
    let mut months = to.month.saturating_sub(from.month);
    let mut years = to.year.saturating_sub(from.year);
    carry(&mut seconds, &mut minutes, 60);
    carry(&mut minutes, &mut hours, 60);
    carry(&mut hours, &mut days, 24);
    carry(&mut days, &mut months, days_in(from.month, from.year));
    carry(&mut months, &mut years, 12);
    Ok(Some(numbers([
        years, months, days, hours, minutes, seconds,
    ])))
}

/// What is below 0 takes one of what is counted next.
fn carry(part: &mut i64, next: &mut i64, size: i64) {
    if *part < 0 {
        *part = part.saturating_add(size);
        *next = next.saturating_sub(1);
    }
}
