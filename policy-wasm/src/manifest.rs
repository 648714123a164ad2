//! The manifest of a bundle: read strictly, and checked before anything goes by it.

use plinto_contract::bundle::{MANIFEST_FILE, Manifest};

use crate::{
    builtins,
    bundle::{Error, text},
    canonical,
    front::Dialect,
    limits::BundleLimits,
    value::Value,
};

/// 256: roots a bundle may have; more is a list of files, not of areas.
const ROOTS_MAX: usize = 256;
/// 1,024: entries of `file_rego_versions`; one for each file.
const FILE_VERSIONS_MAX: usize = 1_024;
/// 32: patterns among them, each of which is tried at each file.
const PATTERNS_MAX: usize = 32;
/// Begin what a glob matches beyond itself. Source: OPA, "Policy Reference", `glob.match`.
const GLOB_SIGNS: [char; 5] = ['*', '?', '[', '{', '\\'];

/// Reads a manifest strictly.
/// Errors: `NotUtf8`; `Manifest` for whatever is not as it must be.
pub(crate) fn parse_manifest(content: &[u8], limits: &BundleLimits) -> Result<Manifest, Error> {
    let content = text(MANIFEST_FILE, content)?;
    let refuse = |error: serde_json::Error| Error::Manifest(error.to_string());
    let content = canonical::rewrite(content, limits.json_depth).map_err(refuse)?;
    let mut manifest: Manifest = serde_json::from_str(&content).map_err(refuse)?;
    for root in &mut manifest.roots {
        // OPA takes `/app/` for `app`.
        *root = root.trim_matches('/').to_owned();
    }
    check_manifest(&manifest)?;
    Ok(manifest)
}

/// Errors: `Manifest`.
pub(crate) fn check_manifest(manifest: &Manifest) -> Result<(), Error> {
    check_roots(&manifest.roots).map_err(Error::Manifest)?;
    Dialects::of(manifest)?;
    Ok(())
}

fn check_roots(roots: &[String]) -> Result<(), String> {
    if roots.is_empty() || roots.len() > ROOTS_MAX {
        return Err(format!("`roots` must name 1 to {ROOTS_MAX} data paths"));
    }
    for (index, root) in roots.iter().enumerate() {
        let is_plain =
            |part: &str| !matches!(part, "" | "." | "..") && !part.chars().any(char::is_control);
        // The empty one is OPA's default and owns everything.
        if !root.is_empty() && !root.split('/').all(is_plain) {
            let shown = root.escape_default();
            return Err(format!("the root `{shown}` is not a data path"));
        }
        let mut others = roots.iter().skip(index.saturating_add(1));
        if let Some(other) = others.find(|other| lies_under(other, root) || lies_under(root, other))
        {
            return Err(format!("the roots `{root}` and `{other}` overlap"));
        }
    }
    Ok(())
}

/// Whether the data path `path` is `root` or lies below it.
pub(crate) fn lies_under(path: &str, root: &str) -> bool {
    root.is_empty()
        || path
            .strip_prefix(root)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// In which dialect each module is written.
pub(crate) struct Dialects {
    files: Vec<(Files, Dialect)>,
    others: Dialect,
}

/// Files that a manifest names.
enum Files {
    Path(String),
    Pattern(String),
}

impl Dialects {
    /// As a manifest says it.
    /// Errors: `Manifest` for a version that there is not, or a pattern that is none.
    pub(crate) fn of(manifest: &Manifest) -> Result<Self, Error> {
        let others = dialect("rego_version", manifest.rego_version)?;
        let versions = &manifest.file_rego_versions;
        let mut patterns = versions.keys().filter(|path| path.contains(GLOB_SIGNS));
        if versions.len() > FILE_VERSIONS_MAX || patterns.by_ref().count() > PATTERNS_MAX {
            return Err(Error::Manifest(format!(
                "`file_rego_versions` may name {FILE_VERSIONS_MAX} files, {PATTERNS_MAX} of them by patterns"
            )));
        }
        let mut files = Vec::new();
        for (path, version) in versions {
            let dialect = dialect(path, *version)?;
            let named = if path.contains(GLOB_SIGNS) {
                matches(path, "").map_err(|why| {
                    let shown = path.escape_default();
                    Error::Manifest(format!("`file_rego_versions`: `{shown}`: {why}"))
                })?;
                Files::Pattern(path.clone())
            } else {
                Files::Path(path.clone())
            };
            files.push((named, dialect));
        }
        Ok(Self { files, others })
    }

    /// That of one module. The first entry in the order of their texts counts. Source: OPA.
    pub(crate) fn at(&self, path: &str) -> Dialect {
        // OPA's paths begin with a slash.
        let from_top = format!("/{path}");
        let is_named = |(files, _): &&(Files, Dialect)| match files {
            Files::Path(named) => *named == from_top || named == path,
            Files::Pattern(pattern) => {
                matches(pattern, &from_top) == Ok(true) || matches(pattern, path) == Ok(true)
            }
        };
        let found = self.files.iter().find(is_named);
        found.map_or(self.others, |(_, dialect)| *dialect)
    }
}

fn dialect(name: &str, version: u8) -> Result<Dialect, Error> {
    match version {
        0 => Ok(Dialect::V0),
        1 => Ok(Dialect::V1),
        _ => {
            let shown = name.escape_default();
            let why = format!("`{shown}` is {version}; only 0 and 1 are supported");
            Err(Error::Manifest(why))
        }
    }
}

/// Whether a path is as a glob says, whose `*` goes over slashes, too. Source: OPA.
fn matches(pattern: &str, path: &str) -> Result<bool, String> {
    let arguments = [Value::from(pattern), Value::Null, Value::from(path)];
    let found = builtins::call_alone("glob.match", &arguments)?;
    Ok(found.and_then(|found| found.as_bool()).unwrap_or_default())
}
