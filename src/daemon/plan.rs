//! The plan: what the settings file asks of the daemon, read and checked as a whole. A plan that cannot be used is refused
//! with its reason, and the one before stays.

use std::path::PathBuf;

use jiff::tz::TimeZone;
use kaizen_domain::{LandingMode, OpportunityKind, Timestamp};
use kaizen_schedule::{CatchUp, Pacing, Schedule, ScheduleTerms, collisions};
use kaizen_settings::{Layer, Origin, RepositorySettings, Settings, load, repositories};

use crate::daemon::DaemonOptions;
use crate::daemon::planned_watch::PlannedWatch;
use crate::desk;
use crate::failure::Failure;
use crate::project;

/// What the daemon is to do.
#[derive(Clone)]
pub(crate) struct Plan {
    /// The file as it was read.
    pub text: String,
    /// The settings of the file, without those of repositories.
    pub settings: Settings,
    /// The repositories.
    pub repositories: Vec<Planned>,
}

/// A repository that is worked for.
#[derive(Clone)]
pub(crate) struct Planned {
    /// What the file says.
    pub settings: RepositorySettings,
    /// Its key in the journal.
    pub key: String,
    /// Its name for people.
    pub name: String,
    /// `owner/name` on its forge, when it has one.
    pub full_name: Option<String>,
    /// Where patches land.
    pub landing: LandingMode,
    /// How fast it may be changed.
    pub pacing: Pacing,
    /// What is watched after a landing.
    pub watch: Option<PlannedWatch>,
    /// When cycles run, with the kinds of work.
    pub schedules: Vec<(Schedule, Vec<OpportunityKind>)>,
}

impl Plan {
    /// Reads and checks the file.
    ///
    /// # Errors
    /// When anything in it cannot be used.
    pub fn read(options: &DaemonOptions) -> Result<Self, Failure> {
        let file = options.settings.display().to_string();
        let text = std::fs::read_to_string(&options.settings).map_err(|error| {
            Failure::input(
                format!("the settings file {file} cannot be read: {error}"),
                "write one with [[repository]] tables, or name another with `--settings`; README.md shows one",
            )
        })?;
        let layer = Layer { file: file.clone(), text: text.clone(), origin: Origin::Own };
        let settings = load(&[layer])?;
        let mut planned: Vec<Planned> = Vec::new();
        for asked in repositories(&text, &file)? {
            let one = Planned::of(asked, &settings)?;
            if let Some(other) = planned.iter().find(|other| other.key == one.key) {
                return Err(Failure::input(
                    format!(
                        "{} and {} are the same repository",
                        other.settings.path.display(),
                        one.settings.path.display()
                    ),
                    "put its schedules below one [[repository]]",
                ));
            }
            planned.push(one);
        }
        if planned.is_empty() {
            return Err(Failure::input(
                format!("{file} names no repository to work for"),
                "add one: `[[repository]]`, `path = \"...\"`, and below it `[[repository.schedule]]`, `cron = \"0 3 * * *\"`",
            ));
        }
        Ok(Self { text, settings, repositories: planned })
    }
}

impl Planned {
    fn of(asked: RepositorySettings, settings: &Settings) -> Result<Self, Failure> {
        let repo = project::open(&asked.path)?;
        let local = TimeZone::system();
        let mut schedules = Vec::new();
        for (at, terms) in asked.schedule.iter().enumerate() {
            let name = terms.name.clone().unwrap_or_else(|| format!("schedule-{}", at + 1));
            let catch_up = match terms.catch_up.as_str() {
                "skip" => CatchUp::Skip,
                "once" => CatchUp::Once,
                "all" => CatchUp::All,
                other => {
                    let message = format!("schedule `{name}`: `catch_up = {other:?}` is no policy");
                    return Err(Failure::input(message, "it is skip, once or all"));
                }
            };
            let parsed = ScheduleTerms {
                cron: terms.cron.clone(),
                time_zone: terms.time_zone.clone(),
                jitter_secs: terms.jitter_secs,
                catch_up,
                catch_up_secs: terms.catch_up_secs,
                ..ScheduleTerms::default()
            };
            let schedule = Schedule::parse(&repo.key(), &name, &parsed, &local)
                .map_err(|error| Failure::input(format!("{}: {error}", asked.path.display()), error.help()))?;
            schedules.push((schedule, terms.only.clone()));
        }
        let alone: Vec<Schedule> = schedules.iter().map(|(schedule, _)| schedule.clone()).collect();
        if let Some(collision) = collisions(&alone, now()).first() {
            return Err(Failure::input(format!("{}: {collision}", asked.path.display()), collision.help()));
        }
        let landing = asked.landing.unwrap_or(settings.landing.mode);
        let full_name = desk::remote(&repo, settings).ok().map(|remote| format!("{}/{}", remote.owner, remote.name));
        if landing == LandingMode::PullRequest {
            // What cannot work at all is said now and not at three in the morning.
            desk::connect(&desk::remote(&repo, settings)?, &settings.forge)?;
        }
        Ok(Self {
            key: repo.key(),
            name: repo.name(),
            full_name,
            landing,
            pacing: desk::pacing(settings)?,
            watch: asked.watch.as_ref().map(PlannedWatch::of).transpose()?,
            schedules,
            settings: asked,
        })
    }

    /// Where it is.
    pub fn path(&self) -> PathBuf {
        self.settings.path.clone()
    }
}

/// The time.
pub(crate) fn now() -> Timestamp {
    use kaizen_agents::Clock as _;
    kaizen_agents::SystemClock.now()
}
