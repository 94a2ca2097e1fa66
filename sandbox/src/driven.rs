//! Builds a driver against a library before and after a change, and runs it: the two apart from each other, the one before
//! the change twice, so that what is never the same twice is known. The program is an example of the package, so that
//! cargo builds it as it builds every other, from what is there already.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::time::Duration;

use kaizen_domain::RelPath;

use crate::base::WarmBase;
use crate::isolation::{Cancel, Exit, TreeChange};
use crate::metadata::Package;
use crate::runner::{Call, Runner, TrialError, mark};

/// What the program is called inside.
const NAME: &str = "kaizen_drive";
/// Fixed: what differs comes in as arguments. The manifest is added to inside, in a tree that nobody keeps. What the compiler
/// refuses is left out, and the rest built again where the library is built already.
const BUILD: &str = r#"manifest=$1 package=$2 cargo=$3 edition=$4 parts=$5 mark=$6 turns=$7
shift 7
printf '\n[[example]]\nname = "kaizen_drive"\npath = "examples/kaizen_drive.rs"\nedition = "%s"\ntest = false\n' \
  "$edition" >>"$manifest" || exit
said=$(mktemp) && lines=$(mktemp) || exit
out=" $* " counting=
while :; do
  set --
  for number in $out; do
    set -- "$@" --cfg "left_out_$number"
  done
  "$cargo" rustc --offline --quiet --package "$package" --example kaizen_drive --message-format=short -- \
    --cap-lints allow -C strip=symbols -C debuginfo=0 $counting "$@" >"$said" 2>&1 && break
  grep -oE 'kaizen_drive\.rs:[0-9]+:[0-9]+: error' "$said" | cut -d: -f2 | sort -nu >"$lines"
  known=$out$counting
  # Where memory comes from is said once in a program.
  grep -q 'global allocator' "$said" && counting='--cfg without_counting'
  while read -r line; do
    while read -r from to number rest; do
      [ "$line" -lt "$from" ] || [ "$line" -ge "$to" ] && continue
      case $out in *" $number "*) ;; *) out="$out$number " ;; esac
      break
    done <"$parts"
  done <"$lines"
  left=" "
  while read -r from to number needed; do
    case $out in *" $number "*) ;; *) left="$left$needed " ;; esac
  done <"$parts"
  while read -r from to number needed; do
    [ "$needed" = - ] && continue
    case "$left$out" in *" $needed "*) ;; *) out="$out$needed " ;; esac
  done <"$parts"
  turns=$((turns - 1))
  if [ "$out$counting" = "$known" ] || [ "$turns" -le 0 ]; then
    cat "$said" >&2
    exit 1
  fi
done
printf '%s%s\n' "$mark" "$out" >&2
exec cat "$CARGO_TARGET_DIR/debug/examples/kaizen_drive""#;
/// Programs, each behind a variable of the environment that it is started with, two at once where there are processors for
/// that. One that ends early is started again behind the call that it ended in. What it prints itself is nobody's.
/// At last come the numbers that were noted in a file, where one is named.
const RUN: &str = r#"mark=$1 most=$2 plan=$3 noted=$4
shift 4
work=$(mktemp -d) || exit 1
here=$PWD
# Inputs that ask for more memory than this, KiB, are refused it at once.
ulimit -v 1048576 2>/dev/null
drive() {
  # What it makes by a relative name is there for nobody else.
  mkdir "$3.room" "$3.tmp" && cd "$3.room" || return
  for entry in "$here"/* "$here"/.[!.]*; do
    [ -e "$entry" ] && ln -s "$entry" .
  done
  turns=0
  while [ "$turns" -lt 24 ]; do
    env "$1" TMPDIR="$3.tmp" timeout -k 1 "$most" "$2" "$plan" "$3" >/dev/null 2>&1 </dev/null
    [ "$(tail -n 1 "$3" 2>/dev/null)" = end ] && break
    turns=$((turns + 1))
  done
}
beside=1
[ "$(nproc 2>/dev/null || echo 1)" -gt 1 ] && beside=2
count=0
while [ $# -gt 1 ]; do
  drive "$1" "$2" "$work/$count" &
  shift 2
  count=$((count + 1))
  [ $((count % beside)) = 0 ] && wait
done
wait
at=0
while [ "$at" -lt "$count" ]; do
  cat "$work/$at" 2>/dev/null
  printf '\n%s\n' "$mark"
  at=$((at + 1))
done
[ -z "$noted" ] || cut -d' ' -f1 "$noted" 2>/dev/null | sort -nu
"#;
/// A variable that nobody asks for.
const ALONE: &str = "KAIZEN_DRIVES=1";
/// Where a program notes what it comes by; nobody else writes there.
const NOTED: &str = "/tmp/kaizen-noted";
/// How long a program may take for a plan, seconds.
const MOST: u64 = 120;

/// How often what the compiler refuses is left out.
const TURNS: usize = 12;

/// The source of a driver.
#[derive(Debug, Clone, Copy)]
pub struct DriverSource<'s> {
    /// The text of it. What stands in it under `cfg(not(left_out_N))` can be left out.
    pub text: &'s str,
    /// The edition of the language, such as `2021`.
    pub edition: &'s str,
    /// What can be left out, a line each: its first line, the line behind its last one, its number, and the number of what is left
    /// out when everything with that number here is, or `-`. What stands in something else comes before that.
    pub parts: &'s str,
    /// The numbers of what is left out from the beginning.
    pub left_out: &'s BTreeSet<usize>,
}

/// What came of building a driver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DriverBuilt {
    /// The program, and the numbers of what was left out, because the compiler refuses it.
    Program(Vec<u8>, BTreeSet<usize>),
    /// Nothing can be said, and why.
    Unclear(String),
}

impl Runner {
    /// Builds a driver in a tree.
    ///
    /// # Errors
    /// When the sandbox cannot run it. What does not build is a result.
    pub fn build_driver(
        &self,
        base: &WarmBase,
        package: &Package,
        source: DriverSource<'_>,
        changes: &[TreeChange],
        cancel: &Cancel,
    ) -> Result<DriverBuilt, TrialError> {
        let folder = package.folder().trim_end_matches('/');
        let below = |name: &str| RelPath::below(folder, &format!("examples/{name}"));
        let (Ok(path), Ok(parts)) = (below(&format!("{NAME}.rs")), below(&format!("{NAME}.parts"))) else {
            return Ok(DriverBuilt::Unclear("the package lies where no example can be".to_owned()));
        };
        let mut changes = changes.to_vec();
        let (mark, parts_inside) = (mark(), base.inside(parts.as_str()));
        for (path, text) in [(path, source.text), (parts, source.parts)] {
            changes.push(TreeChange::Write { path, bytes: text.as_bytes().to_vec(), executable: false });
        }
        let manifest = base.inside(&package.manifest);
        let mut args: Vec<OsString> = ["-c", BUILD, "drive", &manifest, &package.name].map(OsString::from).into();
        args.push(self.toolchain().program("cargo").into());
        args.extend([source.edition, &parts_inside, &mark, &TURNS.to_string()].map(OsString::from));
        args.extend(source.left_out.iter().map(|number| number.to_string().into()));
        let wall = self.settings.limits.wall;
        let call = Call { program: "/bin/sh".into(), args, changes, wall, ..Call::default() };
        let done = self.call(base, call, cancel, &mut |_| {})?;
        let said = String::from_utf8_lossy(&done.stderr);
        if done.exit == Exit::Code(0) && !done.stdout.is_empty() {
            let numbers = said.lines().find_map(|line| line.strip_prefix(mark.as_str())).unwrap_or_default();
            let numbers = numbers.split_whitespace().filter_map(|number| number.parse().ok()).collect();
            return Ok(DriverBuilt::Program(done.stdout, numbers));
        }
        let first = said.lines().find(|line| line.contains("error")).map(|line| line.trim().to_owned());
        Ok(DriverBuilt::Unclear(first.unwrap_or_else(|| format!("cargo ended by {}", done.exit))))
    }

    /// Lets programs carry out a plan one after the other; what each wrote down.
    ///
    /// # Errors
    /// When the sandbox cannot run it.
    pub fn run_drivers<const N: usize>(
        &self,
        base: &WarmBase,
        programs: [&[u8]; N],
        plan: &str,
        cancel: &Cancel,
    ) -> Result<[String; N], TrialError> {
        let runs: Vec<(&str, &[u8])> = programs.iter().map(|program| (ALONE, *program)).collect();
        let mut parts = self.drive(base, &runs, plan, "", cancel)?.into_iter();
        Ok(std::array::from_fn(|_| parts.next().unwrap_or_default()))
    }

    /// Lets a program carry out a plan, with a variable of the environment that names the file where it notes what it comes by;
    /// the numbers that stand there then.
    ///
    /// # Errors
    /// When the sandbox cannot run it.
    pub fn run_driver_noting(
        &self,
        base: &WarmBase,
        program: &[u8],
        plan: &str,
        variable: &str,
        cancel: &Cancel,
    ) -> Result<BTreeSet<usize>, TrialError> {
        let variable = format!("{variable}={NOTED}");
        let parts = self.drive(base, &[(&variable, program)], plan, NOTED, cancel)?;
        let noted = parts.last().map(String::as_str).unwrap_or_default();
        Ok(noted.lines().filter_map(|line| line.trim().parse().ok()).collect())
    }

    /// Lets one program carry out a plan again and again, each time with one of these variables of the environment, which are
    /// written `NAME=value`; what it wrote down each time.
    ///
    /// # Errors
    /// When the sandbox cannot run it.
    pub fn run_driver_with(
        &self,
        base: &WarmBase,
        program: &[u8],
        plan: &str,
        variables: &[String],
        cancel: &Cancel,
    ) -> Result<Vec<String>, TrialError> {
        let runs: Vec<(&str, &[u8])> = variables.iter().map(|variable| (variable.as_str(), program)).collect();
        self.drive(base, &runs, plan, "", cancel)
    }

    /// What each of the programs wrote down, and then what stands in the file where they note something, where one is named.
    fn drive(
        &self,
        base: &WarmBase,
        runs: &[(&str, &[u8])],
        plan: &str,
        noted: &str,
        cancel: &Cancel,
    ) -> Result<Vec<String>, TrialError> {
        let mark = mark();
        let folder = ".kaizen-drivers";
        let mut args: Vec<OsString> =
            ["-c", RUN, "drive", &mark, &MOST.to_string(), &base.inside(&format!("{folder}/plan")), noted]
                .map(OsString::from)
                .into();
        let mut changes = Vec::new();
        let mut add = |name: &str, bytes: &[u8], executable: bool| {
            let path = RelPath::new(format!("{folder}/{name}")).ok()?;
            changes.push(TreeChange::Write { path, bytes: bytes.to_vec(), executable });
            Some(())
        };
        add("plan", plan.as_bytes(), false);
        let mut placed: Vec<&[u8]> = Vec::new();
        for (variable, program) in runs {
            let known = placed.iter().position(|one| one == program);
            let at = known.unwrap_or(placed.len());
            if known.is_none() {
                add(&format!("program{at}"), program, true);
                placed.push(*program);
            }
            args.push(variable.into());
            args.push(base.inside(&format!("{folder}/program{at}")).into());
        }
        let wall = Duration::from_secs(MOST * 4);
        let call = Call { program: "/bin/sh".into(), args, changes, wall, ..Call::default() };
        let done = self.call(base, call, cancel, &mut |_| {})?;
        let text = String::from_utf8_lossy(&done.stdout).into_owned();
        let mut parts = text.split(mark.as_str()).map(str::to_owned);
        let wanted = runs.len() + usize::from(!noted.is_empty());
        Ok((0..wanted).map(|_| parts.next().unwrap_or_default()).collect())
    }
}
