//! Project Wycheproof's JWS vectors, with both backends.
//!
//! The vectors are not part of this repository: `PLINTO_VECTORS` names their folder. What they
//! expect and we don't do stands in `wycheproof.json`, with the reason.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::PathBuf;

use base64ct::{Base64UrlUnpadded, Encoding};
use plinto_jose::{Backend, Jwk, Jws, verify_with};
use serde_json::Value;

pub(crate) const BACKENDS: [Backend; 2] = [Backend::AwsLc, Backend::RustCrypto];

const KNOWN_DIFFERENCES: &str = include_str!("wycheproof.json");

fn vectors() -> Option<Value> {
    #[expect(
        clippy::disallowed_methods,
        reason = "where the vectors are is the caller's to say"
    )]
    let folder = std::env::var_os("PLINTO_VECTORS").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/vectors"),
        PathBuf::from,
    );
    let file = folder.join("wycheproof/json_web_signature_test.json");
    let Ok(text) = std::fs::read_to_string(&file) else {
        // Past the capture of test output: an absent suite must not look like a passed one.
        let mut stderr = std::io::stderr();
        writeln!(
            stderr,
            "no Wycheproof vectors at {}: set PLINTO_VECTORS",
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
/// that Wycheproof calls invalid is accepted.
#[test]
fn json_web_signatures() {
    let Some(vectors) = vectors() else {
        return;
    };
    let known: Value = serde_json::from_str(KNOWN_DIFFERENCES).unwrap();
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let mut surprises = Vec::new();
    for group in vectors["testGroups"].as_array().unwrap() {
        let key = &group["public"];
        for case in group["tests"].as_array().unwrap() {
            let compact = case["jws"].as_str().unwrap();
            for backend in BACKENDS {
                let got = outcome(backend, key, compact);
                let want = case["result"].as_str().unwrap();
                let count = match (want, got) {
                    ("valid" | "acceptable", "ok") => "accepted as expected".to_owned(),
                    ("invalid", "ok") => "accepted though invalid".to_owned(),
                    ("invalid", _) => "refused as expected".to_owned(),
                    ("acceptable", _) => "refused, optional".to_owned(),
                    (_, code) => match reason(key, compact, code) {
                        Some(reason) => format!("refused by choice: {reason}"),
                        None => "refused though valid".to_owned(),
                    },
                };
                let id = case["tcId"].to_string();
                let listed = known["cases"][&id].as_str();
                let reason = count.strip_prefix("refused by choice: ");
                let explained = reason.is_none_or(|name| {
                    known["reasons"][name].is_string() && listed.is_none_or(|l| l == name)
                });
                if count.contains("though") || !explained || (listed.is_some() && reason.is_none())
                {
                    surprises.push(format!("{id} {} {backend:?}: {got}", case["comment"]));
                }
                *counts.entry(count).or_default() += 1;
            }
        }
    }
    println!("Wycheproof JWS, two backends: {counts:#?}");
    assert!(surprises.is_empty(), "{surprises:#?}");
    assert!(
        counts
            .get("accepted as expected")
            .is_some_and(|count| *count > 0),
        "{counts:?}"
    );
}
