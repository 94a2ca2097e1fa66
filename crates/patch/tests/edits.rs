//! Edits against files in memory: what they change, and the words in which they fail.

use kaizen_domain::RelPath;
use kaizen_domain::edit::{Edit, EditSet, FileMode, FileState};
use kaizen_patch::{ApplyError, MemorySource, Source, apply};
use proptest::prelude::*;

fn path(text: &str) -> RelPath {
    RelPath::new(text).unwrap_or_else(|error| panic!("{error}"))
}

fn one(file: &str, text: &str, edit: Edit) -> Result<String, ApplyError> {
    many(&MemorySource::new().with(path(file), text), vec![edit], file)
}

fn many(source: &MemorySource, edits: Vec<Edit>, file: &str) -> Result<String, ApplyError> {
    let changes = apply(&EditSet { edits }, source)?;
    let change = changes.into_iter().find(|change| change.path.as_str() == file);
    let after = change.and_then(|change| change.after).map(|state| String::from_utf8_lossy(&state.bytes).into_owned());
    Ok(after.unwrap_or_else(|| panic!("{file} did not change")))
}

fn replace(file: &str, search: &str, replace: &str) -> Edit {
    Edit::Replace { path: path(file), search: search.into(), replace: replace.into() }
}

fn item(item: &str, content: &str) -> Edit {
    Edit::Item { item: item.into(), content: content.into() }
}

const TAX: &str = "use std::fmt;\n\n/// Doc of rate.\n#[inline]\npub fn rate() -> u32 {\n    19\n}\n\nmod deep {\n    /// A tax.\n    pub struct Tax(u32);\n\n    impl Tax {\n        // kept comment\n        /// Applies.\n        #[must_use]\n        pub fn apply(&self) -> u32 {\n            self.0\n        }\n    }\n\n    impl From<u32> for Tax {\n        fn from(value: u32) -> Self {\n            Self(value)\n        }\n    }\n    impl From<u8> for Tax {\n        fn from(value: u8) -> Self {\n            Self(value.into())\n        }\n    }\n}\n";

fn workspace() -> MemorySource {
    MemorySource::new()
        .with(path("crates/a/src/lib.rs"), "mod tax;\npub fn twin() {}\n")
        .with(path("crates/a/src/tax/mod.rs"), TAX)
        .with(path("crates/b/src/main.rs"), "fn twin() {}\nfn main() {}\n")
}

#[test]
fn edits_of_one_file_apply_in_order_on_the_running_text() {
    let source = MemorySource::new().with(path("a.rs"), "fn a() {}\n");
    let edits = vec![replace("a.rs", "fn a", "fn b"), replace("a.rs", "fn b", "fn c"), replace("a.rs", "{}", "{ 1 }")];
    assert_eq!(many(&source, edits, "a.rs").unwrap(), "fn c() { 1 }\n");
}

#[test]
fn a_file_with_carriage_returns_keeps_them() {
    let edited = one("a.rs", "a\r\nb\r\nc\r\n", replace("a.rs", "a\nb\n", "x\ny\nz\n")).unwrap();
    assert_eq!(edited, "x\r\ny\r\nz\r\nc\r\n");
}

#[test]
fn only_regular_files_are_touched_and_nothing_is_put_below_a_file() {
    for mode in [FileMode::Executable, FileMode::Symlink, FileMode::Submodule] {
        let mut source = MemorySource::new();
        source.put(path("x"), FileState { mode, bytes: b"a".to_vec() });
        for edit in [
            replace("x", "a", "b"),
            Edit::WholeFile { path: path("x"), content: "b".into() },
            Edit::Delete { path: path("x") },
        ] {
            let result = apply(&EditSet { edits: vec![edit] }, &source);
            assert!(matches!(result, Err(ApplyError::NotRegular { .. })), "{result:?}");
        }
        let below = Edit::WholeFile { path: path("x/y/z"), content: "b".into() };
        let result = apply(&EditSet { edits: vec![below] }, &source);
        assert!(matches!(result, Err(ApplyError::BelowFile { .. })), "{result:?}");
    }
}

#[test]
fn edits_that_cancel_out_change_nothing() {
    let source = MemorySource::new().with(path("a.rs"), "a\n");
    let there_and_back = vec![replace("a.rs", "a", "b"), replace("a.rs", "b", "a")];
    assert_eq!(apply(&EditSet { edits: there_and_back }, &source), Err(ApplyError::NothingChanged));
    assert_eq!(apply(&EditSet::default(), &source), Err(ApplyError::NothingChanged));
    let created_and_gone =
        vec![Edit::WholeFile { path: path("b.rs"), content: "b".into() }, Edit::Delete { path: path("b.rs") }];
    assert_eq!(apply(&EditSet { edits: created_and_gone }, &source), Err(ApplyError::NothingChanged));
}

#[test]
fn an_item_is_replaced_with_its_docs_and_nothing_else_moves() {
    let edited = many(
        &workspace(),
        vec![item("crate::tax::rate", "/// New doc.\npub fn rate() -> u32 {\n    20\n}\n")],
        "crates/a/src/tax/mod.rs",
    );
    let wanted = TAX.replace("/// Doc of rate.\n#[inline]\n", "/// New doc.\n").replace("    19\n", "    20\n");
    assert_eq!(edited.unwrap(), wanted);
}

#[test]
fn a_method_takes_the_indentation_of_the_one_it_replaces() {
    let edit = item("crates/a::tax::deep::Tax::apply", "/// Doubles.\npub fn apply(&self) -> u32 {\n    self.0 * 2\n}");
    let edited = many(&workspace(), vec![edit], "crates/a/src/tax/mod.rs").unwrap();
    let wanted = TAX
        .replace("/// Applies.\n        #[must_use]\n", "/// Doubles.\n")
        .replace("            self.0\n", "            self.0 * 2\n");
    assert_eq!(edited, wanted);
}

#[test]
fn a_method_of_a_trait_is_named_by_the_trait() {
    let content = "fn from(value: u8) -> Self {\n    Self(u32::from(value))\n}";
    let edited =
        many(&workspace(), vec![item("a::tax::deep::<Tax as From<u8>>::from", content)], "crates/a/src/tax/mod.rs");
    assert_eq!(edited.unwrap(), TAX.replace("value.into()", "u32::from(value)"));
}

#[test]
fn an_item_can_be_edited_in_a_file_that_an_earlier_edit_made() {
    let source = MemorySource::new().with(path("src/lib.rs"), "mod new;\n");
    let edits = vec![
        Edit::WholeFile { path: path("src/new.rs"), content: "fn a() {}\r\nfn b() {}\r\n".into() },
        item("crate::new::a", "fn a() {\n    b();\n}"),
    ];
    assert_eq!(many(&source, edits, "src/new.rs").unwrap(), "fn a() {\r\n    b();\r\n}\r\nfn b() {}\r\n");
}

#[test]
fn failures_say_what_to_do() {
    let file = "fn main() {\n    let total = sum(&prices);\n    println!(\"{total}\");\n}\n";
    let mut said = Vec::new();
    for (search, text) in [("let total = sum(prices);\n", file), ("zebra", file), ("", file), ("  \n", "x")] {
        said.push(one("a.rs", text, replace("a.rs", search, "x")).unwrap_err().to_string());
    }
    said.push(one("a.rs", "a\nb\na\n", replace("a.rs", "a", "x")).unwrap_err().to_string());
    said.push(one("a.rs", file, replace("b.rs", "a", "x")).unwrap_err().to_string());
    for (path, content) in [
        ("crate::tax::rat", "fn rat() {}"),
        ("crate::twin", "fn twin() {}"),
        ("crate::tax::rate", "fn rates() {}"),
        ("crate::tax::rate", "fn rate() {} fn more() {}"),
        ("crate::tax::rate", "fn rate( {}"),
        ("crate::tax::deep::Tax::from", "fn from() {}"),
        ("nowhere::rate", "fn rate() {}"),
        ("self::rate", "fn rate() {}"),
    ] {
        said.push(apply(&EditSet { edits: vec![item(path, content)] }, &workspace()).unwrap_err().to_string());
    }
    insta::assert_snapshot!(said.join("\n---\n"));
}

#[test]
fn a_text_made_to_exhaust_the_parser_is_refused() {
    let deep = format!("fn a() {{ {}1{} }}", "(".repeat(50_000), ")".repeat(50_000));
    let source = MemorySource::new().with(path("src/lib.rs"), "fn a() {}\n");
    let error = apply(&EditSet { edits: vec![item("crate::a", &deep)] }, &source).unwrap_err();
    assert!(matches!(error, ApplyError::ItemContent { .. }), "{error}");
    let source = MemorySource::new().with(path("src/lib.rs"), deep);
    let error = apply(&EditSet { edits: vec![item("crate::a", "fn a() {}")] }, &source).unwrap_err();
    assert!(matches!(error, ApplyError::Unparsable { .. }), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn no_edit_makes_it_panic_and_what_applies_can_be_found_again(
        text in "[ab \t\r\n{}]{0,40}|\\PC{0,30}",
        search in "[ab \t\r\n{}]{0,8}|\\PC{0,4}",
        new in "[ab \n]{0,6}",
    ) {
        let source = MemorySource::new().with(path("src/lib.rs"), text.clone());
        for edit in [replace("src/lib.rs", &search, &new), item(&search, &new), item("crate::a", &text)] {
            if let Ok(changes) = apply(&EditSet { edits: vec![edit] }, &source) {
                prop_assert_eq!(changes.len(), 1);
                prop_assert_eq!(&changes[0].before, &source.read(&path("src/lib.rs")).unwrap());
                prop_assert_ne!(&changes[0].before, &changes[0].after);
            }
        }
    }

    #[test]
    fn a_piece_that_stands_once_is_replaced_exactly(
        head in "[a-m\r\n ]{0,20}", middle in "[n-z]{1,5}", tail in "[a-m\r\n ]{0,20}",
    ) {
        let edited = one("a.txt", &format!("{head}{middle}{tail}"), replace("a.txt", &middle, "0"));
        prop_assert_eq!(edited, Ok(format!("{head}0{tail}")));
    }
}
