//! The life of a cycle and of an attempt: every event is tried at every state, and random walks along the steps that
//! are due always come to an end.
#![expect(clippy::unwrap_used, reason = "a test may stop where what it builds on is not there")]

use std::collections::BTreeMap;

use kaizen_domain::cycle::{CycleEvent, Lesson, MAX_COLLECTIONS};
use kaizen_domain::opportunity::Impact;
use kaizen_domain::patch::Authorship;
use kaizen_domain::*;
use proptest::prelude::*;

fn commit(n: u64) -> CommitId {
    CommitId::new(format!("{n:040x}")).unwrap()
}

fn id(n: u64) -> [u8; 10] {
    let mut bytes = [0; 10];
    bytes[..8].copy_from_slice(&n.to_le_bytes());
    bytes
}

fn request(dry_run: bool) -> CycleRequest {
    CycleRequest {
        base: Base { commit: commit(1), target: None, folder: String::new() },
        source: PatchSource::Engines,
        goal: None,
        only: Vec::new(),
        max_landings: 2,
        max_opportunities: 4,
        landing: LandingMode::Branch,
        update_worktree: false,
        dry_run,
        budget: Usd(0),
        revises: None,
        replays: None,
    }
}

fn report(trial: TrialId, of: CommitId) -> TrialReport {
    TrialReport {
        id: trial,
        commit: of,
        outcome: TrialOutcome::Ran,
        tests: BTreeMap::new(),
        durations: Default::default(),
        artefacts: Default::default(),
        flaky: Default::default(),
        speed: None,
        noticed: None,
        behaviour: None,
        layers: Vec::new(),
        toolchain: String::new(),
        wall: Millis(1),
        cpu: Millis(1),
        peak_memory: 0,
        network_attempts: 0,
        stopped_early: false,
        unreached: Vec::new(),
        moved: Default::default(),
        with_features: None,
    }
}

fn opportunity(n: u64) -> Opportunity {
    Opportunity {
        id: OpportunityId::new(n, id(n)),
        tenant: TenantId::local(),
        kind: OpportunityKind::Cleanup,
        title: format!("matter {n}"),
        topic: format!("lint:{n}"),
        evidence: Vec::new(),
        files: Vec::new(),
        impact: Impact { performance_gain: 1.0, affected_users: 1.0, frequency: 1.0 },
        risk: Risk::Low,
        cost: Millis(1),
        confidence: 0.9,
    }
}

fn patch(cycle: &Cycle, of: OpportunityId, n: u64) -> Patch {
    Patch {
        id: PatchId::new(n, id(n)),
        opportunity: of,
        base: cycle.tip.clone(),
        commit: commit(100 + n),
        tree: TreeId::new(format!("{n:040x}")).unwrap(),
        author: Authorship { agent: "Debugger".to_owned(), engine: EngineName::Rustfix, model: None, uses: Vec::new() },
        title: "t".to_owned(),
        rationale: String::new(),
        files: Vec::new(),
        diff: String::new(),
        items: vec!["i".to_owned()],
        more: false,
        benchmark: None,
        spend: Spend::default(),
    }
}

fn plan(of: OpportunityId) -> Answer {
    Answer::Plan(Plan {
        id: PlanId::new(1, id(1)),
        opportunity: of,
        task: Task {
            specialist: Specialist::Debugger,
            engine: EngineName::Rustfix,
            brief: String::new(),
            reach: Vec::new(),
            check: Check::NothingBreaks,
            rounds: 3,
        },
        rationale: String::new(),
    })
}

/// Carries a step out the way `choice` says, as the agents might.
fn outcome(cycle: &Cycle, step: Step, choice: u8, n: u64) -> Vec<CycleEvent> {
    let at = |opportunity, what| vec![CycleEvent::Attempt { opportunity, what }];
    let verdict = if choice.is_multiple_of(7) { Severity::Refusal } else { Severity::Note };
    match step {
        Step::TryBase => vec![CycleEvent::BaseTried { report: report(TrialId::new(n, id(n)), cycle.tip.clone()) }],
        Step::Collect => vec![CycleEvent::Collected { commit: cycle.tip.clone(), signals: Vec::new() }],
        Step::Rank => {
            let opportunities = vec![opportunity(2 * n), opportunity(2 * n + 1)];
            let chosen = opportunities.iter().map(|opportunity| opportunity.id).take(usize::from(choice % 3)).collect();
            vec![CycleEvent::Ranked { opportunities, chosen, settled: Vec::new() }]
        }
        Step::Plan(of) if choice.is_multiple_of(5) => at(
            of,
            AttemptEvent::Answered { answer: Answer::Declined { reason: "no".to_owned() }, spend: Spend::default() },
        ),
        Step::Plan(of) => at(of, AttemptEvent::Answered { answer: plan(of), spend: Spend::default() }),
        Step::Write(of) if choice.is_multiple_of(6) => at(
            of,
            AttemptEvent::GaveUp { reasons: Vec::new(), spend: Spend::default(), unanswered: false, uses: Vec::new() },
        ),
        Step::Write(of) => at(of, AttemptEvent::Written { patch: patch(cycle, of, n) }),
        Step::Review(of) => {
            let finding = Finding { severity: verdict, rule: "r".to_owned(), path: None, detail: String::new() };
            at(of, AttemptEvent::Reviewed { review: Review::of(vec![finding], Vec::new()) })
        }
        Step::Try(of) => match cycle.attempt(of).map(|attempt| attempt.stage.clone()) {
            Some(AttemptStage::Trying { trial }) => {
                let tried = cycle.attempt(of).and_then(|attempt| attempt.current()).unwrap().patch.commit.clone();
                at(of, AttemptEvent::TrialFinished { report: report(trial, tried) })
            }
            _ => at(of, AttemptEvent::TrialStarted { trial: TrialId::new(n, id(n)) }),
        },
        Step::Weigh(of) => {
            let refused = cycle
                .attempt(of)
                .and_then(|a| a.current())
                .and_then(|r| r.review.as_ref())
                .is_some_and(|r| r.verdict == Verdict::Refuse);
            let read = cycle.attempt(of).and_then(|a| a.current()).is_some_and(|r| r.read);
            let tried = cycle.attempt(of).is_some_and(|attempt| attempt.stage == AttemptStage::Tried);
            let finding = Finding { severity: verdict, rule: "r".to_owned(), path: None, detail: String::new() };
            let what = match choice % 5 {
                _ if tried && !read && choice.is_multiple_of(3) => {
                    AttemptEvent::Read { findings: vec![finding], spend: Spend::default() }
                }
                _ if refused => AttemptEvent::Decided { decision: Decision::Reject { reasons: Vec::new() } },
                0 if n < 200 => AttemptEvent::Reworked { reason: "again".to_owned() },
                1 => AttemptEvent::Decided { decision: Decision::Ask { reasons: vec!["why".to_owned()] } },
                2 => AttemptEvent::Decided { decision: Decision::Inconclusive { reasons: Vec::new() } },
                _ => AttemptEvent::Decided { decision: Decision::Land },
            };
            at(of, what)
        }
        Step::Intend(of) if cycle.request.dry_run => at(of, AttemptEvent::Withheld),
        Step::Intend(of) => {
            let to = cycle.attempt(of).and_then(|attempt| attempt.current()).unwrap().patch.commit.clone();
            let target = RefName::new("refs/heads/kaizen/c/landed").unwrap();
            let landing = Landing {
                target,
                from: Some(cycle.tip.clone()),
                to,
                branch: None,
                update_worktree: false,
                proposed: false,
            };
            at(of, AttemptEvent::LandingIntended { landing })
        }
        Step::Land(of) if choice.is_multiple_of(9) && cycle.moves < cycle::MAX_MOVES => {
            let mut events = at(of, AttemptEvent::BaseMoved { reason: "moved".to_owned() });
            events.push(CycleEvent::TipMoved { to: commit(500 + n) });
            events
        }
        Step::Land(of) => at(of, AttemptEvent::Landed),
        Step::Learn(of) => {
            let word = cycle.attempt(of).and_then(Attempt::word).unwrap();
            let lesson = Lesson {
                id: LessonId::new(n, id(n)),
                topic: String::new(),
                word,
                text: String::new(),
                bad_items: Vec::new(),
                tells: true,
            };
            vec![CycleEvent::Learned { lesson }]
        }
        Step::Finish => vec![CycleEvent::Finished],
        Step::Nothing => Vec::new(),
    }
}

proptest! {
    #[test]
    fn every_walk_along_the_steps_ends_and_can_be_cut_off_anywhere(choices in proptest::collection::vec(any::<u8>(), 1..40), dry_run: bool) {
        let first = CycleEvent::Started { request: request(dry_run) };
        let cycle_id = CycleId::new(1, id(1));
        let mut cycle = Cycle::new(cycle_id, request(dry_run));
        let mut log = vec![first];
        let mut n = 10;
        while cycle.step() != Step::Nothing {
            n += 1;
            prop_assert!(n < 2_000, "the cycle does not end: {:?}", cycle.step());
            let choice = choices[n as usize % choices.len()];
            let events = outcome(&cycle, cycle.step(), choice, n);
            prop_assert!(!events.is_empty());
            for event in &events {
                // What the journal gives back is what was written, and the state is a fold over it at any point.
                let text = serde_json::to_string(event).unwrap();
                let read: CycleEvent = serde_json::from_str(&text).unwrap();
                prop_assert_eq!(&read, event);
                log.push(read);
            }
            cycle = events.iter().try_fold(cycle, |cycle, event| cycle.next(event)).map_err(|error| TestCaseError::fail(error.to_string()))?;
            prop_assert_eq!(&Cycle::fold(cycle_id, &log).unwrap(), &cycle);
        }
        prop_assert!(cycle.count(Word::Landed) <= 2);
        prop_assert!(!dry_run || cycle.count(Word::Landed) == 0);
        prop_assert!(cycle.collections <= MAX_COLLECTIONS);
        // What lands was reviewed, passed, and was tried on exactly the commit it stands on.
        for attempt in cycle.attempts.iter().filter(|attempt| attempt.word() == Some(Word::Landed)) {
            let round = attempt.current().unwrap();
            prop_assert_ne!(round.review.as_ref().unwrap().verdict, Verdict::Refuse);
            prop_assert_eq!(&round.trial.as_ref().unwrap().commit, &round.patch.commit);
            prop_assert_eq!(attempt.landing.as_ref().unwrap().from.as_ref(), Some(&round.patch.base));
        }
    }
}

fn every_event(of: OpportunityId) -> Vec<AttemptEvent> {
    let cycle = Cycle::new(CycleId::new(1, id(1)), request(false));
    let landing = Landing {
        target: RefName::new("refs/heads/x").unwrap(),
        from: None,
        to: commit(2),
        branch: None,
        update_worktree: false,
        proposed: false,
    };
    vec![
        AttemptEvent::Answered { answer: plan(of), spend: Spend::default() },
        AttemptEvent::Written { patch: patch(&cycle, of, 1) },
        AttemptEvent::GaveUp { reasons: Vec::new(), spend: Spend::default(), unanswered: false, uses: Vec::new() },
        AttemptEvent::Reviewed { review: Review::of(Vec::new(), Vec::new()) },
        AttemptEvent::TrialStarted { trial: TrialId::new(1, id(1)) },
        AttemptEvent::TrialFinished { report: report(TrialId::new(1, id(1)), commit(2)) },
        AttemptEvent::Read { findings: Vec::new(), spend: Spend::default() },
        AttemptEvent::Reworked { reason: String::new() },
        AttemptEvent::Decided { decision: Decision::Land },
        AttemptEvent::LandingIntended { landing },
        AttemptEvent::Landed,
        AttemptEvent::BaseMoved { reason: String::new() },
        AttemptEvent::LandingFailed { reason: String::new() },
        AttemptEvent::Withheld,
        AttemptEvent::Stopped { reason: String::new() },
    ]
}

#[test]
fn an_attempt_takes_only_the_events_that_may_follow() {
    let of = OpportunityId::new(1, id(1));
    let events = every_event(of);
    let named = |name: &str| events.iter().find(|event| event.name() == name).unwrap();
    let mut attempt = Attempt::new(of);
    let mut table = String::new();
    let path = [
        "answered",
        "written",
        "reviewed",
        "trial_started",
        "trial_finished",
        "read",
        "decided",
        "landing_intended",
        "landed",
    ];
    for step in path.iter().map(Some).chain([None]) {
        let may: Vec<&str> =
            events.iter().filter(|event| attempt.clone().next(event).is_ok()).map(AttemptEvent::name).collect();
        table.push_str(&format!("{}: {}\n", attempt.stage.name(), may.join(" ")));
        if let Some(step) = step {
            attempt = attempt.next(named(step)).unwrap();
        }
    }
    assert_eq!(
        table,
        "chosen: answered stopped\n\
         writing: written gave_up stopped\n\
         written: reviewed stopped\n\
         reviewed: trial_started reworked stopped\n\
         trying: trial_started trial_finished stopped\n\
         tried: read reworked decided stopped\n\
         tried: reworked decided stopped\n\
         decided: landing_intended landing_failed withheld stopped\n\
         landing: landed base_moved landing_failed stopped\n\
         done: \n"
    );
}

#[test]
fn a_refused_patch_is_never_tried() {
    let of = OpportunityId::new(1, id(1));
    let cycle = Cycle::new(CycleId::new(1, id(1)), request(false));
    let finding = Finding { severity: Severity::Refusal, rule: "r".to_owned(), path: None, detail: String::new() };
    let attempt = [
        AttemptEvent::Answered { answer: plan(of), spend: Spend::default() },
        AttemptEvent::Written { patch: patch(&cycle, of, 1) },
        AttemptEvent::Reviewed { review: Review::of(vec![finding], Vec::new()) },
    ]
    .iter()
    .try_fold(Attempt::new(of), |attempt, event| attempt.next(event))
    .unwrap();
    let error = attempt.next(&AttemptEvent::TrialStarted { trial: TrialId::new(1, id(1)) }).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("event `trial_started` cannot follow stage `reviewed` of the attempt at {of}")
    );
}
