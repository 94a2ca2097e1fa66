//! Attempts of a repository's own code: a build script, a macro and a test try the same things, in a whole trial inside,
//! and in a plain `cargo test` outside. Both are run by a caller that knows a secret.

use std::collections::BTreeMap;
use std::fs;
use std::net::TcpListener;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::{Command, exit};
use std::time::Duration;

use kaizen_domain::{CommitId, TestOutcome, TrialId, TrialOutcome, TrialReport};
use kaizen_sandbox::{Cancel, Limits, Runner, RunnerSettings, Wanted, WarmBase};

use crate::options::Options;
use crate::report::{Inside, Outside, Report};
use crate::scene::{Scene, clear_all, running};
use crate::support::{self, Arrangement};
use crate::trials;

const CRATE: &str = "attempts";

/// Who tries, by the modules of the crate's tests.
const WHO: [(&str, &str); 3] = [("build_script", "build script"), ("proc_macro", "macro"), ("test_code", "test")];
/// What is tried, by the names of the crate's tests, in their order.
const WHAT: [(&str, &str); 9] = [
    ("secret_file", "read a secret file"),
    ("environment", "read the secret in the environment"),
    ("write_outside", "write outside"),
    ("cargo_home", "write to cargo's home"),
    ("tcp", "connect by TCP"),
    ("unix_socket", "connect to a unix socket"),
    ("kill", "end a process"),
    ("trace_parent", "trace the parent"),
    ("daemon", "leave a daemon"),
];

const LEAVES_A_MARK: [&str; 4] = ["write_outside", "cargo_home", "kill", "daemon"];

/// What each test came to, by its name: whether it failed.
pub type Verdicts = BTreeMap<String, bool>;

fn name(who: &str, what: &str) -> String {
    format!("cargo: a {who}, to {what}")
}

pub fn names() -> Vec<String> {
    WHO.iter().flat_map(|(_, who)| WHAT.iter().map(|(_, what)| name(who, what))).collect()
}

pub fn play_all(options: &Options, report: &mut Report) {
    if !names().iter().any(|name| options.wants(name)) {
        return;
    }
    let inside = played(Some(report.arrangement()));
    let outside = played(None);
    for (index, (module, who)) in WHO.into_iter().enumerate() {
        for (test, what) in WHAT.into_iter().filter(|(_, what)| options.wants(&name(who, what))) {
            // What leaves a mark on the host is judged by that: inside, it may hit what is its own.
            let shown = |played: &Attempts| {
                let failed = played.failed.get(&format!("{module}::{test}")).copied();
                if LEAVES_A_MARK.contains(&test) {
                    failed.map(|_| played.on_host.contains(&(index, test)))
                } else {
                    failed
                }
            };
            let verdict = match (&inside.error, shown(&inside)) {
                (None, Some(true)) => Inside::Succeeded,
                (None, Some(false)) => Inside::Refused("in the trial".to_owned()),
                (error, _) => Inside::Broken(error.clone().unwrap_or_else(|| "no such test ran".to_owned())),
            };
            let witness = match shown(&outside) {
                Some(true) => Outside::Succeeds(""),
                _ => Outside::Fails(format!("{:?}", outside.error)),
            };
            report.line(&name(who, what), verdict, witness);
        }
    }
}

/// What came of one run of the crate.
struct Attempts {
    /// Tests that failed, which is what they do when the attempt got through.
    failed: Verdicts,
    /// What the host shows of it.
    on_host: Vec<(usize, &'static str)>,
    error: Option<String>,
}

fn played(arrangement: Option<Arrangement>) -> Attempts {
    let mut scene = Scene::new();
    fs::create_dir_all(scene.at("cargo/registry")).expect("a folder");
    let tcp = TcpListener::bind("127.0.0.1:0").expect("a port");
    let _unix = UnixListener::bind(scene.at("home/agent.sock")).expect("a socket");
    let victims = [(); 3].map(|()| scene.victim().0);
    let targets = format!(
        "const SECRET_FILE: &str = {:?};\nconst OUTSIDE: &str = {:?};\nconst TCP: &str = \"{}\";\n\
         const UNIX: &str = {:?};\nconst TOKEN: &str = {:?};\nconst VICTIMS: [u32; 3] = {victims:?};\n",
        scene.at("home/.netrc"),
        scene.at("home"),
        tcp.local_addr().expect("an address"),
        scene.at("home/agent.sock"),
        scene.token,
    );
    copy(&fixture(CRATE), &scene.at("crate"));
    scene.write("crate/targets.rs", &targets);
    let (failed, error) = started(CRATE, arrangement, &scene);

    let mut on_host = Vec::new();
    for (by, victim) in victims.into_iter().enumerate() {
        let ended = fs::read(format!("/proc/{victim}/cmdline")).is_ok_and(|line| line.is_empty());
        let marks = [
            ("write_outside", scene.at(&format!("home/written-{by}")).exists()),
            ("cargo_home", scene.at(&format!("cargo/added-{by}.toml")).exists()),
            ("kill", ended),
            ("daemon", !running(&format!("{}-{by}", scene.token)).is_empty()),
        ];
        on_host.extend(marks.into_iter().filter(|(_, there)| *there).map(|(what, _)| (by, what)));
    }
    clear_all((0..victims.len()).map(|by| format!("{}-{by}", scene.token)));
    Attempts { failed, on_host, error }
}

pub fn fixture(name: &str) -> PathBuf {
    scene_root().join(name)
}

/// Where the crates are: beside this program when it was copied away from its sources, and in the sources otherwise.
fn scene_root() -> PathBuf {
    let beside = support::program().with_file_name("fixtures");
    if beside.is_dir() { beside } else { Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/escape") }
}

pub fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder").flatten() {
        let target = to.join(entry.file_name());
        match entry.file_type().expect("a kind") {
            kind if kind.is_dir() && entry.file_name() == "target" => {}
            kind if kind.is_dir() => copy(&entry.path(), &target),
            _ => drop(fs::copy(entry.path(), target).expect("copied")),
        }
    }
}

/// Starts a caller that runs a crate, and reads what it says of the tests.
pub fn started(what: &str, arrangement: Option<Arrangement>, scene: &Scene) -> (Verdicts, Option<String>) {
    let mut command = Command::new(support::program());
    command.args(["cargo", what, arrangement.map_or("outside", Arrangement::name)]).arg(scene.at(""));
    for (name, _) in std::env::vars_os() {
        let foreign = name.to_str().is_some_and(|name| name.starts_with("CARGO") || name.starts_with("RUST"));
        if foreign {
            command.env_remove(name);
        }
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let paths = [toolchain().join("bin")].into_iter().chain(std::env::split_paths(&path));
    command.env("PATH", std::env::join_paths(paths).expect("a path"));
    command.env("API_KEY", &scene.secret).env("CARGO_HOME", scene.at("cargo")).env("TMPDIR", scene.at("tmp"));
    let output = command.output().expect("a caller");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let verdict = |line: &str| {
        let (name, failed) = line.strip_prefix("verdict ")?.rsplit_once(' ')?;
        Some((name.to_owned(), failed == "failed"))
    };
    let verdicts: Verdicts = said.lines().filter_map(verdict).collect();
    let error = verdicts.is_empty().then(|| format!("{said}{}", String::from_utf8_lossy(&output.stderr)));
    (verdicts, error)
}

/// The toolchain of the cargo that runs this, or the one in the path.
fn toolchain() -> PathBuf {
    let beside = std::env::var_os("CARGO").and_then(|cargo| Some(Path::new(&cargo).parent()?.join("rustc")));
    let rustc = beside.filter(|path| path.is_file()).unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).args(["--print", "sysroot"]).output().expect("a compiler");
    String::from_utf8_lossy(&output.stdout).trim().into()
}

/// The caller: `cargo CRATE HOW SCENE`.
pub fn call(what: &str, how: &str, dir: &Path) -> ! {
    let verdicts = match (crate::support::named(how), what) {
        (Some(arrangement), CRATE) => in_trial(arrangement, dir),
        (None, CRATE) => plain(&dir.join("crate"), dir),
        (Some(arrangement), _) => trials::inside(arrangement, dir),
        (None, _) => trials::outside(dir),
    };
    for (name, failed) in verdicts {
        println!("verdict {name} {}", if failed { "failed" } else { "passed" });
    }
    exit(0)
}

/// `cargo test` as a person would call it.
pub fn plain(tree: &Path, dir: &Path) -> Verdicts {
    let mut command = Command::new("cargo");
    command.args(["test", "--offline", "--no-fail-fast"]).current_dir(tree).env("CARGO_HOME", dir.join("cargo"));
    let output = command.output().expect("cargo");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    eprintln!("{}", String::from_utf8_lossy(&output.stderr));
    let verdict = |line: &str| {
        let (name, verdict) = line.strip_prefix("test ")?.split_once(" ... ")?;
        Some((name.to_owned(), verdict.starts_with("FAILED")))
    };
    said.lines().filter_map(verdict).collect()
}

fn in_trial(arrangement: Arrangement, dir: &Path) -> Verdicts {
    let (runner, base) = warm(arrangement, dir);
    verdicts(&base_trial(&runner, &base))
}

/// A runner, and a base of the crate of a scene.
pub fn warm(arrangement: Arrangement, dir: &Path) -> (Runner, WarmBase) {
    let settings = RunnerSettings {
        limits: Limits::default(),
        build_wall: Duration::from_secs(300),
        arrangement: Some(arrangement),
        waived: Vec::new(),
        state_dir: dir.join("state/runner"),
        base_runs: 1,
    };
    let runner = support::runner(settings);
    let export = |tree: &Path| {
        copy(&dir.join("crate"), tree);
        Ok(())
    };
    let base =
        runner.prepare(Wanted::plain("escape", &commit()), &export, &Cancel::new().expect("a flag"), &mut |_| {});
    (runner, base.expect("a base"))
}

pub fn base_trial(runner: &Runner, base: &WarmBase) -> TrialReport {
    let (id, cancel) = (TrialId::new(1, [1; 10]), Cancel::new().expect("a flag"));
    let report = runner.try_base(base, id, &commit(), &[], &cancel, &mut |_| {}).expect("a trial");
    assert_eq!(report.outcome, TrialOutcome::Ran);
    report
}

/// What the tests of a trial came to, by their names without that of the program.
pub fn verdicts(report: &TrialReport) -> Verdicts {
    let plain = |name: &str| name.split_once("::").map_or(name, |(_, rest)| rest).to_owned();
    report.tests.iter().map(|(id, test)| (plain(&id.0), test.outcome == TestOutcome::Failed)).collect()
}

pub fn commit() -> CommitId {
    CommitId::new("a".repeat(40)).expect("an id")
}
