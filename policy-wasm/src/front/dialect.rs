//! The dialects of Rego.

/// A dialect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Dialect {
    /// Rego as it was before OPA 1.0. Source: OPA, "v0 Backwards Compatibility".
    V0,
    /// Rego since then.
    #[default]
    V1,
}
