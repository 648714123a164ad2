//! The commands that need nothing but files.

use std::{fs, path::Path};

use plinto_contract::bundle::Manifest;
use plinto_jose::{JwkSet, Jws};
use plinto_policy::{
    bundle::{self, Limits, Unverified},
    cases,
    diagnostics::PolicyError,
    engine::Engine,
};
use serde_json::{Value, json};

use super::folder::{Folder, PolicyFolder, after_remarks, left_out_json};
use crate::{
    failure::{Failure, chain},
    output::{Output, table},
};

/// What `plinto policy new` starts from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Template {
    /// Roles in organizations.
    Rbac,
    /// Time, resource owner and second factor.
    Conditions,
}

macro_rules! template {
    ($name:literal: $($path:literal),+ $(,)?) => {
        &[$((
            $path,
            include_str!(concat!("../../../examples/policies/", $name, "/", $path)),
        )),+]
    };
}

impl Template {
    const fn files(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Rbac => template!("rbac-organizations":
                ".manifest",
                "app/authz/decision.rego",
                "app/authz/decision_test.rego",
                "plinto/data.json",
            ),
            Self::Conditions => template!("conditions":
                ".manifest",
                "app/authz/calendar.rego",
                "app/authz/calendar_test.rego",
                "app/authz/decision.rego",
                "app/authz/decision_test.rego",
                "plinto/data.json",
            ),
        }
    }
}

/// Writes a template into a new folder.
pub(crate) fn new(folder: &Path, template: Template, output: Output) -> Result<(), Failure> {
    if fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some()) {
        let text = format!("`{}` exists and is not empty", folder.display());
        return Err(Failure::Usage(text));
    }
    let mut written = Vec::new();
    for (name, content) in template.files() {
        let path = folder.join(name);
        let parent = path.parent().unwrap_or(folder);
        fs::create_dir_all(parent).map_err(|error| Failure::file(parent, error))?;
        fs::write(&path, content).map_err(|error| Failure::file(&path, error))?;
        written.push(*name);
    }
    let shown = folder.display();
    output.answer(&json!({ "folder": folder, "files": written }), || {
        format!(
            "Wrote {} files into {shown}\nNext: plinto policy test {shown}",
            written.len()
        )
    })
}

/// A policy that compiles and packs.
pub(crate) struct Checked {
    pub(crate) folder: Folder,
    /// Nothing, if there is no manifest to pack it with.
    pub(crate) packed: Vec<u8>,
    pub(crate) revision: String,
    pub(crate) routes: usize,
    pub(crate) tests: usize,
}

/// Reads, packs and compiles a folder, tests included.
pub(crate) fn load(folder: &PolicyFolder) -> Result<Checked, Failure> {
    let folder = folder.read()?;
    folder.require_manifest()?;
    let packed = bundle::build(&folder.source, &folder.manifest)?;
    let revision = bundle::revision(&folder.source, &folder.manifest)?;
    let wrong = |error: PolicyError| wrong(&folder, error);
    let tests = cases::count(&folder.manifest, &folder.source).map_err(wrong)?;
    let engine = Engine::prepare(&folder.manifest, &folder.source).map_err(wrong)?;
    Ok(Checked {
        routes: engine.routes().len(),
        packed,
        revision,
        tests,
        folder,
    })
}

/// A folder that does not compile.
pub(crate) fn wrong(folder: &Folder, error: PolicyError) -> Failure {
    Failure::Policy {
        diagnostics: error.diagnostics,
        source: folder.source.clone(),
    }
}

impl Checked {
    fn entrypoint(&self) -> &str {
        &self.folder.manifest.metadata.plinto.entrypoint
    }

    /// What a person should know.
    pub(crate) fn remarks(&self) -> Vec<String> {
        self.folder.remarks(Some(self.tests), Some(self.routes))
    }

    pub(crate) fn to_json(&self) -> Value {
        json!({
            "revision": self.revision,
            "entrypoint": self.entrypoint(),
            "policies": self.folder.deciding(),
            "tests": self.tests,
            "routes": self.routes,
            "files": self.folder.source.files.len(),
            "size_bytes": self.packed.len(),
            "left_out": left_out_json(&self.folder),
            "remarks": self.remarks(),
        })
    }
}

/// Compiles and says what is wrong.
pub(crate) fn check(given: &PolicyFolder, output: Output) -> Result<(), Failure> {
    let folder = given.read()?;
    if folder.lacks.is_some() {
        return check_unnamed(&folder, output);
    }
    let checked = load(given)?;
    output.answer(&checked.to_json(), || {
        let text = format!(
            "{} compiles: {}, {}, {}, entrypoint {}",
            given.folder.display(),
            counted(checked.folder.deciding(), "policy", "policies"),
            counted(checked.tests, "test", "tests"),
            counted(checked.routes, "route", "routes"),
            checked.entrypoint()
        );
        after_remarks(&checked.remarks(), &text)
    })
}

/// What can be checked without a manifest.
fn check_unnamed(folder: &Folder, output: Output) -> Result<(), Failure> {
    let tests = cases::count(&folder.manifest, &folder.source);
    let tests = tests.map_err(|error| wrong(folder, error))?;
    let remarks = folder.remarks(Some(tests), None);
    let value = json!({
        "policies": folder.deciding(),
        "tests": tests,
        "files": folder.source.files.len(),
        "left_out": left_out_json(folder),
        "remarks": remarks,
    });
    output.answer(&value, || {
        let text = format!(
            "{} compiles: {}, {}",
            folder.path.display(),
            counted(folder.deciding(), "policy", "policies"),
            counted(tests, "test", "tests"),
        );
        after_remarks(&remarks, &text)
    })
}

pub(crate) fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// Packs a bundle.
pub(crate) fn build(
    folder: &PolicyFolder,
    file: &Path,
    dry_run: bool,
    output: Output,
) -> Result<(), Failure> {
    let checked = load(folder)?;
    if !dry_run {
        fs::write(file, &checked.packed).map_err(|error| Failure::file(file, error))?;
    }
    let mut value = checked.to_json();
    if let Some(members) = value.as_object_mut() {
        members.insert("file".to_owned(), json!((!dry_run).then_some(file)));
    }
    output.answer(&value, || {
        let what = if dry_run { "Would write" } else { "Wrote" };
        let text = format!(
            "{what} {} ({} bytes, {})\nrevision {}",
            file.display(),
            checked.packed.len(),
            counted(checked.folder.source.files.len(), "file", "files"),
            checked.revision
        );
        after_remarks(&checked.remarks(), &text)
    })
}

/// Shows a bundle or a folder, and checks a signature if there are keys to check it with.
pub(crate) fn inspect(path: &Path, jwks: Option<&Path>, output: Output) -> Result<(), Failure> {
    let packed = if path.is_dir() {
        let folder = PolicyFolder {
            folder: path.to_owned(),
            v0_compatible: false,
        };
        let folder = folder.read()?;
        folder.require_manifest()?;
        bundle::build(&folder.source, &folder.manifest)?
    } else {
        fs::read(path).map_err(|error| Failure::file(path, error))?
    };
    let contents = bundle::Contents::read(&packed, &Limits::default())?;
    let signature = jwks.map(|jwks| check_signature(&packed, jwks));
    let files: Vec<(String, usize)> = contents
        .files
        .iter()
        .map(|(name, content)| (name.clone(), content.len()))
        .collect();
    let value = json!({
        "manifest": contents.manifest,
        "size_bytes": packed.len(),
        "files": files.iter().map(|(name, size)| json!({ "name": name, "size_bytes": size }))
            .collect::<Vec<_>>(),
        "signature": contents.signature.as_ref().map(|jws| json!({
            "kid": jws.header.kid,
            "alg": jws.header.alg.as_str(),
        })),
        "signature_is_valid": signature.as_ref().map(Result::is_ok),
    });
    output.answer(&value, || {
        let rows = files
            .iter()
            .map(|(name, size)| [name.clone(), size.to_string()]);
        format!(
            "{}\n\n{}",
            summary(
                &contents.manifest,
                contents.signature.as_ref(),
                signature.as_ref()
            ),
            table(["FILE", "BYTES"], rows)
        )
    })?;
    match signature {
        Some(Err(why)) => Err(Failure::Check(why)),
        _ => Ok(()),
    }
}

fn summary(
    manifest: &Manifest,
    signature: Option<&Jws>,
    verdict: Option<&Result<(), String>>,
) -> String {
    let plinto = &manifest.metadata.plinto;
    let mut rows = vec![
        ["revision".to_owned(), manifest.revision.clone()],
        ["entrypoint".to_owned(), plinto.entrypoint.clone()],
        ["roots".to_owned(), manifest.roots.join(", ")],
    ];
    if let Some(activation) = &plinto.activation {
        rows.push(["tenant".to_owned(), activation.tenant.to_string()]);
        rows.push(["sequence".to_owned(), activation.sequence.to_string()]);
        rows.push([
            "signed at".to_owned(),
            activation.iat.to_millis().to_string(),
        ]);
        rows.push([
            "valid until".to_owned(),
            activation.exp.to_millis().to_string(),
        ]);
    }
    let signed = match signature {
        None => "no".to_owned(),
        Some(jws) => {
            let checked = match verdict {
                None => "not checked",
                Some(Ok(())) => "valid",
                Some(Err(_)) => "NOT VALID",
            };
            let kid = jws.header.kid.as_deref().unwrap_or("no key id");
            format!("{} by {kid} ({checked})", jws.header.alg.as_str())
        }
    };
    rows.push(["signed".to_owned(), signed]);
    table(["", ""], rows)
}

/// Checks signature and digests; not tenant, sequence and expiry, which a reader can see.
fn check_signature(packed: &[u8], jwks: &Path) -> Result<(), String> {
    let text = fs::read(jwks).map_err(|error| format!("`{}`: {error}", jwks.display()))?;
    let keys = JwkSet::parse(&text).map_err(|error| format!("`{}`: {error}", jwks.display()))?;
    verify_bundle(packed, &keys).map(|_| ())
}

/// Verifies a signed bundle against a key set, as of the moment it was signed.
pub(crate) fn verify_bundle(packed: &[u8], keys: &JwkSet) -> Result<bundle::Bundle, String> {
    let unverified =
        Unverified::read(packed, &Limits::activated()).map_err(|error| chain(&error))?;
    let kid = unverified.kid().ok_or("the signature names no key")?;
    let key = keys
        .find(kid, unverified.alg())
        .ok_or_else(|| format!("the key set has no key `{kid}`"))?;
    let job = unverified
        .signature_job(key)
        .map_err(|error| chain(&error))?;
    plinto_jose::verify(&job).map_err(|error| chain(&error))?;
    let contents = bundle::Contents::read(packed, &Limits::default());
    let activation = contents
        .map_err(|error| chain(&error))?
        .manifest
        .metadata
        .plinto
        .activation
        .ok_or("the bundle was not activated")?;
    unverified
        .verified(&bundle::Expect {
            tenant: activation.tenant,
            now: activation.iat,
            min_sequence: 0,
        })
        .map_err(|error| chain(&error))
}
