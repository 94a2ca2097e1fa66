//! Begins a repository: every file of a folder in a first commit. For folders that Kaizen itself has just made.

use std::path::Path;

use git2::{IndexAddOption, RepositoryInitOptions};

use crate::error::RepoError;
use crate::repo::Repo;

impl Repo {
    /// Makes a folder a repository with the branch `main` and one commit that holds every file in it that its
    /// `.gitignore` does not leave out. No template and no hook is taken over.
    ///
    /// # Errors
    /// When the folder is a repository already, or git cannot write there.
    pub fn begin(folder: &Path, message: &str, seconds: i64) -> Result<Self, RepoError> {
        let doing = || RepoError::git(format!("begin a repository in {}", folder.display()));
        let mut options = RepositoryInitOptions::new();
        options.initial_head("main").external_template(false).no_reinit(true);
        let store = git2::Repository::init_opts(folder, &options).map_err(doing())?;
        let mut index = store.index().map_err(doing())?;
        index.add_all(["*"], IndexAddOption::DEFAULT, None).map_err(doing())?;
        index.write().map_err(doing())?;
        let tree = index.write_tree().and_then(|id| store.find_tree(id)).map_err(doing())?;
        let repo = Self::open(folder)?;
        let author = repo.signature(seconds)?;
        store.commit(Some("HEAD"), &author, &author, message, &tree, &[]).map_err(doing())?;
        Ok(repo)
    }
}
