//! The front end: reads Rego, brings it into a flat form that means what it means in OPA, and
//! writes that down for the engine.
//!
//! The engine skips the stages by which OPA compiles, and that is where its answers differ. So
//! [`parser`] reads a module, [`lower`] does what those stages do, and [`print`] writes Rego that
//! the engine answers as OPA would answer the original, with a [`print::Map`] of the way back to
//! the source's lines and columns. Source: OPA, "Policy Language"; `docs/decisions/0040`.

pub(crate) mod ast;
mod constants;
mod lexer;
mod literals;
mod lower;
mod names;
mod parser;
mod patterns;
mod print;
mod terms;
#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, fmt};

use ast::Place;
pub(crate) use constants::constant;
use lower::lower;
use names::Definitions;
pub(crate) use parser::parse;
#[cfg(test)]
pub(crate) use parser::parse_term;

use crate::diagnostics::{Diagnostic, Kind, retold};

/// Why a text is not Rego.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{line}:{column}: {message}")]
pub(crate) struct SyntaxError {
    /// From 1.
    pub(crate) line: u32,
    /// In characters, from 1.
    pub(crate) column: u32,
    /// What was found, and what was expected.
    pub(crate) message: String,
}

impl SyntaxError {
    fn new(place: Place, message: impl fmt::Display) -> Self {
        Self {
            line: place.line,
            column: place.column,
            message: message.to_string(),
        }
    }
}

/// Modules as the engine reads them, and the way back to their sources.
#[derive(Debug, Clone, Default)]
pub(crate) struct Translated {
    modules: BTreeMap<String, Translation>,
}

#[derive(Debug, Clone)]
struct Translation {
    source: String,
    printed: print::Printed,
}

/// Reads and lowers modules, each with its path, together: what a name means hangs on all of them.
/// Errors: for every module that is not Rego, the first place where it is not.
pub(crate) fn translate(modules: &[(&str, &str)]) -> Result<Translated, Vec<Diagnostic>> {
    let mut parsed = Vec::new();
    let mut findings = Vec::new();
    for (path, text) in modules {
        match parse(text) {
            Ok(module) => parsed.push((*path, *text, module)),
            Err(error) => {
                let place = (error.line, error.column);
                findings.push(Diagnostic::at(
                    Kind::Syntax,
                    *path,
                    text,
                    place,
                    error.message,
                ));
            }
        }
    }
    if !findings.is_empty() {
        return Err(findings);
    }
    let mut definitions = Definitions::default();
    for (_, _, module) in &parsed {
        definitions.add(module);
    }
    let modules = parsed.into_iter().map(|(path, text, mut module)| {
        lower(&mut module, text, &definitions);
        let translation = Translation {
            source: text.to_owned(),
            printed: print::print(&module),
        };
        (path.to_owned(), translation)
    });
    Ok(Translated {
        modules: modules.collect(),
    })
}

impl Translated {
    /// Path and printed text of each module.
    pub(crate) fn printed(&self) -> impl Iterator<Item = (&str, &str)> {
        let modules = self.modules.iter();
        modules.map(|(path, module)| (path.as_str(), module.printed.text.as_str()))
    }

    /// The printed text of one module.
    pub(crate) fn printed_of(&self, path: &str) -> Option<&str> {
        let module = self.modules.get(path)?;
        Some(module.printed.text.as_str())
    }

    /// The source's line of a printed one.
    pub(crate) fn line(&self, path: &str, line: u32) -> u32 {
        let module = self.modules.get(path);
        let place = module.and_then(|module| module.printed.map.source_of(line, 1));
        place.map_or(line, |(line, _)| line)
    }

    /// A finding in a printed module, at its place in the source.
    pub(crate) fn in_source(&self, finding: Diagnostic) -> Diagnostic {
        let Some(module) = self.modules.get(&finding.file) else {
            return finding;
        };
        match module.printed.map.source_of(finding.line, finding.column) {
            Some(place) if finding.line > 0 => {
                let Diagnostic {
                    kind,
                    file,
                    message,
                    ..
                } = finding;
                Diagnostic::at(kind, file, &module.source, place, message)
            }
            _ => finding,
        }
    }

    /// An error of an evaluation, in the engine's words, with the source's place in it.
    pub(crate) fn retell(&self, error: &str) -> String {
        retold(error, |file, line, column| {
            let module = self.modules.get(file)?;
            let place = module.printed.map.source_of(line, column)?;
            Some((place, module.source.as_str()))
        })
    }
}
