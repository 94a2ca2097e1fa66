//! A repository with settings for nextest, tried with the real program where it is installed. Asked for all tests
//! (`KAIZEN_TEST_ALL=1`), it is missing loudly: `cargo install cargo-nextest --locked` brings it.

use std::fs;
use std::path::Path;

use kaizen_domain::{TestOutcome, TrialOutcome, TrialReport};
use kaizen_sandbox::isolation::Arrangement;
use kaizen_sandbox::toolchain::Toolchain;

use crate::support::Bench;

const FILES: &[(&str, &str)] = &[
    ("Cargo.toml", "[workspace]\nmembers = [\"lone\", \"words\"]\nresolver = \"2\"\n"),
    (
        "Cargo.lock",
        "version = 4\n\n[[package]]\nname = \"lone\"\nversion = \"0.1.0\"\n\n[[package]]\nname = \"words\"\nversion = \"0.1.0\"\n",
    ),
    ("lone/Cargo.toml", "[package]\nname = \"lone\"\nversion = \"0.1.0\"\nedition = \"2021\"\n"),
    (
        "lone/src/lib.rs",
        "/// ```\n/// assert_eq!(lone::one(), 1);\n/// ```\npub fn one() -> u8 {\n    1\n}\n#[cfg(test)]\nmod tests {\n    \
         use std::sync::atomic::{AtomicU8, Ordering};\n    static USED: AtomicU8 = AtomicU8::new(0);\n    \
         fn alone() {\n        assert_eq!(USED.fetch_add(1, Ordering::SeqCst), 0);\n    }\n    \
         #[test]\n    fn first_alone() {\n        alone();\n    }\n    #[test]\n    fn second_alone() {\n        alone();\n    }\n    \
         #[test]\n    fn is_one() {\n        assert_eq!(super::one(), 1, \"said\");\n    }\n    #[test]\n    #[ignore]\n    fn later() {}\n}\n",
    ),
    ("lone/src/main.rs", "fn main() {}\n#[test]\nfn in_the_program() {}\n"),
    ("lone/tests/whole.rs", "#[test]\nfn holds() {\n    assert_eq!(lone::one(), 1);\n}\n"),
    (
        "words/Cargo.toml",
        "[package]\nname = \"words\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[lib]\nproc-macro = true\n",
    ),
    (
        "words/src/lib.rs",
        "use proc_macro::TokenStream;\n#[proc_macro]\npub fn nothing(_: TokenStream) -> TokenStream { TokenStream::new() }\n#[test]\nfn in_a_macro() {}\n",
    ),
];

fn export(settings: &str) -> impl Fn(&Path) -> Result<(), String> {
    move |tree: &Path| {
        for (path, text) in FILES.iter().chain(&[(".config/nextest.toml", settings)]) {
            let file = tree.join(path);
            fs::create_dir_all(file.parent().expect("a folder")).map_err(|error| error.to_string())?;
            fs::write(file, text).map_err(|error| error.to_string())?;
        }
        Ok(())
    }
}

fn is_installed() -> bool {
    let toolchain = Toolchain::find(None, &std::env::temp_dir(), Arrangement::Namespaces).expect("a toolchain");
    let installed = toolchain.nextest.is_some();
    assert!(
        installed || std::env::var_os("KAIZEN_TEST_ALL").is_none(),
        "cargo-nextest is not installed: cargo install cargo-nextest --locked"
    );
    installed
}

fn ids(report: &TrialReport, outcome: TestOutcome) -> Vec<&str> {
    report.tests.iter().filter(|(_, test)| test.outcome == outcome).map(|(id, _)| id.0.as_str()).collect()
}

#[test]
fn tests_that_need_a_process_of_their_own_pass_with_nextest() {
    if !is_installed() {
        return;
    }
    for arrangement in Arrangement::ALL {
        let bench = Bench::of(&export("[profile.default]\nretries = 0\n"), Some(arrangement));
        let base = bench.base();
        assert_eq!(base.outcome, TrialOutcome::Ran);
        assert!(base.toolchain.ends_with("; tests by cargo-nextest"), "{}", base.toolchain);
        let passed = [
            "lone/bin lone::in_the_program",
            "lone/doc::lone/src/lib.rs - one #1",
            "lone/lib::tests::first_alone",
            "lone/lib::tests::is_one",
            "lone/lib::tests::second_alone",
            "lone/test whole::holds",
            "words/lib::in_a_macro",
        ];
        assert_eq!(ids(&base, TestOutcome::Passed), passed);
        assert_eq!(ids(&base, TestOutcome::Ignored), ["lone/lib::tests::later"]);
        assert!(base.flaky.is_empty() && base.durations.len() >= 6, "{base:?}");
        // Without cargo they share a process, and do not pass: so the base goes on with nextest.
        assert!(!bench.goes_without_cargo());

        let tried = |to: &str| {
            let text = FILES.iter().find(|(path, _)| *path == "lone/src/lib.rs").expect("it is there").1;
            bench.tried_files(&base, &[("lone/src/lib.rs", &text.replacen("    1\n", to, 1))])
        };
        let report = tried("    2\n");
        assert_eq!(report.outcome, TrialOutcome::Ran);
        assert_eq!(
            ids(&report, TestOutcome::Failed),
            ["lone/doc::lone/src/lib.rs - one #1", "lone/lib::tests::is_one", "lone/test whole::holds"]
        );
        let failed = report.failing().find(|(id, _)| id.0.ends_with("is_one")).expect("it failed");
        assert!(failed.1.output.contains("said"), "{}", failed.1.output);
        let report = tried("    \"1\"\n");
        assert!(
            matches!(&report.outcome, TrialOutcome::BuildFailed { errors, .. } if !errors.is_empty()),
            "{report:?}"
        );
        let report = tried("    0 + 1\n");
        assert_eq!((report.outcome, report.tests), (TrialOutcome::Ran, base.tests.clone()));
    }
}

#[test]
fn where_nextest_is_of_no_use_cargo_runs_the_tests() {
    if !is_installed() {
        return;
    }
    let bench = Bench::of(&export("this is no setting\n"), None);
    let base = bench.base();
    assert_eq!(base.outcome, TrialOutcome::Ran);
    assert!(!base.toolchain.contains("nextest"), "{}", base.toolchain);
    // Two tests that do not bear each other, in one process.
    let failed = ids(&base, TestOutcome::Failed).len() + base.flaky.len();
    assert!(failed > 0, "{base:?}");
}
