//! Blocks of `# METADATA`. Source: OPA, "Annotations".

use super::finding::{Code, Finding};
use crate::front::ast::{Comment, Module};

/// What a block begins with.
const MARK: &str = "METADATA";

/// Finds blocks in which nothing is said.
pub(super) fn check(index: usize, module: &Module) -> Vec<Finding> {
    let found = blocks(&module.comments).into_iter();
    let empty = found.filter(|(_, text)| text.trim().is_empty());
    empty
        .map(|(first, _)| {
            let message = "nothing follows `# METADATA`; write the annotations into the next lines";
            Finding::at(Code::Syntax, index, first.place, message)
        })
        .collect()
}

/// The blocks of a module: the comment that each begins with, and the YAML behind it.
pub(super) fn blocks(comments: &[Comment]) -> Vec<(&Comment, String)> {
    let is_mark = |comment: &Comment| {
        comment.place.column == 1 && comment.text.trim_start().starts_with(MARK)
    };
    let mut blocks: Vec<(&Comment, String)> = Vec::new();
    let mut last = None;
    for comment in comments {
        let follows = last == Some(comment.place.line) && comment.place.column == 1;
        last = None;
        if is_mark(comment) {
            blocks.push((comment, String::new()));
        } else if let (true, Some((_, text))) = (follows, blocks.last_mut()) {
            text.push_str(&comment.text);
            text.push('\n');
        } else {
            continue;
        }
        last = Some(comment.place.line.saturating_add(1));
    }
    blocks
}
