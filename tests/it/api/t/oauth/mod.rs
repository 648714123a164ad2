//! `/t/{tenant}/oauth/…`.

mod introspect;
mod token;
