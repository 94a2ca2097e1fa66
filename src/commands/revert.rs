//! `kaizen revert`: takes a landed patch back, as a commit on the branch that holds it. The person who asks decides: it
//! is not tried, and the line it prints says so.

use kaizen_agents::Clock as _;
use kaizen_domain::{CommitId, CycleId, Event, Landing, PatchId, RefName, Timestamp, Word};
use kaizen_journal::{Filter, Journal, Noun};
use kaizen_repo::{Carried, NewCommit, Repo};

use crate::commands::{LEASE, find, journal, show};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::history::open_revert;
use crate::output::{self, say};
use crate::session::{Session, SessionOptions};
use crate::story::lines::shown;

/// A landed patch.
struct Landed {
    patch: PatchId,
    cycle: CycleId,
    title: String,
    base: CommitId,
    commit: CommitId,
    /// Where it may be, the likeliest first.
    branches: Vec<RefName>,
}

/// Takes the patch back.
///
/// # Errors
/// When it has not landed, its branch cannot move, or later changes stand in the way.
pub fn run(options: &SessionOptions, id: &str, update_worktree: bool, json: bool) -> Result<Exit, Failure> {
    let session = Session::open(options.clone())?;
    let repo = session.repo();
    let landed = landed(&session, id)?;
    let (target, tip) = holder(repo, &landed)?;
    let back = match repo.carry(&landed.commit, &landed.base, &tip)? {
        Carried::Clean(changes) if changes.is_empty() => {
            let message = format!("{} holds nothing of patch {} any more", target.short(), landed.patch.short());
            return Err(Failure::input(message, "it was taken back already"));
        }
        Carried::Clean(changes) => changes,
        Carried::Conflicts(paths) => {
            let help = format!("revert it by hand: `git revert {}`", landed.commit.short());
            return Err(Failure::input(format!("later changes stand in the way in {}", paths.join(", ")), help));
        }
    };
    check_worktree(repo, &target, update_worktree)?;
    let now = now();
    let message = format!(
        "Revert \"{}\"\n\nThis takes back commit {}.\n\nKaizen-Cycle: {}\nKaizen-Reverts: {}\n",
        landed.title, landed.commit, landed.cycle, landed.patch
    );
    let seconds = i64::try_from(now.0 / 1000).unwrap_or(i64::MAX);
    let new = NewCommit { parents: vec![tip.clone()], base: tip.clone(), changes: &back, message, seconds };
    let (commit, _) = repo.commit(&new)?;
    let landing = Landing {
        target: target.clone(),
        from: Some(tip),
        to: commit.clone(),
        branch: None,
        update_worktree,
        proposed: false,
    };
    move_with_journal(&session, landed.patch, &landing, now)?;
    if json {
        output::json(&serde_json::json!({"of": "reverted", "patch": landed.patch, "commit": commit, "ref": target}));
    } else {
        say!(
            "{}  taken back on {} as {} (not tried: you asked for it)",
            landed.patch.short(),
            shown(target.short()),
            commit.short()
        );
    }
    Ok(Exit::Done)
}

fn landed(session: &Session, id: &str) -> Result<Landed, Failure> {
    let journal = journal(Some(session.state_dir.clone()))?.ok_or_else(show::no_journal)?;
    let found = find(&journal, id, Some(Noun::Patch))?;
    if found.repo != session.repo().key() {
        return Err(Failure::input(
            format!("patch {} is of another repository", found.id.chars().take(6).collect::<String>()),
            "name its repository with `--repo`",
        ));
    }
    if found.cycle.is_none() {
        return Err(show::known_by_commit(&journal, &found)?);
    }
    let (cycle, patch) = show::patch_of(&journal, &found)?;
    let attempt = cycle.attempt(patch.opportunity);
    let landing =
        attempt.filter(|attempt| attempt.word() == Some(Word::Landed)).and_then(|attempt| attempt.landing.clone());
    let last = attempt.and_then(|attempt| attempt.current()).is_some_and(|round| round.patch.id == patch.id);
    match landing {
        Some(landing) if last => Ok(Landed {
            patch: patch.id,
            cycle: cycle.id,
            title: patch.title,
            base: patch.base,
            commit: patch.commit,
            branches: cycle.request.base.target.into_iter().chain([landing.target]).collect(),
        }),
        _ => Err(Failure::input(
            format!("patch {} has not landed, so there is nothing to take back", patch.id.short()),
            "`kaizen status` shows what landed",
        )),
    }
}

/// The branch that holds the patch: the user's, once it was merged there, else the one it landed on.
fn holder(repo: &Repo, landed: &Landed) -> Result<(RefName, CommitId), Failure> {
    for name in &landed.branches {
        if let Some(tip) = repo.ref_target(name)?
            && repo.is_ancestor(&landed.commit, &tip)?
        {
            return Ok((name.clone(), tip));
        }
    }
    Err(Failure::input(
        format!("no branch holds patch {} any more", landed.patch.short()),
        format!("if it lives on under another name: `git revert {}` there", landed.commit.short()),
    ))
}

fn check_worktree(repo: &Repo, target: &RefName, update_worktree: bool) -> Result<(), Failure> {
    match repo.checked_out(target)? {
        Some(worktree) if !update_worktree => Err(Failure::input(
            format!("the branch {} is checked out in {}", target.short(), crate::project::named(&worktree)),
            "use `--update-worktree` to move a clean work tree along",
        )),
        _ => Ok(()),
    }
}

/// Intent before the effect, result after it; the lease keeps others out meanwhile.
fn move_with_journal(session: &Session, patch: PatchId, landing: &Landing, now: Timestamp) -> Result<(), Failure> {
    let repo = session.repo();
    let mut journal = Journal::open(&session.state_dir)?;
    let lease = journal.acquire_patiently(&repo.key(), LEASE)?;
    let tenant = kaizen_domain::TenantId::local();
    let mut events = Vec::new();
    if let Some((open, cut_off)) = open_revert(&journal.records(&Filter::repo(repo.key()))?) {
        events.push(end_of(repo, open, &cut_off)?);
    }
    events.push(Event::RevertIntended { patch, landing: landing.clone() });
    journal.append(&lease, &tenant, now, &events)?;
    let moved = match (repo.checked_out(&landing.target)?, &landing.from) {
        (Some(worktree), Some(from)) => repo.update_worktree(&worktree, &landing.target, from, &landing.to),
        (_, from) => repo.move_ref(&landing.target, from.as_ref(), &landing.to, "kaizen: reverted").map(drop),
    };
    let event = match &moved {
        Ok(()) => Event::Reverted { patch, commit: landing.to.clone() },
        Err(error) => Event::RevertFailed { patch, reason: error.to_string() },
    };
    journal.append(&lease, &tenant, now, &[event])?;
    journal.release(lease)?;
    Ok(moved?)
}

/// How a revert ended that was announced and then cut off: the world says whether its ref moved.
///
/// # Errors
/// When the repository cannot be read.
pub fn end_of(repo: &Repo, patch: PatchId, landing: &Landing) -> Result<Event, Failure> {
    let moved = match repo.ref_target(&landing.target)? {
        Some(tip) => repo.is_ancestor(&landing.to, &tip).unwrap_or(false),
        None => false,
    };
    Ok(if moved {
        Event::Reverted { patch, commit: landing.to.clone() }
    } else {
        Event::RevertFailed { patch, reason: "it was cut off before the branch moved".to_owned() }
    })
}

fn now() -> Timestamp {
    kaizen_agents::SystemClock.now()
}
