//! Rules on single files.

use super::house::House;
use super::source::Source;

/// The crates that ship.
const SHIPPED: &[&str] = &[
    "contract/src",
    "jose/src",
    "jwks-cache/src",
    "policy-wasm/src",
    "edge-worker/src",
    "control-plane/src",
    "cli/src",
];

fn shipped(house: &House) -> impl Iterator<Item = &Source> {
    SHIPPED.iter().flat_map(|folder| house.below(folder))
}

/// Files that may take time or chance themselves, and why.
const SOURCES_OF_TIME_AND_CHANCE: &[(&str, &str)] = &[
    ("control-plane/src/clock.rs", "the clock itself"),
    (
        "control-plane/src/random.rs",
        "the source of randomness itself",
    ),
    (
        "edge-worker/src/host/platform.rs",
        "the Worker's clock, handed to the gate",
    ),
];

pub(super) fn n11(house: &House) -> Vec<String> {
    let taken = r"\b(SystemTime::now|Utc::now|Timestamp::now|Zoned::now|Uuid::now_v7|Uuid::new_v4|rand::rng|rand::random|thread_rng|OsRng|getrandom::fill|Date::now)\b";
    let is_source = |path: &str| {
        SOURCES_OF_TIME_AND_CHANCE
            .iter()
            .any(|(known, _)| *known == path)
    };
    let guarded = shipped(house)
        .filter(|source| !source.path.starts_with("cli/") && !is_source(&source.path));
    guarded.flat_map(|source| source.find(taken)).collect()
}

pub(super) fn n12_env(house: &House) -> Vec<String> {
    let inside = house.control_plane().filter(|source| !source.is("config"));
    inside
        .flat_map(|source| source.find(r"\benv::(vars?|var_os|vars_os)\b"))
        .collect()
}

/// A field that holds a secret as plain text, in a type that can be printed.
pub(super) fn n12_secrets(house: &House) -> Vec<String> {
    let secret = regex::Regex::new(
        r"^\s*(pub(\([a-z]+\))? )?(password|secret|api_key|refresh_token|access_token|master_key|private_key): (Option<)?String",
    );
    let secret = secret.unwrap();
    let mut offences = Vec::new();
    for source in shipped(house) {
        let mut printable = false;
        for (index, line) in source.production.lines().enumerate() {
            if line.contains("#[derive(") {
                printable = line.contains("Debug");
            } else if line.starts_with('}') {
                printable = false;
            } else if printable && secret.is_match(line) {
                offences.push(format!(
                    "{}:{}: `{}` can be printed",
                    source.path,
                    index + 1,
                    line.trim()
                ));
            }
        }
    }
    offences
}

pub(super) fn n13(house: &House) -> Vec<String> {
    let mut offences = Vec::new();
    for source in &house.sources {
        for (index, line) in source.code.lines().enumerate() {
            if line.contains("#[allow(") || line.contains("#![allow(") {
                offences.push(format!("{}:{}: `allow`", source.path, index + 1));
            }
        }
        for (at, _) in source.code.match_indices("[expect(") {
            let end = source
                .code
                .get(at..)
                .and_then(|rest| rest.find(")]"))
                .map_or(source.code.len(), |end| at + end);
            if !source
                .code
                .get(at..end)
                .is_some_and(|attribute| attribute.contains("reason"))
            {
                let line = source
                    .code
                    .get(..at)
                    .map_or(0, |before| before.lines().count());
                offences.push(format!("{}:{line}: `expect` without a reason", source.path));
            }
        }
    }
    offences
}

/// What decides at the edge knows neither a runtime nor a clock.
pub(super) fn n14(house: &House) -> Vec<String> {
    let gate = house
        .below("edge-worker/src")
        .filter(|source| source.is("gate"));
    gate.flat_map(|source| {
        source
            .find(r"\b(worker::|web_sys|js_sys|wasm_bindgen|async fn|\.await|SystemTime|Instant)\b")
    })
    .collect()
}

/// Fields of log lines that name what must not be logged.
pub(super) fn n17(house: &House) -> Vec<String> {
    let call = regex::Regex::new(
        r"\b(trace|debug|info|warn|error|info_span|debug_span|console_log|console_error)!\s*\(",
    )
    .unwrap();
    let field = regex::Regex::new(
        r"\b(password|token|access_token|refresh_token|secret|cookie|authorization|email|body|ip|api_key)\b\s*(=[^=]|,|\)|$)",
    );
    let field = field.unwrap();
    let mut offences = Vec::new();
    for source in shipped(house).filter(|source| !source.path.starts_with("cli/")) {
        for hit in call.find_iter(&source.production) {
            let rest = source.production.get(hit.end()..).unwrap_or_default();
            let arguments = rest.split(';').next().unwrap_or_default();
            if let Some(found) = field.find(arguments) {
                let line = source
                    .production
                    .get(..hit.start())
                    .map_or(0, |before| before.lines().count());
                offences.push(format!(
                    "{}:{line}: logs `{}`",
                    source.path,
                    found.as_str().trim()
                ));
            }
        }
    }
    offences
}

pub(super) fn n18(house: &House) -> Vec<String> {
    const DRAWERS: &[&str] = &[
        "util", "utils", "helper", "helpers", "common", "misc", "manager", "managers", "impl",
        "types", "stuff",
    ];
    let mut offences = Vec::new();
    for source in &house.sources {
        let parts = source.path.trim_end_matches(".rs").split('/');
        for part in parts.filter(|part| DRAWERS.contains(part)) {
            offences.push(format!("{}: `{part}` is a drawer", source.path));
        }
        offences.extend(source.find(r"\bmod (utils?|helpers?|common|misc|managers?)\b"));
    }
    offences
}

pub(super) fn n19(house: &House) -> Vec<String> {
    let mut offences = Vec::new();
    for source in &house.sources {
        let is_test = source.path.starts_with("tests/") || source.path.contains("/tests/");
        let (lines, limit) = (source.text.lines().count(), if is_test { 800 } else { 600 });
        if lines > limit {
            offences.push(format!("{}: {lines} lines, {limit} at most", source.path));
        }
        // an included file has no module, and so no `//!`
        let inclusion = format!("include!(\"{}\")", source.name());
        let is_included = source.text.starts_with("// ")
            && house
                .sources
                .iter()
                .any(|other| other.text.contains(&inclusion));
        if !source.text.starts_with("//!") && !is_included {
            offences.push(format!(
                "{}: the first line says what the file is (`//!`)",
                source.path
            ));
        }
    }
    offences
}

/// Tests in which somebody is slow on purpose, and what no condition could wait for instead.
const SLOW_ON_PURPOSE: &[(&str, &str)] = &[
    (
        "tests/it/api/lifecycle.rs",
        "a client that sends its body while the server stops",
    ),
    (
        "tests/it/edge/breaking.rs",
        "a request that hangs inside the gate, which shows nothing outside",
    ),
];

pub(super) fn n20(house: &House) -> Vec<String> {
    let mut offences = Vec::new();
    for source in &house.sources {
        for (index, line) in source.code.lines().enumerate() {
            let place = format!("{}:{}", source.path, index + 1);
            if line.contains("#[ignore") || line.contains("ignore =") {
                offences.push(format!("{place}: an ignored test"));
            }
            let waits = line.contains("thread::sleep(") || line.contains("time::sleep(");
            // the test crate's library waits for processes, each wait with a condition and a deadline
            let is_slow = SLOW_ON_PURPOSE.iter().any(|(path, _)| *path == source.path);
            if waits && !is_slow && source.path.starts_with("tests/it/") {
                offences.push(format!("{place}: a test that sleeps"));
            }
        }
    }
    if house
        .toml(".config/nextest.toml")
        .get("profile")
        .is_some_and(|profile| profile.to_string().contains("retries"))
    {
        offences.push(".config/nextest.toml: retries".to_owned());
    }
    offences
}
