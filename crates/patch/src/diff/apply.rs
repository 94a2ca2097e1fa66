//! Applies the files of a diff to the files of a commit.

use kaizen_domain::RelPath;
use kaizen_domain::edit::Change;

use crate::draft::Draft;
use crate::error::ApplyError;
use crate::source::Source;

use super::header::FileDiff;
use super::hunk::{self, Mark};
use super::name::without_prefixes;
use super::parse::parse;

const NOTHING: &str = "/dev/null";

/// Applies a unified diff, in git's form or not, to the files of a commit.
///
/// Prose around the diff is ignored. Line numbers may be off as long as the old lines of each hunk stand in exactly
/// one place; line ends may differ. The changes come ordered by path.
///
/// # Errors
/// When a hunk is truncated or does not fit, when a path or a kind of file is not allowed, or when nothing changes.
pub fn apply_diff(text: &str, source: &dyn Source) -> Result<Vec<Change>, ApplyError> {
    let mut draft = Draft::new(source);
    for file in parse(text)? {
        apply_file(&mut draft, &file)?;
    }
    draft.finish()
}

/// What a diff means to do with one file.
enum Target {
    Create(RelPath),
    Delete(RelPath),
    Modify(RelPath),
    Move { from: RelPath, to: RelPath, keep: bool },
}

fn apply_file(draft: &mut Draft<'_>, file: &FileDiff) -> Result<(), ApplyError> {
    match target(draft, file)? {
        Target::Create(path) => {
            if draft.state(&path)?.is_some() {
                return Err(ApplyError::Exists { path });
            }
            let text = patched(&path, "", file)?;
            draft.write(&path, text.into_bytes())
        }
        Target::Delete(path) => {
            let left = patched(&path, &draft.text(&path)?, file)?;
            if !left.is_empty() {
                let why = "deletes the file but not all of its lines".to_owned();
                return Err(ApplyError::Unsupported { line: file.at, path: path.to_string(), why });
            }
            draft.remove(&path)
        }
        Target::Modify(path) => {
            let text = patched(&path, &draft.text(&path)?, file)?;
            draft.write(&path, text.into_bytes())
        }
        Target::Move { from, to, keep } => {
            if from != to && draft.state(&to)?.is_some() {
                return Err(ApplyError::Exists { path: to });
            }
            let text = patched(&from, &draft.text(&from)?, file)?;
            if !keep {
                draft.remove(&from)?;
            }
            draft.write(&to, text.into_bytes())
        }
    }
}

fn patched(path: &RelPath, text: &str, file: &FileDiff) -> Result<String, ApplyError> {
    hunk::apply(text, &file.hunks).map_err(|(hunk, why)| ApplyError::Hunk {
        path: path.clone(),
        line: hunk.at,
        header: hunk.header.clone(),
        why,
    })
}

fn target(draft: &Draft<'_>, file: &FileDiff) -> Result<Target, ApplyError> {
    for (names, keep) in [(&file.renamed, false), (&file.copied, true)] {
        if let (Some(from), Some(to)) = names {
            return Ok(Target::Move { from: RelPath::new(from.as_str())?, to: RelPath::new(to.as_str())?, keep });
        }
    }
    let (old, new) = names(file)?;
    if file.created || old == NOTHING {
        return Ok(Target::Create(one_sided(draft, file, &new, "b/", false)?));
    }
    if file.deleted || new == NOTHING {
        return Ok(Target::Delete(one_sided(draft, file, &old, "a/", true)?));
    }
    let (old, new) = without_prefixes(&old, &new);
    let (from, mut to) = (RelPath::new(old)?, RelPath::new(new)?);
    if from != to {
        return Ok(Target::Move { from, to, keep: false });
    }
    // `b/x` on both sides, where git takes a folder away from each name: meant is `x`, where only that stands.
    if let Some(bare) = new.strip_prefix("a/").or_else(|| new.strip_prefix("b/"))
        && let Ok(bare) = RelPath::new(bare)
        && draft.state(&to)?.is_none()
        && draft.state(&bare)?.is_some()
    {
        to = bare;
    }
    // A new file whose diff forgot to say so: no old lines, and no such file.
    let all_new = file.hunks.iter().flat_map(|hunk| &hunk.lines).all(|line| line.mark == Mark::Added);
    if all_new && draft.state(&to)?.is_none() { Ok(Target::Create(to)) } else { Ok(Target::Modify(to)) }
}

/// The names with their prefixes, `/dev/null` for a side that is missing.
fn names(file: &FileDiff) -> Result<(String, String), ApplyError> {
    if let (Some(old), Some(new)) = (&file.old, &file.new) {
        return Ok((old.clone(), new.clone()));
    }
    file.git_names.clone().ok_or_else(|| ApplyError::Diff {
        line: file.at,
        why: "the names in the `diff --git` line cannot be told apart; add `---` and `+++` lines".to_owned(),
    })
}

/// The path of a file that stands on one side only, where one prefix alone must say whether it is one.
fn one_sided(
    draft: &Draft<'_>,
    file: &FileDiff,
    name: &str,
    prefix: &str,
    exists: bool,
) -> Result<RelPath, ApplyError> {
    let as_it_stands = RelPath::new(name);
    if let Some((old, new)) = &file.git_names {
        // The same prefix on both sides is none of the pairs: then the one name must say it.
        let (bare_old, bare_new) = without_prefixes(old, new);
        let bare = if exists { bare_old } else { bare_new };
        if (bare_old != old || old != new) && name.ends_with(bare) {
            return Ok(RelPath::new(bare)?);
        }
    }
    let Some(stripped) = name.strip_prefix(prefix) else { return Ok(as_it_stands?) };
    let stripped = RelPath::new(stripped)?;
    if exists
        && draft.state(&stripped)?.is_none()
        && let Ok(path) = as_it_stands
        && draft.state(&path)?.is_some()
    {
        return Ok(path);
    }
    Ok(stripped)
}
