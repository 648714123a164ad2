//! A policy's folder, read as OPA reads one: every policy in it, and every JSON or YAML file as data at
//! the path of its folder. What can't be packed is named, never left out silently.

use std::collections::BTreeMap;

use plinto_contract::bundle::{MANIFEST_FILE, Manifest, SIGNATURES_FILE};
use serde::Serialize;
use serde_json::{Map, Value as Json, json};

use crate::{
    bundle::{Error, Source, folder_of, is_data, text},
    canonical,
    data::{extension_of, outside_of, packed, value_of},
    limits::BundleLimits,
    manifest::{lies_under, parse_manifest},
};

/// Endings of files that are data. Source: OPA, `v1/loader`.
const DATA_SUFFIXES: [&str; 3] = [".json", ".yaml", ".yml"];
/// Why a file stays out that is of no kind that a bundle has.
pub const NO_KIND: &str = "is neither a policy (`.rego`) nor data (`.json`, `.yaml`, `.yml`)";

/// What a folder holds, ready to be packed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folder {
    /// Its manifest; without one a policy can be tested, but not packed.
    pub manifest: Option<Manifest>,
    /// Policies as they are; data as one `data.json` a folder.
    pub source: Source,
    /// Files that are no part of it, in order of their paths.
    pub left_out: Vec<LeftOut>,
}

/// A file that is no part of a policy.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct LeftOut {
    /// Path inside the folder.
    pub path: String,
    /// What it is, to be read after the path.
    pub why: String,
}

impl LeftOut {
    /// A file and what it is.
    pub fn new(path: impl Into<String>, why: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            why: why.into(),
        }
    }
}

/// Whether the content of a file may be part of a policy.
pub fn may_hold(path: &str) -> bool {
    let name = path.rsplit_once('/').map_or(path, |(_, name)| name);
    name == MANIFEST_FILE || extension_of(name) == Some("rego") || is_any_data(name)
}

fn is_any_data(name: &str) -> bool {
    DATA_SUFFIXES.iter().any(|suffix| name.ends_with(suffix))
}

/// Sorts the files of a folder, named by their paths in it. `rego_version`: that of modules for which
/// the manifest names none.
/// Errors: a manifest or data file that can't be used, two files that contradict each other.
pub fn gather(files: &BTreeMap<String, Vec<u8>>, rego_version: u8) -> Result<Folder, Error> {
    let manifest = files
        .get(MANIFEST_FILE)
        .map(|content| read_manifest(content, rego_version))
        .transpose()?;
    let roots = manifest.as_ref().map(|manifest| manifest.roots.as_slice());
    let mut source = Source::default();
    let mut data: Vec<(&str, &[u8])> = Vec::new();
    let mut left_out = Vec::new();
    for (path, content) in files {
        match kind_of(path, content, roots)? {
            Kind::Manifest => {}
            Kind::Policy => {
                source.files.insert(path.clone(), content.clone());
            }
            Kind::Data => data.push((path, content)),
            Kind::None(why) => left_out.push(LeftOut::new(path, why)),
        }
    }
    source
        .files
        .extend(packed(&data, &BundleLimits::default())?);
    Ok(Folder {
        manifest,
        source,
        left_out,
    })
}

fn read_manifest(content: &[u8], rego_version: u8) -> Result<Manifest, Error> {
    let limits = BundleLimits::default();
    let written: Option<Map<String, Json>> = serde_json::from_slice(content).ok();
    let has = |name: &str| {
        written
            .as_ref()
            .is_some_and(|written| written.contains_key(name))
    };
    let metadata = written
        .as_ref()
        .map(|written| written.get("metadata").unwrap_or(&Json::Null));
    let is_opas = match metadata {
        Some(Json::Object(metadata)) => !metadata.contains_key("plinto"),
        Some(Json::Null) => true,
        _ => false,
    };
    let mut manifest = if is_opas {
        // What stands there twice would be gone from what was read.
        canonical::rewrite(text(MANIFEST_FILE, content)?, limits.json_depth)
            .map_err(|error| Error::Manifest(error.to_string()))?;
        let mut completed = written.clone().unwrap_or_default();
        let metadata = metadata.and_then(Json::as_object);
        let mut metadata = metadata.cloned().unwrap_or_default();
        metadata.insert("plinto".to_owned(), json!({ "entrypoint": "" }));
        completed.insert("metadata".to_owned(), Json::Object(metadata));
        // What OPA would run as wasm, if there is nothing of it.
        if completed.get("wasm") == Some(&json!([])) {
            completed.remove("wasm");
        }
        parse_manifest(Json::Object(completed).to_string().as_bytes(), &limits)?
    } else {
        parse_manifest(content, &limits)?
    };
    if !has("rego_version") {
        manifest.rego_version = rego_version;
    }
    Ok(manifest)
}

enum Kind {
    Manifest,
    Policy,
    Data,
    None(String),
}

fn kind_of(path: &str, content: &[u8], roots: Option<&[String]>) -> Result<Kind, Error> {
    let name = path.rsplit_once('/').map_or(path, |(_, name)| name);
    Ok(match name {
        MANIFEST_FILE if path == MANIFEST_FILE => Kind::Manifest,
        MANIFEST_FILE => Kind::None("is a manifest below the topmost folder".to_owned()),
        SIGNATURES_FILE => Kind::None("is a signature; activation makes a new one".to_owned()),
        _ if extension_of(name) == Some("rego") => Kind::Policy,
        _ if is_data(path) => Kind::Data,
        _ if is_any_data(name) => match roots.map(|roots| outside(path, content, roots)) {
            None => Kind::Data,
            Some(place) => place?.map_or(Kind::Data, |place| {
                let shown = roots.unwrap_or_default().join(", ");
                Kind::None(format!(
                    "holds `{place}`, which lies outside the manifest's roots ({shown})"
                ))
            }),
        },
        _ => Kind::None(NO_KIND.to_owned()),
    })
}

/// Where a file that no bundle names as data is outside of what the bundle owns. `None`: it is inside.
fn outside(path: &str, content: &[u8], roots: &[String]) -> Result<Option<String>, Error> {
    let folder = folder_of(path);
    let may_be_inside = roots
        .iter()
        .any(|root| folder.is_empty() || lies_under(folder, root) || lies_under(root, folder));
    if !may_be_inside {
        return Ok(Some(folder.to_owned()));
    }
    let value = value_of(path, text(path, content)?)?;
    Ok(outside_of(folder, &value, roots))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str =
        r#"{"roots":["app"],"metadata":{"plinto":{"entrypoint":"app/decision"}}}"#;

    fn gathered(files: &[(&str, &str)]) -> Result<Folder, Error> {
        let files = files.iter();
        let files = files.map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec()));
        gather(&files.collect(), 1)
    }

    fn text_of<'a>(folder: &'a Folder, path: &str) -> &'a str {
        std::str::from_utf8(&folder.source.files[path]).unwrap()
    }

    #[test]
    fn every_data_file_is_merged_at_its_folder() {
        let folder = gathered(&[
            (".manifest", MANIFEST),
            ("app/data.json", r#"{"a":{"x":1.50}}"#),
            ("app/more.json", r#"{"a":{"y":2},"b":[]}"#),
            ("app/sub/list.json", "[1]"),
            ("app/main.rego", "package app"),
        ])
        .unwrap();
        assert_eq!(
            text_of(&folder, "app/data.json"),
            r#"{"a":{"x":1.50,"y":2},"b":[]}"#
        );
        assert_eq!(text_of(&folder, "app/sub/data.json"), "[1]");
        assert_eq!(folder.source.files.len(), 3);
        assert_eq!(folder.left_out, []);
    }

    #[test]
    fn two_files_that_contradict_each_other_are_both_named() {
        for (first, second, place) in [
            (
                ("a/data.json", r#"{"b":1}"#),
                ("a/x.json", r#"{"b":1}"#),
                "data.a.b",
            ),
            (
                ("a/b/data.json", "2"),
                ("a/data.json", r#"{"b":{"c":1}}"#),
                "data.a.b",
            ),
            (("a/data.json", r#"{"b":[]}"#), ("a/z/data.json", "{}"), ""),
            (
                ("a.json", r#"{"a":{"b":{"c":1}}}"#),
                ("a/b/c/d.json", "{}"),
                "data.a.b.c",
            ),
        ] {
            let found = gathered(&[first, second]);
            match found {
                Err(Error::DataConflict {
                    place: found,
                    first: one,
                    second: other,
                }) => assert_eq!(
                    (found.as_str(), one.as_str(), other.as_str()),
                    (place, first.0, second.0)
                ),
                other => assert!(place.is_empty() && other.is_ok(), "{other:?}"),
            }
        }
    }

    #[test]
    fn what_is_left_out_is_named_with_its_reason() {
        let folder = gathered(&[
            (".manifest", MANIFEST),
            (".signatures.json", "{}"),
            ("app/.manifest", "{}"),
            ("app/README.md", "#"),
            ("input.json", r#"{"user":"a"}"#),
            ("ci/settings.json", "not even JSON"),
        ])
        .unwrap();
        let paths: Vec<&str> = folder
            .left_out
            .iter()
            .map(|left| left.path.as_str())
            .collect();
        assert_eq!(
            paths,
            [
                ".signatures.json",
                "app/.manifest",
                "app/README.md",
                "ci/settings.json",
                "input.json"
            ]
        );
        assert!(
            folder.left_out[4].why.contains("`user`"),
            "{:?}",
            folder.left_out
        );
        assert!(folder.source.files.is_empty());
    }

    #[test]
    fn data_of_a_bundle_outside_the_roots_is_not_left_out() {
        let folder = gathered(&[(".manifest", MANIFEST), ("other/data.json", "{}")]).unwrap();
        assert!(folder.source.files.contains_key("other/data.json"));
    }

    #[test]
    fn what_cannot_be_read_is_an_error_with_its_file() {
        let app = |path: &'static str, text: &'static str| gathered(&[(path, text)]).unwrap_err();
        assert!(matches!(app("a/x.json", "{"), Error::Json { path, .. } if path == "a/x.json"));
        assert!(matches!(app("x.json", "[]"), Error::NoObject(path) if path == "x.json"));
        assert!(matches!(
            app(".manifest", "{\"root\":[]}"),
            Error::Manifest(_)
        ));
        let bytes = BTreeMap::from([("a/data.json".to_owned(), vec![0xff])]);
        assert!(matches!(gather(&bytes, 1), Err(Error::NotUtf8(path)) if path == "a/data.json"));
    }

    #[test]
    fn a_manifest_of_opas_names_no_entrypoint() {
        for text in [
            r#"{"roots":["app"]}"#,
            r#"{"roots":["app"],"metadata":null}"#,
            r#"{"roots":["app"],"metadata":{},"wasm":[]}"#,
            r#"{"roots":["app"],"metadata":{"git":"abc"}}"#,
        ] {
            let manifest = gathered(&[(".manifest", text)]).unwrap().manifest.unwrap();
            assert_eq!(manifest.metadata.plinto.entrypoint, "", "{text}");
            assert_eq!(manifest.roots, ["app"], "{text}");
        }
        let twice = gathered(&[(".manifest", r#"{"roots":["app"],"roots":["b"]}"#)]);
        assert!(matches!(twice, Err(Error::Manifest(_))));
    }

    #[test]
    fn the_version_of_a_folder_is_that_of_its_manifest_first() {
        let version = |manifest: &str| {
            let files = BTreeMap::from([(".manifest".to_owned(), manifest.as_bytes().to_vec())]);
            gather(&files, 0).unwrap().manifest.unwrap().rego_version
        };
        assert_eq!(version(MANIFEST), 0);
        assert_eq!(
            version(&MANIFEST.replace("{\"roots", "{\"rego_version\":1,\"roots")),
            1
        );
    }
}
