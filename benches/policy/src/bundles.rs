//! Bundles as a control plane makes them: with their manifest, and signed.

use std::collections::BTreeMap;

use plinto_contract::{
    bundle::{Activation, Answer, Manifest, Metadata, PlintoMetadata},
    ids::TenantId,
    time::UnixSeconds,
};
use plinto_jose::{Algorithm, JwkSet, SigningKey};
use plinto_policy::bundle::{self, Source};
use serde_json::Value;

/// A moment at which every bundle here is valid.
pub const NOW: UnixSeconds = UnixSeconds(1_794_387_660);

pub fn tenant() -> TenantId {
    TenantId::from_parts(1, [7; 10])
}

pub fn manifest() -> Manifest {
    Manifest {
        revision: String::new(),
        roots: ["app", "grants"].map(str::to_owned).to_vec(),
        rego_version: 1,
        file_rego_versions: BTreeMap::new(),
        metadata: Metadata {
            plinto: PlintoMetadata {
                entrypoint: "app/authz/decision".to_owned(),
                answer: Answer::default(),
                strict_builtin_errors: false,
                activation: None,
            },
            other: BTreeMap::new(),
        },
    }
}

/// One policy and `data.grants`.
pub fn source(rego: &str, grants: &Value) -> Source {
    Source {
        files: BTreeMap::from([
            ("app/authz.rego".to_owned(), rego.as_bytes().to_vec()),
            (
                "grants/data.json".to_owned(),
                grants.to_string().into_bytes(),
            ),
        ]),
    }
}

/// Signs bundles.
pub struct Signer(SigningKey);

impl Signer {
    pub fn new() -> Self {
        Self(SigningKey::generate(Algorithm::Es256).unwrap())
    }

    /// The public keys, as JSON.
    pub fn keys(&self) -> Value {
        JwkSet::from(vec![self.0.public()]).to_value()
    }

    /// A signed bundle as it travels.
    pub fn signed(&self, source: &Source) -> Vec<u8> {
        let mut manifest = manifest();
        manifest.revision = bundle::revision(source, &manifest).unwrap();
        manifest.metadata.plinto.activation = Some(Activation {
            tenant: tenant(),
            sequence: 1,
            iat: NOW,
            exp: NOW.plus_seconds(86_400),
            engine: plinto_policy::engine::ENGINE.to_owned(),
            engine_version: plinto_policy::engine::ENGINE_VERSION.to_owned(),
        });
        let kid = self.0.public().kid.unwrap();
        bundle::build_signed::<bundle::Error>(source, &manifest, &kid, |payload| {
            Ok(self.0.sign(None, payload).unwrap())
        })
        .unwrap()
    }
}
