//! What is wrong with a policy, and where.

use std::fmt;

use plinto_contract::problem::Code;
use serde::Serialize;

/// The kind of a finding, as programs switch on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The text is not Rego.
    Syntax,
    /// The text is Rego that cannot work: an unknown function, a recursion.
    Compile,
    /// The policy uses something that is not permitted here.
    Refused,
    /// The entrypoint named in the manifest does not exist or is not a complete rule.
    Entrypoint,
    /// A package or data lies outside the manifest's roots.
    Roots,
    /// A data file does not fit the others.
    Data,
    /// The routes are not usable.
    Routes,
    /// A test did not pass.
    Test,
}

impl Kind {
    /// The kind as it stands in output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Syntax => "syntax",
            Self::Compile => "compile",
            Self::Refused => "refused",
            Self::Entrypoint => "entrypoint",
            Self::Roots => "roots",
            Self::Data => "data",
            Self::Routes => "routes",
            Self::Test => "test",
        }
    }

    /// The problem code that the control plane answers with.
    pub const fn problem(self) -> Code {
        match self {
            Self::Syntax | Self::Compile => Code::PolicySyntax,
            Self::Refused => Code::PolicyRefused,
            Self::Entrypoint => Code::PolicyEntrypointMissing,
            Self::Roots | Self::Data | Self::Routes => Code::BundleMalformed,
            Self::Test => Code::PolicyTestsFailed,
        }
    }
}

/// One finding. `line` and `column` count from 1; both are 0 when the finding has no place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Diagnostic {
    /// What kind of finding it is.
    pub kind: Kind,
    /// Path inside the bundle.
    pub file: String,
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
    /// What is wrong and what to do about it.
    pub message: String,
    /// The line of the file, without its end.
    pub source_line: String,
}

impl Diagnostic {
    /// A finding about a whole file.
    pub fn of_file(kind: Kind, file: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            kind,
            file: file.into(),
            line: 0,
            column: 0,
            message: message.into(),
            source_line: String::new(),
        }
    }

    /// A finding at a place of a file whose text is `text`.
    pub fn at(
        kind: Kind,
        file: impl Into<String>,
        text: &str,
        (line, column): (u32, u32),
        message: impl Into<String>,
    ) -> Self {
        let index = usize::try_from(line.saturating_sub(1)).unwrap_or(usize::MAX);
        Self {
            kind,
            file: file.into(),
            line,
            column,
            message: message.into(),
            source_line: text.lines().nth(index).unwrap_or_default().to_owned(),
        }
    }
}

impl Diagnostic {
    /// `file:line:column: message`, then the line and a caret under the column.
    pub(crate) fn shown(&self) -> String {
        let Self {
            file,
            line,
            column,
            message,
            ..
        } = self;
        format!("{file}:{line}:{column}: {message}\n{}", self.excerpt())
    }

    fn excerpt(&self) -> String {
        let Self {
            line,
            column,
            source_line,
            ..
        } = self;
        let gutter = line.to_string();
        let blank = " ".repeat(gutter.len());
        // Tabs stay tabs, so that the caret stands under its character however wide they are.
        let indent: String = source_line
            .chars()
            .take(usize::try_from(column.saturating_sub(1)).unwrap_or_default())
            .map(|character| if character == '\t' { '\t' } else { ' ' })
            .collect();
        format!("{blank} |\n{gutter} | {source_line}\n{blank} | {indent}^")
    }
}

/// `file:line:column: kind: message`, then the line and a caret under the column.
impl fmt::Display for Diagnostic {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            kind,
            file,
            line,
            column,
            message,
            ..
        } = self;
        let kind = kind.as_str();
        if *line == 0 {
            return write!(formatter, "{file}: {kind}: {message}");
        }
        let excerpt = self.excerpt();
        write!(
            formatter,
            "{file}:{line}:{column}: {kind}: {message}\n{excerpt}"
        )
    }
}

/// Why a bundle cannot be evaluated: at least one finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{}", render(.diagnostics))]
pub struct PolicyError {
    /// The findings, in file order.
    pub diagnostics: Vec<Diagnostic>,
}

impl PolicyError {
    /// The problem code of the first finding.
    pub fn problem(&self) -> Code {
        self.diagnostics
            .first()
            .map_or(Code::PolicySyntax, |first| first.kind.problem())
    }
}

impl From<Diagnostic> for PolicyError {
    fn from(diagnostic: Diagnostic) -> Self {
        Self {
            diagnostics: vec![diagnostic],
        }
    }
}

fn render(diagnostics: &[Diagnostic]) -> String {
    let texts: Vec<String> = diagnostics.iter().map(ToString::to_string).collect();
    texts.join("\n")
}
