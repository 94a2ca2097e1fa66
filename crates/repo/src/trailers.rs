//! Finds the commits that Kaizen made by the trailers of their messages: what a lost journal is rebuilt from.

use std::collections::HashSet;

use git2::Sort;
use kaizen_domain::names::CommitId;

use crate::error::{RepoError, lossy};
use crate::repo::{Repo, commit_id};

/// The trailer that every commit of Kaizen carries.
const MARK: &str = "Kaizen-Patch";
/// The longest message that is looked at, bytes.
const MAX_MESSAGE: usize = 1 << 20;

/// Commits and the trailers (key, value) of their messages, in the order they stand there.
pub type Trailers = Vec<(CommitId, Vec<(String, String)>)>;

impl Repo {
    /// Every commit on a local branch whose message has a `Kaizen-Patch` trailer, with all its trailers, newest
    /// first. At most `walked` commits are looked at. A message is text from outside: anyone can write a trailer.
    ///
    /// # Errors
    /// When the branches or their history cannot be read.
    pub fn trailers(&self, walked: usize) -> Result<Trailers, RepoError> {
        let doing = || RepoError::git("walk the history of the branches");
        let mut walk = self.store().revwalk().map_err(doing())?;
        walk.set_sorting(Sort::TIME).map_err(doing())?;
        let mut starts = HashSet::new();
        for (_, commit) in self.refs_under("refs/heads/")? {
            let oid = crate::revision::oid(&commit)?;
            if starts.insert(oid) {
                walk.push(oid).map_err(doing())?;
            }
        }
        let mut found = Vec::new();
        for oid in walk.take(walked) {
            let oid = oid.map_err(doing())?;
            let commit = self.store().find_commit(oid).map_err(RepoError::object(oid, "the history"))?;
            let message = commit.message_bytes();
            if message.len() > MAX_MESSAGE {
                continue;
            }
            let trailers = trailers_of(&lossy(message));
            if trailers.iter().any(|(key, _)| key.eq_ignore_ascii_case(MARK)) {
                found.push((commit_id(oid)?, trailers));
            }
        }
        Ok(found)
    }
}

/// The lines `Key: value` of a message's last paragraph, when every line of it is one or goes on from one.
fn trailers_of(message: &str) -> Vec<(String, String)> {
    let body = message.trim_end();
    let mut paragraphs = body.rsplit("\n\n");
    let (Some(last), Some(_)) = (paragraphs.next(), paragraphs.next()) else { return Vec::new() };
    let mut found: Vec<(String, String)> = Vec::new();
    for line in last.lines() {
        if line.starts_with([' ', '\t']) {
            let Some((_, value)) = found.last_mut() else { return Vec::new() };
            value.push(' ');
            value.push_str(line.trim());
            continue;
        }
        let Some((key, value)) = line.split_once(':') else { return Vec::new() };
        if key.is_empty() || !key.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') {
            return Vec::new();
        }
        found.push((key.to_owned(), value.trim().to_owned()));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::trailers_of;
    use proptest::prelude::*;

    #[test]
    fn only_a_last_paragraph_of_nothing_but_trailers_counts() {
        let found =
            trailers_of("fix: x\n\nKaizen-Fake: in the middle\n\nKaizen-Patch: p1\nSigned-off-by: A <a@b>\n  more\n");
        let expected = [("Kaizen-Patch", "p1"), ("Signed-off-by", "A <a@b> more")];
        assert_eq!(found, expected.map(|(key, value)| (key.to_owned(), value.to_owned())));
        assert!(trailers_of("Kaizen-Patch: only a subject").is_empty());
        assert!(trailers_of("x\n\nKaizen-Patch: p\nand prose").is_empty());
    }

    proptest! {
        #[test]
        fn written_trailers_are_read_back(subject in "[a-z ]{1,20}", value in "[a-z0-9]{1,20}") {
            let found = trailers_of(&format!("{subject}\n\nbody\n\nKaizen-Patch: {value}\n"));
            prop_assert_eq!(found, vec![("Kaizen-Patch".to_owned(), value)]);
        }

        #[test]
        fn any_message_is_taken(message in "\\PC{0,60}|[:\n a-z]{0,60}") {
            let _ = trailers_of(&message);
        }
    }
}
