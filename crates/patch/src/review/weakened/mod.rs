//! Rule `tests-weakened`: a patch may add tests; one that removes, silences or weakens what tests check asks a person.
//!
//! Test code is whatever is compiled for tests only, wherever it stands. Compared are the assertions with their values,
//! not their spelling, so that what a lint suggests inside of a test passes.

mod added;
mod assertion;
mod compare;
mod extends;
mod facts;
mod literal;
mod moving;
mod shadow;
mod sharper;
mod statement;

use quote::ToTokens;
use syn::{Attribute, ImplItem, Item, TraitItem};

use super::Findings;
use super::code::CodeFile;
use super::code::scan::attributes;
use super::code::test_code::is_test_attr;
use super::code::unit::{Body, Node, Unit};
use crate::syntax::lex::Lexeme;
pub(super) use added::only_adds;
use compare::{Function, other_value, weaker};
pub(super) use moving::{Tests, check, settle_moves};

pub(super) const RULE: &str = "tests-weakened";
const ADDED: &str = "test-added";
const MOVED: &str = "test-moved";

/// What a file tells of its tests: what is found in it alone, and what goes from it and comes to it.
pub(super) fn of(file: &CodeFile<'_>) -> Tests {
    let mut tests = Tests::new(file);
    if !file.is_whole() {
        by_count(file, &mut tests.findings);
        return tests;
    }
    for name in shadow::shadowed(file) {
        let name = crate::shown::shown(&name, 60);
        tests.findings.ask(RULE, file.path, format!("brings `{name}` into test code, where it stands in for another"));
    }
    let mut taken = vec![false; file.new.len()];
    for old in file.old.iter().filter(|unit| unit.is_test_code()) {
        let pair = file.new.iter().zip(taken.iter_mut()).find(|(new, taken)| !**taken && new.key() == old.key());
        match pair {
            Some((new, taken)) => {
                *taken = true;
                changed(file, old, new, &mut tests.findings);
            }
            None => tests.goes(old, removed(file, old)),
        }
    }
    let untaken = file.new.iter().zip(taken).filter(|(_, taken)| !taken).map(|(new, _)| new);
    untaken.filter(|new| new.is_test_code()).for_each(|new| tests.comes(new));
    tests
}

fn is_test(unit: &Unit<'_>) -> bool {
    unit.attrs().iter().any(is_test_attr)
}

/// What it means that a unit is gone; nothing when it moved within the file, or held nothing.
fn removed(file: &CodeFile<'_>, old: &Unit<'_>) -> Option<String> {
    // Moved within the file, unchanged, and still test code.
    let moved = |new: &Unit<'_>| new.text == old.text && new.is_test_code();
    if file.new.iter().any(moved) {
        return None;
    }
    let label = old.label();
    if is_test(old) {
        Some(format!("removes the test `{label}`"))
    } else if old.kind == "mod" {
        Some(format!("removes the test module `{label}`"))
    } else if let Body::There(block) = old.body() {
        let facts = facts::Facts::of_block(&block);
        let holds = !facts.assertions.is_empty() || facts.panics > 0;
        holds.then(|| format!("removes `{label}`, which asserts something for the tests"))
    } else {
        matches!(old.kind, "macro" | "macro call").then(|| format!("removes the macro `{label}` of the tests"))
    }
}

fn changed(file: &CodeFile<'_>, old: &Unit<'_>, new: &Unit<'_>, findings: &mut Findings) {
    let label = new.label();
    let mut ask = |reason: &str| findings.ask(RULE, file.path, format!("`{label}` {reason}"));
    if !new.is_test_code() || (is_test(old) && !is_test(new)) {
        ask("is no longer a test, or no longer in test code");
    }
    let lost = |name: &str| attrs_named(old.attrs(), name) != attrs_named(new.attrs(), name);
    if lost("ignore") && !attrs_named(new.attrs(), "ignore").is_empty() {
        ask("is ignored now");
    }
    if lost("should_panic") {
        ask("has another `#[should_panic]`");
    }
    if lost("cfg") || lost("cfg_attr") {
        ask("is compiled under another condition");
    }
    if is_test(old) && is_test(new) && test_attrs(old.attrs()) != test_attrs(new.attrs()) {
        ask("has other test attributes");
    }
    let values = |unit: &Unit<'_>| match unit.node {
        Node::Item(Item::Const(item)) => Some((*item.expr).clone()),
        Node::Item(Item::Static(item)) => Some((*item.expr).clone()),
        Node::ImplItem(ImplItem::Const(item), _) => Some(item.expr.clone()),
        _ => None,
    };
    let bodies = (old.body(), new.body());
    if let (Body::There(old), Body::There(new)) = &bodies {
        let (old, new) = (Function::of(old), Function::of(new));
        weaker(&old, &new).iter().for_each(|reason| ask(reason));
    } else if let (Body::Broken, _) | (_, Body::Broken) = bodies {
        ask("is test code that cannot be compared");
    } else if let (Some(old), Some(new)) = (values(old), values(new)) {
        if !extends::extends(&old.to_token_stream(), &new.to_token_stream()) && other_value(&old, &new) {
            ask("has another value");
        }
    } else if matches!(new.kind, "macro" | "macro call") && tokens(old) != tokens(new) {
        ask("is a macro of the tests, and what it does changes");
    } else if matches!(new.kind, "item" | "foreign item") {
        ask("is test code that cannot be compared");
    }
}

fn tokens(unit: &Unit<'_>) -> String {
    match unit.node {
        Node::Item(Item::Macro(item)) => item.mac.tokens.to_string(),
        Node::ImplItem(ImplItem::Macro(item), _) => item.mac.tokens.to_string(),
        Node::TraitItem(TraitItem::Macro(item)) => item.mac.tokens.to_string(),
        _ => String::new(),
    }
}

fn attrs_named(attrs: &[Attribute], name: &str) -> Vec<String> {
    attrs.iter().filter(|attr| attr.path().is_ident(name)).map(|attr| attr.meta.to_token_stream().to_string()).collect()
}

/// The attributes that make it a test, with their arguments: cases and their values.
fn test_attrs(attrs: &[Attribute]) -> Vec<String> {
    let of_tests = |attr: &&Attribute| is_test_attr(attr) || attr.path().is_ident("case");
    attrs.iter().filter(of_tests).map(|attr| attr.meta.to_token_stream().to_string()).collect()
}

/// Where a side does not parse: tests and assertions by count.
fn by_count(file: &CodeFile<'_>, findings: &mut Findings) {
    let count = |lexemes: &[Lexeme<'_>]| {
        let asserts = lexemes
            .windows(2)
            .filter(|pair| matches!(pair, [name, bang] if name.text.contains("assert") && bang.text == "!"));
        let attrs = attributes(lexemes);
        let named = |name: &str| attrs.iter().filter(|attr| attr.name.rsplit(':').next() == Some(name)).count();
        (asserts.count(), named("test"), named("ignore"))
    };
    let (before, after) = (count(&file.before.lexemes), count(&file.after.lexemes));
    if after.0 < before.0 || after.1 < before.1 || after.2 > before.2 {
        let detail = "has fewer tests or assertions than before, or ignores more of them";
        findings.ask(RULE, file.path, detail);
    }
}
