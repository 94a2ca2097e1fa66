//! Whether a piece of test code checks less than it did, with the reasons. In doubt it does.

use std::collections::BTreeSet;

use super::assertion::{Assertion, is_adapter};
use super::extends::extends;
use super::facts::Facts;
use super::sharper::is_sharper;
use super::statement::{Statement, StatementKind, statement};

/// A function of the tests.
pub(super) struct Function {
    pub(super) facts: Facts,
    pub(super) statements: Vec<Statement>,
}

impl Function {
    pub(super) fn of(block: &syn::Block) -> Self {
        let (statements, parts): (Vec<_>, Vec<_>) = block.stmts.iter().map(statement).unzip();
        let mut facts = Facts::default();
        parts.into_iter().for_each(|part| facts.merge(part));
        Self { facts, statements }
    }
}

/// What makes the new body check less than the old one; empty when it checks as much.
pub(super) fn weaker(old: &Function, new: &Function) -> Vec<String> {
    if only_adds(old, new) {
        return Vec::new();
    }
    let mut reasons = Vec::new();
    let (before, after) = (&old.facts, &new.facts);
    assertions(&before.assertions, &after.assertions, &mut reasons);
    for (what, before, after) in [
        ("`panic!`s", before.panics, after.panics),
        ("`unwrap`s and `expect`s", before.unwraps, after.unwraps),
        ("`?`s", before.tries, after.tries),
    ] {
        if after < before {
            reasons.push(format!("has fewer {what} ({after} instead of {before})"));
        }
    }
    if after.exits > before.exits {
        reasons.push("can end early".to_owned());
    }
    if after.constant_conditions > before.constant_conditions {
        reasons.push("has a condition that never changes".to_owned());
    }
    if sorted(&before.literals) != sorted(&after.literals) || sorted(&before.booleans) != sorted(&after.booleans) {
        reasons.push("works with other values".to_owned());
    }
    let free = |facts: &Facts| facts.names.difference(&facts.bound).cloned().collect::<BTreeSet<String>>();
    let (names, others) = (free(before), free(after));
    let other = names.symmetric_difference(&others).find(|name| !is_adapter(name));
    if let Some(name) = other {
        reasons.push(format!("computes something else (`{}` comes or goes)", crate::shown::shown(name, 60)));
    } else if arithmetic(before) != arithmetic(after) {
        reasons.push("computes something else".to_owned());
    }
    let all = |facts: &Facts| {
        let asserted = facts.assertions.iter().flat_map(|assertion| &assertion.names);
        asserted.chain(&facts.names).cloned().collect::<BTreeSet<String>>()
    };
    let used = all(before);
    if let Some(name) = after.bound.difference(&before.bound).find(|name| used.contains(*name)) {
        reasons.push(format!("binds `{}` anew", crate::shown::shown(name, 60)));
    }
    if sorted(&before.items) != sorted(&after.items) {
        reasons.push("declares other items inside".to_owned());
    }
    reasons
}

/// Operators that make values; `+=` is `+`. Those between conditions are left out, since conditions may be joined.
fn arithmetic(facts: &Facts) -> Vec<&str> {
    let comparing = ["==", "!=", "<=", ">="];
    let plain = |operator: &'_ str| !matches!(operator, "&&" | "||" | "!");
    let mut all: Vec<&str> = facts.operators.iter().map(String::as_str).filter(|operator| plain(operator)).collect();
    for operator in &mut all {
        if !comparing.contains(operator) {
            *operator = operator.strip_suffix('=').unwrap_or(operator);
        }
    }
    all.sort_unstable();
    all
}

fn assertions(before: &[Assertion], after: &[Assertion], reasons: &mut Vec<String>) {
    let mut free: Vec<&Assertion> = after.iter().collect();
    let mut changed = Vec::new();
    for old in before {
        match free.iter().position(|new| old.is_same(new)) {
            Some(at) => {
                free.remove(at);
            }
            None => changed.push(old),
        }
    }
    changed.retain(|old| match free.iter().position(|new| old.may_become(new)) {
        Some(at) => {
            free.remove(at);
            false
        }
        None => true,
    });
    if after.len() < before.len() {
        reasons.push(format!("has fewer assertions ({} instead of {})", after.len(), before.len()));
    }
    for old in changed.iter().take(3) {
        reasons.push(format!("no longer asserts `{}` as it did", crate::shown::shown(&old.text, 100)));
    }
    if free.iter().any(|new| new.is_constant()) {
        reasons.push("asserts what is always true".to_owned());
    }
}

fn sorted<T: Ord>(values: &[T]) -> Vec<&T> {
    let mut values: Vec<&T> = values.iter().collect();
    values.sort();
    values
}

/// Every old statement is still there in order, and what is between them takes nothing away from them.
fn only_adds(old: &Function, new: &Function) -> bool {
    let mut waiting = old.statements.iter().peekable();
    for statement in &new.statements {
        if waiting.peek().is_some_and(|old| asks_as_much(&old.text, &statement.text)) {
            waiting.next();
            continue;
        }
        let harmless = match &statement.kind {
            StatementKind::Assertion | StatementKind::Cases => true,
            StatementKind::Binding(name) => {
                !old.facts.names.contains(name)
                    && !old.facts.assertions.iter().any(|assertion| assertion.names.contains(name))
            }
            StatementKind::Other => waiting.peek().is_none(),
            StatementKind::Exit => false,
        };
        if !harmless {
            return false;
        }
    }
    waiting.next().is_none()
}

/// Whether a statement is the same, has longer lists, or asks for more.
fn asks_as_much(old: &str, new: &str) -> bool {
    let tokens = |text: &str| text.parse::<proc_macro2::TokenStream>();
    old == new
        || matches!((tokens(old), tokens(new)), (Ok(old), Ok(new)) if extends(&old, &new) || is_sharper(&old, &new))
}

/// What makes a constant or another value of the tests say something else.
pub(super) fn other_value(old: &syn::Expr, new: &syn::Expr) -> bool {
    let (old, new) = (Facts::of_expr(old), Facts::of_expr(new));
    let values = |facts: &Facts| {
        let mut values = facts.literals.clone();
        values.extend(facts.booleans.iter().map(ToString::to_string));
        values.extend(facts.operators.iter().cloned());
        values.sort();
        values
    };
    values(&old) != values(&new) || old.names != new.names
}
