//! The command line's outer edge: which command hears what was said, and how an error becomes words and an exit code.

use std::io::IsTerminal as _;
use std::process::ExitCode;

use clap::Parser as _;

use crate::arguments::{Cli, Command, ModelsAction, PromptAction, ReportArgs, RunCycleArgs};
use crate::commands;
use crate::commands::given::Given;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output;

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
                output::json(&serde_json::json!({
                    "of": "error", "exit": failure.exit as u8, "message": failure.message, "help": failure.help,
                }));
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
    let builder = builder.with_ansi(std::io::stderr().is_terminal());
    if json { builder.json().init() } else { builder.without_time().init() }
}

fn run(cli: Cli) -> Result<Exit, Failure> {
    let Cli { global, command } = cli;
    let json = global.json;
    match command {
        Command::Demo(args) => commands::demo::run(args.into, global.state_dir, json),
        Command::RunCycle(args) => {
            let options = args.repo.session(&global, args.landing.base.clone());
            let allow = args.allow_failing_base;
            commands::run_cycle::run(options, terms(args), allow, json)
        }
        Command::Try(args) => {
            let options = args.repo.session(&global, args.landing.base.clone());
            let given = match (args.patch, args.branch) {
                (_, Some(branch)) => Given::Branch(branch),
                (Some(path), None) => Given::File(path),
                (None, None) => {
                    return Err(Failure::input("there is no patch to judge", "name a file, `-`, or `--branch`"));
                }
            };
            let landing = (args.landing.mode(), args.landing.update_worktree);
            commands::given::run(options, given, args.message, landing, &args.reports, json)
        }
        Command::Approve(args) => {
            let options = args.repo.session(&global, args.landing.base.clone());
            let landing = (args.landing.mode(), args.landing.update_worktree);
            commands::given::run(options, Given::Approved(args.id), None, landing, &ReportArgs::default(), json)
        }
        Command::Reject(args) => commands::reject::run(args.repo.session(&global, None), &args.id, &args.reason, json),
        Command::Revert(args) => {
            commands::revert::run(&args.repo.session(&global, None), &args.id, args.update_worktree, json)
        }
        Command::Status(args) => commands::status::run(&args.repo.session(&global, None), args.follow, json),
        Command::Daemon(args) => commands::daemon::run(args, global),
        Command::PullRequests(args) => commands::pull_requests::run(args.repo.session(&global, None), args.list, json),
        Command::Models(args) => {
            let test = matches!(args.action, Some(ModelsAction::Test));
            commands::models::run(args.repo.session(&global, None), test, json)
        }
        Command::Replay(args) => commands::replay::run(args.repo.session(&global, None), &args.id.id, json),
        Command::Prompt(args) => {
            let PromptAction::Show(args) = args.action;
            commands::prompt::show(args.repo.session(&global, None), &args.id.id, args.plan, json)
        }
        Command::Log(args) => commands::log::run(&args.repo.session(&global, None), args.last, args.verify, json),
        Command::Show(args) => {
            commands::show::run(global.state_dir, &args.id.id, args.opportunities, args.evidence, json)
        }
        Command::Diff(args) => commands::diff::run(global.state_dir, &args.id, json),
        Command::Verify(args) => {
            let options = args.repo.session(&global, None);
            commands::verify::run(options, args.commit.as_deref(), args.key.as_deref(), json)
        }
        Command::Init(args) => commands::init::run(&args.repo.repo, args.explain.as_deref(), json),
        Command::Doctor(args) => commands::doctor::run(&args.repo.session(&global, None), args.rebuild_journal, json),
        Command::Completions(args) => {
            // Into memory first: the generator does not survive a reader that goes away.
            let mut text = Vec::new();
            clap_complete::generate(args.shell, &mut self::command(), "kaizen", &mut text);
            output::text(&String::from_utf8_lossy(&text));
            Ok(Exit::Done)
        }
        Command::Man(args) => commands::man::run(args.command.as_deref()),
    }
}

fn terms(args: RunCycleArgs) -> crate::terms::CycleTerms {
    crate::terms::CycleTerms {
        landing: args.landing.mode(),
        update_worktree: args.landing.update_worktree,
        goal: args.goal,
        only: args.only.into_iter().map(Into::into).collect(),
        max_landings: args.max_landings,
        max_opportunities: args.max_opportunities,
        dry_run: args.dry_run,
        budget: args.budget,
        given: None,
        start: None,
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_command_line_is_well_formed() {
        super::command().debug_assert();
    }
}
