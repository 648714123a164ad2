//! `plinto policy test`: runs a policy's tests and says what became of each.

use plinto_policy::{
    cases::{self, Case, Outcome, Report},
    diagnostics::{Diagnostic, Kind},
    limits::EvaluationLimits,
};
use serde_json::json;

use super::{
    folder::{Folder, PolicyFolder, after_remarks, left_out_json},
    offline::{counted, wrong},
};
use crate::{
    failure::Failure,
    output::{Output, Stream, table},
};

/// Runs the tests.
pub(crate) fn test(given: &PolicyFolder, verbose: bool, output: Output) -> Result<(), Failure> {
    let folder = given.read()?;
    let report = run_tests(&folder)?;
    let remarks = folder.remarks(Some(report.cases.len()), Some(report.routes));
    let value = json!({
        "passed": report.passed(),
        "failed": report.failures().count(),
        "skipped": report.skipped(),
        "cases": report.cases,
        "left_out": left_out_json(&folder),
        "remarks": remarks,
    });
    output.answer(&value, || {
        after_remarks(&remarks, &describe(&report, &folder, verbose))
    })?;
    verdict(&report, "")
}

pub(crate) fn run_tests(folder: &Folder) -> Result<Report, Failure> {
    let limits = EvaluationLimits::default();
    cases::run_aloud(&folder.manifest, &folder.source, &limits)
        .map_err(|error| wrong(folder, error))
}

/// Whether all passed; `hint` says what a person may do next.
pub(crate) fn verdict(report: &Report, hint: &str) -> Result<(), Failure> {
    let failures = report.failures();
    let names: Vec<_> = failures
        .map(|case| format!("{}.{}", case.package, case.name))
        .collect();
    if names.is_empty() {
        return Ok(());
    }
    let what = counted(names.len(), "test", "tests");
    Err(Failure::Check(format!(
        "{what} of {} did not pass: {}{hint}",
        report.cases.len(),
        names.join(", ")
    )))
}

fn describe(report: &Report, folder: &Folder, verbose: bool) -> String {
    let mut text = String::new();
    for case in report.failures() {
        text.push_str(&failure(case, folder));
    }
    if verbose {
        text.push_str(&every(report));
    }
    let counts = [
        (report.passed(), "passed"),
        (report.failures().count(), "failed"),
        (report.skipped(), "skipped"),
    ];
    let counts = counts
        .iter()
        .filter(|(count, what)| *count > 0 || *what != "skipped");
    let counts: Vec<String> = counts
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
    text.push_str(&counts.join(", "));
    text
}

/// A test that did not pass: where it is, which expression failed, and what was printed.
fn failure(case: &Case, folder: &Folder) -> String {
    let (Outcome::Failed(why) | Outcome::Errored(why)) = &case.outcome else {
        return String::new();
    };
    let content = folder.source.files.get(&case.file);
    let content = content.map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    let (package, name) = (&case.package, &case.name);
    let diagnostic = Diagnostic::at(
        Kind::Test,
        &case.file,
        &content.unwrap_or_default(),
        (case.line, 1),
        format!("{package}.{name} did not pass: {}", why.trim()),
    );
    let mut text = Stream::Out.render(&diagnostic, &folder.source);
    for failed in &case.failed {
        let (file, line, column) = (&failed.file, failed.line, failed.column);
        let shown = &failed.text;
        text.extend([format!("  failed at {file}:{line}:{column}: {shown}\n")]);
    }
    text.push_str(&printed(case));
    text
}

fn every(report: &Report) -> String {
    let rows = report.cases.iter().map(|case| {
        let outcome = match &case.outcome {
            Outcome::Passed => "pass",
            Outcome::Failed(_) => "FAIL",
            Outcome::Errored(_) => "ERROR",
            Outcome::Skipped => "skipped",
        };
        [
            outcome.to_owned(),
            format!("{}.{}", case.package, case.name),
            case.steps.to_string(),
            format!("{}:{}", case.file, case.line),
        ]
    });
    let mut text = table(["RESULT", "TEST", "STEPS", "PLACE"], rows);
    text.push('\n');
    for case in &report.cases {
        let is_failure = matches!(case.outcome, Outcome::Failed(_) | Outcome::Errored(_));
        if !is_failure && !case.printed.is_empty() {
            text.extend([format!("{}.{} printed:\n", case.package, case.name)]);
            text.push_str(&printed(case));
        }
        for (name, passed) in &case.cases {
            let outcome = if *passed { "pass" } else { "FAIL" };
            let rule = format!("{}.{}", case.package, case.name);
            text.extend([format!("  {outcome} {rule}: {name}\n")]);
        }
    }
    text
}

fn printed(case: &Case) -> String {
    let said = case.printed.iter();
    let lines = said.map(|said| format!("  printed {}:{}: {}\n", said.file, said.line, said.text));
    lines.collect::<Vec<_>>().concat()
}
