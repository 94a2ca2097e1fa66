//! Counts the instructions that a program takes, where valgrind is installed: a number that hardly depends on what else
//! the machine does.

use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use kaizen_domain::RelPath;

use crate::base::WarmBase;
use crate::isolation::{Cancel, Exit, TreeChange};
use crate::runner::{Call, Runner, TrialError};

/// Where it is, on the host as inside: programs of the system are seen there at their own places.
const VALGRIND: &str = "/usr/bin/valgrind";
/// Without caches and branches only instructions are counted. Nothing is kept, and nobody can ask it anything meanwhile.
const OPTIONS: [&str; 4] = ["--tool=cachegrind", "--cache-sim=no", "--vgdb=no", "--cachegrind-out-file=/dev/null"];
/// What the program is called inside.
const NAME: &str = "kaizen_counted";

impl Runner {
    /// How many instructions a program takes from its start to its end; none where they cannot be counted, or not
    /// within `wall`.
    ///
    /// # Errors
    /// When the sandbox cannot run it.
    pub fn count_instructions(
        &self,
        base: &WarmBase,
        program: &[u8],
        wall: Duration,
        cancel: &Cancel,
    ) -> Result<Option<u64>, TrialError> {
        if !Path::new(VALGRIND).exists() {
            return Ok(None);
        }
        let Ok(path) = RelPath::below(&base.folder, NAME) else { return Ok(None) };
        let mut args: Vec<OsString> = OPTIONS.map(OsString::from).into();
        args.push(base.inside(path.as_str()).into());
        let changes = vec![TreeChange::Write { path, bytes: program.to_vec(), executable: true }];
        let call = Call { program: VALGRIND.into(), args, changes, wall, ..Call::default() };
        let done = self.call(base, call, cancel, &mut |_| {})?;
        let count = counted(&String::from_utf8_lossy(&done.stderr));
        Ok(count.filter(|count| done.exit == Exit::Code(0) && *count > 0))
    }
}

/// The count in `==123== I   refs:      45,529,524`. The last one: before it the program may have printed anything.
fn counted(said: &str) -> Option<u64> {
    said.lines().rev().find_map(|line| {
        let (what, count) = line.strip_prefix("==")?.split_once("== ")?.1.split_once("refs:")?;
        let digits: String = count.trim().chars().filter(|c| *c != ',').collect();
        (what.trim() == "I").then(|| digits.parse().ok()).flatten()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_count_is_read_as_all_versions_write_it() {
        let old = "==9338== Command: ./a\n==9338== \n--9338-- warning: specified LL cache\n==9338== I   refs:      45,529,524\n";
        assert_eq!(counted(old), Some(45_529_524));
        assert_eq!(counted("==1== I refs:        1,234\n==7== I refs:        12"), Some(12));
        assert_eq!(counted("==7== D   refs:      5\n==7== I refs: many\nI refs: 5\n"), None);
        assert_eq!(counted(""), None);
    }
}
