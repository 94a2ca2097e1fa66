//! Runs the tests of a tree that has wrong versions of its code compiled in behind a switch: once to see which test comes by
//! where, and then for each wrong version those tests alone, until one of them fails. One build serves all.
//!
//! Cargo starts each program of tests as it always does, in its folder and with its environment; a script in between runs it
//! again and again. Whether a wrong version is caught, its exit code says; which tests there are, what the harness prints
//! when nothing is wrong. Code that would speak in the script's place must get at files or processes of the system for that,
//! which the review stops.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::time::Duration;

use kaizen_domain::{Diagnostic, Level, RelPath};

use crate::base::WarmBase;
use crate::cargo_json::diagnostic;
use crate::isolation::{Cancel, Exit, TreeChange};
use crate::runner::{Call, Runner, TrialError, mark, nonce};

/// Around cargo where tests in docs are asked. They are built once and started by a script as well, where cargo hands them over
/// (since 1.89); where it does not, they are built again for each wrong version. Fixed: what differs comes in as arguments and
/// files.
const AROUND: &str = r#"mark=$1 on=$2 seen=$3 here=$4 budget=$5 cargo=$6
shift 6
timeout -k 1 600 "$cargo" test --doc --workspace --offline --quiet "$@" >/dev/null 2>&1 || exit 0
if [ -e "$here/started" ]; then
  [ -e "$here/said" ] && sed "s/^/$mark /" "$here/said"
  exit 0
fi
say() { printf '\n%s %s\n' "$mark" "$*"; }
tested() { timeout -k 1 300 env "$1" "$cargo" test --doc --workspace --offline --quiet >/dev/null 2>&1; }
tested "$seen=$here/docs" && [ -s "$here/docs" ] || exit 0
for n in $(cut -d' ' -f1 "$here/docs" | sort -nu | grep -Fx -f "$here/places"); do say reached "$n"; done
until=$(( $(date +%s) + budget ))
for n in $(cut -d' ' -f1 "$here/docs" | sort -nu | grep -Fx -f "$here/wanted"); do
  say reached "$n"
  [ "$(date +%s)" -ge "$until" ] && say late "$n" && continue
  if tested "$on=$n"; then say survived "$n"; else say caught "$n"; fi
done
exit 0
"#;

/// In place of each program of tests in docs, of which there may be several at once. It is read by how it ends, so that it ends
/// here as it does by itself.
const DOCS: &str = r#"on=$1 seen=$2 here=$3 budget=$4 most=$5 bin=$6
shift 6
work=$(mktemp -d) || exit 1
: >"$here/started"
say() { printf '%s\n' "$*" >>"$here/said"; }
now() { date +%s; }
env "$seen=$work/seen" timeout -k 1 "$most" "$bin" "$@"
code=$?
[ -s "$work/seen" ] || exit "$code"
for n in $(cut -d' ' -f1 "$work/seen" | sort -nu | grep -Fx -f "$here/places"); do say reached "$n"; done
[ -s "$here/until" ] || echo $(( $(now) + budget )) >"$here/until"
until=$(cat "$here/until")
# Whether it ends in the other way with a number on.
differs() {
  number=$1
  shift
  env "$on=$number" timeout -k 1 "$each" "$bin" "$@" >/dev/null 2>&1 </dev/null
  ended=$?
  if [ "$code" = 0 ]; then [ "$ended" != 0 ]; else [ "$ended" = 0 ]; fi
}
star= each=$most begun=$(now)
if differs none "$@"; then
  star='*' begun=$(now)
  differs 'none*' "$@" && exit "$code"
fi
each=$(( 5 + 5 * ($(now) - begun) ))
for n in $(cut -d' ' -f1 "$work/seen" | sort -nu | grep -Fx -f "$here/wanted"); do
  say reached "$n"
  grep -Fxqs "$n" "$here/caught" && continue
  [ "$(now)" -ge "$until" ] && say late "$n" && continue
  if differs "$n$star" "$@"; then
    say caught "$n"
    echo "$n" >>"$here/caught"
  else
    say survived "$n"
  fi
done
rm -rf "$work"
exit "$code"
"#;

/// In place of each program of tests.
const PROGRAM: &str = r#"mark=$1 on=$2 seen=$3 here=$4 budget=$5 most=$6 bin=$7
set -f
work=$(mktemp -d) || exit 1
say() { printf '\n%s %s\n' "$mark" "$*"; }
now() { date +%s; }
env "$seen=$work/seen" timeout -k 1 "$most" "$bin" --test-threads 4 >"$work/out" 2>/dev/null </dev/null
sed -n 's/^test \(.*\) \.\.\. [a-zA-Z].*$/\1/p' "$work/out" | sed 's/ - should panic$//' | sort -u >"$work/all"
sed -n 's/^test \(.*\) \.\.\. ok$/\1/p' "$work/out" | sed 's/ - should panic$//' | sort -u >"$work/ok"
if ! [ -s "$work/all" ]; then
  # Not the usual harness: it has one outcome.
  rm -f "$work/seen"
  env "$seen=$work/seen" timeout -k 1 "$most" "$bin" >/dev/null 2>&1 </dev/null || exit 0
fi
[ -s "$work/seen" ] || exit 0
for n in $(cut -d' ' -f1 "$work/seen" | sort -nu | grep -Fx -f "$here/places"); do say reached "$n"; done
[ -s "$here/until" ] || echo $(( $(now) + budget )) >"$here/until"
until=$(cat "$here/until")
# The same once more, with a number that nothing has: what fails now fails by itself. It takes as long as with one that counts.
if [ -s "$work/all" ]; then set -- --test-threads 4 --exact $(cat "$work/ok"); else set --; fi
begun=$(now)
# One that comes by more places than most may do so for as long as it takes.
star=
if ! env "$on=none" timeout -k 1 "$most" "$bin" "$@" >/dev/null 2>&1 </dev/null; then
  star='*' begun=$(now)
  env "$on=none*" timeout -k 1 "$most" "$bin" "$@" >/dev/null 2>&1 </dev/null || { say unsound 0; exit 0; }
fi
each=$(( 5 + 5 * ($(now) - begun) ))
for n in $(cut -d' ' -f1 "$work/seen" | sort -nu | grep -Fx -f "$here/wanted"); do
  say reached "$n"
  grep -Fxqs "$n" "$here/caught" && continue
  [ "$(now)" -ge "$until" ] && say late "$n" && continue
  sed -n "s/^$n //p" "$work/seen" | sort -u >"$work/by"
  if ! [ -s "$work/all" ]; then
    set --
  elif grep -Fxvqs -f "$work/all" "$work/by"; then
    # A thread that is none of a test's came by: any test may have started it.
    set -- --test-threads 4 --exact $(cat "$work/ok")
  else
    tests=$(grep -Fx -f "$work/ok" "$work/by") || continue
    set -- --test-threads 4 --exact $tests
  fi
  env "$on=$n$star" timeout -k 1 "$each" "$bin" "$@" >/dev/null 2>&1 </dev/null
  case $? in
    0) say survived "$n" ;;
    125 | 126 | 127) say unsound "$n" ;;
    *) say caught "$n"; echo "$n" >>"$here/caught" ;;
  esac
done
rm -rf "$work"
exit 0
"#;

/// How long the tests of a program may take while it is looked at which of them come by where, seconds.
const MOST: u64 = 600;

/// A tree with a switch.
pub struct Switched<'a> {
    /// What differs from the warm base, the sources with wrong versions included.
    pub changes: &'a [TreeChange],
    /// The numbers of the wrong versions.
    pub numbers: &'a BTreeSet<usize>,
    /// The numbers of the places where it is noted that a test comes by, and nothing is wrong.
    pub places: &'a BTreeSet<usize>,
    /// The variable of the environment that holds the number that is on.
    pub on: &'a str,
    /// The one that names a file to which reached numbers are appended, each with a blank and the name of the thread.
    pub seen: &'a str,
    /// Whether tests in docs are asked, in place of all others.
    pub docs: bool,
    /// How long wrong versions are run, in all; what has not been run then is not.
    pub budget: Duration,
}

/// What tests made of wrong versions.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SwitchedRun {
    /// Where a test came by, wrong versions and places.
    pub reached: BTreeSet<usize>,
    /// What made a test fail.
    pub caught: BTreeSet<usize>,
    /// What was never run, for want of time.
    pub late: BTreeSet<usize>,
    /// Tests that pass do not pass again although nothing is wrong: what they catch shows nothing.
    unsound: bool,
}

/// How far it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SwitchedOutcome {
    /// All were run.
    Ran(SwitchedRun),
    /// The compiler refuses some.
    Refused(Vec<Diagnostic>),
    /// Nothing can be said, and why.
    Unclear(String),
}

impl Runner {
    /// Builds a tree with a switch and runs its tests with each wrong version on.
    ///
    /// # Errors
    /// When the sandbox cannot run it. What does not build is a result.
    pub fn try_switched(
        &self,
        base: &WarmBase,
        switched: &Switched<'_>,
        cancel: &Cancel,
    ) -> Result<SwitchedOutcome, TrialError> {
        let mark = mark();
        let folder = format!(".kaizen-{}", nonce());
        let mut changes = switched.changes.to_vec();
        let list = |numbers: &BTreeSet<usize>| numbers.iter().map(|number| format!("{number}\n")).collect::<String>();
        let (wanted, places) = (list(switched.numbers), list(switched.places));
        let script = if switched.docs { DOCS } else { PROGRAM };
        for (name, text) in [("program.sh", script), ("wanted", &wanted), ("places", &places)] {
            let Ok(path) = RelPath::new(format!("{folder}/{name}")) else {
                return Ok(SwitchedOutcome::Unclear("its scripts have no place in the tree".to_owned()));
            };
            changes.push(TreeChange::Write { path, bytes: text.as_bytes().to_vec(), executable: false });
        }
        let Some(host) = self.toolchain().version.lines().find_map(|line| line.strip_prefix("host: ")) else {
            return Ok(SwitchedOutcome::Unclear("the compiler does not say for which machine it is".to_owned()));
        };
        let (here, budget) = (base.inside(&folder), switched.budget.as_secs().to_string());
        let program = format!("{here}/program.sh");
        let most = MOST.to_string();
        // rustdoc would take a word with an `@` before it for the name of a file with more of them.
        let head = ["/bin/sh", &program, &mark].into_iter().filter(|word| !switched.docs || *word != mark);
        let runner: Vec<&str> = head.chain([switched.on, switched.seen, &here, &budget, &most]).collect();
        let runner = format!("target.{host}.runner={}", serde_json::json!(runner));
        let cargo = self.toolchain().program("cargo");
        let mut args: Vec<OsString> = Vec::new();
        let program = if switched.docs {
            args.extend(
                ["-c", AROUND, "around", &mark, switched.on, switched.seen, &here, &budget].map(OsString::from),
            );
            args.push(cargo.into());
            "/bin/sh".into()
        } else {
            let tests = ["test", "--workspace", "--offline", "--no-fail-fast", "--tests", "--message-format=json"];
            args.extend(tests.map(OsString::from));
            cargo
        };
        args.extend(["--config".into(), runner.into()]);
        let limits = &self.settings.limits;
        let wall = limits.wall.saturating_add(switched.budget);
        let call = Call { program, args, changes, wall, ..Call::default() };
        let (mut run, mut errors, mut tail) = (SwitchedRun::default(), Vec::new(), String::new());
        let done = self.call(base, call, cancel, &mut |line| {
            if let Some(word) = line.strip_prefix(mark.as_str()) {
                run.take(word, switched);
            } else if let Some(found) = diagnostic(line, &base.folder) {
                errors.extend((found.level == Level::Error).then_some(found));
            } else if !line.starts_with('{') && !line.trim().is_empty() {
                line.clone_into(&mut tail);
            }
        })?;
        Ok(match done.exit {
            Exit::Code(0) if run.unsound => {
                SwitchedOutcome::Unclear("tests that pass do not pass when they are run once more".to_owned())
            }
            Exit::Code(0) => SwitchedOutcome::Ran(run),
            _ if !errors.is_empty() => SwitchedOutcome::Refused(errors),
            exit => SwitchedOutcome::Unclear(format!("cargo ended by {exit}: {tail}")),
        })
    }
}

impl SwitchedRun {
    /// Takes a word of the script: what happened to which number.
    fn take(&mut self, word: &str, of: &Switched<'_>) {
        let Some((what, number)) = word.trim().split_once(' ') else { return };
        self.unsound |= what == "unsound";
        let Ok(number) = number.parse() else { return };
        if what == "reached" && of.places.contains(&number) {
            self.reached.insert(number);
        }
        if !of.numbers.contains(&number) {
            return;
        }
        match what {
            "reached" => self.reached.insert(number),
            "caught" => {
                self.late.remove(&number);
                self.caught.insert(number)
            }
            "late" => !self.caught.contains(&number) && self.late.insert(number),
            _ => false,
        };
    }
}
