//! Parked: a cycle stops where it stands, and the next start goes on from there.

use std::sync::Arc;

use kaizen_agents::AgentError;
use kaizen_domain::{CycleStage, Event, Word};
use tokio::sync::Semaphore;

use super::support::{LINTS, Troubled, repository, request, run, system};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_parked_cycle_is_gone_on_with_by_the_next_start() {
    let fixture = repository();
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    let gate = Arc::new(Semaphore::new(0));
    let closed = gate.clone();
    let engine = Troubled(move |_| {
        let (tell, gate) = (tell.clone(), closed.clone());
        async move {
            let _ = tell.send(());
            let _ = gate.acquire().await;
        }
    });
    let kaizen = system(&fixture, vec![Arc::new(engine)]).await;
    let park = async {
        told.recv().await.expect("the engine is asked");
        kaizen.park("enough for today");
    };
    let (outcome, ()) = tokio::join!(run(&kaizen, request(&fixture)), park);
    match outcome {
        Err(AgentError::Stopped(why)) => assert_eq!(why, "enough for today"),
        other => panic!("it was parked: {other:?}"),
    }
    let before = kaizen.journal().records(None).await.expect("the journal answers");
    gate.add_permits(1);
    kaizen.stop().await;

    let kaizen = system(&fixture, Vec::new()).await;
    let cut_off = kaizen.cut_off().await.expect("the journal answers");
    let [id] = cut_off.as_slice() else { panic!("one cycle was cut off: {cut_off:?}") };
    let cycle = kaizen.resume(*id).await.expect("the cycle goes on");
    assert_eq!((cycle.stage, cycle.count(Word::Landed)), (CycleStage::Finished, LINTS.len()));

    let after = kaizen.journal().records(None).await.expect("the journal answers");
    assert_eq!(after[..before.len()], before[..], "what was recorded before stands");
    let again = |name: &str| {
        let of = |record: &&kaizen_domain::Record| matches!(&record.event, Event::Cycle { event, .. } if event.name() == name);
        after.iter().filter(of).count()
    };
    assert_eq!((again("started"), again("base_tried")), (1, 1), "nothing was begun anew");
    assert!(kaizen.cut_off().await.expect("the journal answers").is_empty());
    kaizen.stop().await;
}
