//! Carried along: what a repair brings with it besides what its tests ask for. A test that fails before a change and passes
//! after it speaks for the lines that it needs, and for no others: whatever can be put back with every test still passing is
//! put back, and if functions then do something else, that was carried along.

use std::collections::BTreeMap;
use std::ops::Range;

use kaizen_domain::edit::{Change, FileState};
use kaizen_domain::{Comparison, TestId, TestOutcome, TrialOutcome, TrialReport};
use kaizen_sandbox::{TreeChange, TrialError};
use similar::{DiffTag, TextDiff};

use crate::noticing::{Noticing, is_code};

/// How often pieces of a change are put back: each time costs a trial.
const TRIES: usize = 16;

/// A change without what no test needs.
pub(crate) struct Leaner {
    /// What leads from the warm base to the tree that has only what the tests need.
    pub tree: Vec<TreeChange>,
    /// What leads from that tree to the one with the whole change.
    pub rest: Vec<Change>,
}

/// Puts back what no test needs; none when they need all of it. `told` are the tests that tell the trees before and after
/// apart.
///
/// # Errors
/// When the sandbox cannot run it.
pub(crate) fn leaner(of: &Noticing<'_>, told: &[TestId]) -> Result<Option<Leaner>, TrialError> {
    let mut files: Vec<File<'_>> = of.changes.iter().filter(|change| is_code(change)).filter_map(File::of).collect();
    if files.iter().map(|file| file.pieces.len()).sum::<usize>() < 2 {
        return Ok(None);
    }
    // Lines that stand together first: one of them may be nothing without the others. Then each by itself.
    let mut lean = None;
    for set in tries(&files).into_iter().take(TRIES) {
        if set.iter().any(|place| is_back(&files, *place)) {
            continue;
        }
        set.iter().for_each(|place| put(&mut files, *place, true));
        let tree = tree(of, &files);
        if all_pass(of, &tree, told)? {
            lean = Some(tree);
        } else {
            set.iter().for_each(|place| put(&mut files, *place, false));
        }
    }
    let rest = files.iter().filter_map(File::rest).collect();
    Ok(lean.map(|tree| Leaner { tree, rest }))
}

/// A file that changes, in pieces that can be put back by themselves.
struct File<'a> {
    change: &'a Change,
    state: &'a FileState,
    before: Vec<&'a str>,
    after: Vec<&'a str>,
    pieces: Vec<Piece>,
}

/// Where a piece is: the file, and which of its pieces it is.
type Place = (usize, usize);

/// Lines that change.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Piece {
    /// Which of the lines that stand together in the file they belong to.
    group: usize,
    before: Range<usize>,
    after: Range<usize>,
    /// Whether they are as they were.
    back: bool,
}

impl<'a> File<'a> {
    fn of(change: &'a Change) -> Option<Self> {
        let (before, after) = change.texts()?;
        let state = change.after.as_ref()?;
        change.before.as_ref()?;
        let (before, after) = (lines(before), lines(after));
        let pieces = pieces(&before, &after);
        Some(Self { change, state, before, after, pieces })
    }

    /// The text with the pieces that are put back.
    fn text(&self) -> String {
        let (mut text, mut at) = (String::new(), 0);
        for piece in self.pieces.iter().filter(|piece| piece.back) {
            text.extend(self.after.get(at..piece.after.start).unwrap_or_default().iter().copied());
            text.extend(self.before.get(piece.before.clone()).unwrap_or_default().iter().copied());
            at = piece.after.end;
        }
        text.extend(self.after.get(at..).unwrap_or_default().iter().copied());
        text
    }

    /// What leads from the text with pieces put back to the one without.
    fn rest(&self) -> Option<Change> {
        self.pieces.iter().any(|piece| piece.back).then(|| Change {
            path: self.change.path.clone(),
            before: Some(FileState { bytes: self.text().into_bytes(), ..self.state.clone() }),
            after: Some(self.state.clone()),
        })
    }
}

fn lines(text: &str) -> Vec<&str> {
    text.split_inclusive('\n').collect()
}

/// The lines that change, line by line where as many go as come; apart from those that say nothing to the compiler.
fn pieces(before: &[&str], after: &[&str]) -> Vec<Piece> {
    let diff = TextDiff::from_slices(before, after);
    let mut pieces = Vec::new();
    for (group, op) in diff.ops().iter().filter(|op| op.tag() != DiffTag::Equal).enumerate() {
        let (old, new) = (op.old_range(), op.new_range());
        if old.len() == new.len() {
            let pair = |(old, new)| Piece { group, before: old..old + 1, after: new..new + 1, back: false };
            pieces.extend(old.zip(new).map(pair));
        } else {
            pieces.push(Piece { group, before: old, after: new, back: false });
        }
    }
    let says_nothing = |line: &&str| line.trim().is_empty() || line.trim_start().starts_with("//");
    let silent =
        |all: &[&str], lines: &Range<usize>| all.get(lines.clone()).is_none_or(|all| all.iter().all(says_nothing));
    pieces.retain(|piece| !(silent(before, &piece.before) && silent(after, &piece.after)));
    pieces
}

/// What is put back at once, one after the other: all lines that stand together, then each where there are several.
fn tries(files: &[File<'_>]) -> Vec<Vec<Place>> {
    let mut groups: BTreeMap<(usize, usize), Vec<Place>> = BTreeMap::new();
    for (file, of) in files.iter().enumerate() {
        for (piece, lines) in of.pieces.iter().enumerate() {
            groups.entry((file, lines.group)).or_default().push((file, piece));
        }
    }
    let several: Vec<Place> = groups.values().filter(|group| group.len() > 1).flatten().copied().collect();
    groups.into_values().chain(several.into_iter().map(|place| vec![place])).collect()
}

fn is_back(files: &[File<'_>], (file, piece): Place) -> bool {
    files.get(file).and_then(|file| file.pieces.get(piece)).is_none_or(|piece| piece.back)
}

fn put(files: &mut [File<'_>], (file, piece): Place, back: bool) {
    if let Some(piece) = files.get_mut(file).and_then(|file| file.pieces.get_mut(piece)) {
        piece.back = back;
    }
}

/// The tree after the change, with what is put back.
fn tree(of: &Noticing<'_>, files: &[File<'_>]) -> Vec<TreeChange> {
    let back = files.iter().filter_map(File::rest).filter_map(|rest| {
        let bytes = rest.before?.bytes;
        let executable = rest.after?.mode == kaizen_domain::edit::FileMode::Executable;
        Some(TreeChange::Write { path: rest.path, bytes, executable })
    });
    of.trees.1.iter().cloned().chain(back).collect()
}

/// Whether every test does what it does with the whole change.
fn all_pass(of: &Noticing<'_>, tree: &[TreeChange], told: &[TestId]) -> Result<bool, TrialError> {
    Ok(does_the_same(of.report, &of.tried(tree, of.report)?, told))
}

fn does_the_same(whole: &TrialReport, lean: &TrialReport, told: &[TestId]) -> bool {
    let compared = Comparison::of(whole, lean);
    let passes = |id: &TestId| lean.tests.get(id).is_some_and(|test| test.outcome == TestOutcome::Passed);
    lean.outcome == TrialOutcome::Ran
        && [&compared.broken, &compared.missing, &compared.silenced].iter().all(|list| list.is_empty())
        && told.iter().all(passes)
}

#[cfg(test)]
mod tests {
    use kaizen_domain::RelPath;
    use kaizen_domain::edit::FileMode;

    use super::*;

    fn change(before: &str, after: &str) -> Change {
        let state = |text: &str| Some(FileState { mode: FileMode::Regular, bytes: text.as_bytes().to_vec() });
        Change { path: RelPath::new("src/lib.rs").expect("a path"), before: state(before), after: state(after) }
    }

    #[test]
    fn each_line_can_be_put_back_by_itself() {
        let change = change("a\nb\nc\nd\ne\n", "a\nB\nC\n// said\nd\nE\nf\n");
        let mut file = File::of(&change).expect("it is text");
        let of =
            |file: &File<'_>| file.pieces.iter().map(|piece| (piece.before.clone(), piece.after.clone())).collect();
        let coarse: Vec<_> = vec![(1..3, 1..4), (4..5, 5..7)];
        let found: Vec<_> = of(&file);
        assert_eq!(found, coarse);
        if let Some(piece) = file.pieces.first_mut() {
            piece.back = true;
        }
        assert_eq!(file.text(), "a\nb\nc\nd\nE\nf\n");
        let rest = file.rest().expect("something is put back");
        assert_eq!(rest.texts(), Some(("a\nb\nc\nd\nE\nf\n", "a\nB\nC\n// said\nd\nE\nf\n")));
    }

    #[test]
    fn lines_that_stand_together_come_first_and_then_each() {
        let change = change("a\nb\nc\n", "A\nB\nc\n// x\nd\n");
        let mut file = File::of(&change).expect("it is text");
        assert_eq!(
            tries(std::slice::from_ref(&file)),
            [vec![(0, 0), (0, 1)], vec![(0, 2)], vec![(0, 0)], vec![(0, 1)]]
        );
        file.pieces.get_mut(1).expect("there are three").back = true;
        assert_eq!(file.text(), "A\nb\nc\n// x\nd\n");
    }
}
