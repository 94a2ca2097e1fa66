//! Diffs for the tests, as git writes them.

use std::process::Command;

use crate::cli::shapes;

/// A text with one part replaced, which must be there.
#[track_caller]
pub fn replaced(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "`{from}` is not in:\n{text}");
    text.replacen(from, to, 1)
}

/// The diff that turns one text into another, as git writes it.
pub fn diff_of(path: &str, before: &str, after: &str) -> String {
    let dir = tempfile::tempdir().expect("a temporary directory");
    for (side, text) in [("a", before), ("b", after)] {
        let file = dir.path().join(side).join(path);
        std::fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
        std::fs::write(file, text).expect("a file");
    }
    let sides = [format!("a/{path}"), format!("b/{path}")];
    let output = Command::new("git")
        .current_dir(dir.path())
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .args(["diff", "--no-index", "--no-prefix", &sides[0], &sides[1]])
        .output()
        .expect("git runs");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The diff of a change to the source of the small crate.
#[track_caller]
pub fn lib_diff(from: &str, to: &str) -> String {
    diff_of("src/lib.rs", shapes::LIB, &replaced(shapes::LIB, from, to))
}

/// A diff that creates a file.
pub fn new_file(path: &str, mode: &str, text: &str) -> String {
    let lines: String = text.lines().map(|line| format!("+{line}\n")).collect();
    let count = text.lines().count();
    format!(
        "diff --git a/{path} b/{path}\nnew file mode {mode}\n--- /dev/null\n+++ b/{path}\n@@ -0,0 +1,{count} @@\n{lines}"
    )
}
