//! The blocks of a module: comments that follow each other, with YAML in them.

use super::{Annotations, Wrong, fields};
use crate::{
    builtins,
    front::ast::{Comment, Module, Place},
    limits::BundleLimits,
    value::Value,
};

/// What a block begins with.
const MARK: &str = "METADATA";

struct Block<'a> {
    mark: &'a Comment,
    text: String,
}

/// Reads the blocks of a module, in their order.
pub(super) fn read(module: &Module) -> Vec<Result<Annotations, Wrong>> {
    blocks(&module.comments).iter().map(Block::read).collect()
}

/// Finds the blocks; each line of one stands at the beginning of a line.
fn blocks(comments: &[Comment]) -> Vec<Block<'_>> {
    let is_mark = |comment: &Comment| {
        comment.place.column == 1 && comment.text.trim_start().starts_with(MARK)
    };
    let mut blocks: Vec<Block<'_>> = Vec::new();
    let mut last = None;
    for comment in comments {
        let follows = last == Some(comment.place.line) && comment.place.column == 1;
        last = None;
        if is_mark(comment) {
            blocks.push(Block {
                mark: comment,
                text: String::new(),
            });
        } else if let (true, Some(block)) = (follows, blocks.last_mut()) {
            let text = comment.text.as_str();
            block.text.push_str(text.strip_prefix(' ').unwrap_or(text));
            block.text.push('\n');
        } else {
            continue;
        }
        last = Some(comment.place.line.saturating_add(1));
    }
    blocks
}

impl Block<'_> {
    fn read(&self) -> Result<Annotations, Wrong> {
        let place = self.mark.place;
        if self.text.trim().is_empty() {
            let message = "nothing follows `# METADATA`; write the annotations into the next lines";
            return Err(Wrong::new(place, message));
        }
        let found = builtins::call_alone("yaml.unmarshal", &[Value::from(self.text.as_str())])
            .map_err(|why| Wrong::new(self.line_of(&why), format!("the annotations are {why}")))?;
        let depth = BundleLimits::default().json_depth;
        match found.unwrap_or(Value::Null) {
            Value::Null => fields::read(place, &[]),
            value if usize::try_from(value.size().depth).is_ok_and(|levels| levels > depth) => {
                let message = format!("the annotations nest deeper than {depth}");
                Err(Wrong::new(place, message))
            }
            Value::Object(members) => fields::read(place, &members),
            other => {
                let message = format!(
                    "the annotations are one {}; write `title: …` or another name with a value",
                    other.type_name()
                );
                Err(Wrong::new(place, message))
            }
        }
    }

    /// The line that an error of YAML names, if it names one.
    fn line_of(&self, why: &str) -> Place {
        let behind = why.split_once("line ").map(|(_, behind)| behind);
        let digits =
            behind.and_then(|behind| behind.split(|char: char| !char.is_ascii_digit()).next());
        let line = digits.and_then(|digits| digits.parse::<u32>().ok());
        let lines = u32::try_from(self.text.lines().count()).unwrap_or(u32::MAX);
        Place {
            line: self
                .mark
                .place
                .line
                .saturating_add(line.unwrap_or(0).min(lines)),
            column: 1,
        }
    }
}
