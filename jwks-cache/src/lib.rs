//! When keys are fresh, stale or missing: a pure state machine.
