//! Whole paths through the product, on the shipped binaries and a real workerd.

mod audit;
mod background_elsewhere;
mod backup;
mod bad_bundles;
mod bootstrap;
mod chaos;
mod command_line;
mod control_plane_gone;
mod database_of_another_version;
mod dawdlers;
mod demonstration;
mod edge_request;
mod events;
mod keys_rotate;
mod nothing_answered_is_lost;
mod nothing_secret_is_logged;
mod publish_bundle;
mod relay;
mod revoked_session;
mod sample_app;
mod server_commands;
mod stage;
mod storm_of_sign_ins;
mod tokens;

use plinto_tests::authority::AUDIENCE;
