//! Kaizen's own share of a trial: what of it is neither cargo nor the compiler, the linker, build scripts or tests.
//!
//! What is judged is the time on the clock, which is what somebody waits for: the whole call, without the time in which
//! at least one of these is at work. Beside it stands processor time: what this process used, and for the sandbox's own
//! processes, which work one after the other while nothing else does, the same time on the clock, which they cannot
//! exceed; of the processor time of the whole trial.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use kaizen_sandbox::Cancel;

use super::super::corpus::repository;
use super::super::samples::{Samples, shown};
use super::super::scratch::Scratch;
use super::super::table::Table;
use super::super::{Options, Outcome, os};
use super::peer::Peer;
use super::{MUTANTS, Ours, Verdict, changes, crates, usual_limits};

/// The crates.
const USUAL: &[&str] = &["roman@0.2.2", "heck@0.5.0", "url@2.5.8", "semver@1.0.28"];
const QUICK: &[&str] = &["roman@0.2.2"];
/// What it may be of a trial, and what it may be at most.
const BARS: (f64, Duration) = (0.05, Duration::from_millis(150));

/// Measures it.
///
/// # Errors
/// When a crate cannot be prepared or tried.
pub fn measure(options: &Options) -> Result<Outcome> {
    let scratch = Scratch::new("trial-own")?;
    let peer = Peer::install()?;
    let header = [
        "crate",
        "trial, median",
        "own on the clock",
        "longest",
        "of a trial",
        "own processor time",
        "of a trial",
        "samples",
    ];
    let mut outcome = Outcome { table: Table::new(&header), ..Outcome::default() };
    let (mut most_share, mut most_processor, mut longest): (f64, f64, Duration) = (0.0, 0.0, Duration::ZERO);
    for name in &crates(options, if options.quick { QUICK } else { USUAL })? {
        eprintln!("{name}");
        let tree = scratch.join(name.to_string());
        repository(name, &tree)?;
        let mutants = peer.mutants(&tree, MUTANTS)?.list;
        let ours = Ours::prepare(&scratch.join("state"), &name.to_string(), &tree, usual_limits())
            .with_context(|| name.to_string())?;
        let cancel = Cancel::new()?;
        let (mut walls, mut clock, mut used) = (Samples::default(), Samples::default(), Samples::default());
        let mut processor = Duration::ZERO;
        for mutant in &mutants {
            let changes = changes(&tree, mutant)?;
            let before = os::own_time_now();
            let found = ours.try_changes(&changes, &cancel)?;
            let here = os::own_time_now().saturating_sub(before);
            // A mutant that never ends would make any share small.
            if ours.verdict(&found.report) == Verdict::NeverEnds {
                continue;
            }
            let own = found.wall.saturating_sub(found.working);
            walls.add(found.wall);
            clock.add(own);
            used.add(own + here);
            processor += here + Duration::from_millis(found.report.cpu.0);
        }
        ensure!(walls.count() > 0, "{name}: no mutant ended");
        let share = |own: &Samples, all: Duration| own.total().as_secs_f64() / all.as_secs_f64().max(1e-9);
        let (by_clock, by_processor) = (share(&clock, walls.total()), share(&used, processor));
        outcome.table.row([
            name.to_string(),
            shown(walls.median()),
            shown(clock.median()),
            shown(clock.max()),
            percent(by_clock),
            shown(used.median()),
            percent(by_processor),
            walls.count().to_string(),
        ]);
        outcome.require(by_clock <= BARS.0, format!("{name}: {} of a trial", percent(by_clock)));
        most_share = most_share.max(by_clock);
        most_processor = most_processor.max(by_processor);
        for (own, by) in [(&clock, "on the clock"), (&used, "processor time")] {
            outcome.require(own.max() <= BARS.1, format!("{name}: {} in one trial, {by}", shown(own.max())));
            longest = longest.max(own.max());
        }
    }
    outcome
        .notes
        .push("on the clock: while no step of cargo, compiler, linker, build scripts or tests is at work".to_owned());
    outcome.notes.push(
        "processor time: of this process, and of the sandbox's own processes no more than the time on the clock in which \
         nothing else works; together an upper bound, of all processor time of the trials"
            .to_owned(),
    );
    outcome.summary = format!(
        "{} of a trial on the worst crate (at most {} of its processor time), {} in the worst trial (bars {} and {})",
        percent(most_share),
        percent(most_processor),
        shown(longest),
        percent(BARS.0),
        shown(BARS.1)
    );
    Ok(outcome)
}

fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}
