//! Bundles that are refused.
