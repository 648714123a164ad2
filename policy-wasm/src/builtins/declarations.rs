//! What OPA declares of each builtin: the types of its arguments and of its result.
//!
//! `scripts/rego-declarations.py` writes the list, whose format it describes.

use std::{collections::BTreeMap, sync::LazyLock};

const TEXT: &str = include_str!("declarations.txt");

static DECLARATIONS: LazyLock<BTreeMap<&'static str, Declaration>> = LazyLock::new(|| {
    let lines = TEXT.lines().filter_map(Declaration::of);
    lines.map(|one| (one.name, one)).collect()
});

/// One builtin as OPA declares it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Declaration {
    /// As it is called: `array.concat`.
    pub(crate) name: &'static str,
    /// The types of its arguments, packed.
    pub(crate) arguments: &'static str,
    /// The type of its result, packed, if it has one.
    pub(crate) result: Option<&'static str>,
    pub(crate) is_deprecated: bool,
    /// Whether a call may have several results.
    pub(crate) is_relation: bool,
    /// Whether it takes any number of arguments.
    pub(crate) is_variadic: bool,
}

impl Declaration {
    fn of(line: &'static str) -> Option<Self> {
        let mut parts = line.split(' ');
        let name = parts.next()?;
        let arguments = parts.next()?.trim_matches('.');
        let result = parts.next().filter(|result| *result != "-");
        let flags = parts.next().unwrap_or_default();
        Some(Self {
            name,
            arguments,
            result,
            is_deprecated: flags.contains('~'),
            is_relation: flags.contains('*'),
            is_variadic: flags.contains('+'),
        })
    }
}

impl Declaration {
    /// How many arguments it takes.
    pub(crate) fn parameters(&self) -> usize {
        let mut open = 0_usize;
        let mut count = 0_usize;
        for one in self.arguments.chars() {
            if open == 0 {
                count = count.saturating_add(1);
            }
            match one {
                '[' | '(' | '{' | '<' => open = open.saturating_add(1),
                ']' | ')' | '}' | '>' => open = open.saturating_sub(1),
                _ => {}
            }
        }
        count
    }
}

/// The declaration of a builtin, whether we have it or not.
pub(crate) fn declaration(name: &str) -> Option<&'static Declaration> {
    DECLARATIONS.get(name)
}

/// The names of all builtins that OPA has.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    DECLARATIONS.keys().copied()
}

#[cfg(test)]
mod tests {
    use super::{declaration, names};

    #[test]
    fn every_builtin_of_opa_is_declared() {
        assert_eq!(names().count(), 206);
        let walk = declaration("walk").unwrap();
        assert!(walk.is_relation && walk.result == Some("[[;a]a]"));
        let print = declaration("print").unwrap();
        assert!(print.is_variadic && print.result.is_none() && print.arguments.is_empty());
        assert_eq!(declaration("array.concat").unwrap().arguments, "[;a][;a]");
        assert!(declaration("any").unwrap().is_deprecated);
    }
}
