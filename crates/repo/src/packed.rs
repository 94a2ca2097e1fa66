//! Takes one ref out of git's `packed-refs` file, under that file's lock and from what it says at that moment, so
//! that a ref packed by somebody else meanwhile is never lost.

use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

use kaizen_domain::names::RefName;

use crate::error::RepoError;
use crate::lock::OwnedLock;

/// Removes a ref from `packed-refs`; that it is not there is fine.
pub(crate) fn remove(common_dir: &Path, name: &RefName, wait: Duration) -> Result<(), RepoError> {
    let path = common_dir.join("packed-refs");
    if without(&read(&path)?, name).is_none() {
        return Ok(());
    }
    let lock = OwnedLock::take(common_dir, &path, wait)?;
    match without(&read(&path)?, name) {
        Some(rest) => lock.commit(&rest),
        None => Ok(()),
    }
}

fn read(path: &Path) -> Result<Vec<u8>, RepoError> {
    match std::fs::read(path) {
        Ok(content) => Ok(content),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(RepoError::io::<std::io::Error>("read", path)(error)),
    }
}

/// The file without the line of a ref and, after it, the line of what an annotated tag points at (`^...`); `None`
/// when the ref is not in it.
fn without(content: &[u8], name: &RefName) -> Option<Vec<u8>> {
    let mut rest = Vec::with_capacity(content.len());
    let mut found = false;
    let mut dropping = false;
    for line in content.split_inclusive(|byte| *byte == b'\n') {
        let text = line.strip_suffix(b"\n").unwrap_or(line);
        dropping = match text.first() {
            Some(b'^') => dropping,
            Some(b'#') | None => false,
            Some(_) => text.splitn(2, |byte| *byte == b' ').nth(1) == Some(name.as_str().as_bytes()),
        };
        found |= dropping;
        if !dropping {
            rest.extend_from_slice(line);
        }
    }
    found.then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn name(text: &str) -> RefName {
        RefName::new(text).expect("a ref name")
    }

    #[test]
    fn a_ref_goes_with_what_its_tag_points_at_and_nothing_else_does() {
        let content =
            b"# pack-refs with: peeled fully-peeled sorted \n1 refs/heads/a\n2 refs/tags/t\n^3\n4 refs/tags/t2\n";
        let rest = without(content, &name("refs/tags/t")).map(|rest| String::from_utf8_lossy(&rest).into_owned());
        assert_eq!(
            rest.as_deref(),
            Some("# pack-refs with: peeled fully-peeled sorted \n1 refs/heads/a\n4 refs/tags/t2\n")
        );
        assert_eq!(without(content, &name("refs/heads/b")), None);
    }

    proptest! {
        #[test]
        fn any_content_is_taken_and_other_lines_stay(lines in proptest::collection::vec("[#^a-z0-9 /]{0,20}", 0..12)) {
            let content = lines.join("\n");
            let wanted = name("refs/heads/a");
            let rest = without(content.as_bytes(), &wanted);
            prop_assert_eq!(rest, None);
            let with = format!("{content}\n123 refs/heads/a\n");
            let rest = without(with.as_bytes(), &wanted);
            prop_assert_eq!(rest, Some(format!("{content}\n").into_bytes()));
        }
    }
}
