//! The scene of one play: a folder with what a person and Kaizen have on a host, and what is up outside meanwhile.

use std::any::Any;
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use tempfile::TempDir;

use crate::support::program;
use crate::terminal::Terminal;

/// What the suite does when the playing child has said that it is up.
pub enum WhenUp {
    Nothing,
    /// Ends the caller, as if Kaizen had been killed.
    KillCaller,
    Do(Box<dyn FnMut()>),
}

/// What is outside while one probe is played once.
pub struct Scene {
    dir: TempDir,
    /// Stands in files, environments and memory outside, and in no argument.
    pub secret: String,
    /// Stands in the command line of every process of the play, and in no other.
    pub token: String,
    /// The arguments of the act.
    pub args: Vec<String>,
    pub terminal: Option<Terminal>,
    /// The caller inherits this as its standard input.
    pub stdin: Option<OwnedFd>,
    /// The caller inherits this, as one that was left open by mistake.
    pub inherited: Option<OwnedFd>,
    pub when_up: WhenUp,
    /// Lives as long as the scene.
    kept: Vec<Box<dyn Any>>,
}

/// The files of a host, below its folder. Every one of them holds the secret.
const FILES: [&str; 16] = [
    "home/.bashrc",
    "home/.cargo/config.toml",
    "home/.cargo/credentials.toml",
    "home/.git-credentials",
    "home/.gitconfig",
    "home/.netrc",
    "home/.config/gh/hosts.yml",
    "home/.config/kaizen/config.toml",
    "home/.ssh/authorized_keys",
    "home/.ssh/id_ed25519",
    "home/repo/.git/config",
    "home/repo/.git/hooks/pre-commit",
    "home/repo/.git/refs/heads/main",
    "state/journal.db",
    "state/bases/one/base.json",
    "state/bases/two/tree/src/lib.rs",
];

impl Scene {
    /// A new scene, as its host would be.
    pub fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let dir = tempfile::Builder::new().prefix("escape-").tempdir().expect("a folder");
        // Open to everybody, so that it is never the mode of the folder that keeps somebody out.
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).expect("a mode");
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let tail = dir.path().to_string_lossy().chars().rev().take(6).collect::<String>();
        let (secret, token) = (format!("canary-{tail}-{number}"), format!("play-{}-{number}", std::process::id()));
        let scene = Self {
            dir,
            secret,
            token,
            args: Vec::new(),
            terminal: None,
            stdin: None,
            inherited: None,
            when_up: WhenUp::Nothing,
            kept: Vec::new(),
        };
        for file in FILES {
            scene.write(file, &scene.secret);
        }
        scene.write("state/bases/one/tree/file", "of the base");
        scene.write("shown/file", "shown");
        for folder in ["kept", "tmp", "job", "state/bases/one/tree/kept"] {
            fs::create_dir_all(scene.at(folder)).expect("a folder");
        }
        scene
    }

    /// A place on its host.
    pub fn at(&self, below: &str) -> PathBuf {
        self.dir.path().join(below)
    }

    /// The same, as an argument.
    pub fn arg(&self, below: &str) -> String {
        self.at(below).to_string_lossy().into_owned()
    }

    pub fn tree(&self) -> PathBuf {
        self.at("state/bases/one/tree")
    }

    pub fn write(&self, below: &str, text: &str) {
        let path = self.at(below);
        fs::create_dir_all(path.parent().expect("below the folder")).expect("a folder");
        fs::write(path, text).expect("written");
    }

    /// A process of the same user, which knows the secret; its number, and where in its memory that lies.
    pub fn victim(&mut self) -> (u32, usize) {
        let victim = Victim::start(&self.secret, &self.at("home/.ssh/id_ed25519"));
        let known = (victim.child.id(), victim.address);
        self.keep(victim);
        known
    }

    /// Keeps something up until the play is over.
    pub fn keep(&mut self, what: impl Any) {
        self.kept.push(Box::new(what));
    }
}

/// The processes of a play that still run.
pub fn running(token: &str) -> Vec<i32> {
    let named = |entry: fs::DirEntry| {
        let pid = entry.file_name().to_str()?.parse::<i32>().ok()?;
        let line = fs::read(entry.path().join("cmdline")).ok()?;
        let ours =
            pid.cast_unsigned() != std::process::id() && line.split(|b| *b == 0).any(|arg| arg == token.as_bytes());
        ours.then_some(pid)
    };
    fs::read_dir("/proc").expect("a /proc").flatten().filter_map(named).collect()
}

/// Ends what is left of a play outside. The token stands in no other process.
pub fn clear(token: &str) {
    for pid in running(token) {
        // SAFETY: takes numbers.
        unsafe { libc::kill(pid, libc::SIGKILL) };
    }
}

/// The same for several.
pub fn clear_all(tokens: impl Iterator<Item = String>) {
    tokens.for_each(|token| clear(&token));
}

/// A process of the host.
struct Victim {
    child: Child,
    address: usize,
}

impl Victim {
    fn start(secret: &str, holds: &Path) -> Self {
        let mut child = Command::new(program())
            .arg("victim")
            .arg(holds)
            .env("API_KEY", secret)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a victim");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("a pipe")).read_line(&mut line).expect("it speaks");
        Self { child, address: line.trim().parse().expect("an address") }
    }
}

impl Drop for Victim {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Where the victim keeps an open file.
pub const HELD: i32 = 77;

/// Plays the victim: holds a secret in its memory and an open file, and waits for its end.
pub fn be_a_victim(holds: &str) -> ! {
    let secret = std::env::var("API_KEY").unwrap_or_default().into_bytes().into_boxed_slice();
    let file = fs::File::open(holds).expect("a file");
    // SAFETY: numbers only; everybody may trace it, where the kernel asks for that.
    unsafe {
        libc::dup2(std::os::fd::AsRawFd::as_raw_fd(&file), HELD);
        libc::prctl(libc::PR_SET_PTRACER, libc::PR_SET_PTRACER_ANY);
    }
    println!("{}", std::hint::black_box(&secret).as_ptr() as usize);
    let _ = std::io::stdin().read_line(&mut String::new());
    drop(std::hint::black_box(secret));
    std::process::exit(0)
}
