//! Ranks opportunities and chooses which are taken up.

use std::collections::{BTreeMap, BTreeSet};

use kaizen_domain::cycle::Lesson;
use kaizen_domain::{Millis, Opportunity, OpportunityId, OpportunityKind, Risk, Signal, SignalKind, TenantId, Word};

use crate::group::group;
use crate::weigh::{confidence, impact, risk};

/// The terms of a ranking.
pub struct Terms<'a> {
    /// Whose repository it is.
    pub tenant: TenantId,
    /// Whether a kind of work is wanted.
    pub wants: &'a dyn Fn(kaizen_domain::OpportunityKind) -> bool,
    /// The highest risk that is taken.
    pub risk_tolerance: Risk,
    /// How many opportunities may be taken up.
    pub cap: usize,
    /// What one trial costs, from the trial of the base.
    pub trial_cost: Millis,
}

/// What is already known: lessons of earlier cycles, and what this cycle has dealt with.
#[derive(Debug, Clone, Default)]
pub struct Known<'a> {
    /// Lessons, the oldest first.
    pub lessons: Vec<&'a Lesson>,
    /// Keys of suggestions that are known to be bad.
    pub bad_items: BTreeSet<&'a str>,
    /// Topics that this cycle has dealt with and that did not land.
    pub closed: BTreeSet<&'a str>,
}

/// Opportunities, the best first, and the ids of those that are taken up.
pub fn rank(
    signals: &[Signal],
    terms: &Terms<'_>,
    known: &Known<'_>,
    mint: &mut dyn FnMut() -> OpportunityId,
) -> (Vec<Opportunity>, Vec<OpportunityId>) {
    let open: Vec<Signal> = signals.iter().filter(|signal| !known_bad(signal, known)).cloned().collect();
    let rejections = rejections(&known.lessons);
    let mut opportunities: Vec<Opportunity> = group(&open)
        .into_iter()
        .filter(|group| {
            (terms.wants)(group.kind) && (is_asked(group.kind) || !known.closed.contains(group.topic.as_str()))
        })
        .map(|group| {
            // Each time the same matter came to nothing, half of the confidence is left.
            let learned = rejections.get(group.topic.as_str()).copied().unwrap_or(0).min(10);
            let times = if is_asked(group.kind) { 0 } else { learned };
            Opportunity {
                id: mint(),
                tenant: terms.tenant.clone(),
                kind: group.kind,
                impact: impact(&group),
                risk: risk(&group),
                cost: terms.trial_cost,
                confidence: confidence(&group) / f64::from(1_u32 << times),
                title: group.title,
                topic: group.topic,
                evidence: group.evidence,
                files: group.files,
            }
        })
        .collect();
    opportunities.sort_by(|a, b| worth(b).total_cmp(&worth(a)).then_with(|| a.title.cmp(&b.title)));
    let chosen = opportunities
        .iter()
        .filter(|opportunity| is_asked(opportunity.kind) || opportunity.risk <= terms.risk_tolerance)
        .take(terms.cap)
        .map(|opportunity| opportunity.id)
        .collect();
    (opportunities, chosen)
}

/// What a person asks for is taken up as often as they ask, whatever came of it before.
fn is_asked(kind: OpportunityKind) -> bool {
    matches!(kind, OpportunityKind::Goal | OpportunityKind::Proposal)
}

/// What an opportunity is ranked by: its impact, as far as it can be believed.
fn worth(opportunity: &Opportunity) -> f64 {
    opportunity.impact.score() * opportunity.confidence
}

fn known_bad(signal: &Signal, known: &Known<'_>) -> bool {
    matches!(&signal.kind, SignalKind::Diagnostic { key, .. } if known.bad_items.contains(key.as_str()))
}

fn rejections<'a>(lessons: &[&'a Lesson]) -> BTreeMap<&'a str, u32> {
    let mut times: BTreeMap<&str, u32> = BTreeMap::new();
    for lesson in lessons {
        match lesson.word {
            Word::Rejected | Word::Inconclusive | Word::RolledBack if !lesson.tells => {}
            Word::Rejected | Word::Inconclusive | Word::RolledBack => *times.entry(&lesson.topic).or_default() += 1,
            Word::Landed | Word::Kept => {
                times.remove(lesson.topic.as_str());
            }
            Word::Asked | Word::Opened | Word::Queued | Word::Declined => {}
        }
    }
    times
}

#[cfg(test)]
mod tests {
    use super::*;
    use kaizen_domain::signal::Place;
    use kaizen_domain::{LessonId, RelPath, SignalId, TestId, Tool};

    fn finding(n: u8, lint: &str, fixable: bool) -> Signal {
        Signal {
            id: SignalId::new(1, [n; 10]),
            place: Some(Place { path: RelPath::new(format!("src/{n}.rs")).unwrap(), line: 1 }),
            kind: SignalKind::Diagnostic {
                tool: Tool::Clippy,
                lint: lint.to_owned(),
                message: "m".to_owned(),
                fixable,
                key: format!("{lint}{n}"),
            },
        }
    }

    fn ranked(signals: &[Signal], known: &Known<'_>, cap: usize) -> (Vec<Opportunity>, usize) {
        let terms = Terms {
            tenant: TenantId::local(),
            wants: &|_| true,
            risk_tolerance: Risk::Medium,
            cap,
            trial_cost: Millis(1),
        };
        let mut n = 0;
        let mut mint = || {
            n += 1;
            OpportunityId::new(n, [0; 10])
        };
        let (opportunities, chosen) = rank(signals, &terms, known, &mut mint);
        (opportunities, chosen.len())
    }

    #[test]
    fn a_failing_test_goes_before_findings_and_findings_go_by_lint() {
        let failing = Signal {
            id: SignalId::new(1, [9; 10]),
            place: None,
            kind: SignalKind::FailingTest { test: TestId("a/lib::t".to_owned()), output: String::new() },
        };
        let signals =
            [finding(1, "clippy::a", true), finding(2, "clippy::a", true), finding(3, "clippy::b", true), failing];
        let (opportunities, chosen) = ranked(&signals, &Known::default(), 2);
        let titles: Vec<&str> = opportunities.iter().map(|o| o.title.as_str()).collect();
        assert_eq!(
            titles,
            ["repair failing test a/lib::t", "clear 2 findings of clippy::a", "clear 1 finding of clippy::b"]
        );
        assert_eq!(chosen, 2);
        assert_eq!(opportunities[1].kind, OpportunityKind::Cleanup);
    }

    #[test]
    fn what_was_shown_to_be_bad_does_not_come_back() {
        let known = Known { bad_items: BTreeSet::from(["clippy::a1"]), ..Known::default() };
        let (opportunities, _) = ranked(&[finding(1, "clippy::a", true)], &known, 9);
        assert!(opportunities.is_empty());
    }

    #[test]
    fn a_matter_that_came_to_nothing_is_believed_half_as_much_until_it_lands() {
        let lesson = |word| Lesson {
            id: LessonId::new(1, [0; 10]),
            topic: "lint:clippy::a".to_owned(),
            word,
            text: String::new(),
            bad_items: Vec::new(),
            tells: true,
        };
        let (bad, good) = (lesson(Word::Rejected), lesson(Word::Landed));
        let silent = Lesson { tells: false, ..lesson(Word::Inconclusive) };
        let confidence = |lessons: Vec<&Lesson>| {
            ranked(&[finding(1, "clippy::a", true)], &Known { lessons, ..Known::default() }, 9).0[0].confidence
        };
        assert!((confidence(vec![&bad]) - 0.45).abs() < 1e-9);
        assert!((confidence(vec![&bad, &good]) - 0.9).abs() < 1e-9);
        assert!((confidence(vec![&silent, &silent]) - 0.9).abs() < 1e-9);
    }
}
