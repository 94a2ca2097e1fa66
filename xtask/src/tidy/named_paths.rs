//! Named paths: a path that a document names must exist, so that a newcomer is never sent to an empty room.
//!
//! What counts as a path: a word in backticks with a `/` whose first part is a place of this repository, a word that
//! ends like a source file, or the target of a link. Paths of other worlds (URLs, refs, absolute paths, placeholders)
//! are left alone.

use super::markdown::{Named, named};
use super::{Files, Report};

/// Documents at fixed places; everything under `docs/` comes on top.
const DOCUMENTS: &[&str] = &["README.md", "ARCHITECTURE.md", "benches/README.md"];
/// Places that belong to the repository even while nothing is in them.
const PLACES: &[&str] = &[
    "src", "agents", "sandbox", "crates", "prompts", "tests", "examples", "benches", "docs", "xtask", ".ci", ".cargo",
    ".github",
];
/// How the name of a source file ends.
const ENDINGS: &[&str] = &[".rs", ".toml", ".md"];
/// Files that a document may speak of although they lie in somebody else's repository or are made by a tool.
const ELSEWHERE: &[&str] = &["kaizen.toml", "rust-toolchain.toml", "config.toml"];

/// Reports paths that a document names and that do not exist.
pub fn check(files: &Files, report: &mut Report) {
    let documents = files
        .paths()
        .iter()
        .filter(|path| DOCUMENTS.contains(&path.as_str()) || (path.starts_with("docs/") && path.ends_with(".md")));
    for document in documents {
        let Some(text) = files.text(document) else {
            report.violation(document, 0, "cannot be read as UTF-8 text");
            continue;
        };
        for named in named(&text) {
            if !holds(files, document, &named) {
                report.violation(document, named.line, format!("names `{}`, which does not exist", named.text));
            }
        }
    }
}

/// Whether a named thing exists, or is no path of this repository.
fn holds(files: &Files, document: &str, named: &Named<'_>) -> bool {
    let text = named.text.split('#').next().unwrap_or_default();
    let text = text.strip_prefix("./").unwrap_or(text);
    // `src/lib.rs:12` names a line of a file.
    let path = match text.rsplit_once(':') {
        Some((path, line)) if !line.is_empty() && line.bytes().all(|byte| byte.is_ascii_digit()) => path,
        _ => text,
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-/*".contains(c);
    if path.is_empty() || path.starts_with(['/', '~', '-']) || !path.chars().all(plain) {
        return true;
    }
    let folder = document.rsplit_once('/').map_or("", |(folder, _)| folder);
    if exists(files, path) || below(folder, path).is_some_and(|path| exists(files, &path)) {
        return true;
    }
    if named.link {
        return false;
    }
    let source = ENDINGS.iter().any(|ending| path.ends_with(ending) && path.len() > ending.len());
    match path.split_once('/') {
        // Build output is named in instructions and is nobody's to keep.
        Some(("target", _)) => true,
        Some((first, _)) if PLACES.contains(&first) || files.any_below(first) => false,
        Some(_) => !source || in_some_folder(files, path),
        None => !source || ELSEWHERE.contains(&path) || in_some_folder(files, path),
    }
}

/// A path with `..` and the like worked out, from the folder that a document lies in.
fn below(folder: &str, path: &str) -> Option<String> {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// Whether a path, or one that its stars stand for, belongs to the workspace.
fn exists(files: &Files, path: &str) -> bool {
    if !path.contains('*') {
        return files.has(path);
    }
    let pattern: Vec<&str> = path.trim_end_matches('/').split('/').collect();
    files.paths().iter().any(|file| stands_for(&pattern, &file.split('/').collect::<Vec<_>>()))
}

/// Whether a pattern stands for a file, or for a folder above it.
fn stands_for(pattern: &[&str], file: &[&str]) -> bool {
    match (pattern.split_first(), file.split_first()) {
        (None, _) => true,
        (Some((&"**", [])), _) => !file.is_empty(),
        (Some((&"**", rest)), Some((_, below))) => stands_for(rest, file) || stands_for(pattern, below),
        (Some((part, rest)), Some((name, below))) => part_stands_for(part, name) && stands_for(rest, below),
        (Some(_), None) => false,
    }
}

fn part_stands_for(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((head, tail)) => name.strip_prefix(head).is_some_and(|rest| {
            rest.char_indices()
                .map(|(at, _)| at)
                .chain([rest.len()])
                .any(|at| part_stands_for(tail, rest.get(at..).unwrap_or_default()))
        }),
    }
}

/// Whether some folder of the workspace holds this file: a document may shorten a path when it has named the folder.
fn in_some_folder(files: &Files, path: &str) -> bool {
    let ending = format!("/{path}");
    files.paths().iter().any(|file| file == path || file.ends_with(&ending))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(document: &str, text: &str) -> Vec<String> {
        let dir = tempfile::tempdir().unwrap();
        for path in ["src/lib.rs", "crates/patch/src/apply.rs", "docs/one.md", "Cargo.toml"] {
            let file = dir.path().join(path);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, "x").unwrap();
        }
        let at = dir.path().join(document);
        std::fs::create_dir_all(at.parent().unwrap()).unwrap();
        std::fs::write(at, text).unwrap();
        let mut report = Report::default();
        check(&Files::list(dir.path()).unwrap(), &mut report);
        report.violations.iter().map(|violation| violation.what.split('`').nth(1).unwrap().to_owned()).collect()
    }

    #[test]
    fn paths_that_are_there_pass() {
        let text = "`src/lib.rs` `src/lib.rs:3` `crates/*` `crates/*/src/**` `crates/patch/` `apply.rs` `patch/src/apply.rs` \
                    [one](docs/one.md#part) `Cargo.toml` `./src`";
        assert!(wrong("README.md", text).is_empty());
        assert!(wrong("docs/two.md", "[one](one.md) [lib](../src/lib.rs) `one.md`").is_empty());
    }

    #[test]
    fn paths_that_are_not_there_are_reported() {
        let text =
            "`src/main.rs` `agents/src` `crates/*/benches` `nowhere.rs` `NOTHING.md` [two](docs/two.md) `a/b.rs`";
        let all =
            ["src/main.rs", "agents/src", "crates/*/benches", "nowhere.rs", "NOTHING.md", "docs/two.md", "a/b.rs"];
        let mut found = wrong("README.md", text);
        let mut all = all.to_vec();
        found.sort();
        all.sort_unstable();
        assert_eq!(found, all);
    }

    #[test]
    fn what_is_no_path_of_the_repository_is_left_alone() {
        let text = "`refs/heads/main` `kaizen/<cycle>/landed` `https://a.b/c.md` [x](https://a.b) `/etc/a.toml` `~/b.toml` \
                    `text/html` `.rs` `target/debug/kaizen` `kaizen.toml` `a::b` `--flag/x` `cargo run -- src/x.rs`";
        assert!(wrong("README.md", text).is_empty());
    }
}
