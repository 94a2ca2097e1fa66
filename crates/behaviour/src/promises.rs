//! What the compiler promises of types without anybody writing it: that values go to other threads, or are used by several of
//! them, that they may be moved while they are pinned, and what panics leave of them. It follows from what a type is made of,
//! from what an asynchronous function holds while it waits, and from what stands behind `impl Trait`; so a change takes it from
//! callers without changing a word that they read (the Rust reference, auto traits).

use std::collections::BTreeSet;

use crate::calls;
use crate::changed::Target;
use crate::library::{Library, words};
use crate::named::named;

/// The promises, and how the program asks for them.
const OF_TYPES: &[(&str, &str)] = &[
    ("Send", "is_send"),
    ("Sync", "is_sync"),
    ("Unpin", "is_unpin"),
    ("UnwindSafe", "is_unwind_safe"),
    ("RefUnwindSafe", "is_ref_unwind_safe"),
];
/// Those of what functions give back: what else it is, nobody relies on.
const OF_RESULTS: usize = 2;
/// More types are not asked about.
const TYPES: usize = 24;

/// The bodies of functions of the program that ask for a promise each: of types that others can name and that hold what changes,
/// and of what comes of functions that do not say which type it has.
pub(crate) fn promises(before: &Library, after: &Library, targets: &[Target<'_>], name: &str) -> Vec<String> {
    let mut bodies = Vec::new();
    let affected = affected(before, after);
    let types = named(before).into_iter().filter(|named| affected.contains(&named.place.1));
    for named in types.take(TYPES) {
        let shown = named.name.replace(' ', "").replace(&format!("{}::", crate::library::NAME), &format!("{name}::"));
        let value = format!("drive::Is::<{}>::new()", named.name);
        bodies.extend(OF_TYPES.iter().map(|promise| body(&shown, &value, promise)));
    }
    for Target { module, function, .. } in targets {
        if !function.is_async && !words(&function.output).contains(&"impl") {
            continue;
        }
        let Some(call) = calls::calls(before, module, function).ok().and_then(|calls| calls.into_iter().next()) else {
            continue;
        };
        let shown = format!("{}(..)", calls::shown(before, module, function, name));
        let number = if call.answers { "let k = c.below(0); " } else { "" };
        let value = format!("{{ {number}drive::result_{}(&{}) }}", call.changed.len(), call.callee);
        bodies.extend(OF_TYPES.iter().take(OF_RESULTS).map(|promise| body(&shown, &value, promise)));
    }
    bodies
}

fn body(of: &str, value: &str, (promise, asked): &(&str, &str)) -> String {
    let of = format!("{of}: {promise}");
    format!("    let it = {value};\n    s.promise({of:?}, (&&it).{asked}());")
}

/// The names of what changes, besides functions, and of the types that are made of it.
fn affected(before: &Library, after: &Library) -> BTreeSet<String> {
    let others = |library: &Library| -> BTreeSet<(Vec<String>, String, String)> {
        let all = library.modules.values().flat_map(|module| {
            module.others.iter().map(|(name, text)| (module.path.clone(), name.clone(), text.clone()))
        });
        all.collect()
    };
    let (old, new) = (others(before), others(after));
    let mut names: BTreeSet<String> = old.symmetric_difference(&new).map(|(_, name, _)| name.clone()).collect();
    while !names.is_empty() {
        let is_made_of_them = |(_, name, text): &&(Vec<String>, String, String)| {
            !names.contains(name) && words(text).iter().any(|word| names.contains(*word))
        };
        let more: Vec<String> = old.iter().filter(is_made_of_them).map(|(_, name, _)| name.clone()).collect();
        if more.is_empty() {
            break;
        }
        names.extend(more);
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn library(text: &str) -> Library {
        let text = text.to_owned();
        Library::read("src/lib.rs", &move |path| (path == "src/lib.rs").then(|| text.clone()))
    }

    #[test]
    fn types_that_hold_what_changes_are_asked_about_and_no_others() {
        let before = "type Text = Arc<str>; struct Inner { text: Text } pub struct Outer { inner: Inner } \
                      pub struct Other { n: u8 } pub fn f() -> Outer { todo!() }";
        let asked = |after: &str| promises(&library(before), &library(after), &[], "shop");
        assert_eq!(asked(before), Vec::<String>::new());
        let asked = asked(&before.replace("Arc", "Rc")).join("\n");
        assert!(asked.contains("s.promise(\"shop::Outer: Send\", (&&it).is_send())"), "{asked}");
        assert!(!asked.contains("Other") && !asked.contains("Inner"), "{asked}");
    }
}
