use garden::calendar::{Date, Weekday};
use garden::eval::{evaluate, evaluate_with};
use garden::inventory::{format_cents, parse_cents, percent_of, Inventory};
use garden::ring::Ring;
use garden::{rle, stats, text};
use std::collections::HashMap;

#[test]
fn a_bill_with_discount() {
    let mut shed = Inventory::new();
    shed.add("seeds", parse_cents("2.49").unwrap(), 3);
    shed.add("soil", parse_cents("8.5").unwrap(), 2);
    let total = shed.total_cents();
    assert_eq!(format_cents(total), "24.47");
    let discount = percent_of(total, 10);
    assert_eq!(format_cents(total - discount), "22.02");
}

#[test]
fn a_formula_with_names() {
    let mut names = HashMap::new();
    names.insert("width".to_string(), 3);
    names.insert("length".to_string(), 5);
    assert_eq!(evaluate_with("2 * (width + length)", &names), Ok(16));
    assert!(evaluate("width").is_err());
}

#[test]
fn a_whole_year() {
    let mut day = Date::new(2024, 1, 1).unwrap();
    let mut weekends = 0;
    for n in 1..=366 {
        assert_eq!(day.day_of_year(), n);
        if day.weekday().is_weekend() {
            weekends += 1;
        }
        day = day.succ();
    }
    assert_eq!(day, Date::new(2025, 1, 1).unwrap());
    assert_eq!(day.weekday(), Weekday::Wednesday);
    assert_eq!(weekends, 104);
}

#[test]
fn coding_there_and_back() {
    for text in ["", "x", "aaabbb", "hello   world", "ßßä"] {
        assert_eq!(rle::decode(&rle::encode(text)).unwrap(), text);
    }
}

#[test]
fn the_last_rainfalls() {
    let mut rain = Ring::new(3);
    for value in [9.0, 1.0, 4.0, 2.0] {
        rain.push(value);
    }
    let values = rain.to_vec();
    assert_eq!(stats::median(&values), Some(2.0));
    assert_eq!(stats::mean(&values), Some(7.0 / 3.0));
}

#[test]
fn no_wrapped_line_is_too_long() {
    let source = "the quick brown fox jumps over the lazy dog";
    for width in 5..30 {
        let lines = text::wrap(source, width);
        assert!(lines.iter().all(|line| line.chars().count() <= width));
        assert_eq!(lines.join(" "), source);
    }
}
