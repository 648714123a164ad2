//! The checks beside OPA's, which `scripts/rego-checks.py` records, and against its own cases.

use std::{collections::BTreeMap, time::Instant};

use super::{CheckedModule, Code, Finding, check, findings};
use crate::{
    conformance,
    front::ast::{Module, Place},
};

fn parsed(texts: &[&str]) -> Result<Vec<Module>, String> {
    let modules = texts.iter().map(|text| crate::front::parse(text));
    modules
        .collect::<Result<_, _>>()
        .map_err(|error| error.to_string())
}

fn found(texts: &[&str]) -> Vec<Finding> {
    let modules = parsed(texts).unwrap();
    let trees: Vec<&Module> = modules.iter().collect();
    findings(&trees)
}

fn shown(findings: &[Finding]) -> String {
    let lines = findings.iter().map(|one| {
        let Place { line, column } = one.place;
        let code = one.code.as_str();
        format!("  ours: {}.rego:{line}:{column} {code}: {}", one.module, one.message)
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// What we refuse and OPA does not is no error there.
const REFUSED: Code = Code::Refused;

#[test]
fn every_module_of_opas_cases_passes_as_in_opa() {
    let Some(cases) = conformance::module_sets() else {
        return;
    };
    let mut wrong = Vec::new();
    for (name, texts) in &cases {
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let mut found = found(&texts);
        // A builtin that only the harness of the cases has.
        found.retain(|one| one.code != REFUSED && !one.message.contains("`test.sleep`"));
        if !found.is_empty() {
            wrong.push(format!("{name}\n{}\n{}", texts.join("\n---\n"), shown(&found)));
        }
    }
    assert!(wrong.is_empty(), "{}\n{} differ", wrong.join("\n\n"), wrong.len());
}
