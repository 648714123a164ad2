//! Which variables there are where. Source: OPA, `ast/compile.go`, the stage that rewrites local
//! variables.
//!
//! A frame is what OPA declares variables in: a rule's body with its parameters, a comprehension, an
//! `every`. In one frame a name is declared once, and used only after that.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    code::Slot,
    resolve::Resolver,
    resolve::Unresolved,
    used::{declarations, declared_by, declared_by_some, names_in_term},
};
use crate::front::{Body, Name, Place, Term, TermKind};

/// What one frame declares.
#[derive(Debug, Default)]
pub(super) struct Frame {
    /// Declared so far.
    declared: BTreeSet<String>,
    /// Declared further below.
    pending: BTreeSet<String>,
    /// Variables of `some` and `every`, of which each must be used.
    wanted: Vec<(Place, Slot)>,
}

impl Resolver<'_> {
    pub(super) fn fresh(&mut self, name: &str) -> Slot {
        self.names.push(name.to_owned());
        self.names.len().saturating_sub(1)
    }

    /// Makes a variable of a name, here and in what is inside.
    pub(super) fn declare(&mut self, name: &str) -> Slot {
        let slot = self.fresh(name);
        if let Some(scope) = self.scopes.last_mut() {
            scope.insert(name.to_owned(), slot);
        }
        slot
    }

    /// The same for a name that a body declares itself.
    /// Errors: its frame has declared it already.
    pub(super) fn declare_once(&mut self, place: Place, name: &str) -> Result<Slot, Unresolved> {
        if let Some(frame) = self.frames.last_mut() {
            frame.pending.remove(name);
            if !frame.declared.insert(name.to_owned()) {
                let message = format!("var {name} is declared above");
                return Err(Unresolved { place, message });
            }
        }
        Ok(self.declare(name))
    }

    /// Declares a variable that must be used.
    pub(super) fn declare_wanted(&mut self, name: &Name) -> Result<Slot, Unresolved> {
        if name.text == "_" {
            return Ok(self.fresh("_"));
        }
        let slot = self.declare_once(name.place, &name.text)?;
        if let Some(frame) = self.frames.last_mut() {
            frame.wanted.push((name.place, slot));
        }
        Ok(slot)
    }

    /// Declares the variables of `some … in`, whose patterns may share them.
    /// Errors: one of them is declared already.
    pub(super) fn declare_together<'t>(
        &mut self,
        place: Place,
        patterns: impl Iterator<Item = &'t Term>,
        collection: &Term,
    ) -> Result<(), Unresolved> {
        let mut names = declared_by_some(patterns, collection);
        names.remove("_");
        for name in names {
            self.declare_once(place, &name)?;
        }
        Ok(())
    }

    /// Declares the variables of a pattern.
    /// Errors: one of them is declared already.
    pub(super) fn declare_pattern(&mut self, pattern: &Term) -> Result<(), Unresolved> {
        match &pattern.kind {
            TermKind::Var(name) if name != "_" => {
                self.declare_once(pattern.place, name)?;
            }
            TermKind::Array(items) => {
                for item in items {
                    self.declare_pattern(item)?;
                }
            }
            TermKind::Object(fields) => {
                for (_, value) in fields {
                    self.declare_pattern(value)?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// `some x in x`: what is gone through can't be made of what is found there.
    pub(super) fn refuse_own<'t>(
        place: Place,
        patterns: impl Iterator<Item = &'t Term>,
        collection: &Term,
    ) -> Result<(), Unresolved> {
        let (mut bound, mut used) = (BTreeSet::new(), BTreeSet::new());
        for pattern in patterns {
            declared_by(pattern, &mut bound);
        }
        names_in_term(collection, &mut used);
        match bound.intersection(&used).find(|name| *name != "_") {
            None => Ok(()),
            Some(name) => Err(Unresolved {
                place,
                message: format!("var {name} is assigned before"),
            }),
        }
    }

    pub(super) fn local(&self, name: &str) -> Option<Slot> {
        let mut scopes = self.scopes.iter().rev();
        scopes.find_map(|scope| scope.get(name).copied())
    }

    pub(super) fn is_global(&self, name: &str) -> bool {
        let exported = self.definitions.by_package.get(self.package);
        matches!(name, "input" | "data")
            || self.imports.contains_key(name)
            || exported.is_some_and(|names| names.contains(name))
    }

    /// Whether something around declares the name further below.
    pub(super) fn is_pending(&self, name: &str) -> bool {
        self.frames.iter().any(|frame| frame.pending.contains(name))
    }

    /// Opens a frame for a body, with what is declared before it.
    /// Errors: a variable that must be used is not.
    pub(super) fn framed<T>(
        &mut self,
        declared: BTreeSet<String>,
        body: Option<&Body>,
        inside: impl FnOnce(&mut Self) -> Result<T, Unresolved>,
    ) -> Result<T, Unresolved> {
        self.frames.push(Frame {
            declared,
            pending: body.map(|body| declarations(body)).unwrap_or_default(),
            wanted: Vec::new(),
        });
        let result = inside(self);
        let frame = self.frames.pop().unwrap_or_default();
        let result = result?;
        let mut wanted = frame.wanted.iter();
        match wanted.find(|(_, slot)| !self.seen.contains(slot)) {
            None => Ok(result),
            Some((place, slot)) => {
                let name = self.names.get(*slot).map_or("", String::as_str);
                Err(Unresolved {
                    place: *place,
                    message: format!("declared var {name} unused"),
                })
            }
        }
    }

    /// Runs `inside` with a scope in which these names are variables, unless they mean something.
    pub(super) fn scoped<T>(
        &mut self,
        names: BTreeSet<String>,
        inside: impl FnOnce(&mut Self) -> Result<T, Unresolved>,
    ) -> Result<T, Unresolved> {
        self.scopes.push(BTreeMap::new());
        for name in names {
            let is_free = !self.is_global(&name) || self.is_pending(&name);
            if name != "_" && self.local(&name).is_none() && is_free {
                self.declare(&name);
            }
        }
        let result = inside(self);
        self.scopes.pop();
        result
    }

    /// The same for a body that is part of a term; with the variables from around it.
    pub(super) fn closure<T>(
        &mut self,
        names: BTreeSet<String>,
        inside: impl FnOnce(&mut Self) -> Result<T, Unresolved>,
    ) -> Result<(T, Vec<Slot>), Unresolved> {
        let first = self.names.len();
        self.used.push(BTreeSet::new());
        let result = self.scoped(names, inside);
        let used = self.used.pop().unwrap_or_default();
        if let Some(outer) = self.used.last_mut() {
            outer.extend(used.iter().copied());
        }
        let free = used.into_iter().filter(|slot| *slot < first).collect();
        Ok((result?, free))
    }
}
