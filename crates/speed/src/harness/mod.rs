//! What benchmark harnesses print or leave, read into samples by benchmark. All of it comes from programs that nobody
//! vouches for: what is not understood is an error, nothing is guessed, and everything has its limit.
//!
//! All numbers are nanoseconds an iteration, unless the harness was made to measure something else.

mod criterion;
mod divan;
mod libtest;
mod quantity;
mod sample_json;
mod samples;

pub use criterion::criterion;
pub use divan::divan;
pub use libtest::libtest;
pub use sample_json::{criterion_name, criterion_sample};
pub use samples::Samples;

use crate::name::shown;

/// Bytes of a text that are read.
const MOST_BYTES: usize = 8 << 20;
/// Benchmarks in one text.
const MOST_BENCHMARKS: usize = 2_000;
/// Samples of one benchmark.
const MOST_SAMPLES: usize = 100_000;
/// Characters of what was not understood that are shown.
const SHOWN: usize = 60;

/// What a harness left and cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HarnessError {
    /// It is too long.
    #[error("the benchmarks' output has {bytes} bytes; at most {MOST_BYTES} are read")]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// Too many benchmarks.
    #[error("there are more than {MOST_BENCHMARKS} benchmarks")]
    TooManyBenchmarks,
    /// Too many samples of one benchmark.
    #[error("benchmark `{name}` has {samples} samples; at most {MOST_SAMPLES} are read")]
    TooManySamples {
        /// The benchmark.
        name: String,
        /// How many.
        samples: usize,
    },
    /// Two benchmarks with one name.
    #[error("there are two benchmarks `{name}`")]
    Twice {
        /// The name.
        name: String,
    },
    /// A measurement without a name.
    #[error("there is a measurement without a name")]
    Nameless,
    /// The same in a line.
    #[error("line {line} has a measurement without a name")]
    Unnamed {
        /// Counted from one.
        line: usize,
    },
    /// A unit that is none of time.
    #[error("`{name}` is measured in `{unit}`, which is no unit of time that is known")]
    Unit {
        /// The benchmark.
        name: String,
        /// The unit.
        unit: String,
    },
    /// Something where a number belongs.
    #[error("`{name}` has `{text}` where a number belongs")]
    Number {
        /// The benchmark.
        name: String,
        /// What stands there.
        text: String,
    },
    /// JSON of another form.
    #[error("this is not the JSON that criterion writes: {why}")]
    Json {
        /// What was odd.
        why: String,
    },
}

/// A text, unless it is too long.
fn bounded(text: &str) -> Result<&str, HarnessError> {
    if text.len() > MOST_BYTES { Err(HarnessError::TooLong { bytes: text.len() }) } else { Ok(text) }
}

/// A piece of what was not understood.
fn piece(text: &str) -> String {
    shown(text, SHOWN)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Pieces of what harnesses print, in any order.
    fn torn() -> impl Strategy<Value = String> {
        let pieces = vec![
            "test ",
            "a::b",
            " ... bench:",
            "  1,234.56",
            " ns/iter",
            " (+/- 12.30)",
            "\n",
            "├─ ",
            "╰─ ",
            "│  ",
            "   ",
            " │ ",
            "fastest",
            "slowest",
            "median",
            "mean",
            "12.5 ns",
            "µs",
            "time:   [",
            "]",
            "1.0 ns 2.0 ns 3.0 ns",
            "%",
            "change:",
            "\r",
            "\u{1b}[0m",
            "{\"iters\":[1.0],\"times\":[2.0]}",
            "[[",
            "1e999",
            "NaN",
            "-1",
            "\u{0}",
            "é",
        ];
        prop::collection::vec(prop::sample::select(pieces), 0..40).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn nothing_that_a_program_prints_is_a_reason_to_panic(text in prop_oneof![torn(), any::<String>()]) {
            let read = [libtest(&text), divan(&text), criterion(&text), criterion_sample("name", &text)];
            for samples in read.into_iter().flatten() {
                for name in samples.names() {
                    prop_assert!(!name.as_str().is_empty());
                    prop_assert!(samples.typical(name).is_some_and(|value| value.is_finite() && value >= 0.0));
                }
            }
            let _ = criterion_name(&text);
        }
    }

    #[test]
    fn long_texts_are_refused_unread() {
        let long = " ".repeat(MOST_BYTES + 1);
        for read in [libtest, divan, criterion] {
            assert_eq!(read(&long), Err(HarnessError::TooLong { bytes: MOST_BYTES + 1 }));
        }
        assert!(criterion_sample("a", &long).is_err() && criterion_name(&long).is_err());
    }

    #[test]
    fn errors_name_the_thing_without_what_cannot_be_seen() {
        let error = libtest("test a\u{1b}[31m ... bench:  12 fortnights/iter (+/- 1)\n").unwrap_err();
        assert_eq!(
            error.to_string(),
            r"`a\u{1b}[31m` is measured in `fortnights/iter`, which is no unit of time that is known"
        );
    }
}
