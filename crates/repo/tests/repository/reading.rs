//! From names to commits, and from commits to files.

use std::os::unix::fs::PermissionsExt;

use kaizen_domain::edit::{FileMode, FileState};
use kaizen_repo::RepoError;

use crate::support::{Fixture, branch, commit, raw_commit, raw_tree, rel};

#[test]
fn a_name_is_a_branch_a_tag_a_remote_branch_or_a_commit_id() {
    let fixture = Fixture::new();
    let head = fixture.head();
    fixture.git(["branch", "feature/x"]);
    fixture.git(["tag", "-a", "v1", "-m", "one"]);
    fixture.git(["update-ref", "refs/remotes/origin/main", "HEAD"]);
    fixture.git(["pack-refs", "--all"]);
    let repo = fixture.repo();
    let of = |name: &str| repo.commit_of(name).unwrap();
    for (name, found) in [
        ("main", Some("main")),
        ("HEAD", Some("main")),
        ("refs/heads/main", Some("main")),
        ("feature/x", Some("feature/x")),
        ("v1", None),
        ("origin/main", None),
        (head.as_str(), None),
        (head.short(), None),
    ] {
        assert_eq!(of(name), (found.map(branch), head.clone()), "{name}");
    }
    assert_eq!(repo.tree_of(&head).unwrap().as_str(), fixture.git(["rev-parse", "HEAD^{tree}"]));
}

#[test]
fn an_unknown_name_comes_with_the_branches_it_may_have_meant() {
    let fixture = Fixture::new();
    fixture.git(["branch", "feature/parser"]);
    let repo = fixture.repo();
    for (name, meant) in [("mian", "main"), ("feature/praser", "feature/parser"), ("Main", "main")] {
        let error = repo.commit_of(name).unwrap_err();
        assert!(matches!(error, RepoError::UnknownRevision { .. }), "{error:?}");
        assert!(error.to_string().contains(&format!("did you mean {meant}?")), "{error}");
    }
    for name in ["", "zzzzzzzz", "a b\n", "../x", "-x", "@{-1}", "0000", &"0".repeat(40), "\u{202e}"] {
        let error = repo.commit_of(name).unwrap_err();
        assert!(!error.to_string().contains("did you mean"), "{error}");
        assert!(!error.to_string().contains(['\n', '\u{202e}']), "{error:?}");
    }
}

#[test]
fn files_are_read_byte_for_byte_with_their_kind() {
    let fixture = Fixture::new();
    fixture.write("crlf.txt", b"a\r\nb\r\n\xff\0");
    fixture.write(".gitattributes", "* text eol=crlf\n");
    fixture.write("run.sh", "#!/bin/sh\n");
    std::fs::set_permissions(fixture.path().join("run.sh"), std::fs::Permissions::from_mode(0o755)).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", fixture.path().join("link")).unwrap();
    fixture.git(["-c", "core.autocrlf=false", "add", "link", "run.sh"]);
    let blob = fixture.raw().blob(b"a\r\nb\r\n\xff\0").unwrap();
    fixture.git(["update-index", "--add", "--cacheinfo", &format!("100644,{blob},crlf.txt")]);
    fixture.git(["commit", "-q", "-m", "More"]);
    let (repo, head) = (fixture.repo(), fixture.head());
    let read = |path: &str| repo.read(&head, &rel(path)).unwrap();
    let state = |mode, bytes: &[u8]| Some(FileState { mode, bytes: bytes.to_vec() });
    assert_eq!(read("crlf.txt"), state(FileMode::Regular, b"a\r\nb\r\n\xff\0"));
    assert_eq!(read("run.sh"), state(FileMode::Executable, b"#!/bin/sh\n"));
    assert_eq!(read("link"), state(FileMode::Symlink, b"/etc/passwd"));
    assert_eq!((read("src"), read("nothing"), read("src/lib.rs/x")), (None, None, None));
    let gone = commit(&"1".repeat(40));
    assert!(matches!(repo.read(&gone, &rel("x")), Err(RepoError::UnknownCommit { .. })));
}

#[test]
fn a_listing_has_every_file_and_says_what_it_left_out() {
    let fixture = Fixture::new();
    let pointer = format!("version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize 12345\n", "a".repeat(64));
    fixture.write(".gitattributes", "*.bin filter=lfs diff=lfs merge=lfs -text\n");
    let raw = fixture.raw();
    let blob = raw.blob(b"content").unwrap();
    let lfs = raw.blob(pointer.as_bytes()).unwrap();
    let attributes = raw.blob(b"*.bin filter=lfs\n").unwrap();
    let inner = raw_tree(&raw, &[("100644", b"a.rs", blob), ("100644", b"b\xff.rs", blob)]);
    let head = raw_commit(
        &raw,
        &[
            ("100644", b".gitattributes", attributes),
            ("160000", b"dep", blob),
            ("40000", b"dir", inner),
            ("40000", b"dir\\evil", inner),
            ("100755", b"exe", blob),
            ("120000", b"link", blob),
            ("100644", b"new\nline", blob),
            ("160777", b"odd", blob),
            ("100644", b"x.bin", lfs),
        ],
    );
    let listing = fixture.repo().files(&head).unwrap();
    let files: Vec<_> = listing.files.iter().map(|(path, mode, size)| (path.as_str(), *mode, *size)).collect();
    let pointer_size = u64::try_from(pointer.len()).unwrap();
    assert_eq!(
        files,
        [
            (".gitattributes", FileMode::Regular, 17),
            ("dir/a.rs", FileMode::Regular, 7),
            ("exe", FileMode::Executable, 7),
            ("link", FileMode::Symlink, 7),
            ("x.bin", FileMode::Regular, pointer_size),
        ]
    );
    assert_eq!(listing.lfs, [rel("x.bin")]);
    let skipped: Vec<_> = listing.skipped.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(skipped, ["dep", "dir/b\u{fffd}.rs", "dir\\evil", "new\nline", "odd"]);
    assert!(listing.skipped[0].1.contains("submodule") && listing.skipped[1].1.contains("UTF-8"));
}

#[test]
fn folders_inside_each_other_without_end_are_refused() {
    let fixture = Fixture::new();
    let raw = fixture.raw();
    let blob = raw.blob(b"x").unwrap();
    let mut deep = raw_tree(&raw, &[("100644", b"f", blob)]);
    for _ in 0..1000 {
        deep = raw_tree(&raw, &[("40000", b"d", deep)]);
    }
    let deep = raw_commit(&raw, &[("40000", b"d", deep)]);
    let repo = fixture.repo();
    assert!(matches!(repo.files(&deep), Err(RepoError::TooLarge { .. })));
    assert!(matches!(repo.changes(&fixture.head(), &deep), Err(RepoError::TooLarge { .. })));
}
