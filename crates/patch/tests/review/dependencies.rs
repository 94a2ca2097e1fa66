//! Manifests and lock files: what comes in asks a person or is refused, what goes out does not.

use kaizen_domain::review::{Review, Verdict};
use kaizen_patch::Policy;

use crate::support::{change, changed, rules, with_policy};

const MANIFEST: &str = "[package]\nname = \"a\"\nversion = \"0.1.0\"\n\n[dependencies]\nlog = \"0.4\"\nserde = { version = \"1\", features = [\"derive\"] }\n\n[dev-dependencies]\ninsta = \"1\"\n";
const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

fn manifest(after: &str) -> Review {
    changed("Cargo.toml", MANIFEST, after)
}

fn lock(packages: &[(&str, &str, &str, &str)]) -> String {
    let entry = |(name, version, source, checksum): &(&str, &str, &str, &str)| {
        let source = if source.is_empty() {
            String::new()
        } else {
            format!("source = \"{source}\"\nchecksum = \"{checksum}\"\n")
        };
        format!("[[package]]\nname = \"{name}\"\nversion = \"{version}\"\n{source}\n")
    };
    format!("version = 4\n\n{}", packages.iter().map(entry).collect::<String>())
}

#[test]
fn a_new_dependency_asks_a_person_in_every_table() {
    for more in [
        "[dependencies.rand]\nversion = \"1\"\n",
        "[build-dependencies]\ncc = \"1\"\n",
        "[target.'cfg(unix)'.dependencies]\nlibc = \"0.2\"\n",
        "[workspace.dependencies]\nrand = \"1\"\n",
        "[target.x86_64-unknown-linux-gnu.dev-dependencies]\nrand = { path = \"../rand\" }\n",
    ] {
        let review = manifest(&format!("{MANIFEST}\n{more}"));
        assert_eq!(
            (review.verdict, rules(&review)),
            (Verdict::AskPerson, vec!["new-dependency"]),
            "{more}: {review:#?}"
        );
    }
    let allowed = Policy { allow_new_dependencies: true, ..Policy::default() };
    let after = MANIFEST.replace("log =", "rand = \"1\"\nlog =");
    assert_eq!(with_policy(&allowed, &[change("Cargo.toml", Some(MANIFEST), Some(&after))]).verdict, Verdict::Pass);
}

#[test]
fn another_source_version_or_feature_asks_a_person() {
    for (from, to) in [
        ("log = \"0.4\"", "log = \"*\""),
        ("log = \"0.4\"", "log = { version = \"0.4\", path = \"../log\" }"),
        ("log = \"0.4\"", "log = { version = \"0.4\", registry = \"mine\" }"),
        ("log = \"0.4\"", "log = { version = \"0.4\", package = \"gol\" }"),
        ("[\"derive\"]", "[\"derive\", \"rc\"]"),
    ] {
        let review = manifest(&MANIFEST.replace(from, to));
        assert_eq!((review.verdict, rules(&review)), (Verdict::AskPerson, vec!["new-dependency"]), "{to}: {review:#?}");
    }
}

#[test]
fn git_sources_and_patched_registries_are_refused() {
    for after in [
        MANIFEST.replace("log = \"0.4\"", "log = { git = \"https://x/log\" }"),
        MANIFEST.replace("log =", "rand = { git = \"https://x/rand\" }\nlog ="),
        format!("{MANIFEST}\n[patch.crates-io]\nlog = {{ path = \"x\" }}\n"),
        format!("{MANIFEST}\n[replace]\n\"log:0.4.0\" = {{ path = \"x\" }}\n"),
        "not toml [".to_owned(),
    ] {
        assert_eq!(manifest(&after).verdict, Verdict::Refuse, "{after}");
    }
}

#[test]
fn taking_a_dependency_out_needs_nobody() {
    let review = manifest(&MANIFEST.replace("log = \"0.4\"\n", ""));
    assert_eq!((review.verdict, rules(&review)), (Verdict::Pass, vec!["dependency-removed"]));
    let moved = MANIFEST.replace("log = \"0.4\"\n", "").replace("insta", "log = \"0.4\"\ninsta");
    assert_eq!(manifest(&moved).verdict, Verdict::Pass);
    assert_eq!(manifest(&MANIFEST.replace("0.1.0", "0.1.1")).verdict, Verdict::Pass);
}

#[test]
fn settings_that_steer_build_and_tests_ask_a_person() {
    for (more, rule) in [
        ("[lib]\nproc-macro = true\n", "manifest"),
        ("[lib]\ntest = false\n", "tests-weakened"),
        ("[lib]\ndoctest = false\n", "tests-weakened"),
        ("[[test]]\nname = \"x\"\nharness = false\n", "tests-weakened"),
        ("[features]\ndefault = [\"x\"]\nx = []\n", "manifest"),
        ("[lints.rust]\nunsafe_code = \"allow\"\n", "lint-silenced"),
        ("[profile.release]\noverflow-checks = false\n", "manifest"),
        ("[workspace]\nexclude = [\"b\"]\n", "manifest"),
    ] {
        let review = manifest(&format!("{MANIFEST}\n{more}"));
        assert_eq!(review.verdict, Verdict::AskPerson, "{more}");
        assert!(rules(&review).contains(&rule), "{more}: {review:#?}");
    }
    let build =
        manifest(&MANIFEST.replace("version = \"0.1.0\"", "version = \"0.1.0\"\nbuild = \"x.rs\"\nautotests = false"));
    assert_eq!(rules(&build), ["manifest", "tests-weakened"]);
}

#[test]
fn the_lock_file_follows_a_manifest_or_not_at_all() {
    let base = [("log", "0.4.1", REGISTRY, "aa"), ("own", "0.1.0", "", "")];
    let before = lock(&base);
    let locked = |packages: &[(&str, &str, &str, &str)]| changed("Cargo.lock", &before, &lock(packages));
    let added = [base[0], base[1], ("rand", "1.0.0", REGISTRY, "bb")];
    assert_eq!(locked(&added).verdict, Verdict::Refuse);
    let with_manifest = with_policy(
        &Policy::default(),
        &[
            change("Cargo.lock", Some(&before), Some(&lock(&added))),
            change("Cargo.toml", Some(MANIFEST), Some(&MANIFEST.replace("log =", "rand = \"1\"\nlog ="))),
        ],
    );
    assert_eq!(with_manifest.verdict, Verdict::AskPerson, "{with_manifest:#?}");
    assert_eq!(locked(&[("log", "0.4.1", REGISTRY, "ff"), base[1]]).verdict, Verdict::Refuse);
    assert_eq!(locked(&[("log", "0.4.1", "git+https://x/log#1", "aa"), base[1]]).verdict, Verdict::Refuse);
    assert_eq!(locked(&[("log", "0.4.2", REGISTRY, "cc"), base[1]]).verdict, Verdict::AskPerson);
    assert_eq!(locked(&[base[1]]).verdict, Verdict::Pass);
    let updates = Policy { allow_lock_updates: true, ..Policy::default() };
    let bump = lock(&[("log", "0.4.2", REGISTRY, "cc"), base[1]]);
    assert_eq!(with_policy(&updates, &[change("Cargo.lock", Some(&before), Some(&bump))]).verdict, Verdict::Pass);
    assert_eq!(with_policy(&updates, &[change("Cargo.lock", Some(&before), None)]).verdict, Verdict::AskPerson);
    assert_eq!(changed("Cargo.lock", &before, "x = [").verdict, Verdict::Refuse);
}

#[test]
fn findings_about_dependencies_read_well() {
    let after = MANIFEST
        .replace("log = \"0.4\"", "log = \"*\"\nrand = \"1\"\nx = { git = \"https://x\" }")
        .replace("insta = \"1\"\n", "");
    insta::assert_snapshot!(crate::support::lines_of(&manifest(&after)));
}
