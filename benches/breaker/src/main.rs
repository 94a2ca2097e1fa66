//! What a call through a circuit breaker costs while all is well, and how many of 64 callers at once get through when it
//! has been open: ours, recloser, failsafe and tower-resilience, in one run. Prints a line of JSON for each.
//!
//! Every breaker opens after three failures and lets one probe through. Ours times each call, to count slow ones; so does
//! tower-resilience; the others do not.

use std::hint::black_box;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant};

use failsafe::CircuitBreaker as _;
use kaizen_llm::breaker::{Breaker, BreakerTerms};
use kaizen_llm::clock::{Clock, HandClock, SystemClock};
use tower::{Layer as _, Service as _, ServiceExt as _};

const CALLERS: usize = 64;
const BATCH: u32 = 100_000;
const BATCHES: usize = 15;
/// How long a caller waits to be let through.
const PATIENCE: Duration = Duration::from_millis(20);
/// How long the others stay open: they know real time only.
const OPEN: Duration = Duration::from_millis(2);

fn main() {
    let repeats: usize = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(10_000);
    let terms = BreakerTerms { slow: Duration::from_secs(50), ..BreakerTerms::default() };
    let ours = Breaker::new(terms, Arc::new(SystemClock::default()));
    let call = || {
        if let Ok(permit) = ours.admit() {
            black_box(());
            permit.succeeded();
        }
    };
    report("kaizen", cost(call), probes_of_ours(terms, repeats), repeats);

    let few = (repeats / 40).max(20);
    let recloser = recloser::Recloser::custom().closed_len(10).build();
    let call = || drop(black_box(recloser.call(|| Ok::<(), ()>(()))));
    report("recloser 1.4.0", cost(call), probes_of_recloser(few), few);

    let failsafe = failsafe::Config::new().build();
    let call = || drop(black_box(failsafe.call(|| Ok::<(), ()>(()))));
    report("failsafe 1.3.0", cost(call), probes_of_failsafe(few), few);

    let runtime = runtime();
    let layer = tower_layer();
    let mut service = layer.layer(tower::service_fn(|(): ()| async { Ok::<(), std::io::Error>(()) }));
    let tower_cost = runtime.block_on(async {
        let mut samples = Vec::new();
        for _ in 0..BATCHES {
            let started = Instant::now();
            for _ in 0..BATCH {
                if let Ok(ready) = service.ready().await {
                    drop(black_box(ready.call(()).await));
                }
            }
            samples.push(started.elapsed() / BATCH);
        }
        median(samples)
    });
    report("tower-resilience 0.14.0", tower_cost, probes_of_tower(few), few);
}

fn report(name: &str, cost: Duration, (least, most): (usize, usize), repeats: usize) {
    let line = serde_json::json!({
        "name": name, "nanos": cost.as_nanos() as u64, "least": least, "most": most, "repeats": repeats,
    });
    println!("{line}");
}

fn median(mut samples: Vec<Duration>) -> Duration {
    samples.sort();
    samples[samples.len() / 2]
}

/// The median cost of a call over batches.
fn cost(mut call: impl FnMut()) -> Duration {
    (0..BATCH).for_each(|_| call());
    let samples = (0..BATCHES).map(|_| {
        let started = Instant::now();
        (0..BATCH).for_each(|_| call());
        started.elapsed() / BATCH
    });
    median(samples.collect())
}

/// The fewest and the most callers that got through, over all repeats. `reopen` makes the breaker due for a probe;
/// `call` goes through it, and runs what it is given when it gets through.
fn herd(repeats: usize, reopen: impl Fn(), call: impl Fn(&dyn Fn()) + Sync) -> (usize, usize) {
    let (start, end) = (Barrier::new(CALLERS + 1), Barrier::new(CALLERS + 1));
    let (through, arrived) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let (mut least, mut most) = (usize::MAX, 0);
    std::thread::scope(|scope| {
        for _ in 0..CALLERS {
            scope.spawn(|| {
                for _ in 0..repeats {
                    start.wait();
                    let inside = AtomicUsize::new(0);
                    call(&|| {
                        inside.store(1, Ordering::SeqCst);
                        through.fetch_add(1, Ordering::SeqCst);
                        arrived.fetch_add(1, Ordering::SeqCst);
                        // A probe is under way until everybody has tried.
                        while arrived.load(Ordering::SeqCst) < CALLERS {
                            std::thread::yield_now();
                        }
                    });
                    if inside.load(Ordering::SeqCst) == 0 {
                        arrived.fetch_add(1, Ordering::SeqCst);
                    }
                    end.wait();
                }
            });
        }
        for _ in 0..repeats {
            through.store(0, Ordering::SeqCst);
            arrived.store(0, Ordering::SeqCst);
            reopen();
            start.wait();
            end.wait();
            let count = through.load(Ordering::SeqCst);
            (least, most) = (least.min(count), most.max(count));
        }
    });
    (least, most)
}

fn probes_of_ours(terms: BreakerTerms, repeats: usize) -> (usize, usize) {
    let clock = Arc::new(HandClock::default());
    let breaker = Breaker::new(terms, Arc::clone(&clock) as Arc<dyn Clock>);
    for _ in 0..terms.failures {
        breaker.admit().expect("closed").failed();
    }
    // The probe of the round before has failed, so it is open again.
    let reopen = || clock.advance(terms.open_for);
    herd(repeats, reopen, |inside| {
        if let Ok(permit) = breaker.admit() {
            inside();
            permit.failed();
        }
    })
}

fn probes_of_recloser(repeats: usize) -> (usize, usize) {
    let breaker = recloser::Recloser::custom().closed_len(3).half_open_len(1).open_wait(OPEN).build();
    for _ in 0..8 {
        let _ = breaker.call(|| Err::<(), ()>(()));
    }
    herd(
        repeats,
        || std::thread::sleep(OPEN * 2),
        |inside| {
            let _ = breaker.call(|| {
                inside();
                Err::<(), ()>(())
            });
        },
    )
}

fn probes_of_failsafe(repeats: usize) -> (usize, usize) {
    let policy = failsafe::failure_policy::consecutive_failures(3, failsafe::backoff::constant(OPEN));
    let breaker = failsafe::Config::new().failure_policy(policy).build();
    for _ in 0..3 {
        let _ = breaker.call(|| Err::<(), ()>(()));
    }
    herd(
        repeats,
        || std::thread::sleep(OPEN * 2),
        |inside| {
            let _ = breaker.call(|| {
                inside();
                Err::<(), ()>(())
            });
        },
    )
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime")
}

fn tower_layer()
-> tower_resilience_circuitbreaker::CircuitBreakerLayer<tower_resilience_circuitbreaker::DefaultClassifier> {
    tower_resilience_circuitbreaker::CircuitBreakerLayer::builder()
        .failure_rate_threshold(0.5)
        .sliding_window_size(10)
        .minimum_number_of_calls(3)
        .permitted_calls_in_half_open(1)
        .wait_duration_in_open(OPEN)
        .slow_call_duration_threshold(Duration::from_secs(50))
        .build()
        .expect("terms that can be kept")
}

fn probes_of_tower(repeats: usize) -> (usize, usize) {
    type Inside<'a> = &'a (dyn Fn() + 'a);
    let layer = tower_layer();
    // The service cannot borrow; what it runs is passed as an address that outlives the call.
    let service = layer.layer(tower::service_fn(|address: Option<usize>| async move {
        if let Some(address) = address {
            // SAFETY: the caller waits for the call, and keeps what the address points at until then.
            let inside = unsafe { *(address as *const Inside<'_>) };
            inside();
        }
        Err::<(), std::io::Error>(std::io::Error::other("failed"))
    }));
    let once = |address: Option<usize>| {
        let mut service = service.clone();
        runtime().block_on(async {
            // While it is open it keeps callers waiting; for this count a caller that waits is turned away.
            if let Ok(Ok(ready)) = tokio::time::timeout(PATIENCE, service.ready()).await {
                let _ = ready.call(address).await;
            }
        });
    };
    for _ in 0..6 {
        once(None);
    }
    herd(
        repeats,
        || std::thread::sleep(OPEN * 2),
        |inside| {
            let inside: Inside<'_> = inside;
            once(Some(&raw const inside as usize));
        },
    )
}
