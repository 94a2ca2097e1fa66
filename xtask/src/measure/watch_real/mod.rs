//! Watch of a real service: requests of many series are timed, a real Prometheus scrapes them, the samples come back over
//! its interface, and the watch judges each series with its usual terms. Of some the handler was made slower at the
//! landing, of the others not: how many of either are rolled back?

mod service;

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use kaizen_domain::Timestamp;
use kaizen_forgestand::{Cache, PrometheusServer};
use kaizen_metrics::{Access, Prometheus, Sample};
use kaizen_watch::{Direction, Judgement, MetricTerms, Open, Outcome as Verdict, Series, judge};

use super::scratch::{self, Scratch};
use super::table::Table;
use super::{Options, Outcome};
use service::Service;

/// How often is scraped: a few requests lie between two samples, so that they are of different ones.
const EVERY: Duration = Duration::from_millis(300);
/// Of twenty series that became slower, this many may be missed.
const MISSED: usize = 1;
/// What was under way at the landing is over after this.
const SETTLE: Duration = Duration::from_secs(2);

/// A series.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Case {
    /// The coefficient of variation of its durations.
    pub variation: f64,
    /// By which factor they take longer after the landing.
    pub slowdown: f64,
}

/// How often each kind of series is there, in a whole run and in a quick one. What 250 samples show is taken: a watch finds
/// 1.3x at a variation of 0.3, and needs 2x at 1.0.
const KINDS: &[(Case, [usize; 2])] = &[
    (Case { variation: 0.3, slowdown: 1.3 }, [7, 3]),
    (Case { variation: 0.3, slowdown: 1.5 }, [5, 2]),
    (Case { variation: 0.5, slowdown: 1.75 }, [4, 1]),
    (Case { variation: 1.0, slowdown: 2.0 }, [4, 0]),
    (Case { variation: 0.3, slowdown: 1.0 }, [8, 3]),
    (Case { variation: 0.6, slowdown: 1.0 }, [6, 2]),
    (Case { variation: 1.0, slowdown: 1.0 }, [6, 1]),
];

/// How a series is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// The very samples that were scraped of a gauge.
    Gauge,
    /// The mean of the requests between two scrapes, from two counters, as most services have them.
    Counters,
}

/// What came of a series.
struct Judged {
    case: Case,
    way: Way,
    ratio: f64,
    verdict: Verdict,
    samples: usize,
    /// What is no number among them.
    unusable: usize,
    said: String,
}

/// Measures it.
///
/// # Errors
/// When there is no Prometheus, or it cannot be asked.
pub fn measure(options: &Options) -> Result<Outcome> {
    let terms = MetricTerms::new("duration", Direction::HigherIsWorse);
    let quick = usize::from(options.quick);
    let cases: Vec<Case> = KINDS.iter().flat_map(|(case, counts)| std::iter::repeat_n(*case, counts[quick])).collect();
    let scratch = Scratch::new("watch-real")?;
    let cache = Cache::at(&crate::root().join("target/peers"));
    let service = Service::start(&cases, options.seed)?;
    let server = PrometheusServer::start(&cache, &scratch.join("prometheus"), Some(service.address), EVERY);
    scratch::owns(server.id());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let prometheus = Prometheus::new(&server.url(), &Access::default())?;
    let begun = Instant::now();
    let spans = spans(&terms, &service)?;
    eprintln!("asking for {} series", cases.len());
    let mut judged = Vec::new();
    for (at, case) in cases.iter().enumerate() {
        let way = if at % 2 == 0 { Way::Gauge } else { Way::Counters };
        judged.push(runtime.block_on(one(&prometheus, &terms, at, (*case, way), &spans))?);
    }
    let wall = begun.elapsed();
    let requests = service.end()?;
    let id = server.id();
    drop(server);
    scratch::ended(id);
    let mut outcome = shown(&judged);
    outcome.notes.push(format!(
        "Prometheus 2.42 of Debian scrapes every {} ms; {requests} requests, {:.0} s; at least {} samples before, up to {} after; the \
         usual terms, a watch of one metric each",
        EVERY.as_millis(),
        wall.as_secs_f64(),
        terms.baseline,
        terms.most_samples(),
    ));
    Ok(outcome)
}

/// When samples are taken from, before the landing and after it.
struct Spans {
    before: (Timestamp, Timestamp),
    after: (Timestamp, Timestamp),
}

/// Lets the service run, lands, and lets it run on.
fn spans(terms: &MetricTerms, service: &Service) -> Result<Spans> {
    // A few scrapes more than are needed, since one may come late.
    let lasting = |samples: usize| EVERY * u32::try_from(samples + 8 + samples / 20).unwrap_or(u32::MAX);
    std::thread::sleep(SETTLE);
    let from = now()?;
    let (before, after) = (lasting(terms.baseline), lasting(terms.most_samples()));
    eprintln!("{} s before the landing, {} s after it", before.as_secs(), after.as_secs());
    std::thread::sleep(before);
    let landing = now()?;
    service.land();
    std::thread::sleep(SETTLE);
    let landed = now()?;
    std::thread::sleep(after + EVERY);
    Ok(Spans { before: (from, landing), after: (landed, now()?) })
}

fn now() -> Result<Timestamp> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).context("the clock is before 1970")?;
    Ok(Timestamp(u64::try_from(since.as_millis())?))
}

/// Asks for a series and judges it.
async fn one(
    prometheus: &Prometheus,
    terms: &MetricTerms,
    at: usize,
    (case, way): (Case, Way),
    spans: &Spans,
) -> Result<Judged> {
    let before = samples(prometheus, at, way, spans.before).await?;
    let after = samples(prometheus, at, way, spans.after).await?;
    // All there are before the landing: of a ratio of counters one is no number now and then, when nobody asked.
    let values = |samples: &[Sample]| samples.iter().map(|(_, value)| *value).collect::<Vec<f64>>();
    let (before, after) = (values(&before), values(&after));
    let after = after.get(..terms.most_samples()).unwrap_or(&after);
    let series = Series { baseline: &before, after, control: None };
    let judgement: Judgement = judge(std::slice::from_ref(terms), &[(terms.name.clone(), series)].into(), true)?;
    let mean = |values: &[f64]| {
        let finite: Vec<f64> = values.iter().copied().filter(|value| value.is_finite()).collect();
        finite.iter().sum::<f64>() / finite.len().max(1) as f64
    };
    let bad = |values: &[f64]| values.iter().filter(|value| !value.is_finite()).count();
    Ok(Judged {
        case,
        way,
        ratio: mean(after) / mean(&before),
        verdict: judgement.outcome,
        samples: before.len() + after.len(),
        unusable: bad(&before) + bad(after),
        said: judgement.looks.iter().map(|(_, look)| format!("{look:?}")).collect(),
    })
}

async fn samples(prometheus: &Prometheus, at: usize, way: Way, span: (Timestamp, Timestamp)) -> Result<Vec<Sample>> {
    let (from, to) = span;
    let labels = format!("{{series=\"{at}\"}}");
    Ok(match way {
        Way::Gauge => {
            let lasted = to.0.saturating_sub(from.0);
            prometheus.instant(&format!("last_request_seconds{labels}[{lasted}ms]"), Some(to)).await?
        }
        Way::Counters => {
            let within = EVERY.as_millis() * 4;
            let of = |counter: &str| format!("irate({counter}{labels}[{within}ms])");
            let query = format!("{} / {}", of("request_seconds_sum"), of("request_seconds_count"));
            prometheus.range(&query, from, to, EVERY).await?
        }
    })
}

/// The series by kind, and the bar.
fn shown(judged: &[Judged]) -> Outcome {
    let header =
        ["variation", "slowdown", "from", "series", "rolled back", "kept", "inconclusive", "seen", "no number"];
    let mut outcome = Outcome { table: Table::new(&header), ..Outcome::default() };
    let count = |of: &[&Judged], verdict: Verdict| of.iter().filter(|one| one.verdict == verdict).count();
    for (kind, _) in KINDS {
        for (way, from) in [(Way::Gauge, "gauge"), (Way::Counters, "counters")] {
            let of: Vec<&Judged> = judged.iter().filter(|one| one.case == *kind && one.way == way).collect();
            if of.is_empty() {
                continue;
            }
            let ratio = of.iter().map(|one| one.ratio).sum::<f64>() / of.len() as f64;
            let (bad, all) = of.iter().fold((0, 0), |(bad, all), one| (bad + one.unusable, all + one.samples));
            outcome.table.row([
                format!("{:.1}", kind.variation),
                format!("{}x", kind.slowdown),
                from.to_owned(),
                of.len().to_string(),
                count(&of, Verdict::RolledBack).to_string(),
                count(&of, Verdict::Kept).to_string(),
                count(&of, Verdict::Inconclusive).to_string(),
                format!("{ratio:.2}x"),
                format!("{:.1} %", 100.0 * bad as f64 / all.max(1) as f64),
            ]);
        }
    }
    let (slower, healthy): (Vec<&Judged>, Vec<&Judged>) = judged.iter().partition(|one| one.case.slowdown > 1.0);
    let (caught, harmed) = (count(&slower, Verdict::RolledBack), count(&healthy, Verdict::RolledBack));
    let needed = slower.len().saturating_sub(MISSED);
    outcome.require(caught >= needed, format!("{caught} of {} slower series rolled back", slower.len()));
    outcome.require(harmed == 0, format!("{harmed} series rolled back that did not change"));
    let open = |one: &&Judged| matches!(one.verdict, Verdict::Open(Open::Quiet | Open::Suspect));
    outcome.require(!judged.iter().any(|one| open(&one)), "a watch that was over did not come to an end");
    for one in judged.iter().filter(|one| (one.case.slowdown > 1.0) != (one.verdict == Verdict::RolledBack)) {
        if one.verdict != Verdict::Kept {
            outcome.notes.push(format!("{}x at {}: {}", one.case.slowdown, one.case.variation, one.said));
        }
    }
    outcome.summary = format!(
        "{caught} of {} slower series rolled back (bar {needed}), {harmed} of {} healthy ones (bar 0)",
        slower.len(),
        healthy.len()
    );
    outcome
}
