//! The life of a pull request: the usual ways through it, and what no sequence of events may bring about.

#![expect(clippy::unwrap_used, reason = "a test may stop where what it builds on is not there")]

use kaizen_domain::pull_request::{MAX_REBASES, MAX_ROUNDS};
use kaizen_domain::{
    BranchName, CommitId, PatchId, Proposal, PullRequest, PullRequestEvent as E, PullRequestStage as S, RevisionReason,
};
use proptest::prelude::*;

fn commit(n: u8) -> CommitId {
    CommitId::new(format!("{n:02x}").repeat(20)).unwrap()
}

fn patch(n: u8) -> PatchId {
    PatchId::new(1, [n; 10])
}

fn intended() -> E {
    let branch = |name: &str| BranchName::new(name).unwrap();
    E::OpeningIntended {
        proposal: Proposal {
            branch: branch("kaizen/c1/1-x"),
            head: commit(1),
            onto: branch("main"),
            base: commit(0),
            title: "X".to_owned(),
            body: String::new(),
            draft: false,
            labels: Vec::new(),
            reviewers: Vec::new(),
        },
    }
}

fn moved(n: u8) -> RevisionReason {
    RevisionReason::BaseMoved { to: commit(n) }
}

fn events() -> Vec<E> {
    let key = || "k".to_owned();
    let red = RevisionReason::RedCheck { checks: vec![key()], log: String::new() };
    vec![
        intended(),
        E::Opened { number: 7, url: String::new() },
        E::Withheld { reason: key() },
        E::Checked { commit: commit(1), failed: Vec::new() },
        E::Heard { key: key(), asks: None },
        E::RevisionBegun { reason: moved(3) },
        E::RevisionBegun { reason: red },
        E::RevisionFailed { reason: key() },
        E::PushIntended { to: commit(4), base: commit(3), holds: patch(2) },
        E::Pushed { body: Some(key()) },
        E::CommentIntended { key: key(), text: key() },
        E::Commented { key: key() },
        E::Merged { commit: None },
        E::CloseIntended { reason: key(), superseded: true },
        E::Closed { by_us: true },
        E::Closed { by_us: false },
    ]
}

#[test]
fn it_is_opened_changed_and_merged() {
    let story = [
        intended(),
        E::Opened { number: 7, url: "u".to_owned() },
        E::RevisionBegun { reason: moved(3) },
        E::PushIntended { to: commit(4), base: commit(3), holds: patch(2) },
        E::Pushed { body: None },
        E::Merged { commit: Some(commit(5)) },
    ];
    let pull = PullRequest::fold(patch(1), &story).unwrap();
    assert_eq!((pull.stage, pull.number, pull.holds), (S::Merged, Some(7), patch(2)));
    assert_eq!((pull.proposal.head, pull.proposal.base), (commit(4), commit(3)));
}

#[test]
fn what_is_not_needed_is_superseded_and_what_a_person_closes_is_a_no() {
    let open = [intended(), E::Opened { number: 7, url: String::new() }];
    let with = |more: &[E]| PullRequest::fold(patch(1), open.iter().chain(more)).unwrap().stage;
    let closing = |superseded| E::CloseIntended { reason: "x".to_owned(), superseded };
    assert_eq!(with(&[closing(true), E::Closed { by_us: true }]), S::Superseded);
    assert_eq!(with(&[closing(false), E::Closed { by_us: true }]), S::Closed);
    assert_eq!(with(&[E::Closed { by_us: false }]), S::Closed);
}

#[test]
fn what_was_refused_may_be_opened_later_and_what_was_open_may_not() {
    let withheld = E::Withheld { reason: "no".to_owned() };
    let refused = PullRequest::fold(patch(1), &[intended(), withheld.clone()]).unwrap();
    assert_eq!(refused.next(&intended()).unwrap().stage, S::Opening);
    let open = E::Opened { number: 1, url: String::new() };
    assert!(PullRequest::fold(patch(1), &[intended(), open, withheld, intended()]).is_err());
}

#[test]
fn rounds_end() {
    let mut pull = PullRequest::fold(patch(1), &[intended(), E::Opened { number: 1, url: String::new() }]).unwrap();
    let mut rounds = 0;
    while pull.rounds_left(&moved(3)) > 0 {
        pull = pull.next(&E::RevisionBegun { reason: moved(3) }).unwrap();
        pull = pull.next(&E::RevisionFailed { reason: "no".to_owned() }).unwrap();
        rounds += 1;
    }
    assert_eq!(rounds, MAX_REBASES);
    assert!(pull.clone().next(&E::RevisionBegun { reason: moved(3) }).is_err());
    let red = RevisionReason::RedCheck { checks: Vec::new(), log: String::new() };
    assert_eq!(pull.rounds_left(&red), MAX_ROUNDS);
}

proptest! {
    #[test]
    fn whatever_happens_the_state_is_sound_and_reads_back(picks in proptest::collection::vec(0usize..16, 0..60)) {
        let all = events();
        let mut told = vec![intended()];
        let mut pull = PullRequest::begin(patch(1), told.first()).unwrap();
        for pick in picks {
            let event = &all[pick];
            let over = pull.stage.is_over();
            if let Ok(next) = pull.clone().next(event) {
                // Nothing follows an end, unless it was refused before it was open; nothing is changed or closed before.
                let refused = matches!(pull.stage, S::Withheld { .. }) && pull.number.is_none();
                prop_assert!(!over || refused && next.stage == S::Opening);
                let begun = matches!(next.stage, S::Opening | S::Withheld { .. });
                prop_assert!(next.number.is_some() || begun);
                prop_assert!(next.rounds.values().all(|rounds| *rounds <= MAX_REBASES));
                told.push(event.clone());
                pull = next;
            }
        }
        let text = serde_json::to_string(&told).unwrap();
        let back: Vec<E> = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(PullRequest::fold(patch(1), &back).unwrap(), pull);
    }
}
