//! The command line: what can be said, and which command hears it. Errors become words and exit codes here and nowhere
//! else.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand, ValueEnum};
use kaizen_domain::{LandingMode, OpportunityKind, Usd};

use crate::commands;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::session::SessionOptions;

/// Maintain Rust repositories: find what to improve, write the change, prove it in a sandbox, land it
#[derive(Debug, Parser)]
#[command(name = "kaizen", version, after_help = Exit::TABLE, propagate_version = true)]
pub struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Args)]
struct Global {
    /// Print machine-readable lines, one JSON object each
    #[arg(long, global = true)]
    json: bool,
    /// Read this settings file in place of your own
    #[arg(long, global = true, value_name = "FILE")]
    settings: Option<PathBuf>,
    /// Keep state in this directory
    #[arg(long, global = true, value_name = "DIR", env = "KAIZEN_STATE_DIR", hide_env_values = true)]
    state_dir: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct RepoArgs {
    /// Work on the repository that this path lies in
    #[arg(long, value_name = "PATH", default_value = ".")]
    repo: PathBuf,
}

#[derive(Debug, Args)]
struct LandingArgs {
    /// Where landed patches go: branches of Kaizen's own, or your branch
    #[arg(long, value_enum)]
    landing: Option<LandingArg>,
    /// With `--landing merge`: move a clean work tree that has the branch checked out along
    #[arg(long)]
    update_worktree: bool,
    /// Start from this branch or commit instead of HEAD
    #[arg(long, value_name = "REV")]
    base: Option<String>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum LandingArg {
    /// Onto branches `kaizen/..`; nothing of yours moves
    Branch,
    /// Onto your branch, by compare-and-swap
    Merge,
}

impl From<LandingArg> for LandingMode {
    fn from(arg: LandingArg) -> Self {
        match arg {
            LandingArg::Branch => Self::Branch,
            LandingArg::Merge => Self::Merge,
        }
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum KindArg {
    Repair,
    Goal,
    Performance,
    Dependency,
    Cleanup,
    Debt,
}

impl From<KindArg> for OpportunityKind {
    fn from(arg: KindArg) -> Self {
        match arg {
            KindArg::Repair => Self::Repair,
            KindArg::Goal => Self::Goal,
            KindArg::Performance => Self::Performance,
            KindArg::Dependency => Self::Dependency,
            KindArg::Cleanup => Self::Cleanup,
            KindArg::Debt => Self::Debt,
        }
    }
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show a whole cycle on a small example repository
    Demo(DemoArgs),
    /// Run one cycle: collect signals, choose, write, try, land
    RunCycle(RunCycleArgs),
    /// Judge a patch that somebody else wrote: review, trial, decision
    Try(TryArgs),
    /// Land a patch that waits for a person, after trying it again
    Approve(ApproveArgs),
    /// Take a landed patch back, as a commit
    Revert(RevertArgs),
    /// Show what runs, what waits for a person, and how the last cycles ended
    Status(RepoArgs),
    /// List what happened, the newest last
    Log(LogArgs),
    /// Show a cycle, a patch, an opportunity or a trial by the first letters of its id
    Show(ShowArgs),
    /// Print a patch as a diff
    Diff(IdArgs),
    /// Write a commented kaizen.toml, or explain its keys
    Init(InitArgs),
    /// Say what this machine can and cannot do, and how to mend it
    Doctor(DoctorArgs),
    /// Print the completions of a shell
    Completions(CompletionsArgs),
    /// Print the manual page
    Man,
}

#[derive(Debug, Args)]
struct DemoArgs {
    /// Leave the example repository here instead of in a temporary directory
    #[arg(long, value_name = "DIR")]
    into: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct RunCycleArgs {
    #[command(flatten)]
    repo: RepoArgs,
    /// What you want, in your own words (needs a model)
    #[arg(long, value_name = "TEXT")]
    goal: Option<String>,
    /// Look for these kinds of work only
    #[arg(long, value_enum, num_args = 1.., value_delimiter = ',', value_name = "KIND")]
    only: Vec<KindArg>,
    /// Land at most so many patches
    #[arg(long, value_name = "N")]
    max_landings: Option<u32>,
    /// Take up at most so many opportunities
    #[arg(long, value_name = "N")]
    max_opportunities: Option<u32>,
    #[command(flatten)]
    landing: LandingArgs,
    /// Do everything but the landing
    #[arg(long)]
    dry_run: bool,
    /// Spend at most so many dollars on a model
    #[arg(long, value_name = "USD")]
    budget: Option<Usd>,
    /// Go on although tests fail before anything was changed; they are compared one by one
    #[arg(long)]
    allow_failing_base: bool,
}

#[derive(Debug, Args)]
struct TryArgs {
    /// The diff to judge, unified or from git; `-` reads standard input
    #[arg(value_name = "PATCH", required_unless_present = "branch", conflicts_with = "branch")]
    patch: Option<PathBuf>,
    /// Judge what this branch changes instead
    #[arg(long, value_name = "NAME")]
    branch: Option<String>,
    #[command(flatten)]
    repo: RepoArgs,
    #[command(flatten)]
    landing: LandingArgs,
    /// Say what the patch does, as the subject of its commit
    #[arg(long, value_name = "TEXT")]
    message: Option<String>,
}

#[derive(Debug, Args)]
struct ApproveArgs {
    /// The patch, by the first letters of its id
    id: String,
    #[command(flatten)]
    repo: RepoArgs,
    #[command(flatten)]
    landing: LandingArgs,
}

#[derive(Debug, Args)]
struct RevertArgs {
    /// The patch, by the first letters of its id
    id: String,
    #[command(flatten)]
    repo: RepoArgs,
    /// Move a clean work tree that has the branch checked out along
    #[arg(long)]
    update_worktree: bool,
}

#[derive(Debug, Args)]
struct LogArgs {
    #[command(flatten)]
    repo: RepoArgs,
    /// Show at most so many entries
    #[arg(long, value_name = "N", default_value_t = 40)]
    last: usize,
    /// Check the journal's chain from the first record to the last
    #[arg(long)]
    verify: bool,
}

#[derive(Debug, Args)]
struct ShowArgs {
    #[command(flatten)]
    id: IdArgs,
    /// For a cycle: show all opportunities, with impact, risk, cost and confidence
    #[arg(long)]
    opportunities: bool,
    /// For a patch: show everything it was decided on
    #[arg(long)]
    evidence: bool,
}

#[derive(Debug, Args)]
struct IdArgs {
    /// The first letters of the id
    id: String,
}

#[derive(Debug, Args)]
struct InitArgs {
    #[command(flatten)]
    repo: RepoArgs,
    /// Explain the keys of a section, or all, instead of writing a file
    #[arg(long, value_name = "SECTION", num_args = 0..=1, default_missing_value = "")]
    explain: Option<String>,
}

#[derive(Debug, Args)]
struct DoctorArgs {
    #[command(flatten)]
    repo: RepoArgs,
    /// Put a damaged journal aside and begin a new one from what the repository remembers
    #[arg(long)]
    rebuild_journal: bool,
}

#[derive(Debug, Args)]
struct CompletionsArgs {
    /// The shell
    shell: clap_complete::Shell,
}

/// The command line as clap sees it, for completions and the manual.
#[must_use]
pub fn command() -> clap::Command {
    <Cli as clap::CommandFactory>::command()
}

/// Parses, runs, and turns the outcome into an exit code.
#[must_use]
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print();
            return if error.use_stderr() { Exit::Usage.into() } else { Exit::Done.into() };
        }
    };
    trace(cli.global.json);
    let json = cli.global.json;
    match run(cli) {
        Ok(exit) => exit.into(),
        Err(failure) => {
            if json {
                let line = serde_json::json!({"of": "error", "exit": failure.exit as u8, "message": failure.message, "help": failure.help});
                println!("{line}");
            } else {
                eprintln!("{failure}");
            }
            failure.exit.into()
        }
    }
}

fn trace(json: bool) {
    let filter = tracing_subscriber::EnvFilter::try_from_env("KAIZEN_LOG").unwrap_or_else(|_| "error".into());
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    if json { builder.json().init() } else { builder.without_time().init() }
}

fn run(cli: Cli) -> Result<Exit, Failure> {
    let Cli { global, command } = cli;
    let options = |repo: &RepoArgs, base: Option<String>| SessionOptions {
        repo: repo.repo.clone(),
        base,
        settings_file: global.settings.clone(),
        state_dir: global.state_dir.clone(),
    };
    let json = global.json;
    match command {
        Command::Demo(args) => commands::demo::run(args.into, global.state_dir, json),
        Command::RunCycle(args) => {
            let options = options(&args.repo, args.landing.base.clone());
            let allow = args.allow_failing_base;
            commands::run_cycle::run(options, terms(args), allow, json)
        }
        Command::Try(args) => {
            let options = options(&args.repo, args.landing.base.clone());
            let given = match (&args.patch, &args.branch) {
                (_, Some(branch)) => commands::given::Given::Branch(branch.clone()),
                (Some(path), None) => commands::given::Given::File(path.clone()),
                (None, None) => return Err(Failure::input("there is no patch to judge", "name a file, `-`, or `--branch`")),
            };
            let landing = (args.landing.landing.map(Into::into), args.landing.update_worktree);
            commands::given::run(options, given, args.message, landing, json)
        }
        Command::Approve(args) => {
            let options = options(&args.repo, args.landing.base.clone());
            let landing = (args.landing.landing.map(Into::into), args.landing.update_worktree);
            commands::given::run(options, commands::given::Given::Approved(args.id), None, landing, json)
        }
        Command::Revert(args) => commands::revert::run(&options(&args.repo, None), &args.id, args.update_worktree, json),
        Command::Status(args) => commands::status::run(&options(&args, None), json),
        Command::Log(args) => commands::log::run(&options(&args.repo, None), args.last, args.verify, json),
        Command::Show(args) => commands::show::run(global.state_dir, &args.id.id, args.opportunities, args.evidence, json),
        Command::Diff(args) => commands::diff::run(global.state_dir, &args.id, json),
        Command::Init(args) => commands::init::run(&args.repo.repo, args.explain.as_deref()),
        Command::Doctor(args) => commands::doctor::run(&options(&args.repo, None), args.rebuild_journal, json),
        Command::Completions(args) => {
            clap_complete::generate(args.shell, &mut self::command(), "kaizen", &mut std::io::stdout());
            Ok(Exit::Done)
        }
        Command::Man => commands::man::run(),
    }
}

fn terms(args: RunCycleArgs) -> crate::terms::CycleTerms {
    crate::terms::CycleTerms {
        goal: args.goal,
        only: args.only.into_iter().map(Into::into).collect(),
        max_landings: args.max_landings,
        max_opportunities: args.max_opportunities,
        landing: args.landing.landing.map(Into::into),
        update_worktree: args.landing.update_worktree,
        dry_run: args.dry_run,
        budget: args.budget,
        given: None,
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_command_line_is_well_formed() {
        super::command().debug_assert();
    }
}
