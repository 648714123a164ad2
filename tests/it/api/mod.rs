//! The doors of the control plane, through the whole router.

mod api_keys;
mod organizations;
mod policies;
mod policy_refusals;
mod revocations;
mod roles;
mod worlds;
