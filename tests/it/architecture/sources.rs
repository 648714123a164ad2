//! Rules on single files.

use super::house::House;
use super::paths::reached;
use super::source::{Source, attributes, matching};

/// The crates that ship, beside the control plane's.
const SHIPPED: &[&str] = &[
    "contract/src",
    "jose/src",
    "jwks-cache/src",
    "policy-wasm/src",
    "edge-worker/src",
    "cli/src",
];

fn shipped(house: &House) -> impl Iterator<Item = &Source> {
    let others = SHIPPED.iter().flat_map(|folder| house.below(folder));
    others.chain(house.control_plane())
}

/// Files that may take time or chance themselves, and why.
const SOURCES_OF_TIME_AND_CHANCE: &[(&str, &str)] = &[
    ("control-plane/platform/src/clock.rs", "the clock itself"),
    (
        "control-plane/platform/src/random.rs",
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
    let mut offences = Vec::new();
    for source in inside {
        for named in source.paths() {
            let reads = ["var", "vars", "var_os", "vars_os"];
            if reads.iter().any(|read| named.ends_with(&["env", read])) {
                offences.push(named.told(source));
            }
        }
    }
    offences
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

/// Lints whose exception lets a panic end somebody's request.
const PANICS: &[&str] = &[
    "unwrap_used",
    "expect_used",
    "panic",
    "todo",
    "unimplemented",
    "unreachable",
    "indexing_slicing",
    "string_slice",
];

pub(super) fn n13_panics(house: &House) -> Vec<String> {
    let lint = regex::Regex::new(&format!(r"\bclippy::({})\b", PANICS.join("|"))).unwrap();
    let mut offences = Vec::new();
    for source in shipped(house) {
        for (line, text) in source.attributes() {
            let is_exception = ["expect(", "allow(", "cfg_attr(", "warn("]
                .iter()
                .any(|start| text.starts_with(start));
            if let (true, Some(found)) = (is_exception, lint.find(&text)) {
                offences.push(format!("{}:{line}: `{}`", source.path, found.as_str()));
            }
        }
    }
    offences
}

/// What decides at the edge never waits, and down to the last module it reaches it knows neither a
/// runtime nor a clock.
pub(super) fn n14(house: &House) -> Vec<String> {
    let runtime = r"\b(worker::|use\s+worker\b|web_sys\b|js_sys\b|wasm_bindgen\w*|tokio\b|SystemTime\b|Instant\b)";
    let mut offences = Vec::new();
    for source in reached(house, "edge-worker/src", "gate") {
        offences.extend(source.find(runtime));
        if source.is("gate") {
            offences.extend(source.find(r"\basync\b|\.await\b|\bblock_on\b"));
        }
    }
    offences
}

/// What must not be logged, by the names it goes under.
const UNLOGGED: &str =
    "password|token|access_token|refresh_token|secret|cookie|authorization|email|body|ip|api_key";

pub(super) fn n17(house: &House) -> Vec<String> {
    let call = regex::Regex::new(
        r"\b((?:trace|debug|info|warn|error)(?:_span)?|event|span|console_(?:log|debug|warn|error))!\s*[(\[{]",
    )
    .unwrap();
    let field = regex::Regex::new(&format!(r"\b({UNLOGGED})\b\s*(=[^=]|,|\)|$)")).unwrap();
    let inline = regex::Regex::new(&format!(r"\{{({UNLOGGED})\b")).unwrap();
    let mut offences = Vec::new();
    for source in shipped(house).filter(|source| !source.path.starts_with("cli/")) {
        let code = &source.production;
        for hit in call.find_iter(code) {
            let open = hit.end() - 1;
            let close = matching(code, open).unwrap_or(code.len() - 1);
            let within = code[..open].chars().count()..code[..close].chars().count();
            let named = field.find(&code[open + 1..=close]).map(|it| it.as_str());
            let written = source
                .literals
                .iter()
                .filter(|literal| within.contains(&literal.at))
                .find_map(|literal| inline.find(&literal.text))
                .map(|it| it.as_str());
            if let Some(found) = named.or(written) {
                let line = code[..hit.start()].matches('\n').count() + 1;
                offences.push(format!("{}:{line}: logs `{}`", source.path, found.trim()));
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

/// Words of this house for what its readers know under another name, and that name.
const IDIOMS: &[(&str, &str)] = &[
    (r"\w*_?doors?(_\w*)?", "a handler, route or endpoint"),
    (r"knock(_\w*)?", "a request"),
    (r"(\w*_)?standings?", "a state"),
    (r"(\w*_)?as_(it|they)_stands?", "a state"),
    (r"say_\w+", "to record or log"),
    (r"look(_again)?", "to check, read or find"),
    (r"take_back", "to revoke"),
    (r"carries", "a comparison"),
];

pub(super) fn idioms(house: &House) -> Vec<String> {
    let mut offences = Vec::new();
    for (idiom, word) in IDIOMS {
        let named = regex::Regex::new(&format!(r"\b(?:fn|mod)\s+({idiom})\s*[(<{{;]")).unwrap();
        for source in shipped(house) {
            for (index, line) in source.production.lines().enumerate() {
                if let Some(hit) = named.captures(line) {
                    let hit = &hit[1];
                    let place = format!("{}:{}", source.path, index + 1);
                    offences.push(format!("{place}: `{hit}`; say what it is: {word}"));
                }
            }
        }
    }
    offences
}

/// Where a claims set may be built in full: elsewhere it is made of another one, so that a new claim
/// touches its definition, its known answers and its issuer.
const ISSUES_CLAIMS: &str = "control-plane/identity/src/sessions/model.rs";

pub(super) fn claims(house: &House) -> Vec<String> {
    let built = regex::Regex::new(r"(?:^|[^>\w]\s*)AccessToken \{").unwrap();
    let mut offences = Vec::new();
    for source in house.sources.iter().filter(|it| it.path != ISSUES_CLAIMS) {
        for hit in built.find_iter(&source.code) {
            let before = &source.code[..hit.end()];
            let is_definition = before.ends_with("struct AccessToken {");
            let is_signature = before
                .trim_end_matches("AccessToken {")
                .trim_end()
                .ends_with("->");
            let open = hit.end() - 1;
            let close = matching(&source.code, open).unwrap_or(open);
            if is_definition || is_signature || source.code[open..close].contains("..") {
                continue;
            }
            let line = before.matches('\n').count() + 1;
            offences.push(format!("{}:{line}: all claims, one by one", source.path));
        }
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
    let ignored = regex::Regex::new(r"^ignore\b|^cfg_attr\(.*\bignore\b").unwrap();
    let mut offences = Vec::new();
    for source in &house.sources {
        for (line, text) in attributes(&source.code) {
            if ignored.is_match(&text) {
                offences.push(format!("{}:{line}: an ignored test", source.path));
            }
        }
        // the test crate's library waits for processes, each wait with a condition and a deadline
        let is_slow = SLOW_ON_PURPOSE.iter().any(|(path, _)| *path == source.path);
        if is_slow || !source.path.starts_with("tests/it/") {
            continue;
        }
        for named in source.paths() {
            let sleeps = ["time", "thread"].iter().any(|module| {
                let calls = ["sleep", "sleep_until", "sleep_ms"];
                calls.iter().any(|call| named.ends_with(&[module, call]))
            });
            if sleeps {
                offences.push(format!("{}: a test that sleeps", named.told(source)));
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
