//! `/t/{tenant}/edge/…`: what edges fetch.

mod revocations;
