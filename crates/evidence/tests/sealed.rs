//! Sealed statements: they open with the key that signed them and not otherwise, whatever byte is changed.

use std::os::unix::fs::PermissionsExt as _;

use kaizen_domain::{
    Authorship, Check, CommitId, CycleId, Decision, EngineName, Millis, OpportunityId, OpportunityKind, PatchId,
    Review, Spend, TreeId,
};
use kaizen_evidence::{
    Evidence, InstallationKey, KeyError, OpenError, PublicKey, Statement, TestsTried, digest, open, seal,
};
use proptest::prelude::*;

fn commit(letter: &str) -> CommitId {
    CommitId::new(letter.repeat(40)).expect("it is a name")
}

fn statement() -> Statement {
    let tried = || TestsTried {
        commit: commit("b"),
        toolchain: "rustc 1.95.0".to_owned(),
        layers: Vec::new(),
        tests: [("a/lib::adds".to_owned(), kaizen_domain::TestOutcome::Passed)].into(),
        flaky: Vec::new(),
        artefacts: Default::default(),
        unreached: Vec::new(),
        moved: Default::default(),
        with_features: None,
        wall: Millis(7),
    };
    let evidence = Evidence {
        kaizen: "0.1.0".to_owned(),
        cycle: CycleId::new(1, [1; 10]),
        patch: PatchId::new(1, [2; 10]),
        opportunity: OpportunityId::new(1, [3; 10]),
        kind: OpportunityKind::Repair,
        author: Authorship { agent: "debugger".to_owned(), engine: EngineName::Rustfix, model: None, uses: Vec::new() },
        base: commit("a"),
        diff_sha256: digest("-a\n+b\n"),
        check: Check::NothingBreaks,
        review: Review::of(Vec::new(), Vec::new()),
        before: tried(),
        after: tried(),
        noticed: None,
        behaviour: None,
        speed: None,
        decision: Decision::Land,
        approved: false,
        spend: Spend::default(),
    };
    Statement::new("Add up \u{202e}", commit("c"), TreeId::new("d".repeat(40)).expect("it is a name"), evidence)
}

fn key() -> (tempfile::TempDir, InstallationKey) {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let key = InstallationKey::of(&folder.path().join("evidence.key")).expect("a key can be made");
    (folder, key)
}

#[test]
fn a_key_is_made_once_and_read_by_its_user_alone() {
    let (folder, key) = key();
    let path = folder.path().join("evidence.key");
    assert_eq!(InstallationKey::of(&path).expect("it is there").public(), key.public());
    let mode = std::fs::metadata(&path).expect("it is there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(std::fs::read_dir(folder.path()).expect("it is a folder").count(), 1, "nothing is left beside it");
    assert_eq!(key.public().to_string().parse::<PublicKey>().expect("it is one"), key.public());
    std::fs::write(&path, "no key").expect("a file can be written");
    assert!(matches!(InstallationKey::of(&path), Err(KeyError::NoKey { .. })));
}

#[test]
fn what_is_sealed_opens_with_its_key_and_with_no_other() {
    let (_folder, key) = key();
    let (_other_folder, other) = self::key();
    let sealed = seal(&statement(), &key).expect("it can be sealed");
    assert_eq!(sealed, seal(&statement(), &key).expect("it can be sealed"), "the same again");
    assert_eq!(open(&sealed, &key.public()), Ok(statement()));
    let expected = OpenError::AnotherKey { by: key.public().id(), wanted: other.public().id() };
    assert_eq!(open(&sealed, &other.public()), Err(expected));
    for nothing in ["", "{}", "[]", "null", "a note of somebody's"] {
        assert!(matches!(open(nothing, &key.public()), Err(OpenError::NotAnEnvelope { .. })), "{nothing}");
    }
}

#[test]
fn whatever_byte_is_changed_it_does_not_open() {
    let (_folder, key) = key();
    let sealed = seal(&statement(), &key).expect("it can be sealed").into_bytes();
    for at in 0..sealed.len() {
        for bit in [1, 1 << (at % 7)] {
            let mut changed = sealed.clone();
            changed[at] ^= bit;
            let text = String::from_utf8(changed).expect("the highest bit is left alone");
            assert!(open(&text, &key.public()).is_err(), "byte {at}, bit {bit}: {text}");
        }
    }
}

proptest! {
    #[test]
    fn no_text_makes_it_fail_in_another_way(text in ".{0,200}", at in 0_usize..2_000, more in "[ -~]{0,8}") {
        let (_folder, key) = key();
        let _ = open(&text, &key.public());
        let mut sealed = seal(&statement(), &key).expect("it can be sealed");
        let at = at.min(sealed.len());
        sealed.insert_str(at, &more);
        prop_assert_eq!(open(&sealed, &key.public()).is_ok(), more.is_empty());
    }
}
