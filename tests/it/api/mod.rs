//! The endpoints of the control plane, through the whole router. Folders and files as in the paths: `v1` is
//! for machines, `t` for what is under an issuer. What holds for many paths stands beside them.

pub(crate) mod t;
mod v1;

mod at_rest;
mod authority;
mod background;
mod conventions;
mod described;
mod documents_in_trouble;
mod idempotency;
mod lifecycle;
mod operations;
mod permissions;
mod public_doors;
mod query_parameters;
mod slow_bodies;
mod texts;
mod throttle;
