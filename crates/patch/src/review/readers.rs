//! Rule `reader-misled`: where docs, comments and a manifest send their readers, and what they tell them to run. A link to
//! another place, one that looks like a known place, a command that runs what it downloads, and words about secrets where there
//! were none ask a person: no test looks at them, and people do as they are told.

use std::collections::{BTreeSet, HashMap};

use super::{Findings, ReviewInput, is_lock_file};
use crate::shown::shown;

const RULE: &str = "reader-misled";

/// Places that docs of Rust name without meaning any harm, with all that is below them.
const KNOWN: [&str; 22] = [
    "rust-lang.org",
    "docs.rs",
    "crates.io",
    "lib.rs",
    "wikipedia.org",
    "ietf.org",
    "rfc-editor.org",
    "w3.org",
    "whatwg.org",
    "unicode.org",
    "iso.org",
    "doi.org",
    "arxiv.org",
    "semver.org",
    "keepachangelog.com",
    "spdx.org",
    "opensource.org",
    "shields.io",
    "example.com",
    "example.org",
    "example.net",
    "localhost",
];
/// Places where everybody has a place: the next part of the address says whose.
const SHARED: [&str; 8] = [
    "github.com",
    "gitlab.com",
    "codeberg.org",
    "bitbucket.org",
    "raw.githubusercontent.com",
    "gist.github.com",
    "docs.google.com",
    "sourceforge.net",
];
/// Words that fetch something, and those that run what they are given.
const FETCH: [&str; 6] = ["curl", "wget", "fetch", "iwr", "irm", "invoke-webrequest"];
const RUN: [&str; 12] =
    ["sh", "bash", "zsh", "dash", "fish", "sudo", "python", "python3", "perl", "node", "iex", "source"];

/// What is said where it is promised that secrets are safe.
const SECRETS: [&str; 9] = [
    "secret",
    "constant time",
    "constant-time",
    "timing attack",
    "timing-safe",
    "side channel",
    "side-channel",
    "cryptographically",
    "key material",
];

pub(super) fn check(input: &ReviewInput<'_>, findings: &mut Findings) {
    let read = input.changes.iter().filter(|change| !is_lock_file(&change.path)).filter_map(|change| {
        let (before, after) = super::texts(change)?;
        let is_code = change.path.is_rust();
        Some((change, told(before, is_code), told(after, is_code)))
    });
    let read: Vec<_> = read.collect();
    let known: BTreeSet<Place> =
        read.iter().flat_map(|(_, before, _)| before.iter().flat_map(|line| places(line))).collect();
    for (change, before, after) in &read {
        let mut old: HashMap<&str, usize> = HashMap::new();
        before.iter().for_each(|line| *old.entry(line.trim()).or_default() += 1);
        let new = after.iter().filter(|line| match old.get_mut(line.trim()) {
            Some(count) if *count > 0 => {
                *count -= 1;
                false
            }
            _ => true,
        });
        let mut said: BTreeSet<Place> = BTreeSet::new();
        let mut is_about_secrets = before.iter().any(|line| speaks_of_secrets(line));
        for line in new {
            if !is_about_secrets && speaks_of_secrets(line) {
                is_about_secrets = true;
                let line = shown(line.trim(), 80);
                findings.ask(
                    RULE,
                    &change.path,
                    format!("speaks of secrets where nothing did, and may promise what is not so: `{line}`"),
                );
            }
            if runs_what_it_fetches(line) {
                let line = shown(line.trim(), 80);
                findings.ask(RULE, &change.path, format!("tells readers to run what they download: `{line}`"));
            }
            for place in places(line) {
                if !known.contains(&place) && said.insert(place.clone()) {
                    about(&place, &known, change, findings);
                }
            }
        }
    }
}

/// Whether a line is about what must stay secret, and how it might leak.
fn speaks_of_secrets(line: &str) -> bool {
    // What stands beside code is for those who see the code.
    let line = line.trim_start();
    if line.starts_with("//") && !line.starts_with("///") && !line.starts_with("//!") {
        return false;
    }
    let line = line.to_lowercase();
    SECRETS.iter().any(|word| line.contains(word))
}

/// Says what there is to say about a place that is new.
fn about(place: &Place, known: &BTreeSet<Place>, change: &kaizen_domain::edit::Change, findings: &mut Findings) {
    let name = shown(&place.shown(), 80);
    let mut ask = |why: String| findings.ask(RULE, &change.path, why);
    let hosts = known.iter().map(|place| place.host.as_str()).chain(KNOWN).chain(SHARED);
    let twin = hosts.filter(|_| !is_known(&place.host)).find(|host| looks_like(host, &place.host));
    if place.hidden {
        ask(format!("sends readers to `{name}`, which stands behind a name that is none"));
    } else if let Some(twin) = twin {
        ask(format!("sends readers to `{name}`, which looks like `{}`", shown(twin, 60)));
    } else if !place.host.is_ascii() || place.host.split('.').any(|part| part.starts_with("xn--")) {
        ask(format!("sends readers to `{name}`, whose name is not what it looks like"));
    } else if let Some(owner) = &place.owner
        && known
            .iter()
            .any(|other| other.host == place.host && other.owner.as_ref().is_some_and(|other| looks_like(other, owner)))
    {
        ask(format!("sends readers to `{name}`, which looks like a place that is named already"));
    } else if place.owner.is_none() && !is_known(&place.host) && !known.iter().any(|other| other.host == place.host) {
        ask(format!("sends readers to `{name}`, which nothing named before"));
    }
}

/// Where an address leads.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    host: String,
    /// Where many share the host, whose place it is.
    owner: Option<String>,
    /// Something stands before the host that looks like one.
    hidden: bool,
}

impl Place {
    fn shown(&self) -> String {
        match &self.owner {
            Some(owner) => format!("{}/{owner}", self.host),
            None => self.host.clone(),
        }
    }
}

/// The lines that people read: all of a text, of code the comments.
fn told(text: &str, is_code: bool) -> Vec<&str> {
    let is_told = |line: &&str| !is_code || line.trim_start().starts_with("//") || line.contains("doc =");
    text.lines().filter(is_told).collect()
}

/// The places that a line names by an address.
fn places(line: &str) -> Vec<Place> {
    let mut found = Vec::new();
    for (at, scheme) in line.match_indices("://") {
        let head = line.get(..at).unwrap_or_default();
        let rest = line.get(at + scheme.len()..).unwrap_or_default();
        if !["http", "https", "ftp", "git", "ssh"].iter().any(|scheme| head.ends_with(scheme)) {
            continue;
        }
        let end = |one: char| one.is_whitespace() || "<>\"'`)]}|,;\\".contains(one);
        let address = rest.split(end).next().unwrap_or_default();
        let mut parts = address.split(['/', '?', '#']);
        let authority = parts.next().unwrap_or_default();
        let (hidden, host) = match authority.rsplit_once('@') {
            Some((name, host)) => (name.contains('.'), host),
            None => (false, authority),
        };
        let host = host.split(':').next().unwrap_or(host).trim_end_matches('.').to_lowercase();
        let host = host.strip_prefix("www.").unwrap_or(&host).to_owned();
        let is_shared = SHARED.contains(&host.as_str());
        let owner = parts.next().filter(|owner| is_shared && !owner.is_empty()).map(str::to_lowercase);
        if host.contains('.') || host == "localhost" {
            found.push(Place { host, owner, hidden });
        }
    }
    found
}

fn is_known(host: &str) -> bool {
    SHARED.contains(&host)
        || KNOWN.iter().any(|known| host.strip_suffix(known).is_some_and(|head| head.is_empty() || head.ends_with('.')))
}

/// Whether a name is so near to another one that people take it for that: one or two letters are others, more or fewer.
fn looks_like(known: &str, name: &str) -> bool {
    let longest = known.chars().count().max(name.chars().count());
    known != name && longest >= 6 && distance(known, name) <= if longest < 9 { 1 } else { 2 }
}

/// How many letters must be changed, put in or left out (Levenshtein 1966).
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().take(80).collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (at, letter) in one.chars().take(80).enumerate() {
        let mut next = vec![at + 1];
        for ((place, pair), other) in row.windows(2).enumerate().zip(&other) {
            let [diagonal, up] = pair else { continue };
            let left = next.get(place).copied().unwrap_or(usize::MAX - 1);
            let changed = diagonal + usize::from(letter != *other);
            next.push(changed.min(up + 1).min(left + 1));
        }
        row = next;
    }
    row.last().copied().unwrap_or(usize::MAX)
}

/// Whether a line is a command that fetches something and runs it.
fn runs_what_it_fetches(line: &str) -> bool {
    let line = line.to_lowercase();
    let words = |text: &str| -> Vec<String> {
        let words = text.split(|one: char| !one.is_alphanumeric() && one != '-' && one != '_');
        words.filter(|word| !word.is_empty()).map(str::to_owned).collect()
    };
    let fetches = |text: &str| words(text).iter().any(|word| FETCH.contains(&word.as_str()));
    if !line.contains("://") || !fetches(&line) {
        return false;
    }
    // Piped into something that runs it, or put into the place of a script.
    let piped = line.split('|').skip(1).any(|part| words(part).iter().take(3).any(|word| RUN.contains(&word.as_str())));
    let in_place = ["$(", "<(", "`"].iter().any(|open| {
        line.split_once(open).is_some_and(|(head, inside)| {
            let head = words(head);
            fetches(inside) && head.iter().any(|word| RUN.contains(&word.as_str()) || word == "eval")
        })
    });
    piped || in_place
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_leads_to_a_host_or_to_somebody_s_place() {
        let of = |line: &str| places(line).iter().map(Place::shown).collect::<Vec<_>>();
        assert_eq!(of("see [it](https://www.Example.com/a?b) and <http://docs.rs:80>."), ["example.com", "docs.rs"]);
        assert_eq!(of("https://github.com/Owner/repo#readme"), ["github.com/owner"]);
        assert!(places("https://github.com@evil.example/x").iter().all(|place| place.hidden));
        assert!(of("s3://bucket.name and a://b").is_empty());
    }

    #[test]
    fn names_that_are_nearly_the_same_look_like_each_other() {
        assert!(looks_like("github.com", "githud.com") && looks_like("crates.io", "crate.io"));
        assert!(!looks_like("docs.rs", "lib.rs") && !looks_like("github.com", "gitlab.com.example"));
        assert_eq!((distance("abc", "abc"), distance("", "abc"), distance("kitten", "sitting")), (0, 3, 3));
    }

    #[test]
    fn a_command_that_runs_what_it_downloads_is_seen() {
        for line in [
            "curl -fsSL https://x.example/install.sh | sh",
            "wget -qO- https://x.example/i | sudo bash",
            "bash -c \"$(curl -fsSL https://x.example/i)\"",
            "eval \"$(curl https://x.example/i)\"",
            "sh <(curl https://x.example/i)",
            "irm https://x.example/i.ps1 | iex",
        ] {
            assert!(runs_what_it_fetches(line), "{line}");
        }
        for line in
            ["curl https://x.example/file -o file", "a | b | sh", "cargo install shop", "| shop | https://x.example |"]
        {
            assert!(!runs_what_it_fetches(line), "{line}");
        }
    }
}
