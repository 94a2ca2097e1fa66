//! How a repository words the subjects of its commits, so that Kaizen's read like the others: learnt from the last
//! ones, which are text from outside and only ever counted.

use std::collections::BTreeMap;

use git2::Sort;
use kaizen_domain::names::CommitId;
use kaizen_domain::opportunity::OpportunityKind;

use crate::error::{RepoError, lossy};
use crate::repo::Repo;

/// Subjects that are looked at.
const LOOKED_AT: usize = 50;
/// Commits that are walked to find them.
const WALKED: usize = 400;
/// The longest subject that is written, in characters.
const LONGEST: usize = 72;
/// The words that a conventional commit starts with.
const CONVENTIONAL: [&str; 11] =
    ["build", "chore", "ci", "docs", "feat", "fix", "perf", "refactor", "revert", "style", "test"];

/// What comes before the text of a subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shape {
    /// `fix: text`, `feat(area): text`: the words this repository uses, the most frequent first.
    Conventional {
        /// The words.
        types: Vec<String>,
    },
    /// One prefix nearly everywhere, such as `ledger: `, with its colon and space.
    Prefixed(String),
    /// Nothing.
    Plain,
}

/// How a repository words its subjects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageStyle {
    /// What comes before the text.
    pub shape: Shape,
    /// The text starts with a capital letter.
    pub capitalised: bool,
    /// The text ends with a dot.
    pub trailing_dot: bool,
}

impl Repo {
    /// How the subjects before this commit, and its own, are worded; merges are left out.
    ///
    /// # Errors
    /// When the commit is not there.
    pub fn message_style(&self, commit: &CommitId) -> Result<MessageStyle, RepoError> {
        let start = self.find_commit(commit)?.id();
        let doing = || RepoError::git(format!("walk the history of {commit}"));
        let mut walk = self.store().revwalk().map_err(doing())?;
        walk.set_sorting(Sort::TIME).map_err(doing())?;
        walk.push(start).map_err(doing())?;
        let mut subjects = Vec::new();
        for oid in walk.take(WALKED) {
            // History that is cut off ends the walk; what was seen is enough to go by.
            let Ok(commit) = oid.and_then(|oid| self.store().find_commit(oid)) else { break };
            if commit.parent_count() < 2 {
                let message = lossy(commit.message_bytes());
                subjects
                    .extend(message.lines().find(|line| !line.trim().is_empty()).map(|line| line.trim().to_owned()));
            }
            if subjects.len() == LOOKED_AT {
                break;
            }
        }
        Ok(MessageStyle::of(&subjects))
    }
}

impl MessageStyle {
    /// The style of these subjects. Without any, it is plain, with a capital and no dot.
    #[must_use]
    pub fn of(subjects: &[String]) -> Self {
        let mut types: BTreeMap<&str, usize> = BTreeMap::new();
        let mut prefixes: BTreeMap<&str, usize> = BTreeMap::new();
        for subject in subjects {
            if let Some((word, _)) = conventional(subject) {
                *types.entry(word).or_default() += 1;
            }
            if let Some((prefix, _)) = prefixed(subject) {
                *prefixes.entry(prefix).or_default() += 1;
            }
        }
        let mostly = |count: usize| count > 0 && count * 5 >= subjects.len() * 3;
        let top_prefix = prefixes.iter().max_by_key(|(_, count)| **count);
        let shape = if mostly(types.values().sum()) {
            let mut types: Vec<_> = types.into_iter().collect();
            types.sort_by(|(one, few), (other, many)| many.cmp(few).then(one.cmp(other)));
            Shape::Conventional { types: types.into_iter().map(|(word, _)| word.to_owned()).collect() }
        } else {
            match top_prefix {
                Some((prefix, count)) if mostly(*count) => Shape::Prefixed(format!("{prefix}: ")),
                _ => Shape::Plain,
            }
        };
        let texts: Vec<&str> = subjects.iter().map(|subject| text_of(&shape, subject)).collect();
        let count = |test: fn(&str) -> bool| texts.iter().filter(|text| test(text)).count();
        let (capital, small) =
            (count(|text| starts(text, char::is_uppercase)), count(|text| starts(text, char::is_lowercase)));
        let conventional = matches!(shape, Shape::Conventional { .. });
        Self {
            shape,
            capitalised: if capital == small { !conventional } else { capital > small },
            trailing_dot: mostly(count(|text| text.ends_with('.'))),
        }
    }

    /// The subject of a commit that does this kind of work, described by `text`: one line of at most 72 characters.
    #[must_use]
    pub fn subject(&self, kind: OpportunityKind, text: &str) -> String {
        let words: Vec<&str> =
            text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty()).collect();
        let text = words.join(" ");
        let text = cased(text.trim_end_matches('.'), self.capitalised);
        let prefix = match &self.shape {
            Shape::Conventional { types } => format!("{}: ", word_for(kind, types)),
            Shape::Prefixed(prefix) => prefix.clone(),
            Shape::Plain => String::new(),
        };
        let dot = if self.trailing_dot { "." } else { "" };
        let room = LONGEST.saturating_sub(prefix.chars().count() + dot.len());
        format!("{prefix}{}{dot}", shortened(&text, room))
    }
}

/// The word of a conventional commit for a kind of work: the first fitting one that the repository uses, or the
/// usual one.
fn word_for(kind: OpportunityKind, used: &[String]) -> &'static str {
    let fitting: &[&'static str] = match kind {
        OpportunityKind::Repair => &["fix"],
        OpportunityKind::Goal => &["feat", "chore"],
        OpportunityKind::Performance => &["perf", "refactor"],
        OpportunityKind::Dependency => &["chore", "build"],
        OpportunityKind::Cleanup => &["refactor", "style", "chore"],
        OpportunityKind::Debt => &["refactor", "fix", "chore"],
        OpportunityKind::Proposal => &["chore", "fix"],
    };
    let usual = fitting.first().copied().unwrap_or("chore");
    fitting.iter().find(|word| used.iter().any(|used| used == *word)).copied().unwrap_or(usual)
}

/// The word and the text of a subject like `fix(area)!: text`.
fn conventional(subject: &str) -> Option<(&str, &str)> {
    let (head, text) = subject.split_once(": ")?;
    let head = head.strip_suffix('!').unwrap_or(head);
    let word = match head.split_once('(') {
        Some((word, scope)) if scope.len() > 1 && scope.find(')') == Some(scope.len() - 1) => word,
        Some(_) => return None,
        None => head,
    };
    CONVENTIONAL.contains(&word).then_some((word, text))
}

/// The prefix and the text of a subject like `area: text`.
fn prefixed(subject: &str) -> Option<(&str, &str)> {
    let (prefix, text) = subject.split_once(": ")?;
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '/' | '.' | ',');
    (!prefix.is_empty() && prefix.len() <= 40 && prefix.chars().all(plain)).then_some((prefix, text))
}

fn text_of<'a>(shape: &Shape, subject: &'a str) -> &'a str {
    let split = match shape {
        Shape::Conventional { .. } => conventional(subject),
        Shape::Prefixed(_) => prefixed(subject),
        Shape::Plain => None,
    };
    split.map_or(subject, |(_, text)| text)
}

fn starts(text: &str, test: fn(char) -> bool) -> bool {
    text.chars().next().is_some_and(test)
}

/// The text with its first letter in the wanted case; a first word that is code or a name stays as it is.
fn cased(text: &str, capital: bool) -> String {
    let first = text.split(' ').next().unwrap_or_default();
    let mut letters = first.chars();
    let Some(initial) = letters.next() else { return String::new() };
    if !initial.is_alphabetic() || !letters.all(|c| c.is_lowercase() || matches!(c, '-' | ',' | '\'')) {
        return text.to_owned();
    }
    let rest = text.get(initial.len_utf8()..).unwrap_or_default();
    if capital {
        initial.to_uppercase().chain(rest.chars()).collect()
    } else {
        initial.to_lowercase().chain(rest.chars()).collect()
    }
}

/// At most `room` characters, cut between words where that is possible.
fn shortened(text: &str, room: usize) -> String {
    if text.chars().count() <= room {
        return text.to_owned();
    }
    let kept: String = text.chars().take(room.saturating_sub(1)).collect();
    let kept = kept.rsplit_once(' ').map_or(kept.as_str(), |(before, _)| before);
    format!("{}…", kept.trim_end_matches([',', ';', ':']))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn style(subjects: &[&str]) -> MessageStyle {
        MessageStyle::of(&subjects.iter().map(|subject| (*subject).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn conventional_subjects_are_followed_with_the_words_in_use() {
        let style = style(&["fix: a", "feat(x)!: b", "build: c", "docs: d", "wip"]);
        assert_eq!(style.subject(OpportunityKind::Repair, "Make the total right."), "fix: make the total right");
        assert_eq!(style.subject(OpportunityKind::Dependency, "remove `log`"), "build: remove `log`");
        assert_eq!(style.subject(OpportunityKind::Cleanup, "HashMap is enough"), "refactor: HashMap is enough");
    }

    #[test]
    fn one_prefix_everywhere_is_followed_and_many_are_not() {
        let same = style(&["ledger: Add x.", "ledger: Drop y.", "ledger: Fix z."]);
        assert_eq!(same.subject(OpportunityKind::Repair, "repair the sum"), "ledger: Repair the sum.");
        let many = style(&["net: a", "mm: b", "fs: c", "irq: d"]);
        assert_eq!(many.shape, Shape::Plain);
    }

    #[test]
    fn plain_subjects_keep_their_case_and_dot() {
        assert_eq!(style(&[]).subject(OpportunityKind::Goal, "add a thing"), "Add a thing");
        let small = style(&["add a", "drop b", "Fix c"]);
        assert_eq!(small.subject(OpportunityKind::Goal, "Add a thing"), "add a thing");
    }

    proptest! {
        #[test]
        fn a_subject_is_one_short_line(text in "\\PC{0,200}|[a-z\n\r\t ]{0,200}", subjects in proptest::collection::vec("\\PC{0,40}", 0..8)) {
            let subject = MessageStyle::of(&subjects).subject(OpportunityKind::Repair, &text);
            prop_assert!(!subject.contains(['\n', '\r', '\0']));
            prop_assert!(subject.chars().count() <= 72, "{}", subject);
        }
    }
}
