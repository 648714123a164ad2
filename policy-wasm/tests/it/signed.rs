//! Signed bundles: what opens, and everything that must not.

use std::{collections::BTreeMap, io::Write as _};

use flate2::{Compression, write::GzEncoder};
use plinto_contract::{
    bundle::{Activation, Manifest, ROLES_FILE},
    claims::TYP_ACCESS_TOKEN,
    ids::TenantId,
    problem::Code,
    revocation::TYP_REVOCATIONS,
    time::UnixSeconds,
};
use plinto_jose::{Algorithm, Jwk, SigningKey, verify};
use plinto_policy::{
    bundle::{
        Bundle, Contents, Error, Expect, Limits, Source, Unsigned, Unverified, Upload, build,
        build_signed, revision,
    },
    engine,
};
use proptest::prelude::*;

use super::fixtures::{manifest, policy, source};

const NOW: UnixSeconds = UnixSeconds(1_767_225_600);

fn tenant(number: u8) -> TenantId {
    TenantId::from_parts(NOW.0 * 1000, [number; 10])
}

fn activated(sequence: u64) -> Manifest {
    let mut manifest = manifest();
    manifest.revision = "r".repeat(64);
    manifest.metadata.plinto.activation = Some(Activation {
        tenant: tenant(1),
        sequence,
        iat: NOW,
        exp: NOW.plus_seconds(3600),
        engine: engine::ENGINE.to_owned(),
        engine_version: engine::ENGINE_VERSION.to_owned(),
    });
    manifest
}

fn files() -> Source {
    let mut source = policy("decision := {\"allow\": true}");
    let data = b"{ \"plinto\": {\"b\": 1.50, \"a\": [1e3]} }\n".to_vec();
    source.files.insert("data.json".to_owned(), data);
    source
}

fn key() -> SigningKey {
    SigningKey::generate(Algorithm::Es256).unwrap()
}

#[derive(Debug)]
struct Failed;

impl From<Error> for Failed {
    fn from(_: Error) -> Self {
        Self
    }
}

fn sign(key: &SigningKey, source: &Source, manifest: &Manifest) -> Vec<u8> {
    let kid = key.public().kid.unwrap();
    build_signed(source, manifest, &kid, |payload| {
        key.sign(None, payload).map_err(|_| Failed)
    })
    .unwrap()
}

fn expect() -> Expect {
    Expect {
        tenant: tenant(1),
        now: NOW,
        min_sequence: 1,
    }
}

/// The whole way of a reader.
fn open(packed: &[u8], key: &Jwk, expect: &Expect) -> Result<Bundle, Error> {
    let unverified = Unverified::read(packed, &Limits::default())?;
    verify(&unverified.signature_job(key)?).map_err(Error::Signature)?;
    unverified.verified(expect)
}

type Files = BTreeMap<String, Vec<u8>>;

/// The files of an archive, to be changed and packed again.
fn unpack(packed: &[u8]) -> Files {
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(packed));
    let mut files = BTreeMap::new();
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let name = entry.path().unwrap().to_str().unwrap().to_owned();
        let mut content = Vec::new();
        std::io::Read::read_to_end(&mut entry, &mut content).unwrap();
        files.insert(name, content);
    }
    files
}

fn pack(files: &Files) -> Vec<u8> {
    let mut builder = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    for (name, content) in files {
        let mut header = tar::Header::new_ustar();
        header.set_size(content.len() as u64);
        builder
            .append_data(&mut header, name, content.as_slice())
            .unwrap();
    }
    builder.into_inner().unwrap().finish().unwrap()
}

#[test]
fn a_signed_bundle_opens_for_its_tenant() {
    for algorithm in [Algorithm::Es256, Algorithm::EdDsa] {
        let key = SigningKey::generate(algorithm).unwrap();
        let packed = sign(&key, &files(), &activated(7));
        let unverified = Unverified::read(&packed, &Limits::default()).unwrap();
        assert_eq!(unverified.kid(), key.public().kid.as_deref());
        let bundle = open(&packed, &key.public(), &expect()).unwrap();
        assert_eq!(bundle.activation.sequence, 7);
        assert_eq!(bundle.manifest.revision, "r".repeat(64));
        // Data files are canonical, numbers as they were written.
        assert_eq!(
            bundle.source.files["data.json"],
            br#"{"plinto":{"a":[1e3],"b":1.50}}"#
        );
        assert_eq!(bundle.source.files.len(), 2);
    }
}

#[test]
fn a_bundle_of_the_same_sequence_opens_and_a_lower_one_does_not() {
    let key = key();
    let packed = sign(&key, &files(), &activated(7));
    let at = |min_sequence| {
        let expect = Expect {
            min_sequence,
            ..expect()
        };
        open(&packed, &key.public(), &expect)
    };
    assert!(at(7).is_ok());
    assert!(matches!(
        at(8),
        Err(Error::LowerSequence {
            found: 7,
            wanted: 8
        })
    ));
}

#[test]
fn an_expired_early_or_foreign_bundle_does_not_open() {
    let key = key();
    let packed = sign(&key, &files(), &activated(7));
    let at = |seconds, number| {
        let expect = Expect {
            now: NOW.plus_seconds(seconds),
            tenant: tenant(number),
            ..expect()
        };
        open(&packed, &key.public(), &expect)
    };
    assert!(at(3599, 1).is_ok());
    assert!(matches!(at(3600, 1), Err(Error::Expired)));
    assert!(at(-30, 1).is_ok());
    assert!(matches!(at(-31, 1), Err(Error::NotYetValid)));
    assert!(matches!(at(0, 2), Err(Error::WrongTenant)));
}

#[test]
fn an_unsigned_bundle_or_another_keys_does_not_open() {
    let key = key();
    let unsigned = build(&files(), &manifest()).unwrap();
    assert!(matches!(
        Unverified::read(&unsigned, &Limits::default()),
        Err(Error::Unsigned)
    ));
    let packed = sign(&key, &files(), &activated(7));
    let other = SigningKey::generate(Algorithm::Es256).unwrap().public();
    assert!(matches!(
        open(&packed, &other, &expect()),
        Err(Error::Signature(_))
    ));
    // A key of another kind does not even fit the header.
    let other = SigningKey::generate(Algorithm::EdDsa).unwrap().public();
    assert!(matches!(
        open(&packed, &other, &expect()),
        Err(Error::Signature(_))
    ));
    // A signature over a bundle that was never activated.
    let packed = sign(&key, &files(), &manifest());
    assert!(matches!(
        open(&packed, &key.public(), &expect()),
        Err(Error::NotActivated)
    ));
}

#[test]
fn every_change_after_signing_is_noticed() {
    let key = key();
    let packed = sign(&key, &files(), &activated(7));
    let change = |change: &dyn Fn(&mut Files)| {
        let mut files = unpack(&packed);
        change(&mut files);
        open(&pack(&files), &key.public(), &expect())
    };
    assert!(change(&|_| {}).is_ok());
    let policy = "app/authz/policy.rego";
    let result = change(&|files| files.get_mut(policy).unwrap().push(b'\n'));
    assert!(matches!(result, Err(Error::DigestMismatch(name)) if name == policy));
    let result = change(&|files| files.get_mut("data.json").unwrap().push(b' '));
    assert!(matches!(result, Err(Error::DigestMismatch(_))));
    let result = change(&|files| {
        let text = String::from_utf8(files[".manifest"].clone()).unwrap();
        let text = text.replace("\"sequence\":7", "\"sequence\":8");
        files.insert(".manifest".to_owned(), text.into_bytes());
    });
    assert!(matches!(result, Err(Error::DigestMismatch(name)) if name == ".manifest"));
    let result = change(&|files| {
        files.insert("app/x.rego".to_owned(), b"package app.x".to_vec());
    });
    assert!(matches!(result, Err(Error::FileNotSigned(name)) if name == "app/x.rego"));
    let result = change(&|files| {
        files.remove(policy);
    });
    assert!(matches!(result, Err(Error::FileMissing(name)) if name == policy));
    let result = change(&|files| {
        let content = files.remove(policy).unwrap();
        files.insert("app/authz/renamed.rego".to_owned(), content);
    });
    assert!(matches!(result, Err(Error::FileMissing(_))));
    // The signature of another bundle of the same tenant.
    let other = sign(&key, &files(), &activated(9));
    let result = change(&|files| {
        let signature = unpack(&other)[".signatures.json"].clone();
        files.insert(".signatures.json".to_owned(), signature);
    });
    assert!(matches!(result, Err(Error::DigestMismatch(_))));
}

#[test]
fn a_signature_that_covers_too_little_or_too_much_is_refused() {
    let key = key();
    let kid = key.public().kid.unwrap();
    let with_payload = |edit: &dyn Fn(&mut serde_json::Value)| {
        let packed = build_signed(&files(), &activated(7), &kid, |payload| {
            let mut payload: serde_json::Value = serde_json::from_slice(payload).unwrap();
            edit(&mut payload);
            key.sign(None, &serde_json::to_vec(&payload).unwrap())
                .map_err(|_| Failed)
        })
        .unwrap();
        open(&packed, &key.public(), &expect())
    };
    assert!(with_payload(&|_| {}).is_ok());
    let result = with_payload(&|payload| {
        payload["files"].as_array_mut().unwrap().pop();
    });
    assert!(matches!(result, Err(Error::FileNotSigned(_))));
    let result = with_payload(&|payload| {
        let files = payload["files"].as_array_mut().unwrap();
        files.push(files[0].clone());
    });
    assert!(matches!(result, Err(Error::SignaturePayload(_))));
    let result = with_payload(&|payload| payload["files"][0]["algorithm"] = "MD5".into());
    assert!(matches!(result, Err(Error::SignaturePayload(_))));
    let result = with_payload(&|payload| payload["scope"] = "write".into());
    assert!(matches!(result, Err(Error::SignaturePayload(_))));
    // A revocation feed, signed with the same key, is no signature of a bundle.
    let result = with_payload(&|payload| *payload = serde_json::json!({ "version": 1 }));
    assert!(matches!(result, Err(Error::SignaturePayload(_))));
}

/// T6: what the same key signed as something else signs no bundle, whatever it says.
#[test]
fn a_signature_of_another_kind_is_refused() {
    let key = key();
    let kid = key.public().kid.unwrap();
    let with_typ = |typ: Option<&str>| {
        let packed = build_signed(&files(), &activated(7), &kid, |payload| {
            key.sign(typ, payload).map_err(|_| Failed)
        });
        open(&packed.unwrap(), &key.public(), &expect())
    };
    for typ in [None, Some("JWT"), Some("jwt"), Some("application/JWT")] {
        assert!(with_typ(typ).is_ok(), "{typ:?}");
    }
    for typ in [TYP_ACCESS_TOKEN, TYP_REVOCATIONS, "jws", ""] {
        let result = with_typ(Some(typ));
        assert!(
            matches!(result, Err(Error::Signature(plinto_jose::Error::Type))),
            "{typ}"
        );
    }
}

/// The same bytes on every machine and from every build: caches and people compare digests.
#[test]
fn a_fixed_bundle_has_a_fixed_archive() {
    let packed = build(&files(), &manifest()).unwrap();
    let digest = hex::encode(<sha2::Sha256 as sha2::Digest>::digest(&packed));
    assert_eq!(
        digest,
        "6cbe6e09a81e7cd6b9b9a5826a8dcd8f6c1ea4c7596bd6bfba9c8f456f72438a"
    );
}

#[test]
fn more_than_one_signature_is_refused() {
    let key = key();
    let mut files = unpack(&sign(&key, &files(), &activated(7)));
    let text = String::from_utf8(files[".signatures.json"].clone()).unwrap();
    let one = text.split('"').nth(3).unwrap();
    for signatures in [
        "{\"signatures\":[]}".to_owned(),
        format!("{{\"signatures\":[\"{one}\",\"{one}\"]}}"),
        "{\"signatures\":[\"x\"]}".to_owned(),
        "{}".to_owned(),
        "not json".to_owned(),
    ] {
        files.insert(".signatures.json".to_owned(), signatures.into_bytes());
        let result = Unverified::read(&pack(&files), &Limits::default());
        let error = result.unwrap_err();
        assert_eq!(error.problem(), Code::BundleSignatureInvalid, "{error}");
    }
}

#[test]
fn equal_content_gives_equal_bytes_and_another_test_another_revision() {
    let packed = build(&files(), &manifest()).unwrap();
    assert_eq!(packed, build(&files(), &manifest()).unwrap());
    // White space in data is not content.
    let mut spaced = files();
    let text = b"{\"plinto\":{\"a\":[1e3],\"b\":1.50}}".to_vec();
    spaced.files.insert("data.json".to_owned(), text);
    assert_eq!(packed, build(&spaced, &manifest()).unwrap());
    let upload = Upload::read(&packed, &Limits::default()).unwrap();
    assert_eq!(
        upload.manifest.revision,
        revision(&files(), &manifest()).unwrap()
    );
    assert_eq!(upload.manifest.revision.len(), 64);
    assert_eq!(upload.manifest.revision, upload.revision().unwrap());
    let mut tested = files();
    let text = b"package app.authz_test".to_vec();
    tested
        .files
        .insert("app/authz/policy_test.rego".to_owned(), text);
    assert_ne!(
        revision(&tested, &manifest()).unwrap(),
        upload.manifest.revision
    );
    assert_eq!(tested.without_tests().files.len(), 2);
    let contents = Contents::read(&packed, &Limits::default()).unwrap();
    assert!(contents.signature.is_none());
}

#[test]
fn an_upload_with_something_that_does_not_belong_is_refused() {
    let reads = |name: &str, content: &[u8]| {
        let mut files = unpack(&build(&files(), &manifest()).unwrap());
        files.insert(name.to_owned(), content.to_vec());
        Upload::read(&pack(&files), &Limits::default())
    };
    assert!(reads("app/data.json", b"{}").is_ok());
    assert!(matches!(
        reads("README.md", b""),
        Err(Error::UnknownFile(_))
    ));
    assert!(matches!(
        reads("policy.wasm", b""),
        Err(Error::UnknownFile(_))
    ));
    assert!(matches!(
        reads("app/data.yaml", b"a: [1"),
        Err(Error::Yaml { path, .. }) if path == "app/data.yaml"
    ));
    assert!(matches!(
        reads("plinto/roles/data.yml", b"{}"),
        Err(Error::ReservedFile(_))
    ));
    assert!(matches!(
        reads("app/data.yaml", b"plinto"),
        Ok(upload) if upload.source.files["app/data.json"] == br#""plinto""#
    ));
    assert!(matches!(
        reads("notdata.json", b"{}"),
        Err(Error::UnknownFile(_))
    ));
    assert!(matches!(
        reads(ROLES_FILE, b"{}"),
        Err(Error::ReservedFile(_))
    ));
    assert!(matches!(
        reads("app/x.rego", b"\xff"),
        Err(Error::NotUtf8(_))
    ));
    assert!(matches!(
        reads("app/data.json", b"\xff"),
        Err(Error::NotUtf8(_))
    ));
    assert!(matches!(
        reads("app/data.json", b"{"),
        Err(Error::Json { .. })
    ));
    assert!(matches!(
        reads("app/data.json", br#"{"a":1,"a":2}"#),
        Err(Error::Json { .. })
    ));
    let deep = "[".repeat(33) + &"]".repeat(33);
    assert!(matches!(
        reads("app/data.json", deep.as_bytes()),
        Err(Error::Json { .. })
    ));
    for manifest in [
        &br"{}"[..],
        br#"{"roots":["app"],"rego_version":2,"metadata":{"plinto":{"entrypoint":"a/b"}}}"#,
        br#"{"roots":["app"],"rego_version":"1","metadata":{"plinto":{"entrypoint":"a/b"}}}"#,
        br#"{"file_rego_versions":{"/a.rego":3},"metadata":{"plinto":{"entrypoint":"a/b"}}}"#,
        br#"{"file_rego_versions":{"/[a.rego":0},"metadata":{"plinto":{"entrypoint":"a/b"}}}"#,
        br#"{"metadata":{"plinto":{"entrypoint":"a/b","answer":"yes"}}}"#,
        br#"{"metadata":{"plinto":{"entrypoint":"a/b","strict_builtin_errors":"yes"}}}"#,
        br#"{"metadata":{}}"#,
        br#"{"roots":[],"metadata":{"plinto":{"entrypoint":"a/b"}}}"#,
        br#"{"roots":["","app"],"metadata":{"plinto":{"entrypoint":"a/b"}}}"#,
        br#"{"roots":["a//b"],"metadata":{"plinto":{"entrypoint":"a/b"}}}"#,
        br#"{"roots":["app","app/x"],"metadata":{"plinto":{"entrypoint":"a/b"}}}"#,
        br#"{"roots":["app"],"metadata":{"plinto":{"entrypoint":"a/b","entry":1}}}"#,
        br#"{"roots":["app"],"wasm":[],"metadata":{"plinto":{"entrypoint":"a/b"}}}"#,
        br#"{"roots":["app"],"roots":["b"],"metadata":{"plinto":{"entrypoint":"a/b"}}}"#,
    ] {
        let result = reads(".manifest", manifest);
        assert!(matches!(result, Err(Error::Manifest(_))), "{result:?}");
    }
    let mut without = unpack(&build(&files(), &manifest()).unwrap());
    without.remove(".manifest");
    let result = Upload::read(&pack(&without), &Limits::default());
    assert!(matches!(result, Err(Error::Manifest(_))));
    // An activation is the control plane's to write.
    let signed = sign(&key(), &files(), &activated(7));
    assert!(matches!(
        Upload::read(&signed, &Limits::default()),
        Err(Error::Manifest(_))
    ));
}

#[test]
fn a_bundle_of_the_largest_number_of_files_can_be_signed() {
    let names: Vec<String> = (0..1_020)
        .map(|index| format!("app/{}/{index}/data.json", "x".repeat(90)))
        .collect();
    let many: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "{}")).collect();
    let key = key();
    let packed = sign(&key, &source(&many), &activated(7));
    assert_eq!(
        open(&packed, &key.public(), &expect())
            .unwrap()
            .source
            .files
            .len(),
        1_020
    );
}

#[test]
fn the_payload_is_what_gets_signed() {
    let unsigned = Unsigned::new(&files(), &activated(7), "kid-1").unwrap();
    let payload: serde_json::Value = serde_json::from_slice(unsigned.payload()).unwrap();
    assert_eq!(payload["keyid"], "kid-1");
    let names: Vec<&str> = payload["files"]
        .as_array()
        .unwrap()
        .iter()
        .map(|file| file["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, [".manifest", "app/authz/policy.rego", "data.json"]);
    // SHA-256 of `{"plinto":{"a":[1e3],"b":1.50}}`, by sha256sum.
    assert_eq!(payload["files"][2]["hash"], DATA_DIGEST);
}

const DATA_DIGEST: &str = "2287c55a1d2e5e004b117234a2ae06a4e3a4b34050a95fac30df990ce73bd6df";

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn reading_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..2048)) {
        let _ = Unverified::read(&bytes, &Limits::default());
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(&bytes).unwrap();
        let _ = Unverified::read(&encoder.finish().unwrap(), &Limits::default());
    }

    #[test]
    fn reading_a_damaged_bundle_never_panics(
        at in any::<proptest::sample::Index>(),
        byte in any::<u8>(),
        inner in any::<bool>(),
    ) {
        let key = SigningKey::from_pkcs8(Algorithm::Es256, KEY.with(Clone::clone).as_slice()).unwrap();
        let packed = sign(&key, &files(), &activated(7));
        let damaged = if inner {
            let mut tar = Vec::new();
            std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(packed.as_slice()), &mut tar).unwrap();
            let index = at.index(tar.len());
            tar[index] = byte;
            let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
            encoder.write_all(&tar).unwrap();
            encoder.finish().unwrap()
        } else {
            let mut packed = packed.clone();
            let index = at.index(packed.len());
            packed[index] = byte;
            packed
        };
        // Whatever still opens is what was signed.
        if let Ok(bundle) = open(&damaged, &key.public(), &expect()) {
            prop_assert_eq!(bundle, open(&packed, &key.public(), &expect()).unwrap());
        }
    }
}

thread_local! {
    static KEY: Vec<u8> = key().to_pkcs8().to_vec();
}
