//! Makes the second set of what a base consists of, beside what cargo built, and shows that each of its programs takes
//! the shared libraries from there: with those spoiled, none of them may start.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::Direct;
use super::calls::{DocCall, Kind, Unit};
use super::kept::{KeptDoc, run_together};
use super::shell::{command, quoted};
use super::swap::Swap;
use crate::base::WarmBase;
use crate::isolation::{Cancel, Exit};
use crate::runner::{Call, Runner, TrialError, mark};
use crate::toolchain::Toolchain;

/// What each part of a script printed, and its exit code.
type Parts = BTreeMap<String, (Vec<String>, i32)>;

impl Runner {
    /// The second set of a base, built; none where it cannot be made.
    ///
    /// # Errors
    /// When the sandbox cannot run it.
    pub(crate) fn build_swap(
        &self,
        base: &WarmBase,
        direct: &Direct,
        cancel: &Cancel,
    ) -> Result<Option<Swap>, TrialError> {
        let Some(mut swap) = Swap::of(&direct.calls, base, &self.toolchain) else { return Ok(None) };
        let mut script = Parted::new();
        let places = ["", "/deps", "/examples", "/incremental"].map(|below| quoted(&format!("{}{below}", swap.dir)));
        script.part("clean", &format!("rm -rf {} && mkdir -p {}", quoted(&swap.dir), places.join(" ")), true);
        for unit in swap.calls.units.iter().filter(|unit| unit.kind != Kind::Special) {
            let mut call =
                command(&unit.cwd, &unit.env, &self.toolchain.program("rustc").to_string_lossy(), &unit.args);
            if let Some(place) = unit.uplifted() {
                let _ = write!(call, " && ln -f {} {}", quoted(&unit.program()), quoted(&place));
            }
            script.part("build", &call, true);
        }
        for (at, doc) in swap.calls.docs.iter().enumerate() {
            let dir = format!("{}/doc-{at}", swap.dir);
            let kept = |merge: &str| rustdoc(&self.toolchain, doc, &dir, merge);
            let clean = format!("rm -rf {0} && mkdir -p {0}", quoted(&dir));
            script.part(
                &format!("doc{at}"),
                &format!("{clean} && {} || ({clean} && {})", kept("yes"), kept("no")),
                false,
            );
            script.part(&format!("found{at}"), &format!("find {} -name rust_out -type f", quoted(&dir)), false);
        }
        let built = self.run_parted(base, &script, true, cancel)?;
        let made = built.as_ref().is_some_and(|built| built.get("build").is_some_and(|(_, code)| *code == 0));
        let Some(built) = built.filter(|_| made) else { return Ok(None) };
        for at in 0..swap.calls.docs.len() {
            swap.docs.push(self.keep_doc(base, &swap, at, &built, cancel)?);
        }
        Ok(if self.takes_what_lies_there(base, &swap, cancel)? { Some(swap) } else { None })
    }

    /// What is kept of the tests in the docs of a library; none where not each of them is found.
    fn keep_doc(
        &self,
        base: &WarmBase,
        swap: &Swap,
        at: usize,
        built: &Parts,
        cancel: &Cancel,
    ) -> Result<Option<KeptDoc>, TrialError> {
        let part = |name: &str| built.get(&format!("{name}{at}"));
        let (Some((said, 0)), Some((programs, 0)), Some(doc)) = (part("doc"), part("found"), swap.calls.docs.get(at))
        else {
            return Ok(None);
        };
        let in_common = |program: &&String| program.rsplit('/').nth(1).is_some_and(|dir| dir.starts_with("merged_"));
        let mut script = Parted::new();
        for program in programs.iter().filter(in_common) {
            script.part(program, &run_together(doc, program), false);
        }
        let Some(parts) = self.run_parted(base, &script, false, cancel)? else { return Ok(None) };
        if parts.values().any(|(_, code)| *code != 0) {
            return Ok(None);
        }
        let together = parts.into_iter().map(|(program, (lines, _))| (program, lines)).collect();
        Ok(KeptDoc::of(said, programs, &together))
    }

    /// Whether every program that asks for a shared library of the second set takes it from there: none of these can
    /// start when what lies there is no library.
    fn takes_what_lies_there(&self, base: &WarmBase, swap: &Swap, cancel: &Cancel) -> Result<bool, TrialError> {
        let units = || swap.calls.units.iter();
        let mut programs: BTreeSet<String> =
            swap.docs.iter().flatten().flat_map(KeptDoc::programs).map(str::to_owned).collect();
        programs.extend(units().filter(|unit| !matches!(unit.kind, Kind::Library | Kind::Special)).map(Unit::program));
        let libraries: Vec<String> = units()
            .filter(|unit| unit.kind == Kind::Library)
            .map(|unit| quoted(&format!("{}/lib{}.so", unit.out_dir, unit.stem)))
            .collect();
        let mut script = Parted::new();
        for (at, program) in programs.iter().enumerate() {
            script.part(&format!("asks{at}"), &format!("LD_TRACE_LOADED_OBJECTS=1 {}", quoted(program)), false);
        }
        script.part(
            "spoil",
            &format!("for one in {}; do echo nothing > $one || exit 1; done", libraries.join(" ")),
            true,
        );
        for (at, program) in programs.iter().enumerate() {
            script.part(&format!("starts{at}"), &format!("{} --list > /dev/null < /dev/null", quoted(program)), false);
        }
        let Some(parts) = self.run_parted(base, &script, false, cancel)? else { return Ok(false) };
        let names: Vec<String> =
            units().filter(|unit| unit.kind == Kind::Library).map(|unit| format!("lib{}.so", unit.stem)).collect();
        Ok((0..programs.len()).all(|at| {
            let (asks, starts) = (parts.get(&format!("asks{at}")), parts.get(&format!("starts{at}")));
            let (Some((asks, 0)), Some((_, code))) = (asks, starts) else { return false };
            // One that asks for none of them holds nothing of them but copies, which are looked for by name.
            let asks = asks.iter().any(|line| names.iter().any(|name| line.contains(name.as_str())));
            !asks || *code == 127
        }))
    }

    /// Runs a script part by part; none when not all of it ran.
    fn run_parted(
        &self,
        base: &WarmBase,
        script: &Parted,
        warm: bool,
        cancel: &Cancel,
    ) -> Result<Option<Parts>, TrialError> {
        let call = Call {
            program: "/bin/sh".into(),
            args: vec!["-c".into(), script.text.clone().into()],
            warm,
            merge_output: true,
            wall: if warm { self.settings.build_wall } else { self.settings.limits.wall },
            ..Call::default()
        };
        let mut parts = Parts::new();
        let mut lines = Vec::new();
        let done = self.call(base, call, cancel, &mut |line| {
            let end = line.strip_prefix(script.mark.as_str()).and_then(|end| end.trim_start().split_once(' '));
            match end.and_then(|(code, name)| Some((code.parse().ok()?, name))) {
                Some((code, name)) => drop(parts.insert(name.to_owned(), (std::mem::take(&mut lines), code))),
                None => lines.push(line.to_owned()),
            }
        })?;
        if done.exit != Exit::Code(0) {
            let last: Vec<&String> = lines.iter().rev().take(5).collect();
            tracing::debug!(exit = ?done.exit, ?last, "the second set cannot be made");
        }
        Ok((done.exit == Exit::Code(0)).then_some(parts))
    }
}

/// A script whose parts are told apart by a mark that is new each time.
struct Parted {
    text: String,
    mark: String,
}

impl Parted {
    fn new() -> Self {
        Self { text: String::new(), mark: mark() }
    }

    fn part(&mut self, name: &str, call: &str, must: bool) {
        let _ = writeln!(self.text, "( {call} )\ncode=$?\necho\necho {} $code {}", quoted(&self.mark), quoted(name));
        if must {
            self.text.push_str("[ $code = 0 ] || exit 1\n");
        }
    }
}

/// A call of rustdoc that leaves the programs of the tests behind.
fn rustdoc(toolchain: &Toolchain, doc: &DocCall, dir: &str, merge: &str) -> String {
    let mut env = doc.env.clone();
    env.insert("RUSTC_BOOTSTRAP".to_owned(), "1".to_owned());
    let merge = format!("--merge-doctests={merge}");
    let more = ["-Zunstable-options", &merge, "--persist-doctests", dir].map(str::to_owned);
    let args: Vec<String> = doc.args.iter().cloned().chain(more).collect();
    command(&doc.cwd, &env, &toolchain.program("rustdoc").to_string_lossy(), &args)
}
