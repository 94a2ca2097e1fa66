//! The purpose of it all: `cargo test` of a crate, offline, with the toolchain shown read-only.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use kaizen_domain::RelPath;
use kaizen_sandbox::isolation::{Exit, Finished, Job, Tree, TreeChange};
use tempfile::TempDir;

use crate::support::{places, run, text};

const MANIFEST: &str = "[package]\nname = \"tiny\"\nversion = \"0.1.0\"\nedition = \"2021\"\n[workspace]\n";
const LIBRARY: &str = "/// ```\n/// assert_eq!(tiny::double(2), 4);\n/// ```\npub fn double(n: u32) -> u32 { n * 2 }\n\
                       #[test] fn doubles() { assert_eq!(double(4), 8); }\n";
const BUILD: &str = "fn main() {\n    assert!(std::net::TcpStream::connect(\"1.1.1.1:53\").is_err());\n    \
                     println!(\"cargo::rustc-env=BUILT=yes\");\n}\n";

/// The toolchain of the cargo that runs these tests.
fn toolchain() -> PathBuf {
    let cargo = std::env::var_os("CARGO").map_or_else(|| PathBuf::from("cargo"), PathBuf::from);
    let rustc = cargo.parent().map(|bin| bin.join("rustc")).filter(|path| path.is_file());
    let output = Command::new(rustc.unwrap_or_else(|| "rustc".into())).args(["--print", "sysroot"]).output();
    PathBuf::from(text(&output.expect("a compiler").stdout).trim())
}

fn tiny_crate() -> TempDir {
    let dir = tempfile::tempdir().expect("a folder");
    fs::create_dir(dir.path().join("src")).expect("a folder");
    for (name, content) in [("Cargo.toml", MANIFEST), ("src/lib.rs", LIBRARY), ("build.rs", BUILD)] {
        fs::write(dir.path().join(name), content).expect("written");
    }
    dir
}

fn cargo_test(lower: &Path, changes: Vec<TreeChange>) -> Finished {
    let tree = Tree::CopyOnWrite { lower: lower.to_path_buf(), changes };
    let mut job = Job::new("/toolchain/bin/cargo", tree, places());
    job.args = ["test", "--offline"].map(Into::into).to_vec();
    job.env = vec![
        ("PATH".into(), "/toolchain/bin:/usr/bin:/bin".into()),
        ("HOME".into(), "/home/kaizen".into()),
        ("CARGO_HOME".into(), "/home/kaizen/.cargo".into()),
    ];
    job.read_only = vec![(toolchain(), "/toolchain".into())];
    job.merge_output = true;
    run(&job)
}

#[test]
fn cargo_test_passes_inside_and_leaves_nothing() {
    let dir = tiny_crate();
    let finished = cargo_test(dir.path(), Vec::new());
    let printed = text(&finished.stdout);
    assert_eq!(finished.exit, Exit::Code(0), "{printed}");
    assert!(printed.contains("test doubles ... ok") && printed.contains("double (line 1) ... ok"), "{printed}");
    assert!(!dir.path().join("target").exists());
    assert!(finished.peak_memory > 1 << 20, "{}", finished.peak_memory);
    assert!(!finished.cpu.is_zero());
}

#[test]
fn cargo_test_fails_inside_for_a_change_that_breaks_the_crate() {
    let dir = tiny_crate();
    let broken = TreeChange::Write {
        path: RelPath::new("src/lib.rs").expect("a path"),
        bytes: LIBRARY.replace("n * 2", "n * 3").into_bytes(),
        executable: false,
    };
    let finished = cargo_test(dir.path(), vec![broken]);
    assert_eq!(finished.exit, Exit::Code(101), "{}", text(&finished.stdout));
    assert!(text(&finished.stdout).contains("test doubles ... FAILED"), "{}", text(&finished.stdout));
}
