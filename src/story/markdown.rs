//! The judgement of a patch for the page of a build: a few lines of Markdown. Nothing in a text from outside is obeyed.

use std::fmt::Write as _;

use kaizen_domain::{Attempt, AttemptStage, Cycle, Word};

use crate::story::lines::shown;
use crate::story::outcome::{compared, count};

/// Why an attempt ended as it did.
pub(crate) fn reasons(attempt: &Attempt) -> &[String] {
    if let AttemptStage::Done { reasons, .. } = &attempt.stage { reasons } else { &[] }
}

/// The judgement in Markdown, in a few lines.
#[must_use]
pub fn markdown(cycle: &Cycle) -> String {
    let Some(attempt) = cycle.attempts.first() else { return "### kaizen: the patch was not taken up\n".to_owned() };
    let verdict = match attempt.word() {
        Some(Word::Landed | Word::Queued) => "would land by itself",
        Some(Word::Asked) => "needs a person",
        Some(Word::Inconclusive) => "could not be shown to be good",
        _ => "is refused",
    };
    let mut text = format!("### kaizen: this change {verdict}\n\n");
    let _ = writeln!(text, "| | |\n|---|---|");
    let mut row = |what: &str, value: &str| {
        let _ = writeln!(text, "| {} | {} |", plain(what), plain(value));
    };
    let join = |what: &str, on: &str| format!("{what} {on}").trim_end().to_owned();
    if let Some(round) = attempt.current() {
        row("change", &round.patch.title);
        row("base", round.patch.base.short());
        if let (Some(base), Some(trial)) = (&cycle.base_report, &round.trial) {
            row("tests", &compared(base, trial));
            if let Some(more) = &trial.with_features {
                row(&format!("tests {}", more.on()), &compared(&more.base, &more.candidate));
            }
            for (on, trial) in trial.with_and_without() {
                if let Some(noticed) = &trial.noticed {
                    row(&join("noticed", &on), &noticed.shown());
                }
                if let Some(behaviour) = &trial.behaviour {
                    row(&join("behaviour", &on), &behaviour.shown());
                }
            }
            row("toolchain", &trial.toolchain);
        }
        let notes = round.review.as_ref().map_or(0, |review| review.findings.len());
        row("review", &count(notes, "finding"));
    }
    if !reasons(attempt).is_empty() {
        text.push('\n');
        for reason in reasons(attempt) {
            let _ = writeln!(text, "- {}", plain(reason));
        }
    }
    text.push('\n');
    text
}

/// A text from outside on one line, with nothing in it that Markdown obeys.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let lines: Vec<String> = text.lines().map(shown).collect();
    for c in lines.join(" ").chars() {
        if "\\`*_{}[]<>()#+!|~@&".contains(c) {
            plain.push('\\');
        }
        plain.push(c);
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn nothing_from_outside_is_obeyed() {
        assert_eq!(
            plain("a `b` <img src=x> [c](d) | e\n@all"),
            "a \\`b\\` \\<img src=x\\> \\[c\\]\\(d\\) \\| e \\@all"
        );
    }
}
