//! The client against a scripted model, over real connections.

mod answers;
mod crowds;
mod environment;
mod faults;
mod support;
