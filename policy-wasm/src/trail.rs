//! What is left of an evaluation besides its answer: what `print` said, and which expressions failed.

use serde::Serialize;

use crate::{
    evaluate::{Failed, Printed},
    load::Loaded,
};

/// Something that `print` said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Said {
    /// Path inside the bundle.
    pub file: String,
    /// From 1.
    pub line: u32,
    /// Its arguments, with spaces between.
    pub text: String,
}

/// An expression that did not hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FailedExpression {
    /// Path inside the bundle.
    pub file: String,
    /// From 1.
    pub line: u32,
    /// In characters, from 1.
    pub column: u32,
    /// As it is written, as far as it stands on this line.
    pub text: String,
}

pub(crate) fn said_in(loaded: &Loaded, printed: &[Printed]) -> Vec<Said> {
    let said = printed.iter().map(|printed| Said {
        file: loaded.line(printed.module, printed.place.line).0.to_owned(),
        line: printed.place.line,
        text: printed.text.clone(),
    });
    said.collect()
}

pub(crate) fn failed_in(loaded: &Loaded, failed: &[Failed]) -> Vec<FailedExpression> {
    let failed = failed.iter().map(|failed| {
        let place = failed.place;
        let (file, line) = loaded.line(failed.module, place.line);
        let before = usize::try_from(place.column.saturating_sub(1)).unwrap_or(usize::MAX);
        let text: String = line.chars().skip(before).collect();
        FailedExpression {
            file: file.to_owned(),
            line: place.line,
            column: place.column,
            text: trimmed(&text).to_owned(),
        }
    });
    failed.collect()
}

/// Without the bracket that ends a body on the same line.
fn trimmed(text: &str) -> &str {
    let text = text.trim_end();
    let opened = text.matches('{').count();
    let closed = text.matches('}').count();
    match text.strip_suffix('}') {
        Some(inner) if closed > opened => inner.trim_end(),
        _ => text,
    }
}
