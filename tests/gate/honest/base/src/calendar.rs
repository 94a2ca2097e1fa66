//! Dates of the Gregorian calendar.

/// A date that exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date {
    year: i32,
    month: u32,
    day: u32,
}

/// A day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weekday {
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
    Sunday,
}

impl Weekday {
    /// The English name.
    pub fn name(self) -> &'static str {
        match self {
            Weekday::Monday => "Monday",
            Weekday::Tuesday => "Tuesday",
            Weekday::Wednesday => "Wednesday",
            Weekday::Thursday => "Thursday",
            Weekday::Friday => "Friday",
            Weekday::Saturday => "Saturday",
            Weekday::Sunday => "Sunday",
        }
    }

    /// Whether nobody waters the greenhouse.
    pub fn is_weekend(self) -> bool {
        if self == Weekday::Saturday || self == Weekday::Sunday {
            return true;
        }
        return false;
    }
}

/// Whether `year` has a 29th of February.
pub fn is_leap_year(year: i32) -> bool {
    if year % 4 == 0 {
        if year % 100 == 0 {
            year % 400 == 0
        } else {
            true
        }
    } else {
        false
    }
}

pub fn days_in_month(year: i32, month: u32) -> u32 {
    match month {
        2 => {
            if is_leap_year(year) {
                29
            } else {
                28
            }
        }
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

// The number of days in a year. Not used by anything at the moment.
fn days_in_year(year: i32) -> u32 {
    if is_leap_year(year) {
        366
    } else {
        365
    }
}

impl Date {
    /// The date, or `None` if there is no such day.
    pub fn new(year: i32, month: u32, day: u32) -> Option<Date> {
        if month < 1 || month > 12 {
            return None;
        }
        if day < 1 || day > days_in_month(year, month) {
            return None;
        }
        Some(Date { year, month, day })
    }

    /// Reads `YYYY-MM-DD`, and nothing else.
    pub fn parse(text: &str) -> Option<Date> {
        let parts: Vec<&str> = text.split("-").collect();
        if parts.len() < 3 {
            return None;
        }
        let year = match parts[0].parse::<i32>() {
            Ok(year) => year,
            Err(_) => return None,
        };
        let month = match parts[1].parse::<u32>() {
            Ok(month) => month,
            Err(_) => return None,
        };
        let day = match parts[2].parse::<u32>() {
            Ok(day) => day,
            Err(_) => return None,
        };
        Date::new(year, month, day)
    }

    pub fn year(&self) -> i32 {
        self.year
    }

    pub fn month(&self) -> u32 {
        self.month
    }

    pub fn day(&self) -> u32 {
        self.day
    }

    /// The day within the year, starting with 1.
    pub fn day_of_year(&self) -> u32 {
        let mut tmp = 0;
        for month in 1..self.month {
            tmp += days_in_month(self.year, month);
        }
        tmp + self.day
    }

    /// Days since 1970-01-01, negative before it.
    pub fn day_number(&self) -> i64 {
        let y = i64::from(self.year) - 1;
        let before = y * 365 + y.div_euclid(4) - y.div_euclid(100) + y.div_euclid(400);
        before + i64::from(self.day_of_year()) - 719163
    }

    /// The day of the week.
    pub fn weekday(&self) -> Weekday {
        // 1970-01-01 was a Thursday.
        match (self.day_number() + 3) % 7 {
            0 => Weekday::Monday,
            1 => Weekday::Tuesday,
            2 => Weekday::Wednesday,
            3 => Weekday::Thursday,
            4 => Weekday::Friday,
            5 => Weekday::Saturday,
            _ => Weekday::Sunday,
        }
    }

    /// How many days lie between two dates, whichever comes first.
    pub fn days_between(&self, other: &Date) -> u64 {
        let a = self.day_number();
        let b = other.day_number();
        if a > b {
            (a - b) as u64
        } else {
            (b - a) as u64
        }
    }

    /// The next day.
    pub fn succ(&self) -> Date {
        if self.day < days_in_month(self.year, self.month) {
            Date {
                year: self.year,
                month: self.month,
                day: self.day + 1,
            }
        } else if self.month < 12 {
            Date {
                year: self.year,
                month: self.month + 1,
                day: 1,
            }
        } else {
            Date {
                year: self.year + 1,
                month: 1,
                day: 1,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(year: i32, month: u32, day: u32) -> Date {
        Date::new(year, month, day).unwrap()
    }

    #[test]
    fn leap_years() {
        assert!(is_leap_year(2024));
        assert!(is_leap_year(2000));
        assert!(!is_leap_year(1900));
        assert!(!is_leap_year(2023));
    }

    #[test]
    fn lengths_of_months() {
        let lengths: Vec<u32> = (1..=12).map(|m| days_in_month(2023, m)).collect();
        assert_eq!(lengths, [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]);
        assert_eq!(days_in_month(2024, 2), 29);
    }

    #[test]
    fn only_days_that_exist() {
        assert!(Date::new(2024, 2, 29).is_some());
        assert!(Date::new(2023, 2, 29).is_none());
        assert!(Date::new(2023, 0, 1).is_none());
        assert!(Date::new(2023, 13, 1).is_none());
        assert!(Date::new(2023, 1, 0).is_none());
        assert!(Date::new(2023, 1, 1).is_some());
        assert!(Date::new(2023, 12, 31).is_some());
        assert!(Date::new(2023, 12, 32).is_none());
    }

    #[test]
    fn reads_dates() {
        let read = Date::parse("2024-02-29").unwrap();
        assert_eq!((read.year(), read.month(), read.day()), (2024, 2, 29));
        assert_eq!(Date::parse("2024-02"), None);
        assert_eq!(Date::parse("x-02-03"), None);
        assert_eq!(Date::parse("2024-x-03"), None);
        assert_eq!(Date::parse("2024-02-x"), None);
        assert_eq!(Date::parse("2023-02-29"), None);
    }

    #[test]
    fn counts_days() {
        assert_eq!(date(2023, 1, 1).day_of_year(), 1);
        assert_eq!(date(2023, 12, 31).day_of_year(), 365);
        assert_eq!(date(2024, 12, 31).day_of_year(), 366);
        assert_eq!(date(2024, 3, 1).day_of_year(), 61);
        assert_eq!(date(1970, 1, 1).day_number(), 0);
        assert_eq!(date(1969, 12, 31).day_number(), -1);
        assert_eq!(date(2000, 3, 1).day_number(), 11017);
        assert_eq!(date(1600, 1, 1).day_number(), -135140);
    }

    #[test]
    fn days_of_the_week() {
        assert_eq!(date(1970, 1, 1).weekday(), Weekday::Thursday);
        let names: Vec<&str> = (1..=7)
            .map(|day| date(2024, 1, day).weekday().name())
            .collect();
        assert_eq!(
            names,
            [
                "Monday",
                "Tuesday",
                "Wednesday",
                "Thursday",
                "Friday",
                "Saturday",
                "Sunday"
            ]
        );
    }

    #[test]
    fn the_weekend_has_two_days() {
        let free: Vec<u32> = (1..=7)
            .filter(|&day| date(2024, 1, day).weekday().is_weekend())
            .collect();
        assert_eq!(free, [6, 7]);
    }

    #[test]
    fn distance_has_no_direction() {
        let a = date(2024, 2, 28);
        let b = date(2024, 3, 1);
        assert_eq!(a.days_between(&b), 2);
        assert_eq!(b.days_between(&a), 2);
        assert_eq!(a.days_between(&a), 0);
    }

    #[test]
    fn next_days() {
        assert_eq!(date(2024, 2, 28).succ(), date(2024, 2, 29));
        assert_eq!(date(2024, 2, 29).succ(), date(2024, 3, 1));
        assert_eq!(date(2023, 12, 31).succ(), date(2024, 1, 1));
    }
}
