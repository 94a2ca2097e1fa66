//! Lets a command of a person print something again and again in the sandbox, in a tree with some changes: numbers of a
//! benchmark, to be compared with those of another tree. Each tree is built by the first run, which does not count.

use std::ffi::OsString;

use crate::base::WarmBase;
use crate::isolation::{Cancel, Exit, TreeChange};
use crate::runner::{Call, Runner, TrialError, mark};

/// Fixed: the command, how often, and the mark come in as arguments. What the first run printed is not of interest, but
/// when it fails the others are spared.
const SCRIPT: &str = r#"( eval "$1" ) >/dev/null || exit
i=0
while [ "$i" -lt "$2" ]; do
  ( eval "$1" ) || exit
  printf '\n%s\n' "$3"
  i=$((i + 1))
done"#;

impl Runner {
    /// What a command printed in each of `times` runs in the tree with `changes`; or, as a text, why it could not.
    ///
    /// # Errors
    /// When the sandbox cannot run it. A command that fails is a result.
    pub fn print_repeatedly(
        &self,
        base: &WarmBase,
        command: &str,
        changes: &[TreeChange],
        times: usize,
        cancel: &Cancel,
    ) -> Result<Result<Vec<String>, String>, TrialError> {
        let mark = mark();
        let args: [OsString; 6] =
            ["-c".into(), SCRIPT.into(), "print".into(), command.into(), times.to_string().into(), mark.clone().into()];
        let call = Call {
            program: "/bin/sh".into(),
            args: args.into(),
            changes: changes.to_vec(),
            warm: false,
            merge_output: false,
            wall: self.settings.build_wall.saturating_add(self.settings.limits.wall),
            ..Call::default()
        };
        let done = self.call(base, call, cancel, &mut |_| {})?;
        let text = String::from_utf8_lossy(&done.stdout);
        let mut runs: Vec<String> = text.split(&mark).map(str::to_owned).collect();
        // What stands after the last mark belongs to no run that ended.
        runs.pop();
        if done.exit == Exit::Code(0) && runs.len() == times {
            return Ok(Ok(runs));
        }
        let said = String::from_utf8_lossy(&done.stderr).into_owned();
        let last = said.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it said nothing").to_owned();
        Ok(Err(format!("it ended by {} in run {} of {times}: {last}", done.exit, runs.len() + 1)))
    }
}
