//! Pull requests, from the cycle that writes a patch to the merge, on a scripted forge in three dialects with real git.

use kaizen_forgestand::scripted::{Dialect, Protection};
use kaizen_testkit::{Reply, ScriptedModel, patch, plan};

use crate::cli::forge::{Forge, NAME};
use crate::cli::shapes;
use crate::cli::support::Room;

#[test]
fn a_patch_is_proposed_followed_and_merged_on_every_forge() {
    for dialect in [Dialect::GitHub, Dialect::GitLab, Dialect::Forgejo] {
        let forge = Forge::of(Room::tiny(), dialect);
        let before = forge.room.refs();
        let said = forge.kaizen(&["run-cycle"]).expect(0);
        assert_eq!(forge.api.pulls(NAME), 2, "{dialect:?}\n{}", said.out);
        assert_eq!(said.out.matches("OPENED").count(), 2, "{}", said.out);
        let changed: Vec<_> = forge.bare.changed("main", &forge.head(1)).iter().map(|file| file.path.clone()).collect();
        assert_eq!(changed, ["src/lib.rs"], "one concern, no stray file");
        let body = forge.body(1);
        for part in [
            "What was wrong",
            "clippy::",
            "What changed",
            "2 of 2 tests pass",
            "not tried",
            "git revert",
            "by a program",
        ] {
            assert!(body.contains(part), "{part} is missing in {body}");
        }
        // Nothing of the person's moved.
        assert!(before.iter().all(|(name, target)| forge.room.refs().get(name) == Some(target)));
        // The same findings are not proposed twice.
        forge.kaizen(&["run-cycle"]).expect(0);
        assert_eq!(forge.api.pulls(NAME), 2, "{dialect:?}");
        forge.merge(1);
        forge.close(2);
        let said = forge.kaizen(&["pull-requests"]).expect(0);
        assert!(said.out.contains("merged") && said.out.contains("closed"), "{}", said.out);
        // What was merged is in, what was closed is a no that is remembered.
        let said = forge.kaizen(&["run-cycle"]).expect(0);
        assert_eq!(forge.api.pulls(NAME), 2, "{dialect:?} {}", said.out);
        assert!(forge.git.log().iter().all(|line| !line.contains("kz-test-token")), "no token in an address");
        assert!(forge.api.requests().iter().all(|seen| !format!("{seen:?}").contains("token=kz")));
    }
}

#[test]
fn what_the_forge_asks_of_a_branch_is_read_and_said() {
    for dialect in [Dialect::GitHub, Dialect::GitLab, Dialect::Forgejo] {
        let forge = Forge::of(Room::tiny(), dialect);
        let all = Protection { checks: vec!["ci".to_owned()], approvals: 1, signed: true };
        forge.api.protect(NAME, "main", Some(all));
        let said = forge.kaizen(&["doctor"]).out.split_whitespace().collect::<Vec<_>>().join(" ");
        let wanted = match dialect {
            Dialect::GitHub => {
                "go to main, which asks for an approval, checks ci, signed commits, which Kaizen's are not"
            }
            Dialect::GitLab => "go to main, which is protected",
            // Who may only push may not read the rest of the rules there.
            Dialect::Forgejo => "go to main, which asks for an approval, checks ci",
        };
        assert!(said.contains(wanted), "{dialect:?}: {said}");
        forge.kaizen(&["run-cycle", "--max-landings", "1"]).expect(0);
        assert_eq!(forge.body(1).contains("The commits are not signed"), dialect == Dialect::GitHub);
    }
}

#[test]
fn a_base_that_moved_is_followed_and_what_is_not_needed_any_more_is_closed() {
    let forge = Forge::of(Room::tiny(), Dialect::GitHub);
    forge.kaizen(&["run-cycle"]).expect(0);
    let old = forge.head(1);
    // Somebody else changes another place, and mends the other finding.
    let lib = shapes::LIB.replace("list.len() == 0", "list.is_empty()").replace("//! Sums.", "//! Sums of all kinds.");
    let tip = forge.upstream("Mend the list", &[("src/lib.rs", &lib)]);
    let said = forge.kaizen(&["pull-requests"]).expect(0);
    let states: Vec<String> = [1, 2].map(|number| forge.pull(number)["state"].as_str().unwrap_or("").to_owned()).into();
    let still = if states[0] == "open" { 1 } else { 2 };
    assert!(states.contains(&"open".to_owned()) && states.contains(&"closed".to_owned()), "{states:?} {}", said.out);
    let head = forge.head(still);
    assert_ne!(head, old, "{}", said.out);
    assert!(forge.bare.is_ancestor(&tip, &head));
    assert_eq!(forge.bare.changed(&tip, &head).len(), 1);
    let closed = forge.comments(3 - still);
    assert!(closed.iter().any(|text| text.contains("I close this")), "{closed:?}");
    // Another round has nothing to do and says nothing twice.
    forge.kaizen(&["pull-requests"]).expect(0);
    assert_eq!((forge.head(still), forge.comments(3 - still).len()), (head, closed.len()));
}

#[test]
fn a_base_that_moves_again_is_followed_again() {
    let forge = Forge::of(Room::tiny(), Dialect::GitHub);
    forge.kaizen(&["run-cycle"]).expect(0);
    for text in ["# Sums\n", "# Sums of all kinds\n"] {
        let tip = forge.upstream("Say more", &[("README.md", text)]);
        let said = forge.kaizen(&["pull-requests"]).expect(0);
        for number in [1, 2] {
            assert!(forge.bare.is_ancestor(&tip, &forge.head(number)), "{number} {}", said.out);
        }
    }
    assert_eq!(forge.comments(1).iter().filter(|text| text.contains("Changed: now at")).count(), 2);
}

#[test]
fn only_people_who_may_push_are_obeyed() {
    let forge = Forge::of(Room::tiny(), Dialect::GitHub);
    forge.kaizen(&["run-cycle"]).expect(0);
    forge.api.comment(NAME, 1, "guest", "/kaizen close");
    forge.api.comment(NAME, 1, "guest", "/kaizen explain");
    forge.kaizen(&["pull-requests"]).expect(0);
    assert_eq!((forge.pull(1)["state"].as_str(), forge.comments(1).len()), (Some("open"), 2));
    forge.api.comment(NAME, 1, "maria", "Why?\n/kaizen explain");
    forge.api.comment(NAME, 1, "maria", "/kaizen merge");
    forge.kaizen(&["pull-requests"]).expect(0);
    let said = forge.comments(1);
    assert!(said.iter().any(|text| text.contains("Why this change") && text.contains("tests pass")), "{said:?}");
    assert!(said.iter().any(|text| text.contains("I do not know `merge`")), "{said:?}");
    assert_eq!(said.len(), 6);
    forge.api.comment(NAME, 1, "maria", "/kaizen close");
    forge.kaizen(&["pull-requests"]).expect(0);
    assert_eq!(forge.pull(1)["state"].as_str(), Some("closed"));
    assert!(forge.comments(1).iter().any(|text| text.contains("maria asked for it")));
}

#[test]
fn a_check_that_fails_without_a_model_asks_a_person_once() {
    let forge = Forge::of(Room::tiny(), Dialect::GitHub);
    forge.kaizen(&["run-cycle"]).expect(0);
    forge.check(&forge.head(1), "ci / windows", false, "error: linker `link.exe` not found `$(rm -rf /)`");
    for _ in 0..2 {
        forge.kaizen(&["pull-requests"]).expect(0);
    }
    let said = forge.comments(1);
    assert_eq!(said.iter().filter(|text| text.contains("A person is needed")).count(), 1, "{said:?}");
    assert_eq!(forge.pull(1)["state"].as_str(), Some("open"));
}

#[test]
fn a_change_that_a_person_must_agree_to_is_not_pushed_and_the_reason_is_said() {
    let forge = Forge::of(Room::tiny(), Dialect::GitHub);
    forge.kaizen(&["run-cycle"]).expect(0);
    // Another signature, and a test that is changed for it: the review asks a person.
    let changed = patch("Return one")
        .replace("src/lib.rs", "list: &[i32]) -> bool", "list: &[i32], _more: ()) -> bool")
        .replace("src/lib.rs", "empty(&[])", "empty(&[], ())");
    let model = ScriptedModel::start_with(move |request| match request.body["response_format"]["json_schema"]["name"]
        .as_str()
    {
        Some("plan") => Reply::text(plan(&["src/lib.rs"], "change it")),
        _ => Reply::text(changed.json()),
    });
    let key = forge.room.beside("key", "k");
    let url = model.base_url();
    forge.set(&format!("[model]\nbase_url = \"{url}\"\nname = \"scripted\"\nkey_file = \"{key}\"\n"));
    let before = forge.head(1);
    forge.api.comment(NAME, 1, "maria", "/kaizen revise Take one more argument");
    let said = forge.kaizen(&["pull-requests"]).expect(0);
    assert_eq!(forge.head(1), before, "{}", said.out);
    let below = forge.comments(1);
    let told: Vec<_> = below.iter().filter(|text| text.contains("A person is needed")).collect();
    assert_eq!(told.len(), 1, "{below:?} {}", said.out);
    assert!(
        told.iter().all(|text| text.contains("could not be made: `") && !text.contains("nothing was moved")),
        "{told:?}"
    );
}

#[test]
fn a_round_that_is_killed_after_each_record_answers_everything_once() {
    let forge = Forge::of(Room::tiny(), Dialect::GitHub);
    forge.kaizen(&["run-cycle"]).expect(0);
    forge.api.comment(NAME, 1, "maria", "/kaizen explain");
    forge.api.comment(NAME, 1, "maria", "/kaizen sing");
    forge.check(&forge.head(1), "ci / windows", false, "error: linker `link.exe` not found");
    forge.api.comment(NAME, 2, "maria", "/kaizen close");
    let killed = forge.kaizen_step_by_step(&["pull-requests"]);
    assert!(killed > 8, "it was killed {killed} times");
    let said = forge.comments(1);
    for part in ["Why this change", "I do not know `sing`", "A person is needed"] {
        assert_eq!(said.iter().filter(|text| text.contains(part)).count(), 1, "{part}: {said:?}");
    }
    assert_eq!(forge.pull(2)["state"].as_str(), Some("closed"));
    assert_eq!(forge.comments(2).iter().filter(|text| text.contains("maria asked for it")).count(), 1);
    // Somebody else's commit: the branch follows, and says so once.
    forge.upstream("Say more", &[("README.md", "# Sums\n")]);
    forge.kaizen_step_by_step(&["pull-requests"]);
    assert_eq!(forge.comments(1).iter().filter(|text| text.contains("Changed: now at")).count(), 1);
}

#[test]
fn at_most_so_many_are_open_and_the_next_follows_when_one_is_merged() {
    let forge = Forge::of(Room::tiny(), Dialect::GitHub);
    forge.set("[pacing]\nmax_open = 1\n");
    let said = forge.kaizen(&["run-cycle"]).expect(0);
    assert_eq!(forge.api.pulls(NAME), 1);
    assert!(said.out.contains("QUEUED") && said.out.contains("`max_open` is 1"), "{}", said.out);
    forge.kaizen(&["pull-requests"]).expect(0);
    assert_eq!(forge.api.pulls(NAME), 1);
    forge.merge(1);
    forge.kaizen(&["pull-requests"]).expect(0);
    assert_eq!(forge.api.pulls(NAME), 2);
}

#[test]
fn a_repository_that_forbids_it_gets_none_and_the_reason_is_shown() {
    let room = Room::tiny();
    room.write(
        "CONTRIBUTING.md",
        "# Contributing\n\nWe do not accept contributions that were generated by AI tools.\n",
    );
    room.commit("Say what we take");
    let forge = Forge::of(room, Dialect::GitHub);
    let said = forge.kaizen(&["run-cycle"]);
    assert_eq!((said.code, forge.api.pulls(NAME)), (10, 0), "{said:?}");
    assert!(said.err.contains("CONTRIBUTING.md") && said.err.contains("generated by AI"), "{}", said.err);
    assert_eq!(forge.bare.branches().len(), 1, "nothing was pushed");
    // When a person says that the maintainers agreed, it goes on.
    let settings = "agreed = \"https://github.com/acme/tiny/issues/1\"\n[landing]";
    let own = std::fs::read_to_string(forge.room.at("own.toml")).expect("settings").replace("[landing]", settings);
    std::fs::write(forge.room.at("own.toml"), own).expect("settings");
    forge.kaizen(&["run-cycle"]).expect(0);
    assert_eq!(forge.api.pulls(NAME), 2);
}

#[test]
fn what_is_wrong_with_the_forge_is_said_with_the_way_out() {
    let forge = Forge::of(Room::tiny(), Dialect::GitHub);
    let said = forge.kaizen(&["doctor"]).expect(0);
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words(&said.out).contains("as kaizen-bot, may push"), "{}", said.out);
    forge.api.revoke("kz-test-token");
    let said = forge.kaizen(&["doctor"]);
    assert!(said.code == 10 && words(&said.out).contains("refuses the token"), "{}", said.out);
    let said = forge.kaizen(&["run-cycle"]);
    assert!(said.code == 10 && said.err.contains("refuses the token") && !said.err.contains("kz-test"), "{}", said.err);
    forge.api.user("kaizen-bot", "kz-test-token");
    forge.api.permit(NAME, "kaizen-bot", kaizen_forgestand::scripted::Permission::Read);
    let said = forge.kaizen(&["run-cycle"]);
    assert!(said.code == 10 && said.err.contains("may not push"), "{}", said.err);
    forge.room.git(&["remote", "set-url", "origin", "https://forge.example/acme/tiny.git"]);
    let own = forge.room.beside("none.toml", "[landing]\nmode = \"pull-request\"\n");
    let said = forge.room.kaizen(&["run-cycle", "--settings", &own]);
    assert!(said.code == 10 && said.err.contains("forge.kind"), "{}", said.err);
    forge.room.git(&["remote", "remove", "origin"]);
    let said = forge.room.kaizen(&["run-cycle", "--settings", &own]);
    assert!(said.code == 10 && said.err.contains("no remote `origin`"), "{}", said.err);
    assert_eq!(forge.api.pulls(NAME), 0);
}

#[test]
fn what_a_patch_does_not_keep_is_withheld_with_the_sentence() {
    let room = Room::tiny();
    room.write("CONTRIBUTING.md", "# Contributing\n\nAdd an entry to `CHANGELOG.md` with every pull request.\n");
    room.commit("Say what we take");
    let forge = Forge::of(room, Dialect::GitHub);
    let said = forge.kaizen(&["run-cycle"]).expect(0);
    assert!(said.out.contains("not opened") && said.out.contains("CONTRIBUTING.md:3"), "{}", said.out);
    assert_eq!((forge.api.pulls(NAME), forge.bare.branches().len()), (0, 1), "nothing was opened or pushed");
    // The patches wait: when the rule is gone, they are opened.
    forge.upstream("Keep no changelog", &[("CONTRIBUTING.md", "# Contributing\n\nWelcome.\n")]);
    forge.kaizen(&["pull-requests"]).expect(0);
    assert_eq!(forge.api.pulls(NAME), 2);
}

#[test]
fn a_large_patch_is_withheld_where_those_are_discussed_first() {
    let many: String = (0..60).map(|n| format!("\n/// {n}.\npub fn f{n}() -> i32 {{\n    return {n};\n}}\n")).collect();
    let room = Room::tiny();
    let lib = shapes::LIB.replace("\n#[cfg(test)]", &format!("{many}\n#[cfg(test)]"));
    room.write("src/lib.rs", &lib);
    let rule = "# Contributing\n\nFor large changes, please open an issue first to discuss them.\n";
    room.write("CONTRIBUTING.md", rule);
    room.commit("Count");
    let forge = Forge::of(room, Dialect::GitHub);
    let said = forge.kaizen(&["run-cycle"]).expect(0);
    // The small one is opened, the large one is not.
    assert_eq!(forge.api.pulls(NAME), 1, "{}", said.out);
    assert!(said.out.contains("122 changed lines") && said.out.contains("CONTRIBUTING.md:3"), "{}", said.out);
    assert_eq!(forge.bare.branches().len(), 2);
    let settings = "agreed = \"https://github.com/acme/tiny/issues/1\"\n[landing]";
    let own = std::fs::read_to_string(forge.room.at("own.toml")).expect("settings").replace("[landing]", settings);
    std::fs::write(forge.room.at("own.toml"), own).expect("settings");
    forge.kaizen(&["pull-requests"]).expect(0);
    assert_eq!(forge.api.pulls(NAME), 2);
}
