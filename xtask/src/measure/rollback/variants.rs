//! The repositories of the measurement: small crates with something to find, and what a person commits on top of the
//! landing. Several hold what a careless roll-back would lose: line ends, files without a last line end, modes, links.

use std::path::Path;

use anyhow::{Context, Result};

use crate::measure::git;

const MANIFEST: &str = "[package]\nname = \"tiny\"\nversion = \"0.1.0\"\nedition = \"2021\"\n";
const LOCK: &str = "version = 4\n\n[[package]]\nname = \"tiny\"\nversion = \"0.1.0\"\n";
const LIB: &str = "//! Sums.\n\n/// Adds two numbers.\npub fn add(a: i32, b: i32) -> i32 {\n    return a + b;\n}\n\n\
                   /// Whether a list is empty.\npub fn empty(list: &[i32]) -> bool {\n    list.len() == 0\n}\n\n\
                   #[cfg(test)]\nmod tests {\n    use super::*;\n\n    #[test]\n    fn adds() {\n        \
                   assert_eq!(add(1, 2), 3);\n        assert!(empty(&[]));\n    }\n}\n";

/// What a person does on top of the landing, one commit each.
#[derive(Debug, Clone, Copy)]
pub enum Later {
    /// A file of its own, with these bytes.
    Write(&'static str, &'static [u8]),
    /// Something before what a file holds.
    Before(&'static str, &'static str),
    /// Something after it.
    After(&'static str, &'static str),
    /// A file is removed.
    Remove(&'static str),
    /// A file becomes a program.
    Executable(&'static str),
    /// A link to a file.
    Link(&'static str, &'static str),
}

/// A repository, and what comes on top of the landing.
pub struct Variant {
    /// For people.
    pub name: &'static str,
    /// Arguments of the cycle that lands.
    pub cycle: &'static [&'static str],
    files: Vec<(&'static str, String)>,
    /// What comes on top.
    pub later: &'static [Later],
}

/// All of them.
pub fn all() -> Vec<Variant> {
    let tiny = |lib: String| {
        vec![
            ("Cargo.toml", MANIFEST.to_owned()),
            ("Cargo.lock", LOCK.to_owned()),
            ("src/lib.rs", lib),
            ("run.sh", "#!/bin/sh\ncargo test\n".to_owned()),
            ("old.txt", "Old.\n".to_owned()),
            (".gitignore", "/target\n".to_owned()),
        ]
    };
    let with_aid = "[[package]]\nname = \"aid\"\nversion = \"0.1.0\"\n\n[[package]]\nname = \"tiny\"";
    let unused = vec![
        ("Cargo.toml", format!("{MANIFEST}\n[dependencies]\naid = {{ path = \"aid\" }}\n")),
        (
            "Cargo.lock",
            format!("{}dependencies = [\n \"aid\",\n]\n", LOCK.replace("[[package]]\nname = \"tiny\"", with_aid)),
        ),
        ("src/lib.rs", LIB.replace("return a + b;", "a + b").replace("list.len() == 0", "list.is_empty()")),
        ("aid/Cargo.toml", MANIFEST.replace("tiny", "aid")),
        ("aid/src/lib.rs", "//! Aid.\n".to_owned()),
        (".gitignore", "/target\n".to_owned()),
    ];
    let member = |name: &str| LOCK.split_once("\n\n").map_or("", |(_, rest)| rest).replace("tiny", name);
    let workspace = vec![
        ("Cargo.toml", "[workspace]\nmembers = [\"one\", \"two\"]\nresolver = \"2\"\n".to_owned()),
        ("Cargo.lock", format!("version = 4\n\n{}\n{}", member("one"), member("two"))),
        ("one/Cargo.toml", MANIFEST.replace("tiny", "one")),
        ("one/src/lib.rs", LIB.to_owned()),
        ("two/Cargo.toml", MANIFEST.replace("tiny", "two")),
        ("two/src/lib.rs", "//! Two.\n\n/// It.\npub fn two() -> u8 {\n    2\n}\n".to_owned()),
        (".gitignore", "/target\n".to_owned()),
    ];
    vec![
        Variant {
            name: "other files",
            cycle: &[],
            files: tiny(LIB.to_owned()),
            later: &[
                Later::Write("NOTES.md", b"Somebody else's.\n"),
                Later::Write("data.bin", b"\x00\xff\r\n\x1a no line end"),
            ],
        },
        Variant {
            name: "same file, below",
            cycle: &[],
            files: tiny(LIB.to_owned()),
            later: &[
                Later::After("src/lib.rs", "\n/// The one after it.\npub fn after(a: i32) -> i32 {\n    a + 1\n}\n"),
                Later::After("src/lib.rs", "// No line end"),
            ],
        },
        Variant {
            name: "same file, above and below",
            cycle: &["--only", "cleanup"],
            files: tiny(LIB.to_owned()),
            later: &[
                Later::Before("src/lib.rs", "//! Of a person,\n//! in two lines.\n//!\n"),
                Later::After("src/lib.rs", "\n/// Half.\npub fn half(a: i32) -> i32 {\n    a / 2\n}\n"),
                Later::Write("NOTES.md", b"Notes.\n"),
            ],
        },
        Variant {
            name: "CRLF, no last line end",
            cycle: &[],
            files: tiny(format!("{}// end", LIB.replace('\n', "\r\n"))),
            later: &[
                Later::After("src/lib.rs", " of the file\r\n// and no line end again"),
                Later::Before("src/lib.rs", "//! With CRLF.\r\n"),
            ],
        },
        Variant {
            name: "modes, links, removals",
            cycle: &[],
            files: tiny(LIB.to_owned()),
            later: &[Later::Executable("run.sh"), Later::Remove("old.txt"), Later::Link("latest", "run.sh")],
        },
        Variant {
            name: "workspace",
            cycle: &[],
            files: workspace,
            later: &[
                Later::After("two/src/lib.rs", "\n/// Four.\npub fn four() -> u8 {\n    two() + two()\n}\n"),
                Later::After("one/src/lib.rs", "// The end.\n"),
                Later::After("Cargo.toml", "# Two members.\n"),
            ],
        },
        Variant {
            name: "manifest and lock file",
            cycle: &["--only", "dependency"],
            files: unused,
            later: &[Later::Before("Cargo.toml", "# Of a person.\n"), Later::After("src/lib.rs", "// The end.\n")],
        },
    ]
}

impl Variant {
    /// Makes the repository.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn make(&self, folder: &Path) -> Result<()> {
        for (path, text) in &self.files {
            let file = folder.join(path);
            std::fs::create_dir_all(file.parent().unwrap_or(folder))?;
            std::fs::write(file, text)?;
        }
        git::begin(folder)
    }

    /// Makes the later commits.
    ///
    /// # Errors
    /// When a file is not there, or git fails.
    pub fn go_on(&self, folder: &Path) -> Result<()> {
        use std::os::unix::fs::{PermissionsExt as _, symlink};
        for later in self.later {
            let read = |path: &str| std::fs::read_to_string(folder.join(path)).context(path.to_owned());
            match *later {
                Later::Write(path, bytes) => std::fs::write(folder.join(path), bytes)?,
                Later::Before(path, text) => std::fs::write(folder.join(path), format!("{text}{}", read(path)?))?,
                Later::After(path, text) => std::fs::write(folder.join(path), format!("{}{text}", read(path)?))?,
                Later::Remove(path) => std::fs::remove_file(folder.join(path))?,
                Later::Executable(path) => {
                    std::fs::set_permissions(folder.join(path), std::fs::Permissions::from_mode(0o755))?;
                }
                Later::Link(path, to) => symlink(to, folder.join(path))?,
            }
            git::say(folder, &["add", "--all"])?;
            git::say(
                folder,
                &["commit", "--quiet", "--message", &format!("{later:?}").chars().take(40).collect::<String>()],
            )?;
        }
        Ok(())
    }
}
