//! Signed bundles: what the signature covers, and in which order a reader must check it.
//!
//! Checking the signature itself is left to the caller, because at the edge only WebCrypto can
//! do it and WebCrypto answers later: [`Unverified::signature_job`] says what to check,
//! [`Unverified::verified`] comes after.

use std::collections::BTreeMap;

use plinto_contract::{
    bundle::{
        Activation, FileDigest, HASH_ALGORITHM, MANIFEST_FILE, Manifest, SIGNATURES_FILE,
        SignaturePayload, Signatures,
    },
    ids::TenantId,
    limits::CLOCK_LEEWAY_S,
    time::UnixSeconds,
};
use plinto_jose::{Algorithm, Jwk, Jws, SignatureJob};
use sha2::{Digest as _, Sha256};

use crate::{
    archive,
    bundle::{Error, Source, assemble, canonical_source},
    limits::BundleLimits,
    manifest::parse_manifest,
};

/// 640 KiB: a signature over the largest number of files with the longest names fits: 1,026 lines of at
/// most 380 bytes, in base64.
const SIGNATURE_BYTES: usize = 640 * 1024;

/// A bundle that waits for its signature.
#[derive(Debug, Clone)]
pub struct Unsigned {
    files: BTreeMap<String, Vec<u8>>,
    payload: Vec<u8>,
}

impl Unsigned {
    /// Assembles a bundle. `manifest` must carry its activation; tests should have been left out of
    /// `source`. `kid`: the key that will sign.
    /// Errors: a file that a bundle may not have.
    pub fn new(source: &Source, manifest: &Manifest, kid: &str) -> Result<Self, Error> {
        let source = canonical_source(source, &BundleLimits::default())?;
        let files = assemble(&source, manifest)?;
        let payload = payload_of(&files, kid)?;
        Ok(Self { files, payload })
    }

    /// What the signature must cover: every file of the bundle with its digest, as JSON.
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// Packs the bundle. `signature`: a compact JWS over the payload, by the tenant's bundle key.
    pub fn signed(mut self, signature: String) -> Result<Vec<u8>, Error> {
        let signatures = Signatures {
            signatures: vec![signature],
        };
        let text = serde_json::to_vec(&signatures)
            .map_err(|error| Error::SignaturePayload(error.to_string()))?;
        self.files.insert(SIGNATURES_FILE.to_owned(), text);
        archive::pack(&self.files)
    }
}

fn payload_of(files: &BTreeMap<String, Vec<u8>>, kid: &str) -> Result<Vec<u8>, Error> {
    let payload = SignaturePayload {
        files: files
            .iter()
            .map(|(name, content)| FileDigest {
                name: name.clone(),
                hash: digest(content),
                algorithm: HASH_ALGORITHM.to_owned(),
            })
            .collect(),
        keyid: Some(kid.to_owned()),
        scope: None,
    };
    serde_json::to_vec(&payload).map_err(|error| Error::SignaturePayload(error.to_string()))
}

/// JSON files are canonical here, so the digest of their bytes is OPA's digest of their structure.
fn digest(content: &[u8]) -> String {
    hex::encode(Sha256::digest(content))
}

/// Packs a signed bundle where signing waits for nothing. `sign` gets the payload and returns a
/// compact JWS over it.
/// Errors: a file that a bundle may not have (as `E`'s own conversion), or `sign`'s error.
pub fn build_signed<E: From<Error>>(
    source: &Source,
    manifest: &Manifest,
    kid: &str,
    sign: impl FnOnce(&[u8]) -> Result<String, E>,
) -> Result<Vec<u8>, E> {
    let unsigned = Unsigned::new(source, manifest, kid)?;
    let signature = sign(unsigned.payload())?;
    Ok(unsigned.signed(signature)?)
}

/// A signed bundle before its signature was checked. Nothing of it can be used yet.
#[derive(Debug)]
pub struct Unverified {
    files: BTreeMap<String, Vec<u8>>,
    signature: Jws,
}

/// What a signed bundle must fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expect {
    /// Whose bundles are accepted.
    pub tenant: TenantId,
    /// The time against which its expiry is checked.
    pub now: UnixSeconds,
    /// The sequence of the bundle in use; a lower one is an old bundle, replayed.
    pub min_sequence: u64,
}

/// A bundle whose origin is proven, ready to be prepared for evaluation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bundle {
    /// As it was signed, with the activation.
    pub manifest: Manifest,
    /// Its activation, as in the manifest.
    pub activation: Activation,
    /// Modules and data, in which the tenant's roles are.
    pub source: Source,
    /// SHA-256 over the names and digests of all it holds but the signature: equal for equal
    /// content, whenever and by whichever key it was signed.
    pub digest: [u8; 32],
}

impl Unverified {
    /// Unpacks a signed bundle under limits; reads nothing but the signature's shape.
    /// Errors: `Unsigned`, `Signature`, or what makes the archive unusable.
    pub fn read(packed: &[u8], limits: &BundleLimits) -> Result<Self, Error> {
        let mut files = archive::unpack(packed, limits)?;
        let signatures = files.remove(SIGNATURES_FILE).ok_or(Error::Unsigned)?;
        let signature = parse_signature(&signatures)?;
        Ok(Self { files, signature })
    }

    /// The id of the key that signed, to look it up by.
    pub fn kid(&self) -> Option<&str> {
        self.signature.header.kid.as_deref()
    }

    /// The algorithm that the signature names.
    pub fn alg(&self) -> Algorithm {
        self.signature.header.alg
    }

    /// The signature to check, with a key of the tenant's bundle key set.
    /// Errors: `Signature` if the key does not fit the algorithm.
    pub fn signature_job<'a>(&'a self, key: &'a Jwk) -> Result<SignatureJob<'a>, Error> {
        self.signature.signature_job(key).map_err(Error::Signature)
    }

    /// Checks everything that the signature vouches for. Call it only after the job of
    /// [`Self::signature_job`] was found right.
    /// Errors: a file not covered, missing or changed; another tenant; replayed; expired.
    pub fn verified(self, expect: &Expect) -> Result<Bundle, Error> {
        let digest = check_digests(&self.files, &self.signature.payload)?;
        let mut files = self.files;
        let manifest = files
            .remove(MANIFEST_FILE)
            .ok_or_else(|| Error::Manifest("there is no `.manifest`".to_owned()))?;
        let manifest = parse_manifest(&manifest, &BundleLimits::default())?;
        let activation = manifest
            .metadata
            .plinto
            .activation
            .clone()
            .ok_or(Error::NotActivated)?;
        check_activation(&activation, expect)?;
        if let Some(path) = files.keys().find(|path| !Source::accepts(path)) {
            return Err(Error::UnknownFile(path.clone()));
        }
        Ok(Bundle {
            manifest,
            activation,
            source: Source { files },
            digest,
        })
    }
}

/// `typ` of a bundle's signature, where it has one: OPA writes none.
const TYP: &str = "JWT";

/// The one signature in a `.signatures.json`.
pub(crate) fn parse_signature(content: &[u8]) -> Result<Jws, Error> {
    let signatures: Signatures = serde_json::from_slice(content)
        .map_err(|error| Error::SignaturePayload(error.to_string()))?;
    match signatures.signatures.as_slice() {
        [compact] => {
            let jws = Jws::parse_within(compact, SIGNATURE_BYTES).map_err(Error::Signature)?;
            // SECURITY: a token or feed by the same key is no signature of a bundle (T6).
            if jws.header.typ.is_none() || jws.header.is_of(TYP) {
                Ok(jws)
            } else {
                Err(Error::Signature(plinto_jose::Error::Type))
            }
        }
        _ => Err(Error::SignaturePayload(
            "there must be exactly one signature".to_owned(),
        )),
    }
}

/// Gives the digest of the whole.
fn check_digests(files: &BTreeMap<String, Vec<u8>>, payload: &[u8]) -> Result<[u8; 32], Error> {
    let payload: SignaturePayload = serde_json::from_slice(payload)
        .map_err(|error| Error::SignaturePayload(error.to_string()))?;
    if payload.scope.is_some() {
        return Err(Error::SignaturePayload(
            "a scope is not used here".to_owned(),
        ));
    }
    let mut covered = BTreeMap::new();
    for file in &payload.files {
        if file.algorithm != HASH_ALGORITHM {
            return Err(Error::SignaturePayload(format!(
                "the digest of `{}` must be {HASH_ALGORITHM}",
                file.name.escape_default()
            )));
        }
        if covered
            .insert(file.name.as_str(), file.hash.as_str())
            .is_some()
        {
            return Err(Error::SignaturePayload(format!(
                "it names `{}` twice",
                file.name.escape_default()
            )));
        }
        let content = files
            .get(&file.name)
            .ok_or_else(|| Error::FileMissing(file.name.clone()))?;
        if digest(content) != file.hash {
            return Err(Error::DigestMismatch(file.name.clone()));
        }
    }
    if let Some(name) = files
        .keys()
        .find(|name| !covered.contains_key(name.as_str()))
    {
        return Err(Error::FileNotSigned(name.clone()));
    }
    let mut whole = Sha256::new();
    for (name, hash) in covered {
        // Digests have a fixed length, so no two lists of files give the same bytes.
        whole.update(Sha256::digest(name));
        whole.update(hash);
    }
    Ok(whole.finalize().into())
}

fn check_activation(activation: &Activation, expect: &Expect) -> Result<(), Error> {
    if activation.tenant != expect.tenant {
        return Err(Error::WrongTenant);
    }
    if activation.sequence < expect.min_sequence {
        return Err(Error::LowerSequence {
            found: activation.sequence,
            wanted: expect.min_sequence,
        });
    }
    if activation.exp <= expect.now {
        return Err(Error::Expired);
    }
    if activation.iat > expect.now.plus_seconds(CLOCK_LEEWAY_S) {
        return Err(Error::NotYetValid);
    }
    Ok(())
}
