//! Changes that lie in bodies alone, and changes that reach out of them.

use super::*;
use proptest::prelude::*;

/// What changes between two texts of a crate that is only ever built with the feature `x`.
fn changed(old: &str, new: &str) -> Option<BTreeSet<Touched>> {
    touched(old, new, &|name| name == "x")
}

/// What is found where `OLD` becomes `NEW`, as `name`, with `+` where it may be copied and `?` under a condition.
fn found(text: &str) -> Option<Vec<String>> {
    assert!(text.contains("OLD"));
    let touched = changed(&text.replace("OLD", "1"), &text.replace("OLD", "2"))?;
    let mark = |yes, mark| if yes { mark } else { "" };
    Some(touched.iter().map(|t| format!("{}{}{}", t.name, mark(t.copied, "+"), mark(t.conditional, "?"))).collect())
}

#[test]
fn a_body_alone_is_told_with_its_function() {
    for (text, name) in [
        ("fn f() -> u8 { OLD }", "f"),
        ("pub unsafe extern \"C\" fn f<'a>(x: &'a u8) -> u8 { *x + OLD }", "f"),
        ("mod m { pub struct S; impl S { #[must_use] fn r#try(&self) -> u8 { OLD } } }", "try"),
        ("impl std::fmt::Display for S { fn fmt(&self, f: &mut F) -> R { write!(f, \"{}\", OLD) } }", "fmt"),
        ("fn f() -> Box<dyn Fn() -> u8> { Box::new(|| OLD) }", "f"),
        ("fn f() -> u8 { use std::mem; fn g() {} g(); OLD }", "f"),
        ("fn f() { fn g() {} if OLD == 1 { g() } }", "f"),
        ("fn f<T>() -> u8 { OLD }", "f+"),
        ("fn f<const N: usize>() -> u8 { OLD }", "f+"),
        ("fn f(x: impl Copy) -> u8 { OLD }", "f+"),
        ("impl<T> S<T> { fn f() -> u8 { OLD } }", "f+"),
        ("impl<T> Drop for S<T> { fn drop(&mut self) { g(OLD) } }", "drop+"),
        ("trait T { fn f() -> u8 { OLD } }", "f+"),
        ("#[inline] fn f() -> u8 { OLD }", "f+"),
        ("#[cfg_attr(feature = \"x\", inline)] fn f() -> u8 { OLD }", "f+?"),
        ("#[cfg_attr(feature = \"unset\", some_macro)] fn f() -> u8 { OLD }", "f?"),
        ("#[cfg(test)] mod tests { #[test] fn f() { assert_eq!(1, OLD) } }", "f?"),
        ("fn f() -> u8 { #[cfg(test)] g(); OLD }", "f?"),
        ("fn f() -> bool { OLD == 1 && cfg!(test) }", "f?"),
    ] {
        assert_eq!(found(text), Some(vec![name.to_owned()]), "{text}");
    }
}

#[test]
fn whatever_may_reach_out_of_a_body_is_none() {
    for text in [
        "const X: u8 = OLD;",
        "static X: u8 = { fn f() -> u8 { OLD } 1 };",
        "fn f() -> [u8; OLD] { g() }",
        "fn f(x: [u8; OLD]) {}",
        "const fn f() -> u8 { OLD }",
        "async fn f() -> u8 { OLD }",
        "fn f() -> impl Fn() -> u8 { || OLD }",
        "fn f() -> Option<impl Fn() -> u8> { Some(|| OLD) }",
        "fn f() -> ty!() { OLD }",
        "#[inline(always)] fn f() -> u8 { OLD }",
        "#[cfg_attr(x, inline(always))] fn f() -> u8 { OLD }",
        "#[cfg_attr(feature = \"x\", some_macro)] fn f() -> u8 { OLD }",
        "#[cfg_attr(not(feature = \"unset\"), some_macro)] fn f() -> u8 { OLD }",
        "#[tokio::test] fn f() { g(OLD) }",
        "#[no_mangle] fn f() { g(OLD) }",
        "#[async_trait] impl T for S { fn f() { g(OLD) } }",
        "#[mac] mod m { fn f() { g(OLD) } }",
        "fn f() { impl T for S { const X: u8 = OLD; } }",
        "fn f() { fn g() -> u8 { OLD } g() }",
        "fn f() { thread_local! { static X: u8 = OLD; } }",
        "fn f() { implement!(S, OLD) }",
        "fn f() { assert!({ impl T for S {} OLD == 1 }) }",
        "mac! { fn f() -> u8 { OLD } }",
        "macro_rules! m { () => { OLD } }",
        "/// OLD\nfn f() {}",
        "fn f() { /** OLD */ struct S; }",
        "#[path = \"OLD.rs\"] mod m;",
        "#![allow(xOLD)]",
        "fn fOLD() {}",
        "fn f() { OLD ",
    ] {
        assert_eq!(found(text), None, "{text}");
    }
    for deep in ["(".repeat(1000) + &")".repeat(1000), "!".repeat(20_000) + "x", "&".repeat(20_000) + "x"] {
        assert_eq!(found(&format!("fn f() {{ OLD; {deep} }}")).is_none(), deep.starts_with('('));
    }
    assert_eq!(changed("fn f() { g() }", "fn f() { g() } fn h() {}"), None);
    assert_eq!(changed("fn f() { g() }", "#[inline] fn f() { g() }"), None);
    assert_eq!(changed("fn f() -> u8 { 1 }", "fn f() -> u8 { struct S; 1 }"), None);
    assert_eq!(changed("fn f() { g() }", "fn f() { fn g() {} g() }"), None);
    assert_eq!(changed("fn f() { impl T for S {} }", "fn f() { }"), None);
    assert_eq!(changed("fn f() { /** ``` */ fn g() {} }", "fn f() { }"), None);
    assert!(changed("fn f() { fn g() {} g() }", "fn f() { }").is_some());
}

#[test]
fn what_means_nothing_touches_nothing() {
    let touched = changed("fn f() { g( 1 ) }\n", "// about it\nfn f() {\n    g(1) // now\n}\n");
    assert_eq!(touched, Some(BTreeSet::new()));
}

proptest! {
    #[test]
    fn only_the_bodies_that_differ_are_told(old in proptest::collection::vec(0u8..3, 1..8), flips in proptest::collection::vec(any::<bool>(), 8)) {
        let new: Vec<u8> = old.iter().zip(&flips).map(|(n, flip)| n + u8::from(*flip)).collect();
        let text = |bodies: &[u8]| -> String {
            bodies.iter().enumerate().map(|(at, n)| match at % 3 {
                0 => format!("fn f{at}() -> u8 {{ {n} }}\n"),
                1 => format!("impl S {{ fn f{at}(&self) -> u8 {{ g({n}) }} }}\n"),
                _ => format!("mod m{at} {{ trait T {{ fn f{at}() -> u8 {{ {{ {n} }} }} }} }}\n"),
            }).collect()
        };
        let told: Vec<String> = changed(&text(&old), &text(&new)).unwrap().into_iter().map(|touched| touched.name).collect();
        let differ: Vec<String> = (0..old.len()).filter(|at| old[*at] != new[*at]).map(|at| format!("f{at}")).collect();
        prop_assert_eq!(told, differ);
    }

    #[test]
    fn any_text_is_compared_without_a_panic(old in "\\PC{0,60}", new in "(fn f\\(\\) \\{ )?\\PC{0,60}") {
        let _ = changed(&old, &new);
    }
}
