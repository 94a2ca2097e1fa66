//! Calendar dates without time or time zone.

use crate::error::Reason;
use std::fmt;
use std::str::FromStr;

/// A day of the Gregorian calendar, from year 1 to year 9999.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date {
    year: u32,
    month: u32,
    day: u32,
}

/// The day number of 1970-01-01, where 0001-01-01 is day 0.
const UNIX_EPOCH: i64 = 719_162;

impl Date {
    /// The given day, if there is such a day.
    pub fn new(year: u32, month: u32, day: u32) -> Option<Date> {
        if !(1..=9999).contains(&year) || month < 1 || month > 12 {
            return None;
        }
        if (day < 1 || day > month_length(year, month)) {
            return None;
        }
        Some(Date { year, month, day })
    }

    /// The day on which a Unix time in seconds falls, in UTC.
    pub fn from_unix(seconds: u64) -> Date {
        let days = i64::try_from(seconds / 86_400).unwrap_or(i64::MAX - UNIX_EPOCH);
        Date::from_number(UNIX_EPOCH + days)
    }

    /// This day moved by so many days, held at the ends of the calendar.
    pub fn plus_days(self, days: u32) -> Date {
        Date::from_number(self.number() + i64::from(days))
    }

    /// Days from `earlier` to this day; negative if `earlier` is later.
    pub fn days_since(self, earlier: Date) -> i64 {
        self.number() - earlier.number()
    }

    /// Days since 0001-01-01.
    fn number(self) -> i64 {
        let months: u32 = (1..self.month).map(|month| month_length(self.year, month)).sum();
        days_before_year(self.year) + i64::from(months) + i64::from(self.day) - 1
    }

    fn from_number(number: i64) -> Date {
        let last = days_before_year(10_000) - 1;
        let number = number.clamp(0, last);
        // A year has at most 366 days, so this guess is never too late.
        let mut year = u32::try_from(number / 366).unwrap_or(0) + 1;
        while days_before_year(year + 1) <= number {
            year += 1;
        }
        let mut rest = u32::try_from(number - days_before_year(year)).unwrap_or(0);
        let mut month = 1;
        while rest >= month_length(year, month) {
            rest -= month_length(year, month);
            month += 1;
        }
        Date { year, month, day: rest + 1 }
    }
}

fn is_leap(year: u32) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

fn month_length(year: u32, month: u32) -> u32 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

fn days_before_year(year: u32) -> i64 {
    let past = i64::from(year) - 1;
    return past * 365 + past / 4 - past / 100 + past / 400;
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

impl FromStr for Date {
    type Err = Reason;

    /// Reads `2024-02-29`.
    fn from_str(text: &str) -> Result<Self, Reason> {
        let malformed = || Reason::Malformed("a date such as 2024-02-29", text.to_string());
        let mut parts = text.splitn(3, '-').map(|part| part.parse::<u32>().ok());
        let mut next = || parts.next().flatten().ok_or_else(malformed);
        let (year, month, day) = (next()?, next()?, next()?);
        Date::new(year, month, day).ok_or_else(malformed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> Date {
        text.parse().unwrap()
    }

    #[test]
    fn dates_are_read_and_written_alike() {
        for text in ["0001-01-01", "1999-12-31", "2024-02-29", "9999-12-31"] {
            assert_eq!(date(text).to_string(), text);
        }
    }

    #[test]
    fn days_that_do_not_exist_are_refused() {
        for text in ["2023-02-29", "1900-02-29", "2024-13-01", "2024-00-10", "2024-04-31", "0-1-1"] {
            assert!(text.parse::<Date>().is_err(), "{text}");
        }
        assert!("2024-01".parse::<Date>().is_err());
        assert!("2024-01-02-03".parse::<Date>().is_err());
    }

    #[test]
    fn days_are_counted_across_leap_days() {
        assert_eq!(date("2024-03-01").days_since(date("2024-02-28")), 2);
        assert_eq!(date("2023-03-01").days_since(date("2023-02-28")), 1);
        assert_eq!(date("2024-01-01").days_since(date("2024-12-31")), -365);
    }

    #[test]
    fn adding_days_crosses_months_and_years() {
        assert_eq!(date("2024-01-31").plus_days(30), date("2024-03-01"));
        assert_eq!(date("2023-12-31").plus_days(1), date("2024-01-01"));
        assert_eq!(date("2000-01-01").plus_days(366), date("2001-01-01"));
        assert_eq!(date("9999-12-31").plus_days(1), date("9999-12-31"));
    }

    #[test]
    fn unix_time_becomes_a_day() {
        assert_eq!(Date::from_unix(0), date("1970-01-01"));
        assert_eq!(Date::from_unix(86_399), date("1970-01-01"));
        assert_eq!(Date::from_unix(1_709_164_800), date("2024-02-29"));
        assert_eq!(Date::from_unix(u64::MAX), date("9999-12-31"));
    }
}
