//! A recorded cycle, run again: the answers of then, nothing sent, the same patches to the byte.

use kaizen_domain::{OpportunityKind, Word};
use kaizen_testkit::{Reply, patch, plan};

use super::support::{BROKEN, LIB, RIGHT, WRONG, fixture, kaizen, planner, run_cycle};

#[test]
fn a_cycle_with_a_repair_is_replayed_without_a_word_to_anybody() {
    let wrong = patch("Divide by three").replace(LIB, WRONG, "    let count = \"three\";\n").json();
    let right = patch("Divide by the number of entries").replace(LIB, WRONG, RIGHT).json();
    let server =
        planner(plan(&[LIB], "divide by the length of the list"), [Reply::text(wrong), Reply::streamed(right)]);
    let fixture = fixture(BROKEN, &server);
    let ran = run_cycle(&fixture, &server, &["--only", "repair,cleanup"]);
    assert_eq!(ran.only(OpportunityKind::Repair).word, Word::Landed, "{ran:?}");
    let (sent, refs) = (server.requests().len(), fixture.refs());
    let id = ran.cycle().id.to_string();

    let again = kaizen().run(&fixture, &["replay", &id]);
    assert_eq!(again.code, Some(0), "{again:?}");
    assert!(again.stdout.contains("every patch is the same; nothing was sent"), "{}", again.stdout);
    assert_eq!(
        again.stdout.lines().filter(|line| line.trim_start().starts_with("same")).count(),
        3,
        "{}",
        again.stdout
    );
    assert_eq!(server.requests().len(), sent, "nothing was sent");
    assert_eq!(fixture.refs(), refs, "nothing is left of it");

    // Without a server at all it is the same, and what a replay did is no experience.
    server.stop();
    let again = kaizen().run(&fixture, &["replay", &id]);
    assert_eq!(again.code, Some(0), "{again:?}");
    let listed = kaizen().run(&fixture, &["models"]);
    assert!(listed.stdout.contains("repair 1 of 2 accepted"), "{}", listed.stdout);
}
