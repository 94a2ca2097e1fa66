//! Code behind features: a change to what is off by default is tried and looked at with it on, and a repository may say what is on.

use crate::cli::shapes;
use crate::cli::support::{Room, diff_of};

/// What a till does, and with the feature `print` what it prints: one part in a file of its own, one beside the rest.
const TILL: &str = r#"//! A till.

#[cfg(feature = "print")]
pub mod receipt;

/// What is to be paid for so many at this price, with a rebate from ten on.
pub fn total(count: u64, price: u64) -> u64 {
    let sum = count * price;
    if count >= 10 { sum - price } else { sum }
}

/// The total in words.
#[cfg(feature = "print")]
pub fn words(count: u64, price: u64) -> String {
    let total = total(count, price);
    return format!("{total} in all");
}

/// The total in short, where nothing is printed.
#[cfg(not(feature = "print"))]
pub fn short(count: u64, price: u64) -> String {
    return format!("{}", total(count, price));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn totals() {
        assert_eq!((total(1, 3), total(9, 3), total(10, 3), total(11, 2)), (3, 27, 27, 20));
    }

    #[test]
    #[cfg(feature = "print")]
    fn says_the_total() {
        assert_eq!(words(1, 3), "3 in all");
    }

    #[test]
    #[cfg(not(feature = "print"))]
    fn is_short() {
        assert_eq!(short(1, 3), "3");
    }
}
"#;

const RECEIPT: &str = r#"//! Receipts.

/// The line for so many of something.
pub fn line(count: u64, name: &str) -> String {
    let word = if count == 1 { "piece" } else { "pieces" };
    return format!("{count} {word} of {name}");
}

/// How wide a line is.
pub fn width(line: &str) -> usize {
    line.chars().count() + 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines() {
        assert_eq!(line(1, "tea"), "1 piece of tea");
        assert_eq!(line(0, "tea"), "0 pieces of tea");
        assert_eq!(line(2, "tea"), "2 pieces of tea");
    }
}
"#;

fn till(settings: &str) -> Room {
    let manifest = shapes::manifest("till", "2021", "") + "\n[features]\nprint = []\nbroken = []\n";
    let broken = format!("{TILL}\n#[cfg(feature = \"broken\")]\npub fn broken() -> u8 {{\n    nowhere()\n}}\n");
    Room::with(&[
        ("Cargo.toml", &manifest),
        ("src/lib.rs", &broken),
        ("src/receipt.rs", RECEIPT),
        ("kaizen.toml", settings),
    ])
}

fn written(room: &Room, path: &str) -> String {
    std::fs::read_to_string(room.repo.join(path)).expect("it is there")
}

fn of_till(room: &Room, from: &str, to: &str) -> String {
    let text = written(room, "src/lib.rs");
    assert!(text.contains(from), "the till has no `{from}`");
    diff_of("src/lib.rs", &text, &text.replacen(from, to, 1))
}

fn of_receipt(from: &str, to: &str) -> String {
    assert!(RECEIPT.contains(from), "the receipt has no `{from}`");
    diff_of("src/receipt.rs", RECEIPT, &RECEIPT.replacen(from, to, 1))
}

const ON: &str = "with the feature `till/print` on";

#[test]
fn a_good_change_behind_a_feature_lands_and_its_trial_is_shown() {
    let room = till("");
    let diff =
        of_receipt("    return format!(\"{count} {word} of {name}\");", "    format!(\"{count} {word} of {name}\")");
    let patch = room.try_diff(&diff, &[]).expect(0).patch("LANDED");
    room.kaizen(&["show", &patch, "--evidence"])
        .expect(0)
        .says(&[&format!("{ON}: 3 tests pass"), "the compiler makes the same"]);
    room.kaizen(&["verify", &room.landed_branch()]).expect(0).says(&["to land"]);
}

#[test]
fn what_changes_behaviour_behind_a_feature_asks_a_person_or_is_refused() {
    let room = till("");
    let wrong = of_receipt("line.chars().count() + 2", "line.chars().count() + 3");
    room.try_diff(&wrong, &[]).expect(3).says(&[ON, "width"]);
    let fails = of_receipt("if count == 1", "if count <= 1");
    room.try_diff(&fails, &[]).expect(4).says(&[&format!("{ON}: test `till/lib::receipt::tests::lines` would fail")]);
    let unbuilt = of_receipt("line.chars().count() + 2", "line.chars().count() + two");
    room.try_diff(&unbuilt, &[]).expect(4).says(&[&format!("{ON}: does not build")]);
}

#[test]
fn tests_behind_a_feature_are_run() {
    let room = till("");
    let test = |width: u8| {
        format!(
            "#![cfg(feature = \"print\")]\n\n#[test]\nfn wide() {{\n    \
             assert_eq!(till::receipt::width(\"tea\"), {width});\n}}\n"
        )
    };
    room.try_diff(&diff_of("tests/wide.rs", "", &test(4)), &[])
        .expect(4)
        .says(&[&format!("{ON}: its own test `till/test wide::wide` fails")]);
    room.try_diff(&diff_of("tests/wide.rs", "", &test(5)), &[]).expect(0);
}

#[test]
fn what_is_on_and_what_is_off_are_both_looked_at() {
    let room = till("");
    let same = of_till(&room, "    return format!(\"{total} in all\");", "    format!(\"{total} in all\")");
    room.try_diff(&same, &[]).expect(0);
    // Beside a change that tests know well stands one that nobody looks at.
    let text = written(&room, "src/lib.rs");
    let both = text
        .replacen(
            "    return format!(\"{total} in all\");",
            "    if count > 77 { return String::new(); }\n    format!(\"{total} in all\")",
            1,
        )
        .replacen(
            "    if count >= 10 { sum - price } else { sum }",
            "    if count < 10 { sum } else { sum - price }",
            1,
        );
    room.try_diff(&diff_of("src/lib.rs", &text, &both), &[]).expect(3).says(&[ON, "words"]);
    // What is there without the feature is compiled by default.
    let short =
        of_till(&room, "    return format!(\"{}\", total(count, price));", "    format!(\"{}\", total(count, price))");
    room.try_diff(&short, &[]).expect(0);
}

#[test]
fn what_cannot_be_built_asks_a_person_and_says_why() {
    let room = till("");
    let diff = of_till(&room, "    nowhere()", "    nowhere() + 1");
    room.try_diff(&diff, &[]).expect(3).says(&["it is behind `till/broken`"]);
}

#[test]
fn a_feature_that_nobody_has_shows_nothing() {
    let room = till("");
    let more = "\n#[cfg(feature = \"nobody\")]\npub fn more() -> u8 {\n    7\n}\n";
    let text = written(&room, "src/lib.rs");
    room.try_diff(&diff_of("src/lib.rs", &text, &format!("{text}{more}")), &[]).expect(3);
}

#[test]
fn a_repository_may_say_which_features_are_on() {
    let room = till("[trial]\nfeatures = [\"print\"]\n");
    let fails = of_receipt("if count == 1", "if count <= 1");
    let said = room.try_diff(&fails, &[]).expect(4).says(&["test `till/lib::receipt::tests::lines` would fail"]);
    assert!(!said.out.contains(ON), "{}", said.out);
    let patch = said.patch("REJECTED");
    room.kaizen(&["show", &patch]).expect(0).says(&["; features print"]);
    // A manifest that changes has them on all the same.
    let manifest = written(&room, "Cargo.toml");
    let diff = diff_of("Cargo.toml", &manifest, &manifest.replace("edition", "description = \"A till.\"\nedition"));
    room.try_diff(&diff, &[]).expect(0);
}

#[test]
fn a_feature_that_is_none_is_named() {
    let room = till("[trial]\nfeatures = [\"prints\"]\n");
    let said = room.kaizen(&["run-cycle"]).expect(10);
    said.says(&["no package has the feature `prints`; those that there are: broken, print"]);
}
