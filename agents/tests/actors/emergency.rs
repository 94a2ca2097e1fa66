//! Emergency: an actor that fails more often than its restart intensity allows ends all cycles, and nothing lands.

use std::sync::Arc;

use kaizen_agents::AgentError;
use kaizen_agents::coordinator::CoordinatorHandle;
use kaizen_domain::Word;

use super::support::{LINTS, PATIENCE, Troubled, outcome, repository, request, restarted, run, system};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_poisonous_matters_spend_the_restart_intensity_and_nothing_lands_any_more() {
    let fixture = repository();
    let poisonous = LINTS[..2].iter().map(|lint| format!("lint:{lint}")).collect::<Vec<_>>();
    let engine = Troubled(move |topic: String| {
        let dies = poisonous.contains(&topic);
        async move { assert!(!dies, "the trouble that a test makes") }
    });
    let kaizen = system(&fixture, vec![Arc::new(engine)]).await;
    let mut notices = kaizen.subscribe();
    let before = fixture.refs();
    let names_the_actor = |outcome: Result<_, AgentError>| match outcome {
        Err(AgentError::Emergency(why)) => {
            assert!(why.starts_with("the debugger failed 6 times within 600 s"), "{why}")
        }
        other => panic!("this is no emergency: {:?}", other.map(|_: Arc<kaizen_domain::Cycle>| ())),
    };
    names_the_actor(run(&kaizen, request(&fixture)).await);
    assert_eq!(restarted(&mut notices), ["debugger"; 5]);

    let why = kaizen.emergency().await.expect("the supervisor answers").expect("there is an emergency");
    assert!(why.contains("debugger"), "{why}");
    names_the_actor(run(&kaizen, request(&fixture)).await);
    let cut_off = kaizen.cut_off().await.expect("the journal answers");
    assert_eq!(cut_off.len(), 1, "the second request began nothing");
    names_the_actor(kaizen.resume(cut_off[0]).await);
    assert_eq!(fixture.refs(), before, "nothing landed, then or since");
    kaizen.stop().await;

    // The trouble is gone with the next start: what was cut off goes on, and the third matter lands.
    let kaizen = system(&fixture, Vec::new()).await;
    assert_eq!(kaizen.emergency().await.expect("the supervisor answers"), None);
    let cycle = kaizen.resume(cut_off[0]).await.expect("the cycle goes on");
    assert_eq!(outcome(&cycle, LINTS[0]).0, Word::Inconclusive, "the first one was put aside before the emergency");
    assert_eq!(outcome(&cycle, LINTS[2]).0, Word::Landed);
    kaizen.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cycle_that_runs_is_not_started_a_second_time() {
    let fixture = repository();
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    let go = Arc::new(tokio::sync::Semaphore::new(0));
    let gate = go.clone();
    let engine = Troubled(move |_| {
        let (tell, gate) = (tell.clone(), gate.clone());
        async move {
            let _ = tell.send(());
            gate.acquire().await.expect("the gate stays open").forget();
        }
    });
    let kaizen = system(&fixture, vec![Arc::new(engine)]).await;
    let meddle = async {
        told.recv().await.expect("the engine is asked");
        let running = kaizen.cut_off().await.expect("the journal answers");
        let coordinator = CoordinatorHandle::new(&kaizen.world().system);
        let again = tokio::time::timeout(PATIENCE, coordinator.resume(running[0])).await.expect("it answers");
        assert!(matches!(again, Err(AgentError::Bug(_))), "{again:?}");
        go.add_permits(100);
    };
    let (outcome, ()) = tokio::join!(run(&kaizen, request(&fixture)), meddle);
    assert_eq!(outcome.expect("the cycle goes on").count(Word::Landed), LINTS.len());
    kaizen.stop().await;
}
