//! Messages that kill whoever handles them: once is bad luck, always is poison.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Wake, Waker};

use kaizen_agents::address::Address;
use kaizen_agents::clock::{Clock, SystemClock};
use kaizen_agents::engine::tree_of;
use kaizen_agents::trial_pool::{PoolHandle, PoolMsg};
use kaizen_agents::{AgentError, start};
use kaizen_domain::{Cycle, CycleId, CycleStage, Timestamp, Word};

use super::support::{LINTS, PATIENCE, Troubled, options, outcome, repository, request, restarted, run, system};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_engine_that_panics_once_is_started_again_and_everything_lands() {
    let fixture = repository();
    let calls = Arc::new(AtomicU32::new(0));
    let once = Troubled(move |_| {
        let first = calls.fetch_add(1, Ordering::SeqCst) == 0;
        async move { assert!(!first, "the trouble that a test makes") }
    });
    let kaizen = system(&fixture, vec![Arc::new(once)]).await;
    let mut notices = kaizen.subscribe();
    let cycle = run(&kaizen, request(&fixture)).await.expect("the cycle goes on");
    assert_eq!(cycle.stage, CycleStage::Finished);
    for lint in LINTS {
        assert_eq!(outcome(&cycle, lint).0, Word::Landed, "{lint}");
    }
    assert_eq!(restarted(&mut notices), ["debugger"]);
    assert_eq!(kaizen.emergency().await.expect("the supervisor answers"), None);
    kaizen.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_matter_that_kills_its_writer_three_times_is_put_aside_and_the_others_land() {
    let fixture = repository();
    let poisonous = format!("lint:{}", LINTS[0]);
    let always = Troubled(move |topic: String| {
        let dies = topic == poisonous;
        async move { assert!(!dies, "the trouble that a test makes") }
    });
    let kaizen = system(&fixture, vec![Arc::new(always)]).await;
    let mut notices = kaizen.subscribe();
    let cycle = run(&kaizen, request(&fixture)).await.expect("the cycle goes on");
    let (word, why) = outcome(&cycle, LINTS[0]);
    assert_eq!(word, Word::Inconclusive);
    assert!(why.starts_with("put aside: the debugger died"), "{why}");
    assert_eq!(restarted(&mut notices), ["debugger"; 3], "and it lives again after the third");
    for lint in &LINTS[1..] {
        assert_eq!(outcome(&cycle, lint).0, Word::Landed, "{lint}");
    }
    kaizen.stop().await;
}

/// Time and random bits of the machine, until a countdown of random draws ends in a panic, once.
struct Fuse(Arc<AtomicU32>);

impl Clock for Fuse {
    fn now(&self) -> Timestamp {
        SystemClock.now()
    }

    fn random(&self) -> [u8; 10] {
        let before = self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        assert_ne!(before, Ok(1), "the trouble that a test makes");
        SystemClock.random()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_step_of_the_cycle_itself_that_panics_is_done_again() {
    let fixture = repository();
    let fuse = Arc::new(AtomicU32::new(0));
    // After the first patch is written the first draw makes its id, in the writer, and the second one its trial's id,
    // in the step of the cycle.
    let (lit, calls) = (fuse.clone(), AtomicU32::new(0));
    let engine = Troubled(move |_| {
        if calls.fetch_add(1, Ordering::SeqCst) == 0 {
            lit.store(2, Ordering::SeqCst);
        }
        async {}
    });
    let mut options = options(&fixture, vec![Arc::new(engine)]);
    options.clock = Arc::new(Fuse(fuse.clone()));
    let kaizen = start(options).await.expect("the system starts");
    let mut notices = kaizen.subscribe();
    let cycle = run(&kaizen, request(&fixture)).await.expect("the cycle goes on");
    assert_eq!(fuse.load(Ordering::SeqCst), 0, "the panic happened");
    for lint in LINTS {
        assert_eq!(outcome(&cycle, lint).0, Word::Landed, "{lint}");
    }
    assert!(restarted(&mut notices).is_empty(), "no agent died of it");
    kaizen.stop().await;
}

/// Panics when it is woken: so does whoever sends the answer that it waits for.
struct Tripwire;

impl Wake for Tripwire {
    fn wake(self: Arc<Self>) {
        panic!("the trouble that a test makes");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_of_the_trial_pool_that_panics_frees_its_place() {
    let fixture = repository();
    let kaizen = system(&fixture, Vec::new()).await;
    let request = request(&fixture);
    let mut tree = tree_of(&Cycle::new(CycleId::new(0, [0; 10]), request.clone()), &request.base.commit);
    tree.folder = "there/is/no/such/folder".to_owned();

    let pool = PoolHandle::new(&kaizen.world().system);
    let mailbox = Address::<PoolMsg>::new(&kaizen.world().system, PoolHandle::ROLE);
    let (port, answer) = tokio::sync::oneshot::channel();
    let mut answer = std::pin::pin!(answer);
    let waker = Waker::from(Arc::new(Tripwire));
    assert!(answer.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    mailbox.tell(PoolMsg::Scan(tree.clone(), port.into()));

    // There is one place, and the one who panics has it first.
    let next = tokio::time::timeout(PATIENCE, pool.scan(tree)).await.expect("the place is free again");
    assert!(
        !matches!(next, Err(AgentError::Died { .. } | AgentError::Absent { .. })),
        "the pool lives: {:?}",
        next.err()
    );
    kaizen.stop().await;
}
