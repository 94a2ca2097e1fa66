//! A real git remote over HTTP: `git http-backend` behind nginx and fcgiwrap with basic auth, as small hosts run it.
//! Everything lives in a folder of its own: configuration, logs, sockets, repositories. No system service takes part.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

use crate::bare::{Bare, command};
use crate::install::Cache;
use crate::process::{Server, free_port};

mod cut;

pub use cut::CutProxy;

/// Who may ask for what.
#[derive(Debug, Clone)]
pub struct Credential {
    /// The user, such as `x-access-token`.
    pub user: String,
    /// The password or token.
    pub password: String,
    /// Whether a push is accepted; otherwise it is refused with 403.
    pub may_push: bool,
}

/// The remote. It runs until it is dropped.
#[derive(Debug)]
pub struct GitRemote {
    folder: PathBuf,
    port: u16,
    proxy: Mutex<CutProxy>,
    fcgiwrap: Server,
    nginx: Server,
}

impl GitRemote {
    /// Starts a remote in a folder, which must be empty or missing, with programs from a cache.
    ///
    /// # Panics
    /// When the programs cannot be had or do not start: with what they said.
    #[must_use]
    pub fn start(cache: &Cache, folder: &Path, credentials: &[Credential]) -> Self {
        let programs = cache.nginx();
        std::fs::create_dir_all(folder.join("repositories")).expect("the remote's folder can be made");
        std::fs::create_dir_all(folder.join("temporary")).expect("the remote's folder can be made");
        let folder = folder.canonicalize().expect("the remote's folder is there");
        write_passwords(&folder, credentials);
        let socket = socket(&folder);
        // One that was killed in this folder may have left its socket.
        let _ = std::fs::remove_file(&socket);
        let mut fcgiwrap = Command::new(programs.join("usr/sbin/fcgiwrap"));
        fcgiwrap.env("LD_LIBRARY_PATH", libraries(&programs)).args(["-c", "4", "-s"]);
        fcgiwrap.arg(format!("unix:{}", socket.display()));
        let mut fcgiwrap = Server::start(&mut fcgiwrap, &folder.join("fcgiwrap.log"));
        fcgiwrap.until(|| socket.exists());
        let port = free_port();
        std::fs::write(folder.join("nginx.conf"), configuration(&folder, &socket, port, credentials))
            .expect("a configuration can be written");
        let mut nginx = Command::new(programs.join("usr/sbin/nginx"));
        nginx.arg("-p").arg(&folder).arg("-c").arg(folder.join("nginx.conf"));
        let mut nginx = Server::start(nginx.args(["-e", "stderr"]), &folder.join("nginx.log"));
        nginx.listens(port);
        let proxy = Mutex::new(CutProxy::start(port));
        Self { folder, port, proxy, fcgiwrap, nginx }
    }

    /// Makes an empty repository that can be pushed to, with `main` as its default branch.
    ///
    /// # Panics
    /// When git cannot make it.
    #[must_use]
    pub fn create(&self, owner: &str, name: &str) -> Remote {
        let path = self.folder.join("repositories").join(owner).join(format!("{name}.git"));
        let bare = Bare::init(&path, "main");
        let set = |key: &str, value: &str| bare.git(&["config", key, value], b"").expect("a setting can be written");
        set("http.receivepack", "true");
        set("http.uploadpack", "true");
        let hook = path.join("hooks").join("update");
        std::fs::create_dir_all(path.join("hooks")).expect("a folder can be made");
        std::fs::write(&hook, UPDATE_HOOK).expect("a hook can be written");
        std::fs::set_permissions(&hook, std::fs::Permissions::from_mode(0o755)).expect("a hook can be made to run");
        let tail = format!("{owner}/{name}.git");
        let through = self.proxy.lock().unwrap_or_else(std::sync::PoisonError::into_inner).port();
        Remote {
            bare,
            url: format!("http://127.0.0.1:{}/{tail}", self.port),
            cuttable_url: format!("http://127.0.0.1:{through}/{tail}"),
        }
    }

    /// Refuses pushes to a branch from now on, with GitHub's words, or accepts them again.
    ///
    /// # Panics
    /// When the repository's folder cannot be written.
    pub fn protect(&self, remote: &Remote, branch: &str, protected: bool) {
        let list = remote.bare.path().join("protected-branches");
        let known = std::fs::read_to_string(&list).unwrap_or_default();
        let mut names: Vec<&str> = known.lines().filter(|name| *name != branch).collect();
        if protected {
            names.push(branch);
        }
        std::fs::write(list, names.join("\n") + "\n").expect("the list of branches can be written");
    }

    /// Drops the next connection to [`Remote::cuttable_url`] that sends more than this many bytes, right there. It
    /// holds for one connection.
    pub fn cut_after(&self, bytes: u64) {
        self.proxy.lock().unwrap_or_else(std::sync::PoisonError::into_inner).cut_after(bytes);
    }

    /// How many connections were cut so far.
    #[must_use]
    pub fn cuts(&self) -> usize {
        self.proxy.lock().unwrap_or_else(std::sync::PoisonError::into_inner).cuts()
    }

    /// The access log: a line a request with user, request line and status.
    #[must_use]
    pub fn log(&self) -> Vec<String> {
        let text = std::fs::read_to_string(self.folder.join("access.log")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// What nginx and git said about errors.
    #[must_use]
    pub fn errors(&self) -> String {
        self.nginx.said() + &self.fcgiwrap.said()
    }

    /// The port on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }
}

impl Drop for GitRemote {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(socket(&self.folder));
    }
}

/// A repository of the remote.
#[derive(Debug, Clone)]
pub struct Remote {
    /// The repository on the server's side.
    pub bare: Bare,
    /// Such as `http://127.0.0.1:4242/owner/name.git`, without user and password.
    pub url: String,
    /// The same through the proxy that [`GitRemote::cut_after`] speaks to.
    pub cuttable_url: String,
}

/// The socket's path has a limit of 108 bytes, so it does not lie in the folder.
fn socket(folder: &Path) -> PathBuf {
    use sha2::Digest as _;
    let name = hex::encode(sha2::Sha256::digest(folder.as_os_str().as_encoded_bytes()));
    Path::new("/tmp").join(format!("forgestand-{}.sock", name.get(..16).unwrap_or_default()))
}

/// Where the unpacked packages have their libraries.
fn libraries(programs: &Path) -> String {
    let below = std::fs::read_dir(programs.join("usr/lib")).into_iter().flatten().flatten();
    let folders: Vec<String> = below.map(|entry| entry.path().display().to_string()).collect();
    folders.join(":")
}

/// The password file. nginx takes passwords in plain too, and the file is this remote's own.
fn write_passwords(folder: &Path, credentials: &[Credential]) {
    let lines = credentials.iter().map(|it| format!("{}:{{PLAIN}}{}\n", it.user, it.password));
    let file = folder.join("passwords");
    std::fs::write(&file, lines.collect::<String>()).expect("passwords can be written");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).expect("passwords can be closed");
}

fn configuration(folder: &Path, socket: &Path, port: u16, credentials: &[Credential]) -> String {
    let backend = command().arg("--exec-path").output().expect("git can be run").stdout;
    let backend = format!("{}/git-http-backend", String::from_utf8_lossy(&backend).trim());
    let readers = credentials.iter().filter(|it| !it.may_push);
    let readers: String = readers.map(|it| format!("        \"~^{}:push$\" 1;\n", it.user)).collect();
    let root = rustix::process::geteuid().is_root();
    let (user, folder, socket) = (if root { "user root;\n" } else { "" }, folder.display(), socket.display());
    let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|kind| format!("    {kind}_temp_path {folder}/temporary/{kind};\n"))
        .concat();
    format!(
        r#"{user}daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log stderr warn;
events {{ worker_connections 64; }}
http {{
{temporary}    log_format said '$remote_user "$request" $status';
    access_log {folder}/access.log said;
    client_max_body_size 0;
    # On a connection that was used before, git would try again by itself, and a cut would not be seen.
    keepalive_timeout 0;
    map $request_uri $what {{
        default fetch;
        "~service=git-receive-pack" push;
        "~/git-receive-pack$" push;
    }}
    map "$remote_user:$what" $refused {{
        default 0;
{readers}    }}
    server {{
        listen 127.0.0.1:{port};
        auth_basic "git";
        auth_basic_user_file {folder}/passwords;
        location / {{
            if ($refused) {{ return 403; }}
            fastcgi_pass unix:{socket};
            fastcgi_read_timeout 300;
            fastcgi_request_buffering off;
            fastcgi_param SCRIPT_FILENAME {backend};
            fastcgi_param GIT_PROJECT_ROOT {folder}/repositories;
            fastcgi_param GIT_HTTP_EXPORT_ALL 1;
            fastcgi_param GIT_CONFIG_NOSYSTEM 1;
            fastcgi_param GIT_CONFIG_GLOBAL /dev/null;
            fastcgi_param GIT_CONFIG_COUNT 1;
            fastcgi_param GIT_CONFIG_KEY_0 safe.directory;
            fastcgi_param GIT_CONFIG_VALUE_0 *;
            fastcgi_param PATH_INFO $uri;
            fastcgi_param REMOTE_USER $remote_user;
            fastcgi_param REMOTE_ADDR $remote_addr;
            fastcgi_param REQUEST_METHOD $request_method;
            fastcgi_param QUERY_STRING $query_string;
            fastcgi_param CONTENT_TYPE $content_type;
            fastcgi_param CONTENT_LENGTH $content_length;
            fastcgi_param HTTP_CONTENT_ENCODING $http_content_encoding;
            fastcgi_param HTTP_GIT_PROTOCOL $http_git_protocol;
        }}
    }}
}}
"#
    )
}

/// Refuses branches that are listed, as GitHub says it.
const UPDATE_HOOK: &str = r#"#!/bin/sh
branch="${1#refs/heads/}"
list="$(git rev-parse --git-dir)/protected-branches"
if [ -f "$list" ] && grep -qxF -- "$branch" "$list"; then
    echo "error: GH006: Protected branch update failed for $1." >&2
    echo "error: Changes must be made through a pull request." >&2
    exit 1
fi
"#;
