//! `kaizen try` and `kaizen approve`: a patch that somebody else wrote, or that waits for a person, goes the same way
//! as any other. The exit code says what became of it.

use std::io::Read as _;
use std::path::PathBuf;

use kaizen_domain::{LandingMode, PatchSource, Word};
use kaizen_journal::Noun;

use crate::commands::show;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::session::{Session, SessionOptions};
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
/// When it cannot be read, or the cycle cannot go on.
pub fn run(
    options: SessionOptions, given: Given, message: Option<String>, landing: (Option<LandingMode>, bool), json: bool,
) -> Result<Exit, Failure> {
    let session = Session::open(options)?;
    let source = source(&session, given, message)?;
    let terms = CycleTerms {
        given: Some(source),
        max_landings: Some(1),
        max_opportunities: Some(1),
        landing: landing.0,
        update_worktree: landing.1,
        ..CycleTerms::default()
    };
    let mut story = Story::new(Voice::choose(json), Detail::Brief, &session);
    super::runtime()?.block_on(async {
        let kaizen = session.start().await?;
        let outcome = match session.finish_cut_off(&kaizen, &mut |notice| story.hear(notice)).await {
            Ok(_) => session.run(&kaizen, terms, &mut |notice| story.hear(notice)).await,
            Err(failure) => Err(failure),
        };
        kaizen.stop().await;
        story.end();
        let cycle = outcome?;
        if let Some((reason, help)) = &cycle.failure {
            return Err(Failure { exit: Exit::Base, message: reason.clone(), help: help.clone() });
        }
        Ok(match cycle.attempts.first().and_then(kaizen_domain::Attempt::word) {
            Some(Word::Landed) => Exit::Done,
            Some(Word::Asked) => Exit::Asked,
            Some(Word::Inconclusive) => Exit::Inconclusive,
            _ => Exit::Rejected,
        })
    })
}

fn source(session: &Session, given: Given, message: Option<String>) -> Result<PatchSource, Failure> {
    match given {
        Given::File(path) => {
            let text = read(&path)?;
            let name = if path.as_os_str() == "-" { "the patch from standard input".to_owned() } else { format!("apply {}", path.display()) };
            let title = message.or_else(|| subject(&text)).unwrap_or(name);
            Ok(PatchSource::Diff { text, title, approves: None })
        }
        Given::Branch(name) => {
            let (_, commit) = session.repo().commit_of(&name)?;
            Ok(PatchSource::Commit { commit, title: message.unwrap_or_else(|| format!("merge {name}")) })
        }
        Given::Approved(id) => {
            let (cycle, patch) = show::patch(Some(session.state_dir.clone()), &id, Noun::Patch)?;
            let word = cycle.attempt(patch.opportunity).and_then(kaizen_domain::Attempt::word);
            if word != Some(Word::Asked) {
                let now = word.map_or("being worked on", Word::shout);
                return Err(Failure::input(
                    format!("patch {} does not wait for a person: it is {now}", patch.id.short()),
                    "`kaizen status` lists the patches that do",
                ));
            }
            Ok(PatchSource::Diff { text: patch.diff, title: patch.title, approves: Some(patch.id) })
        }
    }
}

fn read(path: &std::path::Path) -> Result<String, Failure> {
    let unread = |error: std::io::Error| Failure::input(format!("the patch {} cannot be read: {error}", path.display()), "name a file, or `-` for standard input");
    let mut bytes = Vec::new();
    if path.as_os_str() == "-" {
        std::io::stdin().take(LARGEST + 1).read_to_end(&mut bytes).map_err(unread)?;
    } else {
        std::fs::File::open(path).and_then(|file| file.take(LARGEST + 1).read_to_end(&mut bytes)).map_err(unread)?;
    }
    if bytes.len() as u64 > LARGEST {
        return Err(Failure::input(format!("the patch {} is larger than {} MiB", path.display(), LARGEST >> 20), "split it"));
    }
    String::from_utf8(bytes).map_err(|_| {
        Failure::input(format!("the patch {} is not UTF-8 text", path.display()), "a binary change can be tried as a branch: `--branch NAME`")
    })
}

/// The subject of a patch that `git format-patch` wrote.
fn subject(text: &str) -> Option<String> {
    let line = text.lines().take(30).find_map(|line| line.strip_prefix("Subject: "))?;
    let line = if line.starts_with("[PATCH") { line.split_once("] ").map_or(line, |(_, rest)| rest) } else { line };
    Some(line.trim().to_owned()).filter(|line| !line.is_empty())
}
