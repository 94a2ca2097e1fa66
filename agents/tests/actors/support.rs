//! What the tests of the actors share: a repository with findings, a request, and engines that make trouble.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use kaizen_agents::engine::rustfix::Rustfix;
use kaizen_agents::{AgentError, Brief, Draft, Engine, Kaizen, Notice, Options, start};
use kaizen_domain::{
    Base, CommitId, Cycle, CycleRequest, EngineName, LandingMode, OpportunityKind, PatchSource, RefName, Usd, Word,
};
use kaizen_settings::{Layer, Origin, Settings, load};
use kaizen_testkit::{Fixture, SettingsText};
use tokio::sync::mpsc::UnboundedReceiver;

/// Lints that find one thing each in [`FINDINGS`], in the order in which they are worked on.
pub const LINTS: [&str; 3] = ["clippy::len_zero", "clippy::needless_return", "clippy::redundant_field_names"];

/// How long a test waits for what should come at once, on a machine that is busy.
pub const PATIENCE: Duration = Duration::from_secs(300);

const FINDINGS: &str = r#"//! Labels.

/// A label.
pub struct Label {
    /// Its text.
    pub text: String,
}

/// A label with this text.
pub fn label(text: String) -> Label {
    Label { text: text }
}

/// Whether a label says nothing.
pub fn is_blank(label: &Label) -> bool {
    label.text.trim().len() == 0
}

/// The label of a number.
pub fn numbered(number: u32) -> Label {
    return label(format!("no. {number}"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_has_a_label_that_says_something() {
        assert!(!is_blank(&numbered(3)) && is_blank(&label(" ".to_owned())));
    }
}
"#;

/// A repository with those findings, and its first commit.
pub fn repository() -> Fixture {
    Fixture::tiny(FINDINGS)
}

/// The settings that tests use.
pub fn settings() -> Settings {
    let (file, text) = ("settings.toml".to_owned(), SettingsText::default().toml());
    load(&[Layer { file, text, origin: Origin::Own }]).expect("the settings load")
}

/// The options for a repository, with these engines in place of the built-in ones.
pub fn options(fixture: &Fixture, engines: Vec<Arc<dyn Engine>>) -> Options {
    Options { engines, ..Options::new(fixture.repo(), fixture.state(), settings()) }
}

/// A system for a repository.
pub async fn system(fixture: &Fixture, engines: Vec<Arc<dyn Engine>>) -> Kaizen {
    start(options(fixture, engines)).await.expect("the system starts")
}

/// A request for findings, landing on branches of Kaizen's own.
pub fn request(fixture: &Fixture) -> CycleRequest {
    let (_, commit) =
        fixture.refs().into_iter().find(|(name, _)| name == "refs/heads/main").expect("there is a branch");
    let base = Base {
        commit: CommitId::new(commit).expect("git gave it"),
        target: Some(RefName::new("refs/heads/main").expect("a plain name")),
        folder: String::new(),
    };
    CycleRequest {
        base,
        source: PatchSource::Engines,
        goal: None,
        only: vec![OpportunityKind::Cleanup],
        max_landings: 3,
        max_opportunities: 3,
        landing: LandingMode::Branch,
        update_worktree: false,
        dry_run: false,
        budget: Usd(0),
        revises: None,
        replays: None,
    }
}

/// Runs a cycle to its end. One that hangs fails its test in place of holding up all others.
pub async fn run(kaizen: &Kaizen, request: CycleRequest) -> Result<Arc<Cycle>, AgentError> {
    let cycle = tokio::time::timeout(PATIENCE, kaizen.run_cycle(request));
    cycle.await.expect("the cycle comes to an end")
}

/// How the work on the findings of a lint ended, with the reasons in one line.
pub fn outcome(cycle: &Cycle, lint: &str) -> (Word, String) {
    let of_lint = |id| cycle.opportunity(id).is_some_and(|found| found.topic == format!("lint:{lint}"));
    let attempt = cycle.attempts.iter().find(|attempt| of_lint(attempt.opportunity));
    match attempt.map(|attempt| &attempt.stage) {
        Some(kaizen_domain::AttemptStage::Done { word, reasons }) => (*word, reasons.join("; ")),
        other => panic!("the work on {lint} is not over: {other:?}"),
    }
}

/// The names of the actors that were started again, so far.
pub fn restarted(notices: &mut UnboundedReceiver<Notice>) -> Vec<String> {
    let mut actors = Vec::new();
    while let Ok(notice) = notices.try_recv() {
        if let Notice::Restarted { actor, .. } = notice {
            actors.push(actor);
        }
    }
    actors
}

/// The built-in engine for findings, but for what `before` does first: it may panic, block or wait.
pub struct Troubled<F>(pub F);

#[async_trait]
impl<F, W> Engine for Troubled<F>
where
    F: Fn(String) -> W + Send + Sync,
    W: Future<Output = ()> + Send,
{
    fn name(&self) -> EngineName {
        EngineName::Rustfix
    }

    async fn write(&self, brief: &Brief) -> Result<Draft, AgentError> {
        (self.0)(brief.opportunity.topic.clone()).await;
        Rustfix.write(brief).await
    }
}
