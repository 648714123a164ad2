//! The repository as the rules see it: every text file, the manifests, the Rust sources.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::source::Source;

/// Files by their path from the root.
#[derive(Debug, Default)]
pub(super) struct House {
    pub(super) texts: BTreeMap<String, String>,
    pub(super) sources: Vec<Source>,
}

/// Folders that hold no source of ours.
const NOT_OURS: &[&str] = &["target", "node_modules", "build", "vendor"];

/// The root of the repository.
pub(super) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_owned()
}

impl House {
    /// Reads the repository this test was built from.
    pub(super) fn read() -> Self {
        let mut texts = BTreeMap::new();
        walk(&root(), "", &mut texts);
        Self::of(texts)
    }

    /// A made-up repository, to see a rule refuse.
    pub(super) fn with(files: &[(&str, &str)]) -> Self {
        let owned = files
            .iter()
            .map(|(path, text)| ((*path).to_owned(), (*text).to_owned()));
        Self::of(owned.collect())
    }

    fn of(texts: BTreeMap<String, String>) -> Self {
        let sources = texts
            .iter()
            .filter(|(path, _)| {
                Path::new(path)
                    .extension()
                    .is_some_and(|extension| extension == "rs")
            })
            .map(|(path, text)| Source::new(path, text))
            .collect();
        Self { texts, sources }
    }

    /// The Rust files below a folder.
    pub(super) fn below(&self, folder: &str) -> impl Iterator<Item = &Source> {
        let folder = format!("{folder}/");
        self.sources
            .iter()
            .filter(move |source| source.path.starts_with(&folder))
    }

    /// The Rust files of the control plane's crates, as they ship.
    pub(super) fn control_plane(&self) -> impl Iterator<Item = &Source> {
        let sources = self.below("control-plane");
        sources.filter(|source| source.path.contains("/src/"))
    }

    /// A file of TOML, or an empty table.
    pub(super) fn toml(&self, path: &str) -> toml::Table {
        self.texts
            .get(path)
            .map(|text| text.parse().unwrap())
            .unwrap_or_default()
    }

    /// The names of the packages a crate depends on, whatever it calls them: development left out,
    /// build scripts and targets included.
    pub(super) fn dependencies(&self, folder: &str) -> Vec<String> {
        let manifest = self.toml(&format!("{folder}/Cargo.toml"));
        let workspace = self.toml("Cargo.toml");
        let inherited = workspace
            .get("workspace")
            .and_then(|workspace| workspace.get("dependencies"))
            .and_then(toml::Value::as_table);
        let targets = manifest.get("target").and_then(toml::Value::as_table);
        let targets = targets.into_iter().flat_map(toml::Table::values);
        let places = targets.filter_map(toml::Value::as_table).chain([&manifest]);
        places
            .flat_map(|place| [place.get("dependencies"), place.get("build-dependencies")])
            .filter_map(|table| table?.as_table())
            .flatten()
            .map(|(name, what)| {
                let package = |what: &toml::Value| Some(what.get("package")?.as_str()?.to_owned());
                package(what)
                    .or_else(|| package(inherited?.get(name)?))
                    .unwrap_or_else(|| name.clone())
            })
            .collect()
    }
}

fn walk(folder: &Path, below: &str, texts: &mut BTreeMap<String, String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        let path = if below.is_empty() {
            name.clone()
        } else {
            format!("{below}/{name}")
        };
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            let is_hidden = name.starts_with('.') && name != ".ci";
            if !is_hidden && !NOT_OURS.contains(&name.as_str()) {
                walk(&entry.path(), &path, texts);
            }
        } else if kind.is_file() {
            // a file that isn't text still counts as being there
            let text = std::fs::read_to_string(entry.path()).unwrap_or_default();
            texts.insert(path, text);
        }
    }
}
