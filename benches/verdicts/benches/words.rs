//! Times the workload, and prints what libtest would.

use std::hint::black_box;
use std::time::Instant;

/// Samples, of which the median counts. Each is far shorter than what a scheduler gives a process at a time, so that most
/// of them are not cut in two.
const SAMPLES: usize = 301;

fn main() {
    let text = bench_verdicts::text(400);
    black_box(bench_verdicts::work(black_box(&text)));
    let mut times: Vec<u128> = (0..SAMPLES)
        .map(|_| {
            let begun = Instant::now();
            black_box(bench_verdicts::work(black_box(&text)));
            begun.elapsed().as_nanos()
        })
        .collect();
    times.sort_unstable();
    let (least, median, most) = (times[0], times[SAMPLES / 2], times[SAMPLES - 1]);
    println!("test words ... bench: {median} ns/iter (+/- {})", (most - least) / 2);
}
