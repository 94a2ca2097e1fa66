//! Following: how an open pull request stands, what was said below it, what its checks say, and whether the branch it goes
//! to has moved.

use kaizen_domain::{CommitId, PullRequest, PullRequestEvent, PullRequestStage, RevisionReason};
use kaizen_forge::{CheckState, Permission, PullRequestState, Remark};

use crate::cycle::fold;
use crate::error::AgentError;
use crate::pull_requests::Keeper;
use crate::pull_requests::book::{Book, Entry};
use crate::pull_requests::commands::{Command, USAGE, command_in};
use crate::pull_requests::told::Told;
use crate::pull_requests::words;

/// The most of a log that goes to whoever repairs it, bytes.
const LOG: usize = 24 << 10;

impl Keeper {
    /// Does what is due for one pull request.
    pub(super) async fn look_after(
        &self,
        book: &Book,
        entry: &Entry,
        pull: PullRequest,
        tip: &CommitId,
        told: &mut Vec<Told>,
    ) -> Result<(), AgentError> {
        let mut pull = match pull.stage {
            PullRequestStage::Opening => self.go_on_opening(book, entry, pull, tip, told).await?,
            _ => pull,
        };
        if pull.stage.is_over() {
            return Ok(());
        }
        let Some(number) = pull.number else { return Ok(()) };
        let there = self.forge.get(number).await?;
        pull = self.finish_saying(pull, true).await?;
        match there.state {
            PullRequestState::Merged => {
                let commit = there.merge_commit.and_then(|commit| CommitId::new(commit).ok());
                told.push(Told::Over { patch: pull.patch, number, how: "merged".to_owned() });
                return self.record(pull, PullRequestEvent::Merged { commit }).await.map(drop);
            }
            PullRequestState::Closed => {
                let by_us = matches!(pull.stage, PullRequestStage::Closing { .. });
                let pull = self.record(pull, PullRequestEvent::Closed { by_us }).await?;
                told.push(Told::Over { patch: pull.patch, number, how: pull.stage.name().to_owned() });
                return Ok(());
            }
            PullRequestState::Open => {}
        }
        match pull.stage {
            PullRequestStage::Closing { .. } => return self.finish_closing(pull, told).await,
            PullRequestStage::Revising { .. } | PullRequestStage::Pushing { .. } => {
                let known = book.revision_of(pull.patch).cloned();
                return self.finish_revising(known, entry, pull, tip, told).await;
            }
            _ => {}
        }
        if there.head != pull.proposal.head.as_str() {
            // Somebody took it over; they know best. What becomes of it is still followed.
            tracing::info!(number, "somebody else pushed to the branch of the pull request");
            return Ok(());
        }
        let (pull, asked, heard) = self.hear(pull, number, entry, told).await?;
        if pull.stage.is_over() {
            return Ok(());
        }
        let (pull, red) = self.see_checks(pull).await?;
        let moved = (pull.proposal.base != *tip).then(|| RevisionReason::BaseMoved { to: tip.clone() });
        let Some(reason) = asked.or(red).or(moved) else { return Ok(()) };
        if pull.rounds_left(&reason) == 0 {
            return self.give_up(pull, heard, number, &reason, told).await;
        }
        let begun = heard.into_iter().chain([PullRequestEvent::RevisionBegun { reason }]);
        let pull = self.record_all(pull, begun.collect()).await?;
        // The book was read before this change was begun: a cycle that it knows was run for an earlier one.
        self.finish_revising(None, entry, pull, tip, told).await
    }

    /// Reads what was said since, and does what was asked for by people who may push. A remark that asks for a change is
    /// heard when the change is begun, so that no crash comes between the two.
    async fn hear(
        &self,
        mut pull: PullRequest,
        number: u64,
        entry: &Entry,
        told: &mut Vec<Told>,
    ) -> Result<(PullRequest, Option<RevisionReason>, Vec<PullRequestEvent>), AgentError> {
        let mut wanted: Vec<(String, String)> = Vec::new();
        let mut retry = false;
        let mut heard = Vec::new();
        for remark in self.forge.remarks(number).await? {
            if pull.heard.contains(&remark.key) || remark.text.contains(words::MARK) {
                continue;
            }
            let command = command_in(&remark.text);
            let of_review = remark.asks_for_changes || remark.place.is_some();
            // With a token of their own, people write under the name that Kaizen has there: a command is one of theirs, as
            // what Kaizen says itself has a mark.
            let listened = (command.is_some() || of_review && remark.author != self.account)
                && self.forge.permission(&remark.author).await? >= Permission::Write;
            let asks = listened.then(|| {
                command.as_ref().map_or_else(|| "a change, in a review".to_owned(), |command| format!("{command:?}"))
            });
            let hears = PullRequestEvent::Heard { key: remark.key.clone(), asks };
            if !listened {
                pull = self.record(pull, hears).await?;
                continue;
            }
            match command {
                Some(Command::Revise(text)) => {
                    wanted.push((remark.author.clone(), text));
                    heard.push(hears);
                }
                None => {
                    wanted.push((remark.author.clone(), placed(&remark)));
                    heard.push(hears);
                }
                Some(Command::Retry) => {
                    retry = true;
                    heard.push(hears);
                }
                Some(Command::Explain) => {
                    let records = self.journal.records(Some(entry.cycle)).await?;
                    let text = words::explanation(&fold(entry.cycle, &records)?, entry);
                    pull = self.say(pull, vec![hears], &format!("explain-{}", remark.key), &text).await?;
                }
                Some(Command::Close) => {
                    let reason = format!("{} asked for it", remark.author);
                    heard.extend([hears, PullRequestEvent::CloseIntended { reason, superseded: false }]);
                    pull = self.record_all(pull, heard).await?;
                    self.finish_closing(pull.clone(), told).await?;
                    pull.stage = PullRequestStage::Closed;
                    return Ok((pull, None, Vec::new()));
                }
                Some(Command::Unknown(word)) => {
                    let text = format!("I do not know `{word}`. What I understand: {USAGE}.");
                    pull = self.say(pull, vec![hears], &format!("unknown-{}", remark.key), &text).await?;
                }
            }
        }
        let asked = wanted.first().map(|(author, _)| author.clone()).map(|author| {
            let text: Vec<&str> = wanted.iter().map(|(_, text)| text.as_str()).collect();
            RevisionReason::Asked { author, text: text.join("\n\n") }
        });
        let again = retry.then(|| RevisionReason::BaseMoved { to: pull.proposal.base.clone() });
        Ok((pull, asked.or(again), heard))
    }

    /// Looks at the checks of its commit; failed ones are a reason to change it.
    async fn see_checks(&self, pull: PullRequest) -> Result<(PullRequest, Option<RevisionReason>), AgentError> {
        let head = pull.proposal.head.clone();
        let checks = self.forge.checks(&head).await?;
        if !matches!(checks.state, CheckState::Passed | CheckState::Failed) {
            return Ok((pull, None));
        }
        let failed: Vec<String> = checks.failed.iter().map(|check| one_line(&check.name)).collect();
        let known = pull.checked == Some((head.clone(), failed.clone()));
        let pull = if known {
            pull
        } else {
            self.record(pull, PullRequestEvent::Checked { commit: head, failed: failed.clone() }).await?
        };
        // Changed in vain for these before: the same once more would end the same.
        let in_vain = known && pull.said.contains(&stuck_key(&pull, "red_check"));
        if failed.is_empty() || in_vain {
            return Ok((pull, None));
        }
        let mut log = String::new();
        for check in checks.failed.iter().take(5) {
            let text = self.forge.check_log(check).await?;
            log.push_str(&format!("{}:\n{}\n\n", one_line(&check.name), end_of(&text, LOG / 5)));
        }
        Ok((pull, Some(RevisionReason::RedCheck { checks: failed, log })))
    }

    /// Says once that a person is needed, because of what is recorded with it.
    pub(super) async fn give_up(
        &self,
        pull: PullRequest,
        because: Vec<PullRequestEvent>,
        number: u64,
        reason: &RevisionReason,
        told: &mut Vec<Told>,
    ) -> Result<(), AgentError> {
        let after = because.iter().try_fold(pull.clone(), PullRequest::next)?;
        let key = stuck_key(&after, reason.kind());
        let why = after.stuck.unwrap_or_else(|| "it was tried as often as it may be".to_owned());
        let (patch, new) = (pull.patch, !pull.said.contains(&key));
        self.say(pull, because, &key, &words::stuck(reason, &why)).await?;
        if new {
            told.push(Told::Stuck { patch, number, why });
        }
        Ok(())
    }

    /// Says why and closes it.
    pub(super) async fn finish_closing(&self, pull: PullRequest, told: &mut Vec<Told>) -> Result<(), AgentError> {
        let (PullRequestStage::Closing { reason, .. }, Some(number)) = (pull.stage.clone(), pull.number) else {
            return Ok(());
        };
        let pull = self.say(pull, Vec::new(), "closing", &words::closing(&reason)).await?;
        self.journal.check().await?;
        self.forge.close(number).await?;
        let pull = self.record(pull, PullRequestEvent::Closed { by_us: true }).await?;
        told.push(Told::Over { patch: pull.patch, number, how: pull.stage.name().to_owned() });
        Ok(())
    }
}

/// What tells the comment that a person is needed, for a kind of reason and the commit as it is.
fn stuck_key(pull: &PullRequest, kind: &str) -> String {
    format!("stuck-{kind}-{}", pull.proposal.head.short())
}

/// A remark of a review with its place.
fn placed(remark: &Remark) -> String {
    let text: String = remark.text.chars().take(4000).collect();
    match &remark.place {
        Some(place) => format!("{}: {text}", one_line(place)),
        None => text,
    }
}

fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(120).collect()
}

fn end_of(text: &str, most: usize) -> &str {
    let mut from = text.len().saturating_sub(most);
    while !text.is_char_boundary(from) {
        from += 1;
    }
    text.get(from..).unwrap_or("")
}
