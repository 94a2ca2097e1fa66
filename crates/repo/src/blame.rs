//! When lines of a file were last changed. Follows the file back through history by its path, bounded in commits and
//! size: a line whose age cannot be told within the bounds has none.

use std::collections::{BinaryHeap, HashMap, HashSet};
use std::path::Path;

use git2::{Commit, DiffOptions, Oid, Patch};
use kaizen_domain::names::CommitId;
use kaizen_domain::path::RelPath;

use crate::error::RepoError;
use crate::repo::Repo;

/// The largest file whose lines are followed, bytes.
const MAX_SIZE: usize = 2 << 20;
/// The most commits that are looked at for one file.
const MAX_COMMITS: usize = 20_000;
/// The most comparisons of two versions for one file.
const MAX_COMPARISONS: usize = 1_000;

/// Lines to follow in one commit: where the line is there, and at which place of the answer it belongs.
type Lines = Vec<(u32, usize)>;

impl Repo {
    /// When each of these lines (counted from 1) of a file was last changed, by the author's clock in seconds since
    /// 1970-01-01 UTC. `None` for a line that is not there, or whose age cannot be told: history is cut off, or the
    /// file is large, or its history long.
    ///
    /// # Errors
    /// When the commit is not there, or does not have the file.
    pub fn line_ages(&self, commit: &CommitId, path: &RelPath, lines: &[u32]) -> Result<Vec<Option<i64>>, RepoError> {
        let mut ages = vec![None; lines.len()];
        let start = self.find_commit(commit)?;
        let Some(blob) = blob_at(&start, path) else {
            let why = format!("commit {commit} has no file there");
            return Err(RepoError::UnrepresentablePath { path: path.as_str().to_owned(), why });
        };
        let Some(text) = self.content(blob) else { return Ok(ages) };
        let count = u32::try_from(text.split_inclusive(|byte| *byte == b'\n').count()).unwrap_or(u32::MAX);
        let wanted: Lines = lines
            .iter()
            .enumerate()
            .filter(|(_, line)| (1..=count).contains(*line))
            .map(|(at, line)| (*line, at))
            .collect();
        let shallow = self.shallow_roots();
        let mut todo: HashMap<Oid, Lines> = HashMap::new();
        // Newest first, so that lines that reach a commit by two ways are looked at together.
        let mut order = BinaryHeap::new();
        let put =
            |todo: &mut HashMap<Oid, Lines>, order: &mut BinaryHeap<(i64, Oid)>, commit: &Commit<'_>, lines: Lines| {
                if lines.is_empty() {
                    return;
                }
                let known = todo.entry(commit.id()).or_default();
                if known.is_empty() {
                    order.push((commit.time().seconds(), commit.id()));
                }
                known.extend(lines);
            };
        put(&mut todo, &mut order, &start, wanted);
        let mut comparisons = 0;
        for _ in 0..MAX_COMMITS {
            let Some((_, id)) = order.pop() else { break };
            let Some(mut lines) = todo.remove(&id).filter(|lines| !lines.is_empty()) else { continue };
            let Ok(here) = self.store().find_commit(id) else { continue };
            let Some(blob) = blob_at(&here, path) else { continue };
            if shallow.contains(&id) {
                continue;
            }
            let parents: Vec<_> = here.parents().collect();
            if let Some(same) = parents.iter().find(|parent| blob_at(parent, path) == Some(blob)) {
                put(&mut todo, &mut order, same, lines);
                continue;
            }
            let mut unknown = parents.len() != here.parent_count();
            for parent in &parents {
                let Some(old) = blob_at(parent, path) else { continue };
                comparisons += 1;
                let versions = self.content(old).zip(self.content(blob)).filter(|_| comparisons <= MAX_COMPARISONS);
                let Some((old, new)) = versions else {
                    unknown = true;
                    break;
                };
                let Some(same) = same_lines(&old, &new) else { continue };
                let (moved, rest): (Lines, Lines) = lines.into_iter().partition(|(line, _)| same.contains_key(line));
                let moved = moved.into_iter().filter_map(|(line, at)| Some((*same.get(&line)?, at))).collect();
                put(&mut todo, &mut order, parent, moved);
                lines = rest;
            }
            if unknown {
                continue;
            }
            for (_, at) in lines {
                if let Some(age) = ages.get_mut(at) {
                    *age = Some(here.author().when().seconds());
                }
            }
        }
        Ok(ages)
    }

    fn content(&self, blob: Oid) -> Option<Vec<u8>> {
        let (size, _) = self.store().odb().ok()?.read_header(blob).ok()?;
        if size > MAX_SIZE {
            return None;
        }
        Some(self.store().find_blob(blob).ok()?.content().to_vec())
    }

    /// The commits whose parents were left out when the history was cut off.
    fn shallow_roots(&self) -> HashSet<Oid> {
        let text = std::fs::read_to_string(self.common_dir().join("shallow")).unwrap_or_default();
        text.lines().filter_map(|line| Oid::from_str(line.trim()).ok()).collect()
    }
}

fn blob_at(commit: &Commit<'_>, path: &RelPath) -> Option<Oid> {
    let entry = commit.tree().ok()?.get_path(Path::new(path.as_str())).ok()?;
    (entry.kind() == Some(git2::ObjectType::Blob)).then(|| entry.id())
}

/// For every line of `new` that stands in `old` too, its number there.
fn same_lines(old: &[u8], new: &[u8]) -> Option<HashMap<u32, u32>> {
    let mut options = DiffOptions::new();
    options.force_text(true).context_lines(0);
    let patch = Patch::from_buffers(old, None, new, None, Some(&mut options)).ok()?;
    let count = u32::try_from(new.split_inclusive(|byte| *byte == b'\n').count()).ok()?;
    let mut same = HashMap::new();
    let (mut old_line, mut new_line) = (1_u32, 1_u32);
    for at in 0..patch.num_hunks() {
        let (hunk, _) = patch.hunk(at).ok()?;
        // A side without lines names the line before the place instead of the first line.
        let start = if hunk.new_lines() == 0 { hunk.new_start() + 1 } else { hunk.new_start() };
        while new_line < start {
            same.insert(new_line, old_line);
            (old_line, new_line) = (old_line + 1, new_line + 1);
        }
        old_line = old_line.checked_add(hunk.old_lines())?;
        new_line = new_line.checked_add(hunk.new_lines())?;
    }
    while new_line <= count {
        same.insert(new_line, old_line);
        (old_line, new_line) = (old_line + 1, new_line + 1);
    }
    Some(same)
}

#[cfg(test)]
mod tests {
    use super::same_lines;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn lines_that_are_matched_are_equal(old in "[ab\n]{0,40}", new in "[ab\n]{0,40}") {
            let same = same_lines(old.as_bytes(), new.as_bytes()).unwrap_or_default();
            let old: Vec<_> = old.split_inclusive('\n').collect();
            let new: Vec<_> = new.split_inclusive('\n').collect();
            for (there, here) in same {
                let (there, here) = (usize::try_from(there).ok(), usize::try_from(here).ok());
                let line = |lines: &[&str], at: Option<usize>| at.and_then(|at| lines.get(at - 1)).map(|line| (*line).to_owned());
                prop_assert_eq!(line(&new, there), line(&old, here));
            }
        }
    }
}
