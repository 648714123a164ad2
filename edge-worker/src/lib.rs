//! The gate at the edge: verify, decide, forward.
