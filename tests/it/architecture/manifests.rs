//! Rules that the manifests show.

use super::house::House;
use super::source::Source;

/// What each crate may use of ours; tests may use everything.
const ARROWS: &[(&str, &[&str])] = &[
    ("contract", &[]),
    ("jose", &[]),
    ("tlog", &[]),
    ("jwks-cache", &["plinto-jose"]),
    ("policy-wasm", &["plinto-contract", "plinto-jose"]),
    (
        "edge-worker",
        &[
            "plinto-contract",
            "plinto-jose",
            "jwks-cache",
            "policy-wasm",
        ],
    ),
    (
        "control-plane/platform",
        &["plinto-contract", "plinto-jose"],
    ),
    (
        "control-plane/tenancy",
        &["plinto-contract", "plinto-jose", "plinto-platform"],
    ),
    (
        "control-plane/directory",
        &["plinto-contract", "plinto-platform"],
    ),
    (
        "control-plane/identity",
        &[
            "plinto-contract",
            "plinto-jose",
            "plinto-platform",
            "plinto-tenancy",
            "plinto-directory",
        ],
    ),
    (
        "control-plane/enforcement",
        &[
            "plinto-contract",
            "plinto-jose",
            "policy-wasm",
            "plinto-platform",
            "plinto-tenancy",
            "plinto-directory",
            "plinto-identity",
        ],
    ),
    (
        "control-plane/history",
        &["plinto-contract", "plinto-platform", "plinto-tlog"],
    ),
    (
        "control-plane",
        &[
            "plinto-contract",
            "plinto-jose",
            "plinto-platform",
            "plinto-tenancy",
            "plinto-directory",
            "plinto-identity",
            "plinto-enforcement",
            "plinto-history",
        ],
    ),
    (
        "cli",
        &[
            "plinto-contract",
            "plinto-jose",
            "plinto-tlog",
            "policy-wasm",
        ],
    ),
];

/// The names of our packages.
const OURS: &[&str] = &[
    "plinto-contract",
    "plinto-jose",
    "plinto-tlog",
    "jwks-cache",
    "policy-wasm",
    "edge-worker",
    "control-plane",
    "plinto-platform",
    "plinto-tenancy",
    "plinto-directory",
    "plinto-identity",
    "plinto-enforcement",
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
            let paths = source.paths();
            let io = paths.iter().filter(|named| {
                let parts = ["fs", "net", "process", "thread"];
                parts.iter().any(|part| named.starts_with(&["std", part]))
            });
            offences.extend(io.map(|named| named.told(source)));
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

/// What every library that compiles to wasm denies, beyond the workspace's lints.
const STRICT: &[&str] = &[
    "clippy::arithmetic_side_effects",
    "clippy::as_conversions",
    "missing_docs",
];

pub(super) fn n13(house: &House) -> Vec<String> {
    let mut offences = Vec::new();
    let workspace = house.toml("Cargo.toml");
    let lints = workspace.get("workspace").and_then(|w| w.get("lints"));
    let clippy = lints.and_then(|l| l.get("clippy"));
    let unsafe_code = lints
        .and_then(|l| l.get("rust"))
        .and_then(|rust| rust.get("unsafe_code"))
        .and_then(toml::Value::as_str);
    if unsafe_code != Some("forbid") {
        offences.push("Cargo.toml does not forbid `unsafe_code`".to_owned());
    }
    for folder in [
        "contract",
        "jose",
        "jwks-cache",
        "policy-wasm",
        "edge-worker",
    ] {
        let path = format!("{folder}/src/lib.rs");
        let denied: String = house
            .sources
            .iter()
            .filter(|source| source.path == path)
            .flat_map(Source::attributes)
            .filter_map(|(_, text)| text.strip_prefix("deny(").map(str::to_owned))
            .collect();
        for lint in STRICT.iter().filter(|lint| !denied.contains(**lint)) {
            offences.push(format!("{path} does not deny `{lint}`"));
        }
    }
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
