//! Who may name whom inside the control plane: layers from top to bottom, features from left to right.

use super::house::House;
use super::source::Source;

/// Features from left to right: each uses only the faces to its left.
pub(super) const FEATURES: &[&str] = &[
    "tenants",
    "users",
    "roles",
    "organizations",
    "signing_keys",
    "api_keys",
    "credentials",
    "sessions",
    "sign_in",
    "oauth",
    "policies",
    "revocations",
];

/// What stands below the features, from top to bottom. Each layer may name itself and those below.
const LAYERS: &[&[&str]] = &[
    &["http"],
    &["events"],
    &["authority"],
    &["platform"],
    &["recheck"],
    &["actor"],
    &["db"],
    &["clock", "random", "config", "envelope", "secret", "text"],
];

/// The layer of a module directly below `crate`.
fn layer(module: &str) -> Option<usize> {
    LAYERS.iter().position(|layer| layer.contains(&module))
}

fn module(source: &Source) -> &str {
    let inside = source.path.trim_start_matches("control-plane/src/");
    let first = inside.split('/').next().unwrap_or_default();
    first.trim_end_matches(".rs")
}

pub(super) fn layers(house: &House) -> Vec<String> {
    let mut offences = Vec::new();
    for source in house.control_plane() {
        let Some(own) = layer(module(source)) else {
            continue;
        };
        for named in source.paths() {
            let [start, theirs, ..] = named.parts.as_slice() else {
                continue;
            };
            let is_file = house.control_plane().any(|other| module(other) == theirs);
            let is_below = layer(theirs).is_some_and(|theirs| theirs >= own);
            if start == "crate" && is_file && !is_below {
                offences.push(format!("{} stands above it", named.told(source)));
            }
        }
    }
    offences
}

pub(super) fn n9_order(house: &House) -> Vec<String> {
    let place = |name: &str| FEATURES.iter().position(|feature| *feature == name);
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
        for named in source.paths() {
            let mut rest = named.parts.iter().skip_while(|part| *part != "features");
            if rest.next().is_none() {
                continue;
            }
            match rest.next() {
                // under another name, or by `*`, nobody sees which one is meant
                None => offences.push(format!("{}: all features at once", named.told(source))),
                Some(name) if place(name).is_some_and(|theirs| theirs > own_place) => {
                    let told = named.told(source);
                    offences.push(format!("{told}: `{name}` stands to the right of `{own}`"));
                }
                Some(_) => {}
            }
        }
    }
    offences.sort();
    offences.dedup();
    offences
}
