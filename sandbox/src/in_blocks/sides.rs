//! The two sides, as the calls of a batch.

use std::ffi::OsString;

use kaizen_domain::RelPath;

use crate::base::WarmBase;
use crate::isolation::{BatchCall, BatchStep, TreeChange};

/// Where our files are.
const FOLDER: &str = ".kaizen-sides";
/// What makes the tree that of a side: `a` as it was, `b` with the change. Times stay what they are on either side, so
/// that cargo builds nothing again. Fixed: what differs comes in as arguments and files.
const SWAP: &str = r#"side=$1 sides=$2 tree=$3
if ! [ -d "$sides/a" ]; then
  mkdir "$sides/a" || exit 1
  while IFS= read -r path; do
    [ -e "$tree/$path" ] || continue
    mkdir -p "$(dirname "$sides/a/$path")" || exit 1
    cp --preserve=timestamps "$tree/$path" "$sides/a/$path" || exit 1
  done <"$sides/paths"
fi
while IFS= read -r path; do
  rm -f "$tree/$path"
  [ -e "$sides/$side/$path" ] || continue
  mkdir -p "$(dirname "$tree/$path")" || exit 1
  cp --preserve=timestamps "$sides/$side/$path" "$tree/$path" || exit 1
done <"$sides/paths"
"#;
/// How a command is started: it is looked for where programs are.
const START: &str = r#"exec "$@""#;
/// The order of a block.
const BLOCK: [Side; 4] = [Side::Before, Side::After, Side::After, Side::Before];
/// What is run of a command before the first block: both sides build what they need.
const COMMAND_WARM: [Side; 3] = [Side::Before, Side::After, Side::Before];

/// What is compared.
pub enum Sides<'a> {
    /// Programs, each built on both sides.
    Programs(&'a [BenchPair]),
    /// A command, on the tree and on the one with this change. Either has a folder of its own for what it builds.
    Command {
        /// The program and its arguments.
        command: &'a [String],
        /// What differs on the second side.
        change: &'a [TreeChange],
    },
}

/// A program of benchmarks on both sides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BenchPair {
    /// What it is called.
    pub name: String,
    /// The folder of its package, in which it is run.
    pub folder: String,
    /// Its arguments.
    pub args: Vec<String>,
    /// As it is built before the change.
    pub before: Vec<u8>,
    /// As it is built after it.
    pub after: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Before,
    After,
}

impl Side {
    /// Both are as long as each other: where things lie in memory depends on the lengths of names.
    fn letter(self) -> &'static str {
        match self {
            Self::Before => "a",
            Self::After => "b",
        }
    }
}

impl Sides<'_> {
    /// How many runs come before the first block, and how many of them, the last ones, are like those of one side of a
    /// block.
    pub(super) fn warm_runs(&self) -> (usize, usize) {
        match self {
            Self::Programs(pairs) => (pairs.len(), pairs.len()),
            Self::Command { .. } => (COMMAND_WARM.len(), 1),
        }
    }

    /// How many times four runs a block has.
    pub(super) fn pairs(&self) -> usize {
        match self {
            Self::Programs(pairs) => pairs.len(),
            Self::Command { .. } => 1,
        }
    }

    /// All runs, and what they need in the tree; none where that has no place there.
    pub(super) fn steps(
        &self,
        base: &WarmBase,
        env: &[(OsString, OsString)],
        blocks: u32,
        mark: &str,
    ) -> Option<(Vec<BatchStep>, Vec<TreeChange>)> {
        let mut writer = Writer { base, env, mark, steps: Vec::new(), runs: 0 };
        let mut files = Vec::new();
        match self {
            Self::Programs(pairs) => {
                for (number, pair) in pairs.iter().enumerate() {
                    for (side, bytes) in [(Side::Before, &pair.before), (Side::After, &pair.after)] {
                        files.push(write(&format!("{}{number}", side.letter()), bytes, true)?);
                    }
                }
                for (number, pair) in pairs.iter().enumerate() {
                    writer.program(number, pair, Side::Before);
                }
                for _ in 0..blocks {
                    for (number, pair) in pairs.iter().enumerate() {
                        BLOCK.into_iter().for_each(|side| writer.program(number, pair, side));
                    }
                }
            }
            Self::Command { command, change } => {
                let mut paths = String::new();
                for change in *change {
                    paths.push_str(change.path().as_str());
                    paths.push('\n');
                    if let TreeChange::Write { path, bytes, executable } = change {
                        files.push(write(&format!("b/{path}"), bytes, *executable)?);
                    }
                }
                files.push(write("paths", paths.as_bytes(), false)?);
                let mut at = None;
                let counted = (0..blocks).flat_map(|_| BLOCK);
                for side in COMMAND_WARM.into_iter().chain(counted) {
                    writer.command(command, side, &mut at);
                }
            }
        }
        Some((writer.steps, files))
    }
}

/// A file of ours.
fn write(name: &str, bytes: &[u8], executable: bool) -> Option<TreeChange> {
    let path = RelPath::new(format!("{FOLDER}/{name}")).ok()?;
    Some(TreeChange::Write { path, bytes: bytes.to_vec(), executable })
}

struct Writer<'a> {
    base: &'a WarmBase,
    env: &'a [(OsString, OsString)],
    mark: &'a str,
    steps: Vec<BatchStep>,
    runs: usize,
}

impl Writer<'_> {
    fn program(&mut self, number: usize, pair: &BenchPair, side: Side) {
        let program = self.base.inside(&format!("{FOLDER}/{}{number}", side.letter()));
        let folder = pair.folder.trim_end_matches('/');
        let cwd = if folder.is_empty() { self.tree() } else { self.base.inside(folder) };
        let mut env = self.env.to_vec();
        env.push(("CARGO_MANIFEST_DIR".into(), cwd.clone().into()));
        // Nothing is compared with what an earlier run left, and divan takes seconds in place of minutes.
        let home = self.base.places().tmp.join(format!("criterion-{}", self.runs));
        env.push(("CRITERION_HOME".into(), home.into()));
        env.extend(
            [("DIVAN_SAMPLE_COUNT", "40"), ("DIVAN_MAX_TIME", "0.5")].map(|(name, value)| (name.into(), value.into())),
        );
        let args = pair.args.iter().map(OsString::from).collect();
        self.run(BatchCall { program: program.into(), args, cwd: cwd.into(), env });
    }

    fn command(&mut self, command: &[String], side: Side, at: &mut Option<Side>) {
        let (sides, letter) = (self.base.inside(FOLDER), side.letter());
        if *at != Some(side) {
            let args = ["-c", SWAP, "swap", letter, &sides, &self.tree()].map(OsString::from).into();
            let swap = BatchCall { program: "/bin/sh".into(), args, cwd: "/usr".into(), env: self.env.to_vec() };
            self.steps.extend([BatchStep::Call(swap), BatchStep::EndUnlessZero]);
            *at = Some(side);
        }
        let mut env = self.env.to_vec();
        env.retain(|(name, _)| name != "CARGO_TARGET_DIR");
        env.push(("CARGO_TARGET_DIR".into(), format!("{sides}/target-{letter}").into()));
        let args =
            ["-c", START, "run"].into_iter().chain(command.iter().map(String::as_str)).map(OsString::from).collect();
        let cwd = self.base.project_inside();
        self.run(BatchCall { program: "/bin/sh".into(), args, cwd, env });
    }

    fn run(&mut self, call: BatchCall) {
        let (mark, number) = (self.mark, self.runs);
        self.steps.extend([
            // What came before may have left a line without an end.
            BatchStep::Say(format!("\n{mark} begin {number}\n")),
            BatchStep::Call(call),
            BatchStep::SayCode(format!("\n{mark} end {number}")),
            BatchStep::EndUnlessZero,
        ]);
        self.runs += 1;
    }

    fn tree(&self) -> String {
        self.base.places().tree.display().to_string()
    }
}
