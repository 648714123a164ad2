//! `/v1/…`: the management API.

mod administrators;
mod api_keys;
mod audit;
mod events;
mod organizations;
mod policies;
mod rights;
mod roles;
mod sessions;
mod signing_keys;
mod tenant;
mod users;
