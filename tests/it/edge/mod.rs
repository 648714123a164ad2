//! The edge: the gate natively, and the whole Worker in workerd.

mod answers;
mod application;
mod bare;
mod breaking;
mod crowd;
mod decisions;
mod documents;
mod failing;
mod forwarding;
mod offline;
mod orphans;
mod published;
mod revocation;
mod simulated;
mod sockets;
mod streams;
mod tokens;
mod waiting;
mod wire;
mod withdrawn;
mod worker;
