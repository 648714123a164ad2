//! The list of builtins in `docs/guides/rego.md`; `UPDATE=1` writes it.

use std::{collections::BTreeMap, fmt::Write as _, path::Path};

use super::calls::refusal;
use crate::builtins::{declarations, find};

const MARK: &str = "<!-- written by `make generate` from here on -->\n";

/// Builtins that the language has instead of a table.
const OF_THE_LANGUAGE: [&str; 6] = [
    "assign",
    "eq",
    "print",
    "rego.metadata.chain",
    "rego.metadata.rule",
    "walk",
];

fn group(name: &str) -> &str {
    match name.rsplit_once('.') {
        Some((group, _)) => group,
        None => "",
    }
}

fn page() -> String {
    let mut groups: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let mut refused = String::new();
    let names = declarations::names().filter(|name| !name.starts_with("internal."));
    for name in names {
        if let Some(reason) = refusal(name) {
            let _ = writeln!(refused, "| `{name}` | {reason} |");
            continue;
        }
        let is_deprecated = declarations::declaration(name).unwrap().is_deprecated;
        let mark = if is_deprecated { "°" } else { "" };
        let names = groups.entry(group(name)).or_default();
        names.push(format!("`{name}`{mark}"));
    }
    let mut page =
        "All that are marked ° are deprecated, and only in Rego from before 1.0.\n\n".to_owned();
    for (group, names) in groups {
        let title = if group.is_empty() { "no prefix" } else { group };
        let _ = writeln!(page, "- **{title}**: {}", names.join(" "));
    }
    let _ = write!(
        page,
        "\n### Not here\n\n| Builtin | Why |\n|---|---|\n{refused}"
    );
    page
}

#[test]
#[expect(clippy::disallowed_methods, reason = "asks whether to write")]
fn the_guide_lists_every_builtin() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/guides/rego.md");
    let text = std::fs::read_to_string(&file).unwrap();
    let (prose, list) = text.split_once(MARK).unwrap();
    let page = format!("\n{}", page());
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&file, format!("{prose}{MARK}{page}")).unwrap();
    } else {
        assert_eq!(list, page, "`make generate` writes it");
    }
}

#[test]
fn every_builtin_is_here_or_refused_with_a_reason() {
    let mut missing = Vec::new();
    for name in declarations::names() {
        let is_here = find(name).is_some()
            || OF_THE_LANGUAGE.contains(&name)
            || name.starts_with("internal.");
        if !is_here && refusal(name).is_none() {
            missing.push(name);
        }
    }
    assert!(missing.is_empty(), "{missing:?}");
}
