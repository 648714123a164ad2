//! A bundle: policies, data and a manifest in one archive. Source: OPA, "Bundles".
//!
//! The way of a bundle: a folder becomes a [`Source`]; [`build`] packs it; the control plane
//! reads the upload with [`Upload::read`], runs its tests, and at activation signs it with
//! [`Unsigned`]; the edge reads that with [`Unverified::read`] and gets a [`Bundle`] only
//! after the signature, every digest, tenant, sequence and expiry are right.

use std::collections::BTreeMap;

use plinto_contract::{
    bundle::{MANIFEST_FILE, Manifest, ROLES_FILE, SIGNATURES_FILE},
    problem::Code,
};
use sha2::{Digest as _, Sha256};

use crate::{
    archive, canonical, data,
    manifest::{check_manifest, parse_manifest},
    signed,
};
pub use crate::{
    limits::BundleLimits as Limits,
    signed::{Bundle, Expect, Unsigned, Unverified, build_signed},
};

/// Suffix of a policy.
const POLICY_SUFFIX: &str = ".rego";
/// How files that hold tests are named. Source: OPA, "Policy Testing"; `test_*` is a habit beside it.
const TEST_SUFFIX: &str = "_test.rego";
/// The other way.
const TEST_PREFIX: &str = "test_";
/// Name of a data file; its folder is its path in `data`.
pub(crate) const DATA_FILE: &str = "data.json";
/// Names of data files in another form, which are packed as [`DATA_FILE`]. Source: OPA, "Bundles".
const YAML_FILES: [&str; 2] = ["data.yaml", "data.yml"];

/// Why a bundle cannot be read or built.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The archive or its content is larger than permitted.
    #[error("the bundle is larger than {limit} bytes {what}")]
    TooLarge {
        /// `packed` or `unpacked`.
        what: &'static str,
        /// The bound, in bytes.
        limit: usize,
    },
    /// More files than permitted.
    #[error("the bundle has more than {0} files")]
    TooManyFiles(usize),
    /// Not a gzipped tar archive of plain files.
    #[error("the archive {0}")]
    Archive(String),
    /// A path that is not accepted.
    #[error("the path `{path}` is not accepted: {why}")]
    Path {
        /// The path, escaped.
        path: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// Two files with the same path.
    #[error("the file `{0}` appears twice")]
    DuplicateFile(String),
    /// A file that is neither policy, data, manifest nor signature.
    #[error(
        "the file `{0}` is neither a policy (`.rego`) nor data (`data.json`, `data.yaml`, `data.yml`)"
    )]
    UnknownFile(String),
    /// A file that only the control plane may add.
    #[error("the file `{0}` is written by the control plane and must not be in the bundle")]
    ReservedFile(String),
    /// A text file with other bytes in it.
    #[error("the file `{0}` is not UTF-8")]
    NotUtf8(String),
    /// A data file that is not JSON, has a member twice, or nests too deeply.
    #[error("the file `{path}` is not usable JSON: {error}")]
    Json {
        /// Where it is in the bundle.
        path: String,
        /// The parser's words, with line and column.
        error: String,
    },
    /// A data file that is not YAML, or none that is JSON in another form.
    #[error("the file `{path}` is not usable YAML: {error}")]
    Yaml {
        /// Where it is in the bundle.
        path: String,
        /// The reader's words.
        error: String,
    },
    /// Two data files say something about the same path.
    #[error(
        "`{place}` is in `{first}` and in `{second}`; only objects of several files are merged"
    )]
    DataConflict {
        /// `data.app.limits`.
        place: String,
        /// The file that comes first.
        first: String,
        /// The other one.
        second: String,
    },
    /// The topmost data file holds something that has no names.
    #[error("the file `{0}` stands at the top of `data`, so it must hold an object")]
    NoObject(String),
    /// The manifest is missing or wrong.
    #[error("the manifest is not usable: {0}")]
    Manifest(String),
    /// There is no signature.
    #[error("the bundle is not signed")]
    Unsigned,
    /// The signature is there but is not right.
    #[error("the bundle's signature is not valid")]
    Signature(#[source] plinto_jose::Error),
    /// What the signature covers could not be read.
    #[error("the bundle's signature covers nothing usable: {0}")]
    SignaturePayload(String),
    /// A file that the signature does not cover.
    #[error("the signature does not cover the file `{0}`")]
    FileNotSigned(String),
    /// A file that the signature covers and the bundle lacks.
    #[error("the bundle lacks the signed file `{0}`")]
    FileMissing(String),
    /// A file that was changed after it was signed.
    #[error("the file `{0}` was changed after it was signed")]
    DigestMismatch(String),
    /// The bundle was never activated: its manifest names no tenant, sequence or expiry.
    #[error("the bundle was not activated")]
    NotActivated,
    /// The bundle is another tenant's.
    #[error("the bundle belongs to another tenant")]
    WrongTenant,
    /// A later bundle has been seen.
    #[error("the bundle's sequence {found} is lower than {wanted}")]
    LowerSequence {
        /// The bundle's own.
        found: u64,
        /// The lowest acceptable.
        wanted: u64,
    },
    /// Past its expiry.
    #[error("the bundle has expired")]
    Expired,
    /// Signed in the future.
    #[error("the bundle is not valid yet")]
    NotYetValid,
}

impl Error {
    /// The problem code that the control plane answers with.
    pub const fn problem(&self) -> Code {
        match self {
            Self::TooLarge { .. } | Self::TooManyFiles(_) => Code::BundleTooLarge,
            Self::Unsigned
            | Self::Signature(_)
            | Self::SignaturePayload(_)
            | Self::FileNotSigned(_)
            | Self::FileMissing(_)
            | Self::DigestMismatch(_)
            | Self::NotActivated
            | Self::WrongTenant
            | Self::LowerSequence { .. }
            | Self::Expired
            | Self::NotYetValid => Code::BundleSignatureInvalid,
            _ => Code::BundleMalformed,
        }
    }
}

/// The policies, tests and data of a bundle, by path.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Source {
    /// Content by path: `app/authz/decision.rego`, `app/authz/decision_test.rego`,
    /// `plinto/data.json`. No leading slash.
    pub files: BTreeMap<String, Vec<u8>>,
}

impl Source {
    /// Whether a bundle may hold a file of this name.
    pub fn accepts(path: &str) -> bool {
        path.ends_with(POLICY_SUFFIX) || is_data(path)
    }

    /// Whether a file is named as those that hold tests, which stay out of a signed bundle:
    /// `…_test.rego` or `test_….rego`.
    pub fn is_test(path: &str) -> bool {
        let name = path.rsplit_once('/').map_or(path, |(_, name)| name);
        path.ends_with(TEST_SUFFIX)
            || (name.starts_with(TEST_PREFIX) && name.ends_with(POLICY_SUFFIX))
    }

    /// The policies and tests as text, in order of their paths.
    /// Errors: `NotUtf8`.
    pub fn modules(&self) -> Result<Vec<(&str, &str)>, Error> {
        self.texts(|path| path.ends_with(POLICY_SUFFIX))
    }

    /// The data files as text, in order of their paths.
    /// Errors: `NotUtf8`.
    pub fn data_files(&self) -> Result<Vec<(&str, &str)>, Error> {
        self.texts(is_data)
    }

    /// The same without the tests.
    #[must_use]
    pub fn without_tests(&self) -> Self {
        let kept = self.files.iter().filter(|(path, _)| !Self::is_test(path));
        Self {
            files: kept
                .map(|(path, content)| (path.clone(), content.clone()))
                .collect(),
        }
    }

    fn texts(&self, wanted: impl Fn(&str) -> bool) -> Result<Vec<(&str, &str)>, Error> {
        self.files
            .iter()
            .filter(|(path, _)| wanted(path))
            .map(|(path, content)| Ok((path.as_str(), text(path, content)?)))
            .collect()
    }
}

/// A bundle that was sent in to be published: read, but neither signed nor compiled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upload {
    /// Its manifest, without activation.
    pub manifest: Manifest,
    /// Modules and data.
    pub source: Source,
}

impl Upload {
    /// Reads an archive that was sent in. Data files and manifest are brought into canonical form.
    /// Errors: whatever makes the archive unusable, an activation or a reserved file in it.
    pub fn read(packed: &[u8], limits: &Limits) -> Result<Self, Error> {
        let mut files = archive::unpack(packed, limits)?;
        // A signature on an upload says nothing here: the API key says who sent it.
        files.remove(SIGNATURES_FILE);
        let manifest = files
            .remove(MANIFEST_FILE)
            .ok_or_else(|| Error::Manifest("there is no `.manifest`".to_owned()))?;
        let manifest = parse_manifest(&manifest, limits)?;
        if manifest.metadata.plinto.activation.is_some() {
            return Err(Error::Manifest(
                "`activation` is written by the control plane".to_owned(),
            ));
        }
        // In whatever form it came, it is JSON now.
        let source = canonical_source(&Source { files }, limits)?;
        if source.files.contains_key(ROLES_FILE) {
            return Err(Error::ReservedFile(ROLES_FILE.to_owned()));
        }
        Ok(Self { manifest, source })
    }

    /// What [`revision`] says of it.
    /// Errors: `Manifest` when it cannot be written.
    pub fn revision(&self) -> Result<String, Error> {
        revision_of(&self.source, &self.manifest)
    }
}

/// What is in an archive, for showing. Nothing of it was verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contents {
    /// As it is in the archive, with the activation if there is one.
    pub manifest: Manifest,
    /// Its files, without manifest and signature, as they are.
    pub files: BTreeMap<String, Vec<u8>>,
    /// Its signature, if it has one.
    pub signature: Option<plinto_jose::Jws>,
}

impl Contents {
    /// Reads an archive, signed or not.
    /// Errors: whatever makes the archive, its manifest or its signature unreadable.
    pub fn read(packed: &[u8], limits: &Limits) -> Result<Self, Error> {
        let mut files = archive::unpack(packed, limits)?;
        let signature = match files.remove(SIGNATURES_FILE) {
            Some(content) => Some(signed::parse_signature(&content)?),
            None => None,
        };
        let manifest = files
            .remove(MANIFEST_FILE)
            .ok_or_else(|| Error::Manifest("there is no `.manifest`".to_owned()))?;
        Ok(Self {
            manifest: parse_manifest(&manifest, limits)?,
            files,
            signature,
        })
    }
}

/// Packs an unsigned bundle, ready to be sent to the control plane. The revision is computed and
/// written into the manifest. Equal content gives equal bytes.
/// Errors: whatever [`Upload::read`] would refuse.
pub fn build(source: &Source, manifest: &Manifest) -> Result<Vec<u8>, Error> {
    let limits = Limits::default();
    let source = canonical_source(source, &limits)?;
    let mut manifest = manifest.clone();
    manifest.revision = revision_of(&source, &manifest)?;
    let packed = archive::pack(&assemble(&source, &manifest)?)?;
    // What was built must be readable: this finds every limit at the place where it can be fixed.
    Upload::read(&packed, &limits)?;
    Ok(packed)
}

/// SHA-256 over all files and the manifest without its revision and activation, as 64 lower-case
/// hexadecimal characters. Tests count: a bundle with other tests is another bundle.
/// Errors: a data file that is not JSON.
pub fn revision(source: &Source, manifest: &Manifest) -> Result<String, Error> {
    revision_of(&canonical_source(source, &Limits::default())?, manifest)
}

/// The same of a source in canonical form.
fn revision_of(source: &Source, manifest: &Manifest) -> Result<String, Error> {
    let mut manifest = manifest.clone();
    manifest.revision = String::new();
    manifest.metadata.plinto.activation = None;
    let mut hasher = Sha256::new();
    for (path, content) in &assemble(source, &manifest)? {
        // Digests have a fixed length, so no two lists of files give the same bytes.
        hasher.update(Sha256::digest(path.as_bytes()));
        hasher.update(Sha256::digest(content));
    }
    Ok(hex::encode(hasher.finalize()))
}

/// All files of a bundle but its signature.
pub(crate) fn assemble(
    source: &Source,
    manifest: &Manifest,
) -> Result<BTreeMap<String, Vec<u8>>, Error> {
    check_manifest(manifest)?;
    let text =
        serde_json::to_string(manifest).map_err(|error| Error::Manifest(error.to_string()))?;
    let text = canonical::rewrite(&text, Limits::default().json_depth)
        .map_err(|error| Error::Manifest(error.to_string()))?;
    let mut files = source.files.clone();
    files.insert(MANIFEST_FILE.to_owned(), text.into_bytes());
    Ok(files)
}

/// Checks every file and rewrites data files in OPA's canonical form, as one `data.json` a folder.
pub(crate) fn canonical_source(source: &Source, limits: &Limits) -> Result<Source, Error> {
    let mut files = BTreeMap::new();
    let mut data = Vec::new();
    for (path, content) in &source.files {
        archive::check_path(path, limits)?;
        if is_data(path) {
            data.push((path.as_str(), content.as_slice()));
        } else if path.ends_with(POLICY_SUFFIX) {
            text(path, content)?;
            files.insert(path.clone(), content.clone());
        } else {
            return Err(Error::UnknownFile(path.clone()));
        }
    }
    files.extend(data::packed(&data, limits)?);
    Ok(Source { files })
}

/// The folder of a file; empty at the top.
pub(crate) fn folder_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

pub(crate) fn is_data(path: &str) -> bool {
    let name = path.rsplit_once('/').map_or(path, |(_, name)| name);
    name == DATA_FILE || YAML_FILES.contains(&name)
}

pub(crate) fn text<'a>(path: &str, content: &'a [u8]) -> Result<&'a str, Error> {
    std::str::from_utf8(content).map_err(|_| Error::NotUtf8(path.to_owned()))
}
