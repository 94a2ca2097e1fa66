//! The path: what happens to pull requests from their opening to their end, a step at a time. Each step is what people
//! do on the forge, one run of the program, and what must be there afterwards.

use anyhow::{Context, Result};
use serde_json::Value;

use super::super::program::Program;
use super::super::run::{Ended, tail};
use super::stand::{ENDING, SOURCE, SPACE, Stand};

/// The check that fails.
const CHECK: &str = "ci / windows";

/// A step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// A cycle writes patches, and each becomes a pull request.
    Open,
    /// A person asks why, and is answered.
    Comment,
    /// A person asks to close one.
    Close,
    /// A person asks for another change.
    Revise,
    /// A check fails, and is repaired.
    RedCheck,
    /// The branch that they go to moves, and they follow.
    BaseMoved,
    /// A person merges one.
    Merge,
}

impl Step {
    /// All of them, in their order.
    pub const ALL: [Self; 7] =
        [Self::Open, Self::Comment, Self::Close, Self::Revise, Self::RedCheck, Self::BaseMoved, Self::Merge];

    /// Its name for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Comment => "comment answered",
            Self::Close => "closed when asked",
            Self::Revise => "changed when asked",
            Self::RedCheck => "red check repaired",
            Self::BaseMoved => "base moved",
            Self::Merge => "merged",
        }
    }

    /// What the program is run with.
    pub fn command(self) -> &'static [&'static str] {
        if self == Self::Open { &["run-cycle"] } else { &["pull-requests"] }
    }
}

/// What became of a step.
#[derive(Debug, Default)]
pub struct Done {
    /// What is not as it should be.
    pub wrong: Vec<String>,
    /// All that the program printed.
    pub printed: String,
}

impl Done {
    fn require(&mut self, holds: bool, otherwise: impl FnOnce() -> String) {
        if !holds {
            self.wrong.push(otherwise());
        }
    }
}

/// What people do before the program is run.
///
/// # Errors
/// When the forge does not let them.
pub fn people(stand: &Stand, step: Step) -> Result<()> {
    match step {
        Step::Open => {}
        Step::Comment => {
            stand.say(1, "Why is that?\n/kaizen explain")?;
            stand.say(1, "/kaizen sing")?;
        }
        Step::Close => stand.say(3, "/kaizen close")?,
        Step::Revise => stand.say(4, "/kaizen revise Write the space as U+0020, please.")?,
        Step::RedCheck => stand.fail(&tip(stand, 1)?, CHECK, "assertion failed: ending() is \"\\n\"")?,
        Step::BaseMoved => {
            // What the fourth one proposes is there afterwards, so that it is not needed any more.
            let lib = if stand.kind.emulated { SOURCE.to_owned() } else { stand.source(&tip(stand, 4)?) };
            stand.upstream("Say more", &lib.replace("//! Sums.", "//! Sums of all kinds."));
        }
        Step::Merge => stand.merge(2)?,
    }
    Ok(())
}

/// Takes a step.
///
/// # Errors
/// When the forge does not do what a person asks of it.
pub fn take(stand: &Stand, program: &Program, step: Step) -> Result<Done> {
    let mut done = Done::default();
    people(stand, step)?;
    run(stand, program, step, &mut done)?;
    look(stand, program, step, &mut done)?;
    if !done.wrong.is_empty() {
        let told: Vec<&str> = done.printed.lines().filter(|line| !line.contains("DEBUG")).collect();
        done.wrong.push(format!("it said: {}", tail(&told.join("\n"))));
    }
    Ok(done)
}

/// Looks whether a step did what it should.
///
/// # Errors
/// When the forge or the program does not say.
pub fn look(stand: &Stand, program: &Program, step: Step, done: &mut Done) -> Result<()> {
    match step {
        Step::Open => {
            let pulls = stand.pulls()?;
            done.require(pulls.len() == 4, || format!("{} pull requests in place of 4", pulls.len()));
            for pull in &pulls {
                let here = stand.bare.tip(&pull.branch);
                done.require(pull.state == "open", || format!("{} is {}", pull.title, pull.state));
                done.require(here.as_ref() == Some(&pull.head), || format!("{} is at another commit", pull.branch));
                for part in ["What was wrong", "What changed", "2 of 2 tests pass", "by a program"] {
                    done.require(pull.body.contains(part), || format!("the body lacks {part:?}"));
                }
            }
        }
        Step::Comment => {
            one_comment(stand, 1, "Why this change", done)?;
            one_comment(stand, 1, "I do not know `sing`", done)?;
        }
        Step::Close => closed(stand, 3, done)?,
        Step::Revise => {
            changed(stand, 4, done)?;
            let source = stand.source(&tip(stand, 4)?);
            done.require(source.contains(SPACE.1), || "what was asked for is not on the branch".to_owned());
        }
        Step::RedCheck => {
            changed(stand, 1, done)?;
            let source = stand.source(&tip(stand, 1)?);
            done.require(source.contains(ENDING.1), || "the repair is not on the branch".to_owned());
        }
        Step::BaseMoved => {
            let (main, head) = (stand.bare.tip("main").unwrap_or_default(), tip(stand, 2)?);
            done.require(stand.bare.is_ancestor(&main, &head), || "the branch does not follow".to_owned());
            changed(stand, 2, done)?;
            if !stand.kind.emulated {
                closed(stand, 4, done)?;
            }
        }
        Step::Merge => {
            let stages = stages(stand, program)?;
            let merged = stages.iter().any(|(number, stage)| *number == 2 && stage == "merged");
            done.require(merged, || format!("the program does not know: {stages:?}"));
        }
    }
    Ok(())
}

fn run(stand: &Stand, program: &Program, step: Step, done: &mut Done) -> Result<()> {
    let Ended { status, stdout, stderr, .. } =
        program.run(&stand.place, &stand.args(step.command())?).env("KAIZEN_LOG", "debug").end()?;
    done.require(status.success(), || format!("the program ended with {status}: {}", tail(&stderr)));
    done.printed = stdout + &stderr;
    Ok(())
}

fn tip(stand: &Stand, number: u64) -> Result<String> {
    let branch = stand.pull(number)?.branch;
    stand.bare.tip(&branch).with_context(|| format!("there is no branch {branch}"))
}

fn one_comment(stand: &Stand, number: u64, part: &str, done: &mut Done) -> Result<()> {
    let said = stand.said(number)?;
    let ours = said.iter().filter(|(author, text)| author == "kaizen-bot" && text.contains(part)).count();
    done.require(ours == 1, || format!("{ours} comments say {part:?} below {number}: {said:?}"));
    Ok(())
}

/// Its branch moved, and that was said once.
fn changed(stand: &Stand, number: u64, done: &mut Done) -> Result<()> {
    one_comment(stand, number, "Changed: now at", done)
}

/// It is closed, and why was said once.
fn closed(stand: &Stand, number: u64, done: &mut Done) -> Result<()> {
    let state = stand.pull(number)?.state;
    done.require(state == "closed", || format!("{number} is {state}"));
    one_comment(stand, number, "I close this", done)
}

/// How the program thinks that each stands.
///
/// # Errors
/// When it does not say.
pub fn stages(stand: &Stand, program: &Program) -> Result<Vec<(u64, String)>> {
    let listed = program.run(&stand.place, &stand.args(&["pull-requests", "--list", "--json"])?).succeed()?;
    let lines = listed.stdout.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut stages: Vec<(u64, String)> = lines
        .filter(|line| line["of"] == "pull_request")
        .map(|line| (line["number"].as_u64().unwrap_or(0), line["stage"].as_str().unwrap_or_default().to_owned()))
        .collect();
    stages.sort();
    Ok(stages)
}
