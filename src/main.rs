//! The door: parse, run, end with an exit code. Everything behind it can be called and tested without a process.

use std::process::ExitCode;

fn main() -> ExitCode {
    kaizen::cli::main()
}
