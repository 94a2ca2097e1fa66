//! What the tests of the program share: a room with a repository, a home and a state directory of its own, and what
//! the program said in it.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

pub use crate::cli::diffs::{diff_of, lib_diff, new_file, replaced};
use crate::cli::shapes;

/// A repository with everything the program needs around it. All of it is gone when the room is.
pub struct Room {
    dir: tempfile::TempDir,
    /// Where the repository is.
    pub repo: PathBuf,
}

/// What a run of the program came to.
#[derive(Debug)]
pub struct Said {
    pub code: i32,
    pub out: String,
    pub err: String,
}

/// A run that goes on.
pub struct Running {
    pub child: Child,
    lines: BufReader<std::process::ChildStdout>,
}

impl Room {
    /// A room with an empty folder for a repository.
    pub fn empty() -> Self {
        let dir = tempfile::Builder::new().prefix("kaizen-cli-").tempdir().expect("a temporary directory");
        let repo = dir.path().join("work");
        for folder in ["work", "home", "config"] {
            std::fs::create_dir(dir.path().join(folder)).expect("a folder");
        }
        let identity = "[user]\n\tname = Ada Test\n\temail = ada@example.org\n[init]\n\tdefaultBranch = main\n";
        std::fs::write(dir.path().join("home/.gitconfig"), identity).expect("a git identity");
        Self { dir, repo }
    }

    /// A room with a repository of these files, in one commit.
    pub fn with(files: &[(&str, &str)]) -> Self {
        let room = Self::empty();
        room.git(&["init", "-q", "-b", "main"]);
        for (path, text) in files {
            room.write(path, text);
        }
        room.commit("Begin");
        room
    }

    /// A room with the small crate that most tests use: two findings of clippy, two tests.
    pub fn tiny() -> Self {
        Self::with(&[("Cargo.toml", shapes::MANIFEST), ("Cargo.lock", shapes::LOCK), ("src/lib.rs", shapes::LIB)])
    }

    /// The same with one change of its source.
    pub fn tiny_but(from: &str, to: &str) -> Self {
        let lib = replaced(shapes::LIB, from, to);
        Self::with(&[("Cargo.toml", shapes::MANIFEST), ("Cargo.lock", shapes::LOCK), ("src/lib.rs", &lib)])
    }

    /// A path in the room.
    pub fn at(&self, path: &str) -> PathBuf {
        self.dir.path().join(path)
    }

    /// Where the program keeps its state.
    pub fn state(&self) -> PathBuf {
        self.at("state")
    }

    /// Writes a file of the repository.
    pub fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        let path = self.repo.join(path);
        std::fs::create_dir_all(path.parent().expect("a file has a folder")).expect("a folder");
        std::fs::write(path, text).expect("a file");
    }

    /// Writes a file of the room, outside the repository.
    pub fn beside(&self, name: &str, text: impl AsRef<[u8]>) -> String {
        let path = self.at(name);
        std::fs::write(&path, text).expect("a file");
        path.display().to_string()
    }

    /// Commits everything there is.
    pub fn commit(&self, message: &str) -> String {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "--allow-empty", "-m", message]);
        self.rev("HEAD")
    }

    /// The commit that a name stands for.
    pub fn rev(&self, name: &str) -> String {
        self.git(&["rev-parse", name]).trim().to_owned()
    }

    /// Runs git in the repository; it must succeed.
    pub fn git(&self, args: &[&str]) -> String {
        self.git_in(&self.repo, args)
    }

    /// Runs git somewhere.
    pub fn git_in(&self, dir: &Path, args: &[&str]) -> String {
        let output = self.git_may_fail(dir, args);
        assert!(output.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Runs git where it may fail.
    pub fn git_may_fail(&self, dir: &Path, args: &[&str]) -> Output {
        self.command("git").current_dir(dir).args(args).output().expect("git runs")
    }

    /// Every ref with its target, but for that of the evidence.
    pub fn refs(&self) -> BTreeMap<String, String> {
        let text = self.git(&["for-each-ref", "--format=%(refname) %(objectname)"]);
        text.lines()
            .filter_map(|line| line.split_once(' '))
            .filter(|(name, _)| *name != "refs/notes/kaizen")
            .map(|(name, id)| (name.to_owned(), id.to_owned()))
            .collect()
    }

    /// The branches that are the program's own, without `refs/heads/`.
    pub fn own_branches(&self) -> Vec<String> {
        self.refs()
            .keys()
            .filter_map(|name| name.strip_prefix("refs/heads/kaizen/"))
            .map(|name| format!("kaizen/{name}"))
            .collect()
    }

    /// The branch that collects what landed; there must be exactly one.
    pub fn landed_branch(&self) -> String {
        let landed: Vec<String> = self.own_branches().into_iter().filter(|name| name.ends_with("/landed")).collect();
        assert_eq!(landed.len(), 1, "{landed:?}");
        landed.into_iter().next().unwrap_or_default()
    }

    /// A file as a commit has it.
    pub fn show(&self, rev: &str, path: &str) -> String {
        self.git(&["show", &format!("{rev}:{path}")])
    }

    /// The subjects of the commits after `from` up to `to`, the oldest first.
    pub fn subjects(&self, from: &str, to: &str) -> Vec<String> {
        self.git(&["log", "--reverse", "--format=%s", &format!("{from}..{to}")]).lines().map(str::to_owned).collect()
    }

    /// A command with an environment that knows nothing of the person who runs the tests, but for the toolchain.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.env_clear().current_dir(&self.repo).stdin(Stdio::null());
        let home = std::env::home_dir().expect("a home");
        let kept = |name: &str, else_in: &str| std::env::var_os(name).unwrap_or_else(|| home.join(else_in).into());
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("CARGO_HOME", kept("CARGO_HOME", ".cargo")).env("RUSTUP_HOME", kept("RUSTUP_HOME", ".rustup"));
        for name in ["RUSTUP_TOOLCHAIN", "TMPDIR"] {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        command.env("HOME", self.at("home")).env("XDG_CONFIG_HOME", self.at("config"));
        command.env("XDG_STATE_HOME", self.at("xdg-state")).env("KAIZEN_STATE_DIR", self.state());
        command.env("GIT_CONFIG_NOSYSTEM", "1").env("TZ", "UTC").env("NO_COLOR", "1").env("LANG", "C.UTF-8");
        command
    }

    /// The program, ready to be run in the repository.
    pub fn program(&self, args: &[&str]) -> Command {
        let mut command = self.command(env!("CARGO_BIN_EXE_kaizen"));
        command.args(args);
        command
    }

    /// Runs the program.
    pub fn kaizen(&self, args: &[&str]) -> Said {
        Said::of(self.program(args).output().expect("the program runs"))
    }

    /// Runs the program with something on its standard input.
    pub fn kaizen_reads(&self, args: &[&str], input: &str) -> Said {
        let mut child = self
            .program(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        let sent = child.stdin.take().expect("a pipe").write_all(input.as_bytes());
        let said = Said::of(child.wait_with_output().expect("it ends"));
        // A program that refuses early does not read to the end.
        assert!(sent.is_ok() || said.code != 0, "{sent:?}");
        said
    }

    /// Judges a diff that lies in a file.
    pub fn try_diff(&self, diff: &str, args: &[&str]) -> Said {
        let file = self.beside("given.diff", diff);
        self.kaizen(&[&["try", &file], args].concat())
    }

    /// Starts the program with `--json`, to be watched.
    pub fn start(&self, args: &[&str]) -> Running {
        let mut command = self.program(args);
        command.arg("--json").stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("it starts");
        let lines = BufReader::new(child.stdout.take().expect("a pipe"));
        Running { child, lines }
    }

    /// The records of the journal, as `kaizen log --json` gives them.
    pub fn records(&self) -> Vec<Value> {
        self.kaizen(&["log", "--json", "--last", "100000"]).expect(0).json()
    }

    /// The processes that a run of this room left behind: those with its state directory in their environment, or
    /// with `name` on their command line.
    pub fn processes(&self, name: &str) -> Vec<String> {
        let state = self.state().display().to_string();
        let holds = |bytes: &[u8], text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
        let mut found = Vec::new();
        for entry in std::fs::read_dir("/proc").expect("/proc").flatten() {
            let read = |file: &str| std::fs::read(entry.path().join(file)).unwrap_or_default();
            let (environ, command) = (read("environ"), read("cmdline"));
            if entry.file_name().to_string_lossy().parse::<u32>().is_ok()
                && (holds(&environ, &state) || holds(&command, name))
            {
                found.push(format!(
                    "{:?}: {}",
                    entry.file_name(),
                    String::from_utf8_lossy(&command).replace('\0', " ")
                ));
            }
        }
        found
    }

    /// Waits until no process of this room is left.
    pub fn wait_for_silence(&self, name: &str) {
        for _ in 0..600 {
            if self.processes(name).is_empty() {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        panic!("left behind: {:#?}", self.processes(name));
    }
}

impl Said {
    pub fn of(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// The same, when it ended with this exit code.
    #[track_caller]
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, code, "out:\n{}\nerr:\n{}", self.out, self.err);
        self
    }

    /// The same, when all of these stand in what it printed.
    #[track_caller]
    pub fn says(self, texts: &[&str]) -> Self {
        let all = format!("{}{}", self.out, self.err);
        for text in texts {
            assert!(all.contains(text), "`{text}` is not in:\n{all}");
        }
        self
    }

    /// The lines it printed, as JSON.
    #[track_caller]
    pub fn json(&self) -> Vec<Value> {
        self.out
            .lines()
            .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}\n{}", self.err)))
            .collect()
    }

    /// The id of the only patch with this word, from the line of its result.
    #[track_caller]
    pub fn patch(&self, word: &str) -> String {
        let ids = self.patches(word);
        assert_eq!(ids.len(), 1, "one {word} in:\n{}\n{}", self.out, self.err);
        ids.into_iter().next().unwrap_or_default()
    }

    /// The ids of the patches with this word, in order.
    pub fn patches(&self, word: &str) -> Vec<String> {
        let words = self.out.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
        words
            .filter(|words| words.get(1) == Some(&word))
            .filter_map(|words| words.get(2).map(|id| (*id).to_owned()))
            .collect()
    }
}

impl Running {
    /// Reads what it prints up to the first record that is wanted; none when it ends before.
    pub fn until(&mut self, wanted: impl Fn(&Value) -> bool) -> Option<Value> {
        let mut line = String::new();
        while self.lines.read_line(&mut line).expect("it is text") > 0 {
            let value: Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
            if wanted(&value) {
                return Some(value);
            }
            line.clear();
        }
        None
    }

    /// Kills it without a chance to say anything.
    pub fn kill(mut self) {
        self.child.kill().expect("it can be killed");
        self.child.wait().expect("it ends");
    }

    /// Reads on to its end.
    pub fn end(mut self) -> (i32, Vec<Value>) {
        let mut rest = Vec::new();
        while let Some(value) = self.until(|_| true) {
            rest.push(value);
        }
        (self.child.wait().expect("it ends").code().unwrap_or(-1), rest)
    }
}

/// Whether a record is this event of a cycle, or this deed of an attempt.
pub fn is(record: &Value, name: &str) -> bool {
    let event = &record["event"];
    event["event"] == name || event["did"] == name || event["of"] == name
}

/// How often an event is among records.
pub fn times(records: &[Value], name: &str) -> usize {
    records.iter().filter(|record| is(record, name)).count()
}

/// Whether the long tests are wanted.
pub fn all_wanted() -> bool {
    std::env::var_os("KAIZEN_TEST_ALL").is_some()
}

/// What differs from run to run, and what stands for it in snapshots.
pub const UNSTEADY: [(&str, &str); 7] = [
    (r"cycle c[0-9a-z]{5}\b", "cycle <cycle>"),
    (r"kaizen/c[0-9a-z]{5}/", "kaizen/<cycle>/"),
    (r"kaizen show c[0-9a-z]{5}\b", "kaizen show <cycle>"),
    (r"(LANDED|ASKED|REJECTED|INCONCLUSIVE)( +)p[0-9a-z]{5}\b", "$1$2<patch>"),
    (r"kaizen (revert|approve|show|diff) p[0-9a-z]{5}\b", "kaizen $1 <patch>"),
    (r" *\b(\d+ min )?\d+(\.\d+)? m?s\b", " <time>"),
    (r"\b(?:[0-9a-f]{40}|[0-9a-f]{7})\b", "<hash>"),
];

/// A snapshot of what was printed, without what differs from run to run.
macro_rules! told {
    ($room:expr, $text:expr, @$snapshot:literal) => {
        let text = $text.replace(&$room.at("").display().to_string(), "<room>/");
        insta::with_settings!({filters => $crate::cli::support::UNSTEADY.to_vec()}, {
            insta::assert_snapshot!(text, @$snapshot);
        });
    };
}
pub(crate) use told;
