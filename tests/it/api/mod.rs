//! The doors of the control plane, through the whole router.

mod api_keys;
mod at_rest;
mod authority;
mod conventions;
mod idempotency;
mod introspect;
mod lifecycle;
mod me;
mod operations;
mod organizations;
mod people;
mod policies;
mod policy_refusals;
mod queries;
mod revocations;
mod rights;
mod roles;
mod sign_in;
mod sign_up;
mod signing_keys;
mod stopping;
mod tenant;
mod throttle;
mod token;
mod users;
mod worlds;
