//! The crate from outside: bundles, evaluation, conformance with OPA.

#[cfg(test)]
mod evaluation;
#[cfg(test)]
mod fixtures;
