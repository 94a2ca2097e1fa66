//! Rules: what was read, as a verdict with its conditions and the sentences they stand on.

use std::collections::BTreeMap;
use std::fmt;

use crate::read;

/// A sentence of the repository, made fit to be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quote {
    /// The file.
    pub path: String,
    /// The line on which the sentence begins, counted from 1.
    pub line: usize,
    /// The sentence on one line, cut when it is long.
    pub text: String,
}

impl fmt::Display for Quote {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}: \"{}\"", self.path, self.line, self.text)
    }
}

/// Something that only a person can give.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Need {
    /// A sign-off under the Developer Certificate of Origin.
    SignOff,
    /// An agreement about licences or copyright.
    Agreement,
    /// The word of a person that they wrote, reviewed or understand it.
    Human,
    /// A legal or personal assurance that the form makes on behalf of who opens it.
    Assurance,
    /// Commits signed with a key.
    SignedCommits,
    /// An issue that the change belongs to.
    Issue,
    /// A reader who decides what is meant.
    Unclear,
}

impl Need {
    /// What is needed, as part of a sentence.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::SignOff => "a person's sign-off",
            Self::Agreement => "a contributor agreement",
            Self::Human => "a person who answers for having read it",
            Self::Assurance => "a person's assurance",
            Self::SignedCommits => "signed commits",
            Self::Issue => "an issue it belongs to",
            Self::Unclear => "a person who decides what is meant",
        }
    }
}

/// Whether a pull request may be opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Under the conditions, yes.
    Open,
    /// Not of this kind, or none at all.
    Forbidden {
        /// The sentence that says so.
        quote: Quote,
    },
    /// Not before the maintainers have agreed.
    NeedsAgreement {
        /// The sentence that says so.
        quote: Quote,
    },
    /// Not without a person.
    NeedsPerson {
        /// What for.
        need: Need,
        /// The sentence that says so.
        quote: Quote,
    },
}

impl Verdict {
    /// Whether one may be opened.
    #[must_use]
    pub fn is_open(&self) -> bool {
        matches!(self, Self::Open)
    }

    /// Why none is opened, with file, line and sentence; `None` when one may be.
    #[must_use]
    pub fn reason(&self) -> Option<String> {
        Some(match self {
            Self::Open => return None,
            Self::Forbidden { quote } => format!("forbidden by {quote}"),
            Self::NeedsAgreement { quote } => format!("the maintainers must agree first, by {quote}"),
            Self::NeedsPerson { need, quote } => format!("needs {}, by {quote}", need.word()),
        })
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Open => "open",
            Self::Forbidden { .. } => "forbidden",
            Self::NeedsAgreement { .. } => "needs agreement",
            Self::NeedsPerson { .. } => "needs a person",
        })
    }
}

/// Something that is asked of a pull request.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Condition {
    /// Its description says that a program wrote it.
    Disclosure,
    /// It has this label.
    Label(String),
    /// It is opened as a draft.
    Draft,
    /// It goes to this branch.
    TargetBranch(String),
    /// Its commits have this trailer.
    Trailer(String),
    /// Its title starts so.
    TitlePrefix(String),
    /// Its commits and title are worded as Conventional Commits.
    ConventionalCommits,
    /// It has an entry in the changelog.
    Changelog,
    /// The form asks how it was made, in a box to tick or not.
    Checkbox,
    /// It is small: larger ones are discussed first.
    Small,
    /// Only a person can give it.
    Person(Need),
}

impl Condition {
    /// Whether a program can keep it honestly.
    #[must_use]
    pub fn can_be_kept(&self) -> bool {
        !matches!(self, Self::Person(_))
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Disclosure => out.write_str("disclosure"),
            Self::Label(name) => write!(out, "label {name}"),
            Self::Draft => out.write_str("draft"),
            Self::TargetBranch(name) => write!(out, "branch {name}"),
            Self::Trailer(name) => write!(out, "trailer {name}"),
            Self::TitlePrefix(text) => write!(out, "title {text}"),
            Self::ConventionalCommits => out.write_str("conventional commits"),
            Self::Changelog => out.write_str("changelog"),
            Self::Checkbox => out.write_str("checkbox"),
            Self::Small => out.write_str("small"),
            Self::Person(need) => out.write_str(need.word()),
        }
    }
}

/// What a repository says about changes from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// Whether a pull request may be opened.
    pub verdict: Verdict,
    /// What is asked of one, sorted, each once.
    pub conditions: Vec<Condition>,
    /// The sentences that the verdict and the conditions stand on, in the order of files and lines.
    pub evidence: Vec<Quote>,
    /// The first sentence that each condition stands on.
    pub grounds: BTreeMap<Condition, Quote>,
}

impl Rules {
    /// Reads the rules out of the texts of a commit, by their paths from its root. Files that are no candidates are left
    /// out.
    #[must_use]
    pub fn read(files: &BTreeMap<String, String>) -> Self {
        read::rules(files)
    }
}
