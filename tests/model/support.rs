//! What the tests of the model share: a repository with a failing test and a finding, scripts, and the program.

use std::sync::Mutex;

use kaizen_testkit::scripted_model::ReceivedRequest;
use kaizen_testkit::{Fixture, Program, Ran, Reply, ScriptedModel, SettingsText};

/// The key of the model. It looks like no key that a scanner knows, so that only knowing it helps against it.
pub const KEY: &str = "canary/4d7e/19b2";
/// The variable that holds it.
const KEY_NAME: &str = "KAIZEN_TEST_KEY";

/// A library with one failing test, and with one finding that clippy knows how to change.
pub const BROKEN: &str = r#"//! Sums over lists.

/// The mean of the numbers, rounded down; none for an empty list.
pub fn mean(numbers: &[u32]) -> Option<u32> {
    let sum: u32 = numbers.iter().sum();
    let count = numbers.len() as u32 + 1;
    sum.checked_div(count)
}

/// A number with its label.
pub fn label(number: u32) -> String {
    return format!("no. {number}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mean_of_equal_numbers_is_the_number() {
        assert_eq!(mean(&[6, 6, 6]), Some(6));
    }

    #[test]
    fn a_label_names_its_number() {
        assert_eq!(label(3), "no. 3");
    }
}
"#;

/// The line that is wrong in it.
pub const WRONG: &str = "    let count = numbers.len() as u32 + 1;\n";
/// What it should be.
pub const RIGHT: &str = "    let count = numbers.len() as u32;\n";
/// The only source file.
pub const LIB: &str = "src/lib.rs";

/// The program under test.
pub fn kaizen() -> Program {
    Program::at(env!("CARGO_BIN_EXE_kaizen")).env(KEY_NAME, KEY)
}

/// Runs a cycle to its end. Whatever came of it, the key has gone nowhere but into the header that is there for it.
pub fn run_cycle(fixture: &Fixture, server: &ScriptedModel, args: &[&str]) -> Ran {
    let ran = kaizen().run_cycle(fixture, args);
    the_key_stayed(fixture, server, &format!("{}{}", ran.stdout, ran.stderr));
    ran
}

/// Looks for the key in what was printed, in every byte that Kaizen keeps, and in what was sent.
pub fn the_key_stayed(fixture: &Fixture, server: &ScriptedModel, printed: &str) {
    assert!(!printed.contains(KEY), "the key was printed: {printed}");
    let state = fixture.all_state();
    assert!(!state.is_empty(), "there is a state directory to look through");
    assert!(!state.windows(KEY.len()).any(|bytes| bytes == KEY.as_bytes()), "the key is in the state directory");
    for request in server.requests() {
        assert_eq!(request.header("authorization"), Some(format!("Bearer {KEY}").as_str()));
        assert!(!request.body.to_string().contains(KEY), "the key is in a prompt");
    }
}

/// A repository with this library, and settings that name the server.
pub fn fixture(lib: &str, server: &ScriptedModel) -> Fixture {
    let fixture = Fixture::tiny(lib);
    fixture.settings(&settings(server));
    fixture
}

/// Settings that name the server, with prices at which a scripted answer costs 3 * 100 + 15 * 50 millionths.
pub fn settings(server: &ScriptedModel) -> SettingsText {
    SettingsText::default().model(&server.base_url()).prices("3", "15").text("model", "key_env", KEY_NAME)
}

/// What is asked for: a plan or a patch, by the form that the answer should have.
pub fn asks_for(request: &ReceivedRequest) -> &str {
    request.body["response_format"]["json_schema"]["name"].as_str().unwrap_or_default()
}

/// A server that answers each question for a plan with `plan`, and those for patches one by one.
pub fn planner(plan: String, patches: impl IntoIterator<Item = Reply>) -> ScriptedModel {
    let patches = Mutex::new(patches.into_iter().collect::<std::collections::VecDeque<_>>());
    ScriptedModel::start_with(move |request| match asks_for(request) {
        "plan" => Reply::text(plan.clone()),
        _ => {
            let next = patches.lock().expect("no script panics").pop_front();
            next.unwrap_or_else(|| Reply::error(404, "the script has no patch left"))
        }
    })
}

/// The requests for patches, in order.
pub fn patch_requests(server: &ScriptedModel) -> Vec<ReceivedRequest> {
    server.requests().into_iter().filter(|request| asks_for(request) == "patch").collect()
}
