//! Project Wycheproof's JWS vectors, with both backends.
//!
//! The vectors are not part of this repository: `PLINTO_VECTORS` names their folder. How each case
//! comes out stands in `wycheproof.json`, with the reasons for what we refuse by choice; `UPDATE=1`
//! writes the cases anew.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::PathBuf;

use base64ct::{Base64UrlUnpadded, Encoding};
use plinto_jose::{Backend, Jwk, Jws, verify_with};
use serde_json::Value;

pub(crate) const BACKENDS: [Backend; 2] = [Backend::AwsLc, Backend::RustCrypto];

const KNOWN: &str = include_str!("wycheproof.json");

#[expect(
    clippy::disallowed_methods,
    reason = "where the vectors are, and whether to write, is the caller's to say"
)]
fn variable(name: &str) -> Option<std::ffi::OsString> {
    std::env::var_os(name)
}

fn vectors() -> Option<Value> {
    let folder = variable("PLINTO_VECTORS").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/vectors"),
        PathBuf::from,
    );
    let file = folder.join("wycheproof/json_web_signature_test.json");
    let Ok(text) = std::fs::read_to_string(&file) else {
        // Past the capture of test output: an absent suite must not look like a passed one.
        let mut stderr = std::io::stderr();
        writeln!(
            stderr,
            "Wycheproof's cases: not run: {} not found (PLINTO_VECTORS names its folder)",
            file.display()
        )
        .unwrap();
        return None;
    };
    Some(serde_json::from_str(&text).unwrap())
}

/// What a case makes of us: `ok` or the code of the error.
fn outcome(backend: Backend, key: &Value, compact: &str) -> &'static str {
    let check = || {
        let jws = Jws::parse(compact)?;
        let key = Jwk::from_value(key)?;
        verify_with(backend, &jws.signature_job(&key)?)
    };
    match check() {
        Ok(()) => "ok",
        Err(error) => error.code(),
    }
}

/// Which of the reasons in `wycheproof.json` a refused case falls under, by its own content.
fn reason(key: &Value, compact: &str, code: &str) -> Option<&'static str> {
    let parts: Vec<&str> = compact.split('.').collect();
    let header: Option<Value> = Base64UrlUnpadded::decode_vec(parts[0])
        .ok()
        .and_then(|bytes| serde_json::from_slice(&bytes).ok());
    let Some(header) = header else {
        return (code == "base64_invalid").then_some("stray_characters");
    };
    let algorithm = header["alg"].as_str().unwrap_or_default();
    match code {
        "alg_not_allowed" if algorithm.starts_with("HS") => Some("symmetric"),
        "alg_not_allowed" if ["PS384", "PS512", "ES512"].contains(&algorithm) => {
            Some("unsupported_algorithm")
        }
        "alg_not_allowed" if key["alg"] != header["alg"] => Some("one_key_one_algorithm"),
        "token_malformed" if parts.len() == 3 && parts[1].is_empty() => Some("empty_payload"),
        "kid_invalid" => Some("key_id"),
        _ => None,
    }
}

/// T1 to T5: every case ends as Wycheproof says, or in a known and explained refusal. Nothing
/// that Wycheproof calls invalid is accepted, and no case changes its end unseen.
#[test]
fn json_web_signatures() {
    let Some(vectors) = vectors() else {
        return;
    };
    let mut known: Value = serde_json::from_str(KNOWN).unwrap();
    let mut ends: BTreeMap<u64, &str> = BTreeMap::new();
    let mut surprises = Vec::new();
    for group in vectors["testGroups"].as_array().unwrap() {
        let key = &group["public"];
        for case in group["tests"].as_array().unwrap() {
            let id = case["tcId"].as_u64().unwrap();
            for backend in BACKENDS {
                let got = outcome(backend, key, case["jws"].as_str().unwrap());
                let end = end(key, case, got);
                let is_explained = match end {
                    "accepted though invalid" | "refused though valid" => false,
                    "accepted" | "refused" | "refused, optional" => true,
                    reason => known["reasons"][reason].is_string(),
                };
                // Another selection of cases may hold some that are not listed.
                let listed = known["cases"][id.to_string()].as_str();
                let is_listed = variable("UPDATE").is_some() || listed.is_none_or(|it| it == end);
                if !is_explained || !is_listed {
                    surprises.push(format!(
                        "{id} {} {backend:?}: {got}: {end}",
                        case["comment"]
                    ));
                }
                ends.insert(id, end);
            }
        }
    }
    assert!(surprises.is_empty(), "{surprises:#?}");
    assert!(ends.values().any(|end| *end == "accepted"), "{ends:?}");
    if variable("UPDATE").is_some() {
        let cases = ends
            .iter()
            .map(|(id, end)| (id.to_string(), Value::from(*end)));
        known["cases"] = Value::Object(cases.collect());
        let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/it/wycheproof.json");
        std::fs::write(file, format!("{known:#}\n")).unwrap();
    }
}

/// How a case ended: `accepted`, `refused`, a reason of `wycheproof.json`, or what may not be.
fn end(key: &Value, case: &Value, got: &str) -> &'static str {
    let compact = case["jws"].as_str().unwrap();
    match (case["result"].as_str().unwrap(), got) {
        ("valid" | "acceptable", "ok") => "accepted",
        ("invalid", "ok") => "accepted though invalid",
        ("invalid", _) => "refused",
        ("acceptable", _) => "refused, optional",
        (_, code) => reason(key, compact, code).unwrap_or("refused though valid"),
    }
}
