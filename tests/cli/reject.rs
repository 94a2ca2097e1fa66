//! A person's no: it is kept with its reason, the branch goes, and the same is not proposed again.

use crate::cli::shapes;
use crate::cli::support::{Room, lib_diff};

#[test]
fn what_was_turned_down_is_remembered_and_not_proposed_again() {
    // Nothing looks at `empty`, and it is not called with made-up inputs, so its finding asks a person.
    let room = Room::tiny_but("        assert!(empty(&[]));\n", "        let _ = empty(&[]);\n");
    room.write("kaizen.toml", "[gate]\nsuggestions = true\ninputs = 0\n");
    room.commit("Trust no suggestion that no test looks at");
    let said = room.kaizen(&["run-cycle"]).expect(0);
    let patch = said.patch("ASKED");
    room.kaizen(&["status"]).says(&["kaizen approve"]);
    let asked =
        |room: &Room| room.own_branches().into_iter().filter(|name| !name.ends_with("/landed")).collect::<Vec<_>>();
    let waiting = asked(&room).into_iter().find(|name| name.contains("len-zero")).expect("a branch to look at");

    // While it waits, it is not asked again.
    let again = room.kaizen(&["run-cycle"]).expect(0);
    assert!(again.patches("ASKED").is_empty(), "{}", again.out);

    room.kaizen(&["reject", &patch]).expect(2).says(&["--reason"]);
    room.kaizen(&["reject", &patch, "--reason", "  "]).expect(10).says(&["the reason is empty"]);
    room.kaizen(&["reject", &patch, "--reason", "we compare\nlengths here"])
        .expect(0)
        .says(&["turned down: we compare lengths here", "its branch is gone"]);
    assert!(!asked(&room).contains(&waiting));
    room.kaizen(&["show", &patch]).says(&["turned down: we compare lengths here"]);
    room.kaizen(&["log"]).says(&["turned down: we compare lengths here"]);
    room.kaizen(&["reject", &patch, "--reason", "once more"]).expect(10).says(&["was turned down"]);
    room.kaizen(&["approve", &patch]).expect(10).says(&["was turned down: we compare lengths here", "kaizen try -"]);
    assert!(!room.kaizen(&["status"]).expect(0).out.contains(&patch));

    // Neither here nor on a later base.
    room.write("NOTES.md", "Something else.\n");
    room.commit("Write something down");
    let later = room.kaizen(&["run-cycle"]).expect(0);
    assert!(later.patches("ASKED").is_empty(), "{}", later.out);
    assert!(room.show("main", "src/lib.rs").contains("list.len() == 0"), "the finding is still there");
}

#[test]
fn what_does_not_wait_cannot_be_turned_down() {
    let room = Room::tiny();
    let said = room.try_diff(&lib_diff("    return a + b;", "    a + b"), &[]).expect(0);
    let landed = said.patch("LANDED");
    room.kaizen(&["reject", &landed, "--reason", "no"]).expect(10).says(&["does not wait for a person: it is LANDED"]);
    assert_eq!(room.show(&room.landed_branch(), "src/lib.rs"), shapes::LIB.replace("    return a + b;", "    a + b"));
}
