//! The entrypoint that a manifest names, and whether the policies have it.

use plinto_contract::bundle::{Answer, Manifest};

use crate::{
    diagnostics::{Diagnostic, Kind},
    front::{HeadValue, Rule},
    load::Parsed,
    plan::{Plan, code::RuleId},
};

/// What a bundle is asked.
#[derive(Debug)]
pub(crate) struct Entrypoint {
    /// Names below `data`.
    pub(crate) path: Vec<String>,
    /// Without one it is a package, or a path to several rules.
    pub(crate) rule: Option<RuleId>,
    pub(crate) answer: Answer,
}

impl Entrypoint {
    /// The rule of that path in the compiled policies.
    pub(crate) fn new(path: Vec<String>, answer: Answer, plan: &Plan) -> Self {
        let rule = plan.rule_at(&path);
        Self { path, rule, answer }
    }

    /// What must have a value: `data.app.authz.decision`.
    pub(crate) fn asked(&self) -> String {
        let path = format!("data.{}", self.path.join("."));
        match (self.rule, self.answer) {
            (None, Answer::Allow) => format!("{path}.allow"),
            _ => path,
        }
    }
}

/// The path of the entrypoint, if the policies have what it names.
/// Errors: the finding.
pub(crate) fn path_of(
    manifest: &Manifest,
    modules: &[Parsed<'_>],
) -> Result<Vec<String>, Diagnostic> {
    let plinto = &manifest.metadata.plinto;
    let path = &plinto.entrypoint;
    let wanted: Vec<String> = path.split('/').map(str::to_owned).collect();
    if wanted.iter().any(String::is_empty) {
        return Err(refused(path, "must read `package/rule`"));
    }
    let mut is_there = false;
    for (found, rule) in modules.iter().flat_map(Parsed::rules) {
        if !found.starts_with(&wanted) {
            continue;
        }
        is_there = true;
        if found == wanted
            && let Err(why) = fits(rule, plinto.answer)
        {
            return Err(refused(path, why));
        }
    }
    if is_there {
        Ok(wanted)
    } else {
        Err(refused(path, "does not exist"))
    }
}

/// Whether a rule can answer so.
fn fits(rule: &Rule, answer: Answer) -> Result<(), &'static str> {
    let is_set = matches!(rule.head.value, HeadValue::Contains(_));
    if rule.head.parameters.is_some() || (is_set && answer != Answer::Violations) {
        return Err("is a set or a function; it must be one value");
    }
    Ok(())
}

fn refused(path: &str, why: &str) -> Diagnostic {
    let message = format!("the entrypoint `{}` {why}", path.escape_default());
    Diagnostic::of_file(Kind::Entrypoint, ".manifest", message)
}
