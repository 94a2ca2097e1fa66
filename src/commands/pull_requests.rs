//! `kaizen pull-requests`: one round over the pull requests of a repository, and how they stand.

use kaizen_agents::pull_requests::book::Book;
use kaizen_domain::PullRequestStage;
use kaizen_journal::Filter;

use crate::commands::carry::stop_signal;
use crate::desk::Desk;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::listener::Listener;
use crate::output::{self, say};
use crate::project;
use crate::session::{Session, SessionOptions, heard};
use crate::story::lines::shown;
use crate::story::outcome::fitted;
use crate::story::{Detail, Story, Voice};

/// Does one round, unless they are only to be listed, and shows how they stand.
///
/// # Errors
/// When the repository or the forge cannot be worked with.
pub fn run(options: SessionOptions, list: bool, json: bool) -> Result<Exit, Failure> {
    if list {
        let repo = project::open(&options.repo)?;
        let state = crate::state_dir::resolve(options.state_dir)?;
        return show(&state, &repo.key(), json);
    }
    let mut session = Session::open(options)?;
    let mut story = Story::new(Voice::choose(json), Detail::Brief, &session);
    super::runtime()?.block_on(round(&mut session, &mut story, stop_signal()))?;
    if json { Ok(Exit::Done) } else { show(&session.state_dir, &session.repo().key(), json) }
}

/// One round: what was cut off is brought to its end first.
///
/// # Errors
/// When the forge or the journal cannot be worked with.
pub(crate) async fn round(
    session: &mut Session,
    story: &mut impl Listener,
    stop: impl Future<Output = &'static str>,
) -> Result<(), Failure> {
    let desk = Desk::open(session).await?;
    desk.follow_conventions(&mut session.settings);
    let session = &*session;
    let base = project::find(session.repo(), session.path(), Some(desk.tip.as_str()), session.condition())?;
    let kaizen = session.start().await?;
    let outcome: Result<(), Failure> = {
        let work = async {
            session.finish_cut_off(&kaizen, &mut |notice| story.hear(notice)).await?;
            let keeper = desk.keeper(session, &kaizen, base.folder).await?;
            let told = heard(&kaizen, keeper.round(), &mut |notice| story.hear(notice)).await?;
            told.iter().for_each(|told| story.pull_request(told));
            Ok(())
        };
        tokio::pin!(work);
        tokio::select! {
            outcome = &mut work => outcome,
            signal = stop => {
                kaizen.park(signal);
                work.await
            }
        }
    };
    kaizen.stop().await;
    story.end();
    outcome
}

fn show(state: &std::path::Path, key: &str, json: bool) -> Result<Exit, Failure> {
    let records = match super::journal(Some(state.to_path_buf()))? {
        Some(journal) => journal.records(&Filter::repo(key))?,
        None => Vec::new(),
    };
    let book = Book::read(&records).map_err(|error| {
        Failure::fault(format!("the journal does not add up: {error}")).or("`kaizen log --verify` checks it")
    })?;
    if book.entries.is_empty() && !json {
        say!("  nothing was proposed yet: `kaizen run-cycle --landing pull-request` does");
    }
    for entry in &book.entries {
        let stage = entry.pull.as_ref().map_or("waits", |pull| pull.stage.name());
        let url = entry.pull.as_ref().map_or("", |pull| pull.url.as_str());
        if json {
            output::json(&serde_json::json!({
                "of": "pull_request", "patch": entry.patch.id, "title": entry.patch.title, "stage": stage,
                "number": entry.pull.as_ref().and_then(|pull| pull.number), "url": url,
            }));
            continue;
        }
        let number =
            entry.pull.as_ref().and_then(|pull| pull.number).map(|number| format!("#{number}")).unwrap_or_default();
        let why = match entry.pull.as_ref().map(|pull| &pull.stage) {
            Some(PullRequestStage::Withheld { reason }) => reason.as_str(),
            _ => url,
        };
        say!(
            "  {:<7} {stage:<10} {number:<6} {} {}",
            entry.patch.id.short(),
            fitted(&shown(&entry.patch.title), 52),
            shown(why)
        );
    }
    Ok(Exit::Done)
}
