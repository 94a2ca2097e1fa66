//! The states that people leave repositories in, each made of the tiny crate.

use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};

use super::super::{git, tiny};

/// One state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    Clean,
    Dirty,
    Staged,
    Stash,
    Detached,
    Packed,
    Worktree,
    Merge,
    Hostile,
}

/// A repository in that state.
#[derive(Debug)]
pub struct Made {
    /// The folder with everything of it, other work trees included.
    pub root: PathBuf,
    /// The work tree that commands are given in.
    pub work_in: PathBuf,
    /// The folder with the refs.
    pub git_dir: PathBuf,
    /// The branch to name, where what is checked out is no place to start from.
    pub base: Option<&'static str>,
}

impl State {
    /// All states, or the few that show the most.
    #[must_use]
    pub fn all(quick: bool) -> &'static [Self] {
        use State::{Clean, Detached, Dirty, Hostile, Merge, Packed, Staged, Stash, Worktree};
        if quick {
            &[Dirty, Merge, Hostile]
        } else {
            &[Clean, Dirty, Staged, Stash, Detached, Packed, Worktree, Merge, Hostile]
        }
    }

    /// What it is.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Clean => "clean",
            Self::Dirty => "changed, untracked and ignored files",
            Self::Staged => "staged changes",
            Self::Stash => "two stashes and changes",
            Self::Detached => "detached HEAD",
            Self::Packed => "packed refs, tags and branches",
            Self::Worktree => "in a linked work tree",
            Self::Merge => "in a linked work tree, amid a merge",
            Self::Hostile => "hooks, fsmonitor, filters, aliases",
        }
    }

    /// Makes a repository in this state below a folder. What its configuration runs leaves a file in `marks`.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn make(self, home: &Path, marks: &Path) -> Result<Made> {
        let root = home.join("root");
        let repo = root.join("tiny");
        tiny::repository(&repo, &marks.join("code"))?;
        let mut work_in = repo.clone();
        match self {
            Self::Clean => {}
            Self::Dirty => {
                write(&repo, "src/lib.rs", "//! Changed by its owner.\n")?;
                write(&repo, "notes.txt", "untracked\n")?;
                write(&repo, "ignored", "ignored\n")?;
                write(&repo, "target/kept", "build output\n")?;
                std::fs::remove_file(repo.join("tests/all.rs"))?;
                std::os::unix::fs::symlink("nowhere", repo.join("link"))?;
            }
            Self::Staged => {
                write(&repo, "src/lib.rs", "//! Staged.\n")?;
                write(&repo, "src/new.rs", "//! New and staged.\n")?;
                git::say(&repo, &["add", "--all"])?;
                write(&repo, "src/lib.rs", "//! Changed again.\n")?;
            }
            Self::Stash => stash(&repo)?,
            Self::Detached => {
                commit(&repo, "more.txt", "second\n")?;
                git::say(&repo, &["checkout", "--quiet", "--detach", "HEAD"])?;
            }
            Self::Packed => {
                for branch in ["topic/one", "topic/two"] {
                    git::say(&repo, &["branch", branch])?;
                }
                git::say(&repo, &["tag", "--annotate", "v1", "--message", "one"])?;
                git::say(&repo, &["pack-refs", "--all"])?;
                git::say(&repo, &["repack", "-adq"])?;
            }
            Self::Worktree | Self::Merge => {
                work_in = root.join("linked");
                git::say(&repo, &["worktree", "add", "--quiet", "-b", "topic", &work_in.to_string_lossy()])?;
                write(&work_in, "notes.txt", "untracked\n")?;
                if self == Self::Merge {
                    merge(&repo, &work_in)?;
                }
            }
            Self::Hostile => hostile(&repo, home, marks)?,
        }
        let git_dir = repo.join(".git");
        let base = (self == Self::Merge).then_some("main");
        Ok(Made { root, work_in, git_dir, base })
    }
}

fn write(folder: &Path, path: &str, text: &str) -> Result<()> {
    let file = folder.join(path);
    std::fs::create_dir_all(file.parent().unwrap_or(folder))?;
    Ok(std::fs::write(file, text)?)
}

fn commit(repo: &Path, path: &str, text: &str) -> Result<()> {
    write(repo, path, text)?;
    git::say(repo, &["add", "--", path])?;
    git::say(repo, &["commit", "--quiet", "--message", path])?;
    Ok(())
}

fn stash(repo: &Path) -> Result<()> {
    for text in ["//! First idea.\n", "//! Second idea.\n"] {
        write(repo, "src/lib.rs", text)?;
        write(repo, "idea.txt", text)?;
        git::say(repo, &["stash", "push", "--quiet", "--include-untracked"])?;
    }
    write(repo, "src/lib.rs", "//! Third idea.\n")
}

/// Both sides change one file, so that the merge stops with a conflict.
fn merge(repo: &Path, linked: &Path) -> Result<()> {
    commit(repo, "words.txt", "main\n")?;
    commit(linked, "words.txt", "topic\n")?;
    let ended = git::git(linked, &["merge", "--quiet", "main"]).end()?;
    ensure!(!ended.status.success(), "the merge was to stop with a conflict");
    Ok(())
}

/// Everything in a repository that makes the git program run something.
fn hostile(repo: &Path, home: &Path, marks: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let script = |name: &str| -> Result<String> {
        let path = home.join(format!("run-{name}"));
        std::fs::write(&path, format!("#!/bin/sh\necho ran > '{}'\ncat\n", marks.join(name).display()))?;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755))?;
        Ok(path.to_string_lossy().into_owned())
    };
    commit(repo, ".gitattributes", "*.rs filter=marked diff=marked merge=marked\n*.toml filter=marked\n")?;
    let hooks = repo.join(".git/hooks");
    std::fs::create_dir_all(&hooks)?;
    for hook in [
        "applypatch-msg",
        "pre-commit",
        "prepare-commit-msg",
        "commit-msg",
        "post-commit",
        "pre-rebase",
        "post-checkout",
        "post-merge",
        "pre-push",
        "reference-transaction",
        "post-index-change",
        "update",
        "pre-auto-gc",
        "post-rewrite",
    ] {
        std::fs::copy(script(&format!("hook-{hook}"))?, hooks.join(hook))?;
    }
    for (key, value) in [
        ("core.fsmonitor", script("fsmonitor")?),
        ("core.hooksPath", hooks.to_string_lossy().into_owned()),
        ("core.pager", script("pager")?),
        ("core.editor", script("editor")?),
        ("core.sshCommand", script("ssh")?),
        ("core.askPass", script("askpass")?),
        ("core.alternateRefsCommand", script("alternates")?),
        ("credential.helper", script("credential")?),
        ("diff.external", script("diff-external")?),
        ("diff.marked.textconv", script("textconv")?),
        ("merge.marked.driver", script("merge-driver")?),
        ("filter.marked.clean", script("clean")?),
        ("filter.marked.smudge", script("smudge")?),
        ("filter.marked.process", script("process")?),
        ("gpg.program", script("gpg")?),
        ("commit.gpgSign", "true".to_owned()),
        ("uploadpack.packObjectsHook", script("pack-objects")?),
    ] {
        git::say(repo, &["config", key, &value])?;
    }
    for alias in ["status", "log", "diff", "add", "commit", "rev-parse", "ls-files", "worktree"] {
        git::say(repo, &["config", &format!("alias.{alias}"), &format!("!{}", script(&format!("alias-{alias}"))?)])?;
    }
    // Something to look at for whoever asks what changed.
    write(repo, "notes.txt", "untracked\n")?;
    write(repo, "src/lib.rs", &format!("{}\n", std::fs::read_to_string(repo.join("src/lib.rs"))?))
}
