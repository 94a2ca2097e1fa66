//! The world as a step leaves it: what is on the forge and what the program thinks of it, without what differs from run to
//! run anyway, so that two ends can be compared.

use std::collections::BTreeMap;

use anyhow::Result;

use super::super::program::Program;
use super::path::stages;
use super::stand::Stand;

/// A pull request without ids and times.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Pull {
    title: String,
    state: String,
    /// The files that its branch holds.
    tree: String,
    /// Commits that the branch has and the one it goes to has not.
    commits: usize,
    /// Whether the forge and git agree about its head.
    agreed: bool,
    comments: Vec<String>,
}

/// All of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct World {
    pulls: Vec<Pull>,
    branches: usize,
    stages: Vec<(u64, String)>,
}

/// How a world differs from the one that was to be.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Pull requests that are not there.
    pub lost: Vec<String>,
    /// Pull requests that are there more than once, or should not be.
    pub doubled: Vec<String>,
    /// Comments that are not there.
    pub unsaid: Vec<String>,
    /// Comments that are there more than once, or should not be.
    pub repeated: Vec<String>,
    /// Anything else.
    pub other: Vec<String>,
}

impl Difference {
    /// Whether there is none.
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

impl World {
    /// Looks at everything.
    ///
    /// # Errors
    /// When the forge or the program does not say.
    pub fn look(stand: &Stand, program: &Program) -> Result<Self> {
        let mut pulls = Vec::new();
        for (number, seen) in (1..).zip(stand.pulls()?) {
            let tip = stand.bare.tip(&seen.branch).unwrap_or_default();
            let mut comments: Vec<String> = stand.said(number)?.iter().map(|(_, text)| without_ids(text)).collect();
            comments.sort();
            pulls.push(Pull {
                tree: stand.bare.commit(&tip).map(|commit| commit.tree).unwrap_or_default(),
                commits: stand.bare.between("main", &tip).len(),
                agreed: tip == seen.head,
                title: seen.title,
                state: seen.state,
                comments,
            });
        }
        Ok(Self { pulls, branches: stand.bare.branches().len(), stages: stages(stand, program)? })
    }

    /// How this one differs from the one that was to be.
    pub fn differs_from(&self, wanted: &Self) -> Difference {
        let mut found = Difference::default();
        let titles = |world: &Self| -> Vec<String> { world.pulls.iter().map(|pull| pull.title.clone()).collect() };
        (found.lost, found.doubled) = compared(titles(self), titles(wanted));
        if !found.lost.is_empty() || !found.doubled.is_empty() {
            return found;
        }
        for (here, there) in self.pulls.iter().zip(&wanted.pulls) {
            let (unsaid, repeated) = compared(here.comments.clone(), there.comments.clone());
            found.unsaid.extend(unsaid);
            found.repeated.extend(repeated);
            let rest = |pull: &Pull| Pull { comments: Vec::new(), ..pull.clone() };
            if rest(here) != rest(there) {
                found.other.push(format!("{:?} in place of {:?}", rest(here), rest(there)));
            }
        }
        if (self.branches, &self.stages) != (wanted.branches, &wanted.stages) {
            let shown = |world: &Self| format!("{} branches, {:?}", world.branches, world.stages);
            found.other.push(format!("{} in place of {}", shown(self), shown(wanted)));
        }
        found
    }
}

/// What is missing here, and what is too much.
fn compared(here: Vec<String>, wanted: Vec<String>) -> (Vec<String>, Vec<String>) {
    let mut counts: BTreeMap<String, i64> = BTreeMap::new();
    here.into_iter().for_each(|text| *counts.entry(text).or_default() += 1);
    wanted.into_iter().for_each(|text| *counts.entry(text).or_default() -= 1);
    let those = |wrong: fn(&i64) -> bool| -> Vec<String> {
        counts.iter().filter(|(_, count)| wrong(count)).map(|(text, _)| text.clone()).collect()
    };
    (those(|count| *count < 0), those(|count| *count > 0))
}

/// A text in which each word with a figure in it is `#`: ids, commits and times are others in each run. A short commit may
/// have letters alone.
fn without_ids(text: &str) -> String {
    let mut all = String::new();
    for part in text.split_inclusive(|c: char| !c.is_ascii_alphanumeric()) {
        let word = part.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
        let is_commit = word.len() >= 7 && word.chars().all(|c| matches!(c, 'a'..='f' | '0'..='9'));
        match is_commit || word.contains(|c: char| c.is_ascii_digit()) {
            true => all.push_str(&part.replacen(word, "#", 1)),
            false => all.push_str(part),
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn world(comments: &[&str]) -> World {
        let (title, state) = ("Better".to_owned(), "open".to_owned());
        let comments = comments.iter().map(|text| without_ids(text)).collect();
        let pull = Pull { title, state, tree: "t".to_owned(), commits: 1, agreed: true, comments };
        World { pulls: vec![pull], branches: 2, stages: vec![(1, "open".to_owned())] }
    }

    #[test]
    fn what_is_missing_and_what_is_too_much_is_told_apart() {
        let wanted = world(&["at 3f2c1d8.", "why"]);
        assert!(world(&["at dfbbdfb.", "why"]).differs_from(&wanted).is_none());
        let found = world(&["why", "why"]).differs_from(&wanted);
        assert_eq!((found.unsaid, found.repeated), (vec!["at #.".to_owned()], vec!["why".to_owned()]));
        let mut twice = wanted.clone();
        twice.pulls.extend(wanted.pulls.clone());
        assert_eq!(twice.differs_from(&wanted).doubled, ["Better"]);
        assert_eq!(wanted.differs_from(&twice).lost, ["Better"]);
        let mut moved = wanted.clone();
        moved.stages[0].1 = "merged".to_owned();
        assert_eq!(moved.differs_from(&wanted).other.len(), 1);
    }
}
