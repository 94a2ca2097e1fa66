//! `kaizen try` and `kaizen approve`: a patch that somebody else wrote, or that waits for a person, goes the same way
//! as any other. The exit code says what became of it.

use std::io::{Read as _, Write as _};
use std::path::PathBuf;

use kaizen_agents::writing::RepoSource;
use kaizen_domain::{Attempt, Base, Cycle, LandingMode, Patch, PatchSource, Word};
use kaizen_patch::ApplyError;

use crate::arguments::ReportArgs;
use crate::commands::carry::carry;
use crate::commands::show;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::history::History;
use crate::session::{Session, SessionOptions};
use crate::story::lines::shown;
use crate::story::markdown::markdown;
use crate::story::sarif::sarif;
use crate::story::{Detail, Story, Voice};
use crate::terms::CycleTerms;

/// A diff larger than this is no patch to be judged, bytes.
const LARGEST: u64 = 16 << 20;

/// Where a patch comes from.
pub enum Given {
    /// A file, or `-` for standard input.
    File(PathBuf),
    /// A branch.
    Branch(String),
    /// One of ours that waits for a person.
    Approved(String),
}

/// Judges the patch.
///
/// # Errors
/// When it cannot be read or applied, or the cycle cannot go on.
pub fn run(
    options: SessionOptions,
    given: Given,
    message: Option<String>,
    landing: (Option<LandingMode>, bool),
    reports: &ReportArgs,
    json: bool,
) -> Result<Exit, Failure> {
    let mut session = Session::open(options)?;
    let terms = CycleTerms {
        given: Some(source(&session, given, message)?),
        max_landings: Some(1),
        max_opportunities: Some(1),
        landing: landing.0,
        update_worktree: landing.1,
        ..CycleTerms::default()
    };
    looked_at(&session, &terms)?;
    let mut story = Story::new(Voice::choose(json), Detail::Brief, &session);
    let cycle = super::runtime()?.block_on(carry(&mut session, terms, &mut story))?;
    let Some(attempt) = cycle.attempts.first() else {
        return Err(Failure::fault("the patch was not taken up")
            .or("this is a fault of Kaizen's own; please report it with `kaizen log --json`"));
    };
    report(&cycle, reports)?;
    Ok(match attempt.word() {
        Some(Word::Landed) => Exit::Done,
        Some(Word::Asked) => Exit::Asked,
        Some(Word::Inconclusive) => Exit::Inconclusive,
        _ => Exit::Rejected,
    })
}

/// Writes the judgement where it is wanted besides the terminal.
fn report(cycle: &Cycle, to: &ReportArgs) -> Result<(), Failure> {
    let unwritten = |path: &std::path::Path| {
        let path = path.display().to_string();
        move |error: std::io::Error| Failure::input(format!("{path} cannot be written: {error}"), "name another file")
    };
    if let Some(path) = &to.sarif {
        let log = format!("{:#}\n", sarif(cycle));
        std::fs::write(path, log).map_err(unwritten(path))?;
    }
    if let Some(path) = &to.summary {
        let mut file = std::fs::OpenOptions::new().append(true).create(true).open(path).map_err(unwritten(path))?;
        file.write_all(markdown(cycle).as_bytes()).map_err(unwritten(path))?;
    }
    Ok(())
}

fn source(session: &Session, given: Given, message: Option<String>) -> Result<PatchSource, Failure> {
    match given {
        Given::File(path) => {
            let text = read(&path)?;
            let title = message.or_else(|| subject(&text)).unwrap_or_else(|| named_after(&path));
            Ok(PatchSource::Diff { text, title, approves: None })
        }
        Given::Branch(name) => {
            let (_, commit) = session.repo().commit_of(&name)?;
            Ok(PatchSource::Commit { commit, title: message.unwrap_or_else(|| format!("Merge {name}")) })
        }
        Given::Approved(id) => approved(session, &id),
    }
}

/// A patch that waits for a person, who has now said yes.
fn approved(session: &Session, id: &str) -> Result<PatchSource, Failure> {
    let (_, patch) = waiting(session, id)?;
    Ok(PatchSource::Diff { text: patch.diff, title: patch.title, approves: Some(patch.id) })
}

/// A patch that waits for a person, with its cycle.
///
/// # Errors
/// When there is none of this id, it is of another repository, or it does not wait.
pub(crate) fn waiting(session: &Session, id: &str) -> Result<(Cycle, Patch), Failure> {
    let (cycle, patch, found) = show::patch(Some(session.state_dir.clone()), id)?;
    let id = patch.id.short();
    let (repo, word) = (session.repo(), cycle.attempt(patch.opportunity).and_then(Attempt::word));
    if found.repo != repo.key() {
        return Err(Failure::input(
            format!("patch {id} is of another repository"),
            "name its repository with `--repo`",
        ));
    }
    if word != Some(Word::Asked) {
        let now = word.map_or("being worked on", Word::shout);
        return Err(Failure::input(
            format!("patch {id} does not wait for a person: it is {now}"),
            "`kaizen status` lists the patches that do",
        ));
    }
    let journal = super::journal(Some(session.state_dir.clone()))?.ok_or_else(show::no_journal)?;
    let history = History::since(&journal, &repo.key(), found.seq)?;
    if let Some(reason) = history.turned_down.get(&patch.id) {
        let message = format!("patch {id} was turned down: {reason}");
        return Err(Failure::input(message, format!("to land it all the same: `kaizen diff {id} | kaizen try -`")));
    }
    match history.approved.get(&patch.id) {
        Some(landed) if !history.reverted.contains_key(landed) => Err(Failure::input(
            format!("patch {id} was approved already: it landed as {}", landed.short()),
            format!("`kaizen revert {}` takes it back", landed.short()),
        )),
        _ => Ok((cycle, patch)),
    }
}

/// Refuses at once what needs no trial to be refused: a diff that is none or does not fit, and one that would bring a
/// secret into the journal.
fn looked_at(session: &Session, terms: &CycleTerms) -> Result<(), Failure> {
    let Some(PatchSource::Diff { text, .. }) = &terms.given else { return Ok(()) };
    if let Some(kind) = secret_in(text) {
        return Err(Failure {
            exit: Exit::Rejected,
            message: format!("the patch adds what looks like a secret ({kind}); nothing of it was kept"),
            help: vec!["take it out of the patch, and revoke it if it is real".to_owned()],
        });
    }
    let base = session.request(terms.clone())?.base;
    let source = RepoSource { repo: session.repo(), commit: &base.commit };
    match kaizen_patch::apply_diff(text, &source) {
        Ok(_) => Ok(()),
        Err(error) => Err(Failure {
            exit: exit_of(&error),
            message: message_of(&error, &base),
            help: vec![way_out(&error).to_owned()],
        }),
    }
}

/// What no patch may do is refused; what cannot be read or applied is no patch to judge.
fn exit_of(error: &ApplyError) -> Exit {
    match error {
        ApplyError::Path(_)
        | ApplyError::Unsupported { .. }
        | ApplyError::NotRegular { .. }
        | ApplyError::BelowFile { .. } => Exit::Rejected,
        _ => Exit::Input,
    }
}

fn message_of(error: &ApplyError, base: &Base) -> String {
    let why = shown_lines(&error.to_string());
    match exit_of(error) {
        Exit::Rejected => format!("the patch is refused: {why}"),
        _ => format!("the patch does not apply to {}: {why}", base.commit.short()),
    }
}

/// The kind of secret that the added lines of a diff seem to hold.
fn secret_in(diff: &str) -> Option<String> {
    let added: Vec<&str> = diff.lines().filter_map(|line| line.strip_prefix('+')).collect();
    let added = added.join("\n");
    let redacted = kaizen_patch::redact(&added);
    if redacted == added {
        return None;
    }
    let kind = redacted.split_once("[redacted ").and_then(|(_, rest)| rest.split_once(']'));
    Some(kind.map_or("secret", |(kind, _)| kind).to_owned())
}

fn way_out(error: &ApplyError) -> &'static str {
    match error {
        ApplyError::Hunk { .. } | ApplyError::MissingFile { .. } | ApplyError::Exists { .. } => {
            "make it anew on this commit, or name the commit it was made on with `--base`"
        }
        ApplyError::Diff { .. } => "give the whole output of `git diff` or `diff -u`",
        ApplyError::NothingChanged => "what it does is done already",
        _ => "a patch may change regular text files inside the repository",
    }
}

/// Lines from outside as a terminal may show them.
fn shown_lines(text: &str) -> String {
    text.lines().map(shown).collect::<Vec<_>>().join("\n  ")
}

/// The subject of a patch that says nothing about itself.
fn named_after(path: &std::path::Path) -> String {
    match path.file_name().filter(|_| path.as_os_str() != "-") {
        Some(name) => format!("Apply {}", name.to_string_lossy()),
        None => "Apply a patch from standard input".to_owned(),
    }
}

fn read(path: &std::path::Path) -> Result<String, Failure> {
    let unread = |error: std::io::Error| {
        Failure::input(
            format!("the patch {} cannot be read: {error}", path.display()),
            "name a file, or `-` for standard input",
        )
    };
    let mut bytes = Vec::new();
    if path.as_os_str() == "-" {
        std::io::stdin().take(LARGEST + 1).read_to_end(&mut bytes).map_err(unread)?;
    } else {
        std::fs::File::open(path).and_then(|file| file.take(LARGEST + 1).read_to_end(&mut bytes)).map_err(unread)?;
    }
    if bytes.len() as u64 > LARGEST {
        return Err(Failure::input(
            format!("the patch {} is larger than {} MiB", path.display(), LARGEST >> 20),
            "split it",
        ));
    }
    String::from_utf8(bytes).map_err(|_| {
        Failure::input(
            format!("the patch {} is not UTF-8 text", path.display()),
            "a binary change can be tried as a branch: `--branch NAME`",
        )
    })
}

/// The subject of a patch that `git format-patch` wrote.
fn subject(text: &str) -> Option<String> {
    let line = text.lines().take(30).find_map(|line| line.strip_prefix("Subject: "))?;
    let line = if line.starts_with("[PATCH") { line.split_once("] ").map_or(line, |(_, rest)| rest) } else { line };
    Some(line.trim().to_owned()).filter(|line| !line.is_empty())
}
