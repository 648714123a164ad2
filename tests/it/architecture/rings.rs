//! Modules that name each other in a ring can't be understood, tested or moved one by one.

use std::collections::{BTreeMap, BTreeSet};

use super::house::House;

/// The crates whose modules stand in an order. The control plane's features have one of their own, see
/// `arrows`.
const CRATES: &[&str] = &[
    "contract/src",
    "control-plane/platform/src",
    "control-plane/src",
    "edge-worker/src",
    "jose/src",
    "jwks-cache/src",
];

pub(super) fn rings(house: &House) -> Vec<String> {
    let of_crate = |folder: &&str| {
        let named = named_by(house, folder);
        let ring = named.keys().find_map(|start| ring(&named, start));
        ring.map(|ring| format!("{folder}: {}", ring.join(" → ")))
    };
    CRATES.iter().filter_map(of_crate).collect()
}

/// Module directly below `crate` → those it names.
fn named_by(house: &House, folder: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut all: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for source in house.below(folder) {
        let inside = source.path.trim_start_matches(folder);
        let inside = inside.trim_start_matches('/').trim_end_matches(".rs");
        let module = inside.split('/').next().unwrap_or_default();
        if ["lib", "main"].contains(&module) {
            continue;
        }
        let named = all.entry(module.to_owned()).or_default();
        for path in source.paths() {
            if let [start, theirs, ..] = path.parts.as_slice()
                && start == "crate"
                && theirs != module
            {
                named.insert(theirs.clone());
            }
        }
    }
    all
}

/// The shortest way from a module back to itself.
fn ring(named: &BTreeMap<String, BTreeSet<String>>, start: &str) -> Option<Vec<String>> {
    let mut ways = vec![vec![start.to_owned()]];
    let mut seen = BTreeSet::new();
    let mut next = 0;
    while let Some(way) = ways.get(next).cloned() {
        next += 1;
        for module in way
            .last()
            .and_then(|last| named.get(last))
            .into_iter()
            .flatten()
        {
            let mut longer = way.clone();
            longer.push(module.clone());
            if module == start {
                return Some(longer);
            }
            if seen.insert(module.clone()) {
                ways.push(longer);
            }
        }
    }
    None
}
