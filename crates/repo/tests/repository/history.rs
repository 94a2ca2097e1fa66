//! How commits relate, how old lines are, how messages are worded, and finding Kaizen's own commits again.

use kaizen_domain::OpportunityKind;
use kaizen_repo::Shape;

use crate::support::{Fixture, branch, commit, raw_commit, rel};

#[test]
fn commits_relate_as_git_says() {
    let fixture = Fixture::new();
    let first = fixture.head();
    let left = fixture.with_file(&first, "l", "l");
    let right = fixture.with_file(&first, "r", "r");
    let alone = raw_commit(&fixture.raw(), &[]);
    let repo = fixture.repo();
    assert_eq!(repo.merge_base(&left, &right).unwrap(), Some(first.clone()));
    assert_eq!(repo.merge_base(&left, &alone).unwrap(), None);
    assert!(repo.is_ancestor(&first, &left).unwrap() && repo.is_ancestor(&left, &left).unwrap());
    assert!(!repo.is_ancestor(&left, &first).unwrap() && !repo.is_ancestor(&left, &right).unwrap());
    assert!(repo.is_ancestor(&commit(&"3".repeat(40)), &first).is_err());
}

#[test]
fn lines_are_as_old_as_blame_says() {
    let fixture = Fixture::empty();
    let dated = |seconds: u32, text: &str| {
        fixture.write("a.rs", text);
        fixture.git(["add", "-A"]);
        let date = format!("--date={seconds} +0000");
        fixture.git(["commit", "-q", "-m", "x", date.as_str()]);
    };
    dated(1_000_000_100, "one\ntwo\nthree\nfour\n");
    dated(1_000_000_200, "zero\none\ntwo\nTHREE\nfour\n");
    fixture.git(["checkout", "-q", "-b", "side", "HEAD~1"]);
    dated(1_000_000_300, "one\ntwo\nthree\nfour\nfive\n");
    fixture.git(["checkout", "-q", "main"]);
    fixture.git(["merge", "-q", "--no-edit", "side"]);
    fixture.write("other", "x");
    let head = fixture.commit_all("Another file");
    assert_eq!(fixture.text("a.rs"), "zero\none\ntwo\nTHREE\nfour\nfive\n");
    let ages = fixture.repo().line_ages(&head, &rel("a.rs"), &[6, 1, 2, 3, 4, 5, 0, 7, 2]).unwrap();
    let blame = fixture.git(["blame", "--line-porcelain", "a.rs"]);
    let told: Vec<i64> =
        blame.lines().filter_map(|line| line.strip_prefix("author-time ")).map(|time| time.parse().unwrap()).collect();
    let expected: Vec<_> =
        [6, 1, 2, 3, 4, 5, 0, 7, 2].map(|line: usize| line.checked_sub(1).and_then(|at| told.get(at)).copied()).into();
    assert_eq!(ages, expected);
    assert_eq!(ages[0], Some(1_000_000_300));
    assert!(fixture.repo().line_ages(&head, &rel("nothing"), &[1]).is_err());
}

#[test]
fn a_very_large_file_has_no_ages() {
    let fixture = Fixture::empty();
    fixture.write("big", "x\n".repeat(2_000_000));
    let head = fixture.commit_all("Big");
    assert_eq!(fixture.repo().line_ages(&head, &rel("big"), &[1]).unwrap(), [None]);
}

#[test]
fn the_wording_of_subjects_is_learnt_from_history_without_merges() {
    let fixture = Fixture::new();
    for subject in ["fix: a", "feat(core): b", "chore!: c", "docs: d"] {
        fixture.commit_all(subject);
    }
    let style = fixture.repo().message_style(&fixture.head()).unwrap();
    assert!(matches!(&style.shape, Shape::Conventional { types } if types.len() == 4), "{style:?}");
    assert_eq!(style.subject(OpportunityKind::Goal, "Count the tax\nonce"), "feat: count the tax once");
}

#[test]
fn commits_with_the_mark_are_found_on_every_branch_newest_first() {
    let fixture = Fixture::new();
    let first = fixture.commit_all("One\n\nKaizen-Patch: p1\nKaizen-Cycle: c1");
    fixture.commit_all("Plain\n\nKaizen-Patch in prose: no");
    fixture.git(["checkout", "-q", "-b", "side"]);
    fixture.git(["commit", "-q", "--allow-empty", "-m", "Two\n\nText.\n\nKaizen-Patch: p2"]);
    let second = fixture.head();
    fixture.git(["pack-refs", "--all"]);
    let found = fixture.repo().trailers(1000).unwrap();
    let mut ids: Vec<_> = found.iter().map(|(id, _)| id.clone()).collect();
    ids.sort();
    let mut expected = vec![first.clone(), second];
    expected.sort();
    assert_eq!(ids, expected);
    let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    let of_first = found.iter().find(|(id, _)| *id == first).map(|(_, trailers)| trailers.clone());
    assert_eq!(of_first, Some(vec![pair("Kaizen-Patch", "p1"), pair("Kaizen-Cycle", "c1")]));
    assert!(fixture.repo().trailers(0).unwrap().is_empty());
    assert_eq!(fixture.repo().ref_target(&branch("side")).unwrap(), Some(fixture.head()));
}
