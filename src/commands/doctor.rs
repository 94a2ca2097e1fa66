//! `kaizen doctor`: what this machine can and cannot do, and how to mend it. It looks and changes nothing, unless it is
//! told to begin a damaged journal anew.

use kaizen_domain::{CommitId, CycleId, Event, LayerState, PatchId, TenantId};
use kaizen_journal::{Journal, JournalError};
use kaizen_repo::Repo;
use kaizen_sandbox::{Isolation, Toolchain};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::session::{Session, SessionOptions};
use crate::story::lines::shown;
use crate::{project, state_dir};

/// How much of the history is walked for what landed.
const COMMITS_WALKED: usize = 100_000;

/// One line of the report.
struct Row {
    what: &'static str,
    text: String,
    verdict: String,
    bad: bool,
}

/// Reports on the machine and the repository.
///
/// # Errors
/// When a journal is to be rebuilt and cannot be.
pub fn run(options: &SessionOptions, rebuild_journal: bool, json: bool) -> Result<Exit, Failure> {
    if rebuild_journal {
        return rebuild(options);
    }
    let mut rows = vec![rust()];
    let session = Session::open(options.clone());
    rows.push(git(options, &session));
    rows.extend(sandbox(&session));
    rows.push(model(&session));
    rows.push(state(options));
    let bad = rows.iter().any(|row| row.bad);
    for row in &rows {
        if json {
            println!("{}", serde_json::json!({"of": "doctor", "what": row.what, "text": row.text, "verdict": row.verdict, "bad": row.bad}));
        } else {
            println!("{:<11} {:<58} {}", row.what, shown(&row.text), shown(&row.verdict));
        }
    }
    Ok(if bad { Exit::Sandbox } else { Exit::Done })
}

fn ok(what: &'static str, text: impl Into<String>) -> Row {
    Row { what, text: text.into(), verdict: "ok".to_owned(), bad: false }
}

fn bad(what: &'static str, text: impl Into<String>, help: &str) -> Row {
    Row { what, text: text.into(), verdict: format!("missing (help: {help})"), bad: true }
}

fn rust() -> Row {
    match Toolchain::find(None, &std::env::temp_dir()) {
        Ok(toolchain) if !toolchain.clippy => Row {
            verdict: "weaker (help: rustup component add clippy)".to_owned(),
            ..ok("rust", format!("{}, no clippy: only the compiler's own findings", toolchain.title()))
        },
        Ok(toolchain) => ok("rust", format!("{}, clippy{}", toolchain.title(), if toolchain.rustfmt { ", rustfmt" } else { "" })),
        Err(error) => bad("rust", error.to_string(), "https://rustup.rs"),
    }
}

fn git(options: &SessionOptions, session: &Result<Session, Failure>) -> Row {
    let session = match session {
        Ok(session) => session,
        Err(failure) => return bad("repository", failure.message.clone(), failure.help.first().map_or("", String::as_str)),
    };
    let condition = session.condition();
    match project::find(session.repo(), &options.repo, options.base.as_deref(), condition) {
        Ok(base) => {
            let branch = base.target.as_ref().map_or("detached HEAD", |target| target.short());
            let mut notes = vec![format!("{} @ {} ({branch})", session.repo().name(), base.commit.short())];
            if condition.shallow {
                notes.push("shallow: ages of lines are not known".to_owned());
            }
            if condition.submodules > 0 {
                notes.push(format!("{} submodules are left out", condition.submodules));
            }
            if condition.dirty > 0 {
                notes.push(format!("{} uncommitted changes stay untouched", condition.dirty));
            }
            ok("repository", notes.join(", "))
        }
        Err(failure) => bad("repository", failure.message, failure.help.first().map_or("", String::as_str)),
    }
}

fn sandbox(session: &Result<Session, Failure>) -> Vec<Row> {
    let waived = session.as_ref().map(|session| session.settings.sandbox.waived.clone()).unwrap_or_default();
    let may_run = Isolation::probe(&waived).map(drop);
    let mut rows: Vec<Row> = Isolation::inspect()
        .into_iter()
        .map(|layer| {
            let verdict = match layer.state {
                LayerState::Active => "ok".to_owned(),
                LayerState::Weaker => "weaker".to_owned(),
                LayerState::Missing if waived.contains(&layer.name) => "waived".to_owned(),
                LayerState::Missing => "missing".to_owned(),
                LayerState::Waived => "waived".to_owned(),
            };
            Row { what: "sandbox", text: format!("{}: {}", layer.name, layer.detail), verdict, bad: false }
        })
        .collect();
    if let Err(error) = may_run {
        rows.push(bad("sandbox", error.to_string(), "a layer can be given up by name under [sandbox] waived in your own settings"));
    }
    rows
}

fn model(session: &Result<Session, Failure>) -> Row {
    match session {
        Ok(session) if session.settings.model.configured() => {
            let model = &session.settings.model;
            ok("model", format!("{} at {}", model.name, model.base_url))
        }
        _ => {
            let own = state_dir::own_settings().map(|path| path.display().to_string()).unwrap_or_default();
            Row {
                verdict: format!("fixers only (help: [model] in {own}; kaizen init --explain model)"),
                ..ok("model", "none configured")
            }
        }
    }
}

fn state(options: &SessionOptions) -> Row {
    let dir = match options.state_dir.clone().map_or_else(state_dir::find, Ok) {
        Ok(dir) => dir,
        Err(failure) => return bad("journal", failure.message, "set KAIZEN_STATE_DIR"),
    };
    match Journal::open_read_only(&dir).and_then(|journal| journal.map(|journal| journal.verify()).transpose()) {
        Ok(None) => ok("journal", format!("none yet; it will be in {}", dir.display())),
        Ok(Some(verified)) => ok("journal", format!("{} records in {}, each follows the one before", verified.records, dir.display())),
        Err(error) => bad("journal", error.to_string(), "kaizen doctor --rebuild-journal"),
    }
}

/// Puts a damaged journal aside and begins a new one with what the commits themselves say landed.
fn rebuild(options: &SessionOptions) -> Result<Exit, Failure> {
    let dir = options.state_dir.clone().map_or_else(state_dir::find, Ok)?;
    let repo = Repo::open(&options.repo)?;
    let from = match Journal::set_aside(&dir) {
        Ok(path) => path.display().to_string(),
        Err(JournalError::Missing { .. }) => "nowhere: there was none".to_owned(),
        Err(error) => return Err(error.into()),
    };
    let landed: Vec<(PatchId, CommitId)> = repo
        .trailers(COMMITS_WALKED)?
        .into_iter()
        .filter_map(|(commit, trailers)| {
            let value = |key: &str| trailers.iter().find(|(name, _)| name == key).map(|(_, value)| value.clone());
            let known: Option<CycleId> = value("Kaizen-Cycle")?.parse().ok();
            known?;
            Some((value("Kaizen-Patch")?.parse().ok()?, commit))
        })
        .collect();
    let mut journal = Journal::open(&dir)?;
    let lease = journal.acquire(&repo.key(), std::time::Duration::from_secs(60))?;
    let now = kaizen_agents::Clock::now(&kaizen_agents::SystemClock);
    println!("the old journal is in {from}; {} landed patches were found in the commits", landed.len());
    journal.append(&lease, &TenantId::local(), now, &[Event::Rebuilt { from, landed }])?;
    journal.release(lease)?;
    Ok(Exit::Done)
}
