//! The git program as it is used for what goes over the network: pushes and fetches. It runs in a bare folder of its own
//! that borrows the objects of the repository, with an environment and a configuration that are fixed here, so that no
//! setting, hook, filter or alias of the repository or of the person has a say. The token is asked for by git through a
//! helper and is in no argument.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use kaizen_domain::{BranchName, CommitId};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::io::AsyncReadExt as _;
use tokio::process::Command;

use crate::error::ForgeError;
use crate::log::line_of;

/// The longest a push or a fetch may take.
const TOTAL: Duration = Duration::from_secs(900);
/// The most that is kept of what git says, bytes.
const SAID: u64 = 256 << 10;
/// What is said when the other side broke down, and did not refuse.
const PASSES: [&str; 6] =
    ["internal server error", "remote failure", "unpack failed", "timed out", "timeout", "temporarily unavailable"];
/// The account that goes with a token: forges look at the token alone.
const ACCOUNT: &str = "x-access-token";

/// The repository as git reaches it.
pub struct GitRemote {
    /// Its address, without any secret.
    pub url: String,
    /// The object store of the repository here, borrowed for pushes and filled by fetches.
    pub objects: PathBuf,
    /// A folder of Kaizen's own, for what git needs while it runs.
    pub scratch: PathBuf,
}

/// What became of a push.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pushed {
    /// The branch is where it was to be.
    Done,
    /// The branch was there already.
    AlreadyThere,
}

impl GitRemote {
    /// Moves a branch there to a commit, if it is where `from` says; `None`: if it is not there.
    ///
    /// # Errors
    /// When the branch was moved by somebody else, a rule refuses the push, or the server cannot be reached.
    pub async fn push(
        &self,
        branch: &BranchName,
        from: Option<&CommitId>,
        to: &CommitId,
        token: &SecretString,
    ) -> Result<Pushed, ForgeError> {
        if self.tip(branch, token).await?.as_ref() == Some(to) {
            return Ok(Pushed::AlreadyThere);
        }
        let lease = format!("--force-with-lease={}:{}", branch.to_ref(), from.map_or("", CommitId::as_str));
        let what = format!("{to}:{}", branch.to_ref());
        let said = self.git(&["push", "--porcelain", "--no-verify", &lease, &self.url, &what], token, "push").await?;
        if said.ok {
            return Ok(Pushed::Done);
        }
        Err(self.why_not_pushed(branch, &said))
    }

    /// Takes a branch away there, if it is where `from` says.
    ///
    /// # Errors
    /// As for a push.
    pub async fn delete(&self, branch: &BranchName, from: &CommitId, token: &SecretString) -> Result<(), ForgeError> {
        if self.tip(branch, token).await?.is_none() {
            return Ok(());
        }
        let lease = format!("--force-with-lease={}:{from}", branch.to_ref());
        let what = format!(":{}", branch.to_ref());
        let said = self.git(&["push", "--porcelain", "--no-verify", &lease, &self.url, &what], token, "push").await?;
        if said.ok { Ok(()) } else { Err(self.why_not_pushed(branch, &said)) }
    }

    /// Where a branch stands there.
    ///
    /// # Errors
    /// When the server cannot be reached or refuses.
    pub async fn tip(&self, branch: &BranchName, token: &SecretString) -> Result<Option<CommitId>, ForgeError> {
        let name = branch.to_ref();
        let said = self.git(&["ls-remote", "--refs", &self.url, name.as_str()], token, "look").await?;
        if !said.ok {
            return Err(self.failure("look at", &said));
        }
        let line = said.out.lines().find_map(|line| line.split_once('\t').filter(|(_, found)| *found == name.as_str()));
        Ok(line.and_then(|(commit, _)| CommitId::new(commit).ok()))
    }

    /// Fetches a branch: its objects go to the object store here, no ref of the repository moves.
    ///
    /// # Errors
    /// When the branch is not there, or the server cannot be reached.
    pub async fn fetch(&self, branch: &BranchName, token: &SecretString) -> Result<CommitId, ForgeError> {
        let Some(tip) = self.tip(branch, token).await? else {
            return Err(ForgeError::NotFound { what: format!("the branch {branch} on {}", self.url) });
        };
        let name = branch.to_ref();
        let args = ["fetch", "--no-tags", "--no-write-fetch-head", &self.url, name.as_str()];
        let said = self.git(&args, token, "fetch").await?;
        if said.ok { Ok(tip) } else { Err(self.failure("fetch from", &said)) }
    }

    async fn git(&self, args: &[&str], token: &SecretString, what: &str) -> Result<Said, ForgeError> {
        let failed = |why: String| ForgeError::Git { what: what.to_owned(), why };
        let io = |error: std::io::Error| failed(error.to_string());
        std::fs::create_dir_all(&self.scratch).map_err(io)?;
        let dir = tempfile::Builder::new().prefix("git-").tempdir_in(&self.scratch).map_err(io)?;
        let fetches = args.first() == Some(&"fetch");
        let helper = prepare(dir.path(), &self.objects, token).map_err(io)?;
        let mut command = Command::new("git");
        command
            .args(["-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "-c", "credential.helper="])
            .args([
                "-c",
                "protocol.allow=never",
                "-c",
                "protocol.https.allow=always",
                "-c",
                "protocol.http.allow=always",
            ])
            .args(["-c", "http.followRedirects=false", "-c", "gc.auto=0", "-c", "maintenance.auto=false"])
            .arg("--git-dir")
            .arg(dir.path().join("repo"))
            .args(args)
            .current_dir(dir.path())
            .env_clear()
            .envs(kept_environment())
            .env("HOME", dir.path())
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GIT_ASKPASS", &helper)
            .env("LC_ALL", "C")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        if fetches {
            command.env("GIT_OBJECT_DIRECTORY", &self.objects);
        }
        tracing::debug!(what, url = self.url, "running git");
        let mut child = command.spawn().map_err(io)?;
        let (out, err) = (child.stdout.take(), child.stderr.take());
        let whole = tokio::time::timeout(TOTAL, async {
            let (out, err) = tokio::join!(read(out), read(err));
            (child.wait().await, out, err)
        });
        let (status, out, err) = whole.await.map_err(|_| failed(format!("no end within {} s", TOTAL.as_secs())))?;
        Ok(Said { ok: status.map_err(io)?.success(), out, err })
    }

    fn why_not_pushed(&self, branch: &BranchName, said: &Said) -> ForgeError {
        let both = format!("{}\n{}", said.out, said.err);
        let refused = both.lines().find(|line| line.starts_with('!'));
        let remote: Vec<&str> =
            said.err.lines().filter_map(|line| line.strip_prefix("remote:")).map(str::trim).collect();
        match refused {
            Some(line)
                if line.contains("stale info") || line.contains("fetch first") || line.contains("cannot lock ref") =>
            {
                ForgeError::BranchMoved { branch: branch.to_string() }
            }
            // The other side broke down in the middle; the same push may go well later.
            Some(line) if PASSES.iter().any(|sign| both.to_lowercase().contains(sign)) => {
                ForgeError::Unreachable { host: self.url.clone(), why: line_of(line) }
            }
            Some(line) => {
                let said = remote.iter().find(|line| !line.is_empty()).copied().unwrap_or(line);
                ForgeError::Protected { branch: branch.to_string(), message: line_of(said) }
            }
            None => self.failure("push to", said),
        }
    }

    /// What git says when it gets no further than the door.
    fn failure(&self, what: &str, said: &Said) -> ForgeError {
        let last = said.err.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("no reason given");
        let message = line_of(last.trim_start_matches("fatal:"));
        let host = self.url.clone();
        let text = said.err.to_lowercase();
        if text.contains("error: 401") || text.contains("authentication failed") {
            ForgeError::TokenRefused { host, message }
        } else if text.contains("error: 403") {
            ForgeError::MissingRight { what: format!("{what} {host}"), message }
        } else if text.contains("error: 404") || text.contains("not found") {
            ForgeError::NotFound { what: host }
        } else if text.contains("unable to update url base from redirection") || text.contains("error: 30") {
            ForgeError::Renamed { from: host, to: message }
        } else {
            ForgeError::Unreachable { host, why: message }
        }
    }
}

struct Said {
    ok: bool,
    out: String,
    err: String,
}

async fn read(from: Option<impl tokio::io::AsyncRead + Unpin>) -> String {
    let mut bytes = Vec::new();
    if let Some(from) = from {
        let mut from = from.take(SAID);
        let _ = from.read_to_end(&mut bytes).await;
        // What is more is read and dropped, or git would wait for ever.
        let _ = tokio::io::copy(&mut from.into_inner(), &mut tokio::io::sink()).await;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Makes the bare repository that borrows objects, and the helper that git asks for the token. Both are readable for this
/// user alone and gone afterwards.
fn prepare(dir: &Path, objects: &Path, token: &SecretString) -> std::io::Result<PathBuf> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let repo = dir.join("repo");
    std::fs::create_dir_all(repo.join("objects/info"))?;
    std::fs::create_dir_all(repo.join("refs/heads"))?;
    std::fs::write(repo.join("HEAD"), "ref: refs/heads/none\n")?;
    let format = if is_sha256(objects) {
        "\trepositoryformatversion = 1\n[extensions]\n\tobjectFormat = sha256\n"
    } else {
        "\trepositoryformatversion = 0\n"
    };
    std::fs::write(repo.join("config"), format!("[core]\n\tbare = true\n{format}"))?;
    let mut alternate = std::os::unix::ffi::OsStrExt::as_bytes(objects.as_os_str()).to_vec();
    alternate.push(b'\n');
    std::fs::write(repo.join("objects/info/alternates"), alternate)?;
    let write = |name: &str, mode: u32, text: &str| -> std::io::Result<PathBuf> {
        let path = dir.join(name);
        let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(mode).open(&path)?;
        std::io::Write::write_all(&mut file, text.as_bytes())?;
        Ok(path)
    };
    write("token", 0o600, token.expose_secret())?;
    let script = format!(
        "#!/bin/sh\ncase \"$1\" in\nUsername*) echo {ACCOUNT} ;;\n*) cat \"$(dirname \"$0\")/token\" ;;\nesac\n"
    );
    write("askpass", 0o700, &script)
}

/// Whether a repository names its objects by SHA-256: its configuration says so.
fn is_sha256(objects: &Path) -> bool {
    let config = objects.parent().map(|dir| dir.join("config"));
    let text = config.and_then(|path| std::fs::read_to_string(path).ok()).unwrap_or_default();
    text.to_lowercase().lines().any(|line| {
        line.split_once('=').is_some_and(|(key, value)| key.trim() == "objectformat" && value.trim() == "sha256")
    })
}

/// What git needs of the environment: how to be found, and how the network is reached.
fn kept_environment() -> impl Iterator<Item = (OsString, OsString)> {
    const KEPT: [&str; 10] = [
        "PATH",
        "HTTPS_PROXY",
        "https_proxy",
        "HTTP_PROXY",
        "http_proxy",
        "NO_PROXY",
        "no_proxy",
        "SSL_CERT_FILE",
        "SSL_CERT_DIR",
        "TMPDIR",
    ];
    KEPT.iter().filter_map(|name| Some((OsString::from(name), std::env::var_os(name)?)))
}
