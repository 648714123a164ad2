//! Folders as people have them for OPA: several packages, several data files, both versions of Rego.

use std::collections::BTreeMap;

use plinto_contract::bundle::Manifest;
use plinto_policy::{
    bundle::{Error, Limits as BundleLimits, Upload, build},
    cases,
    engine::{Engine, Limits},
    folder::{Folder, gather},
};

use super::fixtures::input;

fn manifest(more: &str) -> String {
    format!(
        r#"{{"roots":["app","lib"],{more}"metadata":{{"plinto":{{"entrypoint":"app/allow","answer":"boolean"}}}}}}"#
    )
}

fn gathered(files: &[(&str, &str)]) -> Result<Folder, Error> {
    let files = files.iter();
    let files: BTreeMap<String, Vec<u8>> = files
        .map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec()))
        .collect();
    gather(&files, 1)
}

fn engine(files: &[(&str, &str)]) -> Engine {
    let folder = gathered(files).unwrap();
    // What is packed decides, not what lies in the folder.
    let packed = build(&folder.source, folder.manifest.as_ref().unwrap()).unwrap();
    let upload = Upload::read(&packed, &BundleLimits::default()).unwrap();
    Engine::prepare(&upload.manifest, &upload.source).unwrap()
}

fn allows(engine: &Engine, json: &str) -> bool {
    let evaluation = engine.evaluate(input(json), &Limits::default());
    assert_eq!(evaluation.fault, None);
    evaluation.decision.allow
}

#[test]
fn packages_that_import_each_other_and_data_of_several_files() {
    let engine = engine(&[
        (".manifest", &manifest("")),
        (
            "app/main.rego",
            "package app\nimport rego.v1\nimport data.lib.names\nbase := \"k\"\ndefault allow := false\nallow if input.name in names.all\n",
        ),
        (
            "lib/names.rego",
            "# METADATA\n# title: names\npackage lib.names\nimport data.app\nall contains concat(\"\", [app.base, rest]) if some rest in data.lib.names.rests\nall contains data.lib.more.name\n",
        ),
        ("lib/names/data.yaml", "rests:\n- im\n- ai\n"),
        ("lib/more/any.yml", "name: lee"),
        ("lib/more/other.json", "{\"unused\": [1, 2]}"),
    ]);
    assert!(allows(&engine, r#"{"name":"kim"}"#));
    assert!(allows(&engine, r#"{"name":"lee"}"#));
    assert!(!allows(&engine, r#"{"name":"im"}"#));
}

#[test]
fn yaml_and_json_conflict_by_the_names_of_their_files() {
    let error = gathered(&[
        ("a/data.json", r#"{"x":{"y":1}}"#),
        ("a/data.yaml", "x: {y: 2}"),
    ]);
    let text = error.unwrap_err().to_string();
    for part in ["data.a.x.y", "a/data.json", "a/data.yaml"] {
        assert!(text.contains(part), "{text}");
    }
}

#[test]
fn both_versions_of_rego_live_in_one_bundle() {
    let versions =
        r#""rego_version":0,"file_rego_versions":{"/lib/new*.rego":1,"/app/one.rego":1},"#;
    let files = [
        (".manifest", &*manifest(versions)),
        (
            "app/main.rego",
            "package app\ndefault allow = false\nallow { data.lib.old[input.name] }\n",
        ),
        (
            "app/one.rego",
            "package app\nallow if data.lib.new_names[input.name]\n",
        ),
        (
            "lib/old.rego",
            "package lib\nold[x] { x := [\"kim\"][_] }\n",
        ),
        (
            "lib/newer.rego",
            "package lib\nnew_names contains \"lee\"\n",
        ),
    ];
    let engine = engine(&files);
    assert!(allows(&engine, r#"{"name":"kim"}"#));
    assert!(allows(&engine, r#"{"name":"lee"}"#));
    assert!(!allows(&engine, r#"{"name":"bo"}"#));

    let mut folder = gathered(&files).unwrap();
    let manifest: &mut Manifest = folder.manifest.as_mut().unwrap();
    manifest.file_rego_versions.clear();
    let error = Engine::prepare(manifest, &folder.source).unwrap_err();
    assert!(
        error
            .diagnostics
            .iter()
            .all(|one| one.file != "app/main.rego"),
        "{error}"
    );
}

#[test]
fn a_thousand_files_of_any_line_length_are_one_bundle() {
    let long = format!(
        "package app\nallow if \"{}\" != \"\"\n",
        "x".repeat(100_000)
    );
    let mut files = vec![
        (".manifest".to_owned(), manifest("")),
        ("app/main.rego".to_owned(), long),
    ];
    for index in 0..1_000 {
        let (name, text) = match index % 2 {
            0 => (
                format!("lib/f{index}/x.rego"),
                format!("package lib.f{index}\nv := {index}\n"),
            ),
            _ => (
                format!("lib/f{index}/data.json"),
                format!("{{\"v\":{index}}}"),
            ),
        };
        files.push((name, text));
    }
    let files: Vec<(&str, &str)> = files
        .iter()
        .map(|(name, text)| (&**name, &**text))
        .collect();
    assert!(allows(&engine(&files), "{}"));
}

#[test]
fn roots_beside_each_other_are_no_overlap() {
    let manifest = r#"{"roots":["/app/a/","app/ab","lib"],"metadata":{"plinto":{"entrypoint":"app/a/allow","answer":"boolean"}}}"#;
    let files = [
        (".manifest", manifest),
        ("x.rego", "package app.a\nallow := data.app.ab.v"),
        ("data.json", r#"{"app":{"ab":{"v":true}},"lib":{}}"#),
    ];
    assert!(allows(&engine(&files), "{}"));
    let outside = [files[0], files[1], ("y.rego", "package app.abc\nx := 1")];
    let folder = gathered(&outside).unwrap();
    let error = Engine::prepare(folder.manifest.as_ref().unwrap(), &folder.source).unwrap_err();
    assert_eq!(error.diagnostics[0].file, "y.rego");
}

#[test]
fn a_manifest_without_roots_owns_everything() {
    let manifest = r#"{"metadata":{"plinto":{"entrypoint":"a/allow","answer":"boolean"}}}"#;
    let files = [
        (".manifest", manifest),
        ("x.rego", "package a\nallow := data.anything.v"),
        ("anything/data.json", r#"{"v":true}"#),
    ];
    assert!(allows(&engine(&files), "{}"));
}

#[test]
fn tests_of_a_folder_without_a_manifest_run() {
    let folder = gathered(&[
        ("a.rego", "package a\nx := data.lib.v"),
        ("a_test.rego", "package a_test\ntest_x if data.a.x == 1"),
        ("lib/v.yaml", "v: 1"),
    ])
    .unwrap();
    let mut manifest: Manifest =
        serde_json::from_str(r#"{"metadata":{"plinto":{"entrypoint":"a/x"}}}"#).unwrap();
    manifest.metadata.plinto.entrypoint = String::new();
    let report = cases::run(&manifest, &folder.source, &Limits::default()).unwrap();
    assert_eq!(report.passed(), 1);
    // It decides nothing, though.
    assert!(Engine::prepare(&manifest, &folder.source).is_err());
}
