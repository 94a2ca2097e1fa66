//! try_refuses
