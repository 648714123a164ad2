//! The edge: the gate natively, and the whole Worker in workerd.

mod answers;
mod application;
mod bare;
mod breaking;
mod crowd;
mod decisions;
mod documents;
mod forwarding;
mod offline;
mod orphans;
mod published;
mod revocation;
mod simulated;
mod tokens;
mod waiting;
mod withdrawn;
mod worker;
