//! The repositories that the daemon works for: `[[repository]]` tables in a person's own file.

use std::path::PathBuf;

use kaizen_domain::{LandingMode, OpportunityKind, Usd};
use serde::{Deserialize, Serialize};

use crate::error::SettingsError;

/// The table that they stand in.
pub const KEY: &str = "repository";

/// A repository that the daemon works for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RepositorySettings {
    /// Where it is.
    pub path: PathBuf,
    /// The branch to work on; none: what HEAD is on.
    #[serde(default)]
    pub base: Option<String>,
    /// Where patches land; none: as `landing.mode` says.
    #[serde(default)]
    pub landing: Option<LandingMode>,
    /// With `merge`: whether a clean work tree moves along.
    #[serde(default)]
    pub update_worktree: bool,
    /// The kinds of work; empty: as `cycle.only` says.
    #[serde(default)]
    pub only: Vec<OpportunityKind>,
    /// How many patches a cycle may land or propose; none: as `cycle.max_landings` says.
    #[serde(default)]
    pub max_landings: Option<u32>,
    /// What a cycle may cost; none: as `model.budget_usd` says.
    #[serde(default)]
    pub budget_usd: Option<Usd>,
    /// When cycles run.
    #[serde(default)]
    pub schedule: Vec<ScheduleSettings>,
    /// What is watched after a landing; none: nothing.
    #[serde(default)]
    pub watch: Option<WatchSettings>,
}

/// What is watched after a landing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WatchSettings {
    /// How long, seconds.
    #[serde(default = "day")]
    pub window_secs: u64,
    /// How often is looked, seconds.
    #[serde(default = "minute")]
    pub look_secs: u64,
    /// How many landings may be taken back within a day; more asks a person.
    #[serde(default = "one")]
    pub max_rollbacks: u32,
    /// Whether a failed check of the landed commit counts.
    #[serde(default)]
    pub checks: bool,
    /// Whether the tests are run on the commit that landed: a test that passed on the commit before it and fails counts.
    #[serde(default)]
    pub tests: bool,
    /// The metrics.
    #[serde(default)]
    pub metric: Vec<MetricSettings>,
}

/// A metric that is watched. It has one source: a Prometheus with a query, a command, or a bench.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MetricSettings {
    /// The address of a Prometheus.
    #[serde(default)]
    pub prometheus: Option<String>,
    /// Whether plain http may be spoken with it beyond this machine.
    #[serde(default)]
    pub plain_http: bool,
    /// The file with a token that it wants to see.
    #[serde(default)]
    pub token_file: Option<PathBuf>,
    /// What is asked there; it must come to one series.
    #[serde(default)]
    pub query: Option<String>,
    /// What is asked there about something that a landing cannot change: when it moved as well, something else did it.
    #[serde(default)]
    pub control: Option<String>,
    /// A line for a shell that prints a number about what runs. It is yours: it runs as the daemon does and not in the
    /// sandbox, all the while, so that there are samples from before a landing.
    #[serde(default)]
    pub command: Option<String>,
    /// A line for a shell that prints a number about the repository. It runs in the sandbox, in the tree before and in the
    /// one after the landing, in turn.
    #[serde(default)]
    pub bench: Option<String>,
    /// The time between two samples, seconds: no shorter than the service is scraped. A bench has none.
    #[serde(default = "quarter")]
    pub every_secs: u64,
    /// What is promised about it: name, direction, tolerance, samples, what missing data mean.
    #[serde(flatten)]
    pub terms: toml::Table,
}

fn minute() -> u64 {
    60
}

fn quarter() -> u64 {
    15
}

fn one() -> u32 {
    1
}

/// When cycles run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScheduleSettings {
    /// Its name; none: its place in the list.
    #[serde(default)]
    pub name: Option<String>,
    /// Minute, hour, day of month, month, day of week.
    pub cron: String,
    /// A name of the IANA database, `UTC`, or `local`.
    #[serde(default = "local")]
    pub time_zone: String,
    /// A run begins up to so many seconds after its time.
    #[serde(default)]
    pub jitter_secs: u64,
    /// What becomes of runs that were missed: `skip`, `once` or `all`.
    #[serde(default = "once")]
    pub catch_up: String,
    /// How old a missed run may be that is caught up, seconds.
    #[serde(default = "day")]
    pub catch_up_secs: u64,
    /// The kinds of work; empty: those of the repository.
    #[serde(default)]
    pub only: Vec<OpportunityKind>,
}

fn local() -> String {
    "local".to_owned()
}

fn once() -> String {
    "once".to_owned()
}

fn day() -> u64 {
    24 * 3600
}

/// The repositories of a settings file.
///
/// # Errors
/// When one of them cannot be read; the text says which line and why.
pub fn repositories(text: &str, file: &str) -> Result<Vec<RepositorySettings>, SettingsError> {
    #[derive(Deserialize)]
    struct File {
        #[serde(default)]
        repository: Vec<RepositorySettings>,
    }
    let read: Result<File, toml::de::Error> = toml::from_str(text);
    read.map(|file| file.repository).map_err(|error| {
        let line =
            error.span().and_then(|span| text.get(..span.start)).map_or(0, |before| before.matches('\n').count() + 1);
        SettingsError::Value {
            key: KEY.to_owned(),
            file: file.to_owned(),
            line,
            why: error.message().trim().replace('\n', " "),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repositories_are_read_and_a_wrong_key_is_named_with_its_line() {
        let text = "[cycle]\nmax_landings = 1\n[[repository]]\npath = \"/srv/a\"\nlanding = \"pull-request\"\n\
                    [[repository.schedule]]\ncron = \"0 3 * * *\"\n";
        let read = repositories(text, "kaizen.toml").unwrap();
        assert_eq!(read.len(), 1);
        assert_eq!(
            (read[0].landing, read[0].schedule[0].time_zone.as_str()),
            (Some(LandingMode::PullRequest), "local")
        );
        let error = repositories(&text.replace("cron", "crom"), "kaizen.toml").unwrap_err();
        insta::assert_snapshot!(error, @"`repository` in kaizen.toml, line 7: unknown field `crom`, expected one of `name`, `cron`, `time_zone`, `jitter_secs`, `catch_up`, `catch_up_secs`, `only`");
    }
}
