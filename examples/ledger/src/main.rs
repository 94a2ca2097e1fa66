//! `ledger FILE [--as-of DATE]`: reads entries from a file, or from standard input if FILE is
//! `-`, and prints the report.

use ledger::{Date, import, report};
use std::io::Read;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

const USAGE: &str = "usage: ledger FILE [--as-of DATE]";

struct Arguments {
    file: String,
    as_of: Date,
}

fn arguments(mut words: impl Iterator<Item = String>) -> Result<Arguments, String> {
    let (mut file, mut as_of) = (None, None);
    while let Some(word) = words.next() {
        if word == "--as-of" {
            let text = words.next().ok_or_else(|| USAGE.to_string())?;
            as_of = Some(text.parse().map_err(|reason| format!("--as-of: {reason}"))?);
        } else if file.replace(word).is_some() {
            return Err(USAGE.to_string());
        }
    }
    let file = file.ok_or_else(|| USAGE.to_string())?;
    Ok(Arguments { file, as_of: as_of.unwrap_or_else(|| today()) })
}

fn today() -> Date {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |past| past.as_secs());
    Date::from_unix(seconds)
}

fn read(file: &str) -> Result<String, String> {
    let mut text = String::new();
    let outcome = if file == "-" {
        std::io::stdin().read_to_string(&mut text).map(|_| text)
    } else {
        std::fs::read_to_string(&file)
    };
    outcome.map_err(|error| format!("{file}: {error}"))
}

fn run() -> Result<String, String> {
    let arguments = arguments(std::env::args().skip(1))?;
    let text = read(&arguments.file)?;
    let book = import::parse(&text).map_err(|error| format!("{}: {error}", arguments.file))?;
    Ok(report::render(&book, arguments.as_of))
}

fn main() -> ExitCode {
    match run() {
        Ok(text) => {
            print!("{text}");
            ExitCode::SUCCESS
        }
        Err(message) => {
            eprintln!("ledger: {message}");
            ExitCode::FAILURE
        }
    }
}
