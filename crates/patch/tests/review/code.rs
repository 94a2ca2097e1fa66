//! Rules about code: it parses, and unsafe, reaching out, silenced lints and broken promises ask a person.

use kaizen_domain::review::Verdict;
use kaizen_patch::Policy;

use crate::support::{change, changed, rules, with_policy};

#[test]
fn every_changed_rust_file_must_parse_and_none_may_exhaust_the_parser() {
    let broken = changed("src/lib.rs", "fn a() {}\n", "fn a() {\n    let = 1;\n}\n");
    assert_eq!(rules(&broken), ["does-not-parse"]);
    assert!(broken.findings[0].detail.starts_with("2:9: "), "{}", broken.findings[0].detail);
    let misplaced = changed("src/lib.rs", "fn a() {}\nfn b() {}\n", "fn a() {}\n#![allow(x)]\nfn b() {}\n");
    assert_eq!((misplaced.verdict, rules(&misplaced)[0]), (Verdict::Refuse, "does-not-parse"));
    let far = changed("src/lib.rs", "fn a() {}\nfn b() {}\n", "fn a() {}\nfn b() { let }\n");
    assert!(far.findings[0].detail.starts_with("2:14: "), "{}", far.findings[0].detail);
    let still = changed("src/lib.rs", "fn a( {}\n", "fn a( {}\n\n");
    assert_eq!((still.verdict, still.findings.len()), (Verdict::Pass, 1));
    for deep in [
        format!("const X: u8 = {}1{};", "(".repeat(50_000), ")".repeat(50_000)),
        format!("const X: bool = {}true;", "!".repeat(50_000)),
        format!("const X: u32 = 1{};", "\n+1".repeat(50_000)),
        format!("type X = {}u8{};", "A<B,".repeat(20_000), ">".repeat(20_000)),
        format!("fn f() {{ if a {{}} {} }}", "else if a {}".repeat(20_000)),
    ] {
        let wide = Policy { max_line_bytes: 1 << 20, max_changed_lines: 1 << 20, ..Policy::default() };
        let review = with_policy(&wide, &[change("src/lib.rs", Some("fn a() {}\n"), Some(&deep))]);
        assert_eq!(rules(&review), ["does-not-parse"], "{}", &deep[..40]);
    }
}

#[test]
fn unsafe_code_asks_a_person_wherever_it_hides() {
    for code in [
        "fn a() { unsafe { b() } }",
        "unsafe fn a() {}",
        "unsafe impl Send for A {}",
        "extern \"C\" { fn a(); }",
        "#[unsafe(no_mangle)] pub fn a() {}",
        "#[no_mangle] fn a() {}",
        "#[link(name = \"x\")] extern \"C\" {}",
        "static mut A: u8 = 0;",
        "fn a() { asm!(\"nop\"); }",
        "m! { unsafe { b() } }",
        "macro_rules! m { () => { unsafe { b() } } }",
    ] {
        let review = changed("src/lib.rs", "fn z() {}\n", &format!("fn z() {{}}\n{code}\n"));
        assert!(rules(&review).contains(&"unsafe-code"), "{code}: {review:#?}");
        let kept = changed("src/lib.rs", &format!("{code}\nfn z() {{}}\n"), &format!("{code}\nfn z() {{ y() }}\n"));
        assert!(!rules(&kept).contains(&"unsafe-code"), "{code}: {kept:#?}");
        let moved = changed("src/lib.rs", &format!("{code}\nfn z() {{}}\n"), &format!("fn z() {{}}\n{code}\n"));
        assert!(!rules(&moved).contains(&"unsafe-code"), "{code}: {moved:#?}");
    }
    let inside = changed("src/lib.rs", "fn a() { unsafe { b(1) } }\n", "fn a() { unsafe { b(2) } }\n");
    assert_eq!((inside.verdict, rules(&inside)), (Verdict::AskPerson, vec!["unsafe-changed"]));
    let lint = changed("src/lib.rs", "#![forbid(unsafe_code)]\nfn a() {}\n", "fn a() {}\n");
    assert!(rules(&lint).contains(&"unsafe-code"), "{lint:#?}");
}

#[test]
fn reaching_out_of_the_program_asks_a_person() {
    for code in [
        "fn a() { std::process::Command::new(\"ls\"); }",
        "use std::process::Command;\nfn a() { Command::new(\"ls\"); }",
        "use std::{process as p};\nfn a() { p::exit(0); }",
        "use std as s;\nfn a() { s::process::abort() }",
        "use std::process::*;\nfn a() { Command::new(\"ls\"); }",
        "fn a() { std::fs::remove_dir_all(\"/\"); }",
        "use std::fs;\nfn a() { fs::write(\"a\", \"b\"); }",
        "use std::fs::File;\nfn a() { File::create(\"a\"); }",
        "fn a() { std::net::TcpStream::connect(\"a:1\"); }",
        "fn a() { std::env::var(\"HOME\"); }",
        "use std::env;\nfn a() { env::set_var(\"A\", \"b\"); }",
        "fn a() { libc::getpid(); }",
        "const A: &str = include_str!(\"/etc/passwd\");",
        "const A: &str = env!(\"HOME\");",
        "fn a() { log!(std::process::exit(1)); }",
        "fn a() { tokio::process::Command::new(\"x\"); }",
        "fn a() { std::fs::read_to_string(\"a\"); }",
        "fn a(path: &Path) -> bool { path.exists() }",
        "use std::env;\nfn a() { env::args(); }",
        "use std::time::Instant;\nfn a() { Instant::now(); }",
        "fn a() { std::thread::current(); }",
        "use std::panic::Location;\nfn a() { Location::caller(); }",
        "fn a() -> u8 { if cfg!(windows) { 1 } else { 2 } }",
    ] {
        let review = changed("src/lib.rs", "fn z() {}\n", &format!("{code}\nfn z() {{}}\n"));
        assert!(rules(&review).contains(&"system-access"), "{code}: {review:#?}");
    }
    for fine in [
        "use std::net::IpAddr;\nfn a(x: IpAddr) {}",
        "fn main() -> std::process::ExitCode { todo() }",
        "fn a() { self.process.net(); write(x) }",
    ] {
        let review = changed("src/lib.rs", "fn z() {}\n", &format!("{fine}\nfn z() {{}}\n"));
        assert!(!rules(&review).contains(&"system-access"), "{fine}: {review:#?}");
    }
    let other_argument = changed(
        "src/lib.rs",
        "use std::process::Command;\nfn a() { Command::new(\"ls\"); }\n",
        "use std::process::Command;\nfn a() { Command::new(\"rm\"); }\n",
    );
    assert!(rules(&other_argument).contains(&"system-access"));
}

#[test]
fn silencing_a_lint_asks_a_person() {
    for (before, after) in [
        ("fn a() {}\n", "#[allow(dead_code)]\nfn a() {}\n"),
        ("fn a() {}\n", "#![allow(warnings)]\nfn a() {}\n"),
        ("fn a() {}\n", "#[expect(clippy::all, reason = \"x\")]\nfn a() {}\n"),
        ("fn a() { b() }\n", "fn a() { #[allow(x)] b() }\n"),
        ("fn a() {}\n", "#[cfg_attr(all(), allow(x))]\nfn a() {}\n"),
        ("fn a() {}\n", "#[cfg(any())]\nfn a() {}\n"),
        ("fn a() {}\n", "#[cfg(test)]\nfn a() {}\n"),
        ("mod a { fn b() {} }\n", "#[cfg(test)]\nmod a { fn b() {} }\n"),
        ("fn a() {}\n", "fn a() { if cfg!(test) { b() } }\n"),
        ("#![deny(warnings)]\nfn a() {}\n", "fn a() {}\n"),
    ] {
        let review = changed("src/lib.rs", before, after);
        assert!(rules(&review).contains(&"lint-silenced"), "{after}: {review:#?}");
    }
    let fewer = changed("src/lib.rs", "#[allow(dead_code)]\nfn a() {}\n", "fn a() {}\n");
    assert_eq!(fewer.verdict, Verdict::Pass, "{fewer:#?}");
    let new_tests = changed(
        "src/lib.rs",
        "fn a() {}\n",
        "fn a() {}\n#[cfg(test)]\nmod tests {\n    #[test]\n    fn b() { assert!(c()) }\n}\n",
    );
    assert_eq!(new_tests.verdict, Verdict::Pass, "{new_tests:#?}");
}

#[test]
fn public_items_are_promises() {
    for (before, after) in [
        ("pub fn a() {}\n", ""),
        ("pub fn a() {}\n", "fn a() {}\n"),
        ("pub fn a(x: u8) {}\n", "pub fn a(x: u16) {}\n"),
        ("pub struct A { pub b: u8 }\n", "pub struct A { pub b: u16 }\n"),
        ("#[derive(Clone, Debug)]\npub struct A;\n", "#[derive(Debug)]\npub struct A;\n"),
        ("pub struct A;\nimpl A { pub fn b(&self) {} }\n", "pub struct A;\nimpl A {}\n"),
        ("pub struct A;\nimpl Clone for A { fn clone(&self) -> A { A } }\n", "pub struct A;\n"),
        ("pub trait A { fn b(); }\n", "pub trait A { fn b(); fn c(); }\n"),
        ("pub use a::b;\n", ""),
        ("pub mod a { pub fn b() {} }\n", "mod a { pub fn b() {} }\n"),
    ] {
        let review = changed("src/lib.rs", before, after);
        assert!(rules(&review).contains(&"public-item"), "{after}: {review:#?}");
        assert!(!rules(&changed("src/main.rs", before, after)).contains(&"public-item"), "{after}");
    }
    for (before, after) in [
        ("pub fn a(x: u8) {}\n", "/// Doc.\n#[inline]\n#[must_use]\npub fn a(_x: u8) {}\n"),
        ("pub struct A;\n", "#[derive(Clone)]\npub struct A;\n"),
        ("pub struct A;\nimpl Default for A { fn default() -> A { A } }\n", "#[derive(Default)]\npub struct A;\n"),
        ("mod m { pub fn a() {} }\n", "mod m {}\n"),
        ("struct A;\nimpl Clone for A { fn clone(&self) -> A { A } }\n", "struct A;\n"),
        ("pub(crate) fn a() {}\n", ""),
    ] {
        let review = changed("src/lib.rs", before, after);
        assert!(!rules(&review).contains(&"public-item"), "{after}: {review:#?}");
    }
}

#[test]
fn checks_of_debug_builds_and_what_is_not_settled_ask_a_person() {
    let rule = "unseen-by-tests";
    let before = "fn a(x: u8, mut out: W) -> R {\n    assert!(x > 0);\n    out.say(x)?;\n    out.flush()\n}\n";
    for (from, to) in [("assert!", "debug_assert!"), ("    out.say(x)?;\n    out.flush()\n", "    out.say(x)\n")] {
        assert!(rules(&changed("src/main.rs", before, &before.replace(from, to))).contains(&rule), "{to}");
    }
    for (from, to) in [
        ("fn a", "fn b() { c.flush() }\nfn a"),
        ("assert!(x > 0)", "assert!(x != 0)"),
        ("    assert!", "    debug_assert!(x < 9);\n    assert!"),
        (
            "{\n    assert!(x > 0);\n    out.say(x)?;\n    out.flush()\n}",
            "{\n    assert!(x > 0);\n    b(x, out)\n}\n\nfn b(x: u8, mut out: W) -> R {\n    out.say(x)?;\n    out.flush()\n}",
        ),
    ] {
        assert!(!rules(&changed("src/main.rs", before, &before.replace(from, to))).contains(&rule), "{to}");
    }
}

#[test]
fn public_items_may_move_into_a_module_that_is_named_again() {
    let rule = "public-item";
    let item = "#[derive(Clone, Debug)]\npub enum Kind { A, B }\n\nimpl Kind {\n    pub fn is_a(&self) -> bool { true }\n}\n\n\
                impl std::fmt::Display for Kind {\n    fn fmt(&self, f: &mut F) -> R { f.a() }\n}\n";
    let rest = "pub fn other() {}\n";
    let moved = |lib: &str, file: &str, module: &str| {
        let changes = [
            change("src/lib.rs", Some(&format!("{rest}{item}")), Some(&format!("{lib}{rest}"))),
            change(file, None, Some(module)),
        ];
        with_policy(&Policy::default(), &changes)
    };
    for (lib, file) in [
        ("mod kind;\npub use kind::Kind;\n", "src/kind.rs"),
        ("mod kind;\npub use self::kind::{Kind};\n", "src/kind/mod.rs"),
        ("mod kind;\npub use kind::*;\n", "src/kind.rs"),
    ] {
        let review = moved(lib, file, item);
        assert!(!rules(&review).contains(&rule), "{lib}: {review:#?}");
    }
    for (lib, file, module) in [
        ("mod kind;\nuse kind::Kind;\n", "src/kind.rs", item.to_owned()),
        ("mod kind;\npub use kind::Kind as Other;\n", "src/kind.rs", item.to_owned()),
        ("mod kind;\npub use other::Kind;\n", "src/kind.rs", item.to_owned()),
        ("mod kind;\npub use kind::Kind;\n", "src/kind.rs", item.replace("A, B", "A")),
        ("mod kind;\npub use kind::Kind;\n", "src/kind.rs", item.replace("Clone, ", "")),
        ("mod kind;\npub use kind::Kind;\n", "src/kind.rs", item.replace("is_a(&self)", "is_a(self)")),
        ("mod kind;\npub use kind::Kind;\n", "src/kind.rs", item.replace("std::fmt::Display", "std::fmt::Binary")),
    ] {
        let review = moved(lib, file, &module);
        assert!(rules(&review).contains(&rule), "{lib}{module}: {review:#?}");
    }
}

#[test]
fn public_items_may_move_between_modules_behind_the_names_that_others_use() {
    let rule = "public-item";
    let item = "#[derive(Clone)]\npub struct Kind;\n\nimpl Kind {\n    pub fn is_a(&self) -> bool { true }\n}\n\n\
                pub trait Round {\n    fn round(&self);\n}\n\nimpl Round for Kind {\n    fn round(&self) {}\n}\n";
    let rest = "pub fn other() {}\n";
    let finds = |before: &str, after: &str, from: &str, to: (&str, &str)| {
        let changes = [
            change("src/lib.rs", Some(before), Some(after)),
            change(from, Some(&format!("{rest}{item}")), Some(rest)),
            change(to.0, Some("fn own() {}\n"), Some(&format!("fn own() {{}}\n{}", to.1))),
        ];
        rules(&with_policy(&Policy::default(), &changes)).contains(&rule)
    };
    let (a, b) = ("src/a.rs", ("src/b.rs", item));
    let before = "mod a;\npub use a::{Kind, Round, other};\n";
    for after in [
        "mod a;\nmod b;\npub use a::other;\npub use b::{Kind, Round};\n",
        "mod a;\nmod b;\npub use a::other;\npub use crate::b::*;\n",
        "mod a;\nmod b;\npub use self::{a::other, b::Kind, b::Round};\n",
    ] {
        assert!(!finds(before, after, a, b), "{after}");
    }
    let all = "mod a;\nmod b;\npub use a::*;\nfn x() {}\n";
    assert!(!finds(all, &all.replace("fn x", "pub use b::{Kind, Round};\nfn x"), a, b));
    for (before, after) in [
        (before, "mod a;\nmod b;\npub use a::other;\npub use b::Kind;\n"),
        (before, "mod a;\nmod b;\npub use a::other;\npub use b::{Kind as Sort, Round};\n"),
        (before, "mod a;\nmod b;\npub use b::{Kind, Round};\n"),
        (before, "mod a;\nmod b;\npub use a::other;\npub use c::{Kind, Round};\n"),
        (before, "mod a;\nmod b;\npub use a::other;\n#[cfg(feature = \"x\")]\npub use b::{Kind, Round};\n"),
        (
            "pub mod a;\npub use a::{Kind, Round, other};\n",
            "pub mod a;\nmod b;\npub use a::other;\npub use b::{Kind, Round};\n",
        ),
    ] {
        assert!(finds(before, after, a, b), "{after}");
    }
    let after = "mod a;\nmod b;\npub use a::other;\npub use b::{Kind, Round};\n";
    assert!(finds(before, after, a, ("src/b.rs", &item.replace("is_a(&self)", "is_a(self)"))));
    // More names break nobody's code.
    assert!(!rules(&changed("src/lib.rs", "pub use a::{B};\n", "pub use a::{B, C};\npub use d::*;\n")).contains(&rule));
    assert!(rules(&changed("src/lib.rs", "pub use a::{B, C};\n", "pub use a::{B};\n")).contains(&rule));
    assert!(rules(&changed("src/lib.rs", "pub use a::C;\n", "pub use b::C;\n")).contains(&rule));
}

#[test]
fn what_release_builds_leave_out_and_what_time_tells_asks_a_person() {
    let rule = "unseen-by-tests";
    let before = "fn a(v: &mut V) { v.x(); }\n";
    for inside in ["v.pop().is_some()", "{ n += 1; n > 0 }", "{ n = 2; true }", "b(&mut v)"] {
        let after = format!("fn a(v: &mut V) {{ v.x(); debug_assert!({inside}); }}\n");
        assert!(rules(&changed("src/lib.rs", before, &after)).contains(&rule), "{inside}");
        // One that was there stays one's own business.
        let kept = changed("src/lib.rs", &after, &after.replace("v.x()", "v.y()"));
        assert!(!rules(&kept).contains(&rule), "{inside}");
    }
    for inside in ["v.len() == 2", "v.len() <= 2 && v.is_sorted()", "match v { X => true, _ => a != b }"] {
        let after = format!("fn a(v: &mut V) {{ v.x(); debug_assert!({inside}); }}\n");
        assert!(!rules(&changed("src/lib.rs", before, &after)).contains(&rule), "{inside}");
    }
    let sure = "fn a(v: &V) { assert!(v.is_sorted()); v.x(); }\nfn b(v: &V) { v.y(); }\n";
    assert!(rules(&changed("src/lib.rs", sure, &sure.replace("assert!(v.is_sorted()); ", ""))).contains(&rule));
    for other in
        ["assert_ne!(v.len(), 0);", "if !v.is_sorted() { return; }", "debug_assert!(v.is_sorted()); v.z().unwrap();"]
    {
        let after = sure.replace("assert!(v.is_sorted());", other);
        let is_debug = other.starts_with("debug");
        assert_eq!(rules(&changed("src/lib.rs", sure, &after)).contains(&rule), is_debug, "{other}");
    }
    let moved = sure.replace("assert!(v.is_sorted()); ", "").replace("v.y()", "assert!(v.is_sorted()); v.y()");
    assert!(!rules(&changed("src/lib.rs", sure, &moved)).contains(&rule));
    let slow = "fn same(a: &[u8], b: &[u8]) -> bool { a.iter().zip(b).fold(0, |all, (x, y)| all | (x ^ y)) == 0 }\n";
    let early = changed("src/lib.rs", slow, "fn same(a: &[u8], b: &[u8]) -> bool { a == b }\n");
    assert!(rules(&early).contains(&rule), "{early:#?}");
    let by_name = "fn same(a: &[u8], b: &[u8]) -> bool { a.ct_eq(b).into() }\n";
    assert!(!rules(&changed("src/lib.rs", slow, by_name)).contains(&rule));
    assert!(rules(&changed("src/lib.rs", by_name, "fn same(a: &[u8], b: &[u8]) -> bool { a == b }\n")).contains(&rule));
}

#[test]
fn more_ways_to_panic_and_more_printing_than_before_ask_a_person() {
    let before = "fn a(v: Option<u8>) -> Option<u8> { let w = v?; Some(w) }\n";
    for (body, rule) in [
        ("v.unwrap();", "panic-added"),
        ("v.expect(\"it is there\");", "panic-added"),
        ("if v.is_none() { panic!() }", "panic-added"),
        ("match v { Some(_) => {} None => unreachable!() }", "panic-added"),
        ("println!(\"{v:?}\");", "print-added"),
        ("dbg!(v);", "print-added"),
    ] {
        let after = before.replace("let w = v?;", &format!("{body} let w = v?;"));
        assert!(rules(&changed("src/lib.rs", before, &after)).contains(&rule), "{body}");
        // As many as before, or fewer, are no reason.
        assert!(
            !rules(&changed("src/lib.rs", &after, &after.replace("Some(w)", "Some(w + 1)"))).contains(&rule),
            "{body}"
        );
        assert!(!rules(&changed("src/lib.rs", &after, before)).contains(&rule), "{body}");
        let test = format!(
            "{before}#[cfg(test)]\nmod tests {{\n    #[test]\n    fn t() {{ let v = super::a(Some(1)); {body} }}\n}}\n"
        );
        assert!(!rules(&changed("src/lib.rs", before, &test)).contains(&rule), "{body}");
    }
    let program = changed("src/main.rs", "fn main() { a(); }\n", "fn main() { a(); println!(\"done\"); }\n");
    assert!(!rules(&program).contains(&"print-added"), "{program:#?}");
}

#[test]
fn what_a_private_field_is_called_is_no_promise() {
    let rule = "public-item";
    let before = "#[derive(Clone, PartialEq)]\npub struct A {\n    x: u8,\n    pub y: u8,\n}\n";
    for same in [
        before.replace("x:", "z:"),
        before.replace("    x", "    pub(crate) x"),
        before.replace("x: u8", "x: Vec<(u16, String)>"),
        before.replace("x: u8,", "x: u8,\n    w: bool,"),
    ] {
        assert!(!rules(&changed("src/lib.rs", before, &same)).contains(&rule), "{same}");
    }
    // What it is made of stays, in another box.
    let jobs = before.replace("x: u8", "x: Vec<Job>");
    for same in ["VecDeque<Job>", "Vec<(u32, Job)>", "Option<Box<Job>>", "HashMap<u8, Vec<Job>>,\n    w: [Job; 2]"] {
        let same = jobs.replace("Vec<Job>", same);
        assert!(!rules(&changed("src/lib.rs", &jobs, &same)).contains(&rule), "{same}");
    }
    for other in ["Vec<Rc<Job>>", "Vec<Task>", "Vec<&'static Job>", "Cell<Job>", "Vec<Job, A>"] {
        let other = jobs.replace("Vec<Job>", other);
        assert!(rules(&changed("src/lib.rs", &jobs, &other)).contains(&rule), "{other}");
    }
    for other in [
        before.replace("y:", "z:"),
        before.replace("x: u8", "x: Rc<u8>"),
        before.replace("x: u8", "x: Vec<&'static u8>"),
        before.replace("    x: u8,\n", ""),
        before.replace("    x", "    pub x"),
    ] {
        assert!(rules(&changed("src/lib.rs", before, &other)).contains(&rule), "{other}");
    }
    let told = before.replace("Clone", "Serialize");
    assert!(rules(&changed("src/lib.rs", &told, &told.replace("x:", "z:"))).contains(&rule));
}

#[test]
fn new_tests_may_use_files_as_the_file_does_already() {
    let before = "use std::fs;\nfn a() {}\n#[cfg(test)]\nmod tests {\n    #[test]\n    fn t() {\n        let p = folder();\n        \
                  fs::write(&p, \"a\");\n        fs::remove_dir_all(p);\n        Command::new(c).status();\n    }\n}\n";
    let review = |body: &str| {
        let after = before.replace("mod tests {\n", &format!("mod tests {{\n    #[test]\n    fn n() {{ {body} }}\n"));
        rules(&changed("src/lib.rs", before, &after)).contains(&"system-access")
    };
    assert!(!review("let p = folder(); fs::write(&p, \"a\"); assert!(a(p)); fs::remove_dir_all(p);"));
    for body in [
        "let p = \"/home\"; fs::remove_dir_all(p);",
        "let p = \"..\"; fs::remove_dir_all(p);",
        "fs::remove_dir_all(home);",
        "fs::remove_file(p);",
        "std::process::Command::new(c).status();",
    ] {
        assert!(review(body), "{body}");
    }
}
