//! What a model writes is formatted where the file was formatted, by the repository's own settings, and nowhere else.

use kaizen_domain::{OpportunityKind, Word};
use kaizen_testkit::{Fixture, Reply, patch, plan};

use super::support::{BROKEN, LIB, RIGHT, WRONG, planner, run_cycle, settings};

/// What it should be, as no one writes it.
const SHABBY: &str = "  let   count=numbers.len( )as u32 ;\n";

/// What lands when a model writes that into this library.
fn landed(lib: &str, search: &str, rustfmt: Option<&str>) -> String {
    let repaired = Reply::text(patch("Divide by the number of entries").replace(LIB, search, SHABBY).json());
    let server = planner(plan(&[LIB], "divide by the length of the list"), [repaired]);
    let fixture = Fixture::tiny(lib);
    if let Some(rustfmt) = rustfmt {
        fixture.write("rustfmt.toml", rustfmt);
        fixture.commit("Say how sources are formatted");
    }
    fixture.settings(&settings(&server));
    let ran = run_cycle(&fixture, &server, &["--only", "repair", "--max-landings", "1"]);
    assert_eq!(ran.only(OpportunityKind::Repair).word, Word::Landed, "{ran:?}");
    let branch = fixture.landed_branch().expect("something landed");
    fixture.read_at(&branch, LIB).expect("the file is there")
}

#[test]
fn a_formatted_file_stays_formatted() {
    assert_eq!(landed(BROKEN, WRONG, None), BROKEN.replace(WRONG, RIGHT));
}

#[test]
fn a_file_that_was_not_formatted_is_changed_where_the_model_changed_it_only() {
    let own = BROKEN.replace("    let sum: u32 = numbers.iter().sum();", "    let sum: u32 =  numbers.iter().sum();");
    assert_ne!(own, BROKEN);
    assert_eq!(landed(&own, WRONG, None), own.replace(WRONG, SHABBY));
}

#[test]
fn the_settings_of_the_repository_say_what_formatted_is() {
    let tabs = BROKEN.replace("    ", "\t");
    let (wrong, right) = (WRONG.replace("    ", "\t"), RIGHT.replace("    ", "\t"));
    assert_eq!(landed(&tabs, &wrong, Some("hard_tabs = true\n")), tabs.replace(&wrong, &right));
}
