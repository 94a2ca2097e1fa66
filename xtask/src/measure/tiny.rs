//! A tiny crate, quick to build, with something for the program to find. Its build script and its test try to leave a
//! mark outside, as code from a stranger might.

use std::path::Path;

use anyhow::Result;

use super::git;

/// A change to the tiny crate that is fit to land.
pub const GOOD_DIFF: &str = "--- a/src/lib.rs\n+++ b/src/lib.rs\n@@ -3,4 +3,4 @@\n /// Whether nothing is in it.\n \
                             pub fn nothing(of: &[u8]) -> bool {\n-    of.len() == 0\n+    of.is_empty()\n }\n";

/// Writes the crate to a new folder and makes a repository of it. Its code tries to write to `mark`.
///
/// # Errors
/// When it cannot be written.
pub fn repository(folder: &Path, mark: &Path) -> Result<()> {
    let write = |path: &str, text: &str| -> std::io::Result<()> {
        let file = folder.join(path);
        std::fs::create_dir_all(file.parent().unwrap_or(folder))?;
        std::fs::write(file, text)
    };
    let leave = format!("let _ = std::fs::write({:?}, \"here\");", mark.display().to_string());
    write("Cargo.toml", "[package]\nname = \"tiny\"\nversion = \"0.1.0\"\nedition = \"2024\"\n")?;
    write("Cargo.lock", "version = 4\n\n[[package]]\nname = \"tiny\"\nversion = \"0.1.0\"\n")?;
    write("build.rs", &format!("fn main() {{\n    {leave}\n}}\n"))?;
    write(
        "src/lib.rs",
        "//! Small, and not quite right.\n\n/// Whether nothing is in it.\npub fn nothing(of: &[u8]) -> bool {\n    \
         of.len() == 0\n}\n\n/// The one after it.\npub fn after(one: u8) -> u8 {\n    return one + 1;\n}\n",
    )?;
    write(
        "tests/all.rs",
        &format!(
            "#[test]\nfn it_works() {{\n    {leave}\n    assert!(tiny::nothing(&[]));\n    assert_eq!(tiny::after(1), 2);\n}}\n"
        ),
    )?;
    write(".gitignore", "/target\n/ignored\n")?;
    git::begin(folder)
}
