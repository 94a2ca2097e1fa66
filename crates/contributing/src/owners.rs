//! Owners: CODEOWNERS as GitHub and GitLab read it. The last line that fits a path says who owns it, in GitLab once for
//! each section.

use std::collections::{BTreeMap, BTreeSet};

use crate::bounds;
use crate::candidate::{Kind, kind};

/// Lines that are read.
const ENTRIES: usize = 4000;
/// Owners of one line that are read.
const OWNERS: usize = 50;
/// Paths that are looked at.
const PATHS: usize = 2000;
/// Characters of a pattern or an owner.
const LONGEST: usize = 300;
/// Where such a file lies, the first that exists counting.
const PLACES: [&str; 6] = [".github/", "", "docs/", ".gitlab/", ".gitea/", ".forgejo/"];

/// Someone who owns a path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Owner {
    /// A user, by the name without `@`; in GitLab perhaps a group.
    User(String),
    /// A team of an organisation, as `org/team`.
    Team(String),
    /// A person by their address.
    Email(String),
}

#[derive(Debug, Clone)]
struct Entry {
    pattern: String,
    owners: Vec<Owner>,
    section: usize,
}

/// Who owns which paths.
#[derive(Debug, Clone, Default)]
pub struct Codeowners {
    entries: Vec<Entry>,
    /// Written for GitLab: a pattern without a slash in front fits at any depth.
    anywhere: bool,
}

impl Codeowners {
    /// The file of a commit that counts, read.
    #[must_use]
    pub fn find(files: &BTreeMap<String, String>) -> Option<Self> {
        PLACES.iter().find_map(|place| {
            let at =
                |path: &str| kind(path) == Some(Kind::Owners) && path.to_lowercase() == format!("{place}codeowners");
            let (path, text) = files.iter().find(|(path, _)| at(path))?;
            let mut owners = Self::parse(text);
            owners.anywhere |= path.to_lowercase().starts_with(".gitlab/");
            Some(owners)
        })
    }

    /// Reads the text of such a file. Lines that cannot be read are left out, as the hosts do.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let mut read = Self::default();
        let mut sections: BTreeMap<String, usize> = BTreeMap::new();
        let (mut section, mut by_default) = (0, Vec::new());
        for line in bounds::cut(text, bounds::FILE).lines() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            if let Some((name, owners)) = section_of(line) {
                read.anywhere = true;
                let next = sections.len() + 1;
                section = *sections.entry(name).or_insert(next);
                by_default = owners;
                continue;
            }
            if read.entries.len() >= ENTRIES {
                break;
            }
            let (pattern, rest) = pattern_of(line);
            if pattern.starts_with('!') || pattern.len() > LONGEST {
                continue;
            }
            let mut owners = owners_of(rest);
            if owners.is_empty() {
                owners.clone_from(&by_default);
            }
            read.entries.push(Entry { pattern, owners, section });
        }
        read
    }

    /// Who owns any of these paths, sorted, each once.
    pub fn owners<'a>(&self, paths: impl IntoIterator<Item = &'a str>) -> Vec<Owner> {
        let mut found: BTreeSet<&Owner> = BTreeSet::new();
        for path in paths.into_iter().take(PATHS).filter(|path| path.len() <= 4096) {
            let parts: Vec<&str> = path.split('/').collect();
            let mut done: BTreeSet<usize> = BTreeSet::new();
            for entry in self.entries.iter().rev() {
                if !done.contains(&entry.section) && fits(&entry.pattern, &parts, self.anywhere) {
                    done.insert(entry.section);
                    found.extend(&entry.owners);
                }
            }
        }
        found.into_iter().cloned().collect()
    }
}

/// The name of a section and its owners: `[Name][2] @owner`, `^[Name]`.
fn section_of(line: &str) -> Option<(String, Vec<Owner>)> {
    let (name, rest) = line.strip_prefix('^').unwrap_or(line).strip_prefix('[')?.split_once(']')?;
    let rest = match rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((count, rest)) if count.chars().all(|c| c.is_ascii_digit()) => rest,
        _ => rest,
    };
    // `[a-z]*.rs @owner` is no section but a pattern, which neither host reads.
    (rest.is_empty() || rest.starts_with(char::is_whitespace))
        .then(|| (bounds::clean(name, LONGEST).to_lowercase(), owners_of(rest)))
}

/// The pattern at the start of a line, where a space may stand behind a backslash, and the rest.
fn pattern_of(line: &str) -> (String, &str) {
    let mut pattern = String::new();
    let mut escaped = false;
    for (at, c) in line.char_indices() {
        match c {
            '\\' if !escaped => {
                escaped = true;
                continue;
            }
            c if c.is_whitespace() && !escaped => return (pattern, line.get(at..).unwrap_or_default()),
            c => pattern.push(c),
        }
        escaped = false;
    }
    (pattern, "")
}

fn owners_of(text: &str) -> Vec<Owner> {
    text.split_whitespace().take_while(|word| !word.starts_with('#')).filter_map(owner).take(OWNERS).collect()
}

fn owner(word: &str) -> Option<Owner> {
    let plain = |name: &str| {
        !name.is_empty()
            && name.len() <= LONGEST
            && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.+/".contains(c))
    };
    if let Some(name) = word.strip_prefix('@') {
        let name = name.trim_start_matches('@');
        return plain(name)
            .then(|| if name.contains('/') { Owner::Team(name.to_owned()) } else { Owner::User(name.to_owned()) });
    }
    let (user, host) = word.split_once('@')?;
    (plain(user) && plain(host) && host.contains('.')).then(|| Owner::Email(word.to_owned()))
}

/// Whether a pattern fits a path: itself, or a folder above it.
fn fits(pattern: &str, path: &[&str], anywhere: bool) -> bool {
    let folder_only = pattern.ends_with('/');
    let inner = pattern.trim_end_matches('/');
    let anchored = pattern.starts_with('/') || (!anywhere && inner.contains('/'));
    let mut parts: Vec<&str> = inner.split('/').filter(|part| !part.is_empty()).collect();
    if parts.is_empty() {
        return pattern.starts_with('/');
    }
    if !anchored && parts.first() != Some(&"**") {
        parts.insert(0, "**");
    }
    // `docs/*` means what lies in the folder itself; anything else that names a folder means all below it.
    let own_only = inner.contains('/') && parts.last() == Some(&"*");
    let ends: Vec<usize> = match (folder_only, own_only) {
        (true, _) => (1..path.len()).collect(),
        (false, true) => vec![path.len()],
        (false, false) => (1..=path.len()).collect(),
    };
    ends.into_iter().any(|end| {
        path.get(..end).is_some_and(|path| wild(&parts, path, |part| *part == "**", |one, other| part_fits(one, other)))
    })
}

fn part_fits(pattern: &str, part: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let part: Vec<char> = part.chars().collect();
    wild(&pattern, &part, |c| *c == '*', |one, other| *one == '?' || one == other)
}

/// Matches a sequence against a pattern with a wildcard for any number of elements, in quadratic time at worst.
fn wild<P, T>(pattern: &[P], items: &[T], any: impl Fn(&P) -> bool, same: impl Fn(&P, &T) -> bool) -> bool {
    let (mut at, mut item) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while let Some(this) = items.get(item) {
        match pattern.get(at) {
            Some(wildcard) if any(wildcard) => {
                retry = Some((at, item));
                at += 1;
            }
            Some(literal) if same(literal, this) => {
                at += 1;
                item += 1;
            }
            _ => match retry {
                Some((star, from)) => {
                    retry = Some((star, from + 1));
                    at = star + 1;
                    item = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern.get(at..).unwrap_or(&[]).iter().all(any)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(text: &str, path: &str) -> Vec<String> {
        let name = |owner| match owner {
            Owner::User(name) => format!("@{name}"),
            Owner::Team(name) => format!("@@{name}"),
            Owner::Email(name) => name,
        };
        Codeowners::parse(text).owners([path]).into_iter().map(name).collect()
    }

    #[test]
    fn the_last_line_that_fits_counts() {
        let text = "# all\n*  @all\n*.rs @rust # why\n/docs/ docs@x.org\ndocs/* @direct\n/build/\napps @org/apps\nsrc/**/deep @deep\na\\ b @space\n/bad[ @\n";
        for (path, wanted) in [
            ("README", vec!["@all"]),
            ("src/lib.rs", vec!["@rust"]),
            ("docs/a.md", vec!["@direct"]),
            ("docs/a/b.md", vec!["docs@x.org"]),
            ("x/docs/a.md", vec!["@all"]),
            ("build/x.rs", vec![]),
            ("x/apps/y.rs", vec!["@@org/apps"]),
            ("src/deep/z", vec!["@deep"]),
            ("src/a/b/deep/z", vec!["@deep"]),
            ("a b", vec!["@space"]),
        ] {
            assert_eq!(of(text, path), wanted, "{path}");
        }
    }

    #[test]
    fn each_section_of_gitlab_has_its_owners() {
        let text = "* @one\n[Docs][2] @writers\ndocs/\n*.md @md\n^[Code] @dev\n*.rs\n[docs]\nREADME.md @late\n";
        assert_eq!(of(text, "README.md"), ["@late", "@one"]);
        assert_eq!(of(text, "x/docs/a.rs"), ["@dev", "@one", "@writers"]);
        let files =
            [("docs/CODEOWNERS".to_owned(), "* @d".to_owned()), (".github/CODEOWNERS".to_owned(), "* @g".to_owned())];
        let found = Codeowners::find(&files.into()).unwrap().owners(["x"]);
        assert_eq!(found, [Owner::User("g".to_owned())]);
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "[a*?/@ #\\[\\]\\\\!^.\n]{0,80}", path in "[a-c/.]{0,20}") {
            let _ = Codeowners::parse(&text).owners([path.as_str()]);
        }

        #[test]
        fn a_path_fits_itself(path in "[a-c]{1,4}(/[a-c]{1,4}){0,3}") {
            prop_assert_eq!(of(&format!("/{path} @a"), &path), vec!["@a"]);
        }
    }
}
