//! Lessons: drawn from how an opportunity ended, and brought to the next ranking.

use std::collections::BTreeSet;

use kaizen_domain::cycle::{CycleEvent, Lesson};
use kaizen_domain::{
    Attempt, AttemptStage, CommitId, Cycle, CycleId, Diagnostic, EngineName, Event, LessonId, Millis, OpportunityId,
    OpportunityKind, Record, RevisionReason, Signal, SignalKind, TurnedDownItem, Word,
};
use kaizen_insight::{Known, Terms, rank as rank_signals};
use kaizen_repo::Repo;

use crate::architect::closed_topics;
use crate::clock::Clock;
use crate::cycle::fold;
use crate::new_id;
use crate::pull_requests::book;
use crate::world::World;

/// What the end of an opportunity teaches.
pub(crate) fn lesson(clock: &dyn Clock, cycle: &Cycle, id: OpportunityId) -> Lesson {
    let topic = cycle.opportunity(id).map(|opportunity| opportunity.topic.clone()).unwrap_or_default();
    let (word, reasons) = match cycle.attempt(id).map(|attempt| &attempt.stage) {
        Some(AttemptStage::Done { word, reasons }) => (*word, reasons.clone()),
        _ => (Word::Inconclusive, Vec::new()),
    };
    Lesson {
        id: LessonId::new(clock.now().0, clock.random()),
        topic,
        word,
        text: reasons.join("; "),
        bad_items: bad_items(cycle, id),
        tells: word != Word::Inconclusive || was_tried(cycle, id),
    }
}

fn was_tried(cycle: &Cycle, id: OpportunityId) -> bool {
    cycle.attempt(id).is_some_and(|attempt| attempt.rounds.iter().any(|round| round.trial.is_some()))
}

/// The suggestions that the search showed to be bad: those of a failed proposal that stood alone on what had passed.
fn bad_items(cycle: &Cycle, id: OpportunityId) -> Vec<String> {
    let Some(attempt) = cycle.attempt(id) else { return Vec::new() };
    if attempt.plan.as_ref().map(|plan| plan.task.engine) != Some(EngineName::Rustfix) {
        return Vec::new();
    }
    let landed: BTreeSet<&String> = match (attempt.word(), attempt.current()) {
        (Some(Word::Landed | Word::Queued | Word::Asked), Some(round)) => round.patch.items.iter().collect(),
        _ => BTreeSet::new(),
    };
    let decided = matches!(attempt.word(), Some(Word::Landed | Word::Queued | Word::Asked | Word::Rejected));
    let all = attempt.rounds.iter().flat_map(|round| &round.patch.items);
    let mut bad: Vec<String> = all.filter(|item| decided && !landed.contains(item)).cloned().collect();
    bad.sort();
    bad.dedup();
    bad
}

/// The records that a cycle may learn from: not those of replays, which only say again what is known; and for a replay not
/// what came after the cycle that it repeats began.
pub(crate) fn known_to(cycle: &Cycle, mut records: Vec<Record>) -> Vec<Record> {
    let mut replays: BTreeSet<CycleId> = BTreeSet::new();
    let mut until = None;
    for record in &records {
        if let Event::Cycle { cycle: id, event: CycleEvent::Started { request } } = &record.event {
            if request.replays.is_some() && *id != cycle.id {
                replays.insert(*id);
            }
            if Some(*id) == cycle.request.replays {
                until = Some(record.seq);
            }
        }
    }
    records.retain(|record| {
        let of = match &record.event {
            Event::Cycle { cycle, .. } => Some(*cycle),
            _ => None,
        };
        of == Some(cycle.id)
            || (of.is_none_or(|of| !replays.contains(&of)) && until.is_none_or(|until| record.seq < until))
    });
    records
}

/// Ranks the signals of the last collection, in the light of what was learned in this cycle and in earlier ones.
pub(crate) fn rank(world: &World, cycle: &Cycle, records: &[Record]) -> CycleEvent {
    let past: Vec<&Lesson> = records
        .iter()
        .filter_map(|record| match &record.event {
            Event::Cycle { cycle: of, event: CycleEvent::Learned { lesson } } if *of != cycle.id => Some(lesson),
            _ => None,
        })
        .collect();
    let newest = newest_signals(cycle, records);
    let mut settled = if cycle.collections == 1 { settled(world, cycle, records) } else { Settled::default() };
    settled.turned_down(world, cycle, records, &newest);
    let proposed = if cycle.request.revises.is_none() { book::taken_topics(records) } else { BTreeSet::new() };
    let known = Known {
        lessons: past,
        bad_items: cycle.bad_items().into_iter().chain(settled.items.iter().map(String::as_str)).collect(),
        closed: closed_topics(cycle)
            .into_iter()
            .chain(settled.topics.iter().chain(&proposed).map(String::as_str))
            .collect(),
    };
    let most = (cycle.request.max_opportunities as usize).saturating_sub(cycle.attempts.len());
    let terms = Terms {
        tenant: world.tenant.clone(),
        wants: &|kind| cycle.request.source.title().is_some() || cycle.request.wants(kind),
        risk_tolerance: world.settings.cycle.risk_tolerance,
        cap: most,
        trial_cost: cycle.base_report.as_ref().map_or(Millis(0), |report| report.wall),
    };
    let clock = world.clock.clone();
    let (opportunities, mut chosen) = rank_signals(&newest, &terms, &known, &mut || new_id!(OpportunityId, clock));
    // What is made again is one matter, however it ranks now.
    if let Some(RevisionReason::Redo { topic, .. }) = cycle.request.revises.as_ref().map(|revision| &revision.reason) {
        chosen = opportunities.iter().filter(|one| one.topic == *topic).map(|one| one.id).collect();
    }
    let settled = settled.items.into_iter().collect();
    CycleEvent::Ranked { opportunities, chosen, settled }
}

/// What earlier cycles settled on the same base.
#[derive(Default)]
struct Settled {
    items: BTreeSet<String>,
    topics: BTreeSet<String>,
}

impl Settled {
    /// What a person turned down, as it stands now.
    fn turned_down(&mut self, world: &World, cycle: &Cycle, records: &[Record], signals: &[Signal]) {
        let mut unwanted = Vec::new();
        for record in records {
            if let Event::TurnedDown { items, topic, .. } = &record.event {
                unwanted.extend(items);
                self.topics.extend(topic.clone());
            }
        }
        let Ok(repo) = world.repo() else { return };
        for signal in signals.iter().filter(|_| !unwanted.is_empty()) {
            let SignalKind::Diagnostic { key, .. } = &signal.kind else { continue };
            if turned_down_item(&repo, &cycle.tip, signal).is_some_and(|item| unwanted.contains(&&item)) {
                self.items.insert(key.clone());
            }
        }
    }
}

/// What is remembered of a finding that a person does not want changed, from the commit that it was found on; none for a
/// signal of another kind.
#[must_use]
pub fn turned_down_item(repo: &Repo, commit: &CommitId, signal: &Signal) -> Option<TurnedDownItem> {
    let SignalKind::Diagnostic { lint, message, key, .. } = &signal.kind else { return None };
    let (path, bytes) = Diagnostic::place_of(key, lint, message)?;
    let text = String::from_utf8(repo.read(commit, &path).ok()??.bytes).ok()?.get(bytes)?.to_owned();
    Some(TurnedDownItem { lint: lint.clone(), path, text })
}

/// Suggestions that were shown to be bad on this very base, what landed on a branch that still waits to be taken or was put
/// before a person who has not decided: doing it once more would only double it.
fn settled(world: &World, cycle: &Cycle, records: &[Record]) -> Settled {
    let mut settled = Settled::default();
    let Ok(repo) = world.repo() else { return settled };
    let mut ids: Vec<CycleId> = Vec::new();
    for record in records {
        if let Event::Cycle { cycle: id, event: CycleEvent::Started { request } } = &record.event
            && *id != cycle.id
            && request.base.commit == cycle.request.base.commit
        {
            ids.push(*id);
        }
    }
    for earlier in ids.into_iter().filter_map(|id| fold(id, records).ok()) {
        settled.items.extend(earlier.lessons.iter().flat_map(|lesson| lesson.bad_items.iter().cloned()));
        let stands = |attempt: &&Attempt| matches!(attempt.word(), Some(Word::Landed | Word::Asked));
        for attempt in earlier.attempts.iter().filter(stands) {
            let waits = attempt
                .landing
                .as_ref()
                .is_some_and(|landing| repo.ref_target(&landing.target).is_ok_and(|tip| tip.is_some()));
            let (Some(round), true) = (attempt.current(), waits) else { continue };
            settled.items.extend(round.patch.items.iter().cloned());
            // What a person asks for again is done again.
            let opportunity = earlier
                .opportunity(attempt.opportunity)
                .filter(|opportunity| !matches!(opportunity.kind, OpportunityKind::Proposal | OpportunityKind::Goal));
            if round.patch.items.is_empty() {
                settled.topics.extend(opportunity.map(|opportunity| opportunity.topic.clone()));
            }
        }
    }
    settled
}

/// The signals of the last collection only: earlier ones have been ranked.
fn newest_signals(cycle: &Cycle, records: &[Record]) -> Vec<Signal> {
    let last = records.iter().rev().find_map(|record| match &record.event {
        Event::Cycle { cycle: of, event: CycleEvent::Collected { signals, .. } } if *of == cycle.id => {
            Some(signals.clone())
        }
        _ => None,
    });
    last.unwrap_or_default()
}
