//! Any text as any file: a review comes back, and the same one every time.

use kaizen_patch::Policy;
use proptest::prelude::*;

use crate::support::{change, with_policy};

fn rust() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("#[cfg(test)] mod tests { #[test] fn t() { assert_eq!(f(1), 1); } }\n"),
        Just("pub fn f(x: u8) -> u8 { x }\n"),
        Just("impl A { fn b(&self) { unsafe { c() } } }\n"),
        Just("/// ```\n/// assert!(true);\n"),
        Just("#[allow("),
        Just(")]"),
        Just("{"),
        Just("}"),
        Just("("),
        Just(")"),
        Just("<"),
        Just(">"),
        Just("|"),
        Just("!"),
        Just("assert!"),
        Just("use std::{fs, process::*};\n"),
        Just("#"),
        Just("[test]"),
        Just("fn"),
        Just(" x "),
        Just("if "),
        Just("'"),
        Just("\""),
        Just("//"),
        Just("/*"),
        Just("r#"),
        Just("\\"),
        Just("1_0"),
        Just("::"),
        Just(";"),
        Just("ü"),
        Just("trait T { const A: u8; fn b() { } }\n"),
        Just("extern \"C\" { fn d(); }\n"),
        Just("macro_rules! m { () => {} }\n"),
    ];
    prop_oneof![proptest::collection::vec(piece, 0..14).prop_map(|pieces| pieces.concat()), "\\PC{0,60}"]
}

fn toml() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("[dependencies]\n"),
        Just("[patch.crates-io]\n"),
        Just("a = \"1\"\n"),
        Just("b = { git = \"x\" }\n"),
        Just("[[package]]\nname = \"a\"\nversion = \"1\"\n"),
        Just("[lib]\nproc-macro = true\n"),
        Just("[target.x.dependencies]\n"),
        Just("dependencies = 1\n"),
        Just("c = { workspace = true }\n"),
        Just("["),
        Just("= "),
        Just("[workspace]\nmembers = []\n"),
        Just("source = \"registry+https://x\"\n"),
        Just("checksum = \"1\"\n"),
        Just("package = [1, {}]\n"),
    ];
    prop_oneof![proptest::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat()), "\\PC{0,40}"]
}

fn pair(text: impl Strategy<Value = String> + Clone) -> impl Strategy<Value = (Option<String>, Option<String>)> {
    (proptest::option::weighted(0.8, text.clone()), proptest::option::weighted(0.8, text))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_text_makes_a_review_panic(
        code in pair(rust().boxed()), tests in pair(rust().boxed()), manifest in pair(toml().boxed()), lock in pair(toml().boxed()), other in pair("\\PC{0,40}".boxed()),
    ) {
        let file = |path: &str, (before, after): &(Option<String>, Option<String>)| change(path, before.as_deref(), after.as_deref());
        let changes = [
            file("src/lib.rs", &code), file("tests/it.rs", &tests), file("Cargo.toml", &manifest), file("Cargo.lock", &lock), file("README.md", &other),
        ];
        let first = with_policy(&Policy::default(), &changes);
        prop_assert!(first.findings.iter().all(|finding| !finding.detail.starts_with("the patch could not be analysed")), "{:?}", first);
        prop_assert_eq!(&first, &with_policy(&Policy::default(), &changes));
    }

    #[test]
    fn what_does_not_change_is_not_found_fault_with(text in rust()) {
        let review = with_policy(&Policy::default(), &[change("src/lib.rs", Some(&text), Some(&text))]);
        prop_assert!(review.findings.iter().all(|finding| finding.rule == "does-not-parse"), "{:?}", review);
        prop_assert!(review.items.is_empty());
    }
}
