//! What a task is shown of a small repository.

use std::sync::Arc;

use kaizen_context::{Focus, Index, Role, Selection, SourceFile, select};
use kaizen_domain::RelPath;

fn file(path: &str, text: &str) -> SourceFile {
    SourceFile { path: RelPath::new(path).expect("a path"), key: text.to_owned(), text: Arc::from(text) }
}

fn bytes(text: &str) -> u64 {
    text.len() as u64 / 4
}

const TAX: &str = "//! Taxes.\n\nuse crate::money::Money;\n\n/// A rate.\npub struct Tax {\n    rate: u64,\n}\n\nimpl Tax {\n    /// What is due.\n    ///\n    /// ```\n    /// assert_eq!(ledger::tax::Tax::new(1).apply(2), 3);\n    /// ```\n    pub fn apply(&self, cents: u64) -> u64 {\n        round(cents * self.rate)\n    }\n\n    pub fn new(rate: u64) -> Self {\n        Self { rate }\n    }\n}\n\nfn round(cents: u64) -> u64 {\n    cents / 100\n}\n";
const REPORT: &str = "use crate::tax::Tax;\n\npub fn total(tax: &Tax, all: &[u64]) -> u64 {\n    all.iter().map(|cents| tax.apply(*cents)).sum()\n}\n\npub fn unrelated() -> u64 {\n    7\n}\n";
const MONEY: &str = "pub struct Money(pub u64);\n\nimpl Money {\n    pub fn apply_all(&self) {}\n}\n";
const TESTS: &str = "use ledger::tax::Tax;\n\n#[test]\nfn half_is_rounded() {\n    assert_eq!(Tax::new(7).apply(50), 3);\n}\n\n#[test]\nfn nothing_else() {\n    assert!(true);\n}\n";

fn ledger() -> Index {
    let files = vec![
        file("src/tax.rs", TAX),
        file("src/report.rs", REPORT),
        file("src/money.rs", MONEY),
        file("tests/tax.rs", TESTS),
    ];
    Index::of(files, None)
}

fn of(selection: &Selection, role: Role) -> Vec<String> {
    selection
        .pieces
        .iter()
        .filter(|piece| piece.role == role)
        .map(|piece| format!("{}: {}", piece.path, piece.about))
        .collect()
}

fn focus(path: &str, line: usize) -> Focus {
    Focus { places: vec![(RelPath::new(path).expect("a path"), line)], ..Focus::default() }
}

#[test]
fn the_item_its_tests_its_callers_and_what_it_uses_are_shown_and_nothing_else() {
    let selection = select(&ledger(), &focus("src/tax.rs", 17), 4_000, &bytes);
    assert_eq!(of(&selection, Role::Test), ["tests/tax.rs: half_is_rounded tests Tax::apply"]);
    assert_eq!(of(&selection, Role::Caller), ["src/report.rs: total uses Tax::apply"]);
    let changed = of(&selection, Role::Change);
    assert!(changed.len() == 1 && changed[0].contains("Tax::apply, to be changed"), "{changed:?}");
    let all: String = selection.pieces.iter().map(|piece| piece.text.as_str()).collect();
    assert!(all.contains("fn round") && all.contains("pub struct Tax"), "{all}");
    assert!(!all.contains("unrelated") && !all.contains("nothing_else"), "{all}");
    assert!(
        selection.map.contains("src/report.rs") && selection.map.contains("pub fn unrelated() -> u64"),
        "{}",
        selection.map
    );
    assert!(selection.left_out.is_empty());
}

#[test]
fn a_small_file_in_reach_is_shown_whole_and_a_large_one_in_parts() {
    let reach = vec![RelPath::new("src/tax.rs").unwrap()];
    let selection = select(&ledger(), &Focus { reach: reach.clone(), ..focus("src/tax.rs", 17) }, 4_000, &bytes);
    let whole: Vec<_> = selection.pieces.iter().filter(|piece| piece.lines.is_none()).collect();
    assert_eq!((whole.len(), whole[0].text.as_str()), (1, TAX));
    let long = format!("{TAX}{}", "fn filler() {\n    round(1);\n}\n".repeat(400));
    let files = vec![file("src/tax.rs", &long), file("tests/tax.rs", TESTS)];
    let selection = select(&Index::of(files, None), &Focus { reach, ..focus("src/tax.rs", 17) }, 1_200, &bytes);
    assert!(selection.pieces.iter().all(|piece| piece.lines.is_some()));
    assert!(selection.pieces.iter().any(|piece| piece.about == "how the file begins"));
    assert!(selection.tokens <= 1_200, "{}", selection.tokens);
}

#[test]
fn no_more_than_the_room_is_used_and_what_is_left_out_is_said() {
    for room in [0, 50, 100, 200, 400, 1_000] {
        let selection = select(&ledger(), &focus("src/tax.rs", 17), room, &bytes);
        assert!(selection.tokens <= room, "{room}: {}", selection.tokens);
        if room < 100 {
            assert!(!selection.left_out.is_empty());
        }
    }
}

#[test]
fn files_that_did_not_change_are_not_read_again_and_what_does_not_parse_is_named() {
    let before = ledger();
    let broken = file("src/tax.rs", "fn (");
    let after = Index::of(vec![broken, file("src/report.rs", REPORT)], Some(&before));
    assert_eq!(after.unparsed().map(RelPath::as_str).collect::<Vec<_>>(), ["src/tax.rs"]);
    assert_eq!(after.items(), 2);
}
