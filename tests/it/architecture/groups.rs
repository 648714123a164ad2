//! Nobody but the router tells groups of routes apart, and it does so by what it mounts.

use std::sync::LazyLock;

use regex::Regex;

use super::house::House;
use super::source::{Literal, Source};

/// The beginning of a path that a group of routes has for itself.
static PATH: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"/(oauth|v1)\b").unwrap());
/// What compares, when a literal comes behind it.
static BEFORE: LazyLock<Regex> = LazyLock::new(|| {
    let calls = "starts_with|ends_with|contains|strip_prefix|strip_suffix|find|split_once|matches";
    Regex::new(&format!(
        r"(\b({calls})\s*\(\s*&?|[=!]=\s*&?|\bmatches!\s*\([^()]*,\s*)$"
    ))
    .unwrap()
});
/// What compares, when a literal stands before it.
static BEHIND: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"^\s*([=!]=|=>|\|[^|]|if\b)").unwrap());

pub(super) fn n22(house: &House) -> Vec<String> {
    let sources = house.control_plane();
    let sources = sources.filter(|source| source.path != "control-plane/src/router.rs");
    let offences = sources.flat_map(|source| {
        let code: Vec<char> = source.production.chars().collect();
        let paths = source.literals.iter();
        let paths = paths.filter(|literal| PATH.is_match(&literal.text));
        let compared = paths.filter(move |literal| is_compared(&code, literal));
        compared.map(|literal| told(source, literal))
    });
    offences.collect()
}

fn is_compared(code: &[char], literal: &Literal) -> bool {
    // Without the quotes, and the marks of a raw literal.
    let marks = ['"', '#', 'r'];
    let text = |part: &[char]| part.iter().collect::<String>();
    let end = (literal.at + literal.text.chars().count()).min(code.len());
    let from = literal.at.saturating_sub(200);
    let before = text(&code[from..literal.at]);
    let behind = text(&code[end..code.len().min(end + 200)]);
    BEFORE.is_match(before.trim_end_matches(marks))
        || BEHIND.is_match(behind.trim_start_matches(marks))
}

fn told(source: &Source, literal: &Literal) -> String {
    format!(
        "{}:{}: a path is compared with `{}`",
        source.path, literal.line, literal.text
    )
}
