//! Breaker: what a call through the circuit breaker of the model client costs while all is well, and how many of 64 callers
//! at once get through when it has been open, beside three published breakers in the same run. The code that is measured is
//! a program of its own (`benches/breaker`), since the peers are nobody's dependency.

use anyhow::{Context as _, Result};
use serde_json::Value;

use super::run::{Run, cargo};
use super::table::Table;
use super::{Options, Outcome};

/// What a call may cost.
const BAR: u64 = 100;
const REPEATS: [usize; 2] = [10_000, 400];

/// Measures it.
///
/// # Errors
/// When the program does not build or says something else.
pub fn measure(options: &Options) -> Result<Outcome> {
    let root = crate::root();
    let repeats = REPEATS[usize::from(options.quick)];
    let manifest = root.join("benches/breaker/Cargo.toml");
    let manifest = manifest.to_string_lossy().into_owned();
    let args = ["run", "--release", "--locked", "--quiet", "--manifest-path", &manifest, "--", &repeats.to_string()];
    let target = root.join("target/benches");
    let ended = Run::new(cargo(), &root).args(args).env("CARGO_TARGET_DIR", &target).told().succeed()?;
    let header = ["breaker", "a call", "of ours", "times slow calls", "callers through, least", "most", "repeats"];
    let mut outcome = Outcome { table: Table::new(&header), ..Outcome::default() };
    let found: Vec<Value> = ended.stdout.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let ours = found.iter().find(|one| one["name"] == "kaizen").context("the benchmark said nothing of ours")?;
    let nanos = ours["nanos"].as_u64().context("a cost")?;
    for one in &found {
        let cost = one["nanos"].as_u64().unwrap_or(0);
        let name = one["name"].as_str().unwrap_or_default();
        let times = name.starts_with("kaizen") || name.starts_with("tower");
        outcome.table.row([
            name.to_owned(),
            format!("{cost} ns"),
            format!("{:.2}", cost as f64 / nanos.max(1) as f64),
            if times { "yes" } else { "no" }.to_owned(),
            one["least"].to_string(),
            one["most"].to_string(),
            one["repeats"].to_string(),
        ]);
    }
    let exact = ours["least"] == 1 && ours["most"] == 1;
    outcome.notes.push("each opens after three failures and lets one probe through; the cost is the median of 15 batches of 100,000 calls".to_owned());
    outcome.require(found.len() == 4, format!("{} of 4 breakers were measured", found.len()));
    outcome.require(nanos < BAR, format!("a call costs {nanos} ns"));
    outcome.require(exact, format!("{} to {} of 64 callers probed", ours["least"], ours["most"]));
    outcome.summary = format!(
        "{nanos} ns a call when closed (bar {BAR}); {} of 64 callers probe, {repeats} times (bar exactly 1)",
        ours["most"]
    );
    Ok(outcome)
}
