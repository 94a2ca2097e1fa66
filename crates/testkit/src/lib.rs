//! Under construction.

pub mod scripted_model;
