//! What the repository's own benchmarks show to be slower does not land, whatever its tests say; and the benchmarks are those
//! from before the change.

use crate::cli::shapes;
use crate::cli::support::{Room, diff_of};

/// Fees for amounts, whose tests notice every line.
const SHOP: &str = r#"//! A shop.

/// The fee for an amount.
pub fn fee(amount: i64) -> i64 {
    if amount > 5_000 { 70 } else { 3 }
}

/// The fees for some amounts, together.
pub fn fees(amounts: &[i64]) -> i64 {
    let mut sum = 0;
    for amount in std::hint::black_box(amounts) {
        sum += fee(*amount);
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each() {
        assert_eq!((fee(0), fee(5_000), fee(5_001)), (3, 3, 70));
    }

    #[test]
    fn together() {
        assert_eq!((fees(&[]), fees(&[1]), fees(&[5_000, 5_001])), (0, 3, 73));
    }
}
"#;

/// Times `fees`, and prints what libtest would.
const BENCH: &str = r#"//! Times the fees.

use std::time::Instant;

const TURNS: usize = 201;

fn main() {
    let amounts: Vec<i64> = (0..200_000).map(|at: i64| at.wrapping_mul(7_919) % 10_000).collect();
    let mut times: Vec<u128> = (0..TURNS)
        .map(|_| {
            let begun = Instant::now();
            std::hint::black_box(shop::fees(&amounts));
            begun.elapsed().as_nanos()
        })
        .collect();
    times.sort_unstable();
    println!("test fees ... bench: {} ns/iter (+/- 1)", times[TURNS / 2]);
}
"#;

fn shop(settings: &str) -> Room {
    let manifest = format!("{}\n[[bench]]\nname = \"fees\"\nharness = false\n", shapes::manifest("shop", "2021", ""));
    let files = [("Cargo.toml", manifest.as_str()), ("src/lib.rs", SHOP), ("benches/fees.rs", BENCH)];
    let room = Room::with(&files);
    if !settings.is_empty() {
        room.write("kaizen.toml", settings);
        room.commit("Settings");
    }
    room
}

fn changed(from: &str, to: &str) -> String {
    assert!(SHOP.contains(from), "the shop has no `{from}`");
    diff_of("src/lib.rs", SHOP, &SHOP.replacen(from, to, 1))
}

/// Everything is done twice.
fn slower() -> String {
    let twice = "    let mut sum = 0;\n    for _ in 0..2 {\n        sum = 0;\n        for amount in std::hint::black_box(amounts) {\n            \
                 sum += fee(std::hint::black_box(*amount));\n        }\n    }\n    sum\n";
    let once = "    let mut sum = 0;\n    for amount in std::hint::black_box(amounts) {\n        sum += fee(*amount);\n    }\n    sum\n";
    changed(once, twice)
}

#[test]
fn what_makes_a_benchmark_slower_is_refused_with_the_figure() {
    let room = shop("");
    let said = room.try_diff(&slower(), &[]).expect(4);
    said.says(&["it is slower: `fees`: base over candidate 0.", "noise"]);
}

#[test]
fn what_takes_as_long_as_before_lands_and_the_noise_of_the_machine_is_told() {
    let room = shop("");
    let diff = changed(
        "if amount > 5_000 { 70 } else { 3 }",
        "match amount {\n        ..=5_000 => 3,\n        _ => 70,\n    }",
    );
    let said = room.try_diff(&diff, &[]).expect(0);
    let shown = room.kaizen(&["show", &said.patch("LANDED"), "--evidence"]).expect(0);
    shown.says(&["speed", "`fees`: base over candidate", "noise"]);
}

#[test]
fn a_repository_may_do_without_and_may_name_a_command() {
    let room = shop("[gate]\nbenchmarks = false\n");
    let said = room.try_diff(&slower(), &[]);
    assert!(!said.out.contains("it is slower"), "{}", said.out);
    // Its time counts, since it prints nothing that a harness would.
    let command = "[gate]\nbenchmark = [\"sh\", \"-c\", \"cargo build -q --offline --release && sleep 0.1 && grep -q 0..2 src/lib.rs && sleep 0.3; true\"]\n";
    let room = shop(command);
    room.try_diff(&slower(), &[]).expect(4).says(&["it is slower: `sh -c cargo build"]);
}

#[test]
fn a_patch_that_touches_a_benchmark_asks_a_person() {
    let room = shop("");
    let bench = diff_of("benches/fees.rs", BENCH, &BENCH.replace("TURNS: usize = 201", "TURNS: usize = 1"));
    let said = room.try_diff(&format!("{}{bench}", slower()), &[]).expect(3);
    said.says(&["benches/fees.rs"]);
}
