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

/// A crate with findings of three lints. One suggestion compiles and is wrong, which a test shows: `is_empty` of a shelf
/// means something else than that it holds no book.
const SHELF: &str = r#"//! A shelf of books.

/// Some books.
pub struct Shelf(pub Vec<String>);

impl Shelf {
    /// How many there are.
    pub fn len(&self) -> usize {
        return self.0.len();
    }

    /// Whether it looks empty from afar.
    pub fn is_empty(&self) -> bool {
        self.len() < 2
    }
}

/// Whether there is no book at all.
pub fn bare(shelf: &Shelf) -> bool {
    shelf.len() == 0
}

/// Whether a title says nothing.
pub fn untitled(title: &str) -> bool {
    title.len() == 0
}

/// The titles, one a line.
pub fn list(shelf: &Shelf) -> String {
    let mut text = String::new();
    for title in shelf.0.iter() {
        text = text + &title + "\n";
    }
    return text;
}

/// The length of the longest title.
pub fn longest(shelf: &Shelf) -> usize {
    shelf.0.iter().map(|title| title.len()).fold(0, |a, b| if a > b { a } else { b })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_book_is_not_none() {
        assert!(!bare(&Shelf(vec!["Emma".to_owned()])));
        assert!(bare(&Shelf(Vec::new())));
    }

    #[test]
    fn titles_are_listed() {
        let shelf = Shelf(vec!["Emma".to_owned(), "Ada".to_owned()]);
        assert_eq!((list(&shelf).as_str(), longest(&shelf)), ("Emma\nAda\n", 4));
        assert!(untitled("") && !untitled("Emma") && !shelf.is_empty());
    }
}
"#;

/// Writes a crate on which a cycle lands several patches and leaves out a suggestion, and makes a repository of it.
///
/// # Errors
/// When it cannot be written.
pub fn shelf(folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder.join("src"))?;
    std::fs::write(
        folder.join("Cargo.toml"),
        "[package]\nname = \"shelf\"\nversion = \"0.1.0\"\nedition = \"2024\"\n",
    )?;
    std::fs::write(folder.join("Cargo.lock"), "version = 4\n\n[[package]]\nname = \"shelf\"\nversion = \"0.1.0\"\n")?;
    std::fs::write(folder.join("src/lib.rs"), SHELF)?;
    std::fs::write(folder.join(".gitignore"), "/target\n")?;
    git::begin(folder)
}
