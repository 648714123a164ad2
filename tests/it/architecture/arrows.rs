//! Who may name whom inside the control plane: layers from top to bottom, features from left to right,
//! and inside a feature its files.

use super::house::House;
use super::source::Source;

/// The crates of features, and the features of each from left to right. A feature uses only the faces
/// to its left; between crates, manifests see to that, too (N2).
const CRATES: &[(&str, &[&str])] = &[
    ("tenancy", &["tenants", "signing_keys", "api_keys"]),
    ("directory", &["users", "roles", "organizations"]),
    (
        "identity",
        &[
            "credentials",
            "administrators",
            "sessions",
            "sign_in",
            "oauth",
        ],
    ),
    ("enforcement", &["policies", "revocations"]),
    ("history", &["events", "audit"]),
];

/// All features from left to right.
pub(super) fn features() -> impl Iterator<Item = &'static str> {
    CRATES
        .iter()
        .flat_map(|(_, features)| features.iter().copied())
}

/// The order stands in three places that people read: each crate's first page, and the map of the house.
pub(super) fn drawn(house: &House) -> Vec<String> {
    let text = |path: &str| house.texts.get(path).map_or("", String::as_str);
    let mut offences = Vec::new();
    for (home, features) in CRATES {
        let map = "docs/architecture.md";
        let row = format!("| `{home}` | {} |", features.join(" · "));
        if !text(map).is_empty() && !text(map).contains(&row) {
            offences.push(format!("{map}: lacks the row `{row}`"));
        }
        let page = format!("control-plane/{home}/src/lib.rs");
        let said = text(&page).replace(['`', '\n', '/', '!'], " ");
        let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
        let order = features.join(", ");
        if !said.is_empty() && !said.replace(" ,", ",").contains(&order) {
            offences.push(format!("{page}: does not say the order `{order}`"));
        }
    }
    offences
}

/// Where a feature lives.
pub(super) fn folder(feature: &str) -> String {
    let home = CRATES
        .iter()
        .find(|(_, features)| features.contains(&feature))
        .map_or("tenancy", |(home, _)| home);
    format!("control-plane/{home}/src/{feature}")
}

/// The platform from top to bottom. Each layer may name itself and those below.
const LAYERS: &[&[&str]] = &[
    &["http"],
    &["events"],
    &["authority"],
    &["feed"],
    &["platform"],
    &["recheck"],
    &["actor"],
    &["db"],
    &[
        "clock", "random", "config", "envelope", "secret", "text", "fault",
    ],
];
const PLATFORM: &str = "control-plane/platform/src";

/// The layer of a module directly below `crate`. What the crate names by itself is the handle.
fn layer(module: &str) -> Option<usize> {
    let module = if ["Platform", "PlatformState", "Parts"].contains(&module) {
        "platform"
    } else {
        module
    };
    LAYERS.iter().position(|layer| layer.contains(&module))
}

fn module(source: &Source) -> &str {
    let inside = source.path.trim_start_matches(PLATFORM);
    let inside = inside.trim_start_matches('/');
    let first = inside.split('/').next().unwrap_or_default();
    first.trim_end_matches(".rs")
}

pub(super) fn layers(house: &House) -> Vec<String> {
    let mut offences = Vec::new();
    for source in house.below(PLATFORM) {
        let own = module(source);
        if own == "lib" {
            continue;
        }
        let Some(own) = layer(own) else {
            offences.push(format!("{}: `{own}` is in no layer", source.path));
            continue;
        };
        for named in source.paths() {
            let [start, theirs, ..] = named.parts.as_slice() else {
                continue;
            };
            if start == "crate" && layer(theirs).is_some_and(|theirs| theirs < own) {
                offences.push(format!("{} stands above it", named.told(source)));
            }
        }
    }
    offences
}

pub(super) fn n9_order(house: &House) -> Vec<String> {
    let place = |name: &str| features().position(|feature| feature == name);
    let mut offences = Vec::new();
    for source in house.control_plane() {
        let Some(own) = source.feature() else {
            continue;
        };
        let Some(own_place) = place(own) else {
            offences.push(format!(
                "{}: the feature `{own}` has no place in the order",
                source.path
            ));
            continue;
        };
        if source.name() == "mod.rs" {
            offences.extend(source.find(r"\bpub(\([a-z]+\))? mod (store|model|service)\b"));
        }
        // under another name, or by `*`, nobody sees which one is meant
        offences.extend(source.find(r"\buse (crate|plinto_\w+)\s*(as\b|;|::\s*\*)"));
        for named in source.paths() {
            let [start, name, ..] = named.parts.as_slice() else {
                continue;
            };
            let is_home = start == "crate"
                || CRATES
                    .iter()
                    .any(|(home, _)| *start == format!("plinto_{home}"));
            if is_home && place(name).is_some_and(|theirs| theirs > own_place) {
                let told = named.told(source);
                offences.push(format!("{told}: `{name}` stands to the right of `{own}`"));
            }
        }
    }
    offences.sort();
    offences.dedup();
    offences
}

/// The files of a feature from top to bottom: each may name those below.
const FILES: &[&str] = &["rest", "service", "store", "error", "model"];

pub(super) fn inside(house: &House) -> Vec<String> {
    let mut offences = Vec::new();
    for source in house.control_plane() {
        let Some(feature) = source.feature() else {
            continue;
        };
        let Some(own) = FILES.iter().position(|file| source.is(file)) else {
            continue;
        };
        for named in source.paths() {
            if let [start, theirs, file, ..] = named.parts.as_slice()
                && start == "crate"
                && theirs == feature
                && FILES.iter().take(own).any(|above| above == file)
            {
                offences.push(format!("{} stands above it", named.told(source)));
            }
        }
    }
    offences
}

/// What a feature keeps in memory can't be named outside of it.
pub(super) fn states(house: &House) -> Vec<String> {
    let kept = regex::Regex::new(r"\bimpl PlatformState for (\w+)").unwrap();
    let mut offences = Vec::new();
    for source in house.control_plane().filter(|it| it.feature().is_some()) {
        for capture in kept.captures_iter(&source.production) {
            let name = &capture[1];
            offences.extend(source.find(&format!(r"\bpub (struct|enum) {name}\b")));
        }
    }
    offences
}
