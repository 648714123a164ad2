//! What `rego.metadata.*` gives beside what OPA 1.22.4 gave: `conformance/annotations/answer.txt` is the
//! value that `opa eval -d . data.p` shows in that folder.

use plinto_contract::{bundle::Manifest, time::UnixSeconds};

use crate::{bundle::Source, explore::Explorer, limits::EvaluationLimits, value::Value};

fn prepared(files: &[(&str, &str)]) -> Result<Explorer, String> {
    let manifest: Manifest = serde_json::from_str(
        r#"{"revision":"1","roots":[""],"metadata":{"plinto":{"entrypoint":""}}}"#,
    )
    .unwrap();
    let files = files
        .iter()
        .map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec()));
    let source = Source {
        files: files.collect(),
    };
    Explorer::prepare(&manifest, &source).map_err(|error| error.to_string())
}

#[test]
fn annotations_are_given_as_opa_gives_them() {
    let explorer = prepared(&[
        (
            "above.rego",
            include_str!("../../conformance/annotations/above.rego"),
        ),
        (
            "beside.rego",
            include_str!("../../conformance/annotations/beside.rego"),
        ),
        (
            "policy.rego",
            include_str!("../../conformance/annotations/policy.rego"),
        ),
    ]);
    let limits = EvaluationLimits::default();
    let found = explorer
        .unwrap()
        .value("data.p", None, UnixSeconds(0), &limits);
    let answer = found.unwrap().value.unwrap().unwrap();
    let wanted = include_str!("../../conformance/annotations/answer.txt");
    let wanted = Value::from_json_text(wanted).unwrap();
    assert_eq!(answer.to_json_text(), wanted.to_json_text());
}

#[test]
fn annotations_do_not_multiply_without_end() {
    let many = |rules: usize| {
        let rules: Vec<String> = (0..rules)
            .map(|one| format!("p{one} := rego.metadata.chain()"))
            .collect();
        let text = "x".repeat(100_000);
        format!(
            "# METADATA\n# title: {text}\npackage a\n\n{}\n",
            rules.join("\n")
        )
    };
    assert!(prepared(&[("a.rego", &many(10))]).is_ok());
    let refused = prepared(&[("a.rego", &many(100))]).err().unwrap();
    assert!(refused.contains("more than 4 MiB"), "{refused}");
    assert!(refused.starts_with("a.rego:46:8: refused"), "{refused}");
}
