//! `/v1/policies` and what edges fetch.
