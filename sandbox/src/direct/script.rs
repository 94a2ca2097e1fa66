//! The shell script that makes the calls inside: two workers beside each other, which take one job after the other from
//! the same list, or one where other trials have the other processors. Each says what it is at, on a stream of its own.
//!
//! First come the tests that are most likely to fail, and what those need.

use std::collections::hash_map::RandomState;
use std::fmt::Write as _;
use std::hash::{BuildHasher as _, Hasher as _};
use std::path::Path;

use crate::toolchain::Toolchain;

use super::Work;
use super::calls::{DocCall, Kind, Unit, made_with, needs};

/// Where a script works, as it is seen inside.
#[derive(Clone, Copy)]
pub(crate) struct At<'a> {
    /// A folder for flags.
    pub(crate) tmp: &'a Path,
    pub(crate) toolchain: &'a Toolchain,
    /// Whether the digest of each program of tests is said, before it is run for the first time.
    pub(crate) digests: bool,
    /// Whether nobody else uses the processors, so that two workers are of use.
    pub(crate) alone: bool,
}

/// What is done, in the numbers that the script says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// A call of the compiler, by its place in the list.
    Build(usize),
    /// A program of tests that such a call made. The rest may be left out when it fails.
    Run { unit: usize, stop: bool },
    /// A call of the compiler that is only made when the program of the base turns out not to do.
    Rebuild(usize),
    /// The tests in the docs of a library.
    Doc { doc: usize, stop: bool },
}

impl Step {
    /// The call of the compiler that it makes.
    pub(crate) fn builds(self) -> Option<usize> {
        match self {
            Self::Build(unit) | Self::Rebuild(unit) => Some(unit),
            Self::Run { .. } | Self::Doc { .. } => None,
        }
    }
}

/// A script and what its steps are.
pub(crate) struct Script {
    text: String,
    pub(crate) steps: Vec<Step>,
    /// What the lines begin with that say what it is at.
    pub(crate) mark: String,
}

impl Script {
    /// The script for what a change reaches. `stop` says of which targets no test may fail, `caught` how often those of a
    /// target failed for earlier changes.
    pub(crate) fn of(work: &Work<'_>, at: At<'_>, stop: &dyn Fn(&str) -> bool, caught: &dyn Fn(&str) -> u32) -> Self {
        let mark = format!("@{:016x}", RandomState::new().build_hasher().finish());
        let program = |name: &str| at.toolchain.program(name).to_string_lossy().into_owned();
        let (rustc, rustdoc) = (program("rustc"), program("rustdoc"));
        let mut writer = Writer { work, stop, mark, rustc, rustdoc, digests: at.digests, steps: Vec::new() };
        let mut jobs: Vec<String> = Vec::new();
        for piece in in_turn(work, caught) {
            let mut job = String::new();
            match piece {
                Piece::Unit(at, unit) => writer.unit(&mut job, at, unit),
                Piece::Doc(at, doc) => writer.doc(&mut job, at, doc),
            }
            jobs.push(job);
        }
        let links = writer.links();
        let Writer { mark, steps, .. } = writer;
        let mut list = String::new();
        for (number, job) in jobs.iter().enumerate() {
            let _ = if at.alone {
                // Only one of the two can make the folder.
                writeln!(list, "if mkdir \"$flags-job-{number}\" 2>/dev/null; then\n{job}fi")
            } else {
                write!(list, "{job}")
            };
        }
        // Whoever fails ends the script, and with the script everything in the sandbox ends.
        let workers = if at.alone {
            "work 2>&1 &\none=$!\nwork 1>&2 &\nother=$!\nwait $one\nwait $other\n"
        } else {
            "work 2>&1\n"
        };
        let flags = quoted(&at.tmp.join(mark.trim_start_matches('@')).to_string_lossy());
        let text = format!(
            "flags={flags}\n{links}trap 'exit 1' TERM\nmain=$$\nfail() {{ kill -TERM $main; exit 1; }}\nwork() {{\n{list}}}\n\
             {workers}exit 0\n"
        );
        Self { text, steps, mark }
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }
}

/// What one worker takes at a time.
#[derive(Clone, Copy)]
enum Piece<'a> {
    Unit(usize, &'a Unit),
    Doc(usize, &'a DocCall),
}

/// Everything in the order in which it is taken, each behind what it needs: tests first, those before others that caught
/// more, then what only has to be built, then tests in docs that have to be compiled, which takes longest.
fn in_turn<'a>(work: &'a Work<'_>, caught: &dyn Fn(&str) -> u32) -> Vec<Piece<'a>> {
    let units = work.reach.units.iter().filter_map(|at| Some(Piece::Unit(*at, work.calls.units.get(*at)?)));
    let docs = work.reach.docs.iter().filter_map(|at| Some(Piece::Doc(*at, work.calls.docs.get(*at)?)));
    let rank = |piece: &Piece<'_>| match piece {
        // Those of a library wait for nothing, so that one worker takes them while the other makes what the rest needs.
        Piece::Unit(_, unit) => match &unit.tests {
            Some(target) => (0, u32::MAX - caught(target), u8::from(!target.ends_with("/lib"))),
            None => (1, 0, 0),
        },
        Piece::Doc(at, doc) if work.docs.contains_key(at) => (0, u32::MAX - caught(&doc.target), 2),
        Piece::Doc(..) => (2, 0, 0),
    };
    let mut wanted: Vec<Piece<'a>> = units.chain(docs).collect();
    wanted.sort_by_key(rank);
    let mut taken: Vec<Piece<'a>> = Vec::new();
    for piece in &wanted {
        take(work, *piece, &mut taken);
    }
    taken
}

/// Takes a piece behind those that it needs.
fn take<'a>(work: &'a Work<'_>, piece: Piece<'a>, taken: &mut Vec<Piece<'a>>) {
    if let Piece::Unit(at, _) = piece
        && taken.iter().any(|other| matches!(other, Piece::Unit(other, _) if *other == at))
    {
        return;
    }
    for at in &work.reach.units {
        let Some(other) = work.calls.units.get(*at) else { continue };
        let first = match piece {
            Piece::Unit(this, unit) => this != *at && waits(work, (this, unit), other),
            Piece::Doc(_, doc) => made_with(&doc.externs, other),
        };
        if first {
            take(work, Piece::Unit(*at, other), taken);
        }
    }
    taken.push(piece);
}

/// Whether one is taken only when another is there. A program of the base may start programs and examples in ways that
/// nobody can know.
fn waits(work: &Work<'_>, (at, unit): (usize, &Unit), other: &Unit) -> bool {
    let started = matches!(other.kind, Kind::Program | Kind::Example) && other.package_dir() == unit.package_dir();
    needs(unit, other) || (started && unit.tests.is_some() && work.kept.contains(&at))
}

struct Writer<'a> {
    work: &'a Work<'a>,
    stop: &'a dyn Fn(&str) -> bool,
    mark: String,
    rustc: String,
    rustdoc: String,
    digests: bool,
    steps: Vec<Step>,
}

impl Writer<'_> {
    fn number(&mut self, step: Step) -> usize {
        self.steps.push(step);
        self.steps.len() - 1
    }

    fn unit(&mut self, text: &mut String, at: usize, unit: &Unit) {
        self.wait_for(text, |other| waits(self.work, (at, unit), other));
        if self.work.kept.contains(&at) {
            self.kept(text, at, unit);
            return;
        }
        let number = self.number(Step::Build(at));
        self.build(text, number, unit);
        let _ = writeln!(text, ": > {}", Self::flag(at));
        if let Some(target) = &unit.tests {
            if self.digests {
                let program = quoted(&unit.program());
                let _ = writeln!(text, "echo \"{} digest {number} $(sha256sum < {program})\"", self.mark);
            }
            let stop = (self.stop)(target);
            let number = self.number(Step::Run { unit: at, stop });
            self.run(text, number, unit);
            let _ = writeln!(text, "echo '{} end {number}' $code", self.mark);
            if stop {
                text.push_str("[ $code = 0 ] || fail\n");
            }
        }
    }

    /// A program of the base. It is made again when it cannot start: it may miss a name.
    fn kept(&mut self, text: &mut String, at: usize, unit: &Unit) {
        let again = self.number(Step::Rebuild(at));
        let Some(target) = &unit.tests else {
            // Tests may start it, and would only see that it fails: the dynamic linker is asked before.
            let program = quoted(&unit.program());
            let _ = writeln!(
                text,
                "if LD_TRACE_LOADED_OBJECTS=1 LD_WARN=1 LD_BIND_NOW=1 {program} 2>&1 | grep -q -e 'undefined symbol' -e 'not found'; then"
            );
            self.build(text, again, unit);
            let _ = writeln!(text, "fi\n: > {}", Self::flag(at));
            return;
        };
        let stop = (self.stop)(target);
        let number = self.number(Step::Run { unit: at, stop });
        self.run(text, number, unit);
        text.push_str("if [ $code = 127 ]; then\n");
        self.build(text, again, unit);
        self.run(text, number, unit);
        let _ = writeln!(text, "fi\necho '{} end {number}' $code", self.mark);
        if stop {
            text.push_str("[ $code = 0 ] || fail\n");
        }
    }

    fn build(&self, text: &mut String, number: usize, unit: &Unit) {
        let call = command(&unit.cwd, &unit.env, &self.rustc, &unit.args);
        let mark = &self.mark;
        let _ = write!(text, "echo '{mark} begin {number}'\n{call}\ncode=$?\n");
        if let Some(place) = unit.uplifted() {
            let _ = writeln!(text, "ln -f {} {}", quoted(&unit.program()), quoted(&place));
        }
        let _ = writeln!(text, "echo '{mark} end {number}' $code\n[ $code = 0 ] || fail");
    }

    /// Runs a program of tests.
    fn run(&self, text: &mut String, number: usize, unit: &Unit) {
        let mut env = unit.env.clone();
        for name in ["CARGO_CRATE_NAME", "CARGO_PRIMARY_PACKAGE", "CARGO_BIN_NAME"] {
            env.remove(name);
        }
        let libraries = env.get("LD_LIBRARY_PATH").cloned().unwrap_or_default();
        env.insert("LD_LIBRARY_PATH".to_owned(), format!("{}:{libraries}", parent(&unit.out_dir)));
        let call = command(unit.package_dir(), &env, &unit.program(), &[]);
        let _ = write!(text, "echo '{} begin {number}'\n{call}\ncode=$?\necho\n", self.mark);
    }

    /// Puts our programs in the places of cargo's.
    fn links(&self) -> String {
        let made = |place: &String| {
            let units = self.work.reach.units.iter().filter_map(|at| self.work.calls.units.get(*at));
            units.filter_map(Unit::uplifted).any(|ours| ours == *place)
        };
        let links = self.work.links.iter().filter(|(ours, _)| made(ours));
        links.map(|(ours, theirs)| format!("ln -sf {} {}\n", quoted(ours), quoted(theirs))).collect()
    }

    fn doc(&mut self, text: &mut String, at: usize, doc: &DocCall) {
        self.wait_for(text, |unit| made_with(&doc.externs, unit));
        let stop = (self.stop)(&doc.target);
        let number = self.number(Step::Doc { doc: at, stop });
        let mark = &self.mark;
        if let Some(kept) = self.work.docs.get(&at) {
            let _ = write!(text, "echo '{mark} begin {number}'\n{}[ $missing = 0 ] || {{\n", kept.script(doc));
            self.rustdoc(text, number, doc);
            text.push_str("}\n");
        } else {
            self.rustdoc(text, number, doc);
        }
        let _ = writeln!(text, "echo\necho '{mark} end {number}' $code");
        if stop {
            text.push_str("[ $code = 0 ] || fail\n");
        }
    }

    fn rustdoc(&self, text: &mut String, number: usize, doc: &DocCall) {
        let plain = command(&doc.cwd, &doc.env, &self.rustdoc, &doc.args);
        let mark = &self.mark;
        let merged = doc.args.iter().any(|arg| arg == "--edition=2024");
        let _ = writeln!(text, "echo '{mark} begin {number}'");
        if merged {
            let _ = writeln!(text, "{plain}\ncode=$?");
        } else {
            // All of them as one program takes one compilation. What fails there is run again one by one: that counts.
            let mut env = doc.env.clone();
            env.insert("RUSTC_BOOTSTRAP".to_owned(), "1".to_owned());
            let more = ["-Zunstable-options".to_owned(), "--merge-doctests=yes".to_owned()];
            let args: Vec<String> = doc.args.iter().cloned().chain(more).collect();
            let together = command(&doc.cwd, &env, &self.rustdoc, &args);
            let _ = writeln!(text, "{together}\ncode=$?");
            let _ = writeln!(text, "if [ $code != 0 ]; then\necho\necho '{mark} begin {number}'\n{plain}\ncode=$?\nfi");
        }
    }

    /// Waits until units are made: they may be in the other chain.
    fn wait_for(&self, text: &mut String, of: impl Fn(&Unit) -> bool) {
        for at in &self.work.reach.units {
            if self.work.calls.units.get(*at).is_some_and(&of) {
                let _ = writeln!(text, "until [ -e {} ]; do sleep 0.01; done", Self::flag(*at));
            }
        }
    }

    /// The file that says that a unit is made.
    fn flag(unit: usize) -> String {
        format!("\"$flags-{unit}\"")
    }
}

pub(super) fn command(
    cwd: &str,
    env: &std::collections::BTreeMap<String, String>,
    program: &str,
    args: &[String],
) -> String {
    let mut text = format!("cd {} && env -i", quoted(cwd));
    for (name, value) in env {
        let _ = write!(text, " {}", quoted(&format!("{name}={value}")));
    }
    let _ = write!(text, " {}", quoted(program));
    for arg in args {
        let _ = write!(text, " {}", quoted(arg));
    }
    text
}

fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(parent, _)| parent)
}

/// A word that the shell takes as it is.
pub(super) fn quoted(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-=:,+@%".contains(&byte);
    if !text.is_empty() && text.bytes().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_shell_takes_a_quoted_word_as_it_is(word in "[^\\x00]{0,40}") {
            let output = std::process::Command::new("/bin/sh").arg("-c").arg(format!("printf %s {}", quoted(&word))).output();
            prop_assert_eq!(output.map(|output| output.stdout).ok(), Some(word.into_bytes()));
        }
    }
}
