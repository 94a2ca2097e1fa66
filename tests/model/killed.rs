//! Killed in the middle: what a model has answered is not asked, and not paid for, a second time.

use kaizen_domain::{OpportunityKind, Spend, Tokens, Word};
use kaizen_testkit::{Reply, patch, plan};

use super::support::{BROKEN, LIB, RIGHT, WRONG, fixture, kaizen, planner, run_cycle, the_key_stayed};

#[test]
fn a_program_that_is_killed_after_an_answer_goes_on_without_asking_again() {
    let answer = patch("Divide by the number of entries").replace(LIB, WRONG, RIGHT).json();
    let server = planner(plan(&[LIB], "divide by the length of the list"), [Reply::text(answer)]);
    let fixture = fixture(BROKEN, &server);
    let args = ["--only", "repair", "--max-landings", "1"];
    // TODO
    let ran = run_cycle(&fixture, &server, &args);
    let _ = (ran, kaizen());
}
