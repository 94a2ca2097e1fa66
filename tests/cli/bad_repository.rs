//! bad_repository
