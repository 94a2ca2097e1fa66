//! The tests of one version of a file on the code of another one.

use std::ops::Range;

use kaizen_source::with_files;
use syn::Item;
use syn::spanned::Spanned as _;

use crate::items::is_test_item;

/// A file as it was, with the test code of another version of it in place of its own; none when one of them cannot be read,
/// or the other one has no test code.
#[must_use]
pub fn with_tests_of(before: &str, after: &str) -> Option<String> {
    let places = |file: &syn::File| -> Vec<Range<usize>> {
        file.items.iter().filter(|item| is_test_item(item)).map(|item: &Item| item.span().byte_range()).collect()
    };
    let (old, new) = with_files(&[before, after], |files| match files.as_slice() {
        [old, new] => (places(old), places(new)),
        _ => Default::default(),
    })
    .ok()?;
    if new.is_empty() {
        return None;
    }
    let mut text = String::new();
    let mut from = 0;
    for place in &old {
        text.push_str(before.get(from..place.start)?);
        from = place.end;
    }
    text.push_str(before.get(from..)?);
    for place in new {
        text.push('\n');
        text.push_str(after.get(place)?);
    }
    text.push('\n');
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_tests_stand_on_old_code() {
        let before = "//! Docs.\nfn a() -> u8 { 1 }\n#[cfg(test)]\nmod tests { #[test] fn old() {} }\nfn b() {}\n";
        let after =
            "//! Docs.\nfn a() -> u8 { 2 }\nfn b() {}\n/// Of a.\n#[cfg(test)]\nmod tests { #[test] fn new() {} }\n";
        let both = with_tests_of(before, after).expect("it has tests");
        assert!(both.contains("{ 1 }") && both.contains("fn b()") && both.contains("fn new()"), "{both}");
        assert!(!both.contains("{ 2 }") && !both.contains("fn old()"), "{both}");
        assert_eq!(with_tests_of(before, "fn a() {}"), None);
        let cases = "fn a() {}\n#[cfg(test)]\nstatic CASES: &[u8] = &[1];\n#[test]\nfn t() {}\n";
        let more = with_tests_of(cases, &cases.replace("[1]", "[1, 2]")).expect("it has tests");
        assert!(more.contains("[1, 2]") && !more.contains("[1]"), "{more}");
        assert_eq!(with_tests_of("fn (", after), None);
    }
}
