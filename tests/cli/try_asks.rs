//! try_asks
