//! `kaizen try` as a gate in a build: what was found as SARIF, and a summary for the page.

use crate::cli::support::{Room, lib_diff};
use serde_json::Value;

#[test]
fn what_was_found_is_written_as_sarif_and_a_summary_is_appended() {
    let room = Room::tiny();
    let (log, page) = (room.at("found.sarif"), room.beside("page.md", "before\n"));
    let diff = lib_diff("    return a + b;", "    unsafe { a.unchecked_add(b) }");
    let log_name = log.display().to_string();
    room.try_diff(&diff, &["--sarif", &log_name, "--summary", &page]).expect(3);

    let sarif: Value =
        serde_json::from_str(&std::fs::read_to_string(&log).expect("it was written")).expect("it is JSON");
    assert_eq!(sarif["version"], "2.1.0");
    let run = &sarif["runs"][0];
    let results = run["results"].as_array().expect("there are results");
    let rules = run["tool"]["driver"]["rules"].as_array().expect("there are rules");
    for result in results {
        let index = result["ruleIndex"].as_u64().expect("it has a rule");
        assert_eq!(rules[usize::try_from(index).expect("it is small")]["id"], result["ruleId"]);
        assert!(!result["message"]["text"].as_str().unwrap_or_default().is_empty());
    }
    let unsafe_code = results.iter().find(|result| result["ruleId"] == "unsafe-code").expect("the review found it");
    assert_eq!(unsafe_code["level"], "warning");
    assert_eq!(unsafe_code["locations"][0]["physicalLocation"]["artifactLocation"]["uri"], "src/lib.rs");

    let page = std::fs::read_to_string(&page).expect("it is there");
    assert!(page.starts_with("before\n### kaizen: this change needs a person\n"), "{page}");
    assert!(page.contains("| tests | 2/2 same |") && page.contains("unsafe"), "{page}");
}

#[test]
fn what_is_fine_has_no_finding_and_a_file_that_cannot_be_written_is_named() {
    let room = Room::tiny();
    let log = room.at("found.sarif");
    let diff = lib_diff("    return a + b;", "    a + b");
    room.try_diff(&diff, &["--sarif", &log.display().to_string()]).expect(0);
    let sarif: Value =
        serde_json::from_str(&std::fs::read_to_string(&log).expect("it was written")).expect("it is JSON");
    assert_eq!(sarif["runs"][0]["results"], serde_json::json!([]));
    let nowhere = room.at("no/such/folder/found.sarif").display().to_string();
    room.try_diff(&lib_diff("    list.len() == 0", "    list.is_empty()"), &["--sarif", &nowhere])
        .expect(10)
        .says(&["found.sarif cannot be written"]);
}
