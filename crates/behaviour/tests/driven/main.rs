//! Drivers, built by the real compiler against real libraries, and run.

mod differences;
mod support;
mod values;
