//! The static review: every rule over every change, before any of its code runs.
//!
//! One rule a file. Rules on bytes and data run first; a patch that is too large or no plain files goes no further.
//! Rules on code share syntax trees of what differs, parsed once a side; files are dealt out to the processors, since
//! no rule on code looks at two files but the last ones, to which they tell what goes and what comes. Nothing in here trusts a name, a comment or a size that the patch brings.

mod advisories;
mod bytes;
mod code;
mod doctests;
mod exports;
mod fields;
mod findings;
mod glob;
mod guards;
mod halfway;
mod items;
mod kind;
mod lints;
mod lockfile;
mod locks;
mod manifest;
mod more;
mod moved;
mod parse;
mod paths;
mod policy;
mod readers;
mod secrets;
mod size;
mod system;
mod unsafe_code;
mod unseen;
mod weakened;

pub use advisories::{Advisories, Advisory, AdvisoryFault, RULE as ADVISORY_RULE};
pub use lockfile::is_lock_file;
pub use policy::Policy;

use kaizen_domain::edit::{Change, FileState};
use kaizen_domain::review::{ItemChange, Review, Severity};
use kaizen_domain::{MovedTest, RelPath};
use thiserror::Error;

use crate::syntax::{StackFault, on_big_stacks};
use code::{CodeFile, Side, sides};
use doctests::Examples;
use findings::Findings;
use guards::Guards;
use moved::Promises;
use weakened::Tests;

/// What is reviewed, and by what.
#[derive(Debug, Clone, Copy)]
pub struct ReviewInput<'a> {
    /// The changes, each with its content before and after.
    pub changes: &'a [Change],
    /// The files that the plan allows; `None` for a patch that has no plan.
    pub reach: Option<&'a [RelPath]>,
    /// What is allowed without a person.
    pub policy: &'a Policy,
    /// The manifests of the base, which say what code runs at build time. May be empty: then only the names of files
    /// and the manifests among the changes tell.
    pub manifests: &'a [Manifest],
}

/// A `Cargo.toml` of the base.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// Where it is.
    pub path: RelPath,
    /// What it says.
    pub text: String,
}

/// A rule that needs no parser for Rust.
type DataRule = fn(&ReviewInput<'_>, &mut Findings);
/// A rule over a parsed Rust file.
type CodeRule = fn(&CodeFile<'_>, &mut Findings);

const FIRST: &[DataRule] = &[kind::check, size::check];
const DATA: &[DataRule] =
    &[paths::check, bytes::check, secrets::check, readers::check, dependencies, advisories::check];
const CODE: &[CodeRule] = &[
    parse::check,
    unsafe_code::check,
    system::check,
    unseen::check,
    locks::check,
    halfway::check,
    more::check,
    lints::check,
];

/// Reviews a patch. Total: on any input it returns a review and does not panic.
///
/// # Errors
/// When the machine has no room for the threads that parse: that says nothing about the patch.
pub fn review(input: &ReviewInput<'_>) -> Result<Review, NoThread> {
    let mut findings = Findings::default();
    FIRST.iter().for_each(|rule| rule(input, &mut findings));
    if findings.has_refusal(&[size::RULE, kind::RULE]) {
        return Ok(Review::of(findings.into_list(), Vec::new()));
    }
    let data =
        || Share { findings: DATA.iter().map(|rule| found(|list| rule(input, list))).collect(), ..Share::default() };
    let rust = input.changes.iter().filter(|change| change.path.is_rust());
    let mut pieces: Vec<Box<dyn FnOnce() -> Share + Send + '_>> = vec![Box::new(data)];
    pieces.extend(rust.map(|change| Box::new(|| review_code(change)) as Box<_>));
    match on_big_stacks(pieces) {
        Ok(shares) => {
            let (mut items, mut by_rule, mut promises, mut guards) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
            let mut tests = Moving::default();
            for (at, share) in shares.into_iter().enumerate() {
                items.extend(share.items);
                promises.extend(share.promises);
                guards.extend(share.guards);
                tests.take(share.moving);
                // The first share is that of the rules on data, which come before those on code.
                let first = if at == 0 { 0 } else { DATA.len() };
                by_rule.extend((first..).zip(share.findings));
            }
            by_rule.sort_by_key(|(rule, _)| *rule);
            by_rule.into_iter().for_each(|(_, found)| findings.merge(found));
            tests.check(&mut findings);
            moved::check(&promises, &mut findings);
            guards::check(&guards, &mut findings);
            Ok(Review::of(findings.into_list(), items))
        }
        Err(StackFault::Spawn(source)) => Err(NoThread { source }),
        Err(fault @ StackFault::Panicked) => {
            let mut findings = Findings::default();
            findings.add(Severity::Refusal, parse::RULE, None, format!("the patch could not be analysed: {fault}"));
            Ok(Review::of(findings.into_list(), Vec::new()))
        }
    }
}

/// The machine has no room for a thread.
#[derive(Debug, Error)]
#[error("no thread can be started to review the patch")]
pub struct NoThread {
    /// The system's answer.
    pub source: std::io::Error,
}

/// What some rules say.
#[derive(Default)]
struct Share {
    /// One for each rule, in order.
    findings: Vec<Findings>,
    items: Vec<ItemChange>,
    promises: Option<Promises>,
    guards: Option<Guards>,
    moving: Moving,
}

/// The tests that go and come, by file.
#[derive(Default)]
struct Moving {
    tests: Vec<Tests>,
    examples: Vec<Examples>,
}

impl Moving {
    fn of(file: &CodeFile<'_>) -> Self {
        Self { tests: vec![weakened::of(file)], examples: vec![doctests::of(file)] }
    }

    fn take(&mut self, other: Self) {
        self.tests.extend(other.tests);
        self.examples.extend(other.examples);
    }

    /// Takes out what only moves.
    fn settle(&mut self) -> Vec<MovedTest> {
        let mut moved = weakened::settle_moves(&mut self.tests);
        moved.extend(doctests::settle_moves(&mut self.examples));
        moved
    }

    fn check(mut self, findings: &mut Findings) {
        let moved = self.settle();
        weakened::check(self.tests, &moved, findings);
        doctests::check(self.examples, findings);
    }
}

/// The tests that stand, word for word, in another file after these changes.
///
/// # Errors
/// When the machine has no room for the threads that parse.
pub fn moved_tests(changes: &[Change]) -> Result<Vec<MovedTest>, NoThread> {
    let rust = changes.iter().filter(|change| change.path.is_rust());
    let pieces = rust.map(|change| Box::new(|| with_code(change, Moving::of)) as Box<_>).collect();
    let mut moving = Moving::default();
    match on_big_stacks(pieces) {
        Ok(all) => all.into_iter().flatten().for_each(|one| moving.take(one)),
        Err(StackFault::Spawn(source)) => return Err(NoThread { source }),
        // What cannot be parsed shows no move.
        Err(StackFault::Panicked) => return Ok(Vec::new()),
    }
    Ok(moving.settle())
}

fn found(rule: impl FnOnce(&mut Findings)) -> Findings {
    let mut findings = Findings::default();
    rule(&mut findings);
    findings
}

fn dependencies(input: &ReviewInput<'_>, findings: &mut Findings) {
    let outcome = manifest::check(input, findings);
    lockfile::check(input, &outcome, findings);
}

/// The rules on code; call it on a big stack only.
fn review_code(change: &Change) -> Share {
    let share = with_code(change, |file| {
        let mut findings: Vec<Findings> = CODE.iter().map(|rule| found(|list| rule(file, list))).collect();
        let mut list = Findings::default();
        let (items, promises) = items::check(file, &mut list);
        findings.push(list);
        Share { findings, items, promises: Some(promises), guards: Some(guards::of(file)), moving: Moving::of(file) }
    });
    share.unwrap_or_default()
}

/// Something of a changed file; none of one that is no text afterwards, which was found by its bytes already.
fn with_code<T>(change: &Change, look: impl FnOnce(&CodeFile<'_>) -> T) -> Option<T> {
    let after = text(change.after.as_ref()).ok()?;
    let (before, after) = match text(change.before.as_ref()) {
        Ok(before) => sides(before, after),
        Err(_) => (Side::unreadable(), Side::whole(after)),
    };
    Some(look(&CodeFile::of(&change.path, &before, &after)))
}

fn text(state: Option<&FileState>) -> Result<Option<&str>, std::str::Utf8Error> {
    state.map(|state| std::str::from_utf8(&state.bytes)).transpose()
}

/// The texts of a change; a base that is not UTF-8 counts as empty, so that all of the new text is looked at.
fn texts(change: &Change) -> Option<(&str, &str)> {
    let after = text(change.after.as_ref()).ok()?;
    Some((text(change.before.as_ref()).ok().flatten().unwrap_or(""), after.unwrap_or("")))
}
