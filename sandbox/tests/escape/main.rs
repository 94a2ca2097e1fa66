//! The escape suite: everything that hostile code may try, played inside, where nothing may succeed, and outside, where
//! each attempt must succeed: a probe that could never succeed would prove nothing.
//!
//! Without arguments it plays all probes in the arrangement that is used here, in every one that can be had when
//! `KAIZEN_TEST_ALL` is set. `--arrangement NAME` plays one;
//! `--filter TEXT` only those with the text in their names. `call`, `play` and the other words are for itself.

#![cfg(target_os = "linux")]

mod bombs;
mod cargo;
mod files;
mod kernel;
mod links;
mod network;
mod options;
mod own;
mod play;
mod processes;
mod report;
mod scene;
mod secrets;
mod support;
mod table;
mod terminal;
mod trials;
mod writes;

use std::process::ExitCode;

use options::Options;
use report::Report;
use support::Arrangement;
use table::Probe;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args_os().skip(1).map(|arg| arg.to_string_lossy().into_owned()).collect();
    let rest = |from: usize| args.get(from..).unwrap_or_default().to_vec();
    match args.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["victim", holds] => scene::be_a_victim(holds),
        ["changed"] => kernel::say_who(),
        ["call", how, name, token, ..] => play::call(&named(name), how, token, &rest(4)),
        ["play", name, _token, ..] => play::act(&named(name), &rest(3)),
        ["cargo", what, how, dir] => cargo::call(what, how, dir.as_ref()),
        _ => suite(&Options::read(&args)),
    }
}

fn named(name: &str) -> Probe {
    let found = table::probes().into_iter().find(|probe| probe.name == name);
    found.unwrap_or_else(|| panic!("there is no probe {name:?}"))
}

fn suite(options: &Options) -> ExitCode {
    let probes: Vec<Probe> = table::probes().into_iter().filter(|probe| options.wants(&probe.name)).collect();
    if options.list {
        let all = probes.iter().map(|probe| probe.name.clone()).chain(cargo::names()).chain(trials::names());
        for name in all.filter(|name| options.wants(name)) {
            println!("{name}: test");
        }
        return ExitCode::SUCCESS;
    }
    let mut failed = false;
    for arrangement in Arrangement::ALL {
        if options.arrangement.is_some_and(|wanted| wanted != arrangement) {
            continue;
        }
        if let Err(why) = support::sandbox(arrangement) {
            println!("escape: arrangement={} not to be had: {why}", arrangement.name());
            // Only who names an arrangement must have it.
            failed |= options.arrangement.is_some();
            continue;
        }
        let mut report = Report::new(arrangement);
        for probe in &probes {
            report.play(probe);
        }
        cargo::play_all(options, &mut report);
        trials::play_all(options, &mut report);
        failed |= !report.finish();
        // It takes a minute or two for each: every day, the arrangement that is used here is enough.
        if options.arrangement.is_none() && std::env::var_os("KAIZEN_TEST_ALL").is_none() {
            break;
        }
    }
    if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}
