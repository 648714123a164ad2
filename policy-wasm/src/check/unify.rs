//! Which variables get a value when two terms are made equal. Source: OPA, `v1/ast/unify.go`.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    paths::value_of,
    tree::{Kind, Shape, Term, Variable},
    variables::{Scan, Variables},
};

/// What has a value when two terms are made equal.
pub(super) struct Basis<'s> {
    pub(super) safe: &'s BTreeSet<Variable>,
    /// Others that have one, too.
    pub(super) more: BTreeSet<Variable>,
    /// Those that have none after all.
    pub(super) less: BTreeSet<Variable>,
}

impl Basis<'_> {
    fn contains(&self, variable: Variable) -> bool {
        let is_given = self.safe.contains(&variable) || self.more.contains(&variable);
        is_given && !self.less.contains(&variable)
    }
}

/// The variables that get a value when `left` is made equal to `right`.
pub(super) fn unified(basis: &Basis<'_>, left: &Term<'_>, right: &Term<'_>) -> BTreeSet<Variable> {
    let mut unifier = Unifier {
        basis,
        unified: BTreeSet::new(),
        sources: BTreeMap::new(),
        users: BTreeMap::new(),
    };
    unifier.unify(left, right);
    unifier.unified
}

struct Unifier<'s> {
    basis: &'s Basis<'s>,
    unified: BTreeSet<Variable>,
    /// Variables, and those from which they would get their values.
    sources: BTreeMap<Variable, BTreeSet<Variable>>,
    /// The same the other way round.
    users: BTreeMap<Variable, Vec<Variable>>,
}

impl Unifier<'_> {
    fn is_safe(&self, variable: Variable) -> bool {
        self.basis.contains(variable) || self.unified.contains(&variable)
    }

    fn hangs_on(&mut self, variable: Variable, source: Variable) {
        self.sources.entry(variable).or_default().insert(source);
        self.users.entry(source).or_default().push(variable);
    }

    fn unify(&mut self, left: &Term<'_>, right: &Term<'_>) {
        match (&left.kind, &right.kind) {
            (Kind::Variable(one), Kind::Variable(other)) => {
                if self.is_safe(*other) {
                    self.mark(*one);
                } else if self.is_safe(*one) {
                    self.mark(*other);
                } else {
                    self.hangs_on(*one, *other);
                    self.hangs_on(*other, *one);
                }
            }
            (Kind::Variable(one), Kind::Array(_) | Kind::Object(_)) => self.all_of(*one, right),
            (Kind::Array(_) | Kind::Object(_), Kind::Variable(other)) => self.all_of(*other, left),
            (Kind::Variable(one), Kind::Reference(base, _))
            | (Kind::Reference(base, _), Kind::Variable(one))
                if self.basis.contains(*base) =>
            {
                self.mark(*one);
            }
            (Kind::Variable(_), Kind::Reference(..)) | (Kind::Reference(..), Kind::Variable(_)) => {
            }
            (Kind::Variable(one), _) | (_, Kind::Variable(one)) => self.mark(*one),
            (Kind::Reference(base, _), Kind::Array(_) | Kind::Object(_))
                if self.basis.contains(*base) =>
            {
                self.mark_all(right);
            }
            (Kind::Array(_) | Kind::Object(_), Kind::Reference(base, _))
                if self.basis.contains(*base) =>
            {
                self.mark_all(left);
            }
            (Kind::Comprehension(made), Kind::Array(_)) if made.shape == Shape::Array => {
                self.mark_all(right);
            }
            (Kind::Comprehension(made), Kind::Object(_)) if made.shape == Shape::Object => {
                self.mark_all(right);
            }
            (Kind::Array(_), Kind::Comprehension(_)) => self.mark_all(left),
            (Kind::Array(one), Kind::Array(other)) if one.len() == other.len() => {
                for (one, other) in one.iter().zip(other) {
                    self.unify(one, other);
                }
            }
            (Kind::Object(one), Kind::Object(other)) if one.len() == other.len() => {
                self.fields(one, other);
            }
            _ => {}
        }
    }

    fn fields(&mut self, one: &[(Term<'_>, Term<'_>)], other: &[(Term<'_>, Term<'_>)]) {
        let mut by_key = BTreeMap::new();
        for (key, value) in other {
            by_key.insert(key_of(key), value);
        }
        for (key, value) in one {
            if let Some(opposite) = by_key.get(&key_of(key)) {
                self.unify(value, opposite);
            }
        }
    }

    fn mark(&mut self, variable: Variable) {
        let mut pending = vec![variable];
        while let Some(variable) = pending.pop() {
            self.unified.insert(variable);
            pending.extend(self.sources.remove(&variable).into_iter().flatten());
            for user in self.users.remove(&variable).into_iter().flatten() {
                let Some(sources) = self.sources.get_mut(&user) else {
                    continue;
                };
                sources.remove(&variable);
                if sources.is_empty() {
                    pending.push(user);
                }
            }
        }
    }

    fn mark_all(&mut self, term: &Term<'_>) {
        for variable in pattern(term) {
            self.mark(variable);
        }
    }

    fn all_of(&mut self, variable: Variable, term: &Term<'_>) {
        if self.is_safe(variable) {
            self.mark_all(term);
            return;
        }
        let mut sources = pattern(term);
        sources.retain(|source| !self.is_safe(*source));
        if sources.is_empty() {
            self.mark(variable);
        } else {
            for source in sources {
                self.hangs_on(variable, source);
            }
        }
    }
}

fn pattern(term: &Term<'_>) -> Vec<Variable> {
    let mut found = Variables::new();
    Scan::Pattern.term(term, &mut found);
    found.into_keys().collect()
}

/// A key as it is compared with others: a value, or a variable.
fn key_of(term: &Term<'_>) -> (Option<crate::value::Value>, Option<Variable>) {
    match &term.kind {
        Kind::Variable(variable) => (None, Some(*variable)),
        _ => (value_of(term), None),
    }
}
