//! Finds the cargo project in a commit, and refuses with a way out what cannot be worked on.

use std::path::Path;

use kaizen_domain::{Base, CommitId, LandingMode, RelPath};
use kaizen_repo::{Condition, Head, Repo};

use crate::failure::Failure;

/// The repository that a path lies in.
///
/// # Errors
/// When there is no such path, or no repository there.
pub fn open(path: &Path) -> Result<Repo, Failure> {
    if !path.exists() {
        return Err(Failure::input(
            format!("there is no {}", path.display()),
            "name a folder of the repository with `--repo`",
        ));
    }
    // Errors name the whole path: `.` says little.
    Ok(Repo::open(&path.canonicalize().unwrap_or_else(|_| path.to_path_buf()))?)
}

/// A folder as a person writes it, without the slash that git puts at its end.
#[must_use]
pub fn named(folder: &Path) -> String {
    let text = folder.display().to_string();
    if text.len() > 1 { text.trim_end_matches('/').to_owned() } else { text }
}

/// The commit to start from and the project in it.
///
/// # Errors
/// When there is no commit, an operation of git is under way, or there is no cargo project.
pub fn find(repo: &Repo, path: &Path, asked: Option<&str>, condition: &Condition) -> Result<Base, Failure> {
    let (target, commit) = match asked {
        Some(name) => repo.commit_of(name)?,
        None => head(condition)?,
    };
    let folder = folder(repo, path, &commit)?;
    Ok(Base { commit, target, folder })
}

fn head(condition: &Condition) -> Result<(Option<kaizen_domain::RefName>, CommitId), Failure> {
    if let Some(operation) = &condition.in_progress {
        return Err(Failure::input(
            format!("a {operation} is in progress, so HEAD is no place to start from"),
            "finish or abort it, or name the branch to work on: `--base main`",
        ));
    }
    match &condition.head {
        Head::Branch(name, commit) => Ok((Some(name.clone()), commit.clone())),
        Head::Detached(commit) => Ok((None, commit.clone())),
        Head::Unborn(name) => Err(Failure::input(
            format!("the branch {} has no commits yet", name.short()),
            "make a first commit: `git add -A && git commit`",
        )),
    }
}

/// The folder of the project below the top: the nearest manifest at or above the path that begins a workspace, else
/// the topmost manifest there is on the way.
fn folder(repo: &Repo, path: &Path, commit: &CommitId) -> Result<String, Failure> {
    let below = below_top(repo, path);
    let mut found: Option<String> = None;
    let mut at = Some(below.as_str());
    while let Some(folder) = at {
        if let Some(text) = manifest(repo, commit, folder)? {
            let begins_workspace = text.lines().any(|line| line.trim_start().starts_with("[workspace"));
            found = Some(folder.to_owned());
            if begins_workspace {
                break;
            }
        }
        at = if folder.is_empty() { None } else { Some(folder.rsplit_once('/').map_or("", |(above, _)| above)) };
    }
    found.map_or_else(|| Err(no_project(repo, commit)), Ok)
}

fn below_top(repo: &Repo, path: &Path) -> String {
    let (Some(top), Ok(path)) = (repo.top(), path.canonicalize()) else { return String::new() };
    let top = top.canonicalize().unwrap_or(top);
    path.strip_prefix(&top).ok().and_then(Path::to_str).unwrap_or("").trim_matches('/').to_owned()
}

fn manifest(repo: &Repo, commit: &CommitId, folder: &str) -> Result<Option<String>, Failure> {
    let Ok(path) = RelPath::below(folder, "Cargo.toml") else { return Ok(None) };
    Ok(repo.read(commit, &path)?.map(|state| String::from_utf8_lossy(&state.bytes).into_owned()))
}

fn no_project(repo: &Repo, commit: &CommitId) -> Failure {
    let listing = repo.files(commit).map(|listing| listing.files).unwrap_or_default();
    let folders: Vec<String> = listing
        .iter()
        .filter(|(path, _, _)| path.file_name() == "Cargo.toml")
        .filter_map(|(path, _, _)| path.as_str().rsplit_once('/').map(|(folder, _)| folder.to_owned()))
        .take(3)
        .collect();
    let message = format!("commit {} is no cargo project: it has no Cargo.toml here", commit.short());
    match folders.first() {
        Some(_) => Failure::input(message, format!("name the project's folder with `--repo`: {}", folders.join(", "))),
        None => Failure::input(message, "Kaizen works on Rust projects; `cargo init` begins one, then commit it"),
    }
}

/// Refuses a merge that could not land at the end, before any work is done for it.
///
/// # Errors
/// When there is no branch, or it is checked out and may not or cannot move along.
pub fn check_landing(
    repo: &Repo,
    base: &Base,
    landing: LandingMode,
    update_worktree: bool,
    condition: &Condition,
) -> Result<(), Failure> {
    if landing != LandingMode::Merge {
        return Ok(());
    }
    let Some(target) = &base.target else {
        return Err(Failure::input(
            "HEAD is detached, so there is no branch to merge into",
            "check out a branch, name one with `--base`, or use `--landing branch`",
        ));
    };
    let Some(worktree) = repo.checked_out(target)? else { return Ok(()) };
    if !update_worktree {
        return Err(Failure::input(
            format!("the branch {} is checked out in {}", target.short(), named(&worktree)),
            "use `--update-worktree` to move a clean work tree along, or `--landing branch`",
        ));
    }
    // The branch may be checked out in another work tree than the one that was named.
    let dirty = if repo.top().as_deref() == Some(&worktree) {
        condition.dirty
    } else {
        Repo::open(&worktree)?.condition()?.dirty
    };
    let files = match dirty {
        0 => return Ok(()),
        1 => "a file is changed or untracked".to_owned(),
        many => format!("{many} files are changed or untracked"),
    };
    Err(Failure::input(
        format!("the work tree {} is not clean: {files}", named(&worktree)),
        "commit or stash them, or use `--landing branch`",
    ))
}
