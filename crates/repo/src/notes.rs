//! Notes on commits, under a ref of Kaizen's own that no git command shows unless it is asked to: `git log
//! --notes=kaizen`, `git notes --ref kaizen show COMMIT`.

use git2::{ErrorCode, Oid};
use kaizen_domain::names::CommitId;

use crate::error::RepoError;
use crate::repo::Repo;

/// The ref that holds them.
pub const NOTES: &str = "refs/notes/kaizen";

impl Repo {
    /// The note on a commit; none when it has none.
    ///
    /// # Errors
    /// When the notes cannot be read, or this one is not UTF-8.
    pub fn note(&self, commit: &CommitId) -> Result<Option<String>, RepoError> {
        let doing = || format!("read the note on {}", commit.short());
        match self.store().find_note(Some(NOTES), oid(commit)?) {
            Ok(note) => note.message().map(|text| Some(text.to_owned())).map_err(RepoError::git(doing())),
            Err(error) if error.code() == ErrorCode::NotFound => Ok(None),
            Err(error) => Err(RepoError::git(doing())(error)),
        }
    }

    /// Puts a note on a commit, in place of one that is there. One that says this already stays as it is.
    ///
    /// # Errors
    /// When the notes cannot be written.
    pub fn put_note(&self, commit: &CommitId, text: &str, seconds: i64) -> Result<(), RepoError> {
        if self.note(commit).is_ok_and(|note| note.as_deref() == Some(text)) {
            return Ok(());
        }
        let author = self.signature(seconds)?;
        let put = self.store().note(&author, &author, Some(NOTES), oid(commit)?, text, true);
        put.map(drop).map_err(RepoError::git(format!("put a note on {}", commit.short())))
    }
}

fn oid(commit: &CommitId) -> Result<Oid, RepoError> {
    Oid::from_str(&commit.to_string()).map_err(RepoError::git("read the name of a commit"))
}
