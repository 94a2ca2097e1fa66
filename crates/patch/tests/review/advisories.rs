//! Advisories: a version that something is known against does not come in unseen; what was there or goes away may.

use std::sync::Arc;

use kaizen_domain::review::{Review, Severity, Verdict};
use kaizen_patch::{Advisory, Policy, is_lock_file};

use crate::support::{change, lines_of, path, rules, with_policy};

const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";
const MANIFEST: &str = "[package]\nname = \"own\"\nversion = \"0.1.0\"\n\n[dependencies]\nlog = \"0.4\"\n";

/// Names with versions.
type Packages<'a> = &'a [(&'a str, &'a str)];

fn advisory(id: &str, package: &str, about: &str, versions: &str, title: &str) -> Advisory {
    let text = format!(
        "```toml\n[advisory]\nid = \"{id}\"\npackage = \"{package}\"\ndate = \"2020-11-18\"\n{about}\n\n[versions]\n{versions}\n\
         ```\n\n# {title}\n\nIt is described here.\n"
    );
    Advisory::parse(&text).unwrap_or_else(|fault| panic!("{fault}: {text}"))
}

/// What is known, and nothing to be said against other versions.
fn policy() -> Policy {
    let known = [
        advisory(
            "RUSTSEC-2020-0071",
            "time",
            "aliases = [\"CVE-2020-26235\"]\n[affected]\nos = [\"linux\", \"macos\"]",
            "patched = [\">= 0.2.23\"]\nunaffected = [\"=0.2.0\"]",
            "Potential segfault in the time crate",
        ),
        advisory(
            "RUSTSEC-2025-0141",
            "bincode",
            "informational = \"unmaintained\"",
            "patched = []",
            "Bincode is unmaintained",
        ),
        advisory(
            "RUSTSEC-2025-0007",
            "ring",
            "informational = \"unmaintained\"\nwithdrawn = \"2025-02-22\"",
            "patched = []",
            "*ring* is unmaintained",
        ),
    ];
    Policy {
        allow_lock_updates: true,
        allow_new_dependencies: true,
        advisories: Arc::new(known.into_iter().collect()),
        ..Policy::default()
    }
}

fn lock_from(source: &str, packages: Packages<'_>) -> String {
    let entry = |(name, version): &(&str, &str)| {
        format!("[[package]]\nname = \"{name}\"\nversion = \"{version}\"\nsource = \"{source}\"\nchecksum = \"aa\"\n\n")
    };
    let own = "[[package]]\nname = \"own\"\nversion = \"0.1.0\"\n\n";
    format!("version = 4\n\n{own}{}", packages.iter().map(entry).collect::<String>())
}

fn lock(packages: Packages<'_>) -> String {
    lock_from(REGISTRY, packages)
}

/// The review of a lock file that changes, with a manifest that asks for something new.
fn locked(before: Packages<'_>, after: Packages<'_>) -> Review {
    let manifest = MANIFEST.replace("log =", "new = \"1\"\nlog =");
    with_policy(
        &policy(),
        &[
            change("Cargo.toml", Some(MANIFEST), Some(&manifest)),
            change("Cargo.lock", Some(&lock(before)), Some(&lock(after))),
        ],
    )
}

/// The severity of what is said about advisories.
fn severity(review: &Review) -> Option<Severity> {
    review.findings.iter().find(|finding| finding.rule == "advisory").map(|finding| finding.severity)
}

#[test]
fn a_vulnerable_version_that_comes_in_is_refused() {
    let added = locked(&[("log", "0.4.1")], &[("log", "0.4.1"), ("time", "0.2.22")]);
    assert_eq!((added.verdict, severity(&added)), (Verdict::Refuse, Some(Severity::Refusal)), "{added:#?}");
    // Down to it from a repaired version, and to a second one beside a repaired one.
    assert_eq!(locked(&[("time", "0.3.36")], &[("time", "0.1.45")]).verdict, Verdict::Refuse);
    assert_eq!(locked(&[("time", "0.3.36")], &[("time", "0.3.36"), ("time", "0.1.45")]).verdict, Verdict::Refuse);
    // What is there already does not excuse more of it.
    assert_eq!(locked(&[("time", "0.1.45")], &[("time", "0.1.45"), ("time", "0.2.7")]).verdict, Verdict::Refuse);
    // A lock file of its own, and one in a folder.
    for file in ["Cargo.lock", "fuzz/Cargo.lock"] {
        let review = with_policy(&policy(), &[change(file, None, Some(&lock(&[("time", "0.2.22")])))]);
        assert_eq!(severity(&review), Some(Severity::Refusal), "{file}: {review:#?}");
    }
}

#[test]
fn what_is_only_worth_knowing_asks_a_person() {
    let review = locked(&[], &[("bincode", "2.0.1")]);
    assert_eq!((review.verdict, severity(&review)), (Verdict::AskPerson, Some(Severity::Person)), "{review:#?}");
}

#[test]
fn versions_that_nothing_is_known_against_come_in() {
    for package in [("time", "0.2.23"), ("time", "0.3.36"), ("time", "0.2.0"), ("ring", "0.17.14"), ("timer", "0.2.22")]
    {
        let review = locked(&[("log", "0.4.1")], &[("log", "0.4.1"), package]);
        assert_eq!((review.verdict, severity(&review)), (Verdict::Pass, None), "{package:?}: {review:#?}");
    }
}

#[test]
fn what_was_there_or_goes_away_needs_nobody() {
    let cases: [(Packages<'_>, Packages<'_>); 4] = [
        // It goes, or is mended.
        (&[("time", "0.2.22")], &[]),
        (&[("time", "0.2.22")], &[("time", "0.2.23")]),
        (&[("time", "0.1.45"), ("time", "0.2.22")], &[("time", "0.1.45")]),
        // It stays, while something else changes.
        (&[("time", "0.2.22"), ("log", "0.4.1")], &[("time", "0.2.22"), ("log", "0.4.2")]),
    ];
    for (before, after) in cases {
        let review = locked(before, after);
        assert_eq!((review.verdict, severity(&review)), (Verdict::Pass, None), "{before:?} {after:?}: {review:#?}");
    }
    // Another version with the same fault in place of one is no worse, and is said.
    let moved = locked(&[("time", "0.2.20")], &[("time", "0.2.22")]);
    assert_eq!((moved.verdict, severity(&moved)), (Verdict::Pass, Some(Severity::Note)), "{moved:#?}");
    let gone = with_policy(&policy(), &[change("Cargo.lock", Some(&lock(&[("time", "0.2.22")])), None)]);
    assert_eq!(severity(&gone), None);
}

#[test]
fn advisories_are_about_packages_of_the_registry() {
    let elsewhere = lock_from("git+https://example.org/time#1", &[("time", "0.2.22")]);
    let change_to = |after: &str| with_policy(&policy(), &[change("Cargo.lock", Some(&lock(&[])), Some(after))]);
    assert_eq!(severity(&change_to(&elsewhere)), None);
    let inside = lock(&[]).replace("name = \"own\"\nversion = \"0.1.0\"", "name = \"time\"\nversion = \"0.2.22\"");
    assert_eq!(severity(&change_to(&inside)), None);
    // What came from elsewhere before was other code.
    let review = with_policy(&policy(), &[change("Cargo.lock", Some(&elsewhere), Some(&lock(&[("time", "0.2.22")])))]);
    assert_eq!(severity(&review), Some(Severity::Refusal));
}

#[test]
fn nothing_is_known_unless_a_person_says_where_to_look() {
    let before = lock(&[("log", "0.4.1")]);
    let after = lock(&[("log", "0.4.1"), ("time", "0.2.22")]);
    let review = with_policy(&Policy::default(), &[change("Cargo.lock", Some(&before), Some(&after))]);
    assert_eq!(rules(&review), ["lock-file"]);
    let broken = with_policy(&policy(), &[change("Cargo.lock", Some(&before), Some("x = ["))]);
    assert_eq!(rules(&broken), ["does-not-parse"]);
}

#[test]
fn a_version_that_cannot_be_compared_is_not_taken_for_a_safe_one() {
    let review = locked(&[], &[("time", "0.3.36.1\\u001b[2J")]);
    assert_eq!(severity(&review), Some(Severity::Refusal));
    assert!(review.findings.iter().all(|finding| !finding.detail.contains('\u{1b}')), "{review:#?}");
}

#[test]
fn lock_files_are_known_by_name() {
    assert!(is_lock_file(&path("Cargo.lock")) && is_lock_file(&path("a/cargo.LOCK")));
    assert!(!is_lock_file(&path("Cargo.lock.md")) && !is_lock_file(&path("Cargo.lock/a")));
}

#[test]
fn findings_about_advisories_read_well() {
    let after = [("bincode", "2.0.1"), ("time", "0.2.22"), ("time", "0.3.36")];
    let review = locked(&[], &after);
    let found: Vec<String> =
        lines_of(&review).lines().filter(|line| line.contains(" advisory ")).map(str::to_owned).collect();
    insta::assert_snapshot!(found.join("\n"), @r"
    Refusal advisory Cargo.lock: brings in `time 0.2.22`, which is vulnerable: RUSTSEC-2020-0071, Potential segfault in the time crate (on linux, macos); patched in >=0.2.23
    Person advisory Cargo.lock: brings in `bincode 2.0.1`, which has an advisory: RUSTSEC-2025-0141 (unmaintained), Bincode is unmaintained; no version is patched; a person must agree
    ");
    let moved = lines_of(&locked(&[("time", "0.2.20")], &[("time", "0.2.22")]));
    assert!(
        moved.contains("Note advisory Cargo.lock: `time 0.2.22` still has an advisory: RUSTSEC-2020-0071, Potential"),
        "{moved}"
    );
}
