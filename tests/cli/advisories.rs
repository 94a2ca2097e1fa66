//! A copy of the advisory database: what is known against a version keeps it out, and a copy that is not there is said.

use crate::cli::shapes;
use crate::cli::support::{Room, diff_of, replaced, told};

const TIME: &str = r#"```toml
[advisory]
id = "RUSTSEC-2020-0071"
package = "time"
date = "2020-11-18"
url = "https://github.com/time-rs/time/issues/293"
categories = ["code-execution", "memory-corruption"]
aliases = ["CVE-2020-26235"]

[affected.functions]
"time::at" = ["^0.1"]

[versions]
patched = [">= 0.2.23"]
unaffected = ["=0.2.0", "=0.2.1"]
```

# Potential segfault in the time crate

Unix-like operating systems may segfault.
"#;

/// Writes a database with these files, and settings of the person's own that name the place.
fn knows(room: &Room, place: &str, files: &[(&str, &str)]) {
    for (file, text) in files {
        let path = room.at(place).join(file);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, text).expect("a file");
    }
    let own = room.at("config/kaizen");
    std::fs::create_dir_all(&own).expect("a folder");
    let settings = format!("[security]\nadvisories = \"{}\"\n", room.at(place).display());
    std::fs::write(own.join("kaizen.toml"), settings).expect("a file");
}

/// A diff that adds a package of the registry to manifest and lock file.
fn adds_time(version: &str) -> String {
    let manifest = format!("{}\n[dependencies]\ntime = \"{version}\"\n", shapes::MANIFEST);
    let source = "registry+https://github.com/rust-lang/crates.io-index";
    let time = format!(
        "[[package]]\nname = \"time\"\nversion = \"{version}\"\nsource = \"{source}\"\nchecksum = \"aa\"\n\n\
         [[package]]\nname = \"tiny\""
    );
    let lock = replaced(shapes::LOCK, "[[package]]\nname = \"tiny\"", &time);
    let lock = format!("{lock}dependencies = [\n \"time\",\n]\n");
    let diffs = [("Cargo.toml", shapes::MANIFEST, &manifest), ("Cargo.lock", shapes::LOCK, &lock)];
    diffs.map(|(path, before, after)| diff_of(path, before, after)).concat()
}

#[test]
fn a_version_with_a_known_vulnerability_is_refused_by_its_advisory() {
    let room = Room::tiny();
    knows(&room, "advisory-db", &[("crates/time/RUSTSEC-2020-0071.md", TIME)]);
    let before = room.refs();
    let said = room.try_diff(&adds_time("0.2.22"), &[]).expect(4).says(&["REJECTED", "RUSTSEC-2020-0071"]);
    let text = said.out.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in [
        "brings in `time 0.2.22`, which is vulnerable: RUSTSEC-2020-0071",
        "Potential segfault in the time crate; patched in >=0.2.23",
    ] {
        assert!(text.contains(part), "`{part}` is not in:\n{}", said.out);
    }
    assert_eq!(room.refs(), before);
    // That it was refused by what is known, and by nothing else.
    assert!(!text.contains("lock-file"), "{}", said.out);
}

#[test]
fn a_database_that_is_not_there_stops_the_work_and_doctor_says_so() {
    let room = Room::tiny();
    knows(&room, "nowhere", &[]);
    let said = room.kaizen(&["run-cycle"]).expect(10);
    told!(room, said.err, @r"
    error: there are no advisories at <room>/nowhere (`security.advisories`): no file crates/*/RUSTSEC-*.md
    help: clone https://github.com/rustsec/advisory-db there, name another folder, or leave `security.advisories` empty
    ");
    assert!(room.own_branches().is_empty() && room.records().is_empty(), "nothing was begun");
    room.kaizen(&["doctor"])
        .expect(10)
        .says(&["advisories  there are no advisories at", "help: clone https://github.com"]);
}

#[test]
fn doctor_says_what_is_known_and_what_cannot_be_read() {
    let room = Room::tiny();
    knows(&room, "db", &[("crates/time/RUSTSEC-2020-0071.md", TIME)]);
    room.kaizen(&["doctor"]).expect(0).says(&["advisories  1 read from"]);
    knows(&room, "db", &[("crates/log/RUSTSEC-2030-0001.md", "not one\n")]);
    let said = room.kaizen(&["doctor"]).expect(0);
    said.says(&["advisories  1 read from", "weaker", "crates/log/RUSTSEC-2030-0001.md:", "help: bring your copy"]);
}

#[test]
fn a_repository_cannot_say_where_advisories_lie() {
    let room = Room::tiny();
    room.write("kaizen.toml", "[security]\nadvisories = \"\"\n");
    room.kaizen(&["run-cycle"]).expect(10).says(&["`security` in kaizen.toml, line 1, cannot be set by a repository"]);
}
