//! A cycle touches nothing of a person's: not a byte of the work tree, the index, the stash, the configuration, nor a
//! ref that is not its own.

use std::collections::BTreeMap;
use std::path::Path;

use crate::cli::support::Room;

/// Every file below a folder with its bytes, but for git's objects and what is the program's own.
fn everything(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    fn walk(top: &Path, dir: &Path, found: &mut BTreeMap<String, Vec<u8>>) {
        for entry in std::fs::read_dir(dir).expect("a folder").flatten() {
            let path = entry.path();
            let name = path.strip_prefix(top).expect("below").display().to_string();
            let own = name.starts_with(".git/objects")
                || name.contains("refs/heads/kaizen")
                || name.ends_with("refs/notes/kaizen");
            if own {
                continue;
            }
            if path.is_dir() {
                walk(top, &path, found);
            } else {
                found.insert(name, std::fs::read(&path).expect("a file"));
            }
        }
    }
    let mut found = BTreeMap::new();
    walk(dir, dir, &mut found);
    found
}

/// A repository with a stash, a staged change, a change on top of it, and files that git does not know or ignores.
fn lived_in() -> Room {
    let room = Room::tiny();
    room.write(".gitignore", "/ignored\n");
    room.commit("Ignore");
    room.write("src/lib.rs", "stashed\n");
    room.git(&["stash", "-q"]);
    room.write("src/lib.rs", "staged\n");
    room.write("src/new.rs", "// staged\n");
    room.git(&["add", "-A"]);
    room.write("src/lib.rs", "not even Rust {{{\r\n");
    room.write("notes.txt", "untracked");
    room.write("ignored", [0xff_u8, 0, 1]);
    room.git(&["tag", "v1"]);
    room.git(&["branch", "other"]);
    room.git(&["update-ref", "refs/remotes/origin/main", "HEAD"]);
    room
}

#[test]
fn a_cycle_and_a_revert_leave_a_work_tree_index_and_stash_byte_for_byte() {
    let room = lived_in();
    let (before, refs) = (everything(&room.repo), room.refs());
    let said = room.kaizen(&["run-cycle"]).expect(0).says(&["work tree has 3 changes: not touched", "landed 2"]);
    room.kaizen(&["revert", &said.patches("LANDED")[1]]).expect(0);
    let after = everything(&room.repo);
    let differ: Vec<&String> =
        after.keys().chain(before.keys()).filter(|name| after.get(*name) != before.get(*name)).collect();
    assert!(differ.is_empty(), "{differ:?}");
    let kept: BTreeMap<_, _> =
        room.refs().into_iter().filter(|(name, _)| !name.starts_with("refs/heads/kaizen/")).collect();
    assert_eq!(kept, refs);
}

#[test]
fn only_the_branches_that_are_named_in_the_story_appear() {
    let room = Room::tiny();
    room.kaizen(&["run-cycle"]).expect(0);
    let landed = room.landed_branch();
    let cycle = landed.split('/').nth(1).unwrap_or_default();
    let names = room.own_branches();
    let all: Vec<&str> = names.iter().filter_map(|name| name.strip_prefix(&format!("kaizen/{cycle}/"))).collect();
    assert_eq!(all, ["1-clear-1-finding-of-clippy-len-zero", "2-clear-1-finding-of-clippy-needless-retur", "landed"]);
    assert_eq!(room.refs().len(), 4);
    // The configuration has no new section, and the tree no settings file.
    assert!(!room.git(&["config", "--local", "--list"]).contains("kaizen"));
    assert_eq!(room.git(&["status", "--porcelain"]), "");
}

#[test]
fn hooks_aliases_filters_and_monitors_of_the_repository_never_run() {
    let room = Room::tiny();
    let trap = room.at("trapped");
    let script = format!("#!/bin/sh\necho \"$0\" >> '{}'\n", trap.display());
    let program = room.beside("trap.sh", &script);
    std::fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("a mode");
    for hook in
        ["pre-commit", "post-commit", "reference-transaction", "post-checkout", "post-merge", "pre-auto-gc", "update"]
    {
        let path = room.repo.join(".git/hooks").join(hook);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::copy(&program, path).expect("a hook");
    }
    room.write(".git/info/attributes", "* filter=trap diff=trap\n");
    for (key, value) in [
        ("core.fsmonitor", program.as_str()),
        ("filter.trap.clean", program.as_str()),
        ("filter.trap.smudge", program.as_str()),
        ("diff.trap.textconv", program.as_str()),
        ("core.editor", program.as_str()),
        ("gpg.program", program.as_str()),
        ("commit.gpgsign", "true"),
    ] {
        room.git(&["config", key, value]);
    }
    // What the preparation itself set off does not count.
    let _ = std::fs::remove_file(&trap);
    let said = room.kaizen(&["run-cycle"]).expect(0).says(&["landed 2"]);
    room.kaizen(&["revert", &said.patches("LANDED")[0]]);
    room.kaizen(&["status"]).expect(0);
    assert!(!trap.exists(), "ran: {}", std::fs::read_to_string(&trap).unwrap_or_default());
}
