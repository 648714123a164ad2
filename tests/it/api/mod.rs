//! The doors of the control plane, through the whole router.

mod api_keys;
mod at_rest;
mod introspect;
mod me;
mod organizations;
mod people;
mod policies;
mod policy_refusals;
mod revocations;
mod roles;
mod sign_in;
mod sign_up;
mod throttle;
mod token;
mod users;
mod worlds;
