//! Escape: the escape suite of the sandbox, in each arrangement, as root and as an ordinary user. Nothing may succeed
//! inside, and every attempt has a witness that it does succeed outside.
//!
//! The suite is a test program of the sandbox. It is copied aside with the crates that it runs, so that an ordinary user
//! can reach them; the toolchain, which may lie in root's own home, is shown to that user at a place of its own.

use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::Value;

use super::run::{Ended, Run, cargo, tail};
use super::samples::shown;
use super::scratch::{self, Scratch};
use super::table::Table;
use super::{Options, Outcome, os};

/// Probes that every run must have.
const LEAST: u64 = 40;
/// Longer than the suite ever takes.
const LIMIT: Duration = Duration::from_secs(30 * 60);
const ARRANGEMENTS: [&str; 2] = ["namespaces", "restricted"];
/// From here on a number is sought that belongs to nobody.
const ORDINARY: u32 = 54_321;
/// What a line of the suite holds where something is wrong.
const WRONG: [&str; 3] = ["inside: SUCCEEDED", "inside: NOT TRIED", "witness: FAILS"];

/// Who plays the suite.
struct User {
    name: &'static str,
    /// None for whoever runs the measurement.
    id: Option<u32>,
    folder: PathBuf,
}

/// Measures it.
///
/// # Errors
/// When the suite does not build or cannot be started.
pub fn measure(options: &Options) -> Result<Outcome> {
    let scratch = Scratch::new("escape")?;
    let open = |path: &Path| std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755));
    open(scratch.path())?;
    let program = scratch.join("escape");
    std::fs::copy(suite()?, &program).context("the suite cannot be copied")?;
    scratch::copy(&crate::root().join("sandbox/tests/fixtures/escape"), &scratch.join("fixtures"))?;
    let sysroot = sysroot()?;

    let mut outcome = Outcome {
        table: Table::new(&[
            "arrangement",
            "user",
            "probes",
            "succeeded",
            "known",
            "as root only",
            "without witness",
            "time",
        ]),
        ..Outcome::default()
    };
    let (mut probes, mut succeeded) = (0, 0);
    for user in users(&scratch, options, &mut outcome)? {
        for arrangement in ARRANGEMENTS {
            eprintln!("playing the suite: {arrangement}, {}", user.name);
            let ended = played(&scratch, &program, &sysroot, &user, arrangement)?;
            let who = format!("{arrangement}, {}", user.name);
            let Some(sum) = ended.stdout.lines().rev().find(|line| line.starts_with("escape: ")) else {
                outcome.missed.push(format!("{who}: the suite broke: {}", tail(&ended.stderr)));
                continue;
            };
            let Some(count) = figures(sum) else {
                let dash = || "-".to_owned();
                let row =
                    [arrangement.to_owned(), user.name.to_owned(), dash(), dash(), dash(), dash(), dash(), dash()];
                outcome.table.row(row);
                outcome.missed.push(format!("{who}: {sum}"));
                continue;
            };
            let wrong = ended.stdout.lines().filter(|line| WRONG.iter().any(|word| line.contains(word)));
            outcome.notes.extend(wrong.map(|line| format!("{}: {line}", user.name)));
            outcome.table.row([
                arrangement.to_owned(),
                user.name.to_owned(),
                count("probes").to_string(),
                count("succeeded").to_string(),
                count("excepted").to_string(),
                count("as_root_only").to_string(),
                count("without_witness").to_string(),
                shown(ended.wall),
            ]);
            probes += count("probes");
            succeeded += count("succeeded");
            outcome.require(count("succeeded") == 0, format!("{who}: {} succeeded", count("succeeded")));
            outcome.require(count("not_tried") == 0, format!("{who}: {} were not really tried", count("not_tried")));
            let missing = count("without_witness");
            outcome.require(missing == 0, format!("{who}: {missing} without a witness"));
            outcome.require(count("probes") >= LEAST, format!("{who}: only {} probes", count("probes")));
            let root_only = user.name != "root" || count("as_root_only") == 0;
            outcome.require(root_only, format!("{who}: not every probe has a witness"));
            outcome.require(ended.status.success() || !outcome.missed.is_empty(), format!("{who}: {}", ended.status));
        }
    }
    outcome.summary = format!(
        "{succeeded} of {probes} attempts succeeded (bar 0, at least {LEAST} probes a run, each with a witness)"
    );
    Ok(outcome)
}

/// Builds the suite, and says where it is.
fn suite() -> Result<PathBuf> {
    eprintln!("building the suite");
    let args = ["test", "--package", "kaizen-sandbox", "--test", "escape", "--no-run"];
    let mut run =
        Run::new(cargo(), &crate::root()).args(args).args(["--message-format=json-render-diagnostics"]).told();
    if let Some(target) = std::env::var_os("CARGO_TARGET_DIR") {
        run = run.env("CARGO_TARGET_DIR", target);
    }
    let built = run.succeed()?;
    let executable =
        built.stdout.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()).find_map(|message| {
            let ours = message["reason"] == "compiler-artifact" && message["target"]["name"] == "escape";
            message["executable"].as_str().filter(|_| ours).map(PathBuf::from)
        });
    executable.context("cargo did not say where it put the suite")
}

fn sysroot() -> Result<PathBuf> {
    let said = Run::new("rustc", &crate::root()).args(["--print", "sysroot"]).succeed()?;
    Path::new(said.stdout.trim()).canonicalize().context("the toolchain is not where the compiler says")
}

/// Who runs this; and, since root may, an ordinary user. Each has a folder of its own.
fn users(scratch: &Scratch, options: &Options, outcome: &mut Outcome) -> Result<Vec<User>> {
    let root = os::is_root();
    let mut users = vec![User { name: if root { "root" } else { "ordinary" }, id: None, folder: scratch.join("own") }];
    match (root, options.quick) {
        (true, false) => {
            let id = nobodys_number();
            users.push(User { name: "ordinary", id: Some(id), folder: scratch.join("ordinary") });
            outcome.notes.push(format!("the ordinary user is number {id}, which belongs to nobody"));
        }
        (true, true) => outcome.notes.push("the quick run plays as root only".to_owned()),
        (false, _) => {
            outcome.notes.push("only as this user: root plays as both, and witnesses what others may not do".to_owned())
        }
    }
    for user in &users {
        std::fs::create_dir(&user.folder)?;
        if user.id.is_some() {
            chown(&user.folder, user.id, user.id)?;
        }
    }
    std::fs::create_dir(scratch.join("toolchain"))?;
    Ok(users)
}

fn nobodys_number() -> u32 {
    let known = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let taken = |id: u32| known.lines().any(|line| line.split(':').nth(2) == Some(&id.to_string()));
    (ORDINARY..).find(|id| !taken(*id)).unwrap_or(ORDINARY)
}

fn played(scratch: &Scratch, program: &Path, sysroot: &Path, user: &User, arrangement: &str) -> Result<Ended> {
    let shown_at = scratch.join("toolchain");
    let toolchain = if user.id.is_some() { &shown_at } else { sysroot };
    let path = std::env::var_os("PATH").unwrap_or_default();
    let others = std::env::split_paths(&path)
        .filter(|folder| user.id.is_none() || folder.starts_with("/usr") || folder.starts_with("/bin"));
    let paths = std::env::join_paths([toolchain.join("bin")].into_iter().chain(others))?;
    let mut run = Run::new(program, &user.folder)
        .args(["--arrangement", arrangement])
        .env("PATH", paths)
        .env("CARGO", toolchain.join("bin/cargo"))
        .env("HOME", &user.folder)
        .env("TMPDIR", &user.folder)
        .limit(LIMIT);
    if let Some(id) = user.id {
        run = run.user(id, sysroot, &shown_at)?;
    }
    run.end()
}

/// The figures of the suite's last line, by their names; none where it says that it could not play.
fn figures(sum: &str) -> Option<impl Fn(&str) -> u64> {
    sum.contains(" probes=").then_some(move |name: &str| {
        let figure = |word: &str| word.strip_prefix(name)?.strip_prefix('=')?.parse().ok();
        sum.split(' ').find_map(figure).unwrap_or(0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_of_the_suite_is_understood() {
        let count =
            figures("escape: arrangement=namespaces user=root probes=60 succeeded=2 without_witness=1").unwrap();
        assert_eq!((count("probes"), count("succeeded"), count("without_witness"), count("excepted")), (60, 2, 1, 0));
        assert!(figures("escape: arrangement=restricted not to be had: no Landlock").is_none());
    }
}
