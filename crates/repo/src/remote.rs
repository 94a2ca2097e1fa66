//! What the repository's configuration says about its remotes, and where its objects lie. Only read.

use std::path::PathBuf;

use git2::ErrorCode;

use crate::error::RepoError;
use crate::repo::Repo;

impl Repo {
    /// The address of a remote; `None` when there is no remote of that name, or its address is no text.
    ///
    /// # Errors
    /// When the configuration cannot be read.
    pub fn remote_url(&self, name: &str) -> Result<Option<String>, RepoError> {
        match self.store().find_remote(name) {
            Ok(remote) => Ok(remote.url().ok().map(str::to_owned)),
            Err(error) if matches!(error.code(), ErrorCode::NotFound | ErrorCode::InvalidSpec) => Ok(None),
            Err(error) => Err(RepoError::git(format!("read the remote {name}"))(error)),
        }
    }

    /// The folder of its objects.
    #[must_use]
    pub fn objects_dir(&self) -> PathBuf {
        self.common_dir().join("objects")
    }
}
