//! A full disk under the state directory: the error says so, nothing half done stays, and with space the cycle goes on.
//! The disk is a small file system in memory, inside a user namespace of the test's own.

use std::process::Command;

use crate::cli::shapes;
use crate::cli::support::{Room, all_wanted, times};

/// A command that runs a shell script in a namespace where it may mount.
fn unshared(room: &Room, script: &str) -> Command {
    let mut command = room.command("unshare");
    command.args(["-Urm", "sh", "-euc", script]);
    command
}

fn mounting_works(room: &Room) -> bool {
    std::fs::create_dir_all(room.state()).expect("a folder");
    let script = format!("mount -t tmpfs -o size=64k none '{}'", room.state().display());
    unshared(room, &script).output().is_ok_and(|output| output.status.success())
}

#[test]
fn a_full_disk_is_named_and_with_space_the_cycle_goes_on() {
    let room = Room::tiny();
    if !mounting_works(&room) {
        assert!(!all_wanted(), "this machine lets nobody mount in a user namespace");
        return;
    }
    // The same file system grows for the second run, as when somebody makes room.
    let script = format!(
        "mount -t tmpfs -o size=400k none '{state}'\n\
         code=0; '{program}' run-cycle > '{first}' 2>&1 || code=$?\n\
         echo $code > '{first}.code'\n\
         mount -o remount,size=512m none '{state}'\n\
         code=0; '{program}' run-cycle > '{second}' 2>&1 || code=$?\n\
         echo $code > '{second}.code'\n\
         '{program}' log --json --last 100000 > '{second}.records'\n\
         '{program}' log --verify > /dev/null\n",
        state = room.state().display(),
        program = env!("CARGO_BIN_EXE_kaizen"),
        first = room.at("first").display(),
        second = room.at("second").display(),
    );
    let output = unshared(&room, &script).output().expect("it runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let read = |name: &str| std::fs::read_to_string(room.at(name)).expect("it was written");
    let (first, second) = (read("first"), read("second"));
    assert_eq!(read("first.code").trim(), "1", "{first}");
    let said = first.to_lowercase();
    assert!(said.contains("space") && said.contains("help: free some space and run again"), "{first}");
    assert_eq!(read("second.code").trim(), "0", "{first}\n{second}");
    assert!(second.contains("landed 2"), "{second}");
    let records: Vec<serde_json::Value> =
        read("second.records").lines().map(|line| serde_json::from_str(line).expect("a record")).collect();
    assert_eq!(times(&records, "landed"), 2);
    assert_eq!(room.show(&room.landed_branch(), "src/lib.rs"), shapes::clean_lib());
}
