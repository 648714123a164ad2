//! Rules that the manifests show.

use super::house::House;

/// What each crate may use of ours; tests may use everything.
const ARROWS: &[(&str, &[&str])] = &[
    ("contract", &[]),
    ("jose", &[]),
    ("jwks-cache", &["plinto-jose"]),
    ("policy-wasm", &["plinto-contract", "plinto-jose"]),
    (
        "edge-worker",
        &[
            "plinto-contract",
            "plinto-jose",
            "jwks-cache",
            "plinto-policy",
        ],
    ),
    (
        "control-plane",
        &[
            "plinto-contract",
            "plinto-jose",
            "jwks-cache",
            "plinto-policy",
        ],
    ),
    ("cli", &["plinto-contract", "plinto-jose", "plinto-policy"]),
];

/// Every name by which one of our crates can be depended on.
const OURS: &[&str] = &[
    "plinto-contract",
    "plinto-jose",
    "jwks-cache",
    "plinto-policy",
    "policy-wasm",
    "edge-worker",
    "control-plane",
    "plinto",
    "plinto-tests",
];

const IO: &[&str] = &[
    "tokio",
    "async-std",
    "reqwest",
    "hyper",
    "axum",
    "sqlx",
    "worker",
    "web-sys",
    "ureq",
    "mio",
    "socket2",
];

pub(super) fn n1(house: &House) -> Vec<String> {
    let mut offences = Vec::new();
    for folder in ["contract", "jose"] {
        for name in house.dependencies(folder) {
            if OURS.contains(&name.as_str()) || IO.contains(&name.as_str()) {
                offences.push(format!("{folder}/Cargo.toml depends on `{name}`"));
            }
        }
        for source in house.below(&format!("{folder}/src")) {
            offences.extend(source.find(r"\bstd::(fs|net|process|thread)\b"));
        }
    }
    offences
}

pub(super) fn n2(house: &House) -> Vec<String> {
    let mut offences = Vec::new();
    for (folder, allowed) in ARROWS {
        for name in house.dependencies(folder) {
            if OURS.contains(&name.as_str()) && !allowed.contains(&name.as_str()) {
                offences.push(format!("{folder}/Cargo.toml depends on `{name}`"));
            }
        }
    }
    let members = house.toml("Cargo.toml");
    let members = members
        .get("workspace")
        .and_then(|workspace| workspace.get("members"))
        .and_then(toml::Value::as_array);
    for member in members
        .into_iter()
        .flatten()
        .filter_map(toml::Value::as_str)
    {
        if member != "tests" && !ARROWS.iter().any(|(folder, _)| *folder == member) {
            offences.push(format!(
                "Cargo.toml: the crate `{member}` has no row of arrows"
            ));
        }
    }
    offences
}

pub(super) fn n3(house: &House) -> Vec<String> {
    let forbidden = ["sqlx", "rusqlite", "tokio-postgres", "libsqlite3-sys"];
    let names = house.dependencies("cli");
    let hits = names
        .iter()
        .filter(|name| forbidden.contains(&name.as_str()));
    hits.map(|name| format!("cli/Cargo.toml depends on `{name}`"))
        .collect()
}

/// Lints that end a request or leak when they are missing.
const DENIED: &[&str] = &[
    "unwrap_used",
    "expect_used",
    "panic",
    "todo",
    "unimplemented",
    "unreachable",
    "indexing_slicing",
    "string_slice",
    "dbg_macro",
    "print_stdout",
    "print_stderr",
    "await_holding_lock",
    "allow_attributes",
    "allow_attributes_without_reason",
];

pub(super) fn n13(house: &House) -> Vec<String> {
    let mut offences = Vec::new();
    let workspace = house.toml("Cargo.toml");
    let clippy = workspace
        .get("workspace")
        .and_then(|w| w.get("lints"))
        .and_then(|l| l.get("clippy"));
    for lint in DENIED {
        if clippy
            .and_then(|table| table.get(*lint))
            .and_then(toml::Value::as_str)
            != Some("deny")
        {
            offences.push(format!("Cargo.toml does not deny `{lint}`"));
        }
    }
    for (folder, _) in ARROWS {
        let manifest = house.toml(&format!("{folder}/Cargo.toml"));
        let inherits = manifest
            .get("lints")
            .and_then(|l| l.get("workspace"))
            .and_then(toml::Value::as_bool);
        if inherits != Some(true) {
            offences.push(format!(
                "{folder}/Cargo.toml does not take the workspace's lints"
            ));
        }
    }
    offences
}
