//! The static review: every rule over every change, before any of its code runs.
//!
//! One rule a file. Rules on bytes and data run first; a patch that is too large or no plain files goes no further.
//! Rules on code share syntax trees that are parsed once a side, on one thread with a big stack. Nothing in here
//! trusts a name, a comment or a size that the patch brings.

mod bytes;
mod code;
mod doctests;
mod findings;
mod glob;
mod items;
mod kind;
mod lints;
mod lockfile;
mod manifest;
mod parse;
mod paths;
mod policy;
mod secrets;
mod size;
mod system;
mod unsafe_code;
mod weakened;

pub use policy::Policy;

use kaizen_domain::RelPath;
use kaizen_domain::edit::{Change, FileState};
use kaizen_domain::review::{ItemChange, Review, Severity};

use crate::syntax::on_big_stack;
use code::{CodeFile, Side, sides};
use findings::Findings;

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
/// A rule over parsed Rust files.
type CodeRule = fn(&[CodeFile<'_>], &mut Findings);

const FIRST: &[DataRule] = &[kind::check, size::check];
const DATA: &[DataRule] = &[paths::check, bytes::check, secrets::check, dependencies];
const CODE: &[CodeRule] =
    &[parse::check, unsafe_code::check, system::check, lints::check, weakened::check, doctests::check];

/// Reviews a patch. Total: on any input it returns a review and does not panic.
#[must_use]
pub fn review(input: &ReviewInput<'_>) -> Review {
    let mut findings = Findings::default();
    FIRST.iter().for_each(|rule| rule(input, &mut findings));
    if findings.has_refusal(&[size::RULE, kind::RULE]) {
        return Review::of(findings.into_list(), Vec::new());
    }
    let done = on_big_stack(|| {
        DATA.iter().for_each(|rule| rule(input, &mut findings));
        let items = review_code(input, &mut findings);
        (findings.into_list(), items)
    });
    match done {
        Ok((findings, items)) => Review::of(findings, items),
        Err(fault) => {
            let mut findings = Findings::default();
            findings.add(Severity::Refusal, parse::RULE, None, format!("the patch could not be analysed: {fault}"));
            Review::of(findings.into_list(), Vec::new())
        }
    }
}

fn dependencies(input: &ReviewInput<'_>, findings: &mut Findings) {
    let outcome = manifest::check(input, findings);
    lockfile::check(input, &outcome, findings);
}

fn review_code(input: &ReviewInput<'_>, findings: &mut Findings) -> Vec<ItemChange> {
    let rust = input.changes.iter().filter(|change| change.path.is_rust());
    let sides: Vec<_> = rust
        .filter_map(|change| {
            // What is not UTF-8 afterwards was found by its bytes already.
            let after = text(change.after.as_ref()).ok()?;
            let (before, after) = match text(change.before.as_ref()) {
                Ok(before) => sides(before, after),
                Err(_) => (Side::unreadable(), Side::whole(after)),
            };
            Some((&change.path, before, after))
        })
        .collect();
    let files: Vec<CodeFile<'_>> =
        sides.iter().map(|(path, before, after)| CodeFile::of(path, before, after)).collect();
    CODE.iter().for_each(|rule| rule(&files, findings));
    items::check(&files, findings)
}

fn text(state: Option<&FileState>) -> Result<Option<&str>, std::str::Utf8Error> {
    state.map(|state| std::str::from_utf8(&state.bytes)).transpose()
}

/// The texts of a change; a base that is not UTF-8 counts as empty, so that all of the new text is looked at.
fn texts(change: &Change) -> Option<(&str, &str)> {
    let after = text(change.after.as_ref()).ok()?;
    Some((text(change.before.as_ref()).ok().flatten().unwrap_or(""), after.unwrap_or("")))
}
