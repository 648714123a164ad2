//! `/t/{tenant}/v1/…`: people's own.

mod me;
mod sign_in;
mod sign_out;
mod sign_up;
