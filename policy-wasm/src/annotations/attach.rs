//! To which package or rule a block belongs, and what belongs to a rule.

use std::collections::BTreeMap;

use super::{Annotations, Scope, Wrong, block};
use crate::{
    front::{
        ast::{Module, Place, Rule, TermKind, names_of},
        constant,
    },
    value::Value,
};

/// What stands below a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Statement {
    Package,
    Import,
    Rule(usize),
}

/// A block with what it is about.
struct Attached {
    annotations: Annotations,
    scope: Scope,
    statement: Statement,
}

/// The annotations of all modules.
#[derive(Default)]
pub(super) struct Attachments {
    /// Of one definition, by module and rule, in the order of the blocks.
    rules: BTreeMap<(usize, usize), Vec<Value>>,
    packages: BTreeMap<Vec<Value>, Value>,
    /// Of rules and of packages with those below, by their path.
    paths: BTreeMap<Vec<Value>, Value>,
}

/// What is wrong with the annotations of modules, with the module's number.
pub(crate) fn check(modules: &[&Module]) -> Vec<(usize, Wrong)> {
    Attachments::of(modules).1
}

impl Attachments {
    /// Reads the blocks of modules. What is wrong with some leaves the others as they are.
    pub(super) fn of(modules: &[&Module]) -> (Self, Vec<(usize, Wrong)>) {
        let (mut attachments, mut wrongs) = (Self::default(), Vec::new());
        for (index, module) in modules.iter().enumerate() {
            for found in block::read(module) {
                let taken = found
                    .and_then(|annotations| attach(module, annotations))
                    .and_then(|attached| attachments.take(index, module, &attached));
                wrongs.extend(taken.err().map(|wrong| (index, wrong)));
            }
        }
        (attachments, wrongs)
    }

    fn take(&mut self, index: usize, module: &Module, attached: &Attached) -> Result<(), Wrong> {
        let place = attached.annotations.place;
        let value = attached.value();
        let repeated = match (attached.scope, attached.statement) {
            (Scope::Rule, Statement::Rule(rule)) => {
                self.rules.entry((index, rule)).or_default().push(value);
                return Ok(());
            }
            (Scope::Document, Statement::Rule(rule)) => {
                let rule = module.rules.get(rule);
                let path = rule.map(|rule| path_of(module, rule)).unwrap_or_default();
                self.paths.insert(path, value)
            }
            (Scope::Subpackages, _) => self.paths.insert(package_of(module), value),
            _ => self.packages.insert(package_of(module), value),
        };
        match repeated {
            None => Ok(()),
            Some(_) => Err(Wrong {
                place,
                message: format!(
                    "another block has annotations of this {} already",
                    attached.scope.as_str()
                ),
                is_repeated: true,
            }),
        }
    }

    /// What `rego.metadata.rule` gives. Of several blocks above a definition the first one counts.
    pub(super) fn rule(&self, module: usize, rule: usize) -> Value {
        let found = self.rules.get(&(module, rule));
        let first = found.and_then(|found| found.first());
        first.cloned().unwrap_or_else(|| Value::object(Vec::new()))
    }

    /// What `rego.metadata.chain` gives: from the definition outwards. `rule`: none for an `else`.
    pub(super) fn chain(
        &self,
        (index, module): (usize, &Module),
        (number, rule): (Option<usize>, &Rule),
    ) -> Value {
        let path = path_of(module, rule);
        let package = package_of(module);
        let own = number.and_then(|number| self.rules.get(&(index, number)));
        let own = own.into_iter().flatten();
        let mut links: Vec<Value> = own.rev().map(|one| link(&path, Some(one))).collect();
        if links.is_empty() {
            links.push(link(&path, None));
        }
        links.extend(self.paths.get(&path).map(|one| link(&path, Some(one))));
        links.extend(
            self.packages
                .get(&package)
                .map(|one| link(&package, Some(one))),
        );
        for length in (1..=package.len()).rev() {
            let above = package.get(..length).unwrap_or_default();
            links.extend(self.paths.get(above).map(|one| link(above, Some(one))));
        }
        Value::array(links)
    }
}

fn link(path: &[Value], annotations: Option<&Value>) -> Value {
    let path = (Value::from("path"), Value::array(path.to_vec()));
    let annotations = annotations.map(|one| (Value::from("annotations"), one.clone()));
    Value::object([path].into_iter().chain(annotations).collect())
}

impl Attached {
    fn value(&self) -> Value {
        let scope = (Value::from("scope"), Value::from(self.scope.as_str()));
        let members = self.annotations.members.iter().cloned();
        Value::object([scope].into_iter().chain(members).collect())
    }
}

fn attach(module: &Module, annotations: Annotations) -> Result<Attached, Wrong> {
    let place = annotations.place;
    let statement = below(module, place).ok_or_else(|| {
        Wrong::new(
            place,
            "no package or rule follows these annotations; move them above one",
        )
    })?;
    let scope = match (annotations.scope, statement) {
        (Some(scope), _) => scope,
        (None, Statement::Package) => Scope::Package,
        (None, Statement::Rule(_)) if annotations.is_entrypoint => Scope::Document,
        (None, Statement::Rule(_)) => Scope::Rule,
        (None, Statement::Import) => {
            let message =
                "annotations of an import mean nothing; move them above a package or rule";
            return Err(Wrong::new(place, message));
        }
    };
    let is_of_rule = matches!(scope, Scope::Rule | Scope::Document);
    let fits = match statement {
        Statement::Rule(_) => is_of_rule,
        Statement::Package => !is_of_rule,
        Statement::Import => false,
    };
    if !fits {
        let wanted = if is_of_rule { "rule" } else { "package" };
        let message = format!(
            "annotations of scope `{}` must stand above a {wanted}",
            scope.as_str()
        );
        return Err(Wrong::new(place, message));
    }
    if annotations.is_entrypoint && !matches!(scope, Scope::Document | Scope::Package) {
        let message = "only a document or a package can be an entrypoint; write `scope: document`";
        return Err(Wrong::new(place, message));
    }
    Ok(Attached {
        annotations,
        scope,
        statement,
    })
}

/// The first statement that begins below a line.
fn below(module: &Module, place: Place) -> Option<Statement> {
    let package = [(module.place, Statement::Package)];
    let imports = module.imports.iter();
    let imports = imports.map(|import| (import.place, Statement::Import));
    let rules = module.rules.iter().enumerate();
    let rules = rules.map(|(index, rule)| (rule.place, Statement::Rule(index)));
    let all = package.into_iter().chain(imports).chain(rules);
    all.filter(|(at, _)| at.line > place.line)
        .min_by_key(|(at, _)| at.line)
        .map(|(_, statement)| statement)
}

fn package_of(module: &Module) -> Vec<Value> {
    let names = names_of(&module.package).into_iter();
    names.map(|name| Value::from(name.as_str())).collect()
}

/// Where a rule stands below `data`, up to the first step that is not known.
fn path_of(module: &Module, rule: &Rule) -> Vec<Value> {
    let mut path = package_of(module);
    let (head, steps) = match &rule.head.name.kind {
        TermKind::Ref(head, steps) => (head.as_ref(), steps.as_slice()),
        _ => (&rule.head.name, [].as_slice()),
    };
    path.extend(head.name().map(Value::from));
    path.extend(steps.iter().map_while(constant));
    path
}
