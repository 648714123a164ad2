//! Rules and functions that end up evaluating themselves.

use regorus::unstable::Module;

use crate::diagnostics::Diagnostic;

/// Finds recursion.
pub(crate) fn check(_modules: &[&Module]) -> Vec<Diagnostic> {
    Vec::new()
}
