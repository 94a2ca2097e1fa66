//! Language models: what holds when one behaves as badly as it can. The models are scripted servers on loopback; the
//! program, the repositories, git and cargo are real.

pub mod gateway;
pub mod injection;
pub mod replay;
pub mod runaway;
pub mod transport;

use std::path::PathBuf;

use anyhow::Result;
use kaizen_testkit::scripted_model::ReceivedRequest;
use kaizen_testkit::{Program, ScriptedModel, SettingsText};

use super::program::build;

/// The key of the model. No scanner knows what it looks like.
pub(super) const KEY: &str = "canary/4d7e/19b2";
const KEY_NAME: &str = "KAIZEN_MEASURE_KEY";
/// The only source file.
pub(super) const LIB: &str = "src/lib.rs";
/// The line that is wrong in it, and what it should be.
pub(super) const WRONG: &str = "    let count = numbers.len() as u32 + 1;\n";
/// What it should be.
pub(super) const RIGHT: &str = "    let count = numbers.len() as u32;\n";

/// A library with one failing test.
pub(super) fn broken(about: &str) -> String {
    format!(
        "//! {about}\n\n/// The mean of the numbers, rounded down; none for an empty list.\npub fn mean(numbers: &[u32]) -> Option<u32> {{\n    \
         let sum: u32 = numbers.iter().sum();\n{WRONG}    sum.checked_div(count)\n}}\n\n#[cfg(test)]\nmod tests {{\n    use super::*;\n\n    \
         #[test]\n    fn the_mean_of_equal_numbers_is_the_number() {{\n        assert_eq!(mean(&[6, 6, 6]), Some(6));\n    }}\n}}\n"
    )
}

/// The program, built as it is shipped.
pub(super) fn program() -> Result<Program> {
    let exe: PathBuf = build("kaizen", "kaizen")?;
    Ok(Program::at(exe).env(KEY_NAME, KEY))
}

/// Settings that name the server, at three and fifteen dollars for a million tokens.
pub(super) fn settings(server: &ScriptedModel) -> SettingsText {
    SettingsText::default().model(&server.base_url()).prices("3", "15").text("model", "key_env", KEY_NAME)
}

/// What is asked for: a plan or a patch.
pub(super) fn asks_for(request: &ReceivedRequest) -> &str {
    request.body["response_format"]["json_schema"]["name"].as_str().unwrap_or_default()
}
