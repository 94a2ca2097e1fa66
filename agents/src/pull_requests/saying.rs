//! Comments below a pull request: each is said once, also when Kaizen is killed in the middle.

use kaizen_domain::{PullRequest, PullRequestEvent};

use crate::error::AgentError;
use crate::pull_requests::Keeper;
use crate::pull_requests::words::marker;

impl Keeper {
    /// Says something once; a comment of the same key was said before. What it answers to or reports is recorded together
    /// with the intent to say it: a crash in between would leave it unsaid for ever.
    pub(super) async fn say(
        &self,
        pull: PullRequest,
        because: Vec<PullRequestEvent>,
        key: &str,
        text: &str,
    ) -> Result<PullRequest, AgentError> {
        let mut events = because;
        if !pull.said.contains(key) {
            let text = format!("{text}\n\n{}", marker(key));
            events.push(PullRequestEvent::CommentIntended { key: key.to_owned(), text });
        }
        let pull = self.record_all(pull, events).await?;
        self.finish_saying(pull, false).await
    }

    /// Says what is to be said; after a restart only when it is not there yet.
    pub(super) async fn finish_saying(&self, pull: PullRequest, restarted: bool) -> Result<PullRequest, AgentError> {
        let (Some((key, text)), Some(number)) = (pull.to_say.clone(), pull.number) else { return Ok(pull) };
        self.journal.check().await?;
        let there = restarted && self.forge.remarks(number).await?.iter().any(|said| said.text.contains(&marker(&key)));
        if !there {
            self.forge.comment(number, &text).await?;
        }
        self.record(pull, PullRequestEvent::Commented { key }).await
    }
}
