//! `contract/vectors/bundle.json`: whole signed bundles, and what a reader must make of each.
//!
//! The file is made once: `RENEW_VECTORS=1` makes it anew, with new keys.

use std::{fs, path::PathBuf};

use plinto_contract::{
    bundle::{Activation, Manifest, ROLES_FILE},
    claims::TYP_ACCESS_TOKEN,
    ids::TenantId,
    policy::{Decision, EvaluationRequest},
    time::UnixSeconds,
};
use plinto_jose::{Algorithm, JwkSet, SigningKey, verify};
use plinto_policy::{
    bundle::{Bundle, Error, Expect, Limits, Source, Unverified, build, build_signed},
    engine::{self, Engine, input_of},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::fixtures::{manifest, source};

const NOW_S: i64 = 1_763_300_100;
const TENANT: &str = "tenant_01h455vb4pex5vsknk084sn02q";
const OTHER_TENANT: &str = "tenant_01h455vb4pex5vsknk084sn02r";

#[derive(Deserialize)]
struct Vectors {
    tenant: TenantId,
    keys: Value,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    /// Hexadecimal.
    archive: String,
    now_s: i64,
    min_sequence: u64,
    /// `accepted` or a problem code.
    answer: String,
    #[serde(default)]
    decisions: Vec<Asked>,
}

#[derive(Deserialize)]
struct Asked {
    request: EvaluationRequest,
    decision: Decision,
}

fn file() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../contract/vectors/bundle.json")
}

/// N15: a whole bundle has one answer in every language, and so has what it decides.
#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "the variable is how the test is told to write"
)]
fn every_signed_bundle_gets_its_answer() {
    if std::env::var_os("RENEW_VECTORS").is_some() {
        fs::write(file(), format!("{:#}\n", renewed())).unwrap();
    }
    let vectors: Vectors = serde_json::from_slice(&fs::read(file()).unwrap()).unwrap();
    let keys = JwkSet::parse(vectors.keys.to_string().as_bytes()).unwrap();
    for case in &vectors.cases {
        let expect = Expect {
            tenant: vectors.tenant,
            now: UnixSeconds(case.now_s),
            min_sequence: case.min_sequence,
        };
        let opened = open(&hex::decode(&case.archive).unwrap(), &keys, &expect);
        let answer = match &opened {
            Ok(_) => "accepted",
            Err(error) => error.problem().as_str(),
        };
        assert_eq!(answer, case.answer, "{}", case.name);
        let Ok(bundle) = opened else { continue };
        assert!(!case.decisions.is_empty(), "{}", case.name);
        let engine = Engine::prepare(&bundle.manifest, &bundle.source).unwrap();
        for asked in &case.decisions {
            let given = engine.evaluate(input_of(&asked.request), &engine::Limits::default());
            assert_eq!(given.decision, asked.decision, "{}", case.name);
        }
    }
    assert!(vectors.cases.len() >= 10);
}

fn open(packed: &[u8], keys: &JwkSet, expect: &Expect) -> Result<Bundle, Error> {
    let unverified = Unverified::read(packed, &Limits::default())?;
    let key = unverified
        .kid()
        .and_then(|kid| keys.find(kid, unverified.alg()))
        .ok_or(Error::Signature(plinto_jose::Error::UnknownKey))?;
    verify(&unverified.signature_job(key)?).map_err(Error::Signature)?;
    unverified.verified(expect)
}

/// A value of 3,000 levels: each function calls the one before ten times over.
const NEST: &str = "
ten(x) := [[[[[[[[[[x]]]]]]]]]]

hundred(x) := ten(ten(ten(ten(ten(ten(ten(ten(ten(ten(x))))))))))

thousand(x) := hundred(hundred(hundred(hundred(hundred(hundred(hundred(hundred(hundred(hundred(x))))))))))

deep := thousand(thousand(thousand(1)))
";

fn policy() -> Source {
    let rules = "package app.authz

default allow := false

allow if {
	some role in input.subject.properties.roles
	data.plinto.roles[role][input.action.name]
}

reasons contains \"no role permits this\" if not allow

# Each of these unions is small; all of them together are more than an isolate may hold.
numbers_up contains i if some i in numbers.range(1, 2500)

kept := [both | some i in numbers.range(1, 1000); both := numbers_up | {0 - i}]

allow if {
	input.action.name == \"keep\"
	count(kept) > 0
}

allow if input.action.name == \"nest\"

default obligations := {}

obligations := {\"deep\": deep} if input.action.name == \"nest\"

decision := {\"allow\": allow, \"reasons\": reasons, \"obligations\": obligations}
";
    let rules = rules.to_owned() + NEST;
    source(&[
        ("app/authz/decision.rego", &rules),
        (
            "plinto/roles/data.json",
            "{\"editor\": {\"write\": true, \"read\": true}}",
        ),
    ])
}

fn activated(tenant: &str) -> Manifest {
    let mut manifest = manifest();
    manifest.metadata.plinto.activation = Some(Activation {
        tenant: tenant.parse().unwrap(),
        sequence: 7,
        iat: UnixSeconds(NOW_S - 100),
        exp: UnixSeconds(NOW_S + 3_600),
        engine: engine::ENGINE.to_owned(),
        engine_version: engine::ENGINE_VERSION.to_owned(),
    });
    manifest
}

#[derive(Debug)]
struct Failed;

impl From<Error> for Failed {
    fn from(_: Error) -> Self {
        Self
    }
}

fn signed(key: &SigningKey, tenant: &str, typ: Option<&str>) -> Vec<u8> {
    let kid = key.public().kid.unwrap();
    let sign = |payload: &[u8]| key.sign(typ, payload).map_err(|_| Failed);
    build_signed(&policy(), &activated(tenant), &kid, sign).unwrap()
}

fn renewed() -> Value {
    let es256 = SigningKey::generate(Algorithm::Es256).unwrap();
    let eddsa = SigningKey::generate(Algorithm::EdDsa).unwrap();
    let stranger = SigningKey::generate(Algorithm::Es256).unwrap();
    let keys = json!({"keys": [es256.public().to_value(), eddsa.public().to_value()]});
    let good = signed(&es256, TENANT, None);
    let mut broken = good.clone();
    let middle = broken.len() / 2;
    broken[middle] ^= 1;
    let ask = |role: &str, action: &str| {
        json!({
            "subject": {"type": "user", "id": "user_01h455vb4pex5vsknk084sn02q",
                        "properties": {"roles": [role]}},
            "action": {"name": action},
            "resource": {"type": "document", "id": "42", "properties": {}},
            "context": {"time": NOW_S},
        })
    };
    let decisions = json!([
        {"request": ask("editor", "write"),
         "decision": {"allow": true, "reasons": [], "obligations": {}}},
        {"request": ask("viewer", "write"),
         "decision": {"allow": false, "reasons": ["no role permits this"], "obligations": {}}},
        // a result of 3,000 levels: an error, and nothing that breaks
        {"request": ask("editor", "nest"),
         "decision": {"allow": false, "reasons": ["limit_reached"], "obligations": {}}},
    ]);
    let case = |name: &str, archive: &[u8], now_s: i64, min_sequence: u64, answer: &str| {
        let mut case = json!({
            "name": name, "archive": hex::encode(archive), "now_s": now_s,
            "min_sequence": min_sequence, "answer": answer,
        });
        if answer == "accepted" {
            case["decisions"] = decisions.clone();
            case["decisions_in_wasm"] = json!([
                {"request": ask("editor", "keep"),
                 "decision": {"allow": false, "reasons": ["limit_reached"], "obligations": {}}},
            ]);
        }
        case
    };
    let refused = "bundle_signature_invalid";
    let mut unsigned = policy();
    unsigned.files.remove(ROLES_FILE);
    let unsigned = build(&unsigned, &manifest()).unwrap();
    let cases = [
        case("ES256", &good, NOW_S, 1, "accepted"),
        case("EdDSA", &signed(&eddsa, TENANT, None), NOW_S, 7, "accepted"),
        case(
            "typ JWT",
            &signed(&es256, TENANT, Some("JWT")),
            NOW_S,
            1,
            "accepted",
        ),
        case("unsigned", &unsigned, NOW_S, 1, refused),
        case("a bit changed", &broken, NOW_S, 1, "bundle_malformed"),
        case(
            "a stranger's key",
            &signed(&stranger, TENANT, None),
            NOW_S,
            1,
            refused,
        ),
        case(
            "another tenant's",
            &signed(&es256, OTHER_TENANT, None),
            NOW_S,
            1,
            refused,
        ),
        case("replayed", &good, NOW_S, 8, refused),
        case("expired", &good, NOW_S + 3_600, 1, refused),
        case("from the future", &good, NOW_S - 131, 1, refused),
        case(
            "an access token's typ",
            &signed(&es256, TENANT, Some(TYP_ACCESS_TOKEN)),
            NOW_S,
            1,
            refused,
        ),
        case("a file changed", &tampered(&good), NOW_S, 1, refused),
    ];
    json!({"tenant": TENANT, "keys": keys, "cases": cases})
}

/// The archive with a policy that allows everything, and the signature of the other one.
fn tampered(packed: &[u8]) -> Vec<u8> {
    use std::io::Read as _;
    let mut builder = tar::Builder::new(flate2::write::GzEncoder::new(
        Vec::new(),
        flate2::Compression::best(),
    ));
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(packed));
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let mut content = String::new();
        entry.read_to_string(&mut content).unwrap();
        let content = content.replace("allow := false", "allow := true ");
        let path = entry.path().unwrap().into_owned();
        let mut header = tar::Header::new_ustar();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        builder
            .append_data(&mut header, path, content.as_bytes())
            .unwrap();
    }
    builder.into_inner().unwrap().finish().unwrap()
}
