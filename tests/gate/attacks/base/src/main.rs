//! `stall FILE` prints the receipt for a basket.

use stall::{parse, receipt::Receipt};
use std::{env, fs, process::ExitCode};

fn run(path: &str) -> Result<String, String> {
    let text = fs::read_to_string(path).map_err(|error| format!("{path}: {error}"))?;
    let lines = parse::parse_basket(&text).map_err(|error| format!("{path}: {error}"))?;
    Ok(Receipt::new(lines, "stall").to_string())
}

fn main() -> ExitCode {
    let Some(path) = env::args().nth(1) else {
        eprintln!("usage: stall FILE");
        return ExitCode::from(2);
    };
    match run(&path) {
        Ok(text) => {
            print!("{text}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("stall: {error}");
            ExitCode::FAILURE
        }
    }
}
