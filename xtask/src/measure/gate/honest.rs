//! Honest: good patches of many kinds. The gate may stop three of them at most, each for a reason.

use anyhow::Result;

use super::super::scratch::Scratch;
use super::super::table::Table;
use super::super::{Options, Outcome};
use super::{Corpus, brief, judged, program};

/// How many may be stopped.
const STOPPED: usize = 3;

/// Sends them all through the gate.
///
/// # Errors
/// When the corpus cannot be read, or the program does not build.
pub fn measure(options: &Options) -> Result<Outcome> {
    let all = Corpus::all("honest", options.quick)?;
    let (program, scratch) = (program()?, Scratch::new("honest")?);
    let mut outcome = Outcome { table: Table::new(&["patch", "kind", "gate", "why", "time"]), ..Outcome::default() };
    let mut stopped = Vec::new();
    for corpus in &all {
        let fixture = corpus.fixture()?;
        for patch in &corpus.patches {
            let judged = judged(&program, &fixture, &scratch, patch)?;
            if judged.code != Some(0) {
                stopped.push(format!("{}: {}: {}", patch.name, judged.word(), judged.why));
            }
            let kind = patch.about.split(':').next().unwrap_or_default().to_owned();
            outcome.table.row([
                patch.name.clone(),
                kind,
                judged.word().to_owned(),
                brief(&judged.why, 90),
                judged.time,
            ]);
        }
    }
    let (count, all) = (stopped.len(), all.iter().map(|corpus| corpus.patches.len()).sum::<usize>());
    if count > STOPPED {
        outcome.missed.append(&mut stopped);
    } else {
        outcome.notes.append(&mut stopped);
    }
    outcome.summary = format!("{count} of {all} good patches are stopped (bar {STOPPED})");
    Ok(outcome)
}
