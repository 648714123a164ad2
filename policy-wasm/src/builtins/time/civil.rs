//! Dates and times of day of the proleptic Gregorian calendar, and where they lie on the line of
//! seconds since 1970.

/// Names of the months.
pub(super) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// Names of the days of a week.
pub(super) const WEEKDAYS: [&str; 7] = [
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
];

/// Days of a year before each month, and all of them, without a leap day.
const DAYS_BEFORE: [i64; 13] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365];

/// A day and a time of day, somewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Civil {
    pub(super) year: i64,
    /// 1 to 12.
    pub(super) month: i64,
    /// 1 to 31.
    pub(super) day: i64,
    pub(super) hour: i64,
    pub(super) minute: i64,
    pub(super) second: i64,
    pub(super) nanosecond: i64,
}

pub(super) const fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

/// Days of the months before one of a year without a leap day; of month 13: all days.
pub(super) fn days_before(month: i64) -> i64 {
    let index = usize::try_from(month.saturating_sub(1)).ok();
    let days = index.and_then(|index| DAYS_BEFORE.get(index));
    days.copied().unwrap_or(0)
}

/// How many days a month has.
pub(super) fn days_in(month: i64, year: i64) -> i64 {
    let leap = i64::from(month == 2 && is_leap(year));
    days_before(month.saturating_add(1))
        .saturating_sub(days_before(month))
        .saturating_add(leap)
}

/// Days from 1970-01-01 to a date whose month and day may lie outside their ranges, as they do after
/// an addition. `None`: too far away for 64 bits.
pub(super) fn days_since_1970(year: i64, month: i64, day: i64) -> Option<i64> {
    let month = month.checked_sub(1)?;
    let year = year.checked_add(month.div_euclid(12))?;
    let month = month.rem_euclid(12).saturating_add(1);
    let years_before = year.checked_sub(1)?;
    let leap_days = years_before
        .div_euclid(4)
        .checked_sub(years_before.div_euclid(100))?
        .checked_add(years_before.div_euclid(400))?;
    let leap_day = i64::from(month > 2 && is_leap(year));
    years_before
        .checked_mul(365)?
        .checked_add(leap_days)?
        .checked_add(days_before(month))?
        .checked_add(leap_day)?
        .checked_add(day.checked_sub(1)?)?
        // Days from 0001-01-01 to 1970-01-01.
        .checked_sub(719_162)
}

impl Civil {
    /// The date and time of day of seconds since 1970 that already count from midnight there.
    pub(super) fn of(local_seconds: i64, nanosecond: i64) -> Self {
        let second_of_day = local_seconds.rem_euclid(86_400);
        let (year, day_of_year) = year_and_day(local_seconds.div_euclid(86_400));
        let (month, day) = month_and_day(year, day_of_year);
        Self {
            year,
            month,
            day,
            hour: second_of_day / 3600,
            minute: second_of_day / 60 % 60,
            second: second_of_day % 60,
            nanosecond,
        }
    }

    /// Seconds since 1970, as if it were there where the clock shows it.
    pub(super) fn local_seconds(&self) -> Option<i64> {
        days_since_1970(self.year, self.month, self.day)?
            .checked_mul(86_400)?
            .checked_add(self.hour.checked_mul(3600)?)?
            .checked_add(self.minute.checked_mul(60)?)?
            .checked_add(self.second)
    }

    /// 1 to 366.
    pub(super) fn day_of_year(&self) -> i64 {
        let leap = i64::from(self.month > 2 && is_leap(self.year));
        days_before(self.month)
            .saturating_add(self.day)
            .saturating_add(leap)
    }

    /// The name of the day of its week.
    pub(super) fn weekday(&self) -> &'static str {
        let days = days_since_1970(self.year, self.month, self.day).unwrap_or(0);
        // 1970-01-01 was a Thursday.
        let index = days.saturating_add(4).rem_euclid(7);
        name(&WEEKDAYS, index)
    }

    /// The name of its month.
    pub(super) fn month_name(&self) -> &'static str {
        name(&MONTHS, self.month.saturating_sub(1))
    }
}

fn name(names: &[&'static str], index: i64) -> &'static str {
    let name = usize::try_from(index)
        .ok()
        .and_then(|index| names.get(index));
    name.copied().unwrap_or("")
}

/// The year of a day since 1970, and the day's place in it from 1.
pub(super) fn year_and_day(days: i64) -> (i64, i64) {
    // Within a day of the right year; then the first day of a year decides.
    let estimate = days
        .saturating_mul(400)
        .div_euclid(146_097)
        .saturating_add(1970);
    let first_day = |year| days_since_1970(year, 1, 1).unwrap_or(i64::MAX);
    let mut year = estimate;
    while first_day(year) > days {
        year = year.saturating_sub(1);
    }
    while first_day(year.saturating_add(1)) <= days {
        year = year.saturating_add(1);
    }
    (year, days.saturating_sub(first_day(year)).saturating_add(1))
}

fn month_and_day(year: i64, day_of_year: i64) -> (i64, i64) {
    let mut month = 1;
    let mut day = day_of_year;
    while month < 12 && day > days_in(month, year) {
        day = day.saturating_sub(days_in(month, year));
        month = month.saturating_add(1);
    }
    (month, day)
}
