//! The database layer: what holds on both engines, then what only one of them has.

mod faults;
mod files;
mod group_commit;
mod only_on_postgres;
mod plans;
mod transactions;
