//! What modules define for each other: packages, names, functions, imports.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    finding::{Code, Finding},
    lower::path_of,
    scopes::{Global, document},
    steps_of,
    tree::{DATA, Term},
};
use crate::front::ast::{Import, Module, Place, Term as Written, TermKind};

/// All packages together.
#[derive(Debug)]
pub(super) struct Packages<'a> {
    /// The path of each module's package below `data`.
    paths: Vec<Vec<Term<'a>>>,
    names: Vec<Vec<&'a str>>,
    places: Vec<Place>,
    /// The first names of rules, by package.
    defined: BTreeMap<Vec<&'a str>, BTreeSet<&'a str>>,
    /// Paths of functions below `data`.
    functions: BTreeSet<Vec<&'a str>>,
}

impl<'a> Packages<'a> {
    /// Looks at all modules.
    pub(super) fn of(modules: &[&'a Module], findings: &mut Vec<Finding>) -> Self {
        let mut packages = Self {
            paths: Vec::new(),
            names: Vec::new(),
            places: Vec::new(),
            defined: BTreeMap::new(),
            functions: BTreeSet::new(),
        };
        for (index, module) in modules.iter().enumerate() {
            let path = path_of(&module.package).unwrap_or_default();
            packages.places.push(module.place);
            packages.paths.push(steps_of(&path, module.package.place));
            for rule in &module.rules {
                let Some(first) = first_of(&rule.head.name) else {
                    continue;
                };
                if document(first).is_some() {
                    let message = format!("a rule must not be called `{first}`");
                    let place = rule.place;
                    findings.push(Finding::at(Code::Compile, index, place, message));
                }
                packages
                    .defined
                    .entry(path.clone())
                    .or_default()
                    .insert(first);
                if rule.head.parameters.is_some()
                    && let Some(name) = path_of(&rule.head.name)
                {
                    packages.functions.insert([path.as_slice(), &name].concat());
                }
            }
            packages.names.push(path);
        }
        packages
    }

    /// The path of a module's package below `data`.
    pub(super) fn path(&self, module: usize) -> &[Term<'a>] {
        self.paths.get(module).map_or(&[], Vec::as_slice)
    }

    /// Those of all modules.
    pub(super) fn paths(&self) -> &[Vec<Term<'a>>] {
        &self.paths
    }

    /// Where the packages stand.
    pub(super) fn places(&self) -> &[Place] {
        &self.places
    }

    /// Paths of functions below `data`.
    pub(super) const fn functions(&self) -> &BTreeSet<Vec<&'a str>> {
        &self.functions
    }

    /// What names stand for in a module: rules of its package, and imports.
    pub(super) fn globals(
        &self,
        index: usize,
        module: &'a Module,
    ) -> BTreeMap<&'a str, Global<'a>> {
        let path = self.names.get(index).map_or(&[][..], Vec::as_slice);
        let mut globals = BTreeMap::new();
        for name in self.defined.get(path).into_iter().flatten().copied() {
            let steps = [path, &[name]].concat();
            globals.insert(name, Global { base: DATA, steps });
        }
        for import in &module.imports {
            if let Some((name, global)) = imported(import) {
                globals.insert(name, global);
            }
        }
        globals
    }
}

fn imported(import: &Import) -> Option<(&str, Global<'_>)> {
    let path = path_of(&import.path)?;
    let (root, steps) = path.split_first()?;
    let base = document(root)?;
    let name = import.alias.as_deref().or_else(|| path.last().copied())?;
    let steps = steps.to_vec();
    Some((name, Global { base, steps }))
}

fn first_of(name: &Written) -> Option<&str> {
    match &name.kind {
        TermKind::Ref(head, _) => head.name(),
        _ => name.name(),
    }
}
