//! The dialects of Rego, and what differs in the older one: rules without `if`, `p[x] { … }` for a
//! set, keywords that have to be imported. Source: OPA, "v0 Backwards Compatibility"; `v1/ast/parser.go`.

use super::{
    SyntaxError,
    ast::{HeadValue, Rule, Term, TermKind},
    parser::{FUTURE, Parser},
};

/// A dialect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Dialect {
    /// Rego as it was before OPA 1.0.
    V0,
    /// Rego since then.
    #[default]
    V1,
}

/// Which words are keywords at a place of a module.
#[derive(Debug, Clone, Default)]
pub(super) struct Keywords {
    dialect: Dialect,
    /// Those of [`FUTURE`] that a module in the older dialect has imported.
    imported: Vec<String>,
}

impl Keywords {
    pub(super) const fn of(dialect: Dialect) -> Self {
        Self {
            dialect,
            imported: Vec::new(),
        }
    }

    pub(super) const fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// Whether a word that may be a keyword is one here.
    pub(super) fn has(&self, word: &str) -> bool {
        self.dialect == Dialect::V1
            || !FUTURE.contains(&word)
            || self.imported.iter().any(|imported| imported == word)
    }

    fn import(&mut self, word: &str) {
        self.imported.push(word.to_owned());
        if word == "every" {
            self.imported.push("in".to_owned());
        }
    }
}

impl Parser<'_> {
    /// Takes in an import that says which keywords there are.
    pub(super) fn imported(&mut self, names: &[&str]) {
        match names {
            _ if self.keywords.dialect == Dialect::V1 => {}
            ["rego", ..] => self.keywords.dialect = Dialect::V1,
            [_, _, word] => self.keywords.import(word),
            _ => FUTURE.iter().for_each(|word| self.keywords.import(word)),
        }
    }

    /// What follows a head of the older dialect that has no `if`: a body in braces, or nothing.
    pub(super) fn without_if(&mut self, rule: &mut Rule) -> Result<(), SyntaxError> {
        if rule.head.value == HeadValue::Implied && rule.head.parameters.is_none() {
            member_of_set(rule);
        }
        if self.is_sign("{") {
            rule.body = Some(self.braced()?);
        } else if rule.head.value == HeadValue::Implied
            && rule.head.name.name().is_some()
            && rule.head.parameters.is_none()
        {
            return Err(self.unexpected("`=`, `:=` or a body in braces"));
        }
        Ok(())
    }
}

/// `p[x]` and `p.x` say what a set has. What goes on has the value `true`, as in the newer dialect.
fn member_of_set(rule: &mut Rule) {
    let TermKind::Ref(first, steps) = &mut rule.head.name.kind else {
        return;
    };
    if let [_] = steps.as_slice()
        && let Some(member) = steps.pop()
    {
        rule.head.value = HeadValue::Contains(member);
        let first = first.as_ref().clone();
        rule.head.name = Term::new(first.place, first.kind);
    }
}
