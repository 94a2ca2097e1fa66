//! Runs one cycle on a repository through the library and prints what it hears.
//!
//! `cargo run --example run_cycle -- PATH` works on the repository at PATH; nothing of it moves: what lands, lands on
//! branches `kaizen/..`.

use kaizen::domain::Word;
use kaizen::{CycleTerms, Failure, Notice, Session, SessionOptions};

fn main() -> Result<(), Failure> {
    let repo = std::env::args().nth(1).unwrap_or_else(|| ".".to_owned());
    let runtime = tokio::runtime::Runtime::new().map_err(|error| Failure::fault(error.to_string()))?;
    let session = Session::open(SessionOptions::new(repo))?;
    let cycle = runtime.block_on(session.run_cycle(CycleTerms::default(), |notice| {
        if let Notice::Recorded(record) = notice {
            println!("{:>4}  {}", record.seq, record.event.name());
        }
    }))?;
    for attempt in cycle.attempts.iter().filter(|attempt| attempt.word() == Some(Word::Landed)) {
        if let Some(round) = attempt.current() {
            println!("landed {}  {}", round.patch.id.short(), round.patch.title);
        }
    }
    Ok(())
}
