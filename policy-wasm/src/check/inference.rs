//! What terms and references say about types. Source: OPA, `v1/ast/check.go`.

use std::collections::BTreeMap;

use super::{
    fitting::fits,
    paths::value_of,
    rule_types::RuleTypes,
    tree::{DATA, Expr, ExprKind, INPUT, Kind, Target, Term, Variable, With, WithValue},
    type_system::{Known, Type, is_unknown, or},
    typing::{Typing, Wrong, article, written},
};
use crate::front::ast::Place;

/// 2: steps of a document's path that are names, as those of a package. Source: OPA, `checkRef`.
const NAMES: usize = 2;

impl<'a> Typing<'_, 'a> {
    /// Makes two terms equal. Returns whether they can be.
    pub(super) fn unify_both(
        &mut self,
        left: &Term<'a>,
        left_type: &Known,
        right: &Term<'a>,
        right_type: &Known,
    ) -> bool {
        match (is_unknown(left_type), is_unknown(right_type)) {
            (true, false) => return self.unify(left, right_type, false),
            (false, true) => return self.unify(right, left_type, false),
            (false, false) => return fits(left_type, right_type),
            (true, true) => {}
        }
        let anything = Some(Type::anything());
        match (&left.kind, &right.kind) {
            (Kind::Array(one), Kind::Array(other)) => {
                return one.len() == other.len()
                    && one
                        .iter()
                        .zip(other)
                        .all(|(one, other)| self.unify_parts(one, other));
            }
            (Kind::Object(one), Kind::Object(other)) => return self.unify_fields(one, other),
            (Kind::Array(_) | Kind::Object(_), Kind::Variable(_)) => {
                return self.unify_whole(left, right);
            }
            (Kind::Variable(_), Kind::Variable(_) | Kind::Array(_) | Kind::Object(_)) => {
                let (first, second) = match right.kind {
                    Kind::Variable(_) => (left, right),
                    _ => (right, left),
                };
                return self.unify_whole(first, second);
            }
            (Kind::Variable(_), Kind::Reference(..)) => return self.unify(left, &anything, false),
            (Kind::Reference(..), Kind::Variable(_)) => return self.unify(right, &anything, false),
            _ => {}
        }
        // One side may be known in part.
        match (&left.kind, &right.kind) {
            (Kind::Variable(_), _) if left_type.is_none() && right_type.is_some() => {
                self.unify(left, right_type, false)
            }
            (_, Kind::Variable(_)) if right_type.is_none() && left_type.is_some() => {
                self.unify(right, left_type, false)
            }
            _ => false,
        }
    }

    fn unify_whole(&mut self, first: &Term<'a>, second: &Term<'a>) -> bool {
        self.unify(first, &Some(Type::anything()), false) && {
            let known = self.of(first);
            self.unify(second, &known, false)
        }
    }

    fn unify_parts(&mut self, one: &Term<'a>, other: &Term<'a>) -> bool {
        let (one_type, other_type) = (self.of(one), self.of(other));
        self.unify_both(one, &one_type, other, &other_type)
    }

    fn unify_fields(
        &mut self,
        one: &[(Term<'a>, Term<'a>)],
        other: &[(Term<'a>, Term<'a>)],
    ) -> bool {
        let mut by_key = BTreeMap::new();
        for (key, value) in other {
            by_key.extend(value_of(key).map(|key| (key, value)));
        }
        one.len() == other.len()
            && one.iter().all(|(key, value)| {
                let opposite = value_of(key).and_then(|key| by_key.get(&key).copied());
                opposite.is_some_and(|opposite| self.unify_parts(value, opposite))
            })
    }

    /// Takes a term for one of a type, and notes what that says of its variables. `is_one_of`:
    /// whether the type is one of several that it may have. Returns whether it can be.
    pub(super) fn unify(&mut self, term: &Term<'a>, known: &Known, is_one_of: bool) -> bool {
        if !self.effort.spend(1) {
            return true;
        }
        if let (Kind::Array(_) | Kind::Object(_) | Kind::Set(_), Some(Type::Any(any))) =
            (&term.kind, known)
        {
            if any.of.is_empty() {
                self.unify_with_anything(term);
                return true;
            }
            let mut can_be = false;
            for one in &any.of {
                can_be |= self.unify(term, &Some(one.clone()), true);
            }
            return can_be;
        }
        match (&term.kind, known) {
            (Kind::Array(items), Some(Type::Array(array))) => {
                (items.len() == array.items.len() || array.rest.is_some())
                    && items.iter().enumerate().all(|(index, item)| {
                        let wanted = array.items.get(index).unwrap_or(&array.rest);
                        self.unify(item, wanted, is_one_of)
                    })
            }
            (Kind::Object(fields), Some(Type::Object(object))) => {
                if fields.len() != object.fields.len() && object.rest_value().is_none() {
                    return false;
                }
                fields.iter().all(|(key, value)| {
                    let Some(key) = value_of(key) else {
                        self.unify(value, &Some(Type::anything()), is_one_of);
                        return true;
                    };
                    let wanted = object.select(&key);
                    wanted.is_some() && self.unify(value, &wanted, is_one_of)
                })
            }
            (Kind::Set(items), Some(Type::Set(set))) => items
                .iter()
                .all(|item| self.unify(item, &set.of, is_one_of)),
            (Kind::Array(_) | Kind::Object(_) | Kind::Set(_), _) => false,
            (Kind::Variable(variable), _) => self.unify_variable(*variable, known, is_one_of),
            _ => {
                let given = self.of(term);
                fits(&given, known)
            }
        }
    }

    fn unify_with_anything(&mut self, term: &Term<'a>) {
        let anything = Some(Type::anything());
        let all = |this: &mut Self, item: &Term<'a>| this.unify(item, &anything, true);
        match &term.kind {
            Kind::Array(items) | Kind::Set(items) => {
                for item in items {
                    all(self, item);
                }
            }
            Kind::Object(fields) => {
                for (key, value) in fields {
                    all(self, key);
                    all(self, value);
                }
            }
            _ => {}
        }
    }

    fn unify_variable(&mut self, variable: Variable, known: &Known, is_one_of: bool) -> bool {
        let given = self.variable(variable);
        if is_one_of {
            self.put(variable, or(given, known.clone()));
            return true;
        }
        if given.is_some() {
            return fits(&given, known);
        }
        self.put(variable, known.clone());
        true
    }

    /// Checks the references of an expression; in the body of an `every` nothing else is checked.
    pub(super) fn references(&mut self, expr: &Expr<'a>, wrongs: &mut Vec<Wrong>) {
        match &expr.kind {
            ExprKind::Term(term) => self.references_in(term, wrongs),
            ExprKind::Call(_, arguments) => {
                for argument in arguments {
                    self.references_in(argument, wrongs);
                }
            }
            ExprKind::Every(every) => {
                self.references_in(&every.domain, wrongs);
                for expr in &every.body {
                    self.references(expr, wrongs);
                }
                // Only there are modifiers looked at, in OPA.
                for with in expr.with.iter() {
                    self.with_references(with, wrongs);
                }
            }
        }
    }

    fn with_references(&mut self, with: &With<'a>, wrongs: &mut Vec<Wrong>) {
        let builtin = match (&with.target, &with.value) {
            (Target::Builtin(builtin), _) | (_, WithValue::Builtin(builtin)) => Some(builtin),
            _ => None,
        };
        if let Some(builtin) = builtin {
            let message = format!(
                "`{}` is a function; `every` can't be under what replaces it",
                builtin.name
            );
            wrongs.push(wrong(with.place, message));
        }
        if let Target::Reference(base, steps) = &with.target {
            wrongs.extend(self.check_reference(with.place, *base, steps));
        }
        if let WithValue::Term(term) = &with.value {
            self.references_in(term, wrongs);
        }
    }

    fn references_in(&mut self, term: &Term<'a>, wrongs: &mut Vec<Wrong>) {
        match &term.kind {
            Kind::Reference(base, steps) => {
                let before = wrongs.len();
                wrongs.extend(self.check_reference(term.place, *base, steps));
                for step in steps {
                    if wrongs.len() == before {
                        self.references_in(step, wrongs);
                    }
                }
            }
            Kind::Array(items) | Kind::Set(items) => {
                for item in items {
                    self.references_in(item, wrongs);
                }
            }
            Kind::Object(fields) => {
                for (key, value) in fields {
                    self.references_in(key, wrongs);
                    self.references_in(value, wrongs);
                }
            }
            _ => {}
        }
    }

    fn check_reference(
        &mut self,
        place: Place,
        base: Variable,
        steps: &[Term<'a>],
    ) -> Option<Wrong> {
        if base == DATA
            && let Some(Type::Function(_)) = self.reference(base, steps)
        {
            let name = written(self.names, base, steps);
            return Some(wrong(place, format!("`{name}` is a function; call it")));
        }
        let found = match base {
            INPUT => self.check_input(steps),
            DATA => self.check_data(steps),
            _ => {
                let known = self.variable(base).or_else(|| {
                    self.put(base, Some(Type::anything()));
                    Some(Type::anything())
                });
                self.check_steps(known, steps)
            }
        };
        found.err().map(|reason| {
            let name = written(self.names, base, steps);
            wrong(place, format!("`{name}` is always undefined: {reason}"))
        })
    }

    fn check_data(&mut self, steps: &[Term<'a>]) -> Result<(), String> {
        let rules = std::mem::take(&mut self.rules);
        let layers = self.replacements.clone();
        let trees = layers.iter().rev().map(|layer| &layer.data);
        let found = self.check_document(trees.chain([&rules]), steps);
        self.rules = rules;
        let (known, rest) = found?;
        if let Some(known) = known {
            return self.check_steps(Some(known), rest);
        }
        for step in rest {
            self.check_key(step, &Some(Type::anything()));
        }
        Ok(())
    }

    fn check_input(&mut self, steps: &[Term<'a>]) -> Result<(), String> {
        let layers = self.replacements.clone();
        let trees = layers.iter().rev().map(|layer| &layer.input);
        self.check_document(trees, steps)?;
        self.check_steps(Some(Type::anything()), steps)
    }

    /// The type that the first of some trees says of a reference, with the steps that are left.
    /// Errors: why a step leads nowhere.
    fn check_document<'r, 's>(
        &mut self,
        trees: impl Iterator<Item = &'r RuleTypes>,
        steps: &'s [Term<'a>],
    ) -> Result<(Known, &'s [Term<'a>]), String> {
        let mut depth = 0_usize;
        for tree in trees {
            depth = 0;
            let known = self.check_tree(tree, steps, &mut depth)?;
            if known.is_some() {
                return Ok((known, steps.get(depth..).unwrap_or_default()));
            }
        }
        Ok((None, steps.get(depth..).unwrap_or_default()))
    }

    /// The type that a tree says of a reference, with how many steps lead there.
    /// Errors: why a step leads nowhere.
    fn check_tree(
        &mut self,
        tree: &RuleTypes,
        steps: &[Term<'a>],
        depth: &mut usize,
    ) -> Result<Known, String> {
        const NO_TEXT: &str = "a key there is no text";
        let mut at = tree;
        if at.known().is_some() || at.is_empty() {
            return Ok(at.known().clone());
        }
        while let Some(step) = steps.get(*depth) {
            let is_name = matches!(step.kind, Kind::Variable(_) | Kind::Text(_));
            if *depth < NAMES && !is_name {
                return Err(NO_TEXT.to_owned());
            }
            let Some(child) = value_of(step).and_then(|key| at.child(&key)) else {
                if matches!(step.kind, Kind::Variable(_)) && !self.check_key(step, &at.keys()) {
                    return Err(NO_TEXT.to_owned());
                }
                return Ok(None);
            };
            *depth = depth.saturating_add(1);
            if child.known().is_some() {
                return Ok(child.known().clone());
            }
            at = child;
        }
        Ok(None)
    }

    /// Takes a step for a key. Returns whether it can be one.
    fn check_key(&mut self, step: &Term<'a>, keys: &Known) -> bool {
        match &step.kind {
            Kind::Variable(variable) => {
                let known = self.variable(*variable);
                if known.is_none() {
                    self.put(*variable, keys.clone());
                }
                known.is_none() || fits(&known, keys)
            }
            Kind::Reference(base, steps) => {
                let known = self.reference(*base, steps);
                known.is_none() || fits(&known, keys)
            }
            _ => self.unify(step, keys, false),
        }
    }

    /// Follows steps into a type.
    /// Errors: why one leads nowhere.
    fn check_steps(&mut self, known: Known, steps: &[Term<'a>]) -> Result<(), String> {
        let mut known = known;
        for step in steps {
            let Some(here) = known else { return Ok(()) };
            if here.is_empty_collection() {
                if step.is_scalar() {
                    return Err("there is nothing in the collection".to_owned());
                }
                self.check_key(step, &here.keys().or_else(|| Some(Type::anything())));
                return Ok(());
            }
            let Some(keys) = here.keys() else {
                return Err(format!("{} has no parts", article(Some(&here))));
            };
            if step.is_scalar() {
                let key = value_of(step);
                let Some(next) = key.as_ref().and_then(|key| here.select(key)) else {
                    let key = key.map_or_else(String::new, |key| key.to_string());
                    return Err(format!("{} has no {key}", article(Some(&here))));
                };
                known = Some(next);
                continue;
            }
            if !self.check_key(step, &Some(keys.clone())) {
                let given = self.of(step);
                let (given, wanted) = (article(given.as_ref()), article(Some(&keys)));
                return Err(format!("a key there is {wanted}, not {given}"));
            }
            known = here.values();
        }
        Ok(())
    }
}

const fn wrong(place: Place, message: String) -> Wrong {
    Wrong {
        place,
        message,
        may_follow: false,
    }
}
