//! Why a command did not do what it was asked, and the exit code that says so.

use std::{error::Error, fmt, path::Path};

use plinto_contract::problem::Problem;
use plinto_policy::{bundle::Source, diagnostics::Diagnostic};

/// A command that failed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Something was checked and found wrong; the command has printed what.
    Check(String),
    /// A policy is wrong, with places.
    Policy {
        /// What was found.
        diagnostics: Vec<Diagnostic>,
        /// The files it was found in.
        source: Source,
    },
    /// The command was called wrongly in a way that the parser can't see.
    Usage(String),
    /// A local file or the configuration.
    Local(anyhow::Error),
    /// The control plane refused.
    Refused(Box<Problem>),
    /// It answered with a code that this version does not know, or with something else altogether.
    Unknown {
        /// The HTTP status.
        status: u16,
        /// The code, if there was one.
        code: Option<String>,
        /// What to tell people.
        text: String,
    },
    /// The control plane could not be reached, or failed.
    Unreachable(String),
    /// Ctrl-C.
    Interrupted,
}

impl Failure {
    pub(crate) fn local(error: impl Into<anyhow::Error>) -> Self {
        Self::Local(error.into())
    }

    /// A file that could not be read or written.
    pub(crate) fn file(path: &Path, error: impl Into<anyhow::Error>) -> Self {
        Self::Local(error.into().context(format!("`{}`", path.display())))
    }

    /// Whether the same may work a moment later.
    pub(crate) fn is_passing(&self) -> bool {
        match self {
            Self::Refused(problem) => problem.retryable || problem.status >= 500,
            other => other.exit_code() == 5,
        }
    }

    /// The exit code; `--help` lists them.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Check(_) | Self::Policy { .. } => 1,
            Self::Usage(_) => 2,
            Self::Local(_) => 3,
            Self::Refused(problem) if problem.status < 500 => 4,
            Self::Unknown { status, .. } if (400..500).contains(status) => 4,
            Self::Refused(_) | Self::Unknown { .. } | Self::Unreachable(_) => 5,
            Self::Interrupted => 130,
        }
    }

    /// A stable name for programs.
    pub(crate) fn code(&self) -> &str {
        match self {
            Self::Check(_) => "check_failed",
            Self::Policy { .. } => "policy_invalid",
            Self::Usage(_) => "usage",
            Self::Local(_) => "local",
            Self::Refused(problem) => problem.code.as_str(),
            Self::Unknown { code, .. } => code.as_deref().unwrap_or("unknown"),
            Self::Unreachable(_) => "unreachable",
            Self::Interrupted => "interrupted",
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Check(text)
            | Self::Usage(text)
            | Self::Unknown { text, .. }
            | Self::Unreachable(text) => formatter.write_str(text),
            Self::Policy { diagnostics, .. } => {
                let count = diagnostics.len();
                let plural = if count == 1 { "problem" } else { "problems" };
                write!(formatter, "the policy has {count} {plural}")
            }
            Self::Local(error) => write!(formatter, "{error:#}"),
            Self::Refused(problem) if problem.title.eq_ignore_ascii_case(&problem.detail) => {
                formatter.write_str(&problem.title)
            }
            Self::Refused(problem) => write!(formatter, "{}: {}", problem.title, problem.detail),
            Self::Interrupted => formatter.write_str("interrupted"),
        }
    }
}

impl Error for Failure {}

impl From<plinto_policy::bundle::Error> for Failure {
    fn from(error: plinto_policy::bundle::Error) -> Self {
        Self::Check(chain(&error))
    }
}

/// An error and everything behind it, on one line.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}
