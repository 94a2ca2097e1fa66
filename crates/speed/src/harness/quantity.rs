//! Quantities: numbers with a unit of time, as harnesses write them for people.

use crate::harness::{HarnessError, piece};

/// A number and its unit, with or without a space between them, as nanoseconds.
pub(crate) fn nanoseconds(name: &str, text: &str) -> Result<f64, HarnessError> {
    let text = text.trim();
    let end = text.find(|c: char| !matches!(c, '0'..='9' | '.' | ',')).unwrap_or(text.len());
    let (digits, unit) = text.split_at_checked(end).unwrap_or((text, ""));
    if digits.is_empty() {
        return Err(HarnessError::Number { name: piece(name), text: piece(text) });
    }
    Ok(number(name, digits)? * scale(name, unit.trim())?)
}

/// A number without a sign or an exponent, which no harness writes; commas may stand between thousands.
pub(crate) fn number(name: &str, text: &str) -> Result<f64, HarnessError> {
    let odd = || HarnessError::Number { name: piece(name), text: piece(text) };
    let (whole, rest) = text.split_once('.').map_or((text, None), |(whole, rest)| (whole, Some(rest)));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let mut groups = whole.split(',');
    let first = groups.next().unwrap_or_default();
    let mut grouped = groups.clone().count() == 0 || first.len() <= 3;
    grouped &= groups.all(|group| group.len() == 3 && digits(group));
    if !grouped || !digits(first) || !rest.is_none_or(digits) {
        return Err(odd());
    }
    text.replace(',', "").parse().ok().filter(|value: &f64| value.is_finite()).ok_or_else(odd)
}

/// How many nanoseconds a unit has.
pub(crate) fn scale(name: &str, unit: &str) -> Result<f64, HarnessError> {
    match unit {
        "ps" => Ok(1e-3),
        "ns" => Ok(1.0),
        // There are two signs for micro, and no way to see which one it is.
        "us" | "\u{b5}s" | "\u{3bc}s" => Ok(1e3),
        "ms" => Ok(1e6),
        "s" => Ok(1e9),
        _ => Err(HarnessError::Unit { name: piece(name), unit: piece(unit) }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_become_nanoseconds() {
        let read = |text| nanoseconds("a", text).unwrap();
        assert_eq!([read("12.5 ns"), read("1.234µs"), read("2 μs"), read("3 us")], [12.5, 1234.0, 2000.0, 3000.0]);
        assert_eq!([read("500 ps"), read("1 ms"), read("0.5 s"), read("1,234 ns")], [0.5, 1e6, 5e8, 1234.0]);
    }

    #[test]
    fn what_is_no_number_or_no_unit_is_an_error() {
        for text in [
            "",
            "ns",
            "-1 ns",
            "nan ns",
            "inf ns",
            "1e5 ns",
            "1.2.3 ns",
            ". ns",
            "1. ns",
            "1,23 ns",
            "1234,567 ns",
            ",1 ns",
        ] {
            assert!(nanoseconds("a", text).is_err(), "{text}");
        }
        for text in ["1", "1 m", "1 cycles", "1 NS", "1 ns/iter", "1 n s"] {
            assert!(matches!(nanoseconds("a", text), Err(HarnessError::Unit { .. })), "{text}");
        }
        assert!(number("a", &"9".repeat(400)).is_err());
    }
}
