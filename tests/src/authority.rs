//! A control plane's keys without the control plane: signs tokens, bundles and revocation feeds,
//! right ones and every kind of wrong one.

use std::collections::BTreeMap;

use plinto_contract::{
    bundle::{Activation, Answer, Manifest, Metadata, PlintoMetadata},
    claims::{AccessToken, Audience, TYP_ACCESS_TOKEN},
    ids::{OrganizationId, SessionId, TenantId, TokenId, UserId},
    revocation::{Feed, TYP_REVOCATIONS},
    time::UnixSeconds,
};
use plinto_jose::{Algorithm, JwkSet, SigningKey};
use plinto_policy::bundle::{self, Source};
use serde_json::{Value, json};

/// Who the tokens are for.
pub const AUDIENCE: &str = "https://api.example.com";

/// Roles decide by look-up; `stop` in the path is refused with a reason, whoever asks.
pub const POLICY: &str = r#"package app.authz

import rego.v1

default allow := false

allow if {
	some role in input.subject.properties.roles
	data.grants[role][input.resource.type][input.action.name]
	not stopped
}

allow if {
	input.subject.type == "anonymous"
	input.action.name == "visit"
}

stopped if input.resource.id == "stop"

reasons contains "stopped for everybody" if stopped

reasons contains sprintf("no role permits %s", [input.action.name]) if {
	not allow
	not stopped
}

obligations["log"] := input.resource.id if input.resource.id == "seen"

decision := {
	"allow": allow,
	"reasons": [reason | some reason in reasons],
	"obligations": {name: value | some name, value in obligations},
}
"#;

/// The first claims set of the known answers, which has every claim.
fn known_claims() -> AccessToken {
    let known = include_str!("../../contract/vectors/access_token.json");
    let known: Value = serde_json::from_str(known).unwrap();
    serde_json::from_value(known["valid"][0]["value"].clone()).unwrap()
}

/// A tenant's signing keys.
#[derive(Debug)]
pub struct Authority {
    /// `iss` of its tokens.
    pub issuer: String,
    /// Its id.
    pub tenant: TenantId,
    /// Sign tokens.
    pub token_keys: Vec<SigningKey>,
    /// Signs bundles and feeds.
    pub bundle_key: SigningKey,
    /// What "now" is when nothing else is said.
    pub now: UnixSeconds,
}

/// One activation to be signed.
#[derive(Debug, Clone)]
pub struct Activated {
    /// Its sequence.
    pub sequence: u64,
    /// Whose it claims to be.
    pub tenant: TenantId,
    /// When it ends.
    pub exp: UnixSeconds,
    /// Its policy.
    pub policy: String,
}

impl Authority {
    /// One with a token key per algorithm.
    pub fn new(issuer: &str, algorithms: &[Algorithm], now: UnixSeconds) -> Self {
        let generate = |algorithm: &Algorithm| SigningKey::generate(*algorithm).unwrap();
        Self {
            issuer: issuer.to_owned(),
            tenant: TenantId::from_parts(1, [7; 10]),
            token_keys: algorithms.iter().map(generate).collect(),
            bundle_key: generate(&Algorithm::Es256),
            now,
        }
    }

    /// The claims of an editor who has signed in just now.
    pub fn claims(&self) -> AccessToken {
        AccessToken {
            iss: self.issuer.clone(),
            sub: UserId::from_parts(1, [1; 10]),
            aud: Audience::One(AUDIENCE.to_owned()),
            exp: self.now.plus_seconds(600),
            iat: self.now,
            jti: TokenId::from_parts(1, [2; 10]),
            sid: SessionId::from_parts(1, [3; 10]),
            tenant: self.tenant,
            org: Some(OrganizationId::from_parts(1, [4; 10])),
            roles: vec!["editor".to_owned()],
            epoch: 3,
            auth_time: self.now,
            ..known_claims()
        }
    }

    /// A token with these claims, by the first token key.
    pub fn token(&self, claims: &AccessToken) -> String {
        Self::token_by(&self.token_keys[0], &serde_json::to_value(claims).unwrap())
    }

    /// A token with these claims, by that key.
    pub fn token_by(key: &SigningKey, claims: &Value) -> String {
        key.sign(Some(TYP_ACCESS_TOKEN), claims.to_string().as_bytes())
            .unwrap()
    }

    /// The published token keys.
    pub fn token_jwks(&self) -> Vec<u8> {
        jwks(&self.token_keys)
    }

    /// The published bundle keys.
    pub fn bundle_jwks(&self) -> Vec<u8> {
        jwks(std::slice::from_ref(&self.bundle_key))
    }

    /// What is activated when nothing else is said.
    pub fn activated(&self) -> Activated {
        Activated {
            sequence: 1,
            tenant: self.tenant,
            exp: self.now.plus_seconds(86_400),
            policy: POLICY.to_owned(),
        }
    }

    /// A signed bundle.
    pub fn bundle(&self, activated: &Activated) -> Vec<u8> {
        self.bundle_by(&self.bundle_key, activated)
    }

    /// A bundle signed by that key.
    pub fn bundle_by(&self, key: &SigningKey, activated: &Activated) -> Vec<u8> {
        let (source, manifest) = self.contents(activated);
        let kid = key.public().kid.unwrap();
        bundle::build_signed::<bundle::Error>(&source, &manifest, &kid, |payload| {
            Ok(key.sign(None, payload).unwrap())
        })
        .unwrap()
    }

    /// The same bundle without a signature.
    pub fn unsigned_bundle(&self, activated: &Activated) -> Vec<u8> {
        let (source, mut manifest) = self.contents(activated);
        manifest.metadata.plinto.activation = None;
        bundle::build(&source, &manifest).unwrap()
    }

    fn contents(&self, activated: &Activated) -> (Source, Manifest) {
        let grants = json!({ "grants": {
            "editor": { "document": { "read": true, "write": true } },
            "reader": { "document": { "read": true } },
        } });
        let route = |methods: &[&str], path: &str, action: &str, id: &str, public: bool| {
            json!({ "methods": methods, "path": path, "action": action,
                "resource_type": "document", "resource_id": id, "public": public })
        };
        let routes = json!({ "routes": [
            route(&["GET"], "/", "visit", "", true),
            route(&["GET"], "/documents", "read", "", false),
            route(&["GET"], "/documents/{id}", "read", "{id}", false),
            route(&["PUT", "POST"], "/documents/{id}", "write", "{id}", false),
            route(&["GET"], "/files/{path...}", "read", "{path}", false),
            route(&["GET"], "/public/{id}", "visit", "{id}", true),
            json!({ "methods": ["GET"], "path": "/slow/{id}", "action": "read",
                "resource_type": "document", "resource_id": "{id}", "timeout_s": 1 }),
        ] });
        let files = BTreeMap::from([
            (
                "app/authz.rego".to_owned(),
                activated.policy.clone().into_bytes(),
            ),
            (
                "grants/data.json".to_owned(),
                grants["grants"].to_string().into_bytes(),
            ),
            (
                "plinto/data.json".to_owned(),
                routes.to_string().into_bytes(),
            ),
        ]);
        let source = Source { files };
        let mut manifest = Manifest {
            revision: String::new(),
            roots: ["app", "grants", "plinto"].map(str::to_owned).to_vec(),
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
        };
        manifest.revision = bundle::revision(&source, &manifest).unwrap();
        manifest.metadata.plinto.activation = Some(Activation {
            tenant: activated.tenant,
            sequence: activated.sequence,
            iat: self.now,
            exp: activated.exp,
            engine: plinto_policy::engine::ENGINE.to_owned(),
            engine_version: plinto_policy::engine::ENGINE_VERSION.to_owned(),
        });
        (source, manifest)
    }

    /// A feed that revokes nobody.
    pub fn feed(&self, version: u64) -> Feed {
        Feed {
            iss: self.issuer.clone(),
            tenant: self.tenant,
            version,
            iat: self.now,
            exp: self.now.plus_seconds(86_400),
            issued_before: UnixSeconds(0),
            outdated_before: UnixSeconds(0),
            sessions: Vec::new(),
            subjects: BTreeMap::new(),
            outdated: BTreeMap::new(),
            withdrawn_keys: Vec::new(),
        }
    }

    /// The feed, signed.
    pub fn signed_feed(&self, feed: &Feed) -> String {
        self.bundle_key
            .sign(Some(TYP_REVOCATIONS), &serde_json::to_vec(feed).unwrap())
            .unwrap()
    }
}

fn jwks(keys: &[SigningKey]) -> Vec<u8> {
    let keys: Vec<_> = keys.iter().map(SigningKey::public).collect();
    JwkSet::from(keys).to_value().to_string().into_bytes()
}
