//! An engine that blocks its thread: it holds up its own cycle and nobody else.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::mpsc::channel;

use kaizen_agents::architect::ArchitectHandle;
use kaizen_agents::engine::tree_of;
use kaizen_agents::trial_pool::PoolHandle;
use kaizen_domain::{Cycle, CycleId, Word};

use super::support::{LINTS, Troubled, repository, request, run, system};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_engine_that_blocks_its_thread_does_not_keep_others_from_answering() {
    let fixture = repository();
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    let (release, released) = channel::<()>();
    let released = Mutex::new(Some(released));
    let engine = Troubled(move |_| {
        // The first call blocks until the test lets go of it; the others find nothing to wait for.
        if let Some(released) = released.lock().expect("nobody panics").take() {
            let _ = tell.send(());
            let _ = released.recv();
        }
        async {}
    });
    let kaizen = system(&fixture, vec![Arc::new(engine)]).await;
    let meanwhile = async {
        told.recv().await.expect("the engine is asked");
        assert_eq!(kaizen.emergency().await.expect("the supervisor answers"), None);
        let records = kaizen.journal().records(None).await.expect("the journal answers");
        assert!(!records.is_empty());

        let request = request(&fixture);
        let bare = Cycle::new(CycleId::new(0, [0; 10]), request.clone());
        let scan = PoolHandle::new(&kaizen.world().system).scan(tree_of(&bare, &request.base.commit)).await;
        assert!(scan.is_ok_and(|scan| scan.builds), "the sandbox works");
        let running = kaizen.cut_off().await.expect("the journal answers");
        let of_running = kaizen.journal().records(Some(running[0])).await.expect("the journal answers");
        let cycle = kaizen_agents::cycle::fold(running[0], &of_running).expect("its records follow each other");
        let last = cycle.opportunities.last().expect("there are several").clone();
        let plan = ArchitectHandle::new(&kaizen.world().system).plan(Arc::new(cycle), last).await;
        assert!(plan.is_ok(), "the Architect plans: {:?}", plan.err());
        release.send(()).expect("the engine waits for it");
    };
    let (outcome, ()) = tokio::join!(run(&kaizen, request(&fixture)), meanwhile);
    assert_eq!(outcome.expect("the cycle goes on").count(Word::Landed), LINTS.len());
    kaizen.stop().await;
}
