//! Rule `unseen-by-tests`, for locks: a function that takes a lock more often than before lets others come in between, one that
//! takes none any more is open to them, and one that waits while it holds a lock lets all others wait. Tests of one thread see
//! none of that.

use std::collections::BTreeSet;

use super::Findings;
use super::code::scan::closing;
use super::code::unit::Unit;
use super::code::{CodeFile, Side};
use super::unseen::RULE;
use crate::syntax::lex::{Kind, Lexeme};

/// Methods without arguments that wait for a lock.
const LOCKS: &[&str] = &["lock", "read", "write", "blocking_lock", "upgradable_read", "lock_owned"];
/// What hands a guard on as it is.
const HANDS_ON: &[&str] = &["await", "unwrap", "expect", "unwrap_or_else", "map_err"];
/// What may wait for long.
const WAITS: &[&str] = &[
    "sleep",
    "recv",
    "recv_timeout",
    "join",
    "wait",
    "wait_timeout",
    "park",
    "send",
    "accept",
    "connect",
    "read_line",
    "read_to_end",
    "read_to_string",
    "read_exact",
    "write_all",
    "flush",
    "sync_all",
    "block_on",
];
/// How far it is followed which functions take locks.
const STEPS: usize = 8;

pub(super) fn check(file: &CodeFile<'_>, findings: &mut Findings) {
    if file.old.is_empty() || !file.before.lexemes.iter().any(|lexeme| LOCKS.contains(&lexeme.text)) {
        return;
    }
    let (before, after) = (Taking::of(file.before), Taking::of(file.after));
    for unit in file.new.iter().filter(|unit| !unit.is_test_code()) {
        let Some(old) = file.old.iter().find(|old| old.key() == unit.key()) else { continue };
        let label = unit.label();
        let detail = match (before.taken(old), after.taken(unit)) {
            (0, _) => continue,
            (_, 0) => format!("`{label}` no longer takes the lock that it took"),
            (was, now) if now > was => {
                format!("`{label}` takes locks {now} times in place of {was}: others may come in between")
            }
            _ if drops(unit) > drops(old) => {
                format!("`{label}` gives something up early: others may come in where a lock was held")
            }
            _ if waits(unit) > waits(old) => {
                format!("`{label}` waits while it holds a lock, where it did not: others wait with it")
            }
            _ => continue,
        };
        findings.ask(RULE, file.path, detail);
    }
}

/// The functions of a file that take locks, by their names.
struct Taking<'t>(BTreeSet<&'t str>);

impl<'t> Taking<'t> {
    fn of(side: &'t Side<'t>) -> Self {
        let functions = functions(&side.lexemes);
        let mut taking = Self(BTreeSet::new());
        for _ in 0..STEPS {
            let more = functions.iter().filter(|(name, body)| !taking.0.contains(name) && taking.in_body(body) > 0);
            let more: Vec<&str> = more.map(|(name, _)| *name).collect();
            if more.is_empty() {
                break;
            }
            taking.0.extend(more);
        }
        taking
    }

    fn taken(&self, unit: &Unit<'_>) -> usize {
        functions(unit.lexemes()).first().map_or(0, |(_, body)| self.in_body(body))
    }

    /// How often locks are taken in a body, in functions that it calls too.
    fn in_body(&self, body: &[Lexeme<'_>]) -> usize {
        let text = |at: usize| body.get(at).map_or("", |lexeme| lexeme.text);
        let is_taken = |at: &usize| {
            let (name, before) = (text(*at), at.checked_sub(1).map_or("", text));
            let method = before == "." && LOCKS.contains(&name) && text(at + 1) == "(" && text(at + 2) == ")";
            method
                || (text(at + 1) == "("
                    && self.0.contains(name)
                    && (before != "." || text(at.saturating_sub(2)) == "self"))
        };
        (0..body.len()).filter(is_taken).count()
    }
}

/// The functions in code with their bodies.
fn functions<'l, 't>(lexemes: &'l [Lexeme<'t>]) -> Vec<(&'t str, &'l [Lexeme<'t>])> {
    let mut all = Vec::new();
    for (at, pair) in lexemes.windows(2).enumerate() {
        let [word, name] = pair else { continue };
        if word.text != "fn" || name.kind != Kind::Ident {
            continue;
        }
        let mut rest = lexemes.iter().enumerate().skip(at + 2);
        let Some((open, _)) = rest.find(|(_, one)| matches!(one.text, "{" | ";")) else { continue };
        if let Some(body) = lexemes.get(open..closing(lexemes, open)).filter(|body| body.len() > 1) {
            all.push((name.text, body));
        }
    }
    all
}

/// How often a function waits for something while it holds a lock that it took by `let`.
fn waits(unit: &Unit<'_>) -> usize {
    functions(unit.lexemes()).first().map_or(0, |(_, body)| (0..body.len()).map(|at| waits_behind(body, at)).sum())
}

/// How often something is waited for behind a `let` that takes a lock, until it is given back.
fn waits_behind(body: &[Lexeme<'_>], at: usize) -> usize {
    let text = |at: usize| body.get(at).map_or("", |lexeme| lexeme.text);
    if text(at) != "let" {
        return 0;
    }
    let name = if text(at + 1) == "mut" { text(at + 2) } else { text(at + 1) };
    let ends = |from: usize| {
        let mut depth = 0_i32;
        (from..body.len()).find(move |at| {
            depth += match text(*at) {
                "(" | "[" | "{" => 1,
                ")" | "]" | "}" => -1,
                _ => 0,
            };
            depth < 0 || depth == 0 && text(*at) == ";"
        })
    };
    let Some(end) = ends(at).filter(|end| text(*end) == ";") else { return 0 };
    let is_lock =
        |at: &usize| text(*at) == "." && LOCKS.contains(&text(at + 1)) && text(at + 2) == "(" && text(at + 3) == ")";
    let Some(lock) = (at..end).rev().find(is_lock) else { return 0 };
    // What is called on the guard at once leaves something else than the guard.
    let keeps = |at: usize| text(at) != "." || HANDS_ON.contains(&text(at + 1));
    if !(lock + 4..end).all(keeps) {
        return 0;
    }
    let mut depth = 0_i32;
    let mut count = 0;
    for at in end + 1..body.len() {
        depth += match text(at) {
            "{" => 1,
            "}" => -1,
            _ => 0,
        };
        let is_given_back = text(at) == "drop" && text(at + 1) == "(" && text(at + 2) == name;
        if depth < 0 || is_given_back {
            break;
        }
        let is_call = WAITS.contains(&text(at)) && text(at + 1) == "(";
        count += usize::from(is_call || text(at) == "await");
    }
    count
}

fn drops(unit: &Unit<'_>) -> usize {
    let is_drop = |pair: &&[Lexeme<'_>]| matches!(pair, [name, open] if name.text == "drop" && open.text == "(");
    unit.lexemes().windows(2).filter(is_drop).count()
}
