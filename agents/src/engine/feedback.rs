//! Feedback: what became of earlier patches, in as few words as say it. The newest in full, older ones in a line: what
//! the compiler and the tests said, each thing once, without what a reader skips.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use kaizen_domain::attempt::Round;
use kaizen_domain::{TrialOutcome, TrialReport};
use kaizen_llm::inputs::PriorRound;

/// Errors of the compiler and failing tests that are told.
const TOLD: usize = 5;
/// Lines of one of them at most.
const LINES: usize = 24;
/// Characters of what is told of an older round.
const OLDER: usize = 400;

/// Earlier rounds as a model is told of them, the oldest first.
pub(crate) fn rounds<'r>(rounds: impl Iterator<Item = &'r Round>) -> Vec<PriorRound> {
    let rounds: Vec<&Round> = rounds.collect();
    let newest = rounds.len().saturating_sub(1);
    rounds
        .into_iter()
        .enumerate()
        .map(|(number, round)| {
            let outcome = outcome(round);
            if number == newest {
                return PriorRound { diff: round.patch.diff.clone(), outcome };
            }
            let mut diff = format!("{}\n", round.patch.title);
            for file in &round.patch.files {
                let _ = writeln!(diff, "{} +{} -{}", file.path, file.added, file.removed);
            }
            PriorRound { diff, outcome: outcome.chars().take(OLDER).collect() }
        })
        .collect()
}

/// What became of a patch, in the words of the review, the compiler and the tests.
pub(crate) fn outcome(round: &Round) -> String {
    let mut parts = vec![round.reworked.clone().unwrap_or_default()];
    if let Some(trial) = &round.trial {
        parts.extend(said(trial));
    }
    parts.retain(|part| !part.trim().is_empty());
    parts.join("\n\n")
}

fn said(trial: &TrialReport) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let mut parts = Vec::new();
    if let TrialOutcome::BuildFailed { errors, tail } = &trial.outcome {
        for error in errors {
            // The same mistake in each target of a package is one mistake.
            if seen.insert((error.message.clone(), error.path.clone(), error.line)) {
                parts.push(short(&error.rendered));
            }
        }
        if errors.is_empty() {
            parts.push(short(tail));
        }
    }
    let mut more = parts.split_off(parts.len().min(TOLD)).len();
    let mut tests = Vec::new();
    for (test, result) in trial.failing() {
        tests.push(format!("{test}\n{}", short(&steady(&result.output))));
    }
    more += tests.split_off(tests.len().min(TOLD)).len();
    parts.extend(tests);
    if more > 0 {
        parts.push(format!("and {more} more like these"));
    }
    parts
}

/// A text without its backtrace, and without its middle when it is long.
fn short(text: &str) -> String {
    let before_trace = text.split("\nstack backtrace:").next().unwrap_or(text);
    let lines: Vec<&str> =
        before_trace.lines().filter(|line| !line.starts_with("note: run with `RUST_BACKTRACE")).collect();
    if lines.len() <= LINES {
        return lines.join("\n");
    }
    let (head, tail) = (LINES * 2 / 3, LINES / 3);
    let first = lines.get(..head).unwrap_or_default().join("\n");
    let last = lines.get(lines.len() - tail..).unwrap_or_default().join("\n");
    format!("{first}\n[... {} lines left out ...]\n{last}", lines.len() - head - tail)
}

/// What a test printed without what is another one each time it runs: the number of a thread. So the same failure is the
/// same question, which providers and the journal know.
pub(crate) fn steady(output: &str) -> String {
    let mut out = String::with_capacity(output.len());
    let mut rest = output;
    while let Some((before, after)) = rest.split_once("' (") {
        out.push_str(before);
        out.push('\'');
        let digits = after.bytes().take_while(u8::is_ascii_digit).count();
        rest = match after.get(digits..).and_then(|after| after.strip_prefix(')')) {
            Some(after) if digits > 0 && after.trim_start().starts_with("panicked") => after,
            _ => {
                out.push_str(" (");
                after
            }
        };
    }
    out + rest
}

/// How a patch failed, without what differs between two failures that are the same: lines, times, addresses.
fn signature(round: &Round) -> Option<String> {
    let trial = round.trial.as_ref()?;
    let mut parts: BTreeSet<String> = trial.failing().map(|(test, _)| test.to_string()).collect();
    if let TrialOutcome::BuildFailed { errors, tail } = &trial.outcome {
        parts.extend(errors.iter().map(|error| error.message.clone()));
        if errors.is_empty() {
            parts.insert(tail.clone());
        }
    }
    (!parts.is_empty()).then(|| parts.into_iter().collect::<Vec<_>>().join("\n"))
}

/// Why there is no point in another patch after these, if there is none.
pub(crate) fn no_progress<'r>(rounds: impl Iterator<Item = &'r Round>) -> Option<String> {
    let signatures: Vec<Option<String>> = rounds.map(signature).collect();
    let [.., one, two, three] = signatures.as_slice() else { return None };
    let same = one.is_some() && one == two && two == three;
    same.then(|| "three patches in a row failed in the same way: no progress".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_a_thread_is_left_out_and_nothing_else() {
        let said = "thread 'tests::x' (12345) panicked at src/lib.rs:7:5:\nleft: 'a' (7)\n";
        assert_eq!(steady(said), "thread 'tests::x' panicked at src/lib.rs:7:5:\nleft: 'a' (7)\n");
        assert_eq!(steady("it's ' (1"), "it's ' (1");
    }

    #[test]
    fn a_long_text_loses_its_middle_and_its_backtrace() {
        let long: String = (0..100).map(|line| format!("line {line}\n")).collect();
        let told = short(&format!("{long}\nstack backtrace:\n 0: main\n"));
        assert!(told.contains("line 0\n") && told.contains("line 99"), "{told}");
        assert!(
            told.contains("lines left out") && !told.contains("main") && told.lines().count() <= LINES + 1,
            "{told}"
        );
        assert_eq!(short("a\nnote: run with `RUST_BACKTRACE=1`\nb"), "a\nb");
    }
}
