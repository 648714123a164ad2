//! What needs what, and what needs itself. Source: OPA, `v1/ast/compile.go`, its graph of rules.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    rc::Rc,
};

use super::{
    components::{Vertex, components},
    finding::{Code, Effort, Finding},
    known::{Values, expanded, note},
    paths::{Index, Paths, ROOT, shown, value_of},
    tree::{DATA, Expr, ExprKind, Function, Kind, Rule, Target, Term, WithValue},
    type_system::Type,
    typing::Layer,
};
use crate::value::Value;

/// 20: rules of which it is told that they need themselves.
const FINDINGS_MAX: usize = 20;

/// Which rules need which.
pub(super) struct Graph<'r, 'a> {
    rules: &'r [Rule<'a>],
    paths: &'r Paths,
    edges: Vec<Vec<Vertex>>,
    /// The vertices of references, so that each is looked up once.
    references: BTreeMap<Vec<Option<Value>>, Vertex>,
    /// The branches of a rule.
    branches: BTreeMap<usize, Vec<usize>>,
}

impl<'r, 'a> Graph<'r, 'a> {
    /// Connects all rules.
    pub(super) fn of(rules: &'r [Rule<'a>], paths: &'r Paths, effort: &mut Effort) -> Self {
        let mut branches: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        let mut firsts: BTreeMap<usize, usize> = BTreeMap::new();
        for (index, rule) in rules.iter().enumerate() {
            if let Some(before) = rule.follows {
                let first = firsts.get(&before).copied().unwrap_or(before);
                firsts.insert(index, first);
                branches.entry(first).or_default().push(index);
            }
        }
        let mut graph = Self {
            rules,
            paths,
            edges: vec![Vec::new(); rules.len().saturating_add(paths.len())],
            references: BTreeMap::new(),
            branches,
        };
        for index in 0..paths.len() {
            let edges = graph.below(index);
            let vertex = graph.vertex_of(index);
            if let Some(slot) = graph.edges.get_mut(vertex) {
                *slot = edges;
            }
        }
        // What a rule needs that is wrong already is not certain.
        for (index, rule) in rules.iter().enumerate().filter(|(_, rule)| !rule.is_wrong) {
            let edges = graph.needed(rule, effort);
            if let Some(slot) = graph.edges.get_mut(index) {
                slot.extend(edges);
            }
        }
        graph
    }

    const fn vertex_of(&self, index: Index) -> Vertex {
        self.rules.len().saturating_add(index)
    }

    fn with_branches(&self, rule: usize) -> impl Iterator<Item = usize> {
        let branches = self.branches.get(&rule).into_iter().flatten().copied();
        [rule].into_iter().chain(branches)
    }

    /// What all rules at a path and below it are.
    fn below(&self, index: Index) -> Vec<Vertex> {
        let Some(node) = self.paths.node(index) else {
            return Vec::new();
        };
        let rules = node.rules.iter().flat_map(|rule| self.with_branches(*rule));
        let children = node.children.values();
        rules
            .chain(children.map(|child| self.vertex_of(*child)))
            .collect()
    }

    fn needed(&mut self, rule: &Rule<'a>, effort: &mut Effort) -> BTreeSet<Vertex> {
        let mut needed = BTreeSet::new();
        let mut known = Values::new();
        let mut found = Vec::new();
        for expr in &rule.body {
            references_of(expr, &mut found);
            self.resolve(&mut found, &known, &mut needed, effort);
            note(expr, &mut known);
        }
        for term in [&rule.value].into_iter().chain(&rule.parameters) {
            references_in(term, &mut found);
        }
        self.resolve(&mut found, &known, &mut needed, effort);
        needed
    }

    fn resolve(
        &mut self,
        found: &mut Vec<&[Term<'a>]>,
        known: &Values,
        needed: &mut BTreeSet<Vertex>,
        effort: &mut Effort,
    ) {
        for steps in found.drain(..) {
            for reference in expanded(steps, known) {
                needed.insert(self.reference(reference, effort));
            }
        }
    }

    /// The types of the rules that need what `with` replaces, those of it included, by its path: nothing
    /// is known of them. What no rule defines is left out. Source: OPA, `relaxedDependents`.
    pub(super) fn dependents(
        &self,
        replaced: &BTreeSet<Vec<Value>>,
        effort: &mut Effort,
    ) -> BTreeMap<Vec<Value>, Rc<Layer>> {
        let mut needing = BTreeMap::new();
        if replaced.is_empty() {
            return needing;
        }
        let mut needed_by = vec![Vec::new(); self.edges.len()];
        for (vertex, edges) in self.edges.iter().enumerate() {
            for needed in edges {
                if let Some(slot) = needed_by.get_mut(*needed) {
                    slot.push(vertex);
                }
            }
        }
        for path in replaced {
            if !effort.spend(self.edges.len()) {
                break;
            }
            let mut layer = Layer::default();
            let mut is_any = false;
            for rule in self.reached(self.rules_of(path), &needed_by) {
                let prefix: Vec<Value> = rule.path.iter().map_while(value_of).collect();
                if rule.parameters.is_empty() || prefix != *path {
                    layer.data.put(&prefix, Type::anything());
                    is_any = true;
                }
            }
            if is_any {
                needing.insert(path.clone(), Rc::new(layer));
            }
        }
        needing
    }

    /// The rules at a path, above and below it.
    fn rules_of(&self, path: &[Value]) -> Vec<Vertex> {
        let rules = self.rules.iter().enumerate();
        let meets = rules.filter(|(_, rule)| {
            let mut pairs = rule.path.iter().zip(path);
            pairs.all(|(step, key)| value_of(step).is_none_or(|step| step == *key))
        });
        meets.map(|(index, _)| index).collect()
    }

    /// The rules among vertices and all that can reach them.
    fn reached(&self, from: Vec<Vertex>, needed_by: &[Vec<Vertex>]) -> Vec<&'r Rule<'a>> {
        let mut seen: BTreeSet<Vertex> = from.iter().copied().collect();
        let mut pending = from;
        while let Some(vertex) = pending.pop() {
            let next = needed_by.get(vertex).into_iter().flatten().copied();
            pending.extend(next.filter(|vertex| seen.insert(*vertex)));
        }
        seen.into_iter()
            .filter_map(|vertex| self.rules.get(vertex))
            .collect()
    }

    /// The vertex of a reference; where a step is not known, any may stand.
    fn reference(&mut self, steps: Vec<Option<Value>>, effort: &mut Effort) -> Vertex {
        if let Some(vertex) = self.references.get(&steps) {
            return *vertex;
        }
        let mut edges = Vec::new();
        let mut pending = vec![(ROOT, 0_usize)];
        while let Some((index, depth)) = pending.pop() {
            let (Some(node), true) = (self.paths.node(index), effort.spend(1)) else {
                continue;
            };
            let Some(step) = steps.get(depth) else {
                edges.push(self.vertex_of(index));
                continue;
            };
            let below = depth.saturating_add(1);
            let children: Vec<Index> = match step {
                Some(key) => node.children.get(key).copied().into_iter().collect(),
                None => node.children.values().copied().collect(),
            };
            for child in children {
                let rules = self.paths.node(child).map(|node| node.rules.as_slice());
                for rule in rules.unwrap_or_default() {
                    let meets = self
                        .rules
                        .get(*rule)
                        .is_some_and(|rule| meets(&rule.path, &steps, below));
                    if effort.spend(1) && meets {
                        edges.extend(self.with_branches(*rule));
                    }
                }
                pending.push((child, below));
            }
        }
        let vertex = self.edges.len();
        self.edges.push(edges);
        self.references.insert(steps, vertex);
        vertex
    }

    /// Groups of vertices that need each other, those that are needed first.
    pub(super) fn components(&self) -> Vec<Vec<Vertex>> {
        components(&self.edges)
    }

    fn edges(&self, vertex: Vertex) -> &[Vertex] {
        self.edges.get(vertex).map_or(&[], Vec::as_slice)
    }

    /// Finds the rules that need themselves.
    pub(super) fn recursion(&self, components: &[Vec<Vertex>]) -> (Vec<Finding>, BTreeSet<usize>) {
        let mut findings = Vec::new();
        let mut recursive = BTreeSet::new();
        for component in components {
            let is_cycle = match component.as_slice() {
                [single] => self.edges(*single).contains(single),
                _ => true,
            };
            if !is_cycle {
                continue;
            }
            let members: BTreeSet<Vertex> = component.iter().copied().collect();
            for index in members.iter().filter(|one| **one < self.rules.len()) {
                recursive.insert(*index);
                if findings.len() < FINDINGS_MAX {
                    findings.extend(self.cycle(*index, &members));
                }
            }
        }
        (findings, recursive)
    }

    /// The shortest way from a rule to itself.
    fn cycle(&self, rule: usize, members: &BTreeSet<Vertex>) -> Option<Finding> {
        let mut came_from: BTreeMap<Vertex, Vertex> = BTreeMap::new();
        let mut queue = VecDeque::from([rule]);
        while let Some(vertex) = queue.pop_front() {
            for next in self
                .edges(vertex)
                .iter()
                .filter(|next| members.contains(next))
            {
                if !came_from.contains_key(next) {
                    came_from.insert(*next, vertex);
                    queue.push_back(*next);
                }
            }
        }
        let mut way = vec![rule];
        let mut at = *came_from.get(&rule)?;
        while at != rule {
            if at < self.rules.len() {
                way.push(at);
            }
            at = *came_from.get(&at)?;
        }
        way.push(rule);
        let names = way.iter().rev().filter_map(|one| self.rules.get(*one));
        let names: Vec<String> = names.map(|one| shown(&one.path)).collect();
        let rule = self.rules.get(rule)?;
        let message = format!(
            "recursion: rule `{}` needs itself: {}",
            shown(&rule.path),
            names.join(" -> ")
        );
        Some(Finding::at(
            Code::Recursion,
            rule.module,
            rule.place,
            message,
        ))
    }
}

/// Whether a rule's path from a step on can be what a reference says there.
fn meets(path: &[Term<'_>], steps: &[Option<Value>], from: usize) -> bool {
    let pairs = path.iter().zip(steps).skip(from);
    let mut known = pairs.filter_map(|(one, other)| Some((value_of(one)?, other.as_ref()?)));
    known.all(|(one, other)| one == *other)
}

fn references_of<'t, 'a>(expr: &'t Expr<'a>, found: &mut Vec<&'t [Term<'a>]>) {
    match &expr.kind {
        ExprKind::Term(term) => references_in(term, found),
        ExprKind::Call(function, arguments) => {
            if let Function::Rule(steps) = function {
                found.push(steps);
            }
            for argument in arguments {
                references_in(argument, found);
            }
        }
        ExprKind::Every(every) => {
            references_in(&every.domain, found);
            for expr in &every.body {
                references_of(expr, found);
            }
        }
    }
    for with in expr.with.iter() {
        if let Target::Reference(base, steps) = &with.target {
            if *base == DATA {
                found.push(steps);
            }
            for step in steps {
                references_in(step, found);
            }
        }
        if let WithValue::Term(term) = &with.value {
            references_in(term, found);
        }
    }
}

fn references_in<'t, 'a>(term: &'t Term<'a>, found: &mut Vec<&'t [Term<'a>]>) {
    match &term.kind {
        Kind::Reference(base, steps) => {
            if *base == DATA {
                found.push(steps);
            }
            for step in steps {
                references_in(step, found);
            }
        }
        Kind::Array(items) | Kind::Set(items) => {
            for item in items {
                references_in(item, found);
            }
        }
        Kind::Object(fields) => {
            for (key, value) in fields {
                references_in(key, found);
                references_in(value, found);
            }
        }
        Kind::Comprehension(comprehension) => {
            for term in comprehension.key.iter().chain([&comprehension.value]) {
                references_in(term, found);
            }
            for expr in &comprehension.body {
                references_of(expr, found);
            }
        }
        Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::Text(_) | Kind::Variable(_) => {}
    }
}
