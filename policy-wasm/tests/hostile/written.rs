//! Cases that are written down: `# name`, and the rules below it.

use super::Case;

const POLICIES: &str = include_str!("policies.rego");

pub(super) fn cases() -> Vec<Case> {
    let parts = POLICIES.split("\n# ").skip(1);
    parts
        .map(|part| {
            let (name, rules) = part.split_once('\n').unwrap();
            Case::new(name, rules)
        })
        .collect()
}
