//! What a decision rests on is on the commit, signed, and can be checked by whoever has the repository and the public key.

use crate::cli::support::{Room, lib_diff, told};

const FROM: &str = "    return a + b;";
const TO: &str = "    a + b";

/// A repository in which a patch has landed; the name of its branch.
fn landed() -> (Room, String) {
    let room = Room::tiny();
    room.try_diff(&lib_diff(FROM, TO), &[]).expect(0);
    let branch = room.landed_branch();
    (room, branch)
}

fn note(room: &Room, commit: &str) -> String {
    room.git(&["notes", "--ref", "kaizen", "show", commit])
}

#[test]
fn what_landed_is_verified_here_and_with_the_public_key_elsewhere() {
    let (room, branch) = landed();
    let said = room.kaizen(&["verify", &branch]).expect(0);
    let out = said.out.replace(
        &room.kaizen(&["verify", "--print-key", "--json"]).json()[0]["id"].to_string().replace('"', ""),
        "<key>",
    );
    told!(room, out, @r#"
    verified  <hash>  Apply given.diff
      signed    by the key <key>
      commit    <hash>, tree <hash>
      change    what was tried on <hash> is what this commit does
      decided   to land: 2 of 2 tests pass; the compiler makes the same of it
      journal   cycle <cycle> says the same
    "#);

    // Somebody else, with a copy of the repository and the public key alone.
    let key = room.kaizen(&["verify", "--print-key"]).expect(0).out;
    let copy = room.at("copy");
    room.git(&["clone", "-q", &room.repo.display().to_string(), &copy.display().to_string()]);
    let commit = room.rev(&branch);
    room.git_in(&copy, &["fetch", "-q", "origin", "refs/notes/kaizen:refs/notes/kaizen", &branch]);
    let elsewhere = |args: &[&str]| {
        let (copy, state) = (copy.display().to_string(), room.at("other-state").display().to_string());
        room.kaizen(&[&["verify", "--repo", &copy, "--state-dir", &state], args].concat())
    };
    elsewhere(&[&commit, "--key", key.trim()]).expect(0).says(&["verified"]);
    let file = room.beside("key.txt", &key);
    elsewhere(&[&commit, "--key", &file]).expect(0);
    elsewhere(&[&commit]).expect(10).says(&["has signed nothing yet", "--key"]);
    elsewhere(&["--print-key"]).expect(0);
    elsewhere(&[&commit]).expect(4).says(&["DOES NOT HOLD", "it is signed by the key"]);
    elsewhere(&[&commit, "--key", "nonsense"]).expect(10).says(&["`nonsense` is no public key"]);
}

#[test]
fn what_was_changed_afterwards_does_not_hold() {
    let (room, branch) = landed();
    let commit = room.rev(&branch);
    let good = note(&room, &commit);
    let put = |text: &str| {
        let file = room.beside("note", text);
        room.git(&["notes", "--ref", "kaizen", "add", "-f", "-F", &file, &commit]);
    };
    let middle = good.len() / 2;
    let other = if good.as_bytes().get(middle) == Some(&b'A') { "B" } else { "A" };
    put(&format!("{}{other}{}", &good[..middle], &good[middle + 1..]));
    room.kaizen(&["verify", &commit]).expect(4).says(&["DOES NOT HOLD", "signed"]);

    // The evidence of one commit does not hold for another one.
    room.git(&["notes", "--ref", "kaizen", "add", "-f", "-F", &room.beside("note", &good), "main"]);
    room.kaizen(&["verify", "main"]).expect(4).says(&["commit    NOT SO", "change    NOT SO"]);
    room.git(&["notes", "--ref", "kaizen", "remove", "main"]);
    room.kaizen(&["verify", "main"]).expect(10).says(&["has no evidence with it", "git fetch REMOTE"]);
}

#[test]
fn a_journal_that_was_changed_is_named_by_its_first_bad_record() {
    let (room, branch) = landed();
    // One letter of the title of the patch, wherever it stands.
    let (mut changed, title) = (0, b"Apply given.diff");
    for entry in std::fs::read_dir(room.state()).expect("the state can be read").flatten() {
        let Ok(mut bytes) = std::fs::read(entry.path()) else { continue };
        while let Some(at) = bytes.windows(title.len()).position(|window| window == title) {
            bytes[at] = b'a';
            changed += 1;
        }
        std::fs::write(entry.path(), bytes).expect("a file can be written");
    }
    assert!(changed > 0, "the journal holds the title");
    room.kaizen(&["verify", &branch]).expect(4).says(&["DOES NOT HOLD", "journal   NOT SO: ", "is damaged: record "]);
}

#[test]
fn what_asks_a_person_has_evidence_as_well_and_it_can_be_turned_off() {
    let room = Room::tiny();
    let said = room.try_diff(&lib_diff(FROM, "    unsafe { a.unchecked_add(b) }"), &[]).expect(3);
    let branch = room.own_branches().into_iter().next().expect("a branch to look at");
    room.kaizen(&["verify", &branch]).expect(0).says(&["decided   to ask a person: ", "unsafe"]);
    let patch = said.patch("ASKED");
    room.kaizen(&["approve", &patch]).expect(0);
    let landed = room.landed_branch();
    room.kaizen(&["verify", &landed]).expect(0).says(&["to land, a person agreed"]);

    let quiet = Room::tiny();
    quiet.write("kaizen.toml", "[gate]\nevidence = false\n");
    quiet.commit("No notes");
    quiet.try_diff(&lib_diff(FROM, TO), &[]).expect(0);
    assert!(!quiet.git(&["for-each-ref"]).contains("refs/notes"), "no note was asked for");
}
