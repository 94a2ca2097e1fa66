use stall::{parse::parse_basket, receipt::Receipt};
use std::{fs, process::Command};

const BASKET: &str = include_str!("fixtures/basket.txt");
const GOLDEN: &str = include_str!("fixtures/receipt.golden");

#[test]
fn the_fixture_is_a_basket() {
    let lines = parse_basket(BASKET).unwrap();
    let names: Vec<_> = lines.iter().map(|line| line.name.as_str()).collect();
    assert_eq!(names, ["apple", "elderberry syrup", "egg"]);
}

#[test]
fn the_receipt_is_the_golden_one() {
    let lines = parse_basket(BASKET).unwrap();
    assert_eq!(Receipt::new(lines, "ann").to_string(), GOLDEN);
}

#[test]
fn the_program_prints_the_golden_receipt() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/basket.txt");
    assert!(fs::exists(path).unwrap());
    let output = Command::new(env!("CARGO_BIN_EXE_stall")).arg(path).output().unwrap();
    assert!(output.status.success());
    assert_eq!(String::from_utf8(output.stdout).unwrap(), GOLDEN);
}

#[test]
fn a_missing_file_is_an_error() {
    let output = Command::new(env!("CARGO_BIN_EXE_stall")).arg("no-such-file").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
}
