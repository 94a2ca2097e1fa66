//! What no test would miss if it were wrong is not landed without a person, even when every test passes.

use crate::cli::shapes;
use crate::cli::support::{Room, diff_of};

/// A till: `total` is tested well, `change` hardly, `label` not at all, `known` in its docs.
const TILL: &str = r#"//! A till.

/// More than so many are not sold at once.
pub const MOST: u64 = 500;

/// What is to be paid for so many at this price, with a rebate from ten on.
pub fn total(count: u64, price: u64) -> u64 {
    if count > MOST {
        return 0;
    }
    let sum = count * price;
    if count >= 10 { sum - price } else { sum }
}

/// What comes back.
pub fn change(paid: u64, sum: u64) -> u64 {
    if paid > sum { paid - sum } else { 0 }
}

/// What is printed.
pub fn label(count: u64) -> String {
    let word = if count == 1 { "piece" } else { "pieces" };
    return format!("{count} {word}");
}

/// Where receipts go.
pub fn folder() -> &'static str {
    if cfg!(windows) { "till" } else { "/var/till" }
}

/// Whether it is a coin.
///
/// ```
/// assert!(till::known(5) && till::known(2) && !till::known(3) && !till::known(0));
/// ```
pub fn known(coin: u64) -> bool {
    coin == 1 || coin == 2 || coin == 5
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn totals() {
        assert_eq!((total(1, 3), total(9, 3), total(10, 3), total(11, 2)), (3, 27, 27, 20));
    }

    #[test]
    fn goes_somewhere() {
        assert_eq!(folder(), "/var/till");
    }

    #[test]
    fn changes() {
        let _ = change(5, 3);
    }
}
"#;

fn till() -> Room {
    Room::with(&[("Cargo.toml", &shapes::manifest("till", "2021", "")), ("src/lib.rs", TILL)])
}

fn changed(from: &str, to: &str) -> String {
    assert!(TILL.contains(from), "the till has no `{from}`");
    diff_of("src/lib.rs", TILL, &TILL.replace(from, to))
}

#[test]
fn what_tests_would_notice_lands() {
    let room = till();
    let diff = changed(
        "    let sum = count * price;\n    if count >= 10 { sum - price } else { sum }",
        "    let paid = if count < 10 { count } else { count - 1 };\n    paid * price",
    );
    let said = room.try_diff(&diff, &[]).expect(0);
    let patch = said.patch("LANDED");
    let shown = room.kaizen(&["show", &patch, "--evidence"]).expect(0);
    shown.says(&["noticed", "wrong versions of 1 function fail a test", "total: "]);
}

#[test]
fn what_no_test_comes_by_asks_a_person() {
    let room = till();
    let diff = changed("if count == 1 { \"piece\" }", "if count < 2 { \"piece\" }");
    room.try_diff(&diff, &[]).expect(3).says(&["no test reaches `label` (src/lib.rs:21), which changes"]);
}

#[test]
fn a_line_of_a_well_tested_function_that_no_test_looks_at_asks_a_person() {
    let room = till();
    let diff = changed("        return 0;", "        return count;");
    room.try_diff(&diff, &[]).expect(3).says(&["`total` (src/lib.rs:7)"]);
}

#[test]
fn a_value_that_no_test_looks_at_asks_a_person_and_one_that_tests_know_does_not() {
    let room = till();
    room.try_diff(&changed("MOST: u64 = 500", "MOST: u64 = 600"), &[])
        .expect(3)
        .says(&["no test notices what `MOST` (src/lib.rs:4) does"]);
    let named = changed("    if count >= 10 {", "    const MANY: u64 = 10;\n    if count >= MANY {");
    room.try_diff(&named, &[]).expect(0);
}

#[test]
fn what_is_there_under_a_condition_only_asks_a_person() {
    let room = till();
    let diff = changed("{ \"till\" }", "{ \"tills\" }");
    room.try_diff(&diff, &[]).expect(3).says(&["what is there under a condition of the build only"]);
}

#[test]
fn what_tests_come_by_and_would_not_notice_asks_a_person() {
    let room = till();
    let diff = changed("if paid > sum { paid - sum } else { 0 }", "paid.max(sum) - sum.min(paid)");
    room.try_diff(&diff, &[])
        .expect(3)
        .says(&["no test notices what `change` (src/lib.rs:16) does", "wrong versions of it pass"]);
}

#[test]
fn what_the_compiler_makes_the_same_of_needs_no_test() {
    let room = till();
    let diff = changed("    return format!(\"{count} {word}\");", "    format!(\"{count} {word}\")");
    let said = room.try_diff(&diff, &[]).expect(0);
    room.kaizen(&["show", &said.patch("LANDED"), "--evidence"]).expect(0).says(&["the compiler makes the same of it"]);
}

#[test]
fn tests_in_docs_count() {
    let room = till();
    let diff = changed("coin == 1 || coin == 2 || coin == 5", "matches!(coin, 5 | 2 | 1)");
    room.try_diff(&diff, &[]).expect(0);
}

#[test]
fn it_can_be_turned_off() {
    let room = till();
    room.write("kaizen.toml", "[gate]\nmutants = 0\ninputs = 0\n");
    room.commit("Ask nothing");
    let diff = changed("if count == 1 { \"piece\" }", "if count < 2 { \"piece\" }");
    room.try_diff(&diff, &[]).expect(0);
}

#[test]
fn the_same_code_on_other_lines_is_the_same_code() {
    let room = till();
    // In front of everything else, so that every place in the file moves.
    let text = TILL.replace("    return format!(\"{count} {word}\");", "    format!(\"{count} {word}\")");
    let text = text.replace("//! A till.\n", "//! A till.\n//!\n//! It counts.\n");
    let said = room.try_diff(&diff_of("src/lib.rs", TILL, &text), &[]).expect(0);
    room.kaizen(&["show", &said.patch("LANDED"), "--evidence"]).expect(0).says(&["the compiler makes the same of it"]);
}

#[test]
fn the_changed_lines_that_no_test_runs_are_named() {
    let room = till();
    let diff = changed(
        "    if paid > sum { paid - sum } else { 0 }",
        "    if paid < sum {\n        return 0;\n    }\n    paid - sum",
    );
    // Made-up inputs stand in for the tests here.
    let said = room.try_diff(&diff, &[]).expect(0);
    let shown = room.kaizen(&["show", &said.patch("LANDED"), "--evidence"]).expect(0);
    shown.says(&["2 of 3 lines that change are run by tests", "no test runs line 18, made-up inputs do"]);
}

#[test]
fn a_door_that_only_its_builder_finds_asks_a_person() {
    let room = till();
    // Any test of `total` would do, and no input that is made up comes to the sum that opens it.
    let diff = changed(
        "    let sum = count * price;",
        "    let mixed = (count.rotate_left(7) ^ price).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);\n    \
         if mixed == 0x51ed_270b_93c1_e6f7 {\n        return 1;\n    }\n    let sum = count * price;",
    );
    room.try_diff(&diff, &[]).expect(3).says(&["neither tests nor made-up inputs run line 13 of `total` (src/lib.rs)"]);
}
