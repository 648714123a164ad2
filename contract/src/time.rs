//! Moments: milliseconds in our tables and on the API, seconds in tokens. The types keep them apart.

use std::{fmt, ops::RangeInclusive, str::FromStr};

use jiff::{SignedDuration, civil::DateTime};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Milliseconds since the Unix epoch. As JSON: an RFC 3339 string in UTC with milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct UnixMillis(pub i64);

/// Seconds since the Unix epoch: `NumericDate` without a fraction. Source: RFC 7519 §2.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Default,
    Serialize,
    Deserialize,
    JsonSchema,
)]
#[serde(transparent)]
pub struct UnixSeconds(pub i64);

impl UnixMillis {
    /// The second this moment lies in.
    pub const fn to_seconds(self) -> UnixSeconds {
        UnixSeconds(self.0.div_euclid(1_000))
    }

    /// The moment `millis` later; stays at the ends of time instead of wrapping.
    #[must_use]
    pub const fn plus_millis(self, millis: i64) -> Self {
        Self(self.0.saturating_add(millis))
    }

    /// The moment `seconds` later; stays at the ends of time instead of wrapping.
    #[must_use]
    pub const fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds.saturating_mul(1_000)))
    }

    /// Milliseconds from `earlier` to this moment; negative when it lies before.
    pub const fn millis_since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }
}

impl UnixSeconds {
    /// The first millisecond of this second.
    pub const fn to_millis(self) -> UnixMillis {
        UnixMillis(self.0.saturating_mul(1_000))
    }

    /// The moment `seconds` later; stays at the ends of time instead of wrapping.
    #[must_use]
    pub const fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds))
    }
}

/// Why a text is not a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TimeError {
    /// It does not look like one.
    #[error("write a moment like `2026-01-31T12:00:00Z` or `2026-01-31T13:00:00.5+01:00`")]
    Form,
    /// It looks like one, but is none of the years 0 to 9999.
    #[error("no calendar has this day, no day this time, or no place this offset from UTC")]
    NoSuchMoment,
}

/// What a moment looks like: RFC 3339 §5.6 in upper case, without leap seconds, which no clock of
/// ours shows.
pub const MOMENT_PATTERN: &str = concat!(
    r"^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]",
    r"(\.[0-9]{1,9})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$"
);

const EPOCH: DateTime = DateTime::constant(1970, 1, 1, 0, 0, 0, 0);
/// The first and the last millisecond whose year has four digits.
const WRITABLE: RangeInclusive<i64> = -62_167_219_200_000..=253_402_300_799_999;

/// 2^53: the largest integer that all JSON parsers read alike. Source: RFC 8259 §6.
const MAX_NUMERIC_DATE: i64 = 9_007_199_254_740_992;
const MAX_FRACTIONAL_DATE: f64 = 9_007_199_254_740_992.0;

/// Reads a `NumericDate`, which may have a fraction, as the second it lies in.
/// Errors: a string, a negative number, one beyond 2^53.
/// Source: RFC 7519 §2.
pub fn numeric_date<'de, D: Deserializer<'de>>(deserializer: D) -> Result<UnixSeconds, D::Error> {
    let number = serde_json::Number::deserialize(deserializer)?;
    let seconds = match number.as_i64() {
        Some(seconds) => Some(seconds).filter(|seconds| (0..=MAX_NUMERIC_DATE).contains(seconds)),
        None => number
            .as_f64()
            .filter(|seconds| seconds.is_sign_positive() && *seconds < MAX_FRACTIONAL_DATE)
            .map(|seconds| {
                #[expect(
                    clippy::as_conversions,
                    clippy::cast_possible_truncation,
                    reason = "below 2^53, and the fraction is what is cut off"
                )]
                let whole = seconds as i64;
                whole
            }),
    };
    let wrong = || serde::de::Error::custom("must be a number of seconds from 0 to 2^53");
    seconds.map(UnixSeconds).ok_or_else(wrong)
}

impl fmt::Display for UnixMillis {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match EPOCH.checked_add(SignedDuration::from_millis(self.0)) {
            Ok(moment) => write!(formatter, "{moment:.3}Z"),
            Err(_) => write!(formatter, "{}", self.0),
        }
    }
}

impl FromStr for UnixMillis {
    type Err = TimeError;

    /// Reads RFC 3339 as [`MOMENT_PATTERN`] has it, and nothing that is merely like it; what is finer
    /// than a millisecond is cut.
    fn from_str(text: &str) -> Result<Self, TimeError> {
        let (local, rest) = text.split_at_checked(19).ok_or(TimeError::Form)?;
        let digits = rest.strip_prefix('.').map(|rest| {
            let end = rest.find(|character: char| !character.is_ascii_digit());
            rest.split_at(end.unwrap_or(rest.len()))
        });
        let (fraction, zone) = digits.unwrap_or(("0", rest));
        if !looks_like(local, "0000-00-00T00:00:00") || !(1..=9).contains(&fraction.len()) {
            return Err(TimeError::Form);
        }
        let offset_s = offset_s(zone)?;
        // The library takes a leap second for the one before it.
        if local.ends_with(":60") {
            return Err(TimeError::NoSuchMoment);
        }
        let local: DateTime = local.parse().map_err(|_| TimeError::NoSuchMoment)?;
        let millis: i64 = format!("{fraction:0<3}")
            .get(..3)
            .and_then(|millis| millis.parse().ok())
            .ok_or(TimeError::Form)?;
        let seconds = local
            .duration_since(EPOCH)
            .as_secs()
            .saturating_sub(offset_s);
        let moment = UnixSeconds(seconds).to_millis().plus_millis(millis);
        if WRITABLE.contains(&moment.0) {
            Ok(moment)
        } else {
            Err(TimeError::NoSuchMoment)
        }
    }
}

/// Whether a text has digits where the other one has a zero, and the rest letter by letter.
fn looks_like(text: &str, shape: &str) -> bool {
    text.len() == shape.len()
        && text
            .bytes()
            .zip(shape.bytes())
            .all(|(byte, wanted)| match wanted {
                b'0' => byte.is_ascii_digit(),
                wanted => byte == wanted,
            })
}

/// Seconds by which a zone is ahead of UTC.
fn offset_s(zone: &str) -> Result<i64, TimeError> {
    if zone == "Z" {
        return Ok(0);
    }
    let ahead = match zone.chars().next() {
        Some('+') => 1,
        Some('-') => -1_i64,
        _ => return Err(TimeError::Form),
    };
    let digits = zone.get(1..).unwrap_or_default();
    if !looks_like(digits, "00:00") {
        return Err(TimeError::Form);
    }
    let (hours, minutes) = digits.split_once(':').ok_or(TimeError::Form)?;
    let read = |text: &str, most: i64| {
        let number = text.parse().ok().filter(|number: &i64| *number <= most);
        number.ok_or(TimeError::NoSuchMoment)
    };
    let (hours, minutes) = (read(hours, 23)?, read(minutes, 59)?);
    Ok(ahead.saturating_mul(
        hours
            .saturating_mul(3_600)
            .saturating_add(minutes.saturating_mul(60)),
    ))
}

impl Serialize for UnixMillis {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for UnixMillis {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for UnixMillis {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Timestamp".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "format": "date-time",
            "pattern": MOMENT_PATTERN,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_read_and_write_as_rfc_3339() {
        let moment = UnixMillis(1_762_851_660_042);
        assert_eq!(moment.to_string(), "2025-11-11T09:01:00.042Z");
        assert_eq!(
            "2025-11-11T10:01:00.042+01:00"
                .parse::<UnixMillis>()
                .unwrap(),
            moment
        );
        assert_eq!(UnixMillis(0).to_string(), "1970-01-01T00:00:00.000Z");
    }

    #[test]
    fn the_whole_of_the_four_digit_years_reads_and_writes() {
        for text in [
            "0000-01-01T00:00:00.000Z",
            "0001-02-03T04:05:06.007Z",
            "2000-02-29T23:59:59.999Z",
            "9999-12-31T23:59:59.999Z",
        ] {
            let moment: UnixMillis = text.parse().unwrap();
            assert_eq!(moment.to_string(), text);
        }
        for (text, same) in [
            ("2026-01-31T12:00:00.0429Z", "2026-01-31T12:00:00.042Z"),
            ("2026-01-31T12:00:00.5Z", "2026-01-31T12:00:00.500Z"),
            ("2026-01-31T23:30:00-23:59", "2026-02-01T23:29:00.000Z"),
            ("1969-12-31T23:59:59.5Z", "1969-12-31T23:59:59.500Z"),
        ] {
            let moment: UnixMillis = text.parse().unwrap();
            assert_eq!(moment.to_string(), same);
        }
    }

    /// Source: RFC 3339 §5.6. What other readers repair or extend is no moment here.
    #[test]
    fn what_is_merely_like_a_moment_is_refused_in_our_own_words() {
        for text in [
            "",
            "2026-01-31",
            "2026-01-31T12:00:00",
            "2026-01-31 12:00:00Z",
            "2026-01-31t12:00:00z",
            "2026-01-31T12:00Z",
            "20260131T120000Z",
            "2026-01-31T12:00:00,5Z",
            "2026-01-31T12:00:00.Z",
            "2026-01-31T12:00:00.0123456789Z",
            "2026-01-31T12:00:00+01",
            "2026-01-31T12:00:00+0100",
            "2026-01-31T12:00:00+01:00:00",
            "2026-01-31T12:00:00Z[UTC]",
            "2026-01-31T12:00:00[Europe/Berlin]",
            " 2026-01-31T12:00:00Z",
            "2026-01-31T12:00:00Z ",
            "+002026-01-31T12:00:00Z",
            "-000001-01-31T12:00:00Z",
            "10000-01-01T00:00:00Z",
            "2026-01-31T12:00:00\u{e4}Z",
            "\u{661}026-01-31T12:00:00Z",
            "1893456000",
        ] {
            assert_eq!(text.parse::<UnixMillis>(), Err(TimeError::Form), "{text}");
        }
        for text in [
            "2026-02-30T12:00:00Z",
            "2026-13-01T12:00:00Z",
            "2026-01-31T24:00:00Z",
            "2026-01-31T12:60:00Z",
            "2026-12-31T23:59:60Z",
            "2026-01-31T12:00:00+25:00",
            "2026-01-31T12:00:00+24:00",
            "2026-01-31T12:00:00-01:60",
            "0000-01-01T00:00:00+00:01",
            "9999-12-31T23:59:59-00:01",
        ] {
            assert_eq!(
                text.parse::<UnixMillis>(),
                Err(TimeError::NoSuchMoment),
                "{text}"
            );
        }
    }

    #[test]
    fn a_moment_before_the_epoch_lies_in_the_second_before() {
        assert_eq!(UnixMillis(-1).to_seconds(), UnixSeconds(-1));
        assert_eq!(UnixMillis(999).to_seconds(), UnixSeconds(0));
    }

    #[test]
    fn the_ends_of_time_do_not_wrap() {
        assert_eq!(UnixMillis(i64::MAX).plus_seconds(1), UnixMillis(i64::MAX));
        assert_eq!(UnixSeconds(i64::MIN).to_millis(), UnixMillis(i64::MIN));
    }
}
