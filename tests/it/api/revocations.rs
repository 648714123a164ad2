//! `/t/{tenant}/edge/revocations`.
