//! try_lands
