//! What stands in templates and in calls of `print`: it may be undefined, but not unknown.
//! Source: OPA, `v1/ast/compile.go`, the stages that rewrite both.

use std::collections::BTreeSet;

use super::{
    calls::Calls,
    finding::{Code, Effort, Finding, Names},
    safety::Safety,
    tree::{Comprehension, Expr, Origin, Variable},
    variables::{Inside, Scan, Variables, bodies_in},
};

/// Finds names in templates and calls of `print` that nothing gives a value to.
pub(super) fn check<'a>(
    module: usize,
    body: &[Expr<'a>],
    calls: &Calls<'_, 'a>,
    globals: &BTreeSet<Variable>,
    names: &Names<'a>,
    effort: &mut Effort,
) -> Vec<Finding> {
    if !has_any(body) {
        return Vec::new();
    }
    let mut templates = Templates {
        module,
        names,
        safety: Safety { calls, effort },
        findings: Vec::new(),
    };
    templates.body(body, globals);
    templates.findings
}

fn has_any(body: &[Expr<'_>]) -> bool {
    body.iter().any(|expr| {
        let mut found = false;
        bodies_in(expr, &mut |inside| {
            found |= match inside {
                Inside::Comprehension(made) => {
                    made.origin != Origin::Written || has_any(&made.body)
                }
                Inside::Every(every) => has_any(&every.body),
            };
        });
        found
    })
}

struct Templates<'t, 'r, 'a> {
    module: usize,
    names: &'t Names<'a>,
    safety: Safety<'t, 'r, 'a>,
    findings: Vec<Finding>,
}

impl<'a> Templates<'_, '_, 'a> {
    fn body(&mut self, body: &[Expr<'a>], globals: &BTreeSet<Variable>) {
        let whole = self.safety.outputs_of(body, globals);
        // What a body gives values to before each of its expressions.
        let mut before = globals.clone();
        for expr in body {
            let mut inside = Vec::new();
            bodies_in(expr, &mut |one| inside.push(one));
            for one in inside {
                match one {
                    Inside::Comprehension(made) => match made.origin {
                        Origin::Template => self.undeclared(made, &whole),
                        Origin::Print => self.undeclared(made, &before),
                        Origin::Written => self.body(&made.body, &whole),
                    },
                    Inside::Every(every) => {
                        let mut known = whole.clone();
                        known.extend(every.key);
                        known.insert(every.value);
                        self.body(&every.body, &known);
                    }
                }
            }
            if !self.safety.effort.spend(before.len().saturating_add(8)) {
                return;
            }
            let outputs = self.safety.outputs(expr, &before);
            before.extend(outputs);
        }
    }

    fn undeclared(&mut self, made: &Comprehension<'a>, known: &BTreeSet<Variable>) {
        let mut needs = Variables::new();
        Scan::Needs.body(&made.body, &mut needs);
        for (variable, place) in needs {
            let Some(name) = self.names.of(variable) else {
                continue;
            };
            if !known.contains(&variable) {
                let message = format!("`{name}` is not defined here: nothing gives it a value");
                self.findings
                    .push(Finding::at(Code::Compile, self.module, place, message));
            }
        }
        self.body(&made.body, known);
    }
}
