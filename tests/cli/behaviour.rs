//! What behaves otherwise than before, where no test looks, is not landed without a person, and the smallest input that shows it
//! is told.

use crate::cli::shapes;
use crate::cli::support::{Room, Said, diff_of};

/// A shop whose tests notice every line of it, and know a handful of inputs.
const SHOP: &str = r#"//! A shop.

/// The fee for an amount.
pub fn fee(amount: i64) -> i64 {
    if amount > 5_000 { 70 } else { 3 }
}

/// The names, the most expensive first.
pub fn ranking(lines: &[(String, i64)]) -> Vec<String> {
    let mut sorted = lines.to_vec();
    sorted.sort_by_key(|(_, amount)| std::cmp::Reverse(*amount));
    sorted.into_iter().map(|(name, _)| name).collect()
}

/// A share of an amount, in percent.
pub fn share(amount: u32, percent: u32) -> u32 {
    amount / 100 * percent
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fees() {
        assert_eq!((fee(0), fee(5_000), fee(5_001)), (3, 3, 70));
    }

    #[test]
    fn ranks() {
        let lines = [("a".to_owned(), 1), ("b".to_owned(), 2)];
        assert_eq!(ranking(&lines), ["b", "a"]);
    }

    #[test]
    fn shares() {
        assert_eq!((share(200, 7), share(300, 10), share(100, 0)), (14, 30, 0));
    }
}
"#;

fn shop() -> Room {
    Room::with(&[("Cargo.toml", &shapes::manifest("shop", "2021", "")), ("src/lib.rs", SHOP)])
}

fn changed(changes: &[(&str, &str)]) -> String {
    let mut after = SHOP.to_owned();
    for (from, to) in changes {
        assert!(after.contains(from), "the shop has no `{from}`");
        after = after.replacen(from, to, 1);
    }
    diff_of("src/lib.rs", SHOP, &after)
}

/// Whether all of that was said, wherever lines end.
pub(super) fn says(said: &Said, all: &[&str]) {
    let flat = said.out.split_whitespace().collect::<Vec<_>>().join(" ");
    all.iter().for_each(|one| assert!(flat.contains(one), "`{one}` is not in:\n{}", said.out));
}

#[test]
fn a_special_case_that_no_test_asks_about_asks_a_person() {
    let room = shop();
    let diff = changed(&[("if amount > 5_000 { 70 }", "if amount > 5_000 && amount != 918_273 { 70 }")]);
    let said = room.try_diff(&diff, &[]).expect(3);
    says(&said, &["`shop::fee(918273)` gave `70` and now gives `3`", "no test tells the two apart"]);
}

#[test]
fn the_order_of_what_is_equal_asks_a_person() {
    let room = shop();
    let diff = changed(&[
        ("std::cmp::Reverse(*amount)", "std::cmp::Reverse((*amount, lines.len()))"),
        (
            "    let mut sorted = lines.to_vec();\n",
            "    let mut sorted: Vec<_> = lines.iter().rev().cloned().collect();\n",
        ),
    ]);
    says(&room.try_diff(&diff, &[]).expect(3), &["`shop::ranking([(", "no test tells the two apart"]);
}

#[test]
fn another_way_to_say_the_same_lands_and_how_often_it_was_called_is_told() {
    let room = shop();
    let diff = changed(&[(
        "if amount > 5_000 { 70 } else { 3 }",
        "match amount {\n        ..=5_000 => 3,\n        _ => 70,\n    }",
    )]);
    let said = room.try_diff(&diff, &[]).expect(0);
    let shown = room.kaizen(&["show", &said.patch("LANDED"), "--evidence"]).expect(0);
    shown.says(&["behaviour", "made-up inputs to 1 function", "shop::fee: "]);
}

#[test]
fn a_repair_with_the_test_that_shows_it_lands() {
    let room = shop();
    let code = ("amount / 100 * percent", "amount * percent / 100");
    // Without one it is a change of behaviour like any other.
    let alone = room.try_diff(&changed(&[code]), &[]).expect(3);
    says(&alone, &["`shop::share(", "no test tells the two apart"]);
    // A test of its own that passes before the change as well shows nothing.
    let with = |amount: u32, gives: u32| {
        let test =
            format!("    #[test]\n    fn small() {{\n        assert_eq!(share({amount}, 10), {gives});\n    }}\n\n");
        let place = "    #[test]\n    fn shares()";
        changed(&[code, (place, &(test + place))])
    };
    says(&room.try_diff(&with(100, 10), &[]).expect(3), &["no test tells the two apart"]);
    room.try_diff(&with(50, 5), &[]).expect(0);
}

#[test]
fn what_a_repair_carries_along_asks_a_person() {
    let room = shop();
    let place = "    #[test]\n    fn shares()";
    let test = "    #[test]\n    fn small() {\n        assert_eq!(share(50, 10), 5);\n    }\n\n";
    let repair = [("amount / 100 * percent", "amount * percent / 100"), (place, &format!("{test}{place}"))];
    let with = |more| changed(&[repair.as_slice(), &[more]].concat());
    let hostile = with(("if amount > 5_000 { 70 }", "if amount > 5_000 && amount != 918_273 { 70 }"));
    let said = room.try_diff(&hostile, &[]).expect(3);
    says(&said, &["`shop::fee(918273)` gave `70` and now gives `3`, which no test asks for"]);
    // What does the same may come along.
    room.try_diff(&with(("if amount > 5_000 { 70 } else { 3 }", "if amount <= 5_000 { 3 } else { 70 }")), &[])
        .expect(0);
}

#[test]
fn code_that_knows_the_inputs_of_its_tests_asks_a_person() {
    let room = shop();
    let place = "    #[test]\n    fn shares()";
    let test = "    #[test]\n    fn knows() {\n        assert_eq!(share(77_123, 10), 7_712);\n    }\n\n";
    let special =
        "    if amount == 77_123 {\n        return amount * percent / 100;\n    }\n    amount / 100 * percent";
    let diff = changed(&[("    amount / 100 * percent", special), (place, &format!("{test}{place}"))]);
    room.try_diff(&diff, &[]).expect(3).says(&["it may know the inputs of the tests"]);
}

#[test]
fn what_long_inputs_make_slow_asks_a_person() {
    let room = shop();
    let slow = "    let mut sum = 0;\n    for _ in 0..lines.len() {\n        for _ in 0..lines.len() * 4 {\n            sum += 1;\n        }\n    }\n    \
                let _ = std::hint::black_box(sum);\n    let mut sorted = lines.to_vec();";
    let said = room.try_diff(&changed(&[("    let mut sorted = lines.to_vec();", slow)]), &[]).expect(3);
    says(&said, &["`shop::ranking([", "and now gives"]);
}

/// A program without a library: a door.
const DOOR: &str = r#"mod code;

fn main() {
    let typed = std::env::args().nth(1).unwrap_or_default();
    std::process::exit(if code::opens(&typed) { 0 } else { 1 });
}
"#;

const CODE: &str = r#"/// Whether a code opens the door.
pub(crate) fn opens(typed: &str) -> bool {
    right(typed, crate::code::LONGEST)
}

const LONGEST: usize = 8;

fn right(typed: &str, longest: usize) -> bool {
    if typed.len() > longest {
        return false;
    }
    !typed.is_empty() && typed.chars().all(|one| one.is_ascii_digit())
}
"#;

const DOOR_TESTS: &str = r#"fn opens(code: &str) -> bool {
    let door = std::process::Command::new(env!("CARGO_BIN_EXE_door")).arg(code).status();
    door.is_ok_and(|status| status.success())
}

#[test]
fn digits_open() {
    assert!(opens("1234") && opens("1"));
}

#[test]
fn words_do_not() {
    assert!(!opens("abc") && !opens(""));
}
"#;

#[test]
fn functions_of_a_program_are_called_as_well() {
    let files = [
        ("Cargo.toml", shapes::manifest("door", "2024", "")),
        ("src/main.rs", DOOR.to_owned()),
        ("src/code.rs", CODE.to_owned()),
        ("tests/door.rs", DOOR_TESTS.to_owned()),
    ];
    let room = Room::with(&files.each_ref().map(|(path, text)| (*path, text.as_str())));
    let with = |from: &str, to: &str| diff_of("src/code.rs", CODE, &CODE.replacen(from, to, 1));
    let gone = with("    if typed.len() > longest {\n        return false;\n    }\n", "");
    says(&room.try_diff(&gone, &[]).expect(3), &["`door::code::", "gave `false` and now gives `true`"]);
    let numbers = with("is_ascii_digit", "is_numeric");
    says(&room.try_diff(&numbers, &[]).expect(3), &["gave `false` and now gives `true`"]);
    let same = with("typed.len() > longest", "longest < typed.len()");
    let said = room.try_diff(&same, &[]).expect(0);
    room.kaizen(&["show", &said.patch("LANDED"), "--evidence"]).expect(0).says(&["door::code::right: "]);
}

/// Words and how often each is there, with settings that a builder takes.
const WORDS: &str = r#"//! Words.
use std::collections::HashMap;

/// What counts.
#[derive(Debug, Clone)]
pub struct Options { shortest: usize }

impl Options {
    /// Everything counts.
    pub fn new() -> Options { Options { shortest: 0 } }

    /// Words of fewer characters do not.
    pub fn shortest(mut self, characters: usize) -> Self {
        self.shortest = characters;
        self
    }
}

/// How often each word is there.
pub fn count(text: &str, options: &Options) -> HashMap<String, u64> {
    let mut all = HashMap::new();
    for word in text.split(' ') {
        if word.chars().count() >= options.shortest {
            *all.entry(word.to_owned()).or_default() += 1;
        }
    }
    all
}

/// The words, the most frequent first, those that are as frequent by their letters.
pub fn frequent(counts: &HashMap<String, u64>) -> Vec<String> {
    let mut all: Vec<(&String, &u64)> = counts.iter().collect();
    all.sort_by_key(|(word, count)| (std::cmp::Reverse(**count), (*word).clone()));
    all.into_iter().map(|(word, _)| word.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts() {
        let counts = count("a bc a def", &Options::new().shortest(1));
        assert_eq!((counts.get("a"), counts.get("bc"), counts.len()), (Some(&2), Some(&1), 3));
        assert_eq!(count("a bc a def", &Options::new().shortest(3)).len(), 1);
        assert_eq!(frequent(&count("a bc a", &Options::new())), ["a", "bc"]);
    }
}
"#;

#[test]
fn what_builders_make_and_what_hash_maps_hold_is_compared() {
    let room = Room::with(&[("Cargo.toml", &shapes::manifest("words", "2021", "")), ("src/lib.rs", WORDS)]);
    let with = |from: &str, to: &str| diff_of("src/lib.rs", WORDS, &WORDS.replacen(from, to, 1));
    // Only words of several bytes a character show it, and only where the builder was asked for longer ones.
    let bytes = with("word.chars().count() >=", "word.len() >=");
    says(&room.try_diff(&bytes, &[]).expect(3), &["`words::count(", "no test tells the two apart"]);
    // The order of what is equal is that of the map, which is another one each time.
    let order = with("(std::cmp::Reverse(**count), (*word).clone())", "std::cmp::Reverse(**count)");
    says(&room.try_diff(&order, &[]).expect(3), &["`words::frequent(", "as it comes"]);
    let same = with(
        "            *all.entry(word.to_owned()).or_default() += 1;",
        "            let count = all.entry(word.to_owned()).or_default();\n            *count += 1;",
    );
    room.try_diff(&same, &[]).expect(0);
}

#[test]
fn what_does_not_come_back_now_and_then_hides_nothing_else() {
    let room = shop();
    let diff = changed(&[(
        "    amount / 100 * percent",
        "    let at = std::ptr::from_ref(&amount) as usize >> 12;\n    \
         while amount.count_ones() == 11 && amount % 4 == 0 && at % 2 == 0 {}\n    \
         (u64::from(amount) * u64::from(percent) / 100) as u32",
    )]);
    let said = room.try_diff(&diff, &[]).expect(3);
    says(&said, &["`shop::share(", "and now gives", "no test tells the two apart"]);
}
