//! Builds the benchmarks of a repository in a tree, as `cargo bench` does, and takes the programs out: they are run
//! elsewhere, beside those of another tree.

use std::ffi::OsString;

use crate::base::WarmBase;
use crate::cargo_json::Artifacts;
use crate::isolation::{Cancel, Exit, TreeChange};
use crate::metadata::{BenchTarget, Package};
use crate::progress::Progress;
use crate::runner::{Call, Runner, TrialError, mark};

/// Fixed: what differs comes in as arguments. A benchmark that does not build keeps no other from being built, which
/// `cargo bench` itself has no way to say. Incremental builds are less optimised than what is used later.
const BUILD: &str = r#"mark=$1 cargo=$2
shift 2
export CARGO_INCREMENTAL=0 CARGO_PROFILE_BENCH_STRIP=symbols CARGO_PROFILE_BENCH_DEBUG=0
said=$(mktemp) || exit 1
"$cargo" build --offline --profile bench --keep-going --message-format=json "$@" >"$said"
code=$?
cat "$said"
sed -n '/"kind":\["bench"\]/s/^{"reason":"compiler-artifact".*"executable":"\([^"]*\)".*$/\1/p' "$said" | while read -r program; do
  printf '\n%s %s %s\n' "$mark" "$(wc -c <"$program")" "$program"
  cat "$program" || exit 1
done
exit $code
"#;

/// A program of benchmarks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BenchProgram {
    /// Its package and its target, such as `ledger/bench totals`.
    pub target: String,
    /// The program.
    pub bytes: Vec<u8>,
}

impl BenchProgram {
    /// What a target's program is called.
    #[must_use]
    pub fn name_of(package: &Package, bench: &BenchTarget) -> String {
        format!("{}/bench {}", package.name, bench.name)
    }
}

impl Runner {
    /// Builds benchmarks in a tree; the programs of those that build, or why none does. In the tree of the warm base
    /// what is built stays, so that dependencies are compiled once.
    ///
    /// # Errors
    /// When the sandbox cannot run it. What does not build is a result.
    pub fn build_benches(
        &self,
        base: &WarmBase,
        targets: &[(&Package, &BenchTarget)],
        changes: &[TreeChange],
        cancel: &Cancel,
        on: &mut dyn FnMut(Progress),
    ) -> Result<Result<Vec<BenchProgram>, String>, TrialError> {
        on(Progress::Compiling { krate: "the benchmarks".to_owned(), begun: 1 });
        let mark = mark();
        let mut args: Vec<OsString> = vec!["-c".into(), BUILD.into(), "build".into(), mark.clone().into()];
        args.push(self.toolchain().program("cargo").into());
        let mut packages: Vec<&str> = targets.iter().map(|(package, _)| package.name.as_str()).collect();
        let mut benches: Vec<&str> = targets.iter().map(|(_, bench)| bench.name.as_str()).collect();
        for (option, names) in [("--package", &mut packages), ("--bench", &mut benches)] {
            names.sort_unstable();
            names.dedup();
            args.extend(names.iter().flat_map(|name| [option, *name]).map(OsString::from));
        }
        let warm = changes.is_empty();
        let call = Call {
            program: "/bin/sh".into(),
            args,
            changes: changes.to_vec(),
            warm,
            wall: self.settings.build_wall,
            ..Call::default()
        };
        let done = self.call(base, call, cancel, &mut |_| {})?;
        let whole = matches!(done.exit, Exit::Code(_));
        let wanted: Vec<String> =
            targets.iter().map(|(package, bench)| BenchProgram::name_of(package, bench)).collect();
        let built = programs(&done.stdout, &mark).filter(|_| whole).unwrap_or_default();
        let built: Vec<BenchProgram> = built.into_iter().filter(|built| wanted.contains(&built.target)).collect();
        if !built.is_empty() {
            return Ok(Ok(built));
        }
        let said = String::from_utf8_lossy(&done.stderr);
        let mut errors = said.lines().map(str::trim).filter(|line| line.starts_with("error"));
        // What the compiler says stands in its messages; the last line says which target it was.
        let why = errors.next_back().map_or_else(|| format!("cargo ended by {}", done.exit), str::to_owned);
        Ok(Err(why))
    }
}

/// The programs behind what cargo said; none when it is not whole.
fn programs(stdout: &[u8], mark: &str) -> Option<Vec<BenchProgram>> {
    let head = format!("\n{mark} ");
    let begin = stdout.windows(head.len()).position(|window| window == head.as_bytes());
    let (said, mut rest) = stdout.split_at_checked(begin.unwrap_or(stdout.len()))?;
    let mut artifacts = Artifacts::default();
    String::from_utf8_lossy(said).lines().for_each(|line| artifacts.line(line));
    let mut all = Vec::new();
    while !rest.is_empty() {
        rest = rest.strip_prefix(head.as_bytes())?;
        let end = rest.iter().position(|byte| *byte == b'\n')?;
        let (line, after) = rest.split_at_checked(end)?;
        let (size, path) = std::str::from_utf8(line).ok()?.split_once(' ')?;
        let (bytes, next) = after.strip_prefix(b"\n")?.split_at_checked(size.parse().ok()?)?;
        if let Some(target) = artifacts.target_of(path) {
            all.push(BenchProgram { target, bytes: bytes.to_vec() });
        }
        rest = next;
    }
    Some(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAID: &str = "{\"reason\":\"compiler-artifact\",\"package_id\":\"path+file:///tree/user#0.1.0\",\
        \"target\":{\"kind\":[\"bench\"],\"name\":\"speed\"},\"profile\":{\"test\":true},\
        \"executable\":\"/tree/target/release/deps/speed-0123\"}\n{\"reason\":\"build-finished\",\"success\":true}\n";

    #[test]
    fn programs_are_taken_as_they_are_whatever_bytes_they_have() {
        let mut said = SAID.as_bytes().to_vec();
        said.extend(b"\n@m 12 /tree/target/release/deps/speed-0123\n\n@m 3 x\nab\n@\xff");
        assert_eq!(programs(&said, "@m"), None, "a byte is left over");
        said.truncate(said.len() - 2);
        let expected = BenchProgram { target: "user/bench speed".to_owned(), bytes: b"\n@m 3 x\nab\n@".to_vec() };
        said.extend(b"@");
        assert_eq!(programs(&said, "@m"), Some(vec![expected]));
        assert_eq!(programs(SAID.as_bytes(), "@m"), Some(Vec::new()));
    }

    #[test]
    fn what_is_cut_off_is_not_taken() {
        for cut in ["\n@m 12 /tree/target", "\n@m 12 /tree/target\nabc", "\n@m x /tree/target\nabc", "\n@m 3\nabc"] {
            assert_eq!(programs(format!("{SAID}{cut}").as_bytes(), "@m"), None, "{cut}");
        }
    }
}
