//! A policy's folder on disk.

use std::{
    fs,
    io::{self, ErrorKind},
    path::{Path, PathBuf},
};

use plinto_contract::{
    bundle::{MANIFEST_FILE, Manifest},
    limits::{BUNDLE_FILES, BUNDLE_UNPACKED_BYTES},
};
use plinto_policy::bundle::Source;

use crate::failure::Failure;

/// A policy as it was found.
#[derive(Debug)]
pub(crate) struct Folder {
    pub(crate) manifest: Manifest,
    pub(crate) source: Source,
    /// Files that are not part of a bundle.
    pub(crate) skipped: Vec<String>,
}

/// Reads a folder: `.manifest`, `*.rego` and `data.json` at any depth. Hidden files and folders
/// and everything else stay out; symbolic links are not followed.
pub(crate) fn read(folder: &Path) -> Result<Folder, Failure> {
    let path = folder.join(MANIFEST_FILE);
    let text = fs::read(&path).map_err(|error| no_manifest(folder, &path, error))?;
    let manifest: Manifest = serde_json::from_slice(&text)
        .map_err(|error| Failure::Check(format!("`{}`: {error}", path.display())))?;
    let mut found = Folder {
        manifest,
        source: Source::default(),
        skipped: Vec::new(),
    };
    let mut bytes = 0_usize;
    let mut pending = vec![folder.to_owned()];
    while let Some(current) = pending.pop() {
        let entries = fs::read_dir(&current).map_err(|error| Failure::file(&current, error))?;
        for entry in entries {
            let entry = entry.map_err(|error| Failure::file(&current, error))?;
            let path = entry.path();
            let kind = entry
                .file_type()
                .map_err(|error| Failure::file(&path, error))?;
            let name = relative(folder, &path)?;
            if entry.file_name().to_string_lossy().starts_with('.') {
                continue;
            }
            if kind.is_dir() {
                pending.push(path);
            } else if kind.is_file() && Source::accepts(&name) {
                let content = fs::read(&path).map_err(|error| Failure::file(&path, error))?;
                bytes = bytes.saturating_add(content.len());
                found.source.files.insert(name, content);
            } else {
                found.skipped.push(name);
            }
            if found.source.files.len() > BUNDLE_FILES || bytes > BUNDLE_UNPACKED_BYTES {
                return Err(Failure::Check(format!(
                    "`{}` has more than {BUNDLE_FILES} files or {BUNDLE_UNPACKED_BYTES} bytes",
                    folder.display()
                )));
            }
        }
    }
    found.skipped.sort();
    Ok(found)
}

/// Why there is no manifest to read, with what makes one.
fn no_manifest(folder: &Path, path: &Path, error: io::Error) -> Failure {
    let shown = folder.display();
    let text = match error.kind() {
        ErrorKind::NotFound if folder.exists() => {
            format!("`{shown}` holds no policy: `{MANIFEST_FILE}` is missing")
        }
        ErrorKind::NotFound => format!("there is no folder `{shown}`"),
        ErrorKind::NotADirectory => format!("`{shown}` is not a folder"),
        _ => return Failure::file(path, error),
    };
    let new = "`plinto policy new <folder>` starts a policy in a new one";
    Failure::Local(anyhow::anyhow!("{text}; {new}"))
}

/// The path inside the bundle, with `/` on every system.
fn relative(folder: &Path, path: &Path) -> Result<String, Failure> {
    let inside: PathBuf = path.strip_prefix(folder).unwrap_or(path).to_owned();
    let parts: Option<Vec<&str>> = inside.iter().map(|part| part.to_str()).collect();
    parts
        .map(|parts| parts.join("/"))
        .ok_or_else(|| Failure::Check(format!("the name of `{}` is not UTF-8", path.display())))
}
