//! A policy's folder on disk.

use std::{
    collections::BTreeMap,
    fs,
    io::{self, ErrorKind},
    path::{Path, PathBuf},
};

use clap::ValueHint;
use plinto_contract::{
    bundle::{Manifest, Metadata, PlintoMetadata},
    limits::{BUNDLE_FILES, BUNDLE_UNPACKED_BYTES},
};
use plinto_policy::{
    bundle::Source,
    folder::{LeftOut, NO_KIND, gather, may_hold},
};
use serde_json::{Value, json};

use crate::failure::Failure;

/// Files of a folder that are read; several of data become one of the bundle.
const FILES_READ: usize = 4 * BUNDLE_FILES;
const NO_MANIFEST: &str = "there is no `.manifest`";
const NO_ENTRYPOINT: &str = "the `.manifest` names no rule to ask, at `metadata.plinto.entrypoint`";
/// Where git keeps what it knows.
const GIT: &str = ".git";

/// Which folder, and in which Rego.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct PolicyFolder {
    /// Folder of the policy.
    #[arg(value_hint = ValueHint::DirPath, default_value = ".")]
    pub(crate) folder: PathBuf,
    /// Read Rego as it was before OPA 1.0, where the manifest names no version.
    #[arg(long)]
    pub(crate) v0_compatible: bool,
}

/// A policy as it was found.
#[derive(Debug)]
pub(crate) struct Folder {
    pub(crate) path: PathBuf,
    /// Without one of its own, one that owns everything and names no entrypoint.
    pub(crate) manifest: Manifest,
    /// What it would need to be packed.
    pub(crate) lacks: Option<&'static str>,
    pub(crate) source: Source,
    /// Files that are not part of a bundle.
    pub(crate) left_out: Vec<LeftOut>,
}

impl PolicyFolder {
    /// Reads the folder as OPA does: every policy and every data file at any depth. Symbolic links are
    /// not followed. Without a manifest a policy can be tested, but not packed.
    pub(crate) fn read(&self) -> Result<Folder, Failure> {
        let version = u8::from(!self.v0_compatible);
        let mut found = Found {
            folder: &self.folder,
            files: BTreeMap::new(),
            bytes: 0,
            left_out: Vec::new(),
        };
        found.walk()?;
        let gathered = gather(&found.files, version)?;
        let mut left_out = found.left_out;
        left_out.extend(gathered.left_out);
        left_out.sort();
        let lacks = match &gathered.manifest {
            None => Some(NO_MANIFEST),
            Some(manifest) if manifest.metadata.plinto.entrypoint.is_empty() => Some(NO_ENTRYPOINT),
            Some(_) => None,
        };
        let folder = Folder {
            path: self.folder.clone(),
            manifest: gathered.manifest.unwrap_or_else(|| unnamed(version)),
            lacks,
            source: gathered.source,
            left_out,
        };
        if folder.policies().next().is_none() {
            folder.require_manifest()?;
        }
        Ok(folder)
    }
}

/// OPA's manifest of a folder that has none.
fn unnamed(rego_version: u8) -> Manifest {
    Manifest {
        revision: String::new(),
        roots: vec![String::new()],
        rego_version,
        file_rego_versions: BTreeMap::new(),
        metadata: Metadata {
            plinto: PlintoMetadata {
                entrypoint: String::new(),
                answer: plinto_contract::bundle::Answer::default(),
                strict_builtin_errors: false,
                activation: None,
            },
            other: BTreeMap::new(),
        },
    }
}

impl Folder {
    /// Paths of the modules, tests among them.
    fn policies(&self) -> impl Iterator<Item = &String> {
        let files = self.source.files.keys();
        files.filter(|path| Path::new(path).extension().is_some_and(|end| end == "rego"))
    }

    /// How many modules go to the edge.
    pub(crate) fn deciding(&self) -> usize {
        let policies = self.policies();
        policies.filter(|path| !Source::is_test(path)).count()
    }

    /// Errors: there is no manifest to pack it with.
    pub(crate) fn require_manifest(&self) -> Result<(), Failure> {
        let Some(lacks) = self.lacks else {
            return Ok(());
        };
        let shown = self.path.display();
        let new = new_policy();
        Err(Failure::Local(if self.policies().next().is_none() {
            anyhow::anyhow!("`{shown}` holds no policy (`*.rego`); {new}")
        } else {
            anyhow::anyhow!("`{shown}` can't be packed: {lacks}; {new}")
        }))
    }

    /// What a person should know before it decides anything: what is left out, and what is missing.
    pub(crate) fn remarks(&self, tests: Option<usize>, routes: Option<usize>) -> Vec<String> {
        let mut remarks: Vec<String> = self
            .left_out
            .iter()
            .map(|left| format!("left out: `{}` {}", left.path, left.why))
            .collect();
        if let Some(lacks) = self.lacks {
            remarks.push(format!(
                "warning: {lacks}, so this can be tested but not packed"
            ));
        }
        if tests == Some(0) {
            let what = "warning: there is no test (a rule named `test_…`, in any file)";
            remarks.push(what.to_owned());
        }
        if routes == Some(0) && self.lacks.is_none() {
            let what = "warning: there is no route at `data.plinto.routes`, so the edge refuses everything";
            remarks.push(what.to_owned());
        }
        remarks
    }
}

/// The text of an answer, with remarks before it.
pub(crate) fn after_remarks(remarks: &[String], text: &str) -> String {
    let mut lines = remarks.to_vec();
    lines.push(text.to_owned());
    lines.join("\n")
}

/// Files that are left out, for programs.
pub(crate) fn left_out_json(folder: &Folder) -> Value {
    json!(folder.left_out)
}

/// What has been read so far.
struct Found<'a> {
    folder: &'a Path,
    files: BTreeMap<String, Vec<u8>>,
    bytes: usize,
    left_out: Vec<LeftOut>,
}

impl Found<'_> {
    fn walk(&mut self) -> Result<(), Failure> {
        let mut pending = vec![self.folder.to_owned()];
        while let Some(current) = pending.pop() {
            let entries =
                fs::read_dir(&current).map_err(|error| self.unreadable(&current, error))?;
            for entry in entries {
                let entry = entry.map_err(|error| Failure::file(&current, error))?;
                let path = entry.path();
                let kind = entry
                    .file_type()
                    .map_err(|error| Failure::file(&path, error))?;
                let name = relative(self.folder, &path)?;
                if kind.is_symlink() {
                    let why = "is a symbolic link, which is not followed";
                    self.left_out.push(LeftOut::new(name, why));
                } else if entry.file_name() == GIT {
                    self.left_out.push(LeftOut::new(name, "is git's own"));
                } else if kind.is_dir() {
                    pending.push(path);
                } else if may_hold(&name) {
                    self.read(name, &path)?;
                } else {
                    self.left_out.push(LeftOut::new(name, NO_KIND));
                }
            }
        }
        Ok(())
    }

    fn read(&mut self, name: String, path: &Path) -> Result<(), Failure> {
        let content = fs::read(path).map_err(|error| Failure::file(path, error))?;
        self.bytes = self.bytes.saturating_add(content.len());
        self.files.insert(name, content);
        if self.files.len() > FILES_READ || self.bytes > BUNDLE_UNPACKED_BYTES {
            return Err(Failure::Check(format!(
                "`{}` has more than {FILES_READ} files or {BUNDLE_UNPACKED_BYTES} bytes of policies and data",
                self.folder.display()
            )));
        }
        Ok(())
    }

    /// Why the folder can't be read, with what makes one.
    fn unreadable(&self, path: &Path, error: io::Error) -> Failure {
        let shown = self.folder.display();
        let text = match error.kind() {
            ErrorKind::NotFound => format!("there is no folder `{shown}`"),
            ErrorKind::NotADirectory => format!("`{shown}` is not a folder"),
            _ => return Failure::file(path, error),
        };
        Failure::Local(anyhow::anyhow!("{text}; {}", new_policy()))
    }
}

fn new_policy() -> &'static str {
    "`plinto policy new <folder>` starts a policy in a new one"
}

/// The path inside the bundle, with `/` on every system.
fn relative(folder: &Path, path: &Path) -> Result<String, Failure> {
    let inside: PathBuf = path.strip_prefix(folder).unwrap_or(path).to_owned();
    let parts: Option<Vec<&str>> = inside.iter().map(|part| part.to_str()).collect();
    parts
        .map(|parts| parts.join("/"))
        .ok_or_else(|| Failure::Check(format!("the name of `{}` is not UTF-8", path.display())))
}
