//! bad_base
