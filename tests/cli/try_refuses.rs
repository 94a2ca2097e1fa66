//! `kaizen try` with what must not land: it is refused with the reason, and the repository is as it was.

use crate::cli::shapes;
use crate::cli::support::{Room, Said, lib_diff, new_file, told};

/// Judges a diff that must end with this exit code, say this, and leave no ref.
#[track_caller]
fn refused(room: &Room, diff: &str, code: i32, reason: &str) -> Said {
    let before = room.refs();
    let said = room.try_diff(diff, &[]).expect(code).says(&[reason]);
    assert_eq!(room.refs(), before, "{reason}");
    assert_eq!(room.git(&["status", "--porcelain"]), "");
    said
}

#[test]
fn a_patch_that_breaks_a_test_is_refused_by_the_name_of_the_test() {
    let room = Room::tiny();
    let said =
        refused(&room, &lib_diff("return a + b;", "return a - b;"), 4, "test `tiny/lib::tests::adds` would fail");
    told!(room, said.out, @r#"
    kaizen · work @ <hash> (main)  cycle <cycle>
      patch     Apply given.diff
      base      builds, 2 tests pass, 0 fail, 0 flaky <time>

      1 REJECTED     <patch>  Apply given.diff                                     given    -1 +1
                             test `tiny/lib::tests::adds` would fail

      landed 0 · rejected 1 · <time>, <time> of it in trials
    "#);
    // What was shown can be looked at afterwards.
    let id = said.patch("REJECTED");
    room.kaizen(&["show", &id, "--evidence"]).expect(0).says(&["broken: tiny/lib::tests::adds", "+    return a - b;"]);
}

#[test]
fn a_patch_that_does_not_compile_is_refused_by_the_compilers_own_words() {
    let room = Room::tiny();
    refused(
        &room,
        &lib_diff("return a + b;", "return a + \"b\";"),
        4,
        "does not build: cannot add `&str` to `i32` (src/lib.rs:5)",
    );
}

#[test]
fn paths_outside_the_tree_and_into_git_are_refused() {
    let room = Room::tiny();
    for (path, why) in [
        ("../x", "leaves the tree"),
        ("a/../../x", "leaves the tree"),
        ("/etc/x", "is absolute"),
        (".git/hooks/x", "git's own folder"),
        (".GIT/config", "git's own folder"),
        ("git~1/x", "git's own folder"),
        ("sub/.git/x", "git's own folder"),
        ("C:/x", "a backslash or a colon"),
    ] {
        refused(&room, &new_file(path, "100644", "x\n"), 4, why);
    }
    refused(&room, &new_file(".gitmodules", "100644", "[submodule \"x\"]\n"), 4, "no patch may touch it");
    refused(&room, &new_file(".gitattributes", "100644", "* filter=x\n"), 4, "no patch may touch it");
    assert!(!room.at("x").exists() && !room.repo.join(".git/hooks/x").exists());
}

#[test]
fn links_modes_submodules_and_binaries_are_refused() {
    let room = Room::tiny();
    refused(&room, &new_file("link", "120000", "/etc/passwd\n"), 4, "creates a symbolic link");
    refused(&room, &new_file("run.sh", "100755", "#!/bin/sh\n"), 4, "creates an executable file");
    refused(
        &room,
        &new_file("sub", "160000", "Subproject commit 0123456789012345678901234567890123456789\n"),
        4,
        "creates a submodule",
    );
    let mode = "diff --git a/src/lib.rs b/src/lib.rs\nold mode 100644\nnew mode 100755\n";
    refused(&room, mode, 4, "modes cannot be changed");
    let binary = "diff --git a/x.png b/x.png\nnew file mode 100644\nindex 0000000..1111111\nGIT binary patch\nliteral 1\nIcmZPo000310RR91\n\n";
    refused(&room, binary, 4, "binary");
}

#[test]
fn a_file_below_a_link_is_refused() {
    let room = Room::tiny();
    std::fs::create_dir(room.at("outside")).expect("a folder");
    std::os::unix::fs::symlink(room.at("outside"), room.repo.join("out")).expect("a link");
    room.commit("Link");
    let said = room.try_diff(&new_file("out/x", "100644", "x\n"), &[]).expect(4);
    said.says(&["out is not a folder"]);
    assert!(!room.at("outside/x").exists() && room.own_branches().is_empty());
}

#[test]
fn bytes_that_hide_something_are_refused() {
    let room = Room::tiny();
    for (character, name) in [("\u{202e}", "U+202E"), ("\u{200b}", "U+200B"), ("\0", "U+0000")] {
        // git takes a file with a NUL for a binary one, so the character comes in afterwards.
        let diff = lib_diff("Adds two", "Adds #two").replace('#', character);
        refused(&room, &diff, 4, name);
    }
}

#[test]
fn a_secret_is_refused_and_kept_nowhere() {
    let room = Room::tiny();
    room.try_diff(&lib_diff("return a + b;", "return a - b;"), &[]).expect(4);
    for (secret, kind) in [
        ("AKIAQ3EGPLXTMWZ7VNRD".to_owned(), "aws"),
        (format!("ghp_{}", "9fG2hT5kLmQ8rWxZ3vB6nC1dP4sJ7yA0eUiO"), "github"),
    ] {
        let diff = lib_diff("//! Sums.", &format!("//! Sums.\n\n/// The key.\npub const KEY: &str = \"{secret}\";"));
        let said = refused(&room, &diff, 4, kind);
        assert!(!format!("{}{}", said.out, said.err).contains(&secret), "the secret was printed");
        let state = room.git_may_fail(&room.state(), &["grep", "-r", "--no-index", "-a", "-l", &secret, "."]);
        assert!(!state.status.success(), "the secret was kept: {}", String::from_utf8_lossy(&state.stdout));
    }
}

#[test]
fn patches_too_large_to_be_read_by_a_person_are_refused_before_they_are_tried() {
    let room = Room::tiny();
    let many: String = (0..100_000).map(|n| format!("// {n}\n")).collect();
    refused(&room, &new_file("src/many.rs", "100644", &many), 4, "changes 100000 lines, 2000 are allowed");
    let wide = format!("// {}\n", "x".repeat(4 << 20));
    refused(&room, &new_file("src/wide.rs", "100644", &wide), 4, "1048576 are allowed");
    let nested: String = (0..50_000).map(|_| "(\n").chain(["1\n"]).chain((0..50_000).map(|_| ")\n")).collect();
    refused(&room, &lib_diff("    return a + b;", &format!("    a + {nested}")), 4, "lines, 2000 are allowed");
    let deep = format!("a + {}1{}", "(".repeat(50_000), ")".repeat(50_000));
    refused(&room, &lib_diff("return a + b;", &deep), 4, "4096 are allowed");
    let huge = "x".repeat(17 << 20);
    refused(&room, &huge, 10, "is larger than 16 MiB");
}

#[test]
fn nesting_within_the_sizes_is_refused_by_its_depth() {
    let room = Room::tiny();
    let deep: String = (0..800)
        .map(|_| "(".repeat(20) + "\n")
        .chain(["1\n".to_owned()])
        .chain((0..800).map(|_| ")".repeat(20) + "\n"))
        .collect();
    let said = room.try_diff(&lib_diff("    return a + b;", &format!("    a + {deep}")), &[]).expect(4);
    said.says(&["src/lib.rs", "brackets stand more than", "deep"]);
}

#[test]
fn a_diff_that_does_not_apply_shows_the_nearest_place() {
    let room = Room::tiny();
    let diff = lib_diff("return a + b;", "return b + a;").replace("-    return a + b;", "-    return a + bb;");
    let said = refused(&room, &diff, 10, "does not fit");
    told!(room, said.err, @r#"
    error: the patch does not apply to <hash>: src/lib.rs: the hunk at diff line 5 (`@@ -2,7 +2,7 @@`) does not fit: its context and removed lines stand nowhere in the file. At the stated line it has:
           2 | 
           3 | /// Adds two numbers.
           4 | pub fn add(a: i32, b: i32) -> i32 {
           5 |     return a + b;
           6 | }
           7 | 
           8 | /// Whether a list is empty.
      looked for by content; the most similar place is at line 3:
           3 | /// Adds two numbers.
           4 | pub fn add(a: i32, b: i32) -> i32 {
           5 |     return a + b;
           6 | }
           7 | 
           8 | /// Whether a list is empty.
      the first difference is in line 5: the file has `    return a + b;`, not `    return a + bb;`
      copy these lines from the file, character by character
    help: make it anew on this commit, or name the commit it was made on with `--base`
    "#);
    assert!(room.records().is_empty(), "it was refused before a cycle was begun");
}

#[test]
fn a_diff_that_is_cut_off_is_never_applied_in_part() {
    let room = Room::tiny();
    let diff = lib_diff("    return a + b;", "    let sum = a + b;\n    sum");
    // Every place but the end of the last line, at which nothing is missing.
    for at in (0..diff.trim_end().len()).step_by(7) {
        let said = room.kaizen_reads(&["try", "-"], &diff[..at]);
        let whole = room
            .own_branches()
            .iter()
            .all(|name| room.show(name, "src/lib.rs").contains("let sum = a + b;\n    sum\n}"));
        assert!(said.code == 10 || whole, "cut at {at}: {}\n{}{}", said.code, said.out, said.err);
    }
}

#[test]
fn what_is_no_diff_is_refused_at_once() {
    let room = Room::tiny();
    refused(&room, "", 10, "no diff was found");
    refused(&room, "Sorry, I cannot help with that.\n", 10, "no diff was found");
    refused(&room, "<html><body>502 Bad Gateway</body></html>\n", 10, "no diff was found");
    room.kaizen(&["try", "nowhere.diff"]).expect(10).says(&["nowhere.diff cannot be read", "`-` for standard input"]);
    std::fs::write(room.at("latin.diff"), b"--- a/x\n+++ b/x\n@@ -1 +1 @@\n-\xe9\n+x\n").expect("a file");
    room.kaizen(&["try", &room.at("latin.diff").display().to_string()]).expect(10).says(&["is not UTF-8"]);
    room.kaizen(&["try", "--branch", "nope"]).expect(10).says(&["neither a branch nor a commit"]);
    room.kaizen(&["try", "--branch", "main"]).expect(4).says(&["the branch changes nothing"]);
    room.kaizen(&["try"]).expect(2).says(&["PATCH"]);
}

#[test]
fn what_is_done_already_is_said_to_be() {
    let room = Room::tiny();
    let diff = lib_diff("    return a + b;", "    a + b");
    room.write("src/lib.rs", shapes::LIB.replace("    return a + b;", "    a + b"));
    room.commit("Do it");
    let said = room.try_diff(&diff, &[]).expect(10);
    said.says(&["does not fit"]);
}

#[test]
fn a_branch_that_conflicts_is_refused_by_naming_the_files() {
    let room = Room::tiny();
    room.git(&["checkout", "-q", "-b", "idea"]);
    room.write("src/lib.rs", shapes::LIB.replace("return a + b;", "return b + a;"));
    room.commit("Turn it round");
    room.git(&["checkout", "-q", "main"]);
    room.write("src/lib.rs", shapes::LIB.replace("return a + b;", "a + b"));
    room.commit("Say it plainly");
    room.kaizen(&["try", "--branch", "idea"]).expect(4).says(&[
        "conflicts with",
        "src/lib.rs",
        "merge or rebase it first",
    ]);
}
