//! Notes a ref's move in its reflog, and in HEAD's when HEAD is on it, where git itself would: a person finds what
//! Kaizen did with `git reflog`.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use kaizen_domain::names::{CommitId, RefName};

use crate::error::RepoError;
use crate::repo::Repo;

const NOTHING: &str = "0000000000000000000000000000000000000000";
const LONGEST_MESSAGE: usize = 500;

/// Writes the line of one move. Call it while the ref is locked and before it moves.
pub(crate) fn note(
    repo: &Repo,
    name: &RefName,
    from: Option<&CommitId>,
    to: &CommitId,
    message: &str,
) -> Result<(), RepoError> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let author = repo.signature(i64::try_from(now).unwrap_or(i64::MAX))?;
    let who = format!("{} <{}>", one_line(author.name_bytes()), one_line(author.email_bytes()));
    let old = from.map_or(NOTHING, CommitId::as_str);
    let line = format!("{old} {to} {who} {now} +0000\t{}\n", one_line(message.as_bytes()));
    let wish = Wish::of(repo);
    append(repo.common_dir(), name.as_str(), &line, wish)?;
    let mut git_dirs = vec![repo.common_dir()];
    if repo.git_dir() != repo.common_dir() {
        git_dirs.push(repo.git_dir());
    }
    for git_dir in git_dirs {
        if head_is_on(git_dir, name) {
            append(git_dir, "HEAD", &line, wish)?;
        }
    }
    Ok(())
}

/// Which refs get a reflog that have none yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wish {
    None,
    Branches,
    All,
}

impl Wish {
    fn of(repo: &Repo) -> Self {
        let setting = repo.store().config().and_then(|config| config.get_string("core.logallrefupdates"));
        let usual = if repo.store().is_bare() { Self::None } else { Self::Branches };
        match setting {
            Ok(text) if text.eq_ignore_ascii_case("always") => Self::All,
            Ok(text) => match git2::Config::parse_bool(text.as_str()) {
                Ok(true) => Self::Branches,
                Ok(false) => Self::None,
                Err(_) => usual,
            },
            Err(_) => usual,
        }
    }

    fn wants(self, name: &str) -> bool {
        let branch_like = ["refs/heads/", "refs/remotes/", "refs/notes/"].iter().any(|start| name.starts_with(start));
        match self {
            Self::None => false,
            Self::Branches => name == "HEAD" || branch_like,
            Self::All => true,
        }
    }
}

fn append(git_dir: &Path, name: &str, line: &str, wish: Wish) -> Result<(), RepoError> {
    let path = git_dir.join("logs").join(name);
    if path.is_dir() {
        // The reflogs of refs below this name are gone, or the ref could not be made: only empty folders are left.
        remove_empty_dirs(&path);
    }
    let create = wish.wants(name);
    if create && let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(RepoError::io("make the folder", folder))?;
    }
    match OpenOptions::new().append(true).create(create).open(&path) {
        Ok(mut log) => log.write_all(line.as_bytes()).map_err(RepoError::io("write the reflog", &path)),
        Err(error) if !create && error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(RepoError::io::<std::io::Error>("open the reflog", &path)(error)),
    }
}

/// Removes a folder that holds nothing but folders; says whether it is gone.
pub(crate) fn remove_empty_dirs(path: &Path) -> bool {
    let Ok(entries) = std::fs::read_dir(path) else { return false };
    for entry in entries.flatten() {
        if !entry.file_type().is_ok_and(|kind| kind.is_dir()) || !remove_empty_dirs(&entry.path()) {
            return false;
        }
    }
    std::fs::remove_dir(path).is_ok()
}

/// Removes the folders above `path` that are empty now, up to and without the first `keep` parts below `top`.
pub(crate) fn prune_parents(top: &Path, path: &Path, keep: usize) {
    let mut folder = path.parent();
    while let Some(here) = folder {
        let Ok(below) = here.strip_prefix(top) else { return };
        if below.components().count() <= keep || std::fs::remove_dir(here).is_err() {
            return;
        }
        folder = here.parent();
    }
}

fn head_is_on(git_dir: &Path, name: &RefName) -> bool {
    std::fs::read_to_string(git_dir.join("HEAD"))
        .is_ok_and(|head| head.strip_prefix("ref:").is_some_and(|target| target.trim() == name.as_str()))
}

fn one_line(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    let words: Vec<&str> =
        text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty()).collect();
    words.join(" ").chars().filter(|c| !matches!(c, '<' | '>')).take(LONGEST_MESSAGE).collect()
}
