//! The samples of the metrics of a watch, from wherever they are kept, and what the statistics make of them.

use std::collections::BTreeMap;
use std::time::Duration;

use kaizen_domain::Timestamp;
use kaizen_domain::watch::{Measured, Verdict, Watch};
use kaizen_metrics::{MetricsError, Prometheus, Sample};
use kaizen_watch::{Control, Look, MetricTerms, Outcome, Series, judge};

use crate::watcher::{Source, Watcher, millis, promised};

/// The samples of one metric: before and after, and those of its control.
#[derive(Default)]
struct Samples {
    before: Vec<f64>,
    after: Vec<f64>,
    control: Option<(Vec<f64>, Vec<f64>)>,
}

/// A metric that cannot be read.
enum Unread {
    /// It may be later.
    Passing(String),
    /// It will not be until somebody does something.
    Lasting(String),
}

impl From<MetricsError> for Unread {
    fn from(error: MetricsError) -> Self {
        if error.may_pass() { Self::Passing(error.to_string()) } else { Self::Lasting(error.to_string()) }
    }
}

/// The spans before and after a landing.
struct Spans {
    from: Timestamp,
    landed: Timestamp,
    end: Timestamp,
    every: Duration,
}

impl Watcher {
    /// What the metrics say; no verdict as long as the watch goes on.
    pub(super) async fn judge(&self, watch: &Watch, now: Timestamp, finished: bool) -> (Option<Verdict>, Vec<String>) {
        let promised = promised(watch);
        if promised.is_empty() {
            return (None, Vec::new());
        }
        let mut samples: BTreeMap<String, Samples> = BTreeMap::new();
        let mut unread = Vec::new();
        for terms in &promised {
            match self.samples(watch, terms, now.min(watch.until)).await {
                Ok(of) => drop(samples.insert(terms.name.clone(), of)),
                Err(Unread::Passing(why)) => {
                    tracing::warn!(metric = terms.name, why, "a metric of a landing could not be read");
                    // It may answer later; without an answer until the end it counts as missing.
                    if !finished {
                        return (None, Vec::new());
                    }
                    unread.push(format!("{}: {why}", terms.name));
                }
                Err(Unread::Lasting(why)) => {
                    tracing::warn!(metric = terms.name, why, "a metric of a landing could not be read");
                    unread.push(format!("{}: {why}", terms.name));
                }
            }
        }
        let series: BTreeMap<String, Series<'_>> = samples
            .iter()
            .map(|(name, Samples { before, after, control })| {
                let control = control.as_ref().map(|(baseline, after)| Control { baseline, after });
                (name.clone(), Series { baseline: before, after, control })
            })
            .collect();
        match judge(&promised, &series, finished) {
            Ok(judgement) => {
                let mut looks: Vec<String> =
                    judgement.looks.iter().map(|(name, look)| format!("{name}: {}", said(look))).collect();
                looks.extend(unread);
                let verdict = match judgement.outcome {
                    Outcome::Open(_) => None,
                    Outcome::Kept => Some(Verdict::Kept),
                    Outcome::RolledBack => Some(Verdict::Harmful),
                    Outcome::Inconclusive => Some(Verdict::Inconclusive),
                };
                (verdict, looks)
            }
            Err(error) => (finished.then_some(Verdict::Inconclusive), vec![error.to_string()]),
        }
    }

    async fn samples(&self, watch: &Watch, terms: &MetricTerms, end: Timestamp) -> Result<Samples, Unread> {
        let metric = self.terms.metrics.iter().find(|metric| metric.terms.name == terms.name);
        let Some(metric) = metric else {
            return Err(Unread::Lasting("the settings have no such metric any more".to_owned()));
        };
        let spans = |every: Duration| {
            // Half as many again: a scrape may have failed, and what is no number does not count.
            let wanted = terms.baseline.saturating_add(terms.baseline / 2);
            let span = every.saturating_mul(u32::try_from(wanted).unwrap_or(u32::MAX));
            let from = Timestamp(watch.landed.0.saturating_sub(millis(span)));
            Spans { from, landed: watch.landed, end, every }
        };
        match &metric.source {
            Source::Prometheus { server, query, control, every } => {
                let spans = spans(*every);
                let (before, after) = spans.ask(server, query).await?;
                let control = match control {
                    Some(control) => Some(spans.ask(server, control).await?),
                    None => None,
                };
                Ok(Samples { before, after, control })
            }
            Source::Kept { samples, every } => {
                let spans = spans(*every);
                let read = |from, to| samples.range(from, to).map_err(|error| Unread::Passing(error.to_string()));
                let before = values(read(spans.from, spans.landed)?);
                Ok(Samples { before, after: values(read(spans.landed, spans.end)?), control: None })
            }
            Source::Bench { .. } => {
                let Measured { before, after, trouble } = watch.measured.get(&terms.name).cloned().unwrap_or_default();
                if let Some(why) = trouble {
                    return Err(Unread::Lasting(why));
                }
                let numbers = |texts: Vec<String>| texts.iter().filter_map(|text| text.parse().ok()).collect();
                Ok(Samples { before: numbers(before), after: numbers(after), control: None })
            }
        }
    }
}

impl Spans {
    /// What a Prometheus has from before and after.
    async fn ask(&self, server: &Prometheus, query: &str) -> Result<(Vec<f64>, Vec<f64>), MetricsError> {
        let before = server.range(query, self.from, self.landed, self.every).await?;
        let mut after = server.range(query, self.landed, self.end, self.every).await?;
        // The step at the very moment of the landing is neither before nor after.
        after.retain(|(at, _)| *at > self.landed);
        Ok((values(before), values(after)))
    }
}

fn values(samples: Vec<Sample>) -> Vec<f64> {
    samples.into_iter().map(|(_, value)| value).collect()
}

/// A look in words.
fn said(look: &Look) -> String {
    match look {
        Look::NeedMore { have, need } => format!("{have} of {need} samples for the next look"),
        Look::Suspect { ratio, .. } => format!("{ratio:.2}x, to be confirmed"),
        Look::Worse { ratio, p, look } => {
            let p = p.map(|p| format!(", p = {p:.1e}")).unwrap_or_default();
            format!("{ratio:.2}x of before{p}, confirmed at look {look}")
        }
        Look::Silent => "reports nothing any more".to_owned(),
        Look::Fine { ratio } => format!("{ratio:.2}x of before, no harm shown"),
        Look::NoData { what } => format!("no data: {what}"),
        Look::Inconclusive { why } => format!("inconclusive: {why}"),
    }
}
