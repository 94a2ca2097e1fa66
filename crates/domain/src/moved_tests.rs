//! Moved tests: those that a change takes from one file to another, word for word. They have another id there, and are neither
//! gone nor new.

use std::collections::BTreeMap;

use crate::path::RelPath;
use crate::trial::{TestId, TrialReport};

/// A test that stands, word for word, in another file after a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MovedTest {
    /// The file that it stood in.
    pub from: RelPath,
    /// What it was called there, with the modules of that file: `tests::rounds`. For an example in docs, the item.
    pub was: String,
    /// The file that it stands in now.
    pub to: RelPath,
    /// What it is called there.
    pub now: String,
    /// It is an example in docs.
    pub is_doc: bool,
}

/// The tests of a candidate that are tests of its base in another place, each with the id that it had there. Where more than one
/// may be meant, none is.
#[must_use]
pub fn paired(moved: &[MovedTest], base: &TrialReport, candidate: &TrialReport) -> BTreeMap<TestId, TestId> {
    let only_in = |one: &TrialReport, other: &TrialReport| -> Vec<TestId> {
        one.tests.keys().filter(|id| !other.tests.contains_key(*id)).cloned().collect()
    };
    let (gone, come) = (only_in(base, candidate), only_in(candidate, base));
    let mut pairs = BTreeMap::new();
    for test in moved {
        let was: Vec<Place<'_>> =
            gone.iter().filter_map(|id| Place::of(id, &test.from, &test.was, test.is_doc)).collect();
        let now: Vec<Place<'_>> =
            come.iter().filter_map(|id| Place::of(id, &test.to, &test.now, test.is_doc)).collect();
        for one in &was {
            let same = |other: &&Place<'_>| (other.target, other.ordinal) == (one.target, one.ordinal);
            let is_alone = was.iter().filter(same).count() == 1;
            if let ([other], true) = (now.iter().filter(same).collect::<Vec<_>>().as_slice(), is_alone) {
                pairs.insert(other.id.clone(), one.id.clone());
            }
        }
    }
    pairs
}

/// Where a test stands, as far as its id tells.
struct Place<'a> {
    id: &'a TestId,
    target: &'a str,
    /// Which example of the docs it is; empty for others.
    ordinal: &'a str,
}

impl<'a> Place<'a> {
    /// None when the id is not that of a test that is called so in this file.
    fn of(id: &'a TestId, file: &RelPath, label: &str, is_doc: bool) -> Option<Self> {
        let (target, name) = id.0.split_once("::")?;
        let (name, ordinal) = match is_doc {
            true => {
                let (printed, item) = name.split_once(" - ")?;
                let (item, ordinal) = item.split_once(" #").unwrap_or((item, ""));
                let is_file =
                    file.as_str().strip_suffix(printed).is_some_and(|rest| rest.is_empty() || rest.ends_with('/'));
                (is_file.then_some(item)?, ordinal)
            }
            false => (name, ""),
        };
        let modules = name.strip_suffix(label)?;
        let module = modules.strip_suffix("::").map(|modules| modules.rsplit("::").next().unwrap_or(modules));
        let is_there = match module {
            None => modules.is_empty(),
            Some(module) => Some(module) == of_file(file),
        };
        is_there.then_some(Self { id, target, ordinal })
    }
}

/// The module that a file is, by its name.
fn of_file(file: &RelPath) -> Option<&str> {
    let parts: Vec<&str> = file.parts().collect();
    match parts.as_slice() {
        [.., folder, "mod.rs"] => Some(folder),
        [.., name] => name.strip_suffix(".rs"),
        [] => None,
    }
}
