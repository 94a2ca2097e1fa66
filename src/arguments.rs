//! What can be said on the command line. Help, completions and the manual all come from here.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use kaizen_domain::{LandingMode, OpportunityKind, Usd};

use crate::exit::Exit;
use crate::session::SessionOptions;

/// Maintain Rust repositories: find what to improve, write the change, prove it in a sandbox, land it
#[derive(Debug, Parser)]
#[command(name = "kaizen", version, after_help = Exit::TABLE, subcommand_required = true, arg_required_else_help = true)]
pub struct Cli {
    /// What holds for every command.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What holds for every command.
#[derive(Debug, Args)]
#[command(next_help_heading = "Everywhere")]
pub struct Global {
    /// Print machine-readable lines, one JSON object each
    #[arg(long, global = true, display_order = 900)]
    pub json: bool,
    /// Read this settings file in place of your own
    #[arg(long, global = true, value_name = "FILE", display_order = 901)]
    pub settings: Option<PathBuf>,
    /// Keep state in this directory, in place of the one that KAIZEN_STATE_DIR names
    #[arg(long, global = true, value_name = "DIR", display_order = 902)]
    pub state_dir: Option<PathBuf>,
}

/// Which repository.
#[derive(Debug, Args)]
pub struct RepoArgs {
    /// Work on the repository that this path lies in
    #[arg(long, value_name = "PATH", default_value = ".")]
    pub repo: PathBuf,
}

impl RepoArgs {
    /// The options of a session on this repository.
    #[must_use]
    pub fn session(&self, global: &Global, base: Option<String>) -> SessionOptions {
        SessionOptions {
            repo: self.repo.clone(),
            base,
            settings_file: global.settings.clone(),
            state_dir: global.state_dir.clone(),
        }
    }
}

/// Where patches land.
#[derive(Debug, Args)]
pub struct LandingArgs {
    /// Where landed patches go: branches of Kaizen's own, your branch, or pull requests
    #[arg(long, value_enum, value_name = "WHERE")]
    pub landing: Option<LandingArg>,
    /// With `--landing merge`: move a clean work tree that has the branch checked out along
    #[arg(long)]
    pub update_worktree: bool,
    /// Start from this branch or commit instead of HEAD
    #[arg(long, value_name = "REV")]
    pub base: Option<String>,
}

impl LandingArgs {
    /// The mode that was asked for.
    #[must_use]
    pub fn mode(&self) -> Option<LandingMode> {
        self.landing.map(Into::into)
    }
}

/// Where landed patches go.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum LandingArg {
    /// Onto branches `kaizen/..`; nothing of yours moves
    Branch,
    /// Onto your branch, by compare-and-swap
    Merge,
    /// Onto branches of their own, each proposed on the forge of the repository's remote
    PullRequest,
}

impl From<LandingArg> for LandingMode {
    fn from(arg: LandingArg) -> Self {
        match arg {
            LandingArg::Branch => Self::Branch,
            LandingArg::Merge => Self::Merge,
            LandingArg::PullRequest => Self::PullRequest,
        }
    }
}

/// A kind of work.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum KindArg {
    /// Builds and tests that fail (tests need a model)
    Repair,
    /// What `--goal` asks for (needs a model)
    Goal,
    /// What can be faster
    Performance,
    /// Dependencies that nothing uses, or that are there twice
    Dependency,
    /// Findings of the compiler and of clippy
    Cleanup,
    /// Notes marked TODO and FIXME (needs a model)
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

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show a whole cycle on a small example repository
    Demo(DemoArgs),
    /// Run one cycle: collect signals, choose, write, try, land
    RunCycle(RunCycleArgs),
    /// Judge a patch that somebody else wrote: review, trial, decision
    Try(TryArgs),
    /// Land a patch that waits for a person, after trying it again
    Approve(ApproveArgs),
    /// Turn down a patch that waits for a person, for good
    Reject(RejectArgs),
    /// Take a landed patch back, as a commit
    Revert(RevertArgs),
    /// Show what runs, what waits for a person, and how the last cycles ended
    Status(StatusArgs),
    /// Look after the pull requests: answer reviews, follow the branch, open what waits
    PullRequests(PullRequestsArgs),
    /// Work for the repositories of your settings file, on their schedules, until stopped
    Daemon(DaemonArgs),
    /// List the language models, what they cost and how they did, or try each
    Models(ModelsArgs),
    /// Show what a model would be sent
    Prompt(PromptArgs),
    /// Run a recorded cycle again with the answers of then, and compare; nothing is sent
    Replay(ReplayArgs),
    /// List what happened, the newest last
    Log(LogArgs),
    /// Show a cycle, a patch, an opportunity or a trial by the first letters of its id
    Show(ShowArgs),
    /// Print a patch as a diff
    Diff(IdArgs),
    /// Check the signed evidence on a commit that Kaizen landed; no network, no model
    Verify(VerifyArgs),
    /// Write a commented kaizen.toml, or explain its keys
    Init(InitArgs),
    /// Say what this machine can and cannot do, and how to mend it
    Doctor(DoctorArgs),
    /// Print the completions of a shell
    Completions(CompletionsArgs),
    /// Print the manual page, of the program or of one command
    Man(ManArgs),
}

/// `kaizen demo`.
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// Leave the example repository here instead of in a temporary directory
    #[arg(long, value_name = "DIR")]
    pub into: Option<PathBuf>,
}

/// `kaizen run-cycle`.
#[derive(Debug, Args)]
pub struct RunCycleArgs {
    /// Which repository.
    #[command(flatten)]
    pub repo: RepoArgs,
    /// What you want, in your own words (needs a model)
    #[arg(long, value_name = "TEXT")]
    pub goal: Option<String>,
    /// Look for these kinds of work only
    #[arg(long, value_enum, num_args = 1.., value_delimiter = ',', value_name = "KIND")]
    pub only: Vec<KindArg>,
    /// Land at most so many patches
    #[arg(long, value_name = "N")]
    pub max_landings: Option<u32>,
    /// Take up at most so many opportunities
    #[arg(long, value_name = "N")]
    pub max_opportunities: Option<u32>,
    /// Where patches land.
    #[command(flatten)]
    pub landing: LandingArgs,
    /// Do everything but the landing
    #[arg(long)]
    pub dry_run: bool,
    /// Spend at most so many dollars on a model
    #[arg(long, value_name = "USD")]
    pub budget: Option<Usd>,
    /// Go on although tests fail before anything was changed; they are compared one by one
    #[arg(long)]
    pub allow_failing_base: bool,
}

/// `kaizen try`.
#[derive(Debug, Args)]
pub struct TryArgs {
    /// The diff to judge, unified or from git; `-` reads standard input
    #[arg(value_name = "PATCH", required_unless_present = "branch", conflicts_with = "branch")]
    pub patch: Option<PathBuf>,
    /// Judge what this branch changes instead
    #[arg(long, value_name = "NAME")]
    pub branch: Option<String>,
    /// Which repository.
    #[command(flatten)]
    pub repo: RepoArgs,
    /// Where patches land.
    #[command(flatten)]
    pub landing: LandingArgs,
    /// Say what the patch does, as the subject of its commit
    #[arg(long, value_name = "TEXT")]
    pub message: Option<String>,
    /// Where the judgement is written to, besides the terminal.
    #[command(flatten)]
    pub reports: ReportArgs,
}

/// Where a judgement is written to.
#[derive(Debug, Clone, Default, Args)]
pub struct ReportArgs {
    /// Write what was found to this file, as SARIF 2.1.0
    #[arg(long, value_name = "FILE")]
    pub sarif: Option<PathBuf>,
    /// Append a summary in Markdown to this file, such as $GITHUB_STEP_SUMMARY
    #[arg(long, value_name = "FILE")]
    pub summary: Option<PathBuf>,
}

/// `kaizen approve`.
#[derive(Debug, Args)]
pub struct ApproveArgs {
    /// The patch, by the first letters of its id
    pub id: String,
    /// Which repository.
    #[command(flatten)]
    pub repo: RepoArgs,
    /// Where patches land.
    #[command(flatten)]
    pub landing: LandingArgs,
}

/// `kaizen reject`.
#[derive(Debug, Args)]
pub struct RejectArgs {
    /// The patch, by the first letters of its id
    pub id: String,
    /// Why; it is kept, and the same is not proposed again
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
    /// Which repository.
    #[command(flatten)]
    pub repo: RepoArgs,
}

/// `kaizen revert`.
#[derive(Debug, Args)]
pub struct RevertArgs {
    /// The patch, by the first letters of its id
    pub id: String,
    /// Which repository.
    #[command(flatten)]
    pub repo: RepoArgs,
    /// Move a clean work tree that has the branch checked out along
    #[arg(long)]
    pub update_worktree: bool,
}

/// `kaizen daemon`.
#[derive(Debug, Args)]
pub struct DaemonArgs {
    /// What else than working.
    #[command(subcommand)]
    pub action: Option<DaemonAction>,
}

/// What else `kaizen daemon` can do.
#[derive(Debug, Subcommand)]
pub enum DaemonAction {
    /// Write a unit for systemd, hardened
    Install(InstallArgs),
}

/// `kaizen daemon install`.
#[derive(Debug, Args)]
pub struct InstallArgs {
    /// For the whole machine instead of for you
    #[arg(long)]
    pub system: bool,
    /// Print it instead of writing it
    #[arg(long)]
    pub print: bool,
}

/// `kaizen pull-requests`.
#[derive(Debug, Args)]
pub struct PullRequestsArgs {
    /// Which repository.
    #[command(flatten)]
    pub repo: RepoArgs,
    /// Only show how they stand, from the journal; ask nobody
    #[arg(long)]
    pub list: bool,
}

/// `kaizen status`.
#[derive(Debug, Args)]
pub struct StatusArgs {
    /// Which repository.
    #[command(flatten)]
    pub repo: RepoArgs,
    /// Go on showing what happens in the running daemon
    #[arg(long)]
    pub follow: bool,
}

/// `kaizen models`.
#[derive(Debug, Args)]
pub struct ModelsArgs {
    /// Which repository.
    #[command(flatten)]
    pub repo: RepoArgs,
    /// What else than listing.
    #[command(subcommand)]
    pub action: Option<ModelsAction>,
}

/// What else `kaizen models` can do.
#[derive(Debug, Subcommand)]
pub enum ModelsAction {
    /// Ask each model one small question and say what works; it costs a fraction of a cent
    Test,
}

/// `kaizen prompt`.
#[derive(Debug, Args)]
pub struct PromptArgs {
    /// What about it.
    #[command(subcommand)]
    pub action: PromptAction,
}

/// What `kaizen prompt` can do.
#[derive(Debug, Subcommand)]
pub enum PromptAction {
    /// Print exactly what would be sent about an opportunity, with its tokens and its price; nothing is sent
    Show(PromptShowArgs),
}

/// `kaizen prompt show`.
#[derive(Debug, Args)]
pub struct PromptShowArgs {
    /// Which opportunity.
    #[command(flatten)]
    pub id: IdArgs,
    /// Which repository.
    #[command(flatten)]
    pub repo: RepoArgs,
    /// The Architect's question for a plan, also when there is one already
    #[arg(long)]
    pub plan: bool,
}

/// `kaizen replay`.
#[derive(Debug, Args)]
pub struct ReplayArgs {
    /// Which cycle.
    #[command(flatten)]
    pub id: IdArgs,
    /// Which repository.
    #[command(flatten)]
    pub repo: RepoArgs,
}

/// `kaizen verify`.
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// The commit, or a name of one
    #[arg(required_unless_present = "print_key")]
    pub commit: Option<String>,
    /// Check by this public key, or the one in this file, in place of this installation's
    #[arg(long, value_name = "KEY", conflicts_with = "print_key")]
    pub key: Option<String>,
    /// Print the public key of this installation, for others to check by
    #[arg(long)]
    pub print_key: bool,
    /// Which repository.
    #[command(flatten)]
    pub repo: RepoArgs,
}

/// `kaizen log`.
#[derive(Debug, Args)]
pub struct LogArgs {
    /// Which repository.
    #[command(flatten)]
    pub repo: RepoArgs,
    /// Show at most so many entries
    #[arg(long, value_name = "N", default_value_t = 40)]
    pub last: usize,
    /// Check the journal's chain from the first record to the last
    #[arg(long)]
    pub verify: bool,
}

/// `kaizen show`.
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// Which thing.
    #[command(flatten)]
    pub id: IdArgs,
    /// For a cycle: show all opportunities, with impact, risk, cost and confidence
    #[arg(long)]
    pub opportunities: bool,
    /// For a patch: show everything it was decided on
    #[arg(long)]
    pub evidence: bool,
}

/// A thing by its id.
#[derive(Debug, Args)]
pub struct IdArgs {
    /// The first letters of the id
    pub id: String,
}

/// `kaizen init`.
#[derive(Debug, Args)]
pub struct InitArgs {
    /// Which repository.
    #[command(flatten)]
    pub repo: RepoArgs,
    /// Explain the keys of a section, or all, instead of writing a file
    #[arg(long, value_name = "SECTION", num_args = 0..=1, default_missing_value = "")]
    pub explain: Option<String>,
}

/// `kaizen doctor`.
#[derive(Debug, Args)]
pub struct DoctorArgs {
    /// Which repository.
    #[command(flatten)]
    pub repo: RepoArgs,
    /// Put a damaged journal aside and begin a new one from what the repository remembers
    #[arg(long)]
    pub rebuild_journal: bool,
}

/// `kaizen completions`.
#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// The shell
    pub shell: clap_complete::Shell,
}

/// `kaizen man`.
#[derive(Debug, Args)]
pub struct ManArgs {
    /// The command whose page is wanted, such as `run-cycle`
    pub command: Option<String>,
}
