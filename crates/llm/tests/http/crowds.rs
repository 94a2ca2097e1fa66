//! Many callers at once: the breaker lets one probe through, and no budget is overrun.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier};
use std::time::Duration;

use crate::support::{client_of, prompt, provider};
use kaizen_domain::{Tokens, Usd};
use kaizen_llm::breaker::BreakerTerms;
use kaizen_llm::clock::{Clock, HandClock};
use kaizen_llm::{Amount, Budget, BudgetError, Client, ModelError, Provider};
use kaizen_testkit::scripted_model::{Reply, ScriptedModel};

#[tokio::test(flavor = "multi_thread")]
async fn after_three_failures_exactly_one_of_64_callers_reaches_the_provider() {
    let well = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&well);
    // The probe stays on its way until all the others have been turned away, so none of them can come after it.
    let (release, held) = std::sync::mpsc::channel::<()>();
    let held = std::sync::Mutex::new(held);
    let server = ScriptedModel::start_with(move |_| {
        if seen.load(Ordering::SeqCst) {
            let _ = held.lock().unwrap().recv();
            Reply::text("well again")
        } else {
            Reply::error(500, "oops")
        }
    });
    // Bound after the server, so that a failing test lets the waiting reply go before the server is joined.
    let release = release;
    let (client, clock) = client_of(&server);
    let error = client.complete(&prompt()).await.unwrap_err();
    assert!(matches!(error, ModelError::Status { code: 500, .. }), "the cause, not the breaker: {error}");
    assert_eq!(server.requests().len(), BreakerTerms::default().failures as usize);
    let error = client.complete(&prompt()).await.unwrap_err();
    assert!(matches!(error, ModelError::BreakerOpen { .. }), "{error}");

    well.store(true, Ordering::SeqCst);
    clock.advance(BreakerTerms::default().open_for);
    let (done, mut results) = tokio::sync::mpsc::unbounded_channel();
    for _ in 0..64 {
        let (client, done) = (client.clone(), done.clone());
        tokio::spawn(async move { done.send(client.complete(&prompt()).await) });
    }
    for _ in 0..63 {
        let turned_away = results.recv().await.unwrap().unwrap_err();
        assert_eq!(turned_away, ModelError::BreakerOpen { wait: Duration::ZERO });
    }
    release.send(()).unwrap();
    assert_eq!(results.recv().await.unwrap().unwrap().text, "well again");
    assert_eq!(server.requests().len(), BreakerTerms::default().failures as usize + 1);

    release.send(()).unwrap();
    assert!(client.complete(&prompt()).await.is_ok(), "closed again");
}

#[tokio::test]
async fn answers_that_come_but_take_a_minute_open_the_breaker() {
    let clock = Arc::new(HandClock::default());
    let slow = Arc::clone(&clock);
    let server = ScriptedModel::start_with(move |_| {
        slow.advance(Duration::from_secs(59));
        Reply::text("at last")
    });
    let breaker = BreakerTerms { slow: Duration::from_secs(50), ..BreakerTerms::default() };
    let provider = Provider { breaker, ..provider(server.base_url()) };
    let client = Client::with_clock(provider, Arc::clone(&clock) as Arc<dyn Clock>).unwrap();
    for _ in 0..3 {
        assert_eq!(client.complete(&prompt()).await.unwrap().text, "at last");
    }
    let error = client.complete(&prompt()).await.unwrap_err();
    assert!(matches!(error, ModelError::BreakerOpen { .. }), "{error}");
    assert_eq!(server.requests().len(), 3);
}

#[test]
fn reservations_from_many_threads_never_overrun_either_limit() {
    let limit = Amount { usd: Usd(1_000), tokens: Tokens(900) };
    let budget = Budget::new(limit.usd, limit.tokens);
    let start = Barrier::new(32);
    let granted: Vec<_> = std::thread::scope(|scope| {
        let callers: Vec<_> = (0..32)
            .map(|_| {
                scope.spawn(|| {
                    start.wait();
                    let wanted = Amount { usd: Usd(90), tokens: Tokens(100) };
                    (0..4).filter_map(|_| budget.reserve(wanted).ok()).collect::<Vec<_>>()
                })
            })
            .collect();
        callers.into_iter().flat_map(|caller| caller.join().unwrap()).collect()
    });
    assert_eq!(granted.len(), 9, "nine times 100 tokens is all there is");
    assert_eq!(budget.left(), Amount { usd: Usd(190), tokens: Tokens(0) });
}

#[tokio::test(flavor = "multi_thread")]
async fn parallel_calls_spend_no_more_than_the_budget_and_the_rest_is_refused() {
    let server = ScriptedModel::start_with(|_| Reply::text("hello"));
    let (client, _) = client_of(&server);
    let wanted = client.estimate(&prompt()).amount();
    let limit = Amount { usd: Usd(wanted.usd.0 * 3 + 5), tokens: Tokens(u64::MAX) };
    let budget = Budget::new(limit.usd, limit.tokens);
    let calls: Vec<_> = (0..40)
        .map(|_| {
            let (client, budget) = (client.clone(), budget.clone());
            tokio::spawn(async move { client.complete_within(&prompt(), &budget).await })
        })
        .collect();
    let mut spent = Usd(0);
    let mut refused = 0;
    for call in calls {
        let call = call.await.unwrap();
        spent = spent.plus(call.spend.usd);
        match call.result {
            Ok(_) => {}
            Err(ModelError::Budget(BudgetError::Exhausted { wanted: asked, left })) => {
                assert_eq!(asked, wanted);
                assert!(left.usd < asked.usd);
                refused += 1;
            }
            Err(other) => panic!("{other}"),
        }
    }
    assert!(refused > 0);
    assert_eq!(budget.spent().usd, spent);
    assert!(spent <= limit.usd, "{spent} of {}", limit.usd);
    assert_eq!(server.requests().len(), 40 - refused, "what is refused is not sent");
}

#[tokio::test]
async fn a_cancelled_call_is_booked_in_full() {
    let server = ScriptedModel::start_with(|_| Reply::HangBeforeHeaders);
    let (client, _) = client_of(&server);
    let budget = Budget::new(Usd(1_000_000), Tokens(1_000_000));
    let (calling, held) = (client.clone(), budget.clone());
    let call = tokio::spawn(async move { calling.complete_within(&prompt(), &held).await });
    while server.requests().is_empty() {
        tokio::task::yield_now().await;
    }
    call.abort();
    assert!(call.await.unwrap_err().is_cancelled());
    assert_eq!(budget.spent().usd, client.estimate(&prompt()).usd);
}
