//! Everything that a repository may hold: every edition, a build script that compiles C, a macro, tests without the usual
//! harness, examples and benches with tests, and tests that need a loopback, temporary files or threads.

use std::fs;
use std::path::Path;

use kaizen_domain::{TestOutcome, TrialOutcome, TrialReport};
use kaizen_sandbox::isolation::Arrangement;

use crate::support::Bench;

const FILES: &[(&str, &str)] = &[
    ("Cargo.toml", "[workspace]\nmembers = [\"old\", \"middle\", \"spell\", \"user\", \"with-c\"]\nresolver = \"2\"\n"),
    ("old/Cargo.toml", "[package]\nname = \"old\"\nversion = \"0.1.0\"\nedition = \"2015\"\n"),
    (
        "old/src/lib.rs",
        "extern crate core;\nmod inner { pub fn three() -> u8 { 3 } }\n/// ```\n/// extern crate old;\n/// assert_eq!(old::three(), 3);\n/// ```\n\
         pub fn three() -> u8 { let async = ::inner::three(); async }\n#[test]\nfn is_three() { assert_eq!(three(), 3); }\n",
    ),
    (
        "middle/Cargo.toml",
        "[package]\nname = \"middle\"\nversion = \"0.1.0\"\nedition = \"2018\"\n[dependencies]\nold = { path = \"../old\" }\n[[example]]\nname = \"shown\"\ntest = true\n",
    ),
    (
        "middle/src/lib.rs",
        "pub fn four() -> u8 { old::three() + 1 }\n#[cfg(test)]\nmod tests {\n    use std::io::{Read, Write};\n    \
         #[test]\n    fn talks_on_the_loopback() {\n        let listener = std::net::TcpListener::bind(\"127.0.0.1:0\").unwrap();\n        \
         let mut client = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();\n        \
         let (mut server, _) = listener.accept().unwrap();\n        client.write_all(b\"x\").unwrap();\n        \
         server.read_exact(&mut [0]).unwrap();\n    }\n    \
         #[test]\n    fn writes_a_temporary_file() {\n        let file = std::env::temp_dir().join(\"middle-test\");\n        \
         std::fs::write(&file, \"x\").unwrap();\n        assert_eq!(std::fs::read(&file).unwrap(), b\"x\");\n        std::fs::remove_file(&file).unwrap();\n    }\n    \
         #[test]\n    fn has_threads() {\n        let threads: Vec<_> = (0..20).map(|n| std::thread::spawn(move || n)).collect();\n        \
         assert_eq!(threads.into_iter().map(|thread| thread.join().unwrap()).sum::<u32>(), 190);\n    }\n}\n",
    ),
    (
        "middle/examples/shown.rs",
        "fn main() { assert_eq!(middle::four(), 4); }\n#[test]\nfn an_example_has_tests() { main() }\n",
    ),
    (
        "spell/Cargo.toml",
        "[package]\nname = \"spell\"\nversion = \"0.1.0\"\nedition = \"2021\"\n[lib]\nproc-macro = true\n",
    ),
    (
        "spell/src/lib.rs",
        "use proc_macro::TokenStream;\n#[proc_macro]\npub fn five(_: TokenStream) -> TokenStream { \"5u8\".parse().unwrap() }\n\
         #[proc_macro_derive(Named)]\npub fn named(_: TokenStream) -> TokenStream { \"impl Thing { pub fn name() -> &'static str { \\\"thing\\\" } }\".parse().unwrap() }\n",
    ),
    (
        "user/Cargo.toml",
        "[package]\nname = \"user\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[dependencies]\nspell = { path = \"../spell\" }\nmiddle = { path = \"../middle\" }\n\
         [[test]]\nname = \"own\"\nharness = false\n[[bench]]\nname = \"speed\"\nharness = false\ntest = true\n",
    ),
    (
        "user/src/lib.rs",
        "#[derive(spell::Named)]\npub struct Thing;\npub fn nine() -> u8 { spell::five!() + middle::four() }\n#[test]\nfn is_nine() { assert_eq!(nine(), 9); assert_eq!(Thing::name(), \"thing\"); }\n",
    ),
    ("user/tests/own.rs", "fn main() { assert_eq!(user::nine(), 9); println!(\"fine\"); }\n"),
    ("user/benches/speed.rs", "fn main() { for _ in 0..10 { assert_eq!(user::nine(), 9); } }\n"),
    ("with-c/Cargo.toml", "[package]\nname = \"with-c\"\nversion = \"0.1.0\"\nedition = \"2021\"\n"),
    (
        "with-c/build.rs",
        "use std::process::Command;\nfn main() {\n    let out = std::env::var(\"OUT_DIR\").unwrap();\n    let object = format!(\"{out}/six.o\");\n    \
         assert!(Command::new(\"cc\").args([\"-c\", \"-fPIC\", \"src/six.c\", \"-o\", &object]).status().unwrap().success());\n    \
         assert!(Command::new(\"ar\").args([\"crs\", &format!(\"{out}/libsix.a\"), &object]).status().unwrap().success());\n    \
         println!(\"cargo::rustc-link-search=native={out}\");\n    println!(\"cargo::rustc-link-lib=static=six\");\n    println!(\"cargo::rerun-if-changed=src/six.c\");\n}\n",
    ),
    ("with-c/src/six.c", "int six(void) { return 6; }\n"),
    (
        "with-c/src/lib.rs",
        "unsafe extern \"C\" { fn six() -> i32; }\npub fn seven() -> i32 { unsafe { six() + 1 } }\n#[test]\nfn is_seven() { assert_eq!(seven(), 7); }\n",
    ),
];

/// Every test there is.
const TESTS: [&str; 10] = [
    "middle/example shown::an_example_has_tests",
    "middle/lib::tests::has_threads",
    "middle/lib::tests::talks_on_the_loopback",
    "middle/lib::tests::writes_a_temporary_file",
    "old/doc::old/src/lib.rs - three #1",
    "old/lib::is_three",
    "user/bench speed::(whole program)",
    "user/lib::is_nine",
    "user/test own::(whole program)",
    "with-c/lib::is_seven",
];

fn export(tree: &Path) -> Result<(), String> {
    for (path, text) in FILES {
        let file = tree.join(path);
        fs::create_dir_all(file.parent().expect("a folder")).map_err(|error| error.to_string())?;
        fs::write(file, text).map_err(|error| error.to_string())?;
    }
    Ok(())
}

fn passed(report: &TrialReport) -> Vec<&str> {
    let passed = report.tests.iter().filter(|(_, test)| test.outcome == TestOutcome::Passed);
    passed.map(|(id, _)| id.0.as_str()).collect()
}

#[test]
fn every_kind_of_test_is_run_and_told_by_name() {
    let bench = Bench::of(&export, None);
    let base = bench.base();
    assert_eq!(base.outcome, TrialOutcome::Ran);
    assert_eq!(passed(&base), TESTS, "{:#?}", base.tests);
    assert!(base.flaky.is_empty(), "{:?}", base.flaky);
    let tried = |path: &str, from: &str, to: &str| {
        let text = FILES.iter().find(|(file, _)| *file == path).map(|(_, text)| *text).expect("a file");
        assert!(text.contains(from), "{path}: {from}");
        bench.tried_files(&base, &[(path, &text.replacen(from, to, 1))])
    };
    for (path, from, to, broken) in [
        (
            "old/src/lib.rs",
            "u8 { 3 }",
            "u8 { 2 }",
            &["middle/example shown::an_example_has_tests", "old/doc::old/src/lib.rs - three #1"][..],
        ),
        (
            "spell/src/lib.rs",
            "5u8",
            "6u8",
            &["user/lib::is_nine", "user/test own::(whole program)", "user/bench speed::(whole program)"],
        ),
        ("with-c/src/six.c", "return 6", "return 5", &["with-c/lib::is_seven"]),
        ("user/tests/own.rs", "9)", "8)", &["user/test own::(whole program)"]),
    ] {
        let report = tried(path, from, to);
        let failing: Vec<&str> = report.failing().map(|(id, _)| id.0.as_str()).collect();
        for id in broken {
            assert!(failing.contains(id), "{path}: {failing:?} {:?}", report.outcome);
        }
    }
}

#[test]
fn without_namespaces_only_what_needs_a_loopback_is_lost() {
    let base = Bench::of(&export, Some(Arrangement::Restricted)).base();
    assert_eq!(base.outcome, TrialOutcome::Ran);
    let without: Vec<&str> = TESTS.into_iter().filter(|name| !name.ends_with("talks_on_the_loopback")).collect();
    assert_eq!(passed(&base), without, "{:#?}", base.tests);
}
