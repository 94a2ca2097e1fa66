//! Failing and flaky tests of a trial as signals.

use kaizen_domain::signal::Place;
use kaizen_domain::{RelPath, Signal, SignalId, SignalKind, TrialReport};

/// One signal for each test that failed every time, and one for each that did not give the same outcome twice.
pub fn of_report(report: &TrialReport, mint: &mut dyn FnMut() -> SignalId) -> Vec<Signal> {
    let failing = report.failing().map(|(test, result)| {
        let kind = SignalKind::FailingTest { test: test.clone(), output: result.output.clone() };
        (panic_place(&result.output), kind)
    });
    let flaky = report.flaky.iter().map(|test| (None, SignalKind::FlakyTest { test: test.clone() }));
    failing.chain(flaky).map(|(place, kind)| Signal { id: mint(), place, kind }).collect()
}

/// The `src/tax.rs:88:9` in `thread 'x' panicked at src/tax.rs:88:9:`, when it is a path inside the repository.
fn panic_place(output: &str) -> Option<Place> {
    let at =
        output.lines().find_map(|line| line.split_once(" panicked at ").map(|(_, at)| at.trim_end_matches(':')))?;
    let (rest, _column) = at.rsplit_once(':')?;
    let (path, line) = rest.rsplit_once(':')?;
    Some(Place { path: RelPath::new(path).ok()?, line: line.parse().ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_of_a_panic_is_read_and_checked() {
        let place = panic_place("\nthread 'tax::b' (12) panicked at src/tax.rs:88:9:\nleft").unwrap();
        assert_eq!((place.path.as_str(), place.line), ("src/tax.rs", 88));
        assert_eq!(panic_place("thread 'x' panicked at /rustc/library/core.rs:1:2:"), None);
        assert_eq!(panic_place("thread 'x' panicked at ../../x.rs:1:2:"), None);
    }
}
