//! OPA bundles and Rego evaluation, natively and in wasm.
