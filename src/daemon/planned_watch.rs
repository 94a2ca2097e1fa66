//! What is watched after a landing, as the settings file asks for it, checked before anything lands.

use std::path::Path;
use std::time::Duration;

use kaizen_agents::watcher::{Source, Watched};
use kaizen_metrics::{Access, Kept, Prometheus};
use kaizen_settings::{MetricSettings, WatchSettings};
use kaizen_watch::MetricTerms;
use secrecy::SecretString;

use crate::failure::Failure;

/// What is watched after a landing.
#[derive(Clone)]
pub(crate) struct PlannedWatch {
    /// How long.
    pub window: Duration,
    /// How often is looked.
    pub look: Duration,
    /// How many landings may be taken back within a day.
    pub max_rollbacks: u32,
    /// Whether a failed check of the landed commit counts.
    pub checks: bool,
    /// Whether the tests are run on it.
    pub tests: bool,
    /// The metrics, with what is promised about each.
    metrics: Vec<(MetricTerms, MetricSettings)>,
}

/// A command whose numbers are taken all the while.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Sampled {
    /// The metric.
    pub metric: String,
    /// The line for a shell.
    pub command: String,
    /// The time between two samples.
    pub every: Duration,
    /// So many samples are needed at a time.
    pub keep: usize,
}

impl PlannedWatch {
    /// Checks what the settings ask for.
    ///
    /// # Errors
    /// When it cannot be done as it is asked for.
    pub fn of(asked: &WatchSettings) -> Result<Self, Failure> {
        let mut metrics: Vec<(MetricTerms, MetricSettings)> = Vec::new();
        for metric in &asked.metric {
            let terms: MetricTerms = metric.terms.clone().try_into().map_err(|error: toml::de::Error| {
                let why = error.message().trim().replace('\n', " ");
                Failure::input(format!("a metric of the watch cannot be read: {why}"), "README.md shows one")
            })?;
            let message = |error: String| {
                let (what, help) = error.split_once(": ").map_or((error.as_str(), ""), |(what, help)| (what, help));
                Failure::input(what.to_owned(), help.to_owned())
            };
            terms.validate().map_err(|error| message(error.to_string()))?;
            if metrics.iter().any(|(known, _)| known.name == terms.name) {
                return Err(Failure::input(format!("two metrics are called `{}`", terms.name), "rename one of them"));
            }
            if metric.every_secs == 0 {
                return Err(Failure::input(format!("`every_secs` of metric `{}` is 0", terms.name), "use 1 or more"));
            }
            metrics.push((terms, metric.clone()));
        }
        if metrics.is_empty() && !asked.checks && !asked.tests {
            let message = "the watch has no metric, and neither tests nor checks count, so it could see nothing";
            return Err(Failure::input(message, "add [[repository.watch.metric]], `tests = true` or `checks = true`"));
        }
        let watch = Self {
            window: Duration::from_secs(asked.window_secs),
            look: Duration::from_secs(asked.look_secs.max(1)),
            max_rollbacks: asked.max_rollbacks,
            checks: asked.checks,
            tests: asked.tests,
            metrics,
        };
        watch.metrics(Path::new(""))?;
        Ok(watch)
    }

    /// The metrics, ready to be asked for; what is sampled all the while is in a folder.
    ///
    /// # Errors
    /// When a metric has no source, or more than one, or an address cannot be used.
    pub fn metrics(&self, samples: &Path) -> Result<Vec<Watched>, Failure> {
        self.metrics
            .iter()
            .map(|(terms, asked)| Ok(Watched { terms: terms.clone(), source: source(terms, asked, samples)? }))
            .collect()
    }

    /// The commands whose numbers are taken all the while.
    pub fn sampled(&self) -> impl Iterator<Item = Sampled> {
        self.metrics.iter().filter_map(|(terms, asked)| {
            let baseline = terms.baseline.saturating_add(terms.baseline / 2);
            let every = Duration::from_secs(asked.every_secs);
            let window = usize::try_from(self.window.as_secs() / asked.every_secs.max(1)).unwrap_or(usize::MAX);
            Some(Sampled {
                metric: terms.name.clone(),
                command: asked.command.clone()?,
                every,
                // A landing may be watched when its window is nearly over, and its baseline lies before.
                keep: baseline.saturating_add(window).clamp(1000, 1_000_000),
            })
        })
    }
}

fn source(terms: &MetricTerms, asked: &MetricSettings, samples: &Path) -> Result<Source, Failure> {
    let every = Duration::from_secs(asked.every_secs);
    let name = &terms.name;
    match (&asked.prometheus, &asked.query, &asked.command, &asked.bench) {
        (Some(address), Some(query), None, None) => {
            let token = match &asked.token_file {
                Some(file) => Some(token_of(file).map_err(|error| {
                    let message = format!("metric `{name}`: the token file {} cannot be read: {error}", file.display());
                    Failure::input(message, "make it readable for you alone")
                })?),
                None => None,
            };
            let access = Access { plain_http: asked.plain_http, token, ..Access::default() };
            let server = Prometheus::new(address, &access).map_err(|error| {
                let text = error.to_string();
                let (what, help) = text.split_once("; ").unwrap_or((&text, "see README.md"));
                Failure::input(format!("metric `{name}`: {what}"), help.to_owned())
            })?;
            Ok(Source::Prometheus { server, query: query.clone(), control: asked.control.clone(), every })
        }
        (None, None, Some(command), None) if !command.trim().is_empty() && asked.control.is_none() => {
            Ok(Source::Kept { samples: Kept::of(samples, name), every })
        }
        (None, None, None, Some(command)) if !command.trim().is_empty() && asked.control.is_none() => {
            Ok(Source::Bench { command: command.clone() })
        }
        _ => Err(Failure::input(
            format!("metric `{name}` does not have one source"),
            "give it `prometheus` and `query` (and perhaps `control`), or a `command` that prints a number about what \
             runs, or a `bench` that prints one about the repository",
        )),
    }
}

fn token_of(file: &Path) -> std::io::Result<SecretString> {
    Ok(std::fs::read_to_string(file)?.trim().to_owned().into())
}
