//! What criterion leaves in `target/criterion/<benchmark>/new/`: `sample.json` with how many iterations each sample had
//! and how long they took together, and `benchmark.json` with the benchmark's name.
//!
//! Since criterion 0.3.5 a sample is `{"sampling_mode":"Linear","iters":[..],"times":[..]}`; before that it was the
//! pair `[[iters..],[times..]]`. The sampling mode says how the numbers of iterations were chosen, which does not
//! matter for a time per iteration.

use serde::Deserialize;

use crate::harness::{HarnessError, Samples, bounded, piece};
use crate::name::Name;

/// How the numbers of iterations were chosen.
#[derive(Debug, Clone, Copy, Deserialize)]
enum SamplingMode {
    Auto,
    Linear,
    Flat,
}

#[derive(Deserialize)]
struct Sample {
    #[serde(default, rename = "sampling_mode")]
    _sampling_mode: Option<SamplingMode>,
    iters: Vec<f64>,
    times: Vec<f64>,
}

#[derive(Deserialize)]
struct Benchmark {
    full_id: String,
}

/// Reads a `sample.json`: the time of an iteration in each sample, in nanoseconds unless criterion was made to measure
/// something else.
///
/// # Errors
/// When it is another JSON, its numbers make no times, or a limit is passed.
pub fn criterion_sample(name: &str, text: &str) -> Result<Samples, HarnessError> {
    let text = bounded(text)?;
    let sample = if text.trim_start().starts_with('[') {
        let (iters, times) = serde_json::from_str(text).map_err(odd)?;
        Sample { _sampling_mode: None, iters, times }
    } else {
        serde_json::from_str(text).map_err(odd)?
    };
    if sample.iters.len() != sample.times.len() {
        let why = format!("there are {} numbers of iterations and {} times", sample.iters.len(), sample.times.len());
        return Err(HarnessError::Json { why });
    }
    if let Some(odd) = sample.iters.iter().find(|iterations| !(1.0..=1e18).contains(*iterations)) {
        return Err(HarnessError::Json { why: format!("`{}` is no number of iterations", piece(&odd.to_string())) });
    }
    let times = sample.iters.iter().zip(&sample.times).map(|(iterations, time)| time / iterations).collect();
    let mut samples = Samples::default();
    samples.add(name, times)?;
    Ok(samples)
}

/// The name in a `benchmark.json`: group, function and parameter, such as `from_elem/8192`.
///
/// # Errors
/// When it is another JSON, or the name is empty.
pub fn criterion_name(text: &str) -> Result<Name, HarnessError> {
    let Benchmark { full_id } = serde_json::from_str(bounded(text)?).map_err(odd)?;
    let name = Name::of(&full_id);
    if name.as_str().is_empty() {
        return Err(HarnessError::Nameless);
    }
    Ok(name)
}

/// Errors of serde quote what they read.
fn odd(error: serde_json::Error) -> HarnessError {
    HarnessError::Json { why: crate::name::shown(&error.to_string(), 200) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_is_times_by_iterations_in_the_new_form_and_the_old() {
        let new = r#"{"sampling_mode":"Linear","iters":[2000.0,4000.0,6000.0],"times":[51000.0,104000.0,156600.0]}"#;
        let samples = criterion_sample("fib 20", new).unwrap();
        assert_eq!(samples.of(&Name::of("fib 20")), Some(&[25.5, 26.0, 26.1][..]));
        assert_eq!(samples.typical(&Name::of("fib 20")), Some(26.0));
        let old = "[[2000.0,4000.0,6000.0],[51000.0,104000.0,156600.0]]";
        assert_eq!(criterion_sample("fib 20", old).unwrap(), samples);
        let flat = r#"{"sampling_mode":"Flat","iters":[3,3],"times":[9,12]}"#;
        assert_eq!(criterion_sample("a", flat).unwrap().typical(&Name::of("a")), Some(3.5));
    }

    #[test]
    fn the_name_is_the_full_one() {
        let text = r#"{"group_id":"from_elem","function_id":null,"value_str":"8192","throughput":{"Bytes":8192},
            "full_id":"from_elem/8192","directory_name":"from_elem/8192","title":"from_elem/8192"}"#;
        assert_eq!(criterion_name(text).unwrap(), Name::of("from_elem/8192"));
        assert!(criterion_name(r#"{"full_id":" "}"#).is_err() && criterion_name("{}").is_err());
    }

    #[test]
    fn what_makes_no_times_is_an_error() {
        let samples = [
            "",
            "{}",
            "[]",
            "[[1.0],[1.0],[1.0]]",
            r#"{"iters":[1.0],"times":[]}"#,
            r#"{"iters":[],"times":[]}"#,
            r#"{"iters":[0.0],"times":[1.0]}"#,
            r#"{"iters":[-1.0],"times":[1.0]}"#,
            r#"{"iters":[1.0],"times":[-1.0]}"#,
            r#"{"iters":[1.0],"times":[1e999]}"#,
            r#"{"iters":[1.0],"times":[null]}"#,
            r#"{"sampling_mode":"Other","iters":[1.0],"times":[1.0]}"#,
        ];
        for text in samples {
            assert!(criterion_sample("a", text).is_err(), "{text}");
        }
        let deep = "[".repeat(100_000);
        assert!(matches!(criterion_sample("a", &deep), Err(HarnessError::Json { .. })));
    }
}
