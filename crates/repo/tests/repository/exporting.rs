//! Exporting commits: byte for byte when they are honest, safely when they are not.

use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use kaizen_repo::RepoError;

use crate::support::{Fixture, assert_untouched, fingerprint, raw_commit, raw_tree, rel};

#[test]
fn an_export_is_the_commit_byte_for_byte() {
    let fixture = Fixture::new();
    let raw = fixture.raw();
    fixture.git(["config", "core.autocrlf", "true"]);
    let blob = |bytes: &[u8]| raw.blob(bytes).unwrap();
    let inner = raw_tree(&raw, &[("100644", b"b\xff.rs", blob(b"bytes\xff\0"))]);
    let head = raw_commit(
        &raw,
        &[
            ("100644", b".gitattributes", blob(b"* text eol=crlf\n")),
            ("100644", b"Case", blob(b"1")),
            ("100644", b"case", blob(b"2")),
            ("160000", b"dep", blob(b"1")),
            ("40000", b"dir", inner),
            ("100755", b"exe", blob(b"#!/bin/sh\r\n")),
            ("120000", b"link", blob(b"../outside\xff")),
            ("100644", b"lf", blob(b"a\nb\n")),
            ("100644", b"new\nline", blob(b"")),
        ],
    );
    let into = fixture.beside("into/fresh");
    let done = fixture.repo().export(&head, &into).unwrap();
    assert_eq!((done.files, done.bytes, done.skipped.len()), (8, 16 + 1 + 1 + 7 + 11 + 11 + 4, 0), "{done:?}");
    assert_eq!(done.submodules, ["dep"]);
    let read = |name: &[u8]| std::fs::read(into.join(Path::new(std::ffi::OsStr::from_bytes(name)))).unwrap();
    assert_eq!(read(b"lf"), b"a\nb\n");
    assert_eq!(read(b"exe"), b"#!/bin/sh\r\n");
    assert_eq!(read(b"dir/b\xff.rs"), b"bytes\xff\0");
    assert_eq!((read(b"Case"), read(b"case"), read(b"new\nline")), (b"1".into(), b"2".into(), Vec::new()));
    let link = std::fs::read_link(into.join("link")).unwrap();
    assert_eq!(link.as_os_str().as_bytes(), b"../outside\xff");
    let mode = |name: &str| into.join(name).metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("lf"), mode("exe")), (0o644, 0o755));
    assert_eq!(std::fs::read_dir(into.join("dep")).unwrap().count(), 0);
}

#[test]
fn a_hostile_tree_writes_nothing_outside_and_is_reported() {
    let fixture = Fixture::new();
    let raw = fixture.raw();
    let outside = fixture.beside("outside");
    std::fs::create_dir(&outside).unwrap();
    let blob = |bytes: &[u8]| raw.blob(bytes).unwrap();
    let evil = blob(b"evil");
    let inner = raw_tree(&raw, &[("100644", b"b", evil)]);
    let target = blob(outside.as_os_str().as_bytes());
    let tree = raw_commit(
        &raw,
        &[
            ("40000", b"..", inner),
            ("100644", b"../escaped", evil),
            ("100644", b"/escaped", evil),
            ("40000", b".", inner),
            ("40000", b".GIT", inner),
            ("40000", b".git", inner),
            // A link, and then a folder of the same name: its files must not go through the link.
            ("120000", b"a", target),
            ("40000", b"a", inner),
            ("120000", b"c", target),
            ("100644", b"c", evil),
            ("100644", b"d", evil),
            ("120000", b"d", target),
            ("120000", b"e", blob(b"")),
            ("120000", b"f", blob(b"a\0b")),
            ("100644", b"fine", blob(b"fine")),
            ("100644", b"tree", inner),
        ],
    );
    let before = fingerprint(&outside, &[]);
    let into = fixture.beside("into");
    let around = fingerprint(&fixture.beside(""), &["into", "project"]);
    let done = fixture.repo().export(&tree, &into).unwrap();
    assert_untouched(&outside, &[], &before);
    assert_untouched(&fixture.beside(""), &["into", "project"], &around);
    let mut written: Vec<_> = std::fs::read_dir(&into).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    written.sort();
    assert_eq!(written, ["a", "c", "d", "fine"]);
    assert_eq!(std::fs::read(into.join("d")).unwrap(), b"evil");
    assert!(into.join("a").is_symlink() && into.join("c").is_symlink());
    let skipped: Vec<_> = done.skipped.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        skipped,
        ["..", "../escaped", "/escaped", ".", ".GIT", ".git", "a", "c", "d", "e", "f", "tree"],
        "{:?}",
        done.skipped
    );
}

#[test]
fn a_deep_tree_is_refused_and_a_long_name_is_left_out() {
    let fixture = Fixture::new();
    let raw = fixture.raw();
    let blob = raw.blob(b"x").unwrap();
    let mut deep = raw_tree(&raw, &[("100644", b"f", blob)]);
    for _ in 0..1000 {
        deep = raw_tree(&raw, &[("40000", b"d", deep)]);
    }
    let deep = raw_commit(&raw, &[("40000", b"d", deep)]);
    let error = fixture.repo().export(&deep, &fixture.beside("deep")).unwrap_err();
    assert!(matches!(error, RepoError::TooLarge { .. }), "{error:?}");
    let long = vec![b'n'; 300];
    let long = raw_commit(&raw, &[("100644", b"a", blob), ("100644", &long, blob)]);
    let done = fixture.repo().export(&long, &fixture.beside("long")).unwrap();
    assert_eq!((done.files, done.skipped.len()), (1, 1));
}

#[test]
fn only_a_fresh_folder_is_written_to() {
    let fixture = Fixture::new();
    let error = fixture.repo().export(&fixture.head(), fixture.path()).unwrap_err();
    assert!(matches!(error, RepoError::NotEmpty { .. }), "{error:?}");
    let empty = fixture.beside("empty");
    std::fs::create_dir(&empty).unwrap();
    assert_eq!(fixture.repo().export(&fixture.head(), &empty).unwrap().files, 3);
    assert_eq!(std::fs::read(empty.join("README.md")).unwrap(), b"# X\n");
    let read = fixture.repo().read(&fixture.head(), &rel("README.md")).unwrap().unwrap();
    assert_eq!(read.bytes, b"# X\n");
}
