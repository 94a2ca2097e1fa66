//! The library and the program on a whole file of entries.

use ledger::{Cents, Date, import, report};
use std::io::Write;
use std::process::{Command, Output, Stdio};

const SAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/data/sample.txt");

fn sample() -> ledger::Book {
    import::parse(include_str!("../data/sample.txt")).unwrap()
}

fn ledger(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_ledger")).args(arguments).output().unwrap()
}

#[test]
fn the_sample_adds_up() {
    let totals = report::totals_by_customer(&sample());
    let rows: Vec<_> = totals.iter().map(|t| (t.net.0, t.tax.0, t.paid.0, t.open().0)).collect();
    assert_eq!(rows, [(31_980, 5_836, 20_000, 17_816), (216_000, 0, 216_000, 0), (3_550, 746, 0, 4_296)]);
}

#[test]
fn the_sum_of_the_ages_is_the_open_money() {
    let book = sample();
    let open = report::open_invoices(&book, Date::new(2024, 3, 31).unwrap());
    let ages = report::ageing(&open);
    assert_eq!((ages.not_due, ages.to_60), (Cents(4_296), Cents(17_816)));
    let all = [ages.not_due, ages.to_30, ages.to_60, ages.to_90, ages.older];
    let owed = report::totals_by_customer(&book).iter().map(|total| total.open()).sum();
    assert_eq!(all.into_iter().sum::<Cents>(), owed);
}

#[test]
fn the_program_prints_the_report() {
    let output = ledger(&[SAMPLE, "--as-of", "2024-03-31"]);
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.starts_with("Totals by customer on 2024-03-31\n"), "{text}");
    assert!(text.contains("R1: 178.16 due 2024-02-09, 51 days late\n"), "{text}");
    assert!(text.contains("R3: 42.96 due 2024-04-19\n"), "{text}");
    assert!(!text.contains("R4"), "{text}");
}

#[test]
fn the_program_reads_standard_input() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_ledger"))
        .args(["-", "--as-of", "2024-03-31"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(b"customer, C1, Ada, DE, private\n").unwrap();
    let text = String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap();
    assert!(text.contains("Ada"), "{text}");
    assert!(text.contains("Open invoices\nnone\n"), "{text}");
}

#[test]
fn the_program_says_what_is_wrong() {
    for (arguments, message) in [
        (vec![], "usage: ledger FILE [--as-of DATE]"),
        (vec![SAMPLE, "--as-of", "soon"], "--as-of: expected a date such as 2024-02-29"),
        (vec!["no-such-file.txt"], "no-such-file.txt: "),
    ] {
        let output = ledger(&arguments);
        assert!(!output.status.success());
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(text.starts_with(&format!("ledger: {message}")), "{text}");
    }
}
