//! Pull requests: the whole path from a finding to a merge, on each forge, with the real program and pushes to a real git
//! remote. What counts is that every step works, that nothing that is sent is against the published contracts, that a
//! pull request holds nothing but its change, and that no secret is seen anywhere.

mod acts;
pub mod crash;
mod path;
mod secrets;
mod stand;
mod world;

use anyhow::Result;
use kaizen_forgestand::Cache;
use kaizen_forgestand::scripted::Dialect;

use super::program::Program;
use super::scratch::Scratch;
use super::table::Table;
use super::{Options, Outcome};
use path::Step;
use stand::{Kind, Stand};

/// The forges, and what stands in for them.
const FORGES: [(&str, Kind); 4] = [
    ("GitHub: emulate", Kind { dialect: Dialect::GitHub, emulated: true, contract: true, nginx: true }),
    ("GitHub: ours", Kind { dialect: Dialect::GitHub, emulated: false, contract: true, nginx: true }),
    ("Forgejo: ours", Kind { dialect: Dialect::Forgejo, emulated: false, contract: true, nginx: true }),
    ("GitLab: ours", Kind { dialect: Dialect::GitLab, emulated: false, contract: false, nginx: true }),
];

/// What was found, over all.
#[derive(Debug, Default)]
struct Sum {
    works: usize,
    steps: usize,
    requests: usize,
    violations: usize,
    stray: usize,
    secrets: usize,
}

/// Measures it.
///
/// # Errors
/// When a counterpart cannot be installed or started, or does not do what a person asks of it.
pub fn measure(options: &Options) -> Result<Outcome> {
    let scratch = Scratch::new("pull-requests")?;
    let cache = Cache::at(&crate::root().join("target/forgestand"));
    let program = Program::release(&scratch)?;
    let header = ["forge", "step", "works", "requests", "git requests", "violations", "stray files", "secrets seen"];
    let mut outcome = Outcome { table: Table::new(&header), ..Outcome::default() };
    let mut sum = Sum::default();
    let forges = if options.quick { &FORGES[1..2] } else { &FORGES[..] };
    for (name, kind) in forges {
        eprintln!("{name}");
        let stand = Stand::set(&scratch, &name.replace([':', ' '], ""), *kind, &cache)?;
        walk(&stand, name, &program, &mut outcome, &mut sum)?;
    }
    let Sum { works, steps, requests, violations, stray, secrets } = sum;
    for (count, what) in [(violations, "violations"), (stray, "stray files"), (secrets, "places with a secret")] {
        outcome.require(count == 0, format!("{count} {what}"));
    }
    outcome.notes.extend(
        [
            "emulate is somebody else's GitHub behind GitHub's contract; pushes are mirrored to it by a hook; it does not \
             move a pull request's head with its branch and has no statuses; there, only requests are held to the contract",
            "\"ours\" is the scripted forge in the dialect named, behind GitHub's and Forgejo's contracts by prism; \
             for GitLab no contract is published that is used here",
            "every push and fetch goes to git http-backend behind nginx, with a token",
        ]
        .map(str::to_owned),
    );
    outcome.summary = format!(
        "{works} of {steps} steps work, {requests} requests, {violations} violations, {stray} stray files, \
         {secrets} secrets seen (bars: all, 0, 0, 0)"
    );
    Ok(outcome)
}

/// Takes every step on one forge.
fn walk(stand: &Stand, name: &str, program: &Program, outcome: &mut Outcome, sum: &mut Sum) -> Result<()> {
    let mut told: std::collections::BTreeSet<String> = Default::default();
    for step in Step::ALL {
        let (calls, pushes) = (stand.calls().len(), stand.git_log().len());
        let done = path::take(stand, program, step)?;
        let asked = stand.calls().split_off(calls);
        let git = stand.git_log().len() - pushes;
        let mut violations = Vec::new();
        for call in &asked {
            // What the emulator answers is not the program's doing.
            let ours = call.violations.iter().filter(|said| !stand.kind.emulated || said.starts_with("request"));
            violations.extend(ours.map(|said| format!("{} {}: {said}", call.method, call.target)));
        }
        let mut stray = Vec::new();
        for pull in stand.pulls()?.iter().filter(|pull| pull.state != "merged") {
            stray.extend(stand.stray(pull));
        }
        let secrets = secrets::seen(stand, &done.printed)?;
        outcome.table.row([
            name.to_owned(),
            step.name().to_owned(),
            if done.wrong.is_empty() { "yes" } else { "no" }.to_owned(),
            asked.len().to_string(),
            git.to_string(),
            if stand.kind.contract { violations.len().to_string() } else { "-".to_owned() },
            stray.len().to_string(),
            secrets.len().to_string(),
        ]);
        outcome.require(done.wrong.is_empty(), format!("{name}, {}: {}", step.name(), done.wrong.join("; ")));
        for text in violations.iter().chain(&stray).chain(&secrets) {
            if told.insert(text.clone()) {
                outcome.notes.push(format!("{name}, {}: {text}", step.name()));
            }
        }
        sum.steps += 1;
        sum.works += usize::from(done.wrong.is_empty());
        sum.requests += asked.len();
        sum.violations += violations.len();
        sum.stray += stray.len();
        sum.secrets += secrets.len();
        eprintln!("  {}: {}", step.name(), if done.wrong.is_empty() { "works" } else { "does not work" });
        done.wrong.iter().for_each(|wrong| eprintln!("    {wrong}"));
        if step == Step::Open && !done.wrong.is_empty() {
            outcome.require(false, format!("{name}: nothing was opened, so nothing follows"));
            sum.steps += Step::ALL.len() - 1;
            return Ok(());
        }
    }
    Ok(())
}
