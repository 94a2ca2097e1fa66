//! A workspace of two crates with tests of every kind, and a runner on it.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use kaizen_domain::{CommitId, RelPath, TrialId, TrialReport};
use kaizen_sandbox::isolation::Arrangement;
use kaizen_sandbox::trial::Tried;
use kaizen_sandbox::{Cancel, Limits, Runner, RunnerSettings, TreeChange, Wanted, WarmBase};
use tempfile::TempDir;

const FILES: &[(&str, &str)] = &[
    ("Cargo.toml", "[workspace]\nmembers = [\"first\", \"second\"]\nresolver = \"2\"\n"),
    (
        "Cargo.lock",
        "version = 4\n\n[[package]]\nname = \"first\"\nversion = \"0.1.0\"\n\n[[package]]\nname = \"second\"\n\
         version = \"0.1.0\"\ndependencies = [\n \"first\",\n]\n",
    ),
    (
        "first/Cargo.toml",
        "[package]\nname = \"first\"\nversion = \"0.1.0\"\nedition = \"2021\"\ndescription = \"\"\"\nOf two\n'lines'\"\"\"\n",
    ),
    (
        "first/src/lib.rs",
        "pub mod deep;\npub mod kinds;\n/// ```\n/// assert_eq!(first::double(2), 4);\n/// ```\npub fn double(n: u32) -> u32 {\n    n * 2\n}\n\
         /// ```compile_fail\n/// first::double(\"2\");\n/// ```\n/// ```no_run\n/// panic!(\"not run\");\n/// ```\n\
         pub fn half(n: u32) -> (u32, &'static str) {\n    (n / 2, \"halved\")\n}\npub const WORDS: &str = include_str!(\"words.txt\");\n\
         #[cfg(test)]\nmod tests {\n    #[test]\n    fn doubles() {\n        assert_eq!(super::double(4), 8);\n    }\n    #[test]\n    \
         fn words_are_taken_in() {\n        assert_eq!(super::WORDS.trim(), \"halved\");\n    }\n    #[test]\n    #[ignore]\n    fn later() {}\n\
         #[test]\n    fn runs_in_its_package() {\n        assert!(std::path::Path::new(\"src/words.txt\").exists());\n        \
         assert_eq!(std::env::var(\"CARGO_PKG_DESCRIPTION\").unwrap().lines().count(), 2);\n    }\n}\n",
    ),
    (
        "first/src/deep.rs",
        "/// ```\n/// assert!(first::deep::is_deep());\n/// ```\npub fn is_deep() -> bool {\n    true\n}\n",
    ),
    (
        "first/src/kinds.rs",
        "pub fn called() -> u8 {\n    10\n}\npub fn generic<T: Into<u8>>(x: T) -> u8 {\n    x.into() + 20\n}\n\
         #[inline]\npub fn inlined() -> u8 {\n    30\n}\npub const fn known() -> usize {\n    40\n}\n\
         pub trait Named {\n    fn by_default(&self) -> u8 {\n        50\n    }\n}\n\
         pub fn pair<T: Copy>(x: T) -> (T, T) {\n    (x, x)\n}\npub fn first_of_pair() -> u8 {\n    pair(60u8).0\n}\n\
         pub fn opaque() -> impl Fn() -> u8 {\n    || 70\n}\n",
    ),
    (
        "first/tests/kinds.rs",
        "use first::kinds::*;\nstruct Own;\nimpl Named for Own {}\n#[test]\nfn gives() {\n    assert_eq!(called(), 10);\n    \
         assert_eq!(generic(1u8), 21);\n    assert_eq!(inlined(), 30);\n    assert_eq!([0; known()].len(), 40);\n    \
         assert_eq!(Own.by_default(), 50);\n    assert_eq!(pair(6u8), (6, 6));\n    assert_eq!(first_of_pair(), 60);\n    \
         assert_eq!(opaque()(), 70);\n}\n",
    ),
    ("first/src/words.txt", "halved\n"),
    ("first/src/main.rs", "fn main() {\n    println!(\"{}\", first::half(4).1);\n}\n"),
    (
        "first/tests/whole.rs",
        "#[test]\nfn the_program_says_so() {\n    let program = env!(\"CARGO_BIN_EXE_first\");\n    \
         let said = std::process::Command::new(program).output().unwrap();\n    assert_eq!(said.stdout, b\"halved\\n\");\n}\n",
    ),
    ("first/examples/show.rs", "fn main() {\n    println!(\"{}\", first::double(1));\n}\n"),
    (
        "second/Cargo.toml",
        "[package]\nname = \"second\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[dependencies]\nfirst = { path = \"../first\" }\n",
    ),
    (
        "second/build.rs",
        "fn main() {\n    println!(\"cargo::rerun-if-changed=asked.txt\");\n    let asked = std::fs::read_to_string(\"asked.txt\").unwrap();\n    \
         println!(\"cargo::rustc-env=ASKED={}\", asked.trim());\n}\n",
    ),
    ("second/asked.txt", "7\n"),
    (
        "second/src/lib.rs",
        "/// ```\n/// assert_eq!(second::add(2), 5);\n/// ```\npub fn add(n: u32) -> u32 {\n    first::double(n) + inc(0)\n}\n\
         fn inc(n: u32) -> u32 {\n    n + 1\n}\n#[cfg(test)]\nmod tests {\n    #[test]\n    fn adds() {\n        assert_eq!(super::add(1), 3);\n    }\n    \
         #[test]\n    fn the_build_script_was_asked() {\n        assert_eq!(env!(\"ASKED\"), \"7\");\n    }\n}\n",
    ),
    (
        "second/tests/slow.rs",
        "#[test]\nfn counts() {\n    assert_eq!(1 + 1, 2);\n    assert_eq!(second::add(0), 1);\n}\n",
    ),
];

/// A warm base of the workspace.
pub struct Bench {
    state: TempDir,
    runner: Runner,
    warm: WarmBase,
}

impl Bench {
    pub fn new() -> Self {
        Self::arranged(None)
    }

    /// With the sandbox arranged in a certain way.
    pub fn arranged(arrangement: Option<Arrangement>) -> Self {
        let export = |tree: &Path| {
            for (path, text) in FILES {
                let file = tree.join(path);
                fs::create_dir_all(file.parent().expect("it works")).map_err(|error| error.to_string())?;
                fs::write(file, text).map_err(|error| error.to_string())?;
            }
            Ok(())
        };
        Self::of(&export, arrangement)
    }

    /// On other files.
    pub fn of(export: &dyn Fn(&Path) -> Result<(), String>, arrangement: Option<Arrangement>) -> Self {
        let state = tempfile::tempdir().expect("it works");
        let settings = RunnerSettings {
            limits: Limits::default(),
            build_wall: Duration::from_secs(300),
            waived: Vec::new(),
            arrangement,
            state_dir: state.path().to_path_buf(),
            base_runs: 2,
        };
        let runner = Runner::new(settings, None).expect("it works");
        let warm = runner
            .prepare(Wanted::plain("bench", &commit()), export, &Cancel::new().expect("it works"), &mut |_| {})
            .expect("it works");
        Self { state, runner, warm }
    }

    /// The runner, and what it runs on.
    pub fn parts(&self) -> (&Runner, &WarmBase) {
        (&self.runner, &self.warm)
    }

    /// The trial of the base.
    pub fn base(&self) -> TrialReport {
        let id = TrialId::new(1, [1; 10]);
        self.runner
            .try_base(&self.warm, id, &commit(), &[], &Cancel::new().expect("it works"), &mut |_| {})
            .expect("it works")
    }

    /// Makes ready to screen candidates.
    pub fn get_ready(&self, base: &TrialReport) {
        self.runner.get_ready_to_screen(&self.warm, base, &Cancel::new().expect("it works")).expect("it works");
    }

    /// Whether changes of this base are tried without cargo.
    pub fn goes_without_cargo(&self) -> bool {
        self.dir().join("direct.json").exists()
    }

    /// Whether changes inside functions are screened with swapped libraries.
    pub fn swaps(&self) -> bool {
        let known = fs::read_to_string(self.dir().join("direct.json")).expect("it works");
        known.contains("\"swap\":{")
    }

    /// The folder of the base.
    fn dir(&self) -> PathBuf {
        let mut bases = fs::read_dir(self.state.path().join("bases")).expect("it works");
        bases.next().expect("it works").expect("it works").path()
    }

    /// Makes a file of the base one that does not compile: whoever compiles it is seen.
    pub fn spoil(&self, path: &str) {
        fs::write(self.dir().join("tree").join(path), "compile_error!(\"compiled again\");\n").expect("it works");
    }

    /// Programs of tests that are kept for swapped libraries, by the beginning of their names.
    pub fn kept(&self, name: &str) -> Vec<PathBuf> {
        let all = fs::read_dir(self.dir().join("tree/target/kaizen-swap/deps")).expect("it works");
        let is_it = |path: &PathBuf| {
            let file = path.file_name().expect("it works").to_str().expect("it works");
            file.starts_with(&format!("{name}-")) && !file.contains('.')
        };
        all.map(|entry| entry.expect("it works").path()).filter(is_it).collect()
    }

    /// The trial of files with some text replaced.
    pub fn tried(&self, base: &TrialReport, edits: &[(&str, &str, &str)], confirm: bool) -> TrialReport {
        let edit = |(path, from, to): &(&str, &str, &str)| {
            let text = FILES.iter().find(|(file, _)| file == path).map(|(_, text)| *text).expect("it works");
            assert!(text.contains(from), "{from} is not in {path}");
            write(path, &text.replacen(from, to, 1))
        };
        self.try_changes(base, &edits.iter().map(edit).collect::<Vec<_>>(), confirm)
    }

    /// The trial of files with other content.
    pub fn tried_files(&self, base: &TrialReport, files: &[(&str, &str)]) -> TrialReport {
        let changes: Vec<TreeChange> = files.iter().map(|(path, text)| write(path, text)).collect();
        self.try_changes(base, &changes, true)
    }

    fn try_changes(&self, base: &TrialReport, changes: &[TreeChange], confirm: bool) -> TrialReport {
        let id = TrialId::new(2, [2; 10]);
        let commit = commit();
        let tried = Tried { base: &self.warm, id, commit: &commit, changes, against: base, confirm };
        self.runner.try_tree(&tried, &Cancel::new().expect("it works"), &mut |_| {}).expect("it works")
    }
}

fn write(path: &str, text: &str) -> TreeChange {
    TreeChange::Write { path: RelPath::new(path).expect("it works"), bytes: text.into(), executable: false }
}

fn commit() -> CommitId {
    CommitId::new("a".repeat(40)).expect("it works")
}
