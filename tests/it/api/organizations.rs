//! `/v1/organizations`.
