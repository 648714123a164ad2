//! From modules to a plan: rules gathered by their paths, each resolved and emitted.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Plan, Unresolved,
    code::{
        Branch, Complete, Definition, Empty, Expr, Member, MemberBody, MemberValue, Rule, RuleId,
        RuleKind, Slot,
    },
    emit::Emitter,
    expand::requires_evaluation,
    names::{Definitions, Imports, Replaced, imports_of, joined},
    order::Bound,
    resolve::Resolver,
    resolved::{Literal, LiteralKind, Node},
    tree::Tree,
    used::{declared_by, undeclared},
};
use crate::{
    builtins::Patterns,
    front::{self, Body, HeadValue, Module, Place, Term, TermKind, names_of},
    value::Value,
};

/// One definition as it was found.
struct Found<'a> {
    module: usize,
    rule: &'a front::Rule,
    /// Names between the path of what it defines and its own.
    prefix: Vec<String>,
}

/// What defines one path.
struct Group<'a> {
    path: Vec<String>,
    definitions: Vec<Found<'a>>,
    /// Rules at longer paths, whose values are part of this one.
    below: Vec<(Vec<String>, RuleId)>,
    /// Whether it has a place in the tree of its own.
    is_in_tree: bool,
}

/// Compiles modules, each with its path, over the data of their bundle.
/// Errors: for each rule that can't be compiled, its module and why.
pub(crate) fn compile(
    modules: &[(&str, &Module)],
    data: &Value,
) -> Result<Plan, Vec<(usize, Unresolved)>> {
    let packages: Vec<Vec<String>> = modules
        .iter()
        .map(|(_, module)| names_of(&module.package))
        .collect();
    let imports: Vec<Imports> = modules
        .iter()
        .map(|(_, module)| imports_of(module))
        .collect();
    let groups = gather(modules, &packages);
    let mut compiler = Compiler {
        packages: &packages,
        imports: &imports,
        definitions: definitions(modules, &packages, &groups),
        replaced: Replaced::default(),
        patterns: Patterns::default(),
        errors: Vec::new(),
    };
    let drafts: Vec<Draft> = groups.iter().map(|group| compiler.draft(group)).collect();
    let in_tree: Vec<(Vec<String>, RuleId, bool)> = groups
        .iter()
        .enumerate()
        .filter(|(_, group)| group.is_in_tree)
        .map(|(id, group)| (group.path.clone(), id, group.is_partial()))
        .collect();
    let tree = Tree::new(
        &packages,
        &in_tree,
        data,
        std::mem::take(&mut compiler.replaced),
    );
    let mut rules = Vec::new();
    for (group, draft) in groups.iter().zip(drafts) {
        rules.push(Rule {
            kind: compiler.emit(&tree, group, draft),
        });
    }
    if !compiler.errors.is_empty() {
        return Err(compiler.errors);
    }
    Ok(Plan {
        rules,
        nodes: tree.nodes,
        data: data.clone(),
        patterns: compiler.patterns,
        modules: modules.iter().map(|(path, _)| (*path).to_owned()).collect(),
    })
}

/// The names of a rule's head that say where it stands, and the steps that don't.
fn split_head(head: &front::Head) -> (Vec<String>, &[Term]) {
    match &head.name.kind {
        TermKind::Ref(first, steps) => {
            let names: Vec<String> = steps
                .iter()
                .map_while(|step| match &step.kind {
                    TermKind::Text(name) => Some(name.clone()),
                    _ => None,
                })
                .collect();
            let rest = steps.get(names.len()..).unwrap_or_default();
            let mut path = vec![first.name().unwrap_or_default().to_owned()];
            path.extend(names);
            (path, rest)
        }
        _ => (vec![head.name.name().unwrap_or_default().to_owned()], &[]),
    }
}

impl Found<'_> {
    fn is_partial(&self) -> bool {
        let is_set = matches!(self.rule.head.value, HeadValue::Contains(_));
        is_set || !split_head(&self.rule.head).1.is_empty()
    }

    fn parameters(&self) -> Option<&[Term]> {
        self.rule.head.parameters.as_deref()
    }
}

impl Group<'_> {
    fn is_partial(&self) -> bool {
        !self.below.is_empty() || self.definitions.iter().any(Found::is_partial)
    }
}

/// Rules by path. A path with rules whose heads go on with a variable takes in those below it.
fn gather<'a>(modules: &[(&str, &'a Module)], packages: &[Vec<String>]) -> Vec<Group<'a>> {
    let mut by_path: BTreeMap<Vec<String>, Vec<Found<'a>>> = BTreeMap::new();
    for (index, ((_, module), package)) in modules.iter().zip(packages).enumerate() {
        for rule in &module.rules {
            let path = joined(package, &split_head(&rule.head).0);
            let found = Found {
                module: index,
                rule,
                prefix: Vec::new(),
            };
            by_path.entry(path).or_default().push(found);
        }
    }
    let mut groups: Vec<Group<'a>> = Vec::new();
    // A path comes right before those below it.
    let mut open: Option<RuleId> = None;
    for (path, definitions) in by_path {
        let id = groups.len();
        let above = open.and_then(|open| groups.get_mut(open));
        let above = above.filter(|above| path.starts_with(&above.path));
        let is_partial = definitions.iter().any(Found::is_partial);
        let is_in_tree = above.is_none();
        if let Some(above) = above {
            let rest = path.get(above.path.len()..).unwrap_or_default();
            if is_partial {
                above
                    .definitions
                    .extend(definitions.into_iter().map(|found| Found {
                        prefix: rest.to_vec(),
                        ..found
                    }));
                continue;
            }
            if definitions.iter().all(|found| found.parameters().is_none()) {
                above.below.push((rest.to_vec(), id));
            }
        } else {
            let goes_on = |found: &Found<'_>| !split_head(&found.rule.head).1.is_empty();
            let is_open = is_partial && definitions.iter().any(goes_on);
            open = is_open.then_some(id);
        }
        groups.push(Group {
            path,
            definitions,
            below: Vec::new(),
            is_in_tree,
        });
    }
    groups
}

fn definitions(
    modules: &[(&str, &Module)],
    packages: &[Vec<String>],
    groups: &[Group<'_>],
) -> Definitions {
    let mut by_package: BTreeMap<Vec<String>, BTreeSet<String>> = BTreeMap::new();
    for ((_, module), package) in modules.iter().zip(packages) {
        let names = by_package.entry(package.clone()).or_default();
        for rule in &module.rules {
            names.extend(split_head(&rule.head).0.into_iter().next());
        }
    }
    let functions = groups.iter().enumerate().filter_map(|(id, group)| {
        let parameters = group.definitions.iter().find_map(Found::parameters)?;
        Some((group.path.clone(), (id, parameters.len())))
    });
    Definitions {
        by_package,
        functions: functions.collect(),
    }
}

/// A rule whose names are resolved.
enum Draft {
    Complete(Vec<Option<DraftDefinition>>),
    Partial(Vec<Option<DraftMember>>),
}

struct DraftDefinition {
    names: Vec<String>,
    parameters: Vec<Node>,
    branches: Vec<(Vec<Literal>, Node)>,
}

struct DraftMember {
    names: Vec<String>,
    body: Vec<Literal>,
    path: Vec<Node>,
    value: Node,
    is_set: bool,
}

struct Compiler<'a> {
    packages: &'a [Vec<String>],
    imports: &'a [Imports],
    definitions: Definitions,
    replaced: Replaced,
    patterns: Patterns,
    errors: Vec<(usize, Unresolved)>,
}

/// Where the key stands that a partial rule is asked for.
const KEY: Slot = 0;

impl Compiler<'_> {
    fn draft(&mut self, group: &Group<'_>) -> Draft {
        let definitions = group.definitions.iter();
        if group.is_partial() {
            Draft::Partial(definitions.map(|found| self.draft_member(found)).collect())
        } else {
            Draft::Complete(
                definitions
                    .map(|found| self.draft_definition(found))
                    .collect(),
            )
        }
    }

    /// Resolves with a resolver of the definition's module; what it finds is kept.
    fn resolved<T>(
        &mut self,
        found: &Found<'_>,
        resolve: impl FnOnce(&mut Resolver<'_>) -> Result<T, Unresolved>,
    ) -> Option<(T, Vec<String>)> {
        let package = self.packages.get(found.module)?;
        let imports = self.imports.get(found.module)?;
        let mut resolver = Resolver::new(package, imports, &self.definitions);
        let result = resolve(&mut resolver);
        self.replaced.paths.append(&mut resolver.replaced.paths);
        self.replaced.callees.append(&mut resolver.replaced.callees);
        match result {
            Ok(result) => Some((result, resolver.names)),
            Err(error) => {
                self.errors.push((found.module, error));
                None
            }
        }
    }

    fn draft_definition(&mut self, found: &Found<'_>) -> Option<DraftDefinition> {
        let rule = found.rule;
        let value = match &rule.head.value {
            HeadValue::Is(value) | HeadValue::Contains(value) => Some(value),
            HeadValue::Implied => None,
        };
        let others = rule.otherwise.iter();
        let others = others.map(|other| (other.body.as_ref(), other.value.as_ref()));
        let branches: Vec<(Option<&Body>, Option<&Term>)> = [(rule.body.as_ref(), value)]
            .into_iter()
            .chain(others)
            .collect();
        let terms = rule.head.parameters.as_deref().unwrap_or_default();
        let ((parameters, branches), names) = self.resolved(found, |resolver| {
            let parameters = resolver.parameters(terms)?;
            let branches = branches.into_iter().map(|(body, value)| {
                let names = undeclared(body.map_or(&[], Vec::as_slice), value);
                let inside = |resolver: &mut Resolver<'_>| {
                    let mut literals = resolver.computed_parameters(terms, &parameters)?;
                    if let Some(body) = body {
                        literals.append(&mut resolver.body(body)?);
                    }
                    let value = value.map(|value| resolver.term(value)).transpose()?;
                    Ok((literals, value.unwrap_or(Node::Const(Value::Bool(true)))))
                };
                resolver.framed(names_of_parameters(terms), body, |resolver| {
                    resolver.scoped(names, inside)
                })
            });
            let branches = branches.collect::<Result<_, _>>()?;
            Ok((parameters, branches))
        })?;
        Some(DraftDefinition {
            names,
            parameters,
            branches,
        })
    }

    fn draft_member(&mut self, found: &Found<'_>) -> Option<DraftMember> {
        let rule = found.rule;
        let (_, path) = split_head(&rule.head);
        let (value, is_set) = match &rule.head.value {
            HeadValue::Is(value) => (Some(value), false),
            HeadValue::Contains(value) => (Some(value), true),
            HeadValue::Implied => (None, false),
        };
        let body = rule.body.as_ref();
        let ((body, path, value), names) = self.resolved(found, |resolver| {
            resolver.fresh("key");
            let heads = path.iter().chain(value);
            let names = undeclared(body.map_or(&[], Vec::as_slice), heads);
            let inside = |resolver: &mut Resolver<'_>| {
                let body = body.map(|body| resolver.body(body)).transpose()?;
                let names = found.prefix.iter();
                let names = names.map(|name| Ok(Node::Const(Value::from(name.as_str()))));
                let path = names.chain(path.iter().map(|step| resolver.term(step)));
                let path = path.collect::<Result<Vec<Node>, _>>()?;
                let value = value.map(|value| resolver.term(value)).transpose()?;
                let value = value.unwrap_or(Node::Const(Value::Bool(true)));
                Ok((body.unwrap_or_default(), path, value))
            };
            resolver.framed(BTreeSet::new(), body, |resolver| {
                resolver.scoped(names, inside)
            })
        })?;
        Some(DraftMember {
            names,
            body,
            path,
            value,
            is_set,
        })
    }

    fn emit(&mut self, tree: &Tree, group: &Group<'_>, draft: Draft) -> RuleKind {
        match draft {
            Draft::Complete(drafts) => self.emit_complete(tree, group, drafts),
            Draft::Partial(drafts) => {
                let mut members = Vec::new();
                for (found, draft) in group.definitions.iter().zip(drafts) {
                    let Some(draft) = draft else { continue };
                    match member(tree, &mut self.patterns, found, draft) {
                        Ok(member) => members.push(member),
                        Err(error) => self.errors.push((found.module, error)),
                    }
                }
                let place = group.definitions.first().map(|found| found.rule.place);
                let module = group.definitions.first().map_or(0, |found| found.module);
                let below = group.below.iter();
                members.extend(
                    below.map(|(path, rule)| {
                        of_rule(module, place.unwrap_or_default(), path, *rule)
                    }),
                );
                add_empty(&mut members);
                RuleKind::Partial(members)
            }
        }
    }

    fn emit_complete(
        &mut self,
        tree: &Tree,
        group: &Group<'_>,
        drafts: Vec<Option<DraftDefinition>>,
    ) -> RuleKind {
        let (mut definitions, mut default) = (Vec::new(), None);
        for (found, draft) in group.definitions.iter().zip(drafts) {
            let Some(draft) = draft else { continue };
            match definition(tree, &mut self.patterns, found, draft) {
                Ok(definition) if found.rule.is_default => default = Some(definition),
                Ok(definition) => definitions.push(definition),
                Err(error) => self.errors.push((found.module, error)),
            }
        }
        let complete = Complete {
            is_uniform: is_uniform(&definitions),
            definitions,
            default,
        };
        let parameters = group.definitions.iter().find_map(Found::parameters);
        match parameters {
            Some(_) => RuleKind::Function(complete),
            None => RuleKind::Complete(complete),
        }
    }
}

fn names_of_parameters(terms: &[Term]) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for term in terms {
        declared_by(term, &mut names);
    }
    names
}

fn is_uniform(definitions: &[Definition]) -> bool {
    let mut constants = definitions
        .iter()
        .map(|definition| match definition.branches.as_slice() {
            [
                Branch {
                    value: Expr::Const(value),
                    ..
                },
            ] => Some(value),
            _ => None,
        });
    let first = constants.next().flatten();
    first.is_some() && constants.all(|value| value == first)
}

fn definition(
    tree: &Tree,
    patterns: &mut Patterns,
    found: &Found<'_>,
    draft: DraftDefinition,
) -> Result<Definition, Unresolved> {
    let mut names = draft.names;
    let place = found.rule.place;
    let mut emitter = Emitter {
        tree,
        patterns,
        names: &mut names,
        bound: Bound::default(),
        ops: Vec::new(),
        found: None,
    };
    let parameters = draft.parameters.into_iter();
    let parameters = parameters.map(|parameter| emitter.pattern(place, parameter));
    let parameters = parameters.collect::<Result<_, _>>()?;
    let after = emitter.bound.clone();
    let mut branches = Vec::new();
    for (literals, value) in draft.branches {
        emitter.bound = after.clone();
        emitter.body(literals)?;
        let value = emitter.head(place, value)?;
        branches.push(Branch {
            body: std::mem::take(&mut emitter.ops),
            value,
        });
    }
    Ok(Definition {
        module: found.module,
        place,
        slots: names.len(),
        parameters,
        branches,
    })
}

fn member(
    tree: &Tree,
    patterns: &mut Patterns,
    found: &Found<'_>,
    draft: DraftMember,
) -> Result<Member, Unresolved> {
    let mut names = draft.names.clone();
    let place = found.rule.place;
    let first = draft.path.first().unwrap_or(&draft.value).clone();
    let all = member_body(tree, patterns, place, &mut names, &draft, Bound::default())?;
    let mut bound = Bound::default();
    bound.add(KEY);
    let is_last = requires_evaluation(&first);
    let key = Literal {
        place,
        is_negated: false,
        kind: LiteralKind::Unify(first, Node::Var(KEY)),
        with: Vec::new(),
    };
    let mut draft = draft;
    let at = if is_last { draft.body.len() } else { 0 };
    draft.body.insert(at, key);
    let one = member_body(tree, patterns, place, &mut names, &draft, bound);
    Ok(Member {
        module: found.module,
        place,
        slots: names.len(),
        all,
        one: one.ok(),
        empty: Some(ground(&draft)),
    })
}

/// As far as a head says its place outright.
fn ground(draft: &DraftMember) -> Empty {
    let path = draft.path.iter().map_while(|step| match step {
        Node::Const(step) if step.size().depth == 0 => Some(step.clone()),
        _ => None,
    });
    Empty {
        path: path.collect(),
        is_set: draft.is_set,
    }
}

/// Finds out what exists without members. Source: OPA, whose tree of rules has a node for each
/// constant of a head.
fn add_empty(members: &mut [Member]) {
    let grounds = members.iter().filter_map(|member| member.empty.as_ref());
    let grounds: Vec<Vec<Value>> = grounds.map(|ground| ground.path.clone()).collect();
    for member in members {
        let Some(mut own) = member.empty.take() else {
            continue;
        };
        let above =
            |other: &Vec<Value>| other.len() < own.path.len() && own.path.starts_with(other);
        let is_above = grounds.iter().any(above);
        let is_whole = own.path.len() == member.all.path.len();
        own.is_set &= is_whole;
        if is_whole && !own.is_set {
            own.path.pop();
        }
        member.empty = Some(own).filter(|own| !is_above && !own.path.is_empty());
    }
}

fn member_body(
    tree: &Tree,
    patterns: &mut Patterns,
    place: Place,
    names: &mut Vec<String>,
    draft: &DraftMember,
    bound: Bound,
) -> Result<MemberBody, Unresolved> {
    let mut emitter = Emitter {
        tree,
        patterns,
        names,
        bound,
        ops: Vec::new(),
        found: None,
    };
    emitter.body(draft.body.clone())?;
    let path = draft.path.iter().cloned();
    let path = path.map(|step| emitter.head(place, step));
    let path = path.collect::<Result<_, _>>()?;
    let value = emitter.head(place, draft.value.clone())?;
    Ok(MemberBody {
        body: emitter.ops,
        path,
        value: if draft.is_set {
            MemberValue::Contains(value)
        } else {
            MemberValue::Is(value)
        },
    })
}

/// Another rule's value as part of this one.
fn of_rule(module: usize, place: Place, path: &[String], rule: RuleId) -> Member {
    let names = path
        .iter()
        .map(|name| Expr::Const(Value::from(name.as_str())));
    Member {
        module,
        place,
        slots: 1,
        all: MemberBody {
            body: Vec::new(),
            path: names.collect(),
            value: MemberValue::Is(Expr::Rule(rule)),
        },
        one: None,
        empty: Some(Empty {
            path: path.iter().map(|name| Value::from(name.as_str())).collect(),
            is_set: false,
        }),
    }
}
