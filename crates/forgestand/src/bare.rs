//! A bare repository on the server's side, worked on with git's plumbing: what a forge does with the branches that are
//! pushed to it. No work tree is needed, and nothing of the machine's git configuration takes part.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A bare repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bare {
    path: PathBuf,
}

/// What a commit says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    /// Its id.
    pub sha: String,
    /// The id of its tree.
    pub tree: String,
    /// The ids of its parents.
    pub parents: Vec<String>,
    /// The author's name.
    pub name: String,
    /// The author's address.
    pub email: String,
    /// When it was written, as RFC 3339 in UTC.
    pub date: String,
    /// The message.
    pub message: String,
}

/// A file that differs between two commits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    /// Its path.
    pub path: String,
    /// The letter that git gives: `A`, `M` or `D`.
    pub letter: char,
    /// Lines that came.
    pub additions: u64,
    /// Lines that went.
    pub deletions: u64,
    /// The hunks, as a unified diff without its header.
    pub patch: String,
}

/// How a branch is brought into another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// A commit with two parents.
    Merge,
    /// One commit with all changes.
    Squash,
    /// The commits one by one on top of the base.
    Rebase,
    /// The base moves to the head, which must descend from it.
    FastForward,
}

/// Why git did not do what it was asked, in its own words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GitError(pub String);

impl std::fmt::Display for GitError {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(&self.0)
    }
}

impl Bare {
    /// Makes an empty bare repository with this default branch.
    ///
    /// # Panics
    /// When git cannot make it.
    #[must_use]
    pub fn init(path: &Path, default_branch: &str) -> Self {
        std::fs::create_dir_all(path).expect("the folder of a repository can be made");
        let made = Self { path: path.to_owned() };
        made.git(&["init", "--quiet", "--bare", "--template=", "-b", default_branch, "."], b"")
            .unwrap_or_else(|error| panic!("git init: {error}"));
        made
    }

    /// A bare repository that is there.
    #[must_use]
    pub fn at(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }

    /// Where it lies.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Runs git in it and gives what it printed.
    ///
    /// # Errors
    /// When git ends with a code that is not zero: what it printed as errors.
    ///
    /// # Panics
    /// When there is no git.
    pub fn git(&self, args: &[&str], stdin: &[u8]) -> Result<Vec<u8>, GitError> {
        self.git_with(args, stdin, &[])
    }

    fn git_with(&self, args: &[&str], stdin: &[u8], env: &[(&str, &str)]) -> Result<Vec<u8>, GitError> {
        let mut child = command()
            .args(args)
            .current_dir(&self.path)
            .envs(env.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("git can be run");
        // Git may end without having read everything; what it says then matters, not the broken pipe.
        let _ = child.stdin.take().expect("its input is a pipe").write_all(stdin);
        let output = child.wait_with_output().expect("git ends");
        if output.status.success() {
            return Ok(output.stdout);
        }
        let said = [output.stdout, output.stderr].concat();
        Err(GitError(String::from_utf8_lossy(&said).trim().to_owned()))
    }

    fn word(&self, args: &[&str]) -> Result<String, GitError> {
        self.git(args, b"").map(|out| String::from_utf8_lossy(&out).trim().to_owned())
    }

    /// The branches with their tips.
    #[must_use]
    pub fn branches(&self) -> BTreeMap<String, String> {
        let listed = self.word(&["for-each-ref", "--format=%(refname:lstrip=2) %(objectname)", "refs/heads"]);
        let listed = listed.unwrap_or_default();
        let pair = |line: &str| line.split_once(' ').map(|(name, sha)| (name.to_owned(), sha.to_owned()));
        listed.lines().filter_map(pair).collect()
    }

    /// The tip of a branch.
    #[must_use]
    pub fn tip(&self, branch: &str) -> Option<String> {
        self.resolve(&format!("refs/heads/{branch}"))
    }

    /// The commit that a revision names.
    #[must_use]
    pub fn resolve(&self, revision: &str) -> Option<String> {
        // A revision comes from outside: nothing that begins like an option reaches git.
        let safe = !revision.starts_with('-') && !revision.is_empty();
        let named = format!("{revision}^{{commit}}");
        safe.then(|| self.word(&["rev-parse", "--quiet", "--verify", "--end-of-options", &named]).ok()).flatten()
    }

    /// What a commit says.
    #[must_use]
    pub fn commit(&self, revision: &str) -> Option<Commit> {
        let sha = self.resolve(revision)?;
        self.log(&["-1", &sha]).into_iter().next()
    }

    /// The commits of `head` that `base` does not have, the oldest first.
    #[must_use]
    pub fn between(&self, base: &str, head: &str) -> Vec<Commit> {
        self.log(&["--reverse", "--topo-order", &format!("{base}..{head}")])
    }

    /// The newest thousand commits that a commit reaches, itself first.
    #[must_use]
    pub fn history(&self, sha: &str) -> Vec<Commit> {
        self.log(&["-1000", sha])
    }

    /// The commit at which two parted.
    #[must_use]
    pub fn fork_point(&self, one: &str, other: &str) -> Option<String> {
        self.word(&["merge-base", one, other]).ok()
    }

    fn log(&self, args: &[&str]) -> Vec<Commit> {
        let format = "--format=%H%x00%T%x00%P%x00%an%x00%ae%x00%at%x00%B%x01";
        let listed = self.word(&[&["log", format], args].concat()).unwrap_or_default();
        listed.split('\u{1}').filter_map(|entry| commit(entry.trim_start_matches('\n'))).collect()
    }

    /// Whether a commit is reached from another.
    #[must_use]
    pub fn is_ancestor(&self, ancestor: &str, of: &str) -> bool {
        self.git(&["merge-base", "--is-ancestor", ancestor, of], b"").is_ok()
    }

    /// The files that `head` changed since it left `base`.
    #[must_use]
    pub fn changed(&self, base: &str, head: &str) -> Vec<Changed> {
        let range = format!("{base}...{head}");
        let letters = self.word(&["diff", "--no-renames", "--name-status", &range]).unwrap_or_default();
        let counts = self.word(&["diff", "--no-renames", "--numstat", &range]).unwrap_or_default();
        let file = |(letter, count): (&str, &str)| {
            let (letter, path) = letter.split_once('\t')?;
            let mut count = count.split('\t').map(|number| number.parse().unwrap_or(0));
            let diff = self.word(&["diff", "--no-renames", &range, "--", path]).unwrap_or_default();
            let patch = diff.find("\n@@").map_or("", |at| diff.get(at + 1..).unwrap_or_default()).to_owned();
            let (additions, deletions) = (count.next()?, count.next()?);
            Some(Changed { path: path.to_owned(), letter: letter.chars().next()?, additions, deletions, patch })
        };
        letters.lines().zip(counts.lines()).filter_map(file).collect()
    }

    /// The diff that `head` made since it left `base`.
    #[must_use]
    pub fn diff(&self, base: &str, head: &str) -> String {
        self.word(&["diff", "--no-renames", &format!("{base}...{head}")]).unwrap_or_default() + "\n"
    }

    /// A file as a commit has it, with the id of its blob.
    #[must_use]
    pub fn file(&self, revision: &str, path: &str) -> Option<(String, Vec<u8>)> {
        let blob = self.word(&["rev-parse", "--verify", &format!("{}:{path}", self.resolve(revision)?)]).ok()?;
        let bytes = self.git(&["cat-file", "blob", &blob], b"").ok()?;
        Some((blob, bytes))
    }

    /// Moves a ref, or makes it, if it still is where `from` says; an empty `from` means that it must not be there.
    ///
    /// # Errors
    /// When it was not, or git does not know the commit.
    pub fn update(&self, full_name: &str, to: &str, from: Option<&str>) -> Result<(), GitError> {
        let none = "0".repeat(40);
        let from = from.map(|from| if from.is_empty() { none.as_str() } else { from });
        let args: Vec<&str> = ["update-ref", full_name, to].into_iter().chain(from).collect();
        self.git(&args, b"").map(drop)
    }

    /// Removes a branch.
    ///
    /// # Errors
    /// When there is none.
    pub fn delete_branch(&self, branch: &str) -> Result<(), GitError> {
        let tip = self.tip(branch).ok_or_else(|| GitError("Reference does not exist".to_owned()))?;
        self.git(&["update-ref", "-d", &format!("refs/heads/{branch}"), &tip], b"").map(drop)
    }

    /// Whether `head` can be merged into `base` without a conflict.
    #[must_use]
    pub fn mergeable(&self, base: &str, head: &str) -> bool {
        self.word(&["merge-tree", "--write-tree", base, head]).is_ok()
    }

    /// Brings a commit into a branch and moves the branch to what came of it; the id of that.
    ///
    /// # Errors
    /// When there is a conflict, or the branch moved meanwhile.
    pub fn merge(&self, branch: &str, head: &str, method: Method, message: &str) -> Result<String, GitError> {
        let base = self.tip(branch).ok_or_else(|| GitError(format!("no branch {branch}")))?;
        let onto = |tree: &str, parents: &[&str], message: &str, env: &[(&str, &str)]| {
            let mut args = vec!["commit-tree", tree];
            args.extend(parents.iter().flat_map(|parent| ["-p", *parent]));
            let made = self.git_with(&args, line(message).as_bytes(), env)?;
            Ok(String::from_utf8_lossy(&made).trim().to_owned())
        };
        let merged = match method {
            Method::FastForward if self.is_ancestor(&base, head) => head.to_owned(),
            Method::FastForward => return Err(GitError("not a fast-forward".to_owned())),
            Method::Merge => {
                onto(&self.word(&["merge-tree", "--write-tree", &base, head])?, &[&base, head], message, &[])?
            }
            Method::Squash => onto(&self.word(&["merge-tree", "--write-tree", &base, head])?, &[&base], message, &[])?,
            Method::Rebase => {
                let mut tip = base.clone();
                for commit in self.between(&base, head) {
                    let from = format!("--merge-base={}^", commit.sha);
                    let tree = self.word(&["merge-tree", "--write-tree", &from, &tip, &commit.sha])?;
                    let author = [
                        ("GIT_AUTHOR_NAME", commit.name.as_str()),
                        ("GIT_AUTHOR_EMAIL", &commit.email),
                        ("GIT_AUTHOR_DATE", &commit.date),
                    ];
                    tip = onto(&tree, &[&tip], &commit.message, &author)?;
                }
                tip
            }
        };
        self.update(&format!("refs/heads/{branch}"), &merged, Some(&base))?;
        Ok(merged)
    }

    /// Writes a commit on a branch that has these files besides those of its parent; the branch is made when there is
    /// none, from `from` or from nothing. For tests that need something to look at without a clone.
    ///
    /// # Panics
    /// When git refuses.
    pub fn write(&self, branch: &str, from: Option<&str>, message: &str, files: &[(&str, &str)]) -> String {
        let tip = self.tip(branch);
        let parent = tip.clone().or_else(|| from.and_then(|from| self.resolve(from)));
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let index = folder.path().join("index").display().to_string();
        let env = [("GIT_INDEX_FILE", index.as_str())];
        let run = |args: &[&str], stdin: &[u8]| {
            let out = self.git_with(args, stdin, &env).unwrap_or_else(|error| panic!("git {args:?}: {error}"));
            String::from_utf8_lossy(&out).trim().to_owned()
        };
        if let Some(parent) = &parent {
            run(&["read-tree", parent], b"");
        }
        for (path, text) in files {
            let blob = run(&["hash-object", "-w", "--stdin"], text.as_bytes());
            run(&["update-index", "--add", "--cacheinfo", &format!("100644,{blob},{path}")], b"");
        }
        let tree = run(&["write-tree"], b"");
        let mut args = vec!["commit-tree", tree.as_str()];
        args.extend(parent.iter().flat_map(|parent| ["-p", parent.as_str()]));
        let commit = run(&args, line(message).as_bytes());
        self.update(&format!("refs/heads/{branch}"), &commit, Some(tip.as_deref().unwrap_or_default()))
            .unwrap_or_else(|error| panic!("{error}"));
        commit
    }
}

/// Git with nothing of the machine's configuration, and a name of its own for what it writes.
pub(crate) fn command() -> Command {
    let mut command = Command::new("git");
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("GIT_")) {
        command.env_remove(name);
    }
    command
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("LC_ALL", "C")
        .args(["-c", "safe.directory=*", "-c", "user.name=Forge", "-c", "user.email=forge@example.invalid"]);
    command
}

/// A message that ends with a line, as those of `git commit` do.
fn line(message: &str) -> String {
    format!("{}\n", message.trim_end())
}

fn commit(entry: &str) -> Option<Commit> {
    let mut parts = entry.split('\0').map(str::to_owned);
    let mut next = || parts.next();
    let (sha, tree, parents, name, email, seconds) = (next()?, next()?, next()?, next()?, next()?, next()?);
    let date = jiff::Timestamp::from_second(seconds.parse().ok()?).ok()?.to_string();
    let parents = parents.split_whitespace().map(str::to_owned).collect();
    Some(Commit { sha, tree, parents, name, email, date, message: next()?.trim_end().to_owned() })
}
