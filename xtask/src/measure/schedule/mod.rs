//! Schedule: years of many repositories on a simulated clock, with changes of the clocks in zones all over the world,
//! restarts, crashes, outages, and clocks that are wrong. Every look at the clock is held against an oracle that steps
//! through the year minute by minute; beside it croner goes through the same year alone.

mod daemon;
mod oracle;
mod pace;
mod peer;
mod world;

use std::time::Instant;

use anyhow::{Result, anyhow};

use self::daemon::Found;
use self::pace::Paced;
use self::world::{Entry, World};
use super::dice::Dice;
use super::samples::shown;
use super::table::Table;
use super::{Options, Outcome};

/// Repositories of a year.
const REPOSITORIES: u64 = 50;

/// Measures it.
///
/// # Errors
/// When the terms of a year are refused.
pub fn measure(options: &Options) -> Result<Outcome> {
    let years: u64 = if options.quick { 1 } else { 4 };
    let header = [
        "seed",
        "nominal times",
        "looks",
        "restarts",
        "run",
        "caught up",
        "left out",
        "missed",
        "doubled",
        "wrong",
        "croner: missed",
        "doubled",
        "wrong times",
        "opened",
        "landed",
        "over the limit",
        "held up",
    ];
    let mut outcome = Outcome { table: Table::new(&header), ..Outcome::default() };
    let started = Instant::now();
    let (mut all, mut paced) = (Found::default(), Paced::default());
    for seed in options.seed..options.seed + years {
        let (found, pace) = year(seed)?;
        eprintln!("seed {seed}: {} looks, {}", found.looks, shown(started.elapsed()));
        outcome.table.row(cells(&seed.to_string(), &found, &pace));
        all.add(found);
        paced.add(pace);
    }
    outcome.table.row(cells("all", &all, &paced));
    outcome.notes.push(
        "left out: by the policy, after outages and leaps of the clock; missed: to be run by the oracle, and not run; \
         wrong: any answer that is not the oracle's"
            .to_owned(),
    );
    outcome.notes.push(
        "croner alone asks at each look for what follows the last one, and after a restart for what follows then; wrong \
         times: those of a year without any outage that are not the oracle's"
            .to_owned(),
    );
    outcome.require(all.missed == 0, format!("{} runs missed beyond the policy", all.missed));
    outcome.require(all.doubled == 0, format!("{} runs doubled", all.doubled));
    outcome.require(all.wrong == 0, format!("{} wrong answers: {}", all.wrong, all.first_wrong.unwrap_or_default()));
    let first = paced.first.unwrap_or_default();
    outcome.require(paced.exceeded == 0, format!("pacing exceeded {} times: {first}", paced.exceeded));
    outcome.require(paced.held_up == 0, format!("held up without a reason {} times: {first}", paced.held_up));
    outcome.require(all.run > 0 && all.left_out > 0 && paced.landed > 0, "too little happened");
    outcome.summary = format!(
        "{years} years of {REPOSITORIES} repositories, {} runs: {} missed beyond the policy, {} doubled; {} openings and {} \
         landings: {} over the limit (bar 0)",
        all.run, all.missed, all.doubled, paced.opened, paced.landed, paced.exceeded
    );
    Ok(outcome)
}

fn cells(name: &str, found: &Found, paced: &Paced) -> Vec<String> {
    let counts = [
        found.nominal,
        found.looks,
        found.restarts,
        found.run,
        found.caught_up,
        found.left_out,
        found.missed,
        found.doubled,
        found.wrong,
        found.peer_missed,
        found.peer_doubled,
        found.peer_differs,
        paced.opened,
        paced.landed,
        paced.exceeded,
        paced.held_up,
    ];
    std::iter::once(name.to_owned()).chain(counts.map(|count| count.to_string())).collect()
}

/// All repositories of a year, dealt out to the processors.
fn year(seed: u64) -> Result<(Found, Paced)> {
    let world = World::new(REPOSITORIES, &mut Dice(seed));
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    let deal = |worker: usize| -> Result<(Found, Paced)> {
        let (mut found, mut paced) = (Found::default(), Paced::default());
        for (at, entry) in world.entries.iter().enumerate().skip(worker).step_by(workers) {
            let (one, pace) = repository(entry, &world, seed, at)?;
            found.add(one);
            paced.add(pace);
        }
        Ok((found, paced))
    };
    std::thread::scope(|scope| {
        let deal = &deal;
        let threads: Vec<_> = (0..workers).map(|worker| scope.spawn(move || deal(worker))).collect();
        let (mut found, mut paced) = (Found::default(), Paced::default());
        for thread in threads {
            let (some, pace) = thread.join().map_err(|_| anyhow!("a thread of the simulation panicked"))??;
            found.add(some);
            paced.add(pace);
        }
        Ok((found, paced))
    })
}

/// One repository; what chance does to it does not depend on the others.
fn repository(entry: &Entry, world: &World, seed: u64, at: usize) -> Result<(Found, Paced)> {
    let mut dice = Dice(seed.wrapping_mul(1_000_003).wrapping_add(at as u64));
    Ok((daemon::live(entry, world, &mut dice)?, pace::live(&entry.terms.time_zone, &mut dice)?))
}
