//! temp
use kaizen_domain::edit::*;
use kaizen_domain::*;
use kaizen_patch::*;
use std::time::Instant;
fn ch(n: usize, b: &str, a: &str) -> Change {
    let s = |t: &str| Some(FileState { mode: FileMode::Regular, bytes: t.into() });
    Change { path: RelPath::new(format!("src/f{n}.rs")).unwrap(), before: s(b), after: s(a) }
}
#[test]
fn speed() {
    let src = format!(
        "{}\n{}",
        include_str!("../src/review/code/unit.rs"),
        include_str!("../src/review/code/scan.rs").replace("//!", "//")
    );
    let text: String = src.lines().filter(|l| !l.starts_with("//!")).take(500).map(|l| format!("{l}\n")).collect();
    let text = {
        let mut t = text;
        while syn::parse_file(&t).is_err() {
            let i = t.trim_end().rfind('\n').unwrap();
            t.truncate(i + 1);
        }
        t
    };
    println!("lines {}", text.lines().count());
    for (what, after) in [
        ("few", text.replacen("1", "2", 3)),
        ("one", text.replacen("fn below", "fn belov", 1)),
        ("none", text.clone()),
        ("tail", format!("{text}\nfn zzz() {{}}\n")),
        ("all", text.replace("let ", "let mut ")),
    ] {
        let changes: Vec<_> = (0..10).map(|n| ch(n, &text, &after)).collect();
        let policy = Policy { max_changed_lines: 100000, ..Policy::default() };
        let input = ReviewInput { changes: &changes, reach: None, policy: &policy, manifests: &[] };
        let r = review(&input);
        println!("{what}: {:?} {} items {} {:?}", r.verdict, r.findings.len(), r.items.len(), r.findings.first());
        let c0 = cpu();
        for _ in 0..50 {
            let _ = review(&input);
        }
        println!("{what}: cpu {:.1} ms", (cpu() - c0) / 50.0);
        let mut best = f64::MAX;
        for _ in 0..20 {
            let t = Instant::now();
            let _ = review(&input);
            best = best.min(t.elapsed().as_secs_f64() * 1e3);
        }
        println!("{what}: best {best:.1} ms");
    }
    let c0 = cpu();
    for _ in 0..50 {
        for _ in 0..20 {
            syn::parse_file(&text).unwrap();
            proc_macro2::extra::invalidate_current_thread_spans();
        }
    }
    println!("parse cpu {:.1}", (cpu() - c0) / 50.0);
    let c0 = cpu();
    for _ in 0..50 {
        for _ in 0..20 {
            let _: proc_macro2::TokenStream = text.parse().unwrap();
            proc_macro2::extra::invalidate_current_thread_spans();
        }
    }
    println!("lex cpu {:.1}", (cpu() - c0) / 50.0);
    if std::env::var("ONLY").is_ok() {
        return;
    }
    let t = Instant::now();
    for _ in 0..20 {
        for _ in 0..20 {
            syn::parse_file(&text).unwrap();
        }
    }
    println!("parse 20: {:.1} ms", t.elapsed().as_secs_f64() * 1e3 / 20.0);
    let n = 900;
    for (what, code) in [
        ("lt", format!("fn f() {{ {}1; }}", "a < ".repeat(n))),
        ("generic call", format!("fn f() {{ {}1{}; }}", "a::<A<".repeat(n / 2), ">>()".repeat(n / 2))),
        ("nested generic expr", format!("fn f() {{ x as {}u8{}; }}", "A<B, ".repeat(n), ">".repeat(n))),
        ("closures", format!("fn f() {{ {}1; }}", "|a: A<B>| ".repeat(n / 4))),
        ("parens", format!("fn f() {{ {}1{}; }}", "(".repeat(150), ")".repeat(150))),
        ("parens item macro", format!("{}1{}", "m!{ ".repeat(150), "}".repeat(150))),
        ("blocks", format!("fn f() {{ {}1{} }}", "{ if a { ".repeat(70), "} }".repeat(70))),
        ("tuple types", format!("type X = {}u8{};", "(A, ".repeat(150), ")".repeat(150))),
        ("patterns", format!("fn f() {{ let {}x{} = 1; }}", "Some(".repeat(150), ")".repeat(150))),
        ("qself", format!("type X = {}u8{};", "<".repeat(n), " as B>::C".repeat(n))),
        ("const generic", format!("type X = {}u8{};", "A<{ B::<".repeat(140), "> }>".repeat(140))),
        ("impl bounds", format!("fn f() -> {}u8{} {{}}", "impl A<X = ".repeat(n / 3), ">".repeat(n / 3))),
        ("dyn", format!("type X = {}u8{};", "Box<dyn Fn(".repeat(140), ") -> u8>".repeat(140))),
        ("test nest", format!("#[test] fn t() {{ {}1{} }}", "assert!({ ".repeat(75), "})".repeat(75))),
        ("test nest eq", format!("#[test] fn t() {{ {}x{} }}", "assert!(true == { ".repeat(75), "})".repeat(75))),
        ("test if", format!("#[test] fn t() {{ {}1 {} }}", "if ".repeat(n), "{} ".repeat(n))),
        ("test check", format!("#[test] fn t() {{ {}1{} }}", "check(".repeat(150), ")".repeat(150))),
        ("test vec", format!("#[test] fn t() {{ {}1{} }}", "vec![".repeat(150), "]".repeat(150))),
        ("test assert_x", format!("#[test] fn t() {{ {}1{} }}", "assert_x![".repeat(150), "]".repeat(150))),
        ("test method", format!("#[test] fn t() {{ x{} }}", ".assert_ok()".repeat(n))),
        ("attrs", "#".repeat(4000)),
        ("attr open", "#[".repeat(150)),
        ("attrs flat", "#[a] ".repeat(3000)),
        ("unsafe", "unsafe ".repeat(3900)),
        ("unsafe open", format!("m!{{ {} }}", "unsafe ".repeat(100_000))),
        ("paths open", format!("m!{{ {} }}", "a(".repeat(100))),
        ("many calls", format!("fn f() {{ {} }}", "std::fs::write(a(b(c(1)))); ".repeat(30_000))),
        ("many attr", format!("fn f() {{}} {}", "#[allow(x)] fn a() {} ".repeat(30_000))),
        ("same units", "fn a() {} ".repeat(60_000)),
        ("same tests", "#[test] fn a() { assert!(x) } ".repeat(30_000)),
        ("uses", "use a::b; ".repeat(60_000)),
        ("docs", "/// ```\n".repeat(60_000) + "fn a(){}"),
        ("docs2", "/// ```\n/// assert!(x)\n/// ```\n/// a\n".repeat(10_000) + "fn a(){}"),
        ("secrets", "key=aA1".repeat(100_000)),
        ("secrets2", "AKIA".repeat(200_000)),
        ("begin", "-----BEGIN ".repeat(80_000)),
        ("urls", "://a:b".repeat(150_000)),
        ("raw", "r#\"".repeat(250_000)),
        ("tick", "'".repeat(900_000)),
        ("cmt", "/*".repeat(400_000)),
        ("assign", "a.b(c = 1, d: e); ".repeat(40_000)),
    ] {
        for (b, a) in [("", code.as_str()), (code.as_str(), ""), (code.as_str(), &*format!("{code}\nfn zz() {{}}"))] {
            let c = [ch(0, b, a)];
            let policy = Policy { max_changed_lines: 10000000, max_line_bytes: 1 << 24, ..Policy::default() };
            let input = ReviewInput { changes: &c, reach: None, policy: &policy, manifests: &[] };
            let t = Instant::now();
            let r = review(&input);
            let ms = t.elapsed().as_secs_f64() * 1e3;
            if ms > 100.0 {
                println!(
                    "{what}: {ms:.1} ms {:?} {:?}",
                    r.verdict,
                    r.findings.first().map(|f| f.detail.chars().take(80).collect::<String>())
                );
            }
        }
    }
}

fn cpu() -> f64 {
    let s = std::fs::read_to_string("/proc/self/stat").unwrap();
    let f: Vec<&str> = s.rsplit(')').next().unwrap().split_whitespace().collect();
    (f[11].parse::<f64>().unwrap() + f[12].parse::<f64>().unwrap()) * 10.0
}
