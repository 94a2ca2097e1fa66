//! Changes between commits, commits out of changes, diffs, and carrying a change over to another commit.

use kaizen_domain::edit::{Change, FileMode, FileState};
use kaizen_domain::names::CommitId;
use kaizen_domain::patch::FileChangeKind;
use kaizen_repo::{Carried, NewCommit, RepoError};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use crate::support::{
    Fixture, assert_untouched, change, commit, file, fingerprint, names_below, raw_commit, rel, try_git_in,
};

fn state(mode: FileMode, text: &str) -> Option<FileState> {
    Some(FileState { mode, bytes: text.as_bytes().to_vec() })
}

fn many(fixture: &Fixture) -> (CommitId, Vec<Change>) {
    let lib = fixture.text("src/lib.rs");
    let changes = vec![
        change("Cargo.toml", file("[package]\nname = \"x\"\n"), None),
        change("README.md", file("# X\n"), state(FileMode::Executable, "# X\n")),
        change("deep/down/new.rs", None, file("// new\n")),
        change("link", None, state(FileMode::Symlink, "README.md")),
        change("src/lib.rs", file(&lib), file("no newline")),
        change("sub", None, state(FileMode::Submodule, &"1".repeat(40))),
    ];
    (fixture.change(&fixture.head(), &changes, "Change much"), changes)
}

#[test]
fn a_commit_holds_exactly_its_changes_and_git_agrees() {
    let fixture = Fixture::new();
    let head = fixture.head();
    let before = fingerprint(fixture.path(), &[".git/objects"]);
    let (made, changes) = many(&fixture);
    assert_untouched(fixture.path(), &[".git/objects"], &before);
    assert_eq!(fixture.repo().changes(&head, &made).unwrap(), changes);
    assert_eq!(fixture.git(["fsck", "--strict", "--no-dangling"]), "");
    let names = fixture.git(["diff-tree", "-r", "--name-status", "--no-renames", head.as_str(), made.as_str()]);
    assert_eq!(names, "D\tCargo.toml\nM\tREADME.md\nA\tdeep/down/new.rs\nA\tlink\nM\tsrc/lib.rs\nA\tsub");
    let shown = fixture.git(["log", "-1", "--format=%an <%ae> %at %cn %ct %P|%B", made.as_str()]);
    assert_eq!(shown, format!("A Person <person@example.org> 1700000000 A Person 1700000000 {head}|Change much"));
    assert_eq!(
        fixture.repo().tree_of(&made).unwrap().as_str(),
        fixture.git(["rev-parse", &format!("{made}^{{tree}}")])
    );
}

#[test]
fn the_same_input_makes_the_same_commit_and_removing_all_makes_an_empty_tree() {
    let fixture = Fixture::new();
    assert_eq!(many(&fixture).0, many(&fixture).0);
    fixture.git(["config", "--unset", "user.name"]);
    let head = fixture.head();
    let all: Vec<_> = fixture
        .repo()
        .changes(&raw_commit(&fixture.raw(), &[]), &head)
        .unwrap()
        .into_iter()
        .map(|change| Change { path: change.path, before: change.after, after: None })
        .collect();
    let empty = fixture.change(&head, &all, "Remove all");
    assert_eq!(fixture.repo().tree_of(&empty).unwrap().as_str(), "4b825dc642cb6eb9a060e54bf8d69288fbee4904");
    assert_eq!(fixture.git(["log", "-1", "--format=%an <%ae>", empty.as_str()]), "Kaizen <kaizen@localhost>");
}

#[test]
fn changes_that_do_not_fit_are_refused_by_name() {
    let fixture = Fixture::new();
    let head = fixture.head();
    let toml = || file("[package]\nname = \"x\"\n");
    let stale = [
        change("Cargo.toml", file("other"), file("new")),
        change("Cargo.toml", None, file("new")),
        change("Cargo.toml", state(FileMode::Executable, "[package]\nname = \"x\"\n"), None),
        change("nothing", file("x"), None),
    ];
    let impossible = [
        vec![change("src", None, file("a folder is there"))],
        vec![change("README.md/below", None, file("a file is there"))],
        vec![change("a", None, file("x")), change("a/b", None, file("x"))],
        vec![change("a", None, file("x")), change("a", None, file("y"))],
        vec![change("s", None, state(FileMode::Submodule, "not an id"))],
    ];
    let make = |changes: &[Change], message: &str| {
        let (parents, base, message) = (vec![head.clone()], head.clone(), message.to_owned());
        fixture.repo().commit(&NewCommit { parents, base, changes, message, seconds: 0 })
    };
    for one in stale {
        let error = make(std::slice::from_ref(&one), "x").unwrap_err();
        assert!(matches!(error, RepoError::BaseMismatch { .. }), "{error:?}");
        assert!(error.to_string().contains(one.path.as_str()), "{error}");
    }
    for changes in impossible {
        let error = make(&changes, "x").unwrap_err();
        assert!(matches!(error, RepoError::InvalidChange { .. }), "{error:?}");
    }
    for message in ["", " \n", "a\0b"] {
        assert!(matches!(make(&[change("Cargo.toml", toml(), None)], message), Err(RepoError::InvalidMessage { .. })));
    }
    let swap = [change("src/lib.rs", file(&fixture.text("src/lib.rs")), None), change("src", None, file("now a file"))];
    let swapped = make(&swap, "x").unwrap().0;
    assert_eq!(fixture.repo().read(&swapped, &rel("src")).unwrap(), file("now a file"));
    let back = [change("src", file("now a file"), None), change("src/x/y", None, file("z"))];
    let back = fixture.change(&swapped, &back, "x");
    assert_eq!(fixture.repo().read(&back, &rel("src/x/y")).unwrap(), file("z"));
}

#[test]
fn a_change_that_cannot_be_named_safely_is_an_error_and_never_left_out() {
    let fixture = Fixture::new();
    let raw = fixture.raw();
    let blob = raw.blob(b"x").unwrap();
    let empty = raw_commit(&raw, &[]);
    let twice = raw_commit(&raw, &[("100644", b"a", blob), ("100644", b"a", blob)]);
    let odd = raw_commit(&raw, &[("100644", b"b\xff.rs", blob)]);
    for hostile in [&twice, &odd] {
        let error = fixture.repo().changes(&empty, hostile).unwrap_err();
        assert!(matches!(error, RepoError::UnrepresentablePath { .. }), "{error:?}");
    }
}

#[test]
fn the_diff_is_one_that_git_applies_to_the_same_tree() {
    let fixture = Fixture::new();
    fixture.write("a \"b\" ü.txt", "1\n2\n3\n4\n5\n6\n7\n8\n9\n");
    fixture.write("crlf", "a\r\nb\r\n");
    fixture.write(".gitattributes", "*.rs -diff\n* text=auto\n");
    fixture.git(["-c", "core.autocrlf=false", "add", "-A"]);
    fixture.git(["commit", "-q", "-m", "More"]);
    let base = fixture.head();
    let lib = fixture.text("src/lib.rs");
    let changes = [
        change("Cargo.toml", file("[package]\nname = \"x\"\n"), None),
        change("README.md", file("# X\n"), state(FileMode::Executable, "# X")),
        change("a \"b\" ü.txt", file("1\n2\n3\n4\n5\n6\n7\n8\n9\n"), file("0\n1\n2\n3\n4\n5\n6\n7\n8\nnine\n")),
        change("empty", None, file("")),
        change("new/x.rs", None, file("x\n")),
        change("src/lib.rs", file(&lib), file("pub fn one() {}\n")),
    ];
    let made = fixture.change(&base, &changes, "x");
    let diff = fixture.repo().diff_text(&base, &made).unwrap();
    assert!(diff.contains("-pub fn one() -> u32 {\n"), "attributes must not hide a change:\n{diff}");
    assert!(diff.contains("+# X\n\\ No newline at end of file\n"), "{diff}");
    let patch = fixture.beside("p.diff");
    std::fs::write(&patch, &diff).unwrap();
    fixture.git(["apply", "--index", patch.to_str().unwrap()]);
    assert_eq!(fixture.git(["write-tree"]), fixture.repo().tree_of(&made).unwrap().as_str());
    let stat = fixture.repo().stat(&base, &made).unwrap();
    let shown: Vec<_> = stat.iter().map(|one| (one.path.as_str(), one.kind, one.added, one.removed)).collect();
    assert_eq!(
        shown,
        [
            ("Cargo.toml", FileChangeKind::Removed, 0, 2),
            ("README.md", FileChangeKind::Modified, 1, 1),
            ("a \"b\" ü.txt", FileChangeKind::Modified, 2, 1),
            ("empty", FileChangeKind::Added, 0, 0),
            ("new/x.rs", FileChangeKind::Added, 1, 0),
            ("src/lib.rs", FileChangeKind::Modified, 1, 3),
        ]
    );
    let binary = fixture.with_file(&made, "blob", "a\0b");
    let diff = fixture.repo().diff_text(&made, &binary).unwrap();
    assert!(diff.ends_with("Binary files /dev/null and b/blob differ\n"), "{diff}");
}

#[test]
fn a_change_is_carried_over_when_it_fits_and_named_when_it_does_not() {
    let fixture = Fixture::empty();
    fixture.write("a.txt", "1\n2\n3\n4\n5\n6\n7\n8\n9\n");
    fixture.write("b.txt", "b\n");
    let from = fixture.commit_all("Base");
    let to = fixture.with_file(&from, "a.txt", "one\n2\n3\n4\n5\n6\n7\n8\n9\n");
    let apart = fixture.with_file(&from, "a.txt", "1\n2\n3\n4\n5\n6\n7\n8\nnine\n");
    let clash = fixture.with_file(&from, "a.txt", "eins\n2\n3\n4\n5\n6\n7\n8\n9\n");
    let gone = fixture.change(&from, &[change("a.txt", file("1\n2\n3\n4\n5\n6\n7\n8\n9\n"), None)], "x");
    let before = fingerprint(fixture.path(), &[".git/objects"]);
    let objects = names_below(&fixture.path().join(".git/objects"));
    let carry = |onto: &CommitId| fixture.repo().carry(&from, &to, onto).unwrap();
    let expected = change("a.txt", file("1\n2\n3\n4\n5\n6\n7\n8\nnine\n"), file("one\n2\n3\n4\n5\n6\n7\n8\nnine\n"));
    assert_eq!(carry(&apart), Carried::Clean(vec![expected]));
    assert_eq!(carry(&to), Carried::Clean(Vec::new()));
    assert_eq!(carry(&clash), Carried::Conflicts(vec!["a.txt".to_owned()]));
    assert_eq!(carry(&gone), Carried::Conflicts(vec!["a.txt".to_owned()]));
    assert_untouched(fixture.path(), &[".git/objects"], &before);
    // Objects that are there already may get a newer time; none is made and none goes.
    assert_eq!(names_below(&fixture.path().join(".git/objects")), objects);
    assert!(try_git_in(fixture.path(), ["fsck", "--strict"]).status.success());
    let unknown = commit(&"2".repeat(40));
    assert!(matches!(fixture.repo().carry(&from, &to, &unknown), Err(RepoError::UnknownCommit { .. })));
}

#[test]
fn any_set_of_files_turns_into_any_other() {
    let fixture = Fixture::empty();
    fixture.write("x", "x");
    fixture.commit_all("x");
    let raw = fixture.raw();
    let empty = raw_commit(&raw, &[]);
    let files = || proptest::collection::btree_map("[ab](/[ab]){0,2}", "[xy\n]{0,6}", 0..5);
    let mut runner = TestRunner::new(ProptestConfig { cases: 48, ..ProptestConfig::default() });
    let fits = |files: &std::collections::BTreeMap<String, String>| {
        files.keys().all(|one| !files.keys().any(|other| other.starts_with(&format!("{one}/"))))
    };
    let result = runner.run(&(files(), files()), |(one, other)| {
        prop_assume!(fits(&one) && fits(&other));
        let added: Vec<_> = one.iter().map(|(path, text)| change(path, None, file(text))).collect();
        let from = fixture.change(&empty, &added, "from");
        let added: Vec<_> = other.iter().map(|(path, text)| change(path, None, file(text))).collect();
        let to = fixture.change(&empty, &added, "to");
        let repo = fixture.repo();
        let changes = repo.changes(&from, &to).unwrap();
        let made = fixture.change(&from, &changes, "made");
        prop_assert_eq!(repo.tree_of(&made).unwrap(), repo.tree_of(&to).unwrap());
        Ok(())
    });
    assert!(result.is_ok(), "{result:?}");
}
