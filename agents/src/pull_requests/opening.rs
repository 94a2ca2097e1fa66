//! Opening: what waits is pushed and opened, security fixes first, then the oldest, as far as pacing lets it.

use kaizen_contributing::{Condition, Owner, Rules, default_body};
use kaizen_domain::{
    BranchName, CommitId, Cycle, OpportunityKind, Patch, Proposal, PullRequest, PullRequestEvent, PullRequestStage,
};
use kaizen_forge::{ForgeError, NewPullRequest, Protection, PullRequestState};
use kaizen_schedule::{Waiting, next_in_queue};

use crate::cycle::fold;
use crate::error::AgentError;
use crate::pull_requests::book::{Book, Entry};
use crate::pull_requests::told::Told;
use crate::pull_requests::words::{marker, parts};
use crate::pull_requests::{Customs, Keeper};

/// Lines added and removed up to which a change is small, where a repository wants larger ones discussed first.
const MOST_LINES: u32 = 100;

/// Said where a branch asks for signed commits: whoever merges should know before they try.
const UNSIGNED: &str = "\nThe commits are not signed, and the branch asks for signatures: a squash, which the forge signs, can be \
                        merged.";

impl Keeper {
    /// Opens what waits, as far as may be.
    pub(super) async fn open_waiting(&self, tip: &CommitId, told: &mut Vec<Told>) -> Result<(), AgentError> {
        let mut customs = None;
        loop {
            let book = self.book().await?;
            let waiting: Vec<Waiting<_>> = book
                .entries
                .iter()
                .filter(|entry| entry.waits(self.now()))
                .map(|entry| Waiting { id: entry.patch.id, since: entry.since, security: is_security(entry) })
                .collect();
            let order = next_in_queue(&waiting);
            let skip = |id| told.iter().any(|told| matches!(told, Told::Withheld { patch, .. } if *patch == id));
            let Some(entry) = order
                .iter()
                .map(|waiting| waiting.id)
                .filter(|id| !skip(*id))
                .find_map(|id| book.entries.iter().find(|entry| entry.patch.id == id))
            else {
                return Ok(());
            };
            if let Err(wait) = self.pacing.may_open(&self.paced(&book), self.now()) {
                for waiting in order.iter().filter(|waiting| !skip(waiting.id)).collect::<Vec<_>>() {
                    let title = book.entries.iter().find(|entry| entry.patch.id == waiting.id);
                    let title = title.map(|entry| entry.patch.title.clone()).unwrap_or_default();
                    told.push(Told::Waits { patch: waiting.id, title, why: wait.to_string() });
                }
                return Ok(());
            }
            if customs.is_none() {
                let protection = self.forge.protection(self.onto.as_str()).await?;
                customs = Some((self.customs(tip).await?, protection));
            }
            let Some((customs, protection)) = &customs else { return Ok(()) };
            self.open(entry, customs, protection, told).await?;
        }
    }

    async fn open(
        &self,
        entry: &Entry,
        customs: &Customs,
        protection: &Protection,
        told: &mut Vec<Told>,
    ) -> Result<(), AgentError> {
        let (patch, title) = (entry.patch.id, entry.patch.title.clone());
        if let Some(why) = self.refused(entry, customs) {
            told.push(Told::Withheld { patch, title, why });
            return Ok(());
        }
        let records = self.journal.records(Some(entry.cycle)).await?;
        let cycle = fold(entry.cycle, &records)?;
        let proposal = self.propose(entry, &cycle, customs, protection)?;
        let first = PullRequestEvent::OpeningIntended { proposal };
        let pull = match entry.pull.clone() {
            Some(refused) => refused.next(&first)?,
            None => PullRequest::begin(patch, Some(&first))?,
        };
        self.journal.append(vec![kaizen_domain::Event::PullRequest { patch, event: first }]).await?;
        self.finish_opening(pull, told).await.map(drop)
    }

    /// Why the repository's own rules keep this patch from being opened, unless its maintainers agreed.
    fn refused(&self, entry: &Entry, customs: &Customs) -> Option<String> {
        let agreed = self.world.settings.forge.agreed();
        let refusal = customs.rules.verdict.reason().filter(|_| !agreed);
        refusal.or_else(|| unkept(&entry.patch, &customs.rules, agreed))
    }

    /// What the pull request will say.
    fn propose(
        &self,
        entry: &Entry,
        cycle: &Cycle,
        customs: &Customs,
        protection: &Protection,
    ) -> Result<Proposal, AgentError> {
        let settings = &self.world.settings.pull_request;
        let branch =
            BranchName::new(entry.landing.target.short()).map_err(|error| AgentError::Bug(error.to_string()))?;
        let mut parts = parts(cycle, entry);
        if protection.signed {
            parts.not_tried.push_str(UNSIGNED);
        }
        let body = customs.template.as_ref().map_or_else(|| default_body(&parts), |form| form.fill(&parts));
        let mut labels = settings.labels.clone();
        let mut draft = settings.draft;
        let mut title = entry.patch.title.clone();
        for condition in &customs.rules.conditions {
            match condition {
                Condition::Label(label) => labels.push(label.clone()),
                Condition::Draft => draft = true,
                Condition::TitlePrefix(prefix) if !title.starts_with(prefix.as_str()) => {
                    title = format!("{prefix} {title}");
                }
                _ => {}
            }
        }
        labels.sort();
        labels.dedup();
        let mut reviewers = settings.reviewers.clone();
        if settings.code_owners {
            let paths: Vec<&str> = entry.patch.files.iter().map(|file| file.path.as_str()).collect();
            let owners = customs.owners.as_ref().map(|owners| owners.owners(paths)).unwrap_or_default();
            reviewers.extend(owners.into_iter().filter_map(|owner| match owner {
                Owner::User(name) | Owner::Team(name) => Some(name),
                Owner::Email(_) => None,
            }));
        }
        reviewers.retain(|name| *name != self.account);
        reviewers.sort();
        reviewers.dedup();
        reviewers.truncate(10);
        Ok(Proposal {
            branch,
            head: entry.landing.to.clone(),
            onto: self.onto.clone(),
            base: entry.patch.base.clone(),
            title,
            body,
            draft,
            labels,
            reviewers,
        })
    }

    /// Goes on with an opening that was cut off. Unless it is there already, what kept it from being opened since then
    /// counts as it does for any other.
    pub(super) async fn go_on_opening(
        &self,
        book: &Book,
        entry: &Entry,
        pull: PullRequest,
        tip: &CommitId,
        told: &mut Vec<Told>,
    ) -> Result<PullRequest, AgentError> {
        if self.there(&pull).await?.is_none() {
            let mut state = self.paced(book);
            // It counts itself.
            state.open = state.open.saturating_sub(1);
            if let Err(wait) = self.pacing.may_open(&state, self.now()) {
                let title = pull.proposal.title.clone();
                told.push(Told::Waits { patch: pull.patch, title, why: wait.to_string() });
                return Ok(pull);
            }
            let customs = self.customs(tip).await?;
            if let Some(why) = self.refused(entry, &customs) {
                return self.withhold(pull, why, told).await;
            }
        }
        self.finish_opening(pull, told).await
    }

    /// The pull request on the forge, when it is there.
    async fn there(&self, pull: &PullRequest) -> Result<Option<kaizen_forge::PullRequest>, AgentError> {
        let known = self.forge.find(pull.proposal.branch.as_str()).await?;
        let ours = marker(&pull.patch.to_string());
        Ok(known.filter(|known| known.body.contains(&ours) || known.state == PullRequestState::Open))
    }

    /// Pushes and opens what is about to be, unless it is there already.
    pub(super) async fn finish_opening(
        &self,
        pull: PullRequest,
        told: &mut Vec<Told>,
    ) -> Result<PullRequest, AgentError> {
        let Proposal { branch, head, onto, title, body, draft, labels, reviewers, .. } = pull.proposal.clone();
        self.journal.check().await?;
        let opened = match self.there(&pull).await? {
            Some(known) => known,
            None => {
                let token = self.forge.token().await?;
                match self.git.push(&branch, None, &head, &token).await {
                    Ok(_) => {}
                    Err(error @ (ForgeError::Protected { .. } | ForgeError::BranchMoved { .. })) => {
                        return self.withhold(pull, error.to_string(), told).await;
                    }
                    Err(error) => return Err(error.into()),
                }
                self.journal.check().await?;
                let new = NewPullRequest {
                    title: title.clone(),
                    body,
                    head: branch.to_string(),
                    base: onto.to_string(),
                    draft,
                };
                match self.forge.open(&new).await {
                    Ok(opened) => opened,
                    Err(error @ ForgeError::Refused { status: 422 | 409, .. }) => {
                        // It may be there after all: the answer to an earlier request was lost.
                        match self.forge.find(branch.as_str()).await? {
                            Some(known) => known,
                            None => return self.withhold(pull, error.to_string(), told).await,
                        }
                    }
                    Err(error) => return Err(error.into()),
                }
            }
        };
        // Adding them again does no harm; without them the pull request is still worth opening.
        if !labels.is_empty()
            && let Err(error) = self.forge.label(opened.number, &labels).await
        {
            tracing::warn!(%error, "the pull request has no labels");
        }
        if !reviewers.is_empty()
            && let Err(error) = self.forge.ask_reviewers(opened.number, &reviewers).await
        {
            tracing::warn!(%error, "nobody was asked to look at the pull request");
        }
        let (number, url) = (opened.number, opened.url);
        let patch = pull.patch;
        let pull = self.record(pull, PullRequestEvent::Opened { number, url: url.clone() }).await?;
        told.push(Told::Opened { patch, title, number, url });
        Ok(pull)
    }

    async fn withhold(&self, pull: PullRequest, why: String, told: &mut Vec<Told>) -> Result<PullRequest, AgentError> {
        debug_assert!(pull.stage == PullRequestStage::Opening);
        told.push(Told::Withheld { patch: pull.patch, title: pull.proposal.title.clone(), why: why.clone() });
        self.record(pull, PullRequestEvent::Withheld { reason: why }).await
    }
}

/// What the repository asks of the patch itself and the patch does not keep, with the sentence and the way out.
fn unkept(patch: &Patch, rules: &Rules, agreed: bool) -> Option<String> {
    let (added, removed) = patch.lines();
    let lines = added.saturating_add(removed);
    rules.grounds.iter().find_map(|(condition, quote)| match condition {
        Condition::Changelog if !patch.files.iter().any(|file| is_changelog(file.path.as_str())) => Some(format!(
            "an entry in the changelog is asked for, by {quote}, and this patch has none; a person may add one to its \
             branch and open it"
        )),
        Condition::Small if lines > MOST_LINES && !agreed => Some(format!(
            "{lines} changed lines are more than the {MOST_LINES} that count as a small change; larger ones are discussed \
             first, by {quote}; when its maintainers have agreed, say where: `forge.agreed`"
        )),
        _ => None,
    })
}

/// Whether a file is a changelog, or a part of one, by the names that are usual.
fn is_changelog(path: &str) -> bool {
    let path = path.to_lowercase();
    !path.ends_with(".rs")
        && path.split('/').any(|part| {
            let stem = part.split('.').next().unwrap_or(part);
            matches!(stem, "changelog" | "changelogs" | "changes" | "history" | "news" | "releases" | "newsfragments")
        })
}

/// Whether it closes a hole: an advisory is behind it.
fn is_security(entry: &Entry) -> bool {
    entry.opportunity.kind == OpportunityKind::Dependency && entry.opportunity.topic.starts_with("advisory:")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changelogs_are_known_by_their_names() {
        for path in ["CHANGELOG.md", "docs/Changes.rst", "NEWS", "crates/a/CHANGELOG", "changelog.d/7.fixed.md"] {
            assert!(is_changelog(path), "{path}");
        }
        for path in ["src/changes.rs", "src/changelog/mod.rs", "README.md", "docs/changing.md"] {
            assert!(!is_changelog(path), "{path}");
        }
    }
}
