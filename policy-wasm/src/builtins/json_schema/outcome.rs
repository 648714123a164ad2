//! What was found wrong in a document, and where.

/// Something that is wrong.
pub(super) struct Problem {
    pub(super) kind: &'static str,
    pub(super) field: String,
    pub(super) description: String,
}

/// What is wrong, and how much is right: the closest of several schemas is the one to complain of.
#[derive(Default)]
pub(super) struct Outcome {
    pub(super) problems: Vec<Problem>,
    pub(super) score: i64,
}

impl Outcome {
    pub(super) const fn is_valid(&self) -> bool {
        self.problems.is_empty()
    }

    pub(super) const fn count(&mut self) {
        self.score = self.score.saturating_add(1);
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.problems.extend(other.problems);
        self.score = self.score.saturating_add(other.score);
    }
}

/// Where a value stands in the document.
#[derive(Clone, Copy)]
pub(super) struct Path<'p> {
    pub(super) above: Option<&'p Self>,
    pub(super) name: &'p str,
}

impl<'p> Path<'p> {
    pub(super) const fn below(&'p self, name: &'p str) -> Self {
        Self {
            above: Some(self),
            name,
        }
    }

    /// `a.b.0`; the whole is `(Root)`.
    pub(super) fn field(&self) -> String {
        let mut names = Vec::new();
        let mut current = Some(self);
        while let Some(path) = current {
            if path.above.is_some() || names.is_empty() {
                names.push(path.name);
            }
            current = path.above;
        }
        names.reverse();
        names.join(".")
    }
}
