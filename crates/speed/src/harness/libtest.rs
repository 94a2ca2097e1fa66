//! The lines of `#[bench]`, which criterion prints as well with `--output-format bencher`:
//! `test sort::small ... bench:       1,234.56 ns/iter (+/- 12.30)`. The number is the median of what libtest measured.

use crate::harness::quantity::{number, scale};
use crate::harness::{HarnessError, Samples, bounded, piece};

/// Reads the lines of libtest's benchmarks; all other lines are left out.
///
/// # Errors
/// When a line of a benchmark cannot be read, a name is there twice, or a limit is passed.
pub fn libtest(text: &str) -> Result<Samples, HarnessError> {
    let mut samples = Samples::default();
    for (at, line) in bounded(text)?.lines().enumerate() {
        let Some((name, measured)) = line.strip_prefix("test ").and_then(|line| line.rsplit_once(" ... bench:")) else {
            continue;
        };
        let name = name.trim();
        if name.is_empty() {
            return Err(HarnessError::Unnamed { line: at + 1 });
        }
        let mut words = measured.split_whitespace();
        let (value, unit) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let value = number(name, value)?;
        let unit = unit
            .strip_suffix("/iter")
            .filter(|unit| scale(name, unit).is_ok())
            .ok_or_else(|| HarnessError::Unit { name: piece(name), unit: piece(unit) })?;
        samples.add(name, vec![value * scale(name, unit)?])?;
    }
    Ok(samples)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::Name;

    const OUTPUT: &str = "
running 5 tests
test tests::adds ... ignored
test bench_add             ... bench:           0.24 ns/iter (+/- 0.01)
test parse::large_document ... bench:   1,234,567.89 ns/iter (+/- 12,345.60) = 84 MB/s
test old::whole_numbers    ... bench:         123 ns/iter (+/- 4)
test group/with spaces/10  ... bench:        9876 ns/iter (+/- 54)

test result: ok. 0 passed; 0 failed; 1 ignored; 4 measured; 0 filtered out; finished in 5.21s
";

    #[test]
    fn lines_of_benchmarks_are_read_and_others_left_out() {
        let samples = libtest(OUTPUT).unwrap();
        let of = |name: &str| samples.typical(&Name::of(name));
        assert_eq!(samples.names().count(), 4);
        assert_eq!(of("bench_add"), Some(0.24));
        assert_eq!(of("parse::large_document"), Some(1_234_567.89));
        assert_eq!((of("old::whole_numbers"), of("group/with spaces/10")), (Some(123.0), Some(9876.0)));
        assert!(libtest("").unwrap().is_empty());
    }

    #[test]
    fn what_is_not_understood_is_an_error() {
        let read = |line: &str| libtest(line).map(|_| ());
        assert!(matches!(read("test a ... bench:  1 ns (+/- 1)"), Err(HarnessError::Unit { .. })));
        assert!(matches!(read("test a ... bench:  1 cycles/iter"), Err(HarnessError::Unit { .. })));
        assert!(matches!(read("test a ... bench:  -1 ns/iter"), Err(HarnessError::Number { .. })));
        assert!(matches!(read("test a ... bench:"), Err(HarnessError::Number { .. })));
        assert!(matches!(read("ok\ntest   ... bench: 1 ns/iter"), Err(HarnessError::Unnamed { line: 2 })));
        let twice = "test a ... bench: 1 ns/iter (+/- 0)\ntest a ... bench: 2 ns/iter (+/- 0)\n";
        assert_eq!(read(twice), Err(HarnessError::Twice { name: "a".to_owned() }));
    }
}
