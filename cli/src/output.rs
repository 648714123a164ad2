//! How commands answer: for people or as JSON on stdout, failures and progress on stderr.

use std::{
    io::{ErrorKind, IsTerminal as _, Write as _},
    process::ExitCode,
    time::Duration,
};

use comfy_table::{ContentArrangement, Table, presets};
use indicatif::{ProgressBar, ProgressStyle};
use miette::{GraphicalReportHandler, GraphicalTheme, NamedSource, SourceSpan};
use plinto_contract::problem::Problem;
use plinto_policy::{bundle::Source, diagnostics::Diagnostic};
use serde::Serialize;
use serde_json::json;

use crate::{config, failure::Failure};

/// For whom to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// Text and tables.
    Human,
    /// One JSON document on stdout; failures as JSON on stderr.
    Json,
}

/// One of the two streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stream {
    /// Standard output: answers.
    Out,
    /// Standard error: failures and progress.
    Err,
}

impl Stream {
    fn is_terminal(self) -> bool {
        match self {
            Self::Out => std::io::stdout().is_terminal(),
            Self::Err => std::io::stderr().is_terminal(),
        }
    }

    /// A finding with its line and a caret, as this stream shows it.
    pub(crate) fn render(self, diagnostic: &Diagnostic, source: &Source) -> String {
        let Some(finding) = Finding::of(diagnostic, source) else {
            return format!("{diagnostic}\n");
        };
        let theme = if self.is_terminal() && !config::no_colour() {
            GraphicalTheme::unicode()
        } else {
            GraphicalTheme::none()
        };
        let mut text = String::new();
        let handler = GraphicalReportHandler::new_themed(theme)
            .with_links(false)
            .with_context_lines(1);
        match handler.render_report(&mut text, &finding) {
            Ok(()) => text,
            Err(_) => format!("{diagnostic}\n"),
        }
    }
}

/// The two streams.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Output {
    format: Format,
}

impl Output {
    pub(crate) fn new(format: Format) -> Self {
        Self { format }
    }

    /// Gives the answer: `value` as JSON, or `text` for people; an empty one is no answer.
    /// Errors: it could not be written.
    pub(crate) fn answer(
        self,
        value: &impl Serialize,
        text: impl FnOnce() -> String,
    ) -> Result<(), Failure> {
        match self.format {
            Format::Human => write_out(&text()),
            Format::Json => write_out(&serde_json::to_string_pretty(value).unwrap_or_default()),
        }
    }

    /// Gives one of many answers, each on a line of its own.
    /// `false`: nobody reads them any more.
    /// Errors: it could not be written.
    pub(crate) fn line(
        self,
        value: &impl Serialize,
        text: impl FnOnce() -> String,
    ) -> Result<bool, Failure> {
        let line = match self.format {
            Format::Human => text(),
            Format::Json => serde_json::to_string(value).unwrap_or_default(),
        };
        let mut stdout = std::io::stdout().lock();
        let written = writeln!(stdout, "{line}").and_then(|()| stdout.flush());
        let is_read = !matches!(&written, Err(error) if error.kind() == ErrorKind::BrokenPipe);
        unless_gone(written).map(|()| is_read)
    }

    /// Says what failed and gives the exit code.
    pub(crate) fn fail(self, failure: &Failure) -> ExitCode {
        match self.format {
            Format::Human => tell(&describe(failure)),
            Format::Json => {
                let mut error = json!({ "code": failure.code(), "message": failure.to_string() });
                if let Some(members) = error.as_object_mut() {
                    match failure {
                        Failure::Policy { diagnostics, .. } => {
                            members.insert("diagnostics".to_owned(), json!(diagnostics));
                        }
                        Failure::Refused(problem) => {
                            members.insert("problem".to_owned(), json!(problem));
                        }
                        _ => {}
                    }
                }
                tell(&json!({ "error": error }).to_string());
            }
        }
        ExitCode::from(failure.exit_code())
    }

    /// A bar for a number of things to fetch, on a terminal only.
    pub(crate) fn counter(self, things: u64, what: &'static str) -> ProgressBar {
        if !Stream::Err.is_terminal() || self.format == Format::Json {
            return ProgressBar::hidden();
        }
        let bar = ProgressBar::new(things);
        if let Ok(style) = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} {elapsed}") {
            bar.set_style(style);
        }
        bar.set_message(what);
        bar
    }

    /// A bar for `bytes` to send, on a terminal only.
    pub(crate) fn progress(self, bytes: u64, what: &'static str) -> ProgressBar {
        if !Stream::Err.is_terminal() || self.format == Format::Json {
            return ProgressBar::hidden();
        }
        let bar = ProgressBar::new(bytes);
        if let Ok(style) =
            ProgressStyle::with_template("{msg} {wide_bar} {bytes}/{total_bytes} {elapsed}")
        {
            bar.set_style(style);
        }
        bar.set_message(what);
        bar.enable_steady_tick(Duration::from_millis(100));
        bar
    }
}

/// What failed, for people.
fn describe(failure: &Failure) -> String {
    let mut text = String::new();
    if let Failure::Policy {
        diagnostics,
        source,
    } = failure
    {
        for diagnostic in diagnostics {
            text.push_str(&Stream::Err.render(diagnostic, source));
        }
    }
    let mut lines = vec![format!("{text}error: {failure}")];
    if let Failure::Refused(problem) = failure {
        lines.extend(beyond_the_title(problem));
    }
    lines.join("\n")
}

/// Everything the control plane said beyond the first line.
fn beyond_the_title(problem: &Problem) -> Vec<String> {
    let errors = problem.errors.iter().map(|error| {
        let (pointer, detail, code) = (&error.pointer, &error.detail, &error.code);
        format!("  {pointer}: {detail} ({code})")
    });
    let reasons = problem.reasons.iter().map(|reason| format!("  {reason}"));
    let mut lines: Vec<String> = errors.chain(reasons).collect();
    let code = problem.code.as_str();
    lines.push(format!("  code: {code} ({})", problem.status));
    if !problem.request_id.is_empty() {
        lines.push(format!("  request: {}", problem.request_id));
    }
    let page = &problem.type_uri;
    lines.push(format!("  see: {page}, or `plinto explain {code}`"));
    lines
}

/// Writes a line to stderr. Where that can't be written, there is nobody left to tell.
pub(crate) fn tell(text: &str) {
    let _nobody = writeln!(std::io::stderr(), "{text}");
}

/// Writes to stdout. A reader that went away (`plinto … | head`) is no failure; a full disk is.
pub(crate) fn write_out(text: &str) -> Result<(), Failure> {
    if text.is_empty() {
        return Ok(());
    }
    let mut stdout = std::io::stdout().lock();
    let written = writeln!(stdout, "{}", text.trim_end()).and_then(|()| stdout.flush());
    unless_gone(written)
}

/// Errors: what stdout could not take, unless nobody reads it any more.
pub(crate) fn unless_gone(written: std::io::Result<()>) -> Result<(), Failure> {
    match written {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Failure::Local(
            anyhow::Error::new(error).context("the answer could not be written"),
        )),
        _ => Ok(()),
    }
}

/// Columns without lines around them, so that the text can be cut and searched.
pub(crate) fn table<const N: usize>(
    header: [&str; N],
    rows: impl IntoIterator<Item = [String; N]>,
) -> String {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Disabled);
    if header.iter().any(|name| !name.is_empty()) {
        table.set_header(header);
    }
    for row in rows {
        table.add_row(row);
    }
    let lines: Vec<String> = table
        .to_string()
        .lines()
        .map(|line| line.strip_prefix(' ').unwrap_or(line).trim_end().to_owned())
        .collect();
    lines.join("\n")
}

/// A finding as `miette` draws it.
#[derive(Debug)]
struct Finding {
    message: String,
    code: String,
    source: NamedSource<String>,
    offset: usize,
}

impl Finding {
    fn of(diagnostic: &Diagnostic, source: &Source) -> Option<Self> {
        let content = source.files.get(&diagnostic.file)?;
        let text = String::from_utf8_lossy(content).into_owned();
        let line = usize::try_from(diagnostic.line.checked_sub(1)?).ok()?;
        let column = usize::try_from(diagnostic.column.checked_sub(1)?).ok()?;
        let before: usize = text.split_inclusive('\n').take(line).map(str::len).sum();
        let within: usize = text
            .lines()
            .nth(line)
            .unwrap_or_default()
            .chars()
            .take(column)
            .map(char::len_utf8)
            .sum();
        Some(Self {
            message: diagnostic.message.clone(),
            code: diagnostic.kind.as_str().to_owned(),
            source: NamedSource::new(&diagnostic.file, text),
            offset: before.saturating_add(within),
        })
    }
}

impl std::fmt::Display for Finding {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for Finding {}

impl miette::Diagnostic for Finding {
    fn code<'a>(&'a self) -> Option<Box<dyn std::fmt::Display + 'a>> {
        Some(Box::new(&self.code))
    }

    fn source_code(&self) -> Option<&dyn miette::SourceCode> {
        Some(&self.source)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = miette::LabeledSpan> + '_>> {
        let span = SourceSpan::from((self.offset, 0));
        let label = miette::LabeledSpan::new_primary_with_span(Some("here".to_owned()), span);
        Some(Box::new(std::iter::once(label)))
    }
}
