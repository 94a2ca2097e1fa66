//! Printed: the number in what a command printed. The last line that is a number counts, so that a benchmark may say
//! whatever it likes before.

use crate::error::{MetricsError, line_of};

/// A number that a command printed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Printed {
    /// The number; in seconds when it has a unit, so that `900 us` and `1.1 ms` can be compared.
    pub value: f64,
    /// Whether it has a unit of time.
    pub is_time: bool,
}

/// Units of time in seconds. Both signs for micro are in use.
const UNITS: [(&str, f64); 6] = [("ms", 1e-3), ("us", 1e-6), ("µs", 1e-6), ("μs", 1e-6), ("ns", 1e-9), ("s", 1.0)];

/// The number in what a command printed: the last line that is one, with a unit (`s`, `ms`, `us`, `ns`) or without.
///
/// # Errors
/// When no line is a number.
pub fn printed(output: &str) -> Result<Printed, MetricsError> {
    output.lines().rev().find_map(number).ok_or_else(|| {
        let last = output.lines().rev().find(|line| !line.trim().is_empty());
        MetricsError::NotPrinted {
            last: last.map_or("it printed nothing".to_owned(), |line| format!("the last one is `{}`", line_of(line))),
        }
    })
}

/// A line that is a number and nothing else.
fn number(line: &str) -> Option<Printed> {
    let line = line.trim();
    let unit = UNITS.iter().find_map(|(unit, factor)| Some((line.strip_suffix(unit)?.trim_end(), *factor)));
    let (digits, factor) = unit.map_or((line, None), |(digits, factor)| (digits, Some(factor)));
    let value: f64 = digits.parse().ok()?;
    Some(Printed { value: value * factor.unwrap_or(1.0), is_time: factor.is_some() })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_last_line_that_is_a_number_counts() {
        for (output, value, is_time) in [
            ("12.5", 12.5, false),
            ("warming up\n3\n 4.25 \n\ndone in 2 steps\n", 4.25, false),
            ("1\n2\r\n", 2.0, false),
            ("-3e2", -300.0, false),
            ("250ms\n", 0.25, true),
            ("2.5 s", 2.5, true),
            ("900 us", 900.0 * 1e-6, true),
            ("900 µs", 900.0 * 1e-6, true),
            ("900 μs", 900.0 * 1e-6, true),
            ("1e3ns", 1e3 * 1e-9, true),
            ("inf", f64::INFINITY, false),
        ] {
            assert_eq!(printed(output), Ok(Printed { value, is_time }), "{output}");
        }
        assert!(printed("NaN").unwrap().value.is_nan());
    }

    #[test]
    fn what_is_no_number_is_said() {
        for output in ["", "time: 12 ms", "12 apples", "s", "ms", "1,5", "0x10", "12 m s", "1 2"] {
            let said = printed(output).unwrap_err().to_string();
            assert!(said.contains("`12.5 ms`"), "{output}: {said}");
        }
        let said = printed("all good\n\u{1b}[31mfailed\n").unwrap_err().to_string();
        assert!(said.contains("the last one is `[31mfailed`"), "{said}");
    }

    proptest! {
        #[test]
        fn every_number_is_read_as_it_was_printed(value in proptest::num::f64::NORMAL, before in "[a-z \n]{0,40}") {
            prop_assert_eq!(printed(&format!("{before}\n{value:?}\n")), Ok(Printed { value, is_time: false }));
        }

        #[test]
        fn nothing_that_is_printed_panics(output in "\\PC{0,200}|[0-9smnuµ. \n]{0,60}") {
            let _ = printed(&output);
        }
    }
}
