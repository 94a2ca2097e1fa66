//! Which functions are to be driven when a library changes: those that others can call and that say something else, and
//! those through which they come to what changes behind them. Who calls whom is known by names alone, so rather too many
//! are driven than too few. Public values that change, or that are made of what does, are looked at.

use std::collections::{BTreeMap, BTreeSet};

use crate::items::{Constant, Module};
use crate::library::{Library, words};
use crate::signatures::Function;

/// How many calls away a function may be from what changes.
const FAR: usize = 8;
/// So far it is always looked; farther where too few are found.
const NEAR: usize = 3;
/// More values are not looked at.
const VALUES: usize = 48;
/// So many are enough to see what changes behind them.
const ENOUGH: usize = 4;
/// Names that say nothing about who is called.
const COMMON: &[&str] = &[
    "fmt",
    "clone",
    "eq",
    "ne",
    "cmp",
    "partial_cmp",
    "hash",
    "next",
    "from",
    "into",
    "default",
    "drop",
    "deref",
    "index",
    "new",
    "as_ref",
    "borrow",
    "into_iter",
    "iter",
    "from_str",
    "add",
    "sub",
    "mul",
    "div",
    "neg",
    "not",
    "len",
    "get",
    "is_empty",
    "push",
    "write",
    "read",
    "source",
    "from_iter",
    "extend",
    "size_hint",
];

/// A function that is to be driven.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Target<'l> {
    pub module: &'l Module,
    pub function: &'l Function,
    /// How many calls lie between it and what changes.
    pub distance: usize,
}

/// What makes it the same function on both sides: where it stands, or how others see that, what it belongs to, the trait, its
/// name, and which of several.
type Key = (Vec<String>, Option<String>, Option<String>, String, usize);

/// What is to be driven, the nearest first, where these values change. What is there on one side only cannot be compared.
pub(crate) fn targets<'l>(
    before: &'l Library,
    after: &Library,
    values: &[(&Module, &Constant)],
    most: usize,
) -> Vec<Target<'l>> {
    let (old, new) = (keyed(before), keyed(after));
    let mut distances: BTreeMap<&Key, usize> = BTreeMap::new();
    let mut names: BTreeSet<String> = BTreeSet::new();
    for (key, (module, function)) in &old {
        let now = new.get(key);
        // In another module the same text may mean something else.
        if now.is_none_or(|(at, now)| now.text != function.text || at.path != module.path) {
            distances.insert(key, 0);
            names.insert(called(function));
            names.extend(state_of(function));
        }
    }
    // What is new in the impl of a trait stands in for what the trait does by default, which what was there shows as well.
    for key in new.keys().filter(|key| key.2.is_some() && !old.contains_key(*key)) {
        let beside = old.iter().filter(|(old, _)| (&old.0, &old.1, &old.2) == (&key.0, &key.1, &key.2));
        for (key, (_, function)) in beside {
            distances.insert(key, 0);
            names.insert(called(function));
        }
    }
    // What is new may be called in place of something else, such as an impl of what a trait does by default.
    names.extend(new.iter().filter(|(key, _)| !old.contains_key(*key)).map(|(_, (_, function))| called(function)));
    names.extend(others_that_change(before, after));
    // Values of the library's own types that change are given to what takes such.
    let types: BTreeSet<&str> = values
        .iter()
        .flat_map(|(module, one)| words(&one.ty).into_iter().map(move |word| (module, word)))
        .filter(|(module, word)| before.declared(&module.path, word, FAR).is_some())
        .map(|(_, word)| word)
        .collect();
    for (key, (_, function)) in &old {
        if function.inputs.iter().any(|input| words(&input.ty).into_iter().any(|word| types.contains(word))) {
            distances.entry(key).or_insert(1);
        }
    }
    for distance in 1..=FAR {
        // What is nearer shows more.
        let is_public = |key: &&&Key| {
            let of = old.get(**key);
            of.is_some_and(|(module, function)| is_nameable(before, module, function))
        };
        if distance > NEAR && distances.keys().filter(is_public).count() >= ENOUGH {
            break;
        }
        let reached: Vec<&Key> = old
            .iter()
            .filter(|(key, (_, function))| {
                let owner = function.owner.as_ref().map(|owner| bare(&owner.of)).unwrap_or_default();
                let about = |name: &String| function.mentions.contains(name) || owner == name;
                !distances.contains_key(key) && names.iter().any(about)
            })
            .map(|(key, _)| key)
            .collect();
        let more: Vec<String> = reached.iter().filter_map(|key| Some(called(old.get(*key)?.1))).collect();
        distances.extend(reached.into_iter().map(|key| (key, distance)));
        names.extend(more);
    }
    let both = old.iter().filter(|(key, _)| new.contains_key(*key));
    let mut targets: Vec<Target<'l>> = both
        .filter_map(|(key, (module, function))| Some(Target { module, function, distance: *distances.get(key)? }))
        .collect();
    targets.retain(|target| is_nameable(before, target.module, target.function));
    targets.sort_by_key(|target| target.distance);
    targets.truncate(most);
    targets
}

/// Everything but functions by its name, of which something is on one side only.
fn others_that_change(before: &Library, after: &Library) -> BTreeSet<String> {
    let others = |library: &Library| -> BTreeSet<(Vec<String>, String, String)> {
        let all = library.modules.values().flat_map(|module| {
            module.others.iter().map(|(name, text)| (module.path.clone(), name.clone(), text.clone()))
        });
        all.collect()
    };
    others(before).symmetric_difference(&others(after)).map(|(_, name, _)| name.clone()).collect()
}

/// The public constants and statics of both sides that change, or that are made of what does.
pub(crate) fn values<'l>(before: &'l Library, after: &Library) -> Vec<(&'l Module, &'l Constant)> {
    let (old, new) = (keyed(before), keyed(after));
    let is_same = |(key, (_, function)): &(&Key, &(&Module, &Function))| {
        new.get(*key).is_some_and(|(_, now)| now.text == function.text)
    };
    let mut names = others_that_change(before, after);
    names.extend(old.iter().filter(|one| !is_same(one)).map(|(_, (_, function))| called(function)));
    let all_words = |text: &str| -> BTreeSet<String> { words(text).into_iter().map(str::to_owned).collect() };
    let others = || before.modules.values().flat_map(|module| &module.others);
    let made_of: Vec<(&String, BTreeSet<String>)> = others().map(|(name, text)| (name, all_words(text))).collect();
    for _ in 0..FAR {
        let more: Vec<String> = made_of
            .iter()
            .filter(|(name, words)| !names.contains(*name) && !words.is_disjoint(&names))
            .map(|(name, _)| (*name).clone())
            .collect();
        if more.is_empty() {
            break;
        }
        names.extend(more);
    }
    let all = before.modules.values().flat_map(|module| module.constants.iter().map(move |one| (module, one)));
    let is_there = |(_, one): &(&Module, &Constant)| {
        after.modules.values().flat_map(|module| &module.constants).any(|now| now == *one)
    };
    all.filter(|(_, one)| names.contains(&one.name)).filter(is_there).take(VALUES).collect()
}

/// The names of the functions that change, or of those that lead to them where none can be called, as far as they say something.
pub(crate) fn meant(targets: &[Target<'_>]) -> BTreeSet<String> {
    let nearest = targets.iter().map(|target| target.distance).min();
    let near = targets.iter().filter(|target| Some(target.distance) == nearest);
    near.map(|target| target.function.name.clone()).filter(|name| !COMMON.contains(&name.as_str())).collect()
}

/// Whether others can name a function, or the type that it belongs to.
fn is_nameable(library: &Library, module: &Module, function: &Function) -> bool {
    let name = function.owner.as_ref().map_or(function.name.as_str(), |owner| bare(&owner.of));
    let place = library.declared(&module.path, name, FAR);
    function.public && place.is_none_or(|place| library.public(&place).is_some())
}

/// The name by which others come to a function.
fn called(function: &Function) -> String {
    match &function.owner {
        Some(owner) if COMMON.contains(&function.name.as_str()) => bare(&owner.of).to_owned(),
        _ => function.name.clone(),
    }
}

/// The type whose values are other ones after a function: what it leaves behind is seen by the type's other methods.
fn state_of(function: &Function) -> Option<String> {
    let owner = function.owner.as_ref().filter(|owner| owner.trait_.is_none())?;
    let changes = function.inputs.first().is_some_and(|input| input.receiver && input.by_mut);
    let makes =
        function.output.split(|one: char| !one.is_alphanumeric()).any(|word| word == "Self" || word == bare(&owner.of));
    (changes || makes).then(|| bare(&owner.of).to_owned())
}

/// A path as it is written where its last name is imported.
fn last_of_path(path: &str) -> String {
    let head = path.split('<').next().unwrap_or(path);
    let skipped = head.rfind("::").map_or(0, |at| at + 2);
    path.get(skipped..).unwrap_or(path).trim().to_owned()
}

fn bare(of: &str) -> &str {
    of.split(['<', ' ']).next().unwrap_or(of)
}

fn keyed(library: &Library) -> BTreeMap<Key, (&Module, &Function)> {
    let mut all = BTreeMap::new();
    for (module, function) in library.functions() {
        let owner = function.owner.as_ref();
        // What others see in the same place is the same for them, in whichever module it stands.
        let name = owner.map_or(function.name.as_str(), |owner| bare(&owner.of));
        let place = library.declared(&module.path, name, FAR);
        let seen = place.as_ref().filter(|_| function.public).and_then(|place| library.public(place));
        let mut key: Key = (
            seen.map_or_else(|| module.path.clone(), |path| vec![path.to_owned()]),
            owner.map(|owner| owner.of.clone()),
            owner.and_then(|owner| owner.trait_.as_deref()).map(last_of_path),
            function.name.clone(),
            0,
        );
        while all.contains_key(&key) {
            key.4 += 1;
        }
        all.insert(key, (module, function));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(before: &str, after: &str) -> Vec<(String, usize)> {
        let library = |text: &str| {
            let text = text.to_owned();
            Library::read("src/lib.rs", &move |path| (path == "src/lib.rs").then(|| text.clone()))
        };
        let (before, after) = (library(before), library(after));
        targets(&before, &after, &values(&before, &after), 9)
            .iter()
            .map(|target| (target.function.name.clone(), target.distance))
            .collect()
    }

    #[test]
    fn what_changes_behind_a_public_function_is_driven_through_it() {
        let before = "const K: u8 = 1; fn inner() -> u8 { K } pub fn outer() -> u8 { inner() } pub fn same() {} \
                      pub fn own() -> u8 { 3 }";
        let named = |all: &[(&str, usize)]| -> Vec<(String, usize)> {
            all.iter().map(|(name, distance)| ((*name).to_owned(), *distance)).collect()
        };
        assert_eq!(of(before, before), []);
        assert_eq!(of(before, &before.replace('3', "4")), named(&[("own", 0)]));
        assert_eq!(of(before, &before.replace("{ K }", "{ K + 1 }")), named(&[("outer", 1)]));
        assert_eq!(of(before, &before.replace("u8 = 1", "u8 = 2")), named(&[("outer", 2)]));
        assert_eq!(of(before, &before.replace("fn same() {}", "fn same() { /* x */ }")), []);
    }

    #[test]
    fn values_that_change_are_looked_at() {
        let before = "pub const A: u8 = half(K); const K: u8 = 4; pub static B: u8 = A + 1; pub const C: u8 = 9; \
                      const fn half(n: u8) -> u8 { n / 2 }";
        let library = |text: &str| {
            let text = text.to_owned();
            Library::read("src/lib.rs", &move |path| (path == "src/lib.rs").then(|| text.clone()))
        };
        let of = |after: &str| -> Vec<String> {
            values(&library(before), &library(after)).iter().map(|(_, one)| one.name.clone()).collect()
        };
        assert_eq!(of(before), [""; 0]);
        assert_eq!(of(&before.replace("u8 = 4", "u8 = 6")), ["A", "B"]);
        assert_eq!(of(&before.replace("n / 2", "n / 3")), ["A", "B"]);
        assert_eq!(of(&before.replace("= 9", "= 8")), ["C"]);
        let before =
            "pub struct Set(u8); pub const FEW: &Set = &Set(3); pub fn has(set: &Set, n: u8) -> bool { set.0 & n > 0 }";
        let (before, after) = (library(before), library(&before.replace("(3)", "(7)")));
        assert_eq!(targets(&before, &after, &values(&before, &after), 9).len(), 1);
    }

    #[test]
    fn what_stands_in_for_what_a_trait_does_by_default_is_driven_by_what_is_beside_it() {
        let before =
            "pub struct S(u8); impl Iterator for S { type Item = u8; fn next(&mut self) -> Option<u8> { None } }";
        let found = of(before, &before.replace("type Item", "fn count(self) -> usize { 3 } type Item"));
        assert_eq!(found, [("next".to_owned(), 0)]);
    }

    #[test]
    fn what_moves_to_another_module_is_the_same_for_others() {
        let before = "pub struct S; impl std::fmt::Display for S { fn fmt(&self) -> u8 { half(8) } } \
                      pub fn half(n: u8) -> u8 { n / 2 } fn near() {}";
        let after = "pub use m::{S, half}; mod m { use std::fmt::Display; pub struct S; \
                     impl Display for S { fn fmt(&self) -> u8 { half(8) } } pub fn half(n: u8) -> u8 { n / 3 } } fn near() {}";
        let found: Vec<_> = of(before, after);
        assert_eq!(found, [("fmt".to_owned(), 0), ("half".to_owned(), 0)]);
    }

    #[test]
    fn what_a_trait_does_is_reached_through_the_type() {
        let before = "pub struct S(u8); impl Clone for S { fn clone(&self) -> S { S(self.0) } } \
                      pub fn twice(s: &S) -> (S, u8) { let t: S = s.clone(); (t, 1) }";
        let found = of(before, &before.replace("S(self.0)", "S(0)"));
        assert_eq!(found, [("clone".to_owned(), 0), ("twice".to_owned(), 1)]);
    }
}
