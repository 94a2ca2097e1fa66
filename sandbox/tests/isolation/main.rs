//! The isolation against hostile commands. Each test runs this very binary again inside, with a probe to play out.
//!
//! A probe that is refused inside is also run outside, where it must get through: a probe that could never succeed
//! would prove nothing.

#![cfg(target_os = "linux")]

mod batch;
mod bounds;
mod calls;
mod cargo_inside;
mod host;
mod inside;
mod lifetime;
mod probes;
mod restricted;
mod support;
mod tree;

/// Not a test of its own: where a probe begins. Without a probe's name there is nothing to do.
#[test]
fn probe_entry() {
    if let Some(name) = std::env::var_os("KAIZEN_PROBE") {
        let argument = std::env::var("KAIZEN_PROBE_ARGUMENT").unwrap_or_default();
        probes::play(&name.to_string_lossy(), &argument);
    }
}
