//! Which work tree, if any, has a branch checked out: the main one and every linked one, and also a branch that a
//! rebase or a bisect has set aside to come back to.

use std::path::{Path, PathBuf};

use kaizen_domain::names::RefName;

use crate::error::RepoError;
use crate::repo::Repo;

impl Repo {
    /// The top of the work tree that has this branch checked out, or is in the middle of rebasing or bisecting it.
    ///
    /// # Errors
    /// When the repository's list of work trees cannot be read.
    pub fn checked_out(&self, name: &RefName) -> Result<Option<PathBuf>, RepoError> {
        let common = self.common_dir();
        if let Some(top) = self.store().workdir().filter(|_| !self.store().is_bare())
            && uses(common, name)
        {
            return Ok(Some(top.to_path_buf()));
        }
        let linked = common.join("worktrees");
        let entries = match std::fs::read_dir(&linked) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(RepoError::io::<std::io::Error>("read the folder", &linked)(error)),
        };
        for entry in entries {
            let git_dir = entry.map_err(RepoError::io("read the folder", &linked))?.path();
            if uses(&git_dir, name) {
                return Ok(Some(top_of(&git_dir)));
            }
        }
        Ok(None)
    }
}

/// Whether the work tree of this folder is on the branch, or will come back to it.
fn uses(git_dir: &Path, name: &RefName) -> bool {
    let says = |file: &str, start: &str, wanted: &str| {
        std::fs::read(git_dir.join(file)).is_ok_and(|text| {
            let text = String::from_utf8_lossy(&text);
            text.strip_prefix(start).is_some_and(|rest| rest.trim() == wanted)
        })
    };
    says("HEAD", "ref:", name.as_str())
        || says("rebase-merge/head-name", "", name.as_str())
        || says("rebase-apply/head-name", "", name.as_str())
        || says("BISECT_START", "", name.short())
        || rebase_will_move(git_dir, name)
}

/// Whether a rebase in progress will move the branch along with the one it rebases.
fn rebase_will_move(git_dir: &Path, name: &RefName) -> bool {
    std::fs::read(git_dir.join("rebase-merge/update-refs"))
        .is_ok_and(|text| String::from_utf8_lossy(&text).lines().any(|line| line.trim() == name.as_str()))
}

/// The top of a linked work tree, from the folder that the repository keeps for it.
fn top_of(git_dir: &Path) -> PathBuf {
    use std::os::unix::ffi::OsStrExt;
    let written = std::fs::read(git_dir.join("gitdir")).unwrap_or_default();
    let dot_git = Path::new(std::ffi::OsStr::from_bytes(written.trim_ascii_end()));
    // `join` keeps an absolute path as it is.
    let dot_git = git_dir.join(dot_git);
    let top = dot_git.parent().unwrap_or(git_dir);
    std::fs::canonicalize(top).unwrap_or_else(|_| top.to_path_buf())
}
