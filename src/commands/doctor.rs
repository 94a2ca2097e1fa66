//! `kaizen doctor`: what this machine can and cannot do, and how to mend it. It looks and changes nothing, unless it is
//! told to begin a damaged journal anew.

use kaizen_agents::security::advisories;
use kaizen_agents::shop::arrangement;
use kaizen_domain::{LandingMode, Layer, LayerState};
use kaizen_forge::Protection;
use kaizen_journal::{Journal, JournalError};
use kaizen_sandbox::isolation::Arrangement;
use kaizen_sandbox::toolchain::ToolchainError;
use kaizen_sandbox::{Isolation, Toolchain};

use crate::commands::rebuild;
use crate::desk;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::models::models;
use crate::output::{self, say};
use crate::session::{Session, SessionOptions};
use crate::story::lines::shown;
use crate::story::outcome::count;
use crate::story::wrap::wrap;
use crate::{project, state_dir};

/// Columns of the text between the name and the verdict.
const TEXT: usize = 66;

/// One line of the report.
struct Row {
    what: &'static str,
    text: String,
    verdict: &'static str,
    help: Option<String>,
    /// The exit code, when work is not possible like this.
    exit: Option<Exit>,
}

/// Reports on the machine and the repository.
///
/// # Errors
/// When a journal is to be rebuilt and cannot be.
pub fn run(options: &SessionOptions, rebuild_journal: bool, json: bool) -> Result<Exit, Failure> {
    if rebuild_journal {
        return rebuild::run(options, json);
    }
    let session = Session::open(options.clone());
    let toolchain = Toolchain::find(None, &std::env::temp_dir(), Arrangement::Namespaces);
    let mut rows = vec![rust(&toolchain)];
    rows.extend(repository(options, &session, toolchain.is_ok_and(|found| found.nextest.is_none())));
    rows.extend(if json { layers(&session) } else { sandbox(&session) });
    rows.extend(known_advisories(&session));
    rows.push(model(&session));
    rows.extend(forge(&session));
    rows.push(journal(options));
    for row in &rows {
        if json {
            output::json(&serde_json::json!({
                "of": "doctor", "what": row.what, "text": row.text, "verdict": row.verdict, "help": row.help, "bad": row.exit.is_some(),
            }));
        } else {
            print(row);
        }
    }
    Ok(rows.iter().find_map(|row| row.exit).unwrap_or(Exit::Done))
}

fn print(row: &Row) {
    let mut lines = wrap(&shown(&row.text), TEXT).into_iter();
    say!("{:<11} {:<TEXT$} {}", row.what, lines.next().unwrap_or_default(), row.verdict);
    lines.for_each(|line| say!("{:<11} {line}", ""));
    if let Some(help) = &row.help {
        wrap(&format!("help: {}", shown(help)), 100).iter().for_each(|line| say!("{:<11} {line}", ""));
    }
}

fn ok(what: &'static str, text: impl Into<String>) -> Row {
    Row { what, text: text.into(), verdict: "ok", help: None, exit: None }
}

fn bad(what: &'static str, failure: Failure) -> Row {
    let help = Some(failure.help.join("; ")).filter(|help| !help.is_empty());
    Row { what, text: failure.message.replace('\n', " "), verdict: "bad", help, exit: Some(failure.exit) }
}

fn rust(toolchain: &Result<Toolchain, ToolchainError>) -> Row {
    match toolchain {
        Ok(toolchain) if !toolchain.clippy => Row {
            verdict: "weaker",
            help: Some("rustup component add clippy".to_owned()),
            ..ok("rust", format!("{}, no clippy: only the compiler's own findings", toolchain.title()))
        },
        Ok(toolchain) => {
            let more = [("rustfmt", toolchain.rustfmt), ("nextest", toolchain.nextest.is_some())];
            let more: String = more.iter().filter(|(_, there)| *there).map(|(name, _)| format!(", {name}")).collect();
            ok("rust", format!("{}, clippy{more}", toolchain.title()))
        }
        Err(error) => bad("rust", Failure::fault(error.to_string()).or("install Rust: https://rustup.rs")),
    }
}

fn repository(options: &SessionOptions, session: &Result<Session, Failure>, lacks_nextest: bool) -> Vec<Row> {
    let failed = |failure: &Failure| Failure {
        exit: failure.exit,
        message: failure.message.clone(),
        help: failure.help.clone(),
    };
    let repo = match project::open(&options.repo).and_then(|repo| Ok((repo.condition()?, repo))) {
        Ok((condition, repo)) => match project::find(&repo, &options.repo, options.base.as_deref(), &condition) {
            Ok(base) => {
                let branch = base.target.as_ref().map_or("detached HEAD", |target| target.short());
                let mut notes = vec![format!("{} @ {} ({branch})", repo.name(), base.commit.short())];
                if condition.shallow {
                    notes.push("shallow, so the ages of lines are not known".to_owned());
                }
                if condition.submodules > 0 {
                    notes.push(format!("{} left out", count(condition.submodules, "submodule")));
                }
                if lacks_nextest && options.repo.join(".config/nextest.toml").exists() {
                    notes.push("set up for nextest, which is not installed: tests are run by cargo".to_owned());
                }
                if condition.dirty > 0 {
                    notes.push(format!("{} not touched", count(condition.dirty, "uncommitted change")));
                }
                ok("repository", notes.join(", "))
            }
            Err(failure) => bad("repository", failure),
        },
        Err(failure) => return vec![bad("repository", failure)],
    };
    let settings = session.as_ref().err().map(|failure| bad("settings", failed(failure)));
    [Some(repo), settings].into_iter().flatten().collect()
}

/// What the sandbox is made of, in few lines: the layers that hold together, the others one by one.
fn sandbox(session: &Result<Session, Failure>) -> Vec<Row> {
    let rows = layers(session);
    let (good, rest): (Vec<Row>, Vec<Row>) = rows.into_iter().partition(|row| row.verdict == "ok");
    let names: Vec<&str> =
        good.iter().filter_map(|row| row.text.split(':').next()).filter(|name| *name != "arrangement").collect();
    let strong = (!names.is_empty()).then(|| ok("sandbox", names.join(", ")));
    strong.into_iter().chain(rest).collect()
}

fn layers(session: &Result<Session, Failure>) -> Vec<Row> {
    let waived = session.as_ref().map(|session| session.settings.sandbox.waived.clone()).unwrap_or_default();
    let wanted = session.as_ref().ok().and_then(|session| arrangement(&session.settings));
    let may_run = Isolation::probe_wanted(wanted, &waived).map(drop);
    let verdict = |layer: &Layer| match layer.state {
        LayerState::Active => "ok",
        LayerState::Weaker => "weaker",
        LayerState::Missing if waived.contains(&layer.name) => "waived",
        LayerState::Missing => "missing",
        LayerState::Waived => "waived",
    };
    let mut rows: Vec<Row> = Isolation::inspect(wanted)
        .into_iter()
        .map(|layer| Row { verdict: verdict(&layer), ..ok("sandbox", format!("{}: {}", layer.name, layer.detail)) })
        .collect();
    if let Err(error) = may_run {
        let failure = Failure { exit: Exit::Sandbox, message: error.to_string(), help: Vec::new() };
        rows.push(bad(
            "sandbox",
            failure.or("a layer can be given up by name under [sandbox] waived in your own settings"),
        ));
    }
    rows
}

/// The database of advisories, when the settings name one: all of it is read.
fn known_advisories(session: &Result<Session, Failure>) -> Option<Row> {
    let at = &session.as_ref().ok()?.settings.security.advisories;
    if at.is_empty() {
        return None;
    }
    Some(match advisories::read(std::path::Path::new(at)) {
        Ok(known) => {
            let all = ok("advisories", format!("{} read from {at}", known.advisories.len()));
            match known.left_out.first() {
                None => all,
                Some(first) => Row {
                    text: format!("{}, {} left out, the first is {first}", all.text, known.left_out.len()),
                    verdict: "weaker",
                    help: Some("bring your copy of the database up to date".to_owned()),
                    ..all
                },
            }
        }
        Err(error) => bad("advisories", error.into()),
    })
}

fn model(session: &Result<Session, Failure>) -> Row {
    match session {
        Ok(session) if session.settings.has_model() => match models(&session.settings) {
            Ok(models) => {
                let shown = models.routes.iter().map(|route| {
                    let provider = route.client.provider();
                    format!("{} at {}", provider.shown(), provider.base_url)
                });
                ok("model", shown.collect::<Vec<_>>().join(", "))
            }
            Err(failure) => bad("model", failure),
        },
        _ => {
            let own = state_dir::own_settings().map(|path| path.display().to_string()).unwrap_or_default();
            Row {
                verdict: "fixers only",
                help: Some(format!("put a [model] section into {own}; `kaizen init --explain model` has its keys")),
                ..ok("model", "none configured")
            }
        }
    }
}

/// What the token may do, when there is one: asked of the forge, nothing is changed there.
fn forge(session: &Result<Session, Failure>) -> Option<Row> {
    let session = session.as_ref().ok()?;
    let settings = &session.settings;
    if !settings.forge.configured() && settings.landing.mode != LandingMode::PullRequest {
        return None;
    }
    let asked = || -> Result<Row, Failure> {
        let remote = desk::remote(session.repo(), settings)?;
        let forge = desk::connect(&remote, &settings.forge)?;
        let onto = &settings.pull_request.onto;
        let (account, facts, protection) = super::runtime()?.block_on(async {
            let account = forge.account().await?;
            let facts = forge.repository().await?;
            let onto = if onto.is_empty() { &facts.default_branch } else { onto };
            let protection = forge.protection(onto).await?;
            Ok::<_, kaizen_forge::ForgeError>((account, facts, protection))
        })?;
        desk::check(forge.as_ref(), &facts)?;
        desk::pacing(settings)?;
        let seen = if facts.private { "private" } else { "public" };
        let push = if facts.may_push == Some(true) { "may push" } else { "whether it may push is not said" };
        let onto =
            if settings.pull_request.onto.is_empty() { &facts.default_branch } else { &settings.pull_request.onto };
        let text = format!(
            "{} ({}, {seen}) as {account}, {push}; pull requests go to {onto}{}",
            forge.name(),
            forge.kind(),
            asked_of(&protection)
        );
        Ok(ok("forge", text))
    };
    Some(asked().unwrap_or_else(|failure| bad("forge", failure)))
}

/// What the forge asks of changes to a branch, as the end of a sentence.
fn asked_of(protection: &Protection) -> String {
    let mut asked = Vec::new();
    match protection.approvals {
        0 => {}
        1 => asked.push("an approval".to_owned()),
        more => asked.push(format!("{more} approvals")),
    }
    if !protection.checks.is_empty() {
        asked.push(format!("checks {}", protection.checks.join(", ")));
    }
    if protection.signed {
        asked.push("signed commits, which Kaizen's are not: only a squash can be merged".to_owned());
    }
    match (protection.protected, asked.is_empty()) {
        (false, true) => String::new(),
        (_, true) => ", which is protected".to_owned(),
        (_, false) => format!(", which asks for {}", asked.join(", ")),
    }
}

fn journal(options: &SessionOptions) -> Row {
    let dir = match state_dir::resolve(options.state_dir.clone()) {
        Ok(dir) => dir,
        Err(failure) => return bad("journal", failure),
    };
    match verified(&dir) {
        Ok(None) => ok("journal", format!("none yet; it will be in {}", dir.display())),
        Ok(Some(records)) => {
            ok("journal", format!("{} in {}, each follows the one before", count(records, "record"), dir.display()))
        }
        Err(error) => bad("journal", error.into()),
    }
}

/// How many records the journal has, when it is in order.
pub(crate) fn verified(dir: &std::path::Path) -> Result<Option<usize>, JournalError> {
    let Some(journal) = Journal::open_read_only(dir)? else { return Ok(None) };
    Ok(Some(usize::try_from(journal.verify()?.records).unwrap_or(usize::MAX)))
}
