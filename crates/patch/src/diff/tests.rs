//! Diffs are read back as they were written, and what others write is read or refused.

use kaizen_domain::RelPath;
use kaizen_domain::edit::{Change, FileMode, FileState};
use proptest::prelude::*;

use super::{apply_diff, render, stat};
use crate::{ApplyError, MemorySource};

fn path(text: &str) -> RelPath {
    RelPath::new(text).unwrap()
}

fn source() -> MemorySource {
    MemorySource::new()
        .with(path("src/a.rs"), "one\ntwo\nthree\nfour\nfive\nsix\nseven\n")
        .with(path("crlf.txt"), "one\r\ntwo\r\nthree")
        .with(path("twice.txt"), "x\ny\n-\nx\ny\n")
        .with(path("empty"), "")
}

/// The text of the first changed file; empty when it is gone.
fn after(diff: &str) -> Result<String, ApplyError> {
    let changes = apply_diff(diff, &source())?;
    let text = changes.into_iter().find_map(|change| change.after).map(|state| state.bytes).unwrap_or_default();
    Ok(String::from_utf8(text).unwrap())
}

const BODY: &str = "@@ -1,3 +1,3 @@\n one\n-two\n+2\n three\n";

#[test]
fn headers_of_every_form_are_read() {
    let wanted = "one\n2\nthree\nfour\nfive\nsix\nseven\n";
    for header in [
        "diff --git a/src/a.rs b/src/a.rs\nindex 123..456 100644\n--- a/src/a.rs\n+++ b/src/a.rs\n",
        "--- a/src/a.rs\t2026-01-01 00:00:00\n+++ b/src/a.rs\t2026-01-02 00:00:00\n",
        "--- src/a.rs\n+++ src/a.rs\n",
        "diff --git i/src/a.rs w/src/a.rs\n--- i/src/a.rs\n+++ w/src/a.rs\n",
        "diff --git b/src/a.rs b/src/a.rs\n--- b/src/a.rs\n+++ b/src/a.rs\n",
        "--- \"a/src/\\141.rs\"\n+++ \"b/src/\\141.rs\"\n",
        "Here is my patch:\n\n---\n\n```diff\n--- a/src/a.rs\n+++ b/src/a.rs\n",
    ] {
        let diff = format!("{header}{BODY}```\nIt does:\n- this\n");
        assert_eq!(after(&diff).as_deref(), Ok(wanted), "{header}");
        let carried = diff.replace('\n', "\r\n");
        assert_eq!(after(&carried).as_deref(), Ok(wanted), "with carriage returns: {header}");
    }
}

#[test]
fn a_new_file_stands_where_git_puts_it_however_the_prefixes_are_written() {
    for (names, wanted) in [
        ("a/src/new.rs b/src/new.rs", "src/new.rs"),
        ("b/src/new.rs b/src/new.rs", "src/new.rs"),
        ("src/new.rs src/new.rs", "src/new.rs"),
        ("a/b/new.rs b/b/new.rs", "b/new.rs"),
    ] {
        let (_, new) = names.split_once(' ').unwrap();
        let diff = format!(
            "diff --git {names}\nnew file mode 100644\n--- /dev/null\n+++ {new}\n@@ -0,0 +1 @@\n+fn f() {{}}\n"
        );
        let changes = apply_diff(&diff, &source()).unwrap();
        assert_eq!(changes.iter().map(|change| change.path.clone()).collect::<Vec<_>>(), [path(wanted)], "{names}");
    }
}

#[test]
fn a_hunk_finds_its_place_by_content_when_the_numbers_are_off() {
    let moved = BODY.replace("-1,3 +1,3", "-5,3 +5,3");
    assert_eq!(
        after(&format!("--- a/src/a.rs\n+++ b/src/a.rs\n{moved}")).unwrap(),
        "one\n2\nthree\nfour\nfive\nsix\nseven\n"
    );
    let two = "--- twice.txt\n+++ twice.txt\n@@ -4,2 +4,2 @@\n x\n-y\n+z\n";
    assert_eq!(after(two).unwrap(), "x\ny\n-\nx\nz\n");
    let unclear = after(&two.replace("-4,2", "-2,2")).unwrap_err();
    assert!(unclear.to_string().contains("at lines 1, 4"), "{unclear}");
}

#[test]
fn line_ends_of_the_file_win_when_the_diff_has_others() {
    let diff = "--- a/crlf.txt\n+++ b/crlf.txt\n@@ -1,3 +1,4 @@\n one\n-two\n+2\n three\n+four\n";
    assert_eq!(after(diff).unwrap(), "one\r\n2\r\nthree\r\nfour");
}

#[test]
fn files_are_made_moved_copied_and_deleted() {
    assert_eq!(
        after("--- /dev/null\n+++ b/new.rs\n@@ -0,0 +1,2 @@\n+a\n+b\n\\ No newline at end of file\n").unwrap(),
        "a\nb"
    );
    let made = apply_diff("diff --git a/n b/n\nnew file mode 100644\nindex 0000000..e69de29\n", &source()).unwrap();
    assert_eq!(made[0].after.as_ref().unwrap().bytes, b"");
    let gone = apply_diff("--- a/twice.txt\n+++ /dev/null\n@@ -1,5 +0,0 @@\n-x\n-y\n--\n-x\n-y\n", &source()).unwrap();
    assert_eq!((gone.len(), &gone[0].after), (1, &None));
    let moved = "diff --git a/src/a.rs b/src/b.rs\nsimilarity index 90%\nrename from src/a.rs\nrename to src/b.rs\n--- a/src/a.rs\n+++ b/src/b.rs\n";
    let moved = apply_diff(&format!("{moved}{BODY}"), &source()).unwrap();
    assert_eq!(moved.iter().map(|change| change.after.is_some()).collect::<Vec<_>>(), [false, true]);
    let copied = "diff --git a/empty b/copy\nsimilarity index 100%\ncopy from empty\ncopy to copy\n";
    assert_eq!(apply_diff(copied, &source()).unwrap().len(), 1);
}

#[test]
fn what_no_patch_may_do_is_refused_by_name() {
    let mut said = Vec::new();
    for diff in [
        "diff --git a/l b/l\nnew file mode 120000\n--- /dev/null\n+++ b/l\n@@ -0,0 +1 @@\n+/etc\n",
        "diff --git a/s b/s\nnew file mode 160000\n",
        "diff --git a/src/a.rs b/src/a.rs\nold mode 100644\nnew mode 100755\n",
        "diff --git a/x.png b/x.png\nindex 1..2 100644\nGIT binary patch\nliteral 1\n",
        "diff --git a/x.png b/x.png\nBinary files a/x.png and b/x.png differ\n",
        "--- a/../etc/passwd\n+++ b/../etc/passwd\n@@ -1 +1 @@\n-a\n+b\n",
        "--- /dev/null\n+++ /etc/passwd\n@@ -0,0 +1 @@\n+b\n",
        "--- /dev/null\n+++ b/.git/hooks/x\n@@ -0,0 +1 @@\n+b\n",
        "--- /dev/null\n+++ b/src/a.rs\n@@ -0,0 +1 @@\n+b\n",
        "--- /dev/null\n+++ b/src/a.rs/x\n@@ -0,0 +1 @@\n+b\n",
        "--- a/gone.rs\n+++ b/gone.rs\n@@ -1 +1 @@\n-a\n+b\n",
        "--- a/src/a.rs\n+++ b/src/a.rs\n@@ -1,3 +1,3 @@\n one\n-two\n",
        "--- a/src/a.rs\n+++ b/src/a.rs\n@@ -1,2 +1,2 @@\n one\n-two\n+2\n+more\n",
        "--- a/src/a.rs\n+++ b/src/a.rs\n@@ -1,2 +1,2 @@\n one\n-zwei\n+2\n",
        "--- a/src/a.rs\n+++ b/src/a.rs\n@@ -2,0 +3 @@\n+x\n",
        "--- a/src/a.rs\n+++ b/src/a.rs\n",
        "--- a/src/a.rs\n",
        "diff --git a/n b/n\nnew file mode 100644\n",
        "@@ -1 +1 @@\n-a\n+b\n",
        "--- a/src/a.rs\n+++ b/src/a.rs\n@@ -1,2 +1,2 @@\n one\n-two\n+two\n",
        "--- a/src/a.rs\n+++ /dev/null\n@@ -1,2 +0,0 @@\n-one\n-two\n",
        "diff --cc src/a.rs\n",
        "I could not find anything to change.",
    ] {
        said.push(apply_diff(diff, &source()).unwrap_err().to_string());
    }
    insta::assert_snapshot!(said.join("\n---\n"));
}

#[test]
fn no_prefix_of_a_diff_is_applied_unless_it_ends_between_files() {
    let diff = format!("diff --git a/src/a.rs b/src/a.rs\n--- a/src/a.rs\n+++ b/src/a.rs\n{BODY}");
    for cut in 0..diff.trim_end().len() - "three".len() {
        assert!(after(&diff[..cut]).is_err(), "{}", &diff[..cut]);
    }
}

#[test]
fn every_line_is_counted_once() {
    let state = |text: &str| Some(FileState { mode: FileMode::Regular, bytes: text.into() });
    let change = Change { path: path("a"), before: state("a\nb\nc\n"), after: state("a\nx\ny\nc\n") };
    let counted = stat(&[change]);
    assert_eq!((counted[0].added, counted[0].removed), (2, 1));
}

fn text() -> impl Strategy<Value = Option<String>> {
    let line = prop_oneof![
        "[ab]{0,2}",
        Just("-- x".to_owned()),
        Just("@@ -1 +1 @@".to_owned()),
        Just("--- a".to_owned()),
        Just("\\".to_owned()),
        Just("```".to_owned()),
        "\\PC{0,6}"
    ];
    let end = prop_oneof![Just("\n"), Just("\r\n"), Just("\n")];
    let lines = proptest::collection::vec((line, end), 0..14)
        .prop_map(|lines| lines.into_iter().map(|(line, end)| line + end).collect::<String>());
    let unended = (lines, any::<bool>())
        .prop_map(|(text, cut)| if cut { text.trim_end_matches(['\r', '\n']).to_owned() } else { text });
    proptest::option::weighted(0.9, unended)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn what_is_rendered_is_read_back(files in proptest::collection::vec((text(), text()), 1..4)) {
        let state = |text: Option<String>| text.map(|text| FileState { mode: FileMode::Regular, bytes: text.into() });
        let names = ["a b/ü.rs", "b/\"q\"", "c", "d"];
        let mut source = MemorySource::new();
        let mut changes = Vec::new();
        for (name, (before, after)) in names.iter().zip(files) {
            let change = Change { path: path(name), before: state(before), after: state(after) };
            if let Some(before) = &change.before {
                source.put(change.path.clone(), before.clone());
            }
            if change.before != change.after {
                changes.push(change);
            }
        }
        prop_assume!(!changes.is_empty());
        let diff = render(&changes);
        prop_assert_eq!(apply_diff(&diff, &source), Ok(changes), "{}", diff);
    }

    #[test]
    fn no_text_makes_it_panic(diff in "((--- |\\+\\+\\+ |diff --git |@@ -|rename to |index |\\\\|[ +-])?[ab/@,0-3\" +-]{0,9}\r?\n){0,12}|\\PC{0,60}") {
        let _ = apply_diff(&diff, &source());
    }
}
