//! What types say about a rule. Source: OPA, `v1/ast/check.go`.

use std::{
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
};

use super::{
    calls::name_of,
    finding::{Code, Effort, Finding, Names},
    fitting::{fits, function, has_empty_collection, without_empty_collections},
    paths::{shown, value_of},
    rule_types::{RuleTypes, selected},
    tree::{
        Comprehension, DATA, Expr, ExprKind, Function, INPUT, Kind, Rule, Shape, Target, Term,
        Variable, With, WithValue,
    },
    type_system::{self, Known, Type, is_unknown, or},
    variables::{Inside, Variables, bodies_in},
};
use crate::{builtins::declarations::Declaration, front::ast::Place, value::Value};

/// Checks rules, each after those that it needs.
pub(super) struct Typing<'t, 'a> {
    pub(super) rules: RuleTypes,
    pub(super) names: &'t Names<'a>,
    pub(super) effort: &'t mut Effort,
    /// Paths that `with` replaces somewhere.
    pub(super) replaced: BTreeSet<Vec<Value>>,
    /// The types of variables, from the outermost body to the innermost.
    pub(super) layers: Vec<BTreeMap<Variable, Type>>,
    /// The types of comprehensions, by the variables that they are told apart by.
    pub(super) made: BTreeMap<Variable, Known>,
    pub(super) builtins: BTreeMap<&'static str, Rc<type_system::Function>>,
    /// The types of rules that follow from what `with` replaces, by its path.
    pub(super) dependents: BTreeMap<Vec<Value>, Rc<Layer>>,
    /// What `with` replaces for the expression at hand, from the outermost to the innermost.
    pub(super) replacements: Vec<Rc<Layer>>,
}

/// What is known of documents under a `with`, where that differs.
#[derive(Default)]
pub(super) struct Layer {
    pub(super) data: RuleTypes,
    pub(super) input: RuleTypes,
}

/// Why an expression can't be true.
pub(super) struct Wrong {
    pub(super) place: Place,
    pub(super) message: String,
    /// Whether it may only follow from another error.
    pub(super) may_follow: bool,
}

impl<'a> Typing<'_, 'a> {
    /// Checks a rule, and notes its type.
    pub(super) fn rule(&mut self, rule: &Rule<'a>, findings: &mut Vec<Finding>) {
        let prefix: Vec<Value> = rule.path.iter().map_while(value_of).collect();
        self.layers = vec![BTreeMap::new()];
        self.made.clear();
        if rule.is_wrong {
            self.rules.put(&prefix, Type::anything());
            return;
        }
        let mut wrongs = Vec::new();
        self.body(&rule.body, &mut wrongs);
        if !wrongs.is_empty() {
            self.rules.put(&prefix, Type::anything());
            findings.extend(
                wrongs
                    .into_iter()
                    .map(|wrong| Finding::at(Code::Type, rule.module, wrong.place, wrong.message)),
            );
            return;
        }
        let Some(mut known) = self.type_of_rule(rule, prefix.len()) else {
            return;
        };
        let is_replaced = |path: &Vec<Value>| path.starts_with(&prefix) || prefix.starts_with(path);
        if has_empty_collection(&known) && self.replaced.iter().any(is_replaced) {
            known = without_empty_collections(&known);
        }
        if self.effort.spend(prefix.len()) {
            self.rules.insert(&prefix, &known);
        }
    }

    fn type_of_rule(&mut self, rule: &Rule<'a>, ground: usize) -> Known {
        if !rule.parameters.is_empty() {
            let mut parameters = Variables::new();
            for parameter in &rule.parameters {
                super::variables::Scan::All.term(parameter, &mut parameters);
            }
            for variable in parameters.into_keys() {
                if self.variable(variable).is_none() {
                    self.put(variable, Some(Type::anything()));
                }
            }
            let arguments = rule.parameters.iter().map(|one| self.of(one)).collect();
            let result = self.of(&rule.value);
            let (arguments, is_variadic) = (arguments, false);
            return Some(Type::Function(Rc::new(type_system::Function {
                arguments,
                result,
                is_variadic,
            })));
        }
        let mut known = self.of(&rule.value)?;
        if rule.is_partial_set {
            known = Type::set(Some(known));
        }
        for step in rule.path.get(ground..).unwrap_or_default().iter().rev() {
            let key = self.of(step)?;
            known = Type::object(Vec::new(), Some((Some(key), Some(known))));
        }
        Some(known)
    }

    pub(super) fn variable(&self, variable: Variable) -> Known {
        let mut layers = self.layers.iter().rev();
        layers.find_map(|layer| layer.get(&variable).cloned())
    }

    pub(super) fn put(&mut self, variable: Variable, known: Known) {
        if let (Some(layer), Some(known)) = (self.layers.last_mut(), known) {
            layer.insert(variable, known);
        }
    }

    /// Checks a body in the layer at hand.
    fn body(&mut self, body: &[Expr<'a>], wrongs: &mut Vec<Wrong>) {
        for expr in body {
            if !self.effort.spend(8) {
                return;
            }
            let outer = self.replacements.len();
            self.replace(&expr.with);
            let before = wrongs.len();
            self.closures(expr, wrongs);
            self.references(expr, wrongs);
            if let Some(wrong) = self.expr(expr)
                && !(wrong.may_follow && wrongs.len() > before)
            {
                wrongs.push(wrong);
            }
            self.replacements.truncate(outer);
        }
    }

    /// Notes what modifiers replace: a replaced document may also be what replaces it, and of the rules
    /// that need it nothing is known. Source: OPA, `withEnv`.
    fn replace(&mut self, withs: &[With<'a>]) {
        if withs.is_empty() {
            return;
        }
        let mut dependents = Vec::new();
        let mut replaced = Layer::default();
        for with in withs {
            let Target::Reference(base, steps) = &with.target else {
                continue;
            };
            let prefix: Vec<Value> = steps.iter().map_while(value_of).collect();
            if *base == INPUT {
                replaced.input.put(&prefix, Type::anything());
            }
            if *base != DATA {
                continue;
            }
            dependents.extend(self.dependents.get(&prefix).map(Rc::clone));
            let declared = self.reference(DATA, steps);
            if matches!(declared, Some(Type::Function(_))) {
                continue;
            }
            let value = match &with.value {
                WithValue::Term(term) if prefix.len() == steps.len() => self.of(term),
                _ => None,
            };
            let known = match (declared, value) {
                (Some(declared), Some(value)) => or(Some(declared), Some(value)),
                _ => None,
            };
            replaced
                .data
                .put(&prefix, known.unwrap_or_else(Type::anything));
        }
        self.replacements.extend(dependents);
        self.replacements.push(Rc::new(replaced));
    }

    /// Checks the comprehensions of an expression, those in the body of an `every` too.
    fn closures(&mut self, expr: &Expr<'a>, wrongs: &mut Vec<Wrong>) {
        let mut inside = Vec::new();
        bodies_in(expr, &mut |one| inside.push(one));
        for one in inside {
            match one {
                Inside::Comprehension(comprehension) => self.comprehension(comprehension, wrongs),
                Inside::Every(every) => {
                    for expr in &every.body {
                        self.closures(expr, wrongs);
                    }
                }
            }
        }
    }

    fn comprehension(&mut self, made: &Comprehension<'a>, wrongs: &mut Vec<Wrong>) {
        self.layers.push(BTreeMap::new());
        let before = wrongs.len();
        self.body(&made.body, wrongs);
        let known = (wrongs.len() == before).then(|| {
            let value = self.of(&made.value);
            match made.shape {
                Shape::Array => Type::array(Vec::new(), value),
                Shape::Set => Type::set(value),
                Shape::Object => {
                    let key = made.key.as_ref().and_then(|key| self.of(key));
                    Type::object(Vec::new(), Some((key, value)))
                }
            }
        });
        self.layers.pop();
        self.made.insert(made.id, known);
    }

    /// The type of a term.
    pub(super) fn of(&mut self, term: &Term<'a>) -> Known {
        Some(match &term.kind {
            Kind::Null => Type::Null,
            Kind::Bool(_) => Type::Boolean,
            Kind::Number(_) => Type::Number,
            Kind::Text(_) => Type::Text,
            Kind::Variable(variable) => return self.variable(*variable),
            Kind::Reference(base, steps) => return self.reference(*base, steps),
            Kind::Array(items) => {
                let items = items.iter().map(|item| self.of(item)).collect();
                Type::array(items, None)
            }
            Kind::Set(items) => {
                let items = items.iter().map(|item| self.of(item));
                Type::set(items.fold(None, or))
            }
            Kind::Object(fields) => {
                let (mut known, mut rest) = (Vec::new(), None);
                for (key, value) in fields {
                    let value = self.of(value);
                    match value_of(key) {
                        Some(key) => known.push((key, value)),
                        None => rest = Some((self.of(key), value)),
                    }
                }
                Type::object(known, rest)
            }
            Kind::Comprehension(made) => return self.made.get(&made.id).cloned().flatten(),
        })
    }

    /// The type of what a reference leads to.
    pub(super) fn reference(&mut self, base: Variable, steps: &[Term<'a>]) -> Known {
        match base {
            INPUT => {
                let mut layers = self.replacements.iter().rev();
                let replaced = layers.find_map(|layer| layer.input.find(steps));
                replaced.unwrap_or_else(|| Some(Type::anything()))
            }
            DATA => {
                let mut layers = self.replacements.iter().rev();
                let replaced = layers.find_map(|layer| layer.data.find(steps));
                replaced.unwrap_or_else(|| self.rules.select(steps))
            }
            _ => selected(self.variable(base), steps),
        }
    }

    fn expr(&mut self, expr: &Expr<'a>) -> Option<Wrong> {
        if let Some(wrong) = expr.with.iter().find_map(|with| self.with(with)) {
            return Some(wrong);
        }
        let ExprKind::Call(function, arguments) = &expr.kind else {
            return None;
        };
        if let (Function::Unify, [left, right]) = (function, arguments.as_slice()) {
            return self.equation(expr.place, left, right);
        }
        if let Function::Builtin(builtin) = function {
            let wrong = match (builtin.name, arguments.as_slice()) {
                ("internal.member_2", [value, collection, ..]) => {
                    self.member(expr.place, None, value, collection)
                }
                ("internal.member_3", [key, value, collection, ..]) => {
                    self.member(expr.place, Some(key), value, collection)
                }
                _ => None,
            };
            if wrong.is_some() {
                return wrong;
            }
        }
        self.call(expr.place, function, arguments)
    }

    /// A function is replaced by one that takes what it takes, or by a value.
    fn with(&mut self, with: &With<'a>) -> Option<Wrong> {
        let (name, replaced) = match &with.target {
            Target::Builtin(builtin) => (
                builtin.name.to_owned(),
                Type::Function(self.builtin(builtin)),
            ),
            Target::Reference(DATA, steps) => (shown(steps), self.reference(DATA, steps)?),
            Target::Reference(..) | Target::Other => return None,
        };
        let by = match &with.value {
            WithValue::Builtin(builtin) => Type::Function(self.builtin(builtin)),
            WithValue::Term(term) => self.of(term)?,
        };
        let are_functions = matches!((&replaced, &by), (Type::Function(_), Type::Function(_)));
        (are_functions && !fits(&Some(replaced), &Some(by))).then(|| Wrong {
            place: with.place,
            message: format!("what replaces `{name}` takes other arguments"),
            may_follow: false,
        })
    }

    fn builtin(&mut self, builtin: &'static Declaration) -> Rc<type_system::Function> {
        let made = || function(builtin.arguments, builtin.result, builtin.is_variadic);
        Rc::clone(self.builtins.entry(builtin.name).or_insert_with(made))
    }

    fn equation(&mut self, place: Place, left: &Term<'a>, right: &Term<'a>) -> Option<Wrong> {
        let (one, other) = (self.of(left), self.of(right));
        (!self.unify_both(left, &one, right, &other)).then(|| Wrong {
            place,
            may_follow: is_unknown(&one) || is_unknown(&other),
            message: format!(
                "{} can never equal {}",
                article(one.as_ref()),
                article(other.as_ref())
            ),
        })
    }

    /// `key, value in collection`
    fn member(
        &mut self,
        place: Place,
        key: Option<&Term<'a>>,
        value: &Term<'a>,
        collection: &Term<'a>,
    ) -> Option<Wrong> {
        let collection = self.of(collection)?;
        let values = collection.values()?;
        let keys = key.map(|key| (key, collection.keys()));
        let pairs = keys.into_iter().chain([(value, Some(values))]);
        for (term, wanted) in pairs {
            if is_unknown(&wanted) {
                continue;
            }
            let given = self.of(term);
            let is_wrong = (!is_unknown(&given) && !fits(&given, &wanted))
                || !self.unify(term, &wanted, false);
            if is_wrong {
                return Some(Wrong {
                    place,
                    may_follow: is_unknown(&given),
                    message: format!(
                        "{} can't be in this collection, which has {}",
                        article(given.as_ref()),
                        article(wanted.as_ref())
                    ),
                });
            }
        }
        None
    }

    fn call(
        &mut self,
        place: Place,
        called: &Function<'a>,
        arguments: &[Term<'a>],
    ) -> Option<Wrong> {
        let name = name_of(called);
        let wrong = |message: String| {
            Some(Wrong {
                place,
                message,
                may_follow: false,
            })
        };
        let declared = match called {
            Function::Builtin(builtin) => self.builtin(builtin),
            Function::Rule(steps) => match self.reference(DATA, steps) {
                Some(Type::Function(declared)) => declared,
                // What is wrong with its own rule is told there.
                None if self.replacements.is_empty() => return None,
                None => {
                    return wrong(format!(
                        "`{name}` is no function here, for `with` replaces it"
                    ));
                }
                Some(other) if other.is_anything() => return None,
                Some(_) => {
                    return wrong(format!(
                        "`{name}` is no function; leave out the parentheses"
                    ));
                }
            },
            Function::Unify | Function::Unknown(_) | Function::Told => return None,
        };
        let given: Vec<Known> = arguments.iter().map(|one| self.of(one)).collect();
        for (index, argument) in arguments.iter().enumerate() {
            let is_result = index == declared.arguments.len();
            let wanted = declared.arguments.get(index);
            let wanted = wanted.unwrap_or(&declared.result);
            let known = given.get(index).cloned().flatten();
            let is_wrong = (!is_unknown(&known) && !fits(&known, wanted))
                || !self.unify(argument, wanted, false);
            if is_wrong {
                let after = self.of(argument);
                let what = if is_result {
                    "the result".to_owned()
                } else {
                    format!("argument {}", index.saturating_add(1))
                };
                let verb = if is_result { "is" } else { "must be" };
                return Some(Wrong {
                    place: argument.place_or(place),
                    may_follow: is_unknown(&known) || given.iter().any(is_unknown),
                    message: format!(
                        "{what} of `{name}` {verb} {}, not {}",
                        article(wanted.as_ref()),
                        article(after.as_ref())
                    ),
                });
            }
        }
        None
    }
}

impl Term<'_> {
    fn place_or(&self, place: Place) -> Place {
        // What was made for a call stands where the call does; only literals have their own place.
        if self.is_constant() {
            self.place
        } else {
            place
        }
    }
}

/// A type in words.
pub(super) fn article(known: Option<&Type>) -> String {
    let Some(known) = known else {
        return "an unknown value".to_owned();
    };
    let one = |known: &Type| match known.name() {
        "null" => "null".to_owned(),
        "any" => "any value".to_owned(),
        name if name.starts_with(['a', 'o']) => format!("an {name}"),
        name => format!("a {name}"),
    };
    match known {
        Type::Any(any) if any.of.len() > 1 => {
            let mut names: Vec<String> = any.of.iter().map(one).collect();
            names.dedup();
            names.truncate(4);
            names.join(" or ")
        }
        known => one(known),
    }
}

/// A reference as it is written, with the names of its variables.
pub(super) fn written(names: &Names<'_>, base: Variable, steps: &[Term<'_>]) -> String {
    let path = shown(steps);
    let base = names.of(base).unwrap_or("…");
    path.replacen("data", base, 1)
}
