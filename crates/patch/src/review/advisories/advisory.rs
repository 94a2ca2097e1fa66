//! One advisory in the RustSec format: a Markdown file that begins with a block of TOML fenced as code, then its title.
//!
//! The text comes from outside. It is bounded before it is parsed, what is kept of it fits on one line, and what is not in
//! the format is a fault that says why.

use semver::{Comparator, Op, Version, VersionReq};
use thiserror::Error;
use toml::{Table, Value};

use crate::shown::shown;

/// Where the block of TOML begins, and what ends it.
const FENCE: &str = "```toml";
const END: &str = "\n```";
/// Characters that are kept of texts.
const TITLE: usize = 120;
const WORD: usize = 40;

/// What is known against some versions of a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advisory {
    pub(super) id: String,
    pub(super) package: String,
    pub(super) title: String,
    /// What it is when it is no vulnerability, such as `unmaintained`.
    pub(super) informational: Option<String>,
    withdrawn: bool,
    pub(super) patched: Vec<VersionReq>,
    unaffected: Vec<VersionReq>,
    /// The systems and processors it is limited to; none means all.
    pub(super) only_on: Vec<String>,
}

/// Why a text is no advisory.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AdvisoryFault {
    /// It is too large to be one.
    #[error("has {bytes} bytes, {} are allowed", Advisory::MOST_BYTES)]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
    /// It does not begin with a block of TOML.
    #[error("does not begin with a block fenced by ```toml")]
    NoBlock,
    /// The block does not end.
    #[error("the block fenced by ```toml does not end")]
    OpenBlock,
    /// The block is not TOML.
    #[error("is not valid TOML: {0}")]
    NotToml(String),
    /// An entry is missing, or not what it must be.
    #[error("`{key}` {why}")]
    Entry {
        /// Which, dotted.
        key: &'static str,
        /// What is wrong with it.
        why: String,
    },
}

impl Advisory {
    /// The size that a file may have. Real ones have a few thousand bytes.
    pub const MOST_BYTES: usize = 256 << 10;

    /// Reads an advisory.
    ///
    /// # Errors
    /// When the text is none.
    pub fn parse(text: &str) -> Result<Self, AdvisoryFault> {
        if text.len() > Self::MOST_BYTES {
            return Err(AdvisoryFault::TooLarge { bytes: text.len() });
        }
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let (block, markdown) =
            text.strip_prefix(FENCE).ok_or(AdvisoryFault::NoBlock)?.split_once(END).ok_or(AdvisoryFault::OpenBlock)?;
        let table: Table = block
            .trim_end()
            .parse()
            .map_err(|error: toml::de::Error| AdvisoryFault::NotToml(shown(error.message(), TITLE)))?;
        let about = section(&table, "advisory").ok_or_else(|| missing("advisory"))?;
        let versions = section(&table, "versions").ok_or_else(|| missing("versions"))?;
        let affected = section(&table, "affected");
        let limits = |key, name| affected.map_or(Ok(Vec::new()), |affected| words(affected, key, name));
        Ok(Self {
            id: id(about)?,
            package: word(about, "advisory.package", "package")?.ok_or_else(|| missing("advisory.package"))?,
            title: shown(title(markdown), TITLE),
            informational: word(about, "advisory.informational", "informational")?,
            withdrawn: withdrawn(about)?,
            patched: requirements(versions, "versions.patched", "patched")?
                .ok_or_else(|| missing("versions.patched"))?,
            unaffected: requirements(versions, "versions.unaffected", "unaffected")?.unwrap_or_default(),
            only_on: [limits("affected.os", "os")?, limits("affected.arch", "arch")?].concat(),
        })
    }

    /// Whether it holds for a version of its package. A version that cannot be compared may be any of them.
    #[must_use]
    pub fn affects(&self, version: &str) -> bool {
        let is_safe = |version: Version| {
            self.patched.iter().chain(&self.unaffected).any(|requirement| meets(requirement, &version))
        };
        !self.withdrawn && !Version::parse(version).is_ok_and(is_safe)
    }
}

/// Whether a version meets a requirement, by the order of versions. Requirements of Cargo leave out versions before a
/// release unless they name one, since nobody should get one unasked; an advisory speaks of them like of any other.
fn meets(requirement: &VersionReq, version: &Version) -> bool {
    let release = Version::new(version.major, version.minor, version.patch);
    requirement.matches(version)
        || !version.pre.is_empty()
            && requirement.matches(&release)
            && requirement.comparators.iter().all(|comparator| reaches(version, comparator))
}

/// Whether a version before a release, whose release meets the comparator, is not too low for it. What is below an upper
/// limit is left to the release: the last ones before a version that brings a fault in may have it as well.
fn reaches(version: &Version, comparator: &Comparator) -> bool {
    let lowest = Version {
        pre: comparator.pre.clone(),
        ..Version::new(comparator.major, comparator.minor.unwrap_or(0), comparator.patch.unwrap_or(0))
    };
    let order = version.cmp_precedence(&lowest);
    match comparator.op {
        Op::Less | Op::LessEq => true,
        Op::Greater => order.is_gt(),
        _ => order.is_ge(),
    }
}

fn section<'t>(table: &'t Table, name: &str) -> Option<&'t Table> {
    table.get(name).and_then(Value::as_table)
}

fn missing(key: &'static str) -> AdvisoryFault {
    AdvisoryFault::Entry { key, why: "is missing".to_owned() }
}

fn wrong(key: &'static str, wanted: &str) -> AdvisoryFault {
    AdvisoryFault::Entry { key, why: format!("must be {wanted}") }
}

/// An entry that is a short text on one line.
fn word(table: &Table, key: &'static str, name: &str) -> Result<Option<String>, AdvisoryFault> {
    match table.get(name) {
        None => Ok(None),
        Some(Value::String(text)) if is_word(text) => Ok(Some(text.clone())),
        Some(_) => Err(wrong(key, "a name")),
    }
}

fn is_word(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    !text.is_empty() && text.len() <= 64 && text.chars().all(plain)
}

fn id(about: &Table) -> Result<String, AdvisoryFault> {
    let id = word(about, "advisory.id", "id")?.ok_or_else(|| missing("advisory.id"))?;
    if id.len() > WORD {
        return Err(wrong("advisory.id", "one such as RUSTSEC-2020-0071"));
    }
    Ok(id)
}

/// A list of names.
fn words(table: &Table, key: &'static str, name: &str) -> Result<Vec<String>, AdvisoryFault> {
    let Some(value) = table.get(name) else { return Ok(Vec::new()) };
    let list = value.as_array().ok_or_else(|| wrong(key, "a list of names"))?;
    let word = |value: &Value| value.as_str().filter(|text| is_word(text)).map(str::to_owned);
    list.iter().map(|value| word(value).ok_or_else(|| wrong(key, "a list of names"))).collect()
}

/// The day on which it was taken back counts by being there.
fn withdrawn(about: &Table) -> Result<bool, AdvisoryFault> {
    match about.get("withdrawn") {
        None => Ok(false),
        Some(Value::String(_) | Value::Datetime(_)) => Ok(true),
        Some(_) => Err(wrong("advisory.withdrawn", "a date")),
    }
}

fn requirements(table: &Table, key: &'static str, name: &str) -> Result<Option<Vec<VersionReq>>, AdvisoryFault> {
    let Some(value) = table.get(name) else { return Ok(None) };
    let list = value.as_array().ok_or_else(|| wrong(key, "a list of version requirements"))?;
    let requirement = |value: &Value| {
        let text = value.as_str().ok_or_else(|| wrong(key, "a list of version requirements"))?;
        VersionReq::parse(text).map_err(|error| AdvisoryFault::Entry {
            key,
            why: format!(
                "has `{}`, which is no version requirement: {}",
                shown(text, WORD),
                shown(&error.to_string(), TITLE)
            ),
        })
    };
    list.iter().map(requirement).collect::<Result<Vec<_>, _>>().map(Some)
}

/// The first heading.
fn title(markdown: &str) -> &str {
    markdown.lines().find_map(|line| line.strip_prefix("# ")).map_or("", str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// As the database has it, but for the length of the description.
    const TIME: &str = r#"```toml
[advisory]
id = "RUSTSEC-2020-0071"
package = "time"
date = "2020-11-18"
url = "https://github.com/time-rs/time/issues/293"
categories = ["code-execution", "memory-corruption"]
cvss = "CVSS:3.1/AV:L/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H"
keywords = ["segfault"]
aliases = ["CVE-2020-26235"]

[affected]
# any Unix-like OS
os = [
    "linux",
    "macos",
]
[affected.functions]
"time::at" = ["^0.1"]
"time::UtcOffset::local_offset_at" = ["< 0.2.23"]

[versions]
patched = [">= 0.2.23"]
unaffected = ["=0.2.0", "=0.2.1", "=0.2.2", "=0.2.3", "=0.2.4", "=0.2.5", "=0.2.6"]
```

# Potential segfault in the time crate

### Impact

Unix-like operating systems may segfault.
"#;

    const UNMAINTAINED: &str = "```toml\n[advisory]\nid = \"RUSTSEC-2025-0141\"\npackage = \"bincode\"\ndate = \"2025-12-16\"\n\
        informational = \"unmaintained\"\n\n[versions]\npatched = []\n```\n\n# Bincode is unmaintained\n";

    const WITHDRAWN: &str = "```toml\n[advisory]\nid = \"RUSTSEC-2025-0007\"\npackage = \"ring\"\ndate = \"2025-02-20\"\n\
        informational = \"unmaintained\"\nwithdrawn = \"2025-02-22\"\n\n[versions]\npatched = []\nunaffected = []\n```\n\n\
        # *ring* is unmaintained\n";

    #[track_caller]
    fn read(text: &str) -> Advisory {
        Advisory::parse(text).unwrap_or_else(|fault| panic!("{fault}: {text}"))
    }

    /// The versions among these that an advisory with such lists holds for.
    fn affected<'v>(patched: &str, unaffected: &str, versions: &[&'v str]) -> Vec<&'v str> {
        let text = format!(
            "```toml\n[advisory]\nid = \"RUSTSEC-2024-0001\"\npackage = \"a\"\ndate = \"2024-01-01\"\n[versions]\n\
             patched = [{patched}]\nunaffected = [{unaffected}]\n```\n# A\n"
        );
        let advisory = read(&text);
        versions.iter().copied().filter(|version| advisory.affects(version)).collect()
    }

    #[test]
    fn what_is_in_an_advisory_is_read() {
        let time = read(TIME);
        assert_eq!((time.id.as_str(), time.package.as_str()), ("RUSTSEC-2020-0071", "time"));
        assert_eq!((time.title.as_str(), &time.informational), ("Potential segfault in the time crate", &None));
        assert_eq!(time.only_on, ["linux", "macos"]);
        assert_eq!(read(UNMAINTAINED).informational.as_deref(), Some("unmaintained"));
        assert_eq!(read(&TIME.replace('\n', "\r\n")), time);
        assert_eq!(read(&format!("\u{feff}{TIME}")), time);
        assert_eq!(read(TIME.split("\n\n# Pot").next().unwrap()).title, "");
        let odd =
            TIME.replace("# Potential", "# \u{202e}Potential\u{1b}[2J").replace("time crate", &"very ".repeat(99));
        let odd = read(&odd).title;
        assert!(odd.starts_with("\\u{202e}Potential\\u{1b}[2J seg") && odd.ends_with('…'), "{odd}");
    }

    #[test]
    fn a_version_is_affected_unless_it_is_patched_or_never_was() {
        let time = read(TIME);
        for (version, wanted) in
            [("0.1.45", true), ("0.2.0", false), ("0.2.6", false), ("0.2.7", true), ("0.2.22", true), ("0.2.23", false)]
        {
            assert_eq!(time.affects(version), wanted, "{version}");
        }
        assert!(!time.affects("0.3.36") && !time.affects("0.2.23+build.7"));
        assert!(read(UNMAINTAINED).affects("2.0.1"));
        assert!(!read(WITHDRAWN).affects("0.17.14") && !read(WITHDRAWN).affects("?"));
        assert!(time.affects("not a version"), "nobody can say that it is safe");
        let all = ["1.0.9", "1.1.0", "1.2.0", "1.2.1", "1.3.0", "2.0.0"];
        assert_eq!(affected(r#"">= 1.2.1, < 1.3.0", "^2""#, r#""< 1.1.0""#, &all), ["1.1.0", "1.2.0", "1.3.0"]);
        assert_eq!(affected(r#""*""#, "", &all), [""; 0]);
        assert_eq!(affected("", "", &all), all);
    }

    #[test]
    fn versions_before_a_release_count_by_their_order() {
        let all = ["1.0.0-rc.1", "1.1.0-alpha", "1.2.0-beta", "1.2.0-rc.2", "1.2.1-alpha", "2.0.0-rc.1"];
        // What comes before the repaired version is not repaired; what comes after it is.
        assert_eq!(affected(r#"">= 1.2.0""#, r#""< 1.1.0""#, &all), ["1.1.0-alpha", "1.2.0-beta", "1.2.0-rc.2"]);
        assert_eq!(affected(r#"">= 1.2.0-rc.1""#, r#""< 1.1.0""#, &all), ["1.1.0-alpha", "1.2.0-beta"]);
        assert_eq!(affected(r#""> 1.2.0-rc.2""#, r#""< 1.2.0-beta""#, &all), ["1.2.0-beta", "1.2.0-rc.2"]);
        assert_eq!(affected(r#""^1.2.0""#, r#""<= 1.1.0""#, &all), ["1.2.0-beta", "1.2.0-rc.2", "2.0.0-rc.1"]);
        assert_eq!(
            affected(r#""=1.2.0", "~1.2.1""#, "", &all[2..]),
            ["1.2.0-beta", "1.2.0-rc.2", "1.2.1-alpha", "2.0.0-rc.1"]
        );
        assert_eq!(affected(r#""*""#, "", &all), [""; 0]);
    }

    #[test]
    fn what_is_no_advisory_says_why() {
        let fault = |text: &str| Advisory::parse(text).unwrap_err().to_string();
        let but = |from: &str, to: &str| {
            assert!(TIME.contains(from), "{from}");
            fault(&TIME.replacen(from, to, 1))
        };
        assert_eq!(fault(""), "does not begin with a block fenced by ```toml");
        assert_eq!(fault("# A title\n"), "does not begin with a block fenced by ```toml");
        assert_eq!(fault("```toml\n[advisory]\n"), "the block fenced by ```toml does not end");
        assert_eq!(fault("```toml\n```\n# A\n"), "`advisory` is missing");
        assert_eq!(fault(&" ".repeat(300 << 10)), "has 307200 bytes, 262144 are allowed");
        assert!(but("[versions]", "[versions").starts_with("is not valid TOML: "));
        assert_eq!(but("[versions]", "[revisions]"), "`versions` is missing");
        assert_eq!(but("id = \"RUSTSEC-2020-0071\"\n", ""), "`advisory.id` is missing");
        assert_eq!(but("\"RUSTSEC-2020-0071\"", "\"RUSTSEC 2020\\n\""), "`advisory.id` must be a name");
        assert_eq!(but("package = \"time\"", "package = 7"), "`advisory.package` must be a name");
        assert_eq!(but("\"linux\"", "1"), "`affected.os` must be a list of names");
        assert_eq!(
            but("patched = [\">= 0.2.23\"]", "patched = \"all\""),
            "`versions.patched` must be a list of version requirements"
        );
        assert_eq!(but("patched = [\">= 0.2.23\"]\n", ""), "`versions.patched` is missing");
        assert!(
            but(">= 0.2.23", "newer").starts_with("`versions.patched` has `newer`, which is no version requirement: ")
        );
        assert_eq!(fault(&WITHDRAWN.replace("\"2025-02-22\"", "true")), "`advisory.withdrawn` must be a date");
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,80}", version in "[0-9a-z.+-]{0,12}", at in 0_usize..900, cut in any::<bool>()) {
            let mut given = TIME.to_owned();
            let at = (0..=at.min(given.len())).rev().find(|at| given.is_char_boundary(*at)).unwrap_or(0);
            if cut {
                given.truncate(at);
            }
            given.insert_str(at.min(given.len()), &text);
            for text in [text, given] {
                if let Ok(advisory) = Advisory::parse(&text) {
                    let _ = advisory.affects(&version);
                }
            }
        }
    }
}
