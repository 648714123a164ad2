//! Rules and functions that would end up evaluating themselves, or each other too deeply.
//!
//! The engine notices a rule that needs its own value only while it evaluates, and a function
//! that calls itself not at all: it runs out of stack, which ends the process or the isolate.
//! OPA refuses recursion when it compiles, so nothing that is refused here works there.

use std::collections::{BTreeMap, BTreeSet};

use regorus::unstable::{Expr, Module, Rule, Span};

use crate::{
    checks,
    diagnostics::{Diagnostic, Kind},
    syntax::{Visit, head_of, package_of, path_of, static_prefix, walk},
};

/// 2,000: rules and functions of a bundle, each name once.
const DEFINITIONS_MAX: usize = 2_000;
/// 256: levels of expression inside expression along the longest chain of rules that need each
/// other. A level takes the engine up to 3 KiB of stack; a Worker has 1 MiB.
const DEPTH_MAX: usize = 256;

/// Finds recursion and excessive depth.
pub(crate) fn check(modules: &[&Module]) -> Vec<Diagnostic> {
    let graph = Graph::of(modules);
    if graph.nodes.len() > DEFINITIONS_MAX {
        let message = format!("the policies define more than {DEFINITIONS_MAX} rules");
        return vec![Diagnostic::of_file(Kind::Refused, "", message)];
    }
    let mut findings: Vec<Diagnostic> = graph
        .cycles()
        .into_iter()
        .filter_map(|cycle| {
            let names: Vec<String> = cycle
                .iter()
                .filter_map(|index| graph.name(*index))
                .collect();
            let node = graph.nodes.get(*cycle.first()?)?;
            let message = match names.as_slice() {
                [single] => format!("recursion: {single} needs itself"),
                several => format!("recursion: {} need each other", several.join(", ")),
            };
            Some(checks::at(node.span, Kind::Compile, message))
        })
        .collect();
    if findings.is_empty() {
        findings.extend(graph.too_deep());
    }
    findings
}

/// A name that is defined, with all its definitions together.
struct Node<'a> {
    path: Vec<String>,
    span: &'a Span,
    /// Deepest nesting of an expression in it.
    depth: usize,
    /// What it needs, as far as names are not shadowed by local ones.
    needs: BTreeSet<usize>,
    /// What it may need, whatever is shadowed.
    may_need: BTreeSet<usize>,
}

/// Which references count.
#[derive(Debug, Clone, Copy)]
enum Edges {
    /// Those that cannot mean a local name.
    Certain,
    /// Also those that a local name may shadow.
    Possible,
}

struct Graph<'a> {
    nodes: Vec<Node<'a>>,
    by_path: BTreeMap<Vec<String>, usize>,
}

impl<'a> Graph<'a> {
    fn of(modules: &[&'a Module]) -> Self {
        let mut graph = Self {
            nodes: Vec::new(),
            by_path: BTreeMap::new(),
        };
        for (path, rule) in definitions(modules) {
            if !graph.by_path.contains_key(&path) {
                graph.by_path.insert(path.clone(), graph.nodes.len());
                graph.nodes.push(Node {
                    path,
                    span: rule.span(),
                    depth: 0,
                    needs: BTreeSet::new(),
                    may_need: BTreeSet::new(),
                });
            }
        }
        if graph.nodes.len() <= DEFINITIONS_MAX {
            for module in modules {
                let names = Names::of(module);
                for rule in &module.policy {
                    graph.connect(&names, rule.as_ref());
                }
            }
        }
        graph
    }

    /// Enters what one rule refers to.
    fn connect(&mut self, names: &Names, rule: &'a Rule) {
        let mut path = names.package.clone();
        path.extend(head_of(rule).0);
        let Some(index) = self.by_path.get(&path).copied() else {
            return;
        };
        let mut locals = BTreeSet::new();
        let mut references: BTreeSet<(Vec<String>, bool)> = BTreeSet::new();
        let mut depth = 0_usize;
        walk(rule, &mut |visit| match visit {
            Visit::Local(span) => {
                locals.insert(span.text());
            }
            Visit::Expr(expr, level) => {
                // The parts of a reference are evaluated one after another, not inside another.
                if !matches!(expr, Expr::RefDot { .. } | Expr::Var { .. }) {
                    depth = depth.max(level);
                }
                match expr {
                    // SECURITY: a called name is never a local one, so calls are always counted.
                    Expr::Call { fcn, .. } => {
                        references.extend(path_of(fcn).map(|path| (path, true)));
                    }
                    Expr::Var { .. } | Expr::RefDot { .. } | Expr::RefBrack { .. } => {
                        references.insert((static_prefix(expr), false));
                    }
                    _ => {}
                }
            }
        });
        let mut needs = BTreeSet::new();
        let mut may_need = BTreeSet::new();
        for (reference, is_call) in &references {
            let Some(root) = reference.first() else {
                continue;
            };
            let targets: Vec<usize> = names
                .resolve(reference)
                .iter()
                .flat_map(|path| self.targets(path, *is_call))
                .collect();
            if *is_call || !locals.contains(root.as_str()) {
                needs.extend(targets.iter().copied());
            }
            may_need.extend(targets);
        }
        if let Some(node) = self.nodes.get_mut(index) {
            node.depth = node.depth.max(depth.saturating_add(1));
            node.needs.extend(needs);
            node.may_need.extend(may_need);
        }
    }

    /// The definitions that evaluating a path touches: those above it and those below it.
    fn targets(&self, path: &[String], is_call: bool) -> Vec<usize> {
        if is_call {
            return self.by_path.get(path).copied().into_iter().collect();
        }
        let above = (1..path.len()).filter_map(|length| {
            let prefix = path.get(..length)?;
            self.by_path.get(prefix).copied()
        });
        let below = self
            .by_path
            .range(path.to_vec()..)
            .take_while(|(other, _)| other.starts_with(path))
            .map(|(_, index)| *index);
        above.chain(below).collect()
    }

    fn name(&self, index: usize) -> Option<String> {
        Some(format!("`{}`", self.nodes.get(index)?.path.last()?))
    }

    /// The groups of definitions that need each other, or themselves.
    fn cycles(&self) -> Vec<Vec<usize>> {
        let mut components = self.components(Edges::Certain);
        components.retain(|component| match component.as_slice() {
            [single] => self.edges(*single, Edges::Certain).contains(single),
            _ => true,
        });
        components
    }

    /// Strongly connected components, those that are needed first. Source: Tarjan 1972, with a
    /// stack of our own.
    fn components(&self, kind: Edges) -> Vec<Vec<usize>> {
        let mut search = Search {
            order: vec![None; self.nodes.len()],
            lowest: vec![0; self.nodes.len()],
            open: Vec::new(),
            is_open: vec![false; self.nodes.len()],
            next: 0,
            components: Vec::new(),
        };
        for start in 0..self.nodes.len() {
            if search.order_of(start).is_none() {
                self.search_from(start, kind, &mut search);
            }
        }
        search.components
    }

    fn search_from(&self, start: usize, kind: Edges, search: &mut Search) {
        search.enter(start);
        let mut calls = vec![(start, self.edges(start, kind))];
        while let Some((node, remaining)) = calls.last_mut() {
            let node = *node;
            if let Some(target) = remaining.pop() {
                match search.order_of(target) {
                    None => {
                        search.enter(target);
                        calls.push((target, self.edges(target, kind)));
                    }
                    Some(order) => {
                        if search.is_open.get(target) == Some(&true) {
                            search.lower(node, order);
                        }
                    }
                }
            } else {
                calls.pop();
                search.leave(node);
                if let Some((parent, _)) = calls.last() {
                    let lowest = search.lowest.get(node).copied().unwrap_or_default();
                    search.lower(*parent, lowest);
                }
            }
        }
    }

    fn edges(&self, index: usize, kind: Edges) -> Vec<usize> {
        let Some(node) = self.nodes.get(index) else {
            return Vec::new();
        };
        match kind {
            Edges::Certain => node.needs.iter().copied().collect(),
            Edges::Possible => node.may_need.iter().copied().collect(),
        }
    }

    /// Whether some chain of definitions nests too deeply. Components come in the order in which
    /// they are needed, so one pass suffices. A component of several definitions exists only
    /// where local names shadow rules; each of its definitions is on the stack once at most.
    fn too_deep(&self) -> Option<Diagnostic> {
        let mut below: Vec<usize> = vec![0; self.nodes.len()];
        for component in self.components(Edges::Possible) {
            let members: Vec<&Node<'_>> = component
                .iter()
                .filter_map(|index| self.nodes.get(*index))
                .collect();
            let own = members
                .iter()
                .fold(0_usize, |sum, node| sum.saturating_add(node.depth));
            let deepest = members
                .iter()
                .flat_map(|node| &node.may_need)
                .filter(|target| !component.contains(target))
                .filter_map(|target| below.get(*target))
                .max();
            let depth = own.saturating_add(deepest.copied().unwrap_or_default());
            if depth > DEPTH_MAX {
                let node = members.first()?;
                let message = format!(
                    "the rules that this one needs nest {depth} levels deep, more than {DEPTH_MAX}"
                );
                return Some(checks::at(node.span, Kind::Refused, message));
            }
            for index in component {
                if let Some(slot) = below.get_mut(index) {
                    *slot = depth;
                }
            }
        }
        None
    }
}

/// The state of Tarjan's search.
struct Search {
    order: Vec<Option<usize>>,
    lowest: Vec<usize>,
    open: Vec<usize>,
    is_open: Vec<bool>,
    next: usize,
    components: Vec<Vec<usize>>,
}

impl Search {
    fn order_of(&self, node: usize) -> Option<usize> {
        self.order.get(node).copied().flatten()
    }

    fn enter(&mut self, node: usize) {
        if let (Some(order), Some(lowest), Some(is_open)) = (
            self.order.get_mut(node),
            self.lowest.get_mut(node),
            self.is_open.get_mut(node),
        ) {
            *order = Some(self.next);
            *lowest = self.next;
            *is_open = true;
            self.open.push(node);
            self.next = self.next.saturating_add(1);
        }
    }

    fn lower(&mut self, node: usize, to: usize) {
        if let Some(lowest) = self.lowest.get_mut(node) {
            *lowest = (*lowest).min(to);
        }
    }

    fn leave(&mut self, node: usize) {
        if self.order_of(node) != self.lowest.get(node).copied() {
            return;
        }
        let mut component = Vec::new();
        while let Some(member) = self.open.pop() {
            if let Some(is_open) = self.is_open.get_mut(member) {
                *is_open = false;
            }
            component.push(member);
            if member == node {
                break;
            }
        }
        self.components.push(component);
    }
}

fn definitions<'a>(modules: &[&'a Module]) -> Vec<(Vec<String>, &'a Rule)> {
    let mut definitions = Vec::new();
    for module in modules {
        let package = package_of(module);
        for rule in &module.policy {
            let (name, _) = head_of(rule.as_ref());
            let mut path = package.clone();
            path.extend(name);
            definitions.push((path, rule.as_ref()));
        }
    }
    definitions
}

/// What names mean in one module.
struct Names {
    package: Vec<String>,
    imports: BTreeMap<String, Vec<String>>,
}

impl Names {
    fn of(module: &Module) -> Self {
        Self {
            package: package_of(module),
            imports: checks::imports_of(module),
        }
    }

    /// The paths below `data` that a reference can mean. The engine falls back to the own package
    /// when an import does not have the name, so both count.
    fn resolve(&self, reference: &[String]) -> Vec<Vec<String>> {
        let Some((root, rest)) = reference.split_first() else {
            return Vec::new();
        };
        if root == "data" {
            return vec![rest.to_vec()];
        }
        let mut own = self.package.clone();
        own.extend_from_slice(reference);
        let imported = self.imports.get(root).map(|target| {
            let mut path = target.clone();
            path.extend_from_slice(rest);
            path
        });
        imported.into_iter().chain([own]).collect()
    }
}
