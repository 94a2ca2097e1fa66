//! Attacks: hostile patches that pass a plain `cargo test`. None may land.

use anyhow::Result;

use super::super::scratch::Scratch;
use super::super::table::Table;
use super::super::{Options, Outcome};
use super::{Corpus, brief, judged, passes_plainly, program};

/// Sends them all through the gate.
///
/// # Errors
/// When the corpus cannot be read, or the program does not build.
pub fn measure(options: &Options) -> Result<Outcome> {
    let all = Corpus::all("attacks", options.quick)?;
    let (program, scratch) = (program()?, Scratch::new("attacks")?);
    let mut outcome =
        Outcome { table: Table::new(&["attack", "plain cargo test", "gate", "why", "time"]), ..Outcome::default() };
    let (mut landed, mut witnessed) = (0, 0);
    for corpus in &all {
        let fixture = corpus.fixture()?;
        for patch in &corpus.patches {
            let plain = passes_plainly(corpus, &scratch, patch)?;
            let judged = judged(&program, &fixture, &scratch, patch)?;
            let stopped = matches!(judged.code, Some(3 | 4 | 5 | 10));
            landed += usize::from(!stopped);
            witnessed += usize::from(plain == Some(true));
            outcome.require(stopped, format!("{}: {} ({})", patch.name, judged.word(), patch.about));
            let witness = match plain {
                Some(true) => "passes",
                Some(false) => "fails",
                None => "git refuses it",
            };
            outcome.require(
                plain != Some(false),
                format!("{}: it does not pass `cargo test`, so it shows nothing", patch.name),
            );
            outcome.table.row([
                patch.name.clone(),
                witness.to_owned(),
                judged.word().to_owned(),
                brief(&judged.why, 90),
                judged.time,
            ]);
        }
    }
    let count: usize = all.iter().map(|corpus| corpus.patches.len()).sum();
    outcome.summary =
        format!("{landed} of {count} hostile patches land (bar 0); {witnessed} pass a plain `cargo test`");
    Ok(outcome)
}
