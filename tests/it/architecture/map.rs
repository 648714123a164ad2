//! The documents against the files: no dead paths, no decision longer than a page.

use super::house::{House, root};

/// Documents whose paths, in back-ticks or as links, must exist.
const MAPS: &[&str] = &[
    "docs/architecture.md",
    "docs/glossary.md",
    "README.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "CHANGELOG.md",
];

fn documents(house: &House) -> impl Iterator<Item = (&String, &String)> {
    house.texts.iter().filter(|(path, _)| {
        MAPS.contains(&path.as_str())
            || path.starts_with("docs/decisions/")
            || path.starts_with("docs/guides/")
    })
}

/// Whether a word in back-ticks claims to be a path of this repository.
fn is_path(word: &str) -> bool {
    let is_plain = word
        .chars()
        .all(|letter| letter.is_ascii_alphanumeric() || "_-./".contains(letter));
    let first = word.split('/').next().unwrap_or_default();
    is_plain && word.contains('/') && ROOMS.contains(&first)
}

/// First parts of paths; a word such as `application/json` isn't one.
const ROOMS: &[&str] = &[
    "contract",
    "jose",
    "jwks-cache",
    "policy-wasm",
    "edge-worker",
    "control-plane",
    "cli",
    "tests",
    "docs",
    "scripts",
    "examples",
    "benches",
    ".ci",
];

fn exists(house: &House, path: &str) -> bool {
    let path = path.trim_end_matches('/');
    house.texts.contains_key(path)
        || house
            .texts
            .keys()
            .any(|known| known.starts_with(&format!("{path}/")))
        || (house.texts.contains_key("Cargo.lock") && root().join(path).exists())
}

pub(super) fn dead_paths(house: &House) -> Vec<String> {
    let quoted = regex::Regex::new(r"`([^`\s]+)`").unwrap();
    let linked = regex::Regex::new(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)").unwrap();
    let mut offences = Vec::new();
    for (document, text) in documents(house) {
        let folder = document.rsplit_once('/').map_or("", |(folder, _)| folder);
        for (index, line) in text.lines().enumerate() {
            let words = quoted
                .captures_iter(line)
                .map(|capture| capture.get(1).unwrap().as_str());
            let mut named: Vec<String> = words
                .filter(|word| is_path(word))
                .map(str::to_owned)
                .collect();
            let links = linked
                .captures_iter(line)
                .map(|capture| capture.get(1).unwrap().as_str());
            named.extend(links.map(|link| resolve(folder, link)));
            for path in named.iter().filter(|path| !exists(house, path)) {
                offences.push(format!("{document}:{}: `{path}` is gone", index + 1));
            }
        }
    }
    offences
}

/// A link as seen from the root.
fn resolve(folder: &str, link: &str) -> String {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in link.split('/') {
        match part {
            ".." => drop(parts.pop()),
            "." | "" => {}
            part => parts.push(part),
        }
    }
    parts.join("/")
}

pub(super) fn long_decisions(house: &House) -> Vec<String> {
    let decisions = house
        .texts
        .iter()
        .filter(|(path, _)| path.starts_with("docs/decisions/"));
    let long = decisions.filter(|(_, text)| text.lines().count() > 40);
    long.map(|(path, text)| format!("{path}: {} lines, 40 at most", text.lines().count()))
        .collect()
}
