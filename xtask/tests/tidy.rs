//! Tidy on the real workspace, so that the test suite fails when a rule is broken.

#[test]
fn the_workspace_is_tidy() {
    let report = xtask::tidy::check(&xtask::root()).unwrap();
    let lines: Vec<String> = report.violations.iter().map(ToString::to_string).collect();
    assert!(lines.is_empty(), "`cargo xtask tidy` finds:\n{}", lines.join("\n"));
    assert!(report.files > 100, "only {} files were found below {}", report.files, xtask::root().display());
}
