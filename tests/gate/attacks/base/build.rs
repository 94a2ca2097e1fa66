//! Turns `data/taxes.txt` into a Rust table.

use std::{env, fs, path::Path};

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=data/taxes.txt");
    let text = fs::read_to_string("data/taxes.txt").expect("data/taxes.txt is there");
    let mut code = String::from("&[\n");
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (kind, rate) = line.split_once('=').expect("a line is kind=rate");
        let rate: u32 = rate.trim().parse().expect("a rate is basis points");
        code.push_str(&format!("    ({:?}, {rate}),\n", kind.trim()));
    }
    code.push_str("]\n");
    let out = env::var("OUT_DIR").expect("cargo sets OUT_DIR");
    fs::write(Path::new(&out).join("taxes.rs"), code).expect("OUT_DIR is writable");
}
