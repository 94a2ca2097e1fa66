//! Tidy: the rules that keep the workspace readable and its floors apart, checked by a program instead of by memory.
//! One rule a file. A rule gets the workspace's files and reports what breaks it; it changes nothing.

mod files;
mod forbidden;
mod headers;
mod layers;
mod length;
mod markdown;
mod named_paths;

use std::fmt;
use std::path::Path;

use anyhow::Result;

pub use files::Files;

/// One thing that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Violation {
    /// The file, from the root of the workspace.
    pub path: String,
    /// The line, from 1; 0 when it is about the whole file.
    pub line: usize,
    /// What is wrong, and the way out.
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(out, "{}: {}", self.path, self.what),
            line => write!(out, "{}:{line}: {}", self.path, self.what),
        }
    }
}

/// What the rules found.
#[derive(Debug, Default)]
pub struct Report {
    /// What must not stay; sorted by path.
    pub violations: Vec<Violation>,
    /// What is allowed and worth knowing.
    pub notes: Vec<Violation>,
    /// How many files were looked at.
    pub files: usize,
}

impl Report {
    fn violation(&mut self, path: &str, line: usize, what: impl Into<String>) {
        self.violations.push(Violation { path: path.to_owned(), line, what: what.into() });
    }

    fn note(&mut self, path: &str, what: impl Into<String>) {
        self.notes.push(Violation { path: path.to_owned(), line: 0, what: what.into() });
    }
}

/// Checks every rule on the workspace at `root`.
///
/// # Errors
/// When the files cannot be listed or a manifest cannot be read at all.
pub fn check(root: &Path) -> Result<Report> {
    let files = Files::list(root)?;
    let mut report = Report { files: files.paths().len(), ..Report::default() };
    layers::check(&files, &mut report)?;
    named_paths::check(&files, &mut report);
    for path in files.rust() {
        let Some(text) = files.text(path) else {
            report.violation(path, 0, "cannot be read as UTF-8 text");
            continue;
        };
        headers::check(path, &text, &mut report);
        length::check(path, &text, &mut report);
        forbidden::check(path, &text, &mut report);
    }
    report.violations.sort();
    report.notes.sort();
    Ok(report)
}
