//! The git program, run with nothing of the machine's configuration, to make the repositories that are measured on and
//! to look at what became of them.

use std::path::Path;

use anyhow::Result;

use super::run::Run;

/// Git in a folder, deaf to the configuration of the machine and of the person.
pub fn git(folder: &Path, args: &[&str]) -> Run {
    let mut run = Run::new("git", folder)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .args(["-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-c", "gc.auto=0"])
        .args(["-c", "protocol.file.allow=always", "-c", "init.defaultBranch=main"]);
    for role in ["AUTHOR", "COMMITTER"] {
        run = run.env(&format!("GIT_{role}_NAME"), "Measure").env(&format!("GIT_{role}_EMAIL"), "measure@example.org");
        run = run.env(&format!("GIT_{role}_DATE"), "2026-01-01T12:00:00Z");
    }
    run.args(args)
}

/// What git prints, without the line end.
///
/// # Errors
/// When it fails.
pub fn say(folder: &Path, args: &[&str]) -> Result<String> {
    Ok(git(folder, args).succeed()?.stdout.trim_end().to_owned())
}

/// Makes a repository of a folder, with everything in it but build output in one commit.
///
/// # Errors
/// When git fails.
pub fn begin(folder: &Path) -> Result<()> {
    say(folder, &["init", "--quiet"])?;
    say(folder, &["add", "--all", "--force", "--", ":!target"])?;
    say(folder, &["commit", "--quiet", "--message", "base"])?;
    Ok(())
}

/// The refs of a repository with what they point to, those under a prefix only.
///
/// # Errors
/// When git fails.
pub fn refs(folder: &Path, prefix: &str) -> Result<Vec<(String, String)>> {
    let listed = say(folder, &["for-each-ref", "--format=%(refname) %(objectname)", prefix])?;
    Ok(listed
        .lines()
        .filter_map(|line| line.split_once(' '))
        .map(|(name, at)| (name.to_owned(), at.to_owned()))
        .collect())
}
