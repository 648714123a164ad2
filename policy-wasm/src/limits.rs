//! Every bound of this crate: sizes of a bundle, steps of an evaluation.

use plinto_contract::limits;

/// How large a bundle may be. The defaults are those of one that is published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BundleLimits {
    /// The archive as it travels, in bytes.
    pub packed_bytes: usize,
    /// The unpacked archive with its headers and padding, in bytes. Reading stops there, so a
    /// small archive that inflates without end costs no more than this.
    pub unpacked_bytes: usize,
    /// Files in the archive.
    pub files: usize,
    /// One path, in bytes.
    pub path_bytes: usize,
    /// Nesting of a JSON file.
    pub json_depth: usize,
}

impl BundleLimits {
    /// Those of one that is activated: whatever was published, with a tenant's roles and a signature.
    pub fn activated() -> Self {
        Self {
            packed_bytes: limits::ACTIVATED_PACKED_BYTES,
            unpacked_bytes: limits::BUNDLE_UNPACKED_BYTES + 2 * limits::ROLES_BYTES,
            files: limits::BUNDLE_FILES + 2,
            ..Self::default()
        }
    }
}

impl Default for BundleLimits {
    fn default() -> Self {
        Self {
            packed_bytes: limits::BUNDLE_PACKED_BYTES,
            unpacked_bytes: limits::BUNDLE_UNPACKED_BYTES,
            files: limits::BUNDLE_FILES,
            // 255: longest name an ustar header can carry.
            path_bytes: 255,
            // 32: OPA data is a tree of names; what nests deeper is generated or hostile.
            json_depth: 32,
        }
    }
}

/// 20 times an evaluation's steps: one test may walk a table of inputs.
pub(crate) const TEST_STEPS_FACTOR: u64 = 20;
/// 250 times an evaluation's steps, some seconds: all tests of a bundle together.
pub(crate) const TESTS_STEPS_FACTOR: u64 = 250;

/// How much one evaluation may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EvaluationLimits {
    /// Steps, counted the same on every machine. A look-up policy takes some hundred; the default
    /// is reached within 10 ms of a native core. Source: statement Z8.
    pub steps: u64,
    /// Size of the input, in bytes of text and 8 per value.
    pub input_bytes: usize,
}

impl Default for EvaluationLimits {
    fn default() -> Self {
        Self {
            steps: 40_000,
            input_bytes: limits::POLICY_INPUT_BYTES,
        }
    }
}
