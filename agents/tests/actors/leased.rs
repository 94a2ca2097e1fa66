//! One writer a repository: a second system is told who has it.

use kaizen_agents::{AgentError, start};
use kaizen_journal::JournalError;

use super::support::{options, repository, system};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_system_on_the_same_repository_is_refused_until_the_first_one_stops() {
    let fixture = repository();
    let first = system(&fixture, Vec::new()).await;
    match start(options(&fixture, Vec::new())).await.err() {
        Some(AgentError::Journal(error @ JournalError::Leased { .. })) => {
            let text = error.to_string();
            assert!(text.contains(&std::process::id().to_string()), "it does not say who has it: {text}");
        }
        other => panic!("two systems work on one repository: {other:?}"),
    }
    assert!(first.journal().check().await.is_ok(), "the first one still holds it");
    first.stop().await;
    system(&fixture, Vec::new()).await.stop().await;
}
