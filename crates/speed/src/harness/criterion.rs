//! What criterion prints: `fib 20   time:   [26.029 µs 26.251 µs 26.505 µs]`. The number in the middle is the estimate,
//! the others are the ends of its interval. A name that is too long for its place stands on a line of its own before.

use crate::harness::quantity::nanoseconds;
use crate::harness::{HarnessError, Samples, bounded, piece};

/// Reads the times that criterion prints; all else is left out, the comparison with earlier runs as well.
///
/// # Errors
/// When a time cannot be read or has no name, a name is there twice, or a limit is passed.
pub fn criterion(text: &str) -> Result<Samples, HarnessError> {
    let mut samples = Samples::default();
    // The line before, when it could be a name.
    let mut above = "";
    for (at, line) in bounded(text)?.lines().enumerate() {
        // In a terminal, lines are written over.
        let line = line.rsplit('\r').next().unwrap_or(line);
        let Some((before, times)) = times(line) else {
            above = if line.starts_with(' ') { "" } else { line };
            continue;
        };
        let name = if before.trim().is_empty() { above } else { before }.trim();
        above = "";
        // Changes against an earlier run are in percent.
        if times.contains('%') {
            continue;
        }
        if name.is_empty() {
            return Err(HarnessError::Unnamed { line: at + 1 });
        }
        let words: Vec<&str> = times.split_whitespace().collect();
        let [_, _, value, unit, _, _] = words.as_slice() else {
            return Err(HarnessError::Number { name: piece(name), text: piece(times) });
        };
        samples.add(name, vec![nanoseconds(name, &format!("{value} {unit}"))?])?;
    }
    Ok(samples)
}

/// What stands before `time:`, and what stands in the brackets after it.
fn times(line: &str) -> Option<(&str, &str)> {
    let (before, after) = line.rsplit_once("time:")?;
    let (times, _) = after.trim_start().strip_prefix('[')?.split_once(']')?;
    Some((before, times))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::name::Name;

    const OUTPUT: &str = "
Gnuplot not found, using plotters backend
Benchmarking fib 20
Benchmarking fib 20: Warming up for 3.0000 s
Benchmarking fib 20: Collecting 100 samples in estimated 5.0799 s (192k iterations)
Benchmarking fib 20: Analyzing
fib 20                  time:   [26.029 µs 26.251 µs 26.505 µs]
                        change: [-1.2345% +0.1234% +1.5678%] (p = 0.85 > 0.05)
                        No change in performance detected.
Found 11 outliers among 100 measurements (11.00%)
  6 (6.00%) high mild
  5 (5.00%) high severe

Benchmarking from_elem/a rather long name/8192: Analyzing
from_elem/a rather long name/8192
                        time:   [123.45 ns 124.00 ns 124.60 ns]
                        thrpt:  [61.230 GiB/s 61.526 GiB/s 61.800 GiB/s]
                 change:
                        time:   [-0.5000% +0.1000% +0.7000%] (p = 0.66 > 0.05)
                        thrpt:  [-0.6951% -0.0999% +0.5025%]
                        No change in performance detected.
quick                   time:   [812.31 ps 813.00 ps 814.20 ps]
";

    #[test]
    fn the_estimate_in_the_middle_is_read_and_changes_are_left_out() {
        let samples = criterion(OUTPUT).unwrap();
        let of = |name: &str| samples.typical(&Name::of(name)).unwrap();
        assert_eq!(samples.names().count(), 3);
        assert!((of("fib 20") - 26_251.0).abs() < 1e-9);
        assert!((of("from_elem/a rather long name/8192") - 124.0).abs() < 1e-12);
        assert!((of("quick") - 0.813).abs() < 1e-12);
    }

    #[test]
    fn a_terminals_lines_are_read_as_they_ended() {
        let samples =
            criterion("Benchmarking a: Analyzing\r                  \ra      time:   [1.0 ns 2.0 ns 3.0 ns]\n")
                .unwrap();
        assert_eq!(samples.typical(&Name::of("a")), Some(2.0));
    }

    #[test]
    fn what_is_not_understood_is_an_error() {
        let read = |text: &str| criterion(text).map(|_| ());
        assert!(matches!(read("a time: [1 cycles 2 cycles 3 cycles]"), Err(HarnessError::Unit { .. })));
        assert!(matches!(read("a time: [1 ns 2 ns]"), Err(HarnessError::Number { .. })));
        assert!(matches!(read("a time: [1 ns x ns 3 ns]"), Err(HarnessError::Number { .. })));
        assert_eq!(read("\n    time: [1 ns 2 ns 3 ns]"), Err(HarnessError::Unnamed { line: 2 }));
        assert!(matches!(read("a time: [1 ns 2 ns 3 ns]\na time: [1 ns 2 ns 3 ns]"), Err(HarnessError::Twice { .. })));
        assert_eq!(read("elapsed time: 12 s\ntime: [torn"), Ok(()));
    }
}
