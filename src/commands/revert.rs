//! `kaizen revert`: takes a landed patch back, as a commit on the branch that holds it. The person who asks decides: it
//! is not tried, and the line it prints says so.

use kaizen_domain::{CommitId, Event, Landing, LandingMode, Patch, RefName, Timestamp, Word};
use kaizen_journal::{Journal, Noun};
use kaizen_repo::{Carried, NewCommit, Repo};

use crate::commands::show;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::session::{Session, SessionOptions};

/// How long the lease is held for.
const LEASE: std::time::Duration = std::time::Duration::from_secs(60);

/// Takes the patch back.
///
/// # Errors
/// When it has not landed, its branch cannot move, or later changes stand in the way.
pub fn run(options: &SessionOptions, id: &str, update_worktree: bool, json: bool) -> Result<Exit, Failure> {
    let session = Session::open(options.clone())?;
    let (cycle, patch) = show::patch(Some(session.state_dir.clone()), id, Noun::Patch)?;
    let attempt = cycle.attempt(patch.opportunity);
    let landing = attempt.filter(|attempt| attempt.word() == Some(Word::Landed)).and_then(|attempt| attempt.landing.clone());
    let Some(landing) = landing else {
        return Err(Failure::input(format!("patch {} has not landed, so there is nothing to take back", patch.id.short()), "`kaizen status` shows what landed"));
    };
    let repo = session.repo();
    let (target, tip) = holder(repo, &cycle.request.base.target, &landing, &patch)?;
    if cycle.request.landing == LandingMode::Merge || repo.checked_out(&target)?.is_some() {
        check_worktree(repo, &target, update_worktree)?;
    }
    let back = match repo.carry(&patch.commit, &patch.base, &tip)? {
        Carried::Clean(changes) if changes.is_empty() => {
            return Err(Failure::input(format!("{} holds nothing of patch {} any more", target.short(), patch.id.short()), "it was taken back already"));
        }
        Carried::Clean(changes) => changes,
        Carried::Conflicts(paths) => {
            let help = format!("revert it by hand: `git revert {}`", patch.commit.short());
            return Err(Failure::input(format!("later changes stand in the way in {}", paths.join(", ")), help));
        }
    };
    let now = now();
    let seconds = i64::try_from(now.0 / 1000).unwrap_or(i64::MAX);
    let message = format!(
        "Revert \"{}\"\n\nThis takes back commit {}.\n\nKaizen-Cycle: {}\nKaizen-Reverts: {}\n",
        patch.title, patch.commit, cycle.id, patch.id
    );
    let new = NewCommit { parents: vec![tip.clone()], base: tip.clone(), changes: &back, message, seconds };
    let (commit, _) = repo.commit(&new)?;
    let landing = Landing { target: target.clone(), from: Some(tip), to: commit.clone(), branch: None, update_worktree };
    move_with_journal(&session, repo, &patch, &landing, now)?;
    if json {
        println!("{}", serde_json::json!({"of": "reverted", "patch": patch.id, "commit": commit, "ref": target}));
    } else {
        println!("{}  taken back on {} as {} (not tried: you asked for it)", patch.id.short(), target.short(), commit.short());
    }
    Ok(Exit::Done)
}

/// The branch that holds the patch: the user's, once it was merged there, else the one it landed on.
fn holder(repo: &Repo, users: &Option<RefName>, landing: &Landing, patch: &Patch) -> Result<(RefName, CommitId), Failure> {
    for name in users.iter().chain([&landing.target]) {
        if let Some(tip) = repo.ref_target(name)?
            && repo.is_ancestor(&patch.commit, &tip)?
        {
            return Ok((name.clone(), tip));
        }
    }
    Err(Failure::input(
        format!("no branch holds patch {} any more", patch.id.short()),
        format!("if it lives on under another name: `git revert {}` there", patch.commit.short()),
    ))
}

fn check_worktree(repo: &Repo, target: &RefName, update_worktree: bool) -> Result<(), Failure> {
    match repo.checked_out(target)? {
        Some(worktree) if !update_worktree => Err(Failure::input(
            format!("the branch {} is checked out in {}", target.short(), worktree.display()),
            "use `--update-worktree` to move a clean work tree along",
        )),
        _ => Ok(()),
    }
}

/// Intent before the effect, result after it; the lease keeps others out meanwhile.
fn move_with_journal(session: &Session, repo: &Repo, patch: &Patch, landing: &Landing, now: Timestamp) -> Result<(), Failure> {
    let mut journal = Journal::open(&session.state_dir)?;
    let lease = journal.acquire(&repo.key(), LEASE)?;
    let tenant = kaizen_domain::TenantId::local();
    journal.append(&lease, &tenant, now, &[Event::RevertIntended { patch: patch.id, landing: landing.clone() }])?;
    let moved = match (repo.checked_out(&landing.target)?, &landing.from) {
        (Some(worktree), Some(from)) => repo.update_worktree(&worktree, &landing.target, from, &landing.to),
        (_, from) => repo.move_ref(&landing.target, from.as_ref(), &landing.to, "kaizen: reverted").map(drop),
    };
    let event = match &moved {
        Ok(()) => Event::Reverted { patch: patch.id, commit: landing.to.clone() },
        Err(error) => Event::RevertFailed { patch: patch.id, reason: error.to_string() },
    };
    journal.append(&lease, &tenant, now, &[event])?;
    journal.release(lease)?;
    Ok(moved?)
}

fn now() -> Timestamp {
    kaizen_agents::Clock::now(&kaizen_agents::SystemClock)
}
