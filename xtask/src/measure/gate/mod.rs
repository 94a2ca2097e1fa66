//! The gate: patches that are kept in `tests/gate/`, sent through `kaizen try`. Hostile ones must not land, good ones must.

pub mod attacks;
pub mod cost;
pub mod honest;
pub mod same_behaviour;
pub mod tamper;
pub mod verdicts;

use std::path::{Path, PathBuf};
use std::time::{Instant, SystemTime};

use anyhow::{Context as _, Result, ensure};
use kaizen_testkit::{Fixture, Program, SettingsText};

use super::git;
use super::program::build;
use super::run::{Run, cargo};
use super::samples::shown;
use super::scratch::{Scratch, copy, everything_below};

/// A patch of the corpus.
struct Kept {
    name: String,
    /// What it does, in its own first line.
    about: String,
    diff: String,
}

/// A crate and patches for it.
struct Corpus {
    base: PathBuf,
    patches: Vec<Kept>,
}

/// How many patches of a kind there must be.
const LEAST: usize = 60;

impl Corpus {
    /// The patches of a kind, for each crate there is; every fourth of them when the run is to be quick.
    fn all(kind: &str, quick: bool) -> Result<Vec<Self>> {
        let gate = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/gate").canonicalize()?;
        let mut all = vec![Self::read(&gate.join(kind), gate.join(kind).join("base"), quick)?];
        let mut others: Vec<PathBuf> = std::fs::read_dir(&gate)?.flatten().map(|entry| entry.path()).collect();
        others.sort();
        for other in others.into_iter().filter(|other| other.join(kind).is_dir()) {
            all.push(Self::read(&other.join(kind), other.join("base"), quick)?);
        }
        let count: usize = all.iter().map(|corpus| corpus.patches.len()).sum();
        let least = if quick { LEAST / 4 } else { LEAST };
        ensure!(count >= least, "{count} patches are in {}, fewer than {least}", gate.display());
        Ok(all)
    }

    fn read(folder: &Path, base: PathBuf, quick: bool) -> Result<Self> {
        let mut patches = Vec::new();
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            if path.extension().is_none_or(|extension| extension != "diff") {
                continue;
            }
            let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
            let (about, diff) = text.split_once('\n').with_context(|| format!("{} is empty", path.display()))?;
            let about = about.strip_prefix("# ").with_context(|| format!("{}: no first line", path.display()))?;
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            patches.push(Kept { name, about: about.to_owned(), diff: diff.to_owned() });
        }
        patches.sort_by(|one, other| one.name.cmp(&other.name));
        if quick {
            patches = patches.into_iter().step_by(4).collect();
        }
        Ok(Self { base, patches })
    }

    /// A repository that holds the crate.
    fn fixture(&self) -> Result<Fixture> {
        let fixture = Fixture::new();
        fixture.settings(&SettingsText::default().set("base", "runs", 2));
        copy(&self.base.join("."), &fixture.repo())?;
        fixture.commit("Begin");
        Ok(fixture)
    }
}

/// What became of a patch.
struct Judged {
    code: Option<i32>,
    /// What decided, one line.
    why: String,
    time: String,
}

impl Judged {
    fn word(&self) -> &'static str {
        match self.code {
            Some(0) => "landed",
            Some(3) => "asked",
            Some(4) => "refused",
            Some(5) => "not shown",
            Some(10) => "no patch",
            _ => "FAILED",
        }
    }
}

/// Sends a patch through `kaizen try`.
fn judged(program: &Program, fixture: &Fixture, scratch: &Scratch, patch: &Kept) -> Result<Judged> {
    let file = scratch.join(format!("{}.diff", patch.name));
    std::fs::write(&file, &patch.diff)?;
    let begun = Instant::now();
    let ran = program.run(fixture, &["try", &file.to_string_lossy()]);
    let time = shown(begun.elapsed());
    // The lines under that of the patch, or the error.
    let indented = |line: &&str| line.starts_with("                         ");
    let reasons: Vec<&str> = ran.stdout.lines().filter(indented).map(str::trim).collect();
    let error = ran.stderr.lines().find_map(|line| line.strip_prefix("error: ")).unwrap_or_default();
    let why = if reasons.is_empty() { error.to_owned() } else { reasons.join(" ") };
    Ok(Judged { code: ran.code, why, time })
}

/// Whether the crate with a patch passes a plain `cargo test`; none when git does not take the patch.
fn passes_plainly(corpus: &Corpus, scratch: &Scratch, patch: &Kept) -> Result<Option<bool>> {
    let (tree, file) = (scratch.join("plain"), scratch.join("plain.diff"));
    let _ = std::fs::remove_dir_all(&tree);
    copy(&corpus.base, &tree)?;
    std::fs::write(&file, &patch.diff)?;
    git::say(&tree, &["init", "--quiet"])?;
    if !git::git(&tree, &["apply", "--whitespace=nowarn", &file.to_string_lossy()]).end()?.status.success() {
        return Ok(None);
    }
    // What cargo built of the last patch is older than every file of this one.
    for path in everything_below(&tree).into_iter().map(|path| tree.join(path)) {
        // What a link points to is nobody's business here.
        if path.symlink_metadata().is_ok_and(|meta| meta.is_file()) {
            std::fs::File::open(&path)?.set_modified(SystemTime::now())?;
        }
    }
    let args = ["test", "--workspace", "--offline", "--quiet"];
    let tested = Run::new(cargo(), &tree).args(args).env("CARGO_TARGET_DIR", scratch.join("plain-target")).end()?;
    Ok(Some(tested.status.success()))
}

/// The program, built as it is shipped.
fn program() -> Result<Program> {
    Ok(Program::at(build("kaizen", "kaizen")?))
}

/// At most so many characters of a text.
fn brief(text: &str, most: usize) -> String {
    let mut short: String = text.chars().take(most).collect();
    if short.len() < text.len() {
        short.push_str("..");
    }
    short
}
