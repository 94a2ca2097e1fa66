//! What weakens tests asks a person, wherever the test stands; what lints suggest inside of tests does not.

use kaizen_domain::review::Verdict;
use kaizen_patch::{Policy, moved_tests};

use crate::support::{change, changed, rules, with_policy};

/// A file with a function, and with these tests.
fn with_tests(tests: &str) -> String {
    format!("pub fn f(x: i32) -> i32 {{ x }}\n\n#[cfg(test)]\nmod tests {{\n    use super::*;\n{tests}\n}}\n")
}

fn weakened(before: &str, after: &str) -> bool {
    let review = changed("src/lib.rs", &with_tests(before), &with_tests(after));
    rules(&review).contains(&"tests-weakened")
}

#[test]
fn a_weaker_test_asks_a_person() {
    let base = "#[test] fn t() { let want = 5; assert_eq!(f(5), want); assert!(f(1) < 2); }";
    for (before, after) in [
        (base, ""),
        (base, "#[test] fn other() { let want = 5; assert_eq!(f(5), want); assert!(f(1) < 2); }"),
        (base, "#[test] fn t() { let want = 5; assert_eq!(f(5), want); }"),
        (base, "#[test] #[ignore] fn t() { let want = 5; assert_eq!(f(5), want); assert!(f(1) < 2); }"),
        (base, "fn t() { let want = 5; assert_eq!(f(5), want); assert!(f(1) < 2); }"),
        (base, "#[test] #[should_panic] fn t() { let want = 5; assert_eq!(f(5), want); assert!(f(1) < 2); }"),
        (base, "#[cfg(windows)] #[test] fn t() { let want = 5; assert_eq!(f(5), want); assert!(f(1) < 2); }"),
        (
            base,
            "#[cfg_attr(all(), ignore)] #[test] fn t() { let want = 5; assert_eq!(f(5), want); assert!(f(1) < 2); }",
        ),
        (base, "#[test] fn t() { let want = 6; assert_eq!(f(5), want); assert!(f(1) < 2); }"),
        (base, "#[test] fn t() { let want = f(5); assert_eq!(f(5), want); assert!(f(1) < 2); }"),
        (base, "#[test] fn t() { let want = 5; assert_eq!(want, want); assert!(f(1) < 2); }"),
        (base, "#[test] fn t() { let want = 5; assert_eq!(f(5), want); assert!(f(1) <= 2); }"),
        (base, "#[test] fn t() { let want = 5; assert_eq!(f(5), want); assert!(f(1) < 200); }"),
        (base, "#[test] fn t() { let want = 5; assert_eq!(f(5), want); assert!(true); }"),
        (base, "#[test] fn t() { let want = 5; assert_ne!(f(5), want); assert!(f(1) < 2); }"),
        (base, "#[test] fn t() { return; let want = 5; assert_eq!(f(5), want); assert!(f(1) < 2); }"),
        (base, "#[test] fn t() { if false { let want = 5; assert_eq!(f(5), want); assert!(f(1) < 2); } }"),
        (base, "#[test] fn t() { let want = 5; if f(1) == 1 { assert_eq!(f(5), want); } assert!(f(1) < 2); }"),
        (base, "#[test] fn t() { let want = 5; let f = |_| want; assert_eq!(f(5), want); assert!(f(1) < 2); }"),
        (base, "#[test] fn t() { let want = 5; assert_eq!(g(5), want); assert!(f(1) < 2); }"),
        (base, "#[test] fn t() { let want = 5; let _ = || assert_eq!(f(5), want); assert!(f(1) < 2); }"),
        (base, "#[test] fn t() { let want = 5; assert_eq!(f(5), want); assert!(f(1) < 2 || true); }"),
        ("#[test] #[should_panic(expected = \"a\")] fn t() { f(1); }", "#[test] #[should_panic] fn t() { f(1); }"),
        ("#[test] fn t() { f(1).unwrap(); }", "#[test] fn t() { let _ = f(1); }"),
        ("#[test] fn t() -> R { f(1)?; g()?; Ok(()) }", "#[test] fn t() -> R { g()?; Ok(()) }"),
        ("#[test] fn t() { if f(1) != 1 { panic!(\"x\") } }", "#[test] fn t() { if f(1) != 1 { } }"),
        (
            "#[test] fn t() { for i in 0..1000 { assert!(f(i) >= 0); } }",
            "#[test] fn t() { for i in 0..1 { assert!(f(i) >= 0); } }",
        ),
        (
            "fn check(x: i32) { assert_eq!(f(x), x); }\n#[test] fn t() { check(1); }",
            "fn check(x: i32) { }\n#[test] fn t() { check(1); }",
        ),
        (
            "fn check(x: i32) { assert_eq!(f(x), x); }\n#[test] fn t() { check(1); check(2); }",
            "fn check(x: i32) { assert_eq!(f(x), x); }\n#[test] fn t() { check(1); }",
        ),
        (
            "const WANT: i32 = 5;\n#[test] fn t() { assert_eq!(f(5), WANT); }",
            "const WANT: i32 = 6;\n#[test] fn t() { assert_eq!(f(5), WANT); }",
        ),
        (
            "proptest! { #[test] fn t(x in 0..9) { prop_assert!(f(x) == x); } }",
            "proptest! { #[test] fn t(x in 0..1) { prop_assert!(f(x) == x); } }",
        ),
        ("macro_rules! c { ($x:expr) => { assert_eq!(f($x), $x) } }", "macro_rules! c { ($x:expr) => { } }"),
        (
            "#[test] fn t() { insta::assert_snapshot!(f(1), @\"1\"); }",
            "#[test] fn t() { insta::assert_snapshot!(f(1), @\"2\"); }",
        ),
        (
            "#[rstest] #[case(1)] #[case(2)] fn t(#[case] x: i32) { assert!(f(x) > 0); }",
            "#[rstest] #[case(1)] fn t(#[case] x: i32) { assert!(f(x) > 0); }",
        ),
        ("#[test] fn t() { assert!(f(1) == 1 && f(2) == 2); }", "#[test] fn t() { assert!(f(1) == 1 || f(2) == 2); }"),
        (
            "#[test] fn t() { assert!((f(1) - 1).abs() < 1e-9); }",
            "#[test] fn t() { assert!((f(1) - 1).abs() < 1e-3); }",
        ),
        (base, "#[test] fn t() { fn f(x: i32) -> i32 { x } let want = 5; assert_eq!(f(5), want); assert!(f(1) < 2); }"),
        (base, "#[test] fn t() { use crate::fake::f; let want = 5; assert_eq!(f(5), want); assert!(f(1) < 2); }"),
        (
            base,
            "fn f(x: i32) -> i32 { x }\n#[test] fn t() { let want = 5; assert_eq!(f(5), want); assert!(f(1) < 2); }",
        ),
        (base, "use crate::fake::f;\n#[test] fn t() { let want = 5; assert_eq!(f(5), want); assert!(f(1) < 2); }"),
        (base, "use crate::fake::*;\n#[test] fn t() { let want = 5; assert_eq!(f(5), want); assert!(f(1) < 2); }"),
        (
            "#[test] fn t() { let got = f(5); assert_eq!(got, 5); }",
            "#[test] fn t() { let got = 5; assert_eq!(got, 5); }",
        ),
        (
            "#[test] fn t() { let got = f(5) - 1; assert_eq!(got, 5); }",
            "#[test] fn t() { let got = f(5) + 1; assert_eq!(got, 5); }",
        ),
    ] {
        assert!(weakened(before, after), "{after}");
    }
}

#[test]
fn more_cases_within_a_test_pass_when_they_only_assert() {
    let with = |more: &str| {
        format!("#[test] fn t() {{ let mut all = stack(); let date = f(1); {more} assert_eq!(all.len(), date); }}")
    };
    for cases in [
        "for date in [\"a\", \"b\"] { assert_eq!(g(date), Err(date.into())); }",
        "for (x, date) in [1, 2].iter().zip(\"ab\".chars()) { let y = f(*x); assert!(y > 0); assert!(h(date)); }",
        "for x in CASES { for y in 0..x { assert!(f(y) > 0); } }",
        "{ let date = f(2); assert_eq!(date, 2); }",
    ] {
        assert!(!weakened(&with(""), &with(cases)), "{cases}");
    }
    for other in [
        "for x in all.drain(..) { assert!(x > 0); }",
        "for _ in 0..2 { all.pop(); }",
        "for x in [1, 2] { if x > 1 { return; } assert!(f(x) > 0); }",
        "for x in [1, 2] { date = x; assert!(f(x) > 0); }",
        "let date = 1;",
        "{ all.clear(); assert!(f(1) > 0); }",
    ] {
        assert!(weakened(&with(""), &with(other)), "{other}");
    }
}

#[test]
fn what_lints_suggest_and_what_adds_tests_passes() {
    for (before, after) in [
        ("#[test] fn t() { assert_eq!(f(1) == 1, true); }", "#[test] fn t() { assert!(f(1) == 1); }"),
        ("#[test] fn t() { assert_eq!(true, a()); }", "#[test] fn t() { assert!(a()); }"),
        ("#[test] fn t() { assert_eq!(a(), false); }", "#[test] fn t() { assert!(!a()); }"),
        ("#[test] fn t() { assert_ne!(a(), false); }", "#[test] fn t() { assert!(a()); }"),
        ("#[test] fn t() { assert!(f(1) == 1); }", "#[test] fn t() { assert_eq!(f(1), 1); }"),
        ("#[test] fn t() { assert!(!(f(1) == 2)); }", "#[test] fn t() { assert!(f(1) != 2); }"),
        ("#[test] fn t() { assert_eq!(f(&x), &5); }", "#[test] fn t() { assert_eq!(f(x), &5); }"),
        ("#[test] fn t() { assert_eq!(x.clone(), 5); }", "#[test] fn t() { assert_eq!(x, 5); }"),
        (
            "#[test] fn t() { assert_eq!(f(1000000), 1000000); }",
            "#[test] fn t() { assert_eq!(f(1_000_000), 1_000_000); }",
        ),
        ("#[test] fn t() { assert!(a(), \"x {}\", b); }", "#[test] fn t() { assert!(a(), \"x {b}\"); }"),
        (
            "#[test] fn t() { assert_eq!(format!(\"{}\", b), \"5\"); }",
            "#[test] fn t() { assert_eq!(format!(\"{b}\"), \"5\"); }",
        ),
        (
            "#[test] fn t() { let x = vec![1, 2].clone(); assert_eq!(x.len(), 2); }",
            "#[test] fn t() { let x = vec![1, 2]; assert_eq!(x.len(), 2); }",
        ),
        (
            "#[test] fn t() { let x: i32 = f(1); return assert_eq!(x, 1); }",
            "#[test] fn t() { let x: i32 = f(1); assert_eq!(x, 1) }",
        ),
        ("#[test] fn t() { assert_eq!(f(1), 1); }", "#[test] fn t() { assert_eq!(f(1), 1); assert_eq!(f(2), 2); }"),
        (
            "#[test] fn t() { assert_eq!(f(1), 1); }",
            "#[test] fn t() { let two = 2; assert_eq!(f(two), two); assert_eq!(f(1), 1); }",
        ),
        (
            "#[test] fn t() { assert_eq!(f(1), 1); }",
            "#[test] fn t() { assert_eq!(f(1), 1); }\n#[test] fn u() { assert_eq!(f(2), 2); }",
        ),
        (
            "#[test] fn t() { assert_eq!(f(1), 1); }",
            "/// Says why.\n#[test] fn t() {\n    // One.\n    assert_eq!(f(1), 1);\n}",
        ),
        // What the file brought in is brought in by the tests themselves.
        (
            "} use crate::item::Item; #[cfg(test)] mod more { use super::*; #[test] fn t() { assert!(f(Item)); }",
            "} #[cfg(test)] mod more { use super::*; use crate::item::Item; #[test] fn t() { assert!(f(Item)); }",
        ),
        ("use std::fmt::Debug;\n#[test] fn t() { assert_eq!(f(1), 1); }", "#[test] fn t() { assert_eq!(f(1), 1); }"),
        (
            "#[test] fn t() { if a() { if b() { assert_eq!(f(1), 1); } } }",
            "#[test] fn t() { if a() && b() { assert_eq!(f(1), 1); } }",
        ),
        (
            "#[test] fn t() { assert!(f(1) == 1); }\n#[test] fn u() { f(2); }",
            "#[test] fn u() { f(2); }\n#[test] fn t() { assert!(f(1) == 1); }",
        ),
        ("fn unused() -> i32 { 1 }\n#[test] fn t() { assert!(f(1) == 1); }", "#[test] fn t() { assert!(f(1) == 1); }"),
        (
            "#[test] fn t() { let x: Vec<_> = a().iter().map(|y| f(y)).collect(); assert!(g(x)); }",
            "#[test] fn t() { let x: Vec<_> = a().iter().map(f).collect(); assert!(g(x)); }",
        ),
        (
            "#[test] fn t() { let mut x = 1; x = x + 1; assert_eq!(f(x), 2); }",
            "#[test] fn t() { let mut x = 1; x += 1; assert_eq!(f(x), 2); }",
        ),
        (
            "#[test] fn t() { assert_eq!(f(1), 1); }",
            "fn helper() -> i32 { 3 }\n#[test] fn t() { assert_eq!(f(1), 1); assert_eq!(f(3), helper()); }",
        ),
    ] {
        let review = changed("src/lib.rs", &with_tests(before), &with_tests(after));
        assert!(!rules(&review).contains(&"tests-weakened"), "{after}: {review:#?}");
        assert_eq!(review.verdict, Verdict::Pass, "{after}: {review:#?}");
    }
}

#[test]
fn tests_are_found_wherever_they_stand() {
    let test = "#[test]\nfn t() { assert_eq!(f(1), 1); }\n";
    let other = "#[test]\nfn t() { assert_eq!(f(1), 2); }\n";
    for file in ["src/tests.rs", "src/a/tests/x.rs", "src/a_test.rs", "src/lib.rs", "src/a.rs"] {
        assert!(rules(&changed(file, test, other)).contains(&"tests-weakened"), "{file}");
    }
    let helper = |body: &str| format!("pub fn same(a: i32) {{ {body} }}\n");
    let review = changed("src/a/tests/support.rs", &helper("assert_eq!(f(a), a);"), &helper(""));
    assert!(rules(&review).contains(&"tests-weakened"), "{review:#?}");
    let method = |body: &str| with_tests(&format!("struct T; impl T {{ fn same(&self) {{ {body} }} }}"));
    let review = changed("src/lib.rs", &method("assert_eq!(f(1), 1);"), &method("f(1);"));
    assert!(rules(&review).contains(&"tests-weakened"), "{review:#?}");
}

#[test]
fn a_whole_test_module_cannot_vanish_quietly() {
    let before = with_tests("#[test] fn t() { assert_eq!(f(1), 1); }");
    for after in [
        before.split("#[cfg(test)]").next().unwrap().to_owned(),
        before.replace("#[cfg(test)]", "#[cfg(any())]"),
        before.replace("#[cfg(test)]", "#[cfg(all(test, windows))]"),
        before.replace("#[cfg(test)]\n", ""),
    ] {
        let review = changed("src/lib.rs", &before, &after);
        assert!(rules(&review).contains(&"tests-weakened"), "{after}: {review:#?}");
    }
    let declared = changed("src/lib.rs", "#[cfg(test)]\nmod tests;\nfn a() {}\n", "fn a() {}\n");
    assert!(rules(&declared).contains(&"tests-weakened"), "{declared:#?}");
}

#[test]
fn tests_of_a_file_that_did_not_parse_are_counted() {
    let before = "fn a( {}\n#[test]\nfn t() { assert!(b()); assert!(c()); }\n";
    let repaired = changed("src/lib.rs", before, &before.replace("a( {", "a() {"));
    assert_eq!(repaired.verdict, Verdict::Pass, "{repaired:#?}");
    let weakened = changed("src/lib.rs", before, "fn a() {}\n#[test]\nfn t() { assert!(b()); }\n");
    assert!(rules(&weakened).contains(&"tests-weakened"));
}

#[test]
fn doc_tests_keep_running() {
    let doc =
        |fence: &str, line: &str| format!("/// Adds.\n///\n/// ```{fence}\n/// {line}\n/// ```\npub fn f() {{}}\n");
    let before = doc("", "assert_eq!(x::f(), 1);");
    for after in [
        doc("ignore", "assert_eq!(x::f(), 1);"),
        doc("no_run", "assert_eq!(x::f(), 1);"),
        doc("text", "assert_eq!(x::f(), 1);"),
        doc("should_panic", "assert_eq!(x::f(), 1);"),
        doc("", "assert_eq!(x::f(), 2);"),
        doc("", "x::f();"),
        "/// Adds.\npub fn f() {}\n".to_owned(),
    ] {
        let review = changed("src/lib.rs", &before, &after);
        assert!(rules(&review).contains(&"tests-weakened"), "{after}: {review:#?}");
    }
    for after in [
        doc("rust", "assert_eq!(x::f(), 1);"),
        before.replace("/// Adds.", "/// Adds things."),
        before.replace("/// assert", "/// let y = 1;\n/// assert"),
        before.replace("pub fn f() {}", "#[inline]\npub fn f() {}"),
    ] {
        assert_eq!(changed("src/lib.rs", &before, &after).verdict, Verdict::Pass, "{after}");
    }
}

#[test]
fn more_tests_in_a_file_of_the_tests_need_nobody() {
    let before = "use shop::fee;\n\nfn check(x: i64) { assert_eq!(fee(x), x); }\n\n#[test]\nfn one() { check(1); }\n";
    let asks = |file: &str, after: &str| changed(file, before, after).verdict == Verdict::AskPerson;
    let more = format!("{before}\nconst TWO: i64 = 2;\n\n#[test]\nfn two() {{ check(TWO); }}\n");
    assert!(!asks("tests/fees.rs", &more), "{:?}", changed("tests/fees.rs", before, &more).findings);
    let import = more.replace("use shop::fee;", "use std::collections::HashMap;\nuse shop::fee;");
    assert!(!asks("tests/fees.rs", &import));
    let condition = "#[cfg_attr(target_family = \"wasm\", wasm_bindgen_test)]\n#[cfg(unix)]\n#[test]\nfn two";
    assert!(!asks("tests/fees.rs", &more.replace("#[test]\nfn two", condition)));
    assert!(asks("tests/fees.rs", &more.replace("#[test]\nfn two", "#[cfg_attr(unix, my::own)]\n#[test]\nfn two")));
    assert!(asks("benches/fees.rs", &more) && asks("tests/ui/fees.rs", &more), "what else judges is left alone");
    for other in [
        more.replace("check(1)", "check(2)"),
        more.replace("#[test]\nfn one() { check(1); }\n", ""),
        format!("{before}use other::fee;\n"),
        format!("{before}use other::*;\n"),
        format!("{before}macro_rules! assert_eq {{ ($($x:tt)*) => {{}} }}\n"),
        format!("{before}struct S;\nimpl Drop for S {{ fn drop(&mut self) {{}} }}\n"),
        format!("{before}#[ctor::ctor]\nfn early() {{}}\n"),
        format!("#![cfg(windows)]\n{before}"),
        format!("{before}mod more;\n"),
        format!("{before}fn broken( {{"),
    ] {
        assert!(
            asks("tests/fees.rs", &other) || changed("tests/fees.rs", before, &other).verdict == Verdict::Refuse,
            "{other}"
        );
    }
}

#[test]
fn more_cases_in_a_list_need_nobody() {
    let with = |cases: &str| {
        format!(
            "const CASES: &[(i32, i32)] = &[{cases}];\n#[test] fn t() {{ for (a, b) in CASES {{ assert_eq!(f(*a), *b); }} }}\n\
             #[test] fn u() {{ for (a, b) in [{cases}] {{ assert_eq!(f(a), b); }} }}"
        )
    };
    let before = with("(1, 1), (2, 2)");
    assert!(!weakened(&before, &with("(0, 0), (1, 1), (2, 2), (3, 3)")));
    for other in ["(1, 1)", "(1, 1), (2, 3)", "(3, 3), (4, 4)"] {
        assert!(weakened(&before, &with(other)), "{other}");
    }
}

#[test]
fn code_is_no_test_because_tests_stand_beside_it() {
    let before = "pub fn f(x: i32) -> i32 { helped(x) }\nfn helped(x: i32) -> i32 { x + 1 }\n\n#[test]\nfn t() { assert_eq!(f(1), 2); }\n";
    let found = |after: &str| rules(&changed("src/lib.rs", before, after)).contains(&"tests-weakened");
    assert!(!found(&before.replace("x + 1", "1 + x + 0")));
    assert!(found(&before.replace("f(1), 2", "f(1), f(1)")));
}

#[test]
fn a_file_of_tests_may_bring_in_more() {
    let before = "use shop::{Till, fee};\n\n#[test]\nfn t() {\n    assert_eq!(fee(1), 1);\n}\n";
    let more = "\n#[test]\nfn u() {\n    assert_eq!(cost(2), 2);\n}\n";
    let verdict = |import: &str| {
        let after = before.replace("use shop::{Till, fee};", import) + more;
        changed("tests/fees.rs", before, &after).verdict
    };
    assert_eq!(verdict("use shop::{Till, cost, fee};"), Verdict::Pass);
    assert_eq!(verdict("use shop::Till;\nuse shop::fee;\nuse shop::cost;"), Verdict::Pass);
    for other in
        ["use shop::{Till, cost};\nuse other::fee;", "use shop::{Till, cost, other as fee};", "use shop::{cost, fee};"]
    {
        assert_ne!(verdict(other), Verdict::Pass, "{other}");
    }
}

const BELOW: &str = "pub fn half(n: u8) -> u8 {\n    n / 2\n}\n\n";
const TESTS: &str = "#[cfg(test)]\nmod tests {\n    use super::*;\n\n    fn of(n: u8) -> u8 {\n        half(n)\n    }\n\n    \
                     #[test]\n    fn halves() {\n        assert_eq!(of(8), 4);\n    }\n}\n";

/// What is found when a function and its tests go from one file to another one, and the tests that are said to have moved.
fn moved(to: &str, more: &str) -> (Vec<String>, usize) {
    let before = format!("fn stays() {{}}\n\n{BELOW}{TESTS}");
    let changes = [
        change("src/a.rs", Some(&before), Some(&format!("mod b;\npub use b::half;\n{more}fn stays() {{}}\n"))),
        change("src/a/b.rs", None, Some(to)),
    ];
    let review = with_policy(&Policy::default(), &changes);
    let worse = review.findings.iter().filter(|finding| finding.rule == "tests-weakened");
    let moved = moved_tests(&changes).unwrap_or_else(|error| panic!("{error}"));
    (worse.map(|finding| finding.detail.clone()).collect(), moved.len())
}

#[test]
fn tests_that_move_word_for_word_with_what_they_call_are_not_removed() {
    let whole = format!("{BELOW}{TESTS}");
    assert_eq!(moved(&whole, ""), (Vec::new(), 1));
    let again = format!(
        "//! Halves.\n\n{}",
        whole.replace("assert_eq!(of(8), 4);", "// Half of it.\n        assert_eq!(of(8), 4);")
    );
    assert_eq!(moved(&again, ""), (Vec::new(), 1));
    for (old, new) in [
        ("of(8), 4", "of(8), of(8)"),
        ("        half(n)\n", "        half(8)\n"),
        ("use super::*;", "use crate::fake::*;"),
        ("#[test]", "#[test]\n    #[ignore]"),
        ("#[cfg(test)]", "#[cfg(all(test, windows))]"),
        ("pub fn half", "macro_rules! assert_eq { ($($any:tt)*) => {} }\n\npub fn half"),
        ("pub fn half", "use crate::fake::assert_eq;\n\npub fn half"),
    ] {
        let (worse, moved) = moved(&whole.replace(old, new), "");
        assert!(!worse.is_empty() && moved == 0, "{new}: {worse:?}");
    }
    // Something in another file that stands in.
    assert_eq!(moved(&whole, "macro_rules! assert_eq { ($($any:tt)*) => {} }\n").1, 0);
}

#[test]
fn tests_that_move_may_bring_in_what_was_at_hand_where_they_stood() {
    let stays = "pub struct Till;\n\nimpl Till {\n    pub fn of(n: u8) -> u8 {\n        half(n)\n    }\n}\n";
    let tests = |bring: &str| {
        format!(
            "#[cfg(test)]\nmod tests {{\n    use super::*;\n{bring}\n    #[test]\n    fn halves() {{\n        assert_eq!(Till::of(8), 4);\n    }}\n}}\n"
        )
    };
    let asks = |bring: &str, lib: (&str, &str)| {
        let changes = [
            change("src/lib.rs", Some(lib.0), Some(lib.1)),
            change("src/till.rs", Some(&format!("{stays}\n{BELOW}{}", tests(""))), Some(stays)),
            change("src/half.rs", None, Some(&format!("{BELOW}{}", tests(bring)))),
        ];
        let moved = moved_tests(&changes).unwrap_or_else(|error| panic!("{error}"));
        (rules(&with_policy(&Policy::default(), &changes)).contains(&"tests-weakened"), moved.len())
    };
    let lib = (
        "mod till;\npub use till::{Till, half};\n",
        "mod half;\nmod till;\npub use half::half;\npub use till::Till;\n",
    );
    for bring in ["    use crate::Till;\n", "    use crate::till::{Till};\n"] {
        assert_eq!(asks(bring, lib), (false, 1), "{bring}");
    }
    for other in
        ["    use crate::*;\n", "    use crate::Fake as Till;\n", "    use fake::Till;\n", "    use crate::Other;\n"]
    {
        assert_eq!(asks(other, lib), (true, 0), "{other}");
    }
    // Something else may have the name now.
    let fake = format!("{}mod fake {{ pub struct Till; }}\n", lib.1);
    assert_eq!(asks("    use crate::fake::Till;\n", (lib.0, &fake)), (true, 0));
}

#[test]
fn examples_in_docs_that_move_with_their_item_are_not_removed() {
    let item = "/// Halves.\n///\n/// ```\n/// assert_eq!(a::half(8), 4);\n/// ```\npub fn half(n: u8) -> u8 {\n    n / 2\n}\n";
    let found = |to: &str| {
        let changes =
            [change("src/a.rs", Some(item), Some("mod b;\npub use b::half;\n")), change("src/a/b.rs", None, Some(to))];
        let moved = moved_tests(&changes).unwrap_or_else(|error| panic!("{error}"));
        (rules(&with_policy(&Policy::default(), &changes)).contains(&"tests-weakened"), moved.len())
    };
    assert_eq!(found(item), (false, 1));
    assert_eq!(found(&item.replace("```\n/// assert", "```no_run\n/// assert")), (true, 0));
    assert_eq!(found(&item.replace("(8), 4", "(8), a::half(8)")), (true, 0));
    assert_eq!(found(&item.replace("fn half", "fn third")), (true, 0));
}
