//! The story of a cycle as it happens: events in, lines out. The state is folded from the same events the journal
//! holds, so a story told while a cycle runs and one told afterwards are the same.

pub mod lines;
pub mod markdown;
pub mod outcome;
pub mod paint;
pub mod pull_requests;
pub mod sarif;
pub mod summary;
pub mod wrap;

use std::io::IsTerminal as _;
use std::time::Instant;

use indicatif::{ProgressBar, ProgressStyle};
use kaizen_agents::Notice;
use kaizen_agents::pull_requests::told::Told;
use kaizen_domain::cycle::CycleEvent;
use kaizen_domain::{AttemptEvent, Cycle, CycleId, Event, OpportunityId, PatchSource, Record, TrialOutcome};
use kaizen_settings::FailingTests;

use crate::output;
use crate::session::Session;
use crate::story::paint::Paint;

/// How a story is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Voice {
    /// To a person at a terminal: colour, and a line that shows what is being done.
    Terminal,
    /// Plain lines.
    Plain,
    /// One JSON object a line.
    Json,
}

impl Voice {
    /// The voice for standard output.
    #[must_use]
    pub fn choose(json: bool) -> Self {
        match (json, std::io::stdout().is_terminal()) {
            (true, _) => Self::Json,
            (false, true) => Self::Terminal,
            (false, false) => Self::Plain,
        }
    }
}

/// How much of a story is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// One line a result.
    Brief,
    /// With the patches as diffs and with what was measured.
    Full,
}

/// Tells a cycle as it happens.
pub struct Story {
    voice: Voice,
    detail: Detail,
    paint: Paint,
    /// What the header says about the repository and its work tree.
    place: lines::Place,
    /// Whether tests that fail before anything was changed are no reason to stop.
    compares: bool,
    cycle: Option<Cycle>,
    bar: Option<ProgressBar>,
    started: Instant,
}

impl Story {
    /// The story of a session's next cycle.
    #[must_use]
    pub fn new(voice: Voice, detail: Detail, session: &Session) -> Self {
        let bar = (voice == Voice::Terminal).then(|| {
            let bar = ProgressBar::new_spinner();
            let style = ProgressStyle::with_template("  {spinner:.dim} {msg:.dim} {elapsed:.dim}");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
            bar.enable_steady_tick(std::time::Duration::from_millis(120));
            bar
        });
        let place = lines::Place { name: session.repo().name(), dirty: session.condition().dirty };
        let compares = session.settings.base.failing_tests == FailingTests::Compare;
        Self {
            voice,
            detail,
            compares,
            paint: Paint::new(voice == Voice::Terminal),
            place,
            cycle: None,
            bar,
            started: Instant::now(),
        }
    }

    /// Tells what became of a pull request.
    pub fn pull_request(&mut self, told: &Told) {
        if self.voice == Voice::Json {
            self.say(&pull_requests::json(told).to_string());
        } else {
            let lines = pull_requests::lines(&self.paint, told);
            lines.iter().for_each(|line| self.say(line));
        }
    }

    /// Hears a notice and tells what it is worth.
    pub fn hear(&mut self, notice: &Notice) {
        match notice {
            Notice::Recorded(record) if self.voice == Voice::Json => {
                if let Ok(line) = serde_json::to_string(record) {
                    self.say(&line);
                }
            }
            Notice::Recorded(record) => self.record(record),
            Notice::Progress { opportunity, what } => self.progress(*opportunity, what),
            Notice::Restarted { actor, reason } => {
                if self.voice == Voice::Json {
                    self.say(&serde_json::json!({"of": "restarted", "actor": actor, "reason": reason}).to_string());
                } else {
                    self.say(&format!("  restarted the {actor}: {}", lines::shown(reason)));
                }
            }
        }
    }

    /// Says that a cycle goes on which was cut off, under the terms it was started with.
    pub fn goes_on(&self, id: CycleId) {
        if self.voice == Voice::Json {
            self.say(&serde_json::json!({"of": "resumed", "cycle": id}).to_string());
        } else {
            self.say(&format!("cycle {} was cut off and goes on, as it was asked for then", id.short()));
        }
    }

    /// Takes the moving line away.
    pub fn end(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }

    fn record(&mut self, record: &Record) {
        let Event::Cycle { cycle: id, event } = &record.event else { return };
        let next = match (self.cycle.take(), event) {
            (_, CycleEvent::Started { request }) => Ok(Cycle::new(*id, request.clone())),
            (Some(cycle), event) if cycle.id == *id => cycle.next(event),
            (other, _) => {
                self.cycle = other;
                return;
            }
        };
        match next {
            Ok(cycle) => {
                self.tell(&cycle, event);
                self.cycle = Some(cycle);
            }
            Err(error) => tracing::warn!(%error, "the story lost its thread"),
        }
    }

    fn tell(&mut self, cycle: &Cycle, event: &CycleEvent) {
        let engines = cycle.request.source == PatchSource::Engines;
        match event {
            CycleEvent::Started { .. } => {
                self.started = Instant::now();
                self.say(&lines::header(&self.paint, &self.place, cycle));
                if let Some(line) = lines::given(&self.paint, cycle) {
                    self.say(&line);
                }
            }
            CycleEvent::BaseTried { report } => {
                self.say(&lines::base(&self.paint, report));
                self.say_all(lines::failing(report));
                if self.compares && report.outcome == TrialOutcome::Ran && report.failing().next().is_some() {
                    self.say(lines::COMPARED);
                }
            }
            // A patch that somebody else wrote is all there is to see and to choose from.
            CycleEvent::Ranked { .. } if !engines => self.say(""),
            CycleEvent::Collected { .. } if !engines => {}
            CycleEvent::Collected { signals, .. } if cycle.collections == 1 => {
                self.say(&lines::signals(&self.paint, signals))
            }
            CycleEvent::Collected { signals, .. } if !signals.is_empty() => {
                self.say(&lines::again(&self.paint, signals))
            }
            CycleEvent::Ranked { opportunities, chosen, .. } => {
                if let Some(line) = lines::chosen(&self.paint, cycle, opportunities, chosen) {
                    self.say(&line);
                }
                if self.detail == Detail::Full {
                    self.say_all(lines::opportunities(opportunities, chosen));
                }
            }
            CycleEvent::Attempt { opportunity, what } => self.tell_attempt(cycle, *opportunity, what),
            CycleEvent::TipMoved { to } => {
                self.say(&format!("  the branch moved to {}; measuring again on it", to.short()))
            }
            CycleEvent::Finished => self.say(&summary::summary(&self.paint, cycle, self.started.elapsed())),
            CycleEvent::Learned { .. } | CycleEvent::Collected { .. } | CycleEvent::Failed { .. } => {}
        }
    }

    fn tell_attempt(&mut self, cycle: &Cycle, id: OpportunityId, what: &AttemptEvent) {
        let Some(attempt) = cycle.attempt(id) else { return };
        if self.detail == Detail::Full {
            self.say_all(lines::detail(&self.paint, cycle, attempt, what));
        }
        if attempt.word().is_some() {
            self.say_all(outcome::lines(&self.paint, cycle, attempt));
        }
    }

    fn progress(&self, opportunity: Option<OpportunityId>, what: &str) {
        let Some(bar) = &self.bar else { return };
        let which = match (opportunity, &self.cycle) {
            (Some(id), Some(cycle)) => {
                let title = cycle.opportunity(id).map_or("", |opportunity| opportunity.title.as_str());
                format!("{}/{} {} · ", cycle.number(id), cycle.attempts.len(), lines::shown(title))
            }
            (None, Some(cycle)) if cycle.base_report.is_some() => "looking · ".to_owned(),
            _ => "base · ".to_owned(),
        };
        bar.set_message(format!("{which}{}", lines::shown(what)));
    }

    fn say_all(&self, lines: Vec<String>) {
        lines.iter().for_each(|line| self.say(line));
    }

    fn say(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| output::line(line)),
            None => output::line(line),
        }
    }
}
