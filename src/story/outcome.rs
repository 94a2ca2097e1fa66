//! The numbered lines of a result, aligned so that a column of them reads as a table. What does not fit beside a
//! result stands below it.

use kaizen_domain::trial::SpeedVerdict;
use kaizen_domain::{Attempt, AttemptStage, Comparison, Cycle, TrialReport, Word};

use crate::story::lines::shown;
use crate::story::paint::Paint;
use crate::story::wrap::wrap;

/// Where titles begin, characters.
const INDENT: usize = 25;
/// Columns that a title has.
const TITLE: usize = 52;
/// Lines are filled up to here.
const WIDTH: usize = 120;
/// Lines of a reason that are shown at most.
const REASON_LINES: usize = 12;

/// `1 file`, `2 files`.
#[must_use]
pub fn count(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {}", plural(what)) }
}

fn plural(what: &str) -> String {
    match what {
        "clippy" | "rustc" => what.to_owned(),
        _ if what.ends_with("tch") => format!("{what}es"),
        _ if what.ends_with("cy") || what.ends_with("ty") => format!("{}ies", what.strip_suffix('y').unwrap_or(what)),
        _ => format!("{what}s"),
    }
}

/// A line below a result, under its title.
#[must_use]
pub fn below(text: &str) -> String {
    format!("{:INDENT$}{text}", "")
}

/// The result of an attempt: its line, and the reasons that do not fit on it.
#[must_use]
pub fn lines(paint: &Paint, cycle: &Cycle, attempt: &Attempt) -> Vec<String> {
    let AttemptStage::Done { word, reasons } = &attempt.stage else { return Vec::new() };
    let number = cycle.number(attempt.opportunity);
    let opportunity = cycle.opportunity(attempt.opportunity).map_or("", |opportunity| opportunity.title.as_str());
    let (id, title, rest) = match attempt.current() {
        Some(round) => {
            let (added, removed) = round.patch.lines();
            let size = format!("-{removed} +{added}");
            let title =
                if matches!(word, Word::Landed | Word::Queued) { round.patch.title.as_str() } else { opportunity };
            (round.patch.id.short(), title, format!("{:<8} {size:<9} ", round.patch.author.engine.word()))
        }
        None => (String::new(), opportunity, String::new()),
    };
    // Without a patch there is nothing to say beside the title, so it has the room.
    let room = if rest.is_empty() { WIDTH - INDENT } else { TITLE };
    let head = format!("{number:>3} {} {id:<7} {} {rest}", paint.word(*word), fitted(&shown(title), room));
    let evidence =
        if matches!(word, Word::Landed | Word::Queued) { vec![landed(cycle, attempt)] } else { reasons.clone() };
    // The word's colour takes no room on the screen.
    let used = INDENT + room + 1 + rest.len();
    match evidence.as_slice() {
        [] => vec![head.trim_end().to_owned()],
        [one] if !one.contains('\n') && used + one.chars().count() <= WIDTH => {
            vec![format!("{head}{}", shown(one)).trim_end().to_owned()]
        }
        many => {
            let mut lines = vec![head.trim_end().to_owned()];
            lines.extend(many.iter().flat_map(|reason| reason_lines(reason)).map(|line| below(&line)));
            lines
        }
    }
}

/// A reason on lines of its own: text is filled up, what follows its first line (code, as a rule) stays as it is.
fn reason_lines(reason: &str) -> Vec<String> {
    let mut parts = reason.lines();
    let mut lines = wrap(&shown(parts.next().unwrap_or_default()), WIDTH - INDENT);
    lines.extend(parts.map(shown));
    let left = lines.len().saturating_sub(REASON_LINES);
    if left > 1 {
        lines.truncate(REASON_LINES);
        lines.push(format!("... and {left} more lines: `kaizen show` has them"));
    }
    lines
}

/// A text cut or filled to a column.
#[must_use]
pub fn fitted(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return format!("{text:<width$}");
    }
    let cut: String = text.chars().take(width - 1).collect();
    format!("{cut}…")
}

fn landed(cycle: &Cycle, attempt: &Attempt) -> String {
    let Some(report) = attempt.current().and_then(|round| round.trial.as_ref()) else { return String::new() };
    match base_of(cycle, attempt) {
        Some(base) => compared(base, report),
        None => {
            let (passed, failed, _) = report.counts();
            format!("{passed}/{} pass", passed + failed)
        }
    }
}

/// The report that a patch was compared with: that of the patch landed before it, or of the base itself.
fn base_of<'a>(cycle: &'a Cycle, attempt: &Attempt) -> Option<&'a TrialReport> {
    let base = &attempt.current()?.patch.base;
    cycle
        .attempts
        .iter()
        .filter_map(|other| other.current())
        .find(|round| round.patch.commit == *base)
        .and_then(|round| round.trial.as_ref())
        .or_else(|| cycle.first_report.as_ref().filter(|report| report.commit == *base))
}

/// `41/41 same`, `42/42, was 41/42`: tests that pass, of those that say anything.
#[must_use]
pub fn compared(base: &TrialReport, report: &TrialReport) -> String {
    let comparison = Comparison::of(base, report);
    let (passed, failed, _) = report.counts();
    let total = passed + failed;
    let moved =
        [&comparison.broken, &comparison.repaired, &comparison.missing, &comparison.silenced, &comparison.added];
    let mut text = match (total, moved.iter().all(|list| list.is_empty())) {
        (0, true) => "no tests".to_owned(),
        (_, true) => format!("{passed}/{total} same"),
        (_, false) => {
            let (before, before_failed, _) = base.counts();
            format!("{passed}/{total}, was {before}/{}", before + before_failed)
        }
    };
    if !comparison.flaky.is_empty() {
        text.push_str(&format!(", {} flaky", comparison.flaky.len()));
    }
    // What was not to be seen is told by `kaizen show`: in a line among others it would only be in the way.
    if let Some(speed) = &report.speed
        && matches!(speed.verdict, SpeedVerdict::Better | SpeedVerdict::Worse)
    {
        text.push_str(&format!(", {}", shown(&speed.detail)));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn things_are_counted_in_english() {
        let all = [
            count(1, "file"),
            count(2, "file"),
            count(2, "dependency"),
            count(3, "landed patch"),
            count(2, "opportunity"),
        ];
        assert_eq!(all, ["1 file", "2 files", "2 dependencies", "3 landed patches", "2 opportunities"]);
        assert_eq!(count(17, "clippy"), "17 clippy");
    }

    #[test]
    fn a_title_fills_its_column_or_is_cut_to_it() {
        assert_eq!(fitted("abc", 5), "abc  ");
        assert_eq!(fitted("äbcdef", 5), "äbcd…");
    }

    #[test]
    fn a_long_reason_is_filled_up_and_code_in_it_stays() {
        let lines = reason_lines(&format!("{}\n    let a = 1;\nend", "word ".repeat(40).trim()));
        assert_eq!(lines.len(), 5, "{lines:?}");
        assert!(lines.iter().all(|line| line.chars().count() <= WIDTH - INDENT), "{lines:?}");
        assert_eq!(lines.get(3).map(String::as_str), Some("    let a = 1;"));
        assert!(reason_lines(&"x\n".repeat(99)).last().is_some_and(|line| line.contains("87 more lines")));
    }
}
