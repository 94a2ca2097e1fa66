//! The service that is watched: a handler that takes its time, and callers that ask it again and again over HTTP. How long
//! each request really took is what it shows to be scraped: the last one of each series, and their sum and number.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use axum::extract::Request;
use kaizen_forgestand::http;
use rand::SeedableRng as _;
use rand::rngs::StdRng;
use rand_distr::{Distribution as _, LogNormal};

use super::Case;

/// What a request takes before anything is slowed down, on average.
const MEAN: Duration = Duration::from_millis(40);

/// What is known of the requests of one series.
#[derive(Debug, Default)]
struct Taken {
    last: f64,
    sum: f64,
    count: u64,
}

/// What handler, callers and scrapes share.
struct Shared {
    cases: Vec<Case>,
    taken: Vec<Mutex<Taken>>,
    random: Vec<Mutex<StdRng>>,
    /// The landing has happened.
    landed: AtomicBool,
    over: AtomicBool,
}

/// A service with its callers. Both end when it is dropped.
pub struct Service {
    /// Where it is scraped.
    pub address: SocketAddr,
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<Result<()>>>,
    runtime: Option<tokio::runtime::Runtime>,
}

impl Service {
    /// Starts it, with one caller for each case.
    ///
    /// # Errors
    /// When it cannot listen.
    pub fn start(cases: &[Case], seed: u64) -> Result<Self> {
        let shared = Arc::new(Shared {
            cases: cases.to_vec(),
            taken: cases.iter().map(|_| Mutex::default()).collect(),
            random: (0..cases.len())
                .map(|at| Mutex::new(StdRng::seed_from_u64(seed ^ ((at as u64 + 1) << 40))))
                .collect(),
            landed: AtomicBool::new(false),
            over: AtomicBool::new(false),
        });
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let serving = Arc::clone(&shared);
        let router = axum::Router::new().fallback(move |request: Request| answer(Arc::clone(&serving), request));
        runtime.spawn(async move {
            let listener = tokio::net::TcpListener::from_std(listener)?;
            axum::serve(listener, router).await
        });
        let threads = (0..cases.len()).map(|at| {
            let shared = Arc::clone(&shared);
            std::thread::spawn(move || call(&shared, address, at))
        });
        Ok(Self { address, threads: threads.collect(), shared, runtime: Some(runtime) })
    }

    /// From now on requests take as long as they do after the landing.
    pub fn land(&self) {
        self.shared.landed.store(true, Ordering::SeqCst);
    }

    /// Ends the callers, and says how many requests there were.
    ///
    /// # Errors
    /// When one of the callers got no answer.
    pub fn end(mut self) -> Result<u64> {
        self.shared.over.store(true, Ordering::SeqCst);
        for thread in self.threads.drain(..) {
            thread.join().map_err(|_| anyhow::anyhow!("a caller ended early"))??;
        }
        Ok(self.shared.taken.iter().map(|taken| lock(taken).count).sum())
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::SeqCst);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_timeout(Duration::from_secs(2));
        }
    }
}

fn lock<T>(of: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One after the other, without a pause, until it is over.
fn call(shared: &Shared, address: SocketAddr, at: usize) -> Result<()> {
    let url = format!("http://{address}/work/{at}");
    while !shared.over.load(Ordering::SeqCst) {
        let answer = http::call("GET", &url, &[], None).with_context(|| url.clone())?;
        ensure!(answer.status == 200, "{url}: {}", answer.status);
    }
    Ok(())
}

async fn answer(shared: Arc<Shared>, request: Request) -> (axum::http::StatusCode, String) {
    let path = request.uri().path();
    if path == "/metrics" {
        return (axum::http::StatusCode::OK, shared.shown());
    }
    let at = path.strip_prefix("/work/").and_then(|at| at.parse::<usize>().ok());
    match at.and_then(|at| Some((at, shared.wait(at)?))) {
        Some((at, wait)) => {
            let begun = Instant::now();
            tokio::time::sleep(wait).await;
            shared.record(at, begun.elapsed());
            (axum::http::StatusCode::OK, "done\n".to_owned())
        }
        None => (axum::http::StatusCode::NOT_FOUND, String::new()),
    }
}

impl Shared {
    /// How long the work of a request takes: durations of services have a long right tail.
    fn wait(&self, at: usize) -> Option<Duration> {
        let case = self.cases.get(at)?;
        let spread = (1.0 + case.variation * case.variation).ln();
        let durations = LogNormal::new(-spread / 2.0, spread.sqrt()).ok()?;
        let slower = if self.landed.load(Ordering::SeqCst) { case.slowdown } else { 1.0 };
        let drawn = durations.sample(&mut *lock(self.random.get(at)?));
        Some(MEAN.mul_f64(drawn * slower))
    }

    fn record(&self, at: usize, took: Duration) {
        if let Some(taken) = self.taken.get(at) {
            let mut taken = lock(taken);
            taken.last = took.as_secs_f64();
            taken.sum += taken.last;
            taken.count += 1;
        }
    }

    /// What is scraped, in the text format of Prometheus.
    fn shown(&self) -> String {
        let mut families: BTreeMap<&str, (&str, String)> = BTreeMap::new();
        for (at, taken) in self.taken.iter().enumerate() {
            let taken = lock(taken);
            if taken.count == 0 {
                continue;
            }
            let figures = [
                ("last_request_seconds", "gauge", taken.last),
                ("request_seconds_sum", "counter", taken.sum),
                ("request_seconds_count", "counter", taken.count as f64),
            ];
            for (name, kind, value) in figures {
                let (_, text) = families.entry(name).or_insert_with(|| (kind, String::new()));
                let _ = writeln!(text, "{name}{{series=\"{at}\"}} {value}");
            }
        }
        families.iter().map(|(name, (kind, text))| format!("# TYPE {name} {kind}\n{text}")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_work_takes_longer_after_the_landing_and_what_it_took_is_scraped() {
        let cases = [Case { variation: 0.3, slowdown: 3.0 }];
        let service = Service::start(&cases, 7).unwrap();
        let mean = || (0..2000).map(|_| service.shared.wait(0).unwrap().as_secs_f64()).sum::<f64>() / 2000.0;
        let before = mean();
        service.land();
        let after = mean();
        assert!((before / MEAN.as_secs_f64() - 1.0).abs() < 0.05, "{before}");
        assert!((after / before - 3.0).abs() < 0.15, "{before} {after}");
        assert!(service.shared.wait(1).is_none());

        let asked = http::call("GET", &format!("http://{}/work/0", service.address), &[], None).unwrap();
        assert_eq!(asked.status, 200);
        let scraped = http::call("GET", &format!("http://{}/metrics", service.address), &[], None).unwrap().text();
        for line in ["# TYPE last_request_seconds gauge\nlast_request_seconds{series=\"0\"} ", "request_seconds_count"]
        {
            assert!(scraped.contains(line), "{scraped}");
        }
        assert!(service.end().unwrap() > 0);
    }
}
