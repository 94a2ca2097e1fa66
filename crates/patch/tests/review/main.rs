//! The review, patch by patch: what passes, what asks a person, and what is refused.

use kaizen_domain::RelPath;
use kaizen_domain::edit::{Change, FileMode, FileState};
use kaizen_domain::review::{Review, Severity, Verdict};
use kaizen_patch::{Manifest, Policy, ReviewInput, review};

mod advisories;
mod code;
mod dependencies;
mod fuzz;
mod guards;
mod halfway;
mod readers;
mod support;
mod weakened;

use support::{change, changed, lines_of, path, rules, with_policy};

#[test]
fn a_plain_improvement_passes() {
    let before = "/// Sums.\npub fn sum(xs: &[u32]) -> u32 {\n    let mut s = 0;\n    for x in xs.iter() {\n        s = s + x;\n    }\n    return s;\n}\n";
    let after = "/// Sums.\npub fn sum(xs: &[u32]) -> u32 {\n    xs.iter().sum()\n}\n";
    let review = changed("src/lib.rs", before, after);
    assert_eq!((review.verdict, review.findings.len()), (Verdict::Pass, 0), "{review:#?}");
    assert_eq!(review.items.len(), 1);
    assert_eq!((review.items[0].item.as_str(), review.items[0].public), ("sum", true));
}

#[test]
fn what_lies_outside_of_the_reach_is_refused() {
    let changes = [change("src/a.rs", Some("fn a() {}\n"), Some("fn b() {}\n"))];
    let reach = [path("src/b.rs")];
    let policy = Policy::default();
    let review =
        review(&ReviewInput { changes: &changes, reach: Some(&reach), policy: &policy, manifests: &[] }).unwrap();
    assert_eq!((review.verdict, rules(&review)), (Verdict::Refuse, vec!["path-outside-reach"]));
    let narrow = Policy { allow: vec!["docs/**".into()], ..Policy::default() };
    assert_eq!(with_policy(&narrow, &changes).verdict, Verdict::Refuse);
}

#[test]
fn what_judges_the_change_asks_a_person() {
    for file in [
        "tests/it.rs",
        "crates/x/tests/a/b.rs",
        "benches/b.rs",
        "build.rs",
        ".cargo/config.toml",
        "rust-toolchain.toml",
        ".github/workflows/ci.yml",
        ".GitHub/workflows/ci.yml",
        ".gitlab-ci.yml",
        "kaizen.toml",
        "clippy.toml",
        "rustfmt.toml",
        ".gitignore",
        "deny.toml",
        "src/snapshots/a.snap",
        "tests/fixtures/x.json",
        "crates/x/build.rs",
    ] {
        let review = changed(file, "fn a() {}\n", "fn b() {}\n");
        assert_eq!(review.verdict, Verdict::AskPerson, "{file}: {review:#?}");
        let gone = with_policy(&Policy::default(), &[change(file, Some("// a\n"), None)]);
        assert_eq!(gone.verdict, Verdict::AskPerson, "{file}: {gone:#?}");
    }
    for file in [".gitmodules", ".gitattributes", "x/.GITattributes"] {
        assert_eq!(changed(file, "a\n", "b\n").verdict, Verdict::Refuse, "{file}");
    }
    let added = with_policy(
        &Policy::default(),
        &[change("tests/new.rs", None, Some("#[test]\nfn a() {\n    assert!(x());\n}\n"))],
    );
    assert_eq!(added.verdict, Verdict::Pass, "{added:#?}");
}

#[test]
fn kaizens_own_gates_ask_a_person_in_its_own_repository() {
    let changes = [change("crates/patch/src/review/size.rs", Some("fn a() {}\n"), Some("fn a() { b() }\n"))];
    assert_eq!(with_policy(&Policy::default(), &changes).verdict, Verdict::Pass);
    let own = Policy { own_repository: true, ..Policy::default() };
    assert_eq!(rules(&with_policy(&own, &changes)), ["path-own-gate"]);
}

#[test]
fn code_that_runs_in_the_compiler_is_known_by_the_manifests() {
    let changes = [change("macros/src/lib.rs", Some("fn a() {}\n"), Some("fn a() { b() }\n"))];
    let manifests = [Manifest { path: path("macros/Cargo.toml"), text: "[lib]\nproc-macro = true\n".into() }];
    let policy = Policy::default();
    let review =
        review(&ReviewInput { changes: &changes, reach: None, policy: &policy, manifests: &manifests }).unwrap();
    assert_eq!(rules(&review), ["path-protected"]);
}

#[test]
fn only_regular_files_come_in() {
    for (before, after) in [
        (None, Some(FileMode::Symlink)),
        (Some(FileMode::Regular), Some(FileMode::Executable)),
        (Some(FileMode::Symlink), None),
        (Some(FileMode::Executable), Some(FileMode::Regular)),
        (None, Some(FileMode::Submodule)),
    ] {
        let state = |mode: FileMode| FileState { mode, bytes: b"a\n".to_vec() };
        let changes = [Change { path: path("x"), before: before.map(state), after: after.map(state) }];
        let review = with_policy(&Policy::default(), &changes);
        assert_eq!((review.verdict, rules(&review)[0]), (Verdict::Refuse, "file-kind"), "{before:?} {after:?}");
    }
}

#[test]
fn size_is_bounded_before_anything_is_parsed() {
    let long = "fn a() {}\n".repeat(100_000);
    assert_eq!(rules(&changed("src/lib.rs", "", &long)), ["size"]);
    assert_eq!(rules(&changed("src/lib.rs", "", &"x".repeat(4 << 20))), ["size"]);
    assert_eq!(rules(&changed("src/lib.rs", "", &format!("// {}\n", "x".repeat(10_000)))), ["size"]);
    let many: Vec<Change> = (0..10_000).map(|n| change(&format!("f{n}"), None, Some("a\n"))).collect();
    assert_eq!(rules(&with_policy(&Policy::default(), &many)), ["size"]);
    let kept = format!("// {}\nfn a() {{}}\n", "x".repeat(10_000));
    assert_eq!(changed("src/lib.rs", &kept, &kept.replace("fn a", "fn b")).verdict, Verdict::Pass);
}

#[test]
fn what_hides_in_text_is_refused_unless_it_was_there() {
    for hidden in [
        "\u{202e}", "\u{2066}", "\u{200b}", "\u{feff}", "\u{0}", "\u{1b}", "\u{ad}", "\u{2028}", "\r", "\u{7f}",
        "\u{85}",
    ] {
        let after = format!("fn a() {{}}\n// x{hidden}y\n");
        let refused = changed("src/lib.rs", "fn a() {}\n", &after);
        assert_eq!((refused.verdict, rules(&refused)[0]), (Verdict::Refuse, "hidden-bytes"), "{hidden:?}");
        let known = changed("src/lib.rs", &format!("// {hidden}z\n"), &after);
        assert!(!rules(&known).contains(&"hidden-bytes"), "{hidden:?} {known:#?}");
    }
    for name in ["p\u{430}ss", "\u{430}", "ra\u{3bd}e"] {
        let refused = changed("src/lib.rs", "fn a() {}\n", &format!("fn {name}() {{}}\n"));
        assert_eq!(rules(&refused)[0], "hidden-bytes", "{name}");
    }
    for fine in
        ["// größer, naïve, 日本語, привет\n", "// ⚠\u{fe0f} careful\n", "const π: f64 = 3.0;\n", "// a\r\n// b\r\n"]
    {
        assert_eq!(changed("src/lib.rs", "", fine).verdict, Verdict::Pass, "{fine:?}");
    }
    let lint = changed("src/lib.rs", "", "#![allow(text_direction_codepoint_in_literal)]\n");
    assert_eq!(lint.verdict, Verdict::Refuse);
    let bytes = |bytes: &[u8]| Some(FileState { mode: FileMode::Regular, bytes: bytes.to_vec() });
    let binary = [Change { path: path("src/lib.rs"), before: bytes(b"a"), after: bytes(b"\xff\xfe") }];
    assert_eq!(with_policy(&Policy::default(), &binary).verdict, Verdict::Refuse);
    let repaired =
        [Change { path: path("src/lib.rs"), before: bytes(b"\xff"), after: bytes(b"fn f() { unsafe { g() } }") }];
    assert_eq!(rules(&with_policy(&Policy::default(), &repaired)), ["unsafe-code"]);
}

#[test]
fn a_secret_is_refused_without_being_repeated() {
    let token = format!("{}{}", "ghp_", "a1b2".repeat(9));
    let review = changed("src/lib.rs", "fn a() {}\n", &format!("fn a() {{ b(\"{token}\") }}\n"));
    assert_eq!((review.verdict, rules(&review)), (Verdict::Refuse, vec!["secret"]));
    assert!(!format!("{review:?}").contains(&token));
    let kept =
        changed("src/lib.rs", &format!("fn a() {{ b(\"{token}\") }}\n"), &format!("fn a() {{ c(\"{token}\") }}\n"));
    assert_eq!(kept.verdict, Verdict::Pass);
}

#[test]
fn findings_are_one_line_each_and_bounded() {
    let after: String = (0..200).map(|n| format!("#[allow(dead_code)]\nfn f{n}() {{}}\n")).collect();
    let review = changed("src/lib.rs", "", &after);
    assert!(review.findings.len() <= 13, "{}", review.findings.len());
    assert!(review.findings.iter().all(|finding| !finding.detail.contains('\n')));
    assert!(review.findings.iter().any(|finding| finding.detail == "and 188 more of this kind"));
    assert!(review.findings.iter().all(|finding| finding.severity == Severity::Person));
}

#[test]
fn findings_read_well() {
    let before = "#![forbid(unsafe_code)]\n/// ```\n/// assert_eq!(a::f(), 1);\n/// ```\npub fn f() -> u8 { 1 }\n#[cfg(test)]\nmod tests {\n    #[test]\n    fn works() { assert_eq!(super::f(), 1); }\n}\n";
    let after = "/// ```ignore\n/// assert_eq!(a::f(), 1);\n/// ```\npub fn f() -> u16 { unsafe { g() } }\n#[cfg(test)]\nmod tests {\n    #[test]\n    #[ignore]\n    fn works() { assert_eq!(super::f(), 2); }\n}\nfn h() { std::process::exit(1) }\n#[allow(dead_code)]\nfn p\u{430}ss() {}\n";
    let review: Review = changed("src/lib.rs", before, after);
    insta::assert_snapshot!(lines_of(&review));
    let _: Vec<RelPath> = review.items.iter().map(|item| item.path.clone()).collect();
}
