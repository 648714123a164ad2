//! Checking a signature natively, with jsonwebtoken's primitives.

use jsonwebtoken::DecodingKey;
use jsonwebtoken::crypto::CryptoProvider;

use crate::{Algorithm, Error, PublicKey, SignatureJob};

/// Who does the arithmetic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    /// AWS-LC.
    #[cfg(feature = "aws-lc")]
    AwsLc,
    /// The `RustCrypto` crates.
    #[cfg(feature = "rust-crypto")]
    RustCrypto,
}

impl Backend {
    /// The one used by [`verify()`]: AWS-LC where it is compiled in.
    pub const DEFAULT: Self = {
        #[cfg(feature = "aws-lc")]
        {
            Self::AwsLc
        }
        #[cfg(not(feature = "aws-lc"))]
        {
            Self::RustCrypto
        }
    };

    /// Named outright: jsonwebtoken's process-wide default is ambiguous, and panics, as soon as
    /// a build enables both of its backends.
    fn provider(self) -> &'static CryptoProvider {
        match self {
            #[cfg(feature = "aws-lc")]
            Self::AwsLc => &jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER,
            #[cfg(feature = "rust-crypto")]
            Self::RustCrypto => &jsonwebtoken::crypto::rust_crypto::DEFAULT_PROVIDER,
        }
    }
}

/// Checks one signature.
/// Errors: `Algorithm` when job and key disagree, `Key`, `Signature`.
pub fn verify(job: &SignatureJob<'_>) -> Result<(), Error> {
    verify_with(Backend::DEFAULT, job)
}

/// Checks one signature with the backend named; otherwise as [`verify()`].
pub fn verify_with(backend: Backend, job: &SignatureJob<'_>) -> Result<(), Error> {
    // Anybody can fill in a job, so what `signature_job` promised is asked again.
    if !job.key.fits(job.alg) {
        return Err(Error::Algorithm);
    }
    if !job.key.key.could_have_made(job.signature) {
        return Err(Error::Signature);
    }
    let key = decoding_key(&job.key.key)?;
    let verifier =
        (backend.provider().verifier_factory)(&jwa(job.alg), &key).map_err(|_| Error::Signature)?;
    verifier
        .verify(job.message, &job.signature.to_vec())
        .map_err(|_| Error::Signature)
}

fn jwa(algorithm: Algorithm) -> jsonwebtoken::Algorithm {
    match algorithm {
        Algorithm::Rs256 => jsonwebtoken::Algorithm::RS256,
        Algorithm::Rs384 => jsonwebtoken::Algorithm::RS384,
        Algorithm::Rs512 => jsonwebtoken::Algorithm::RS512,
        Algorithm::Ps256 => jsonwebtoken::Algorithm::PS256,
        Algorithm::Es256 => jsonwebtoken::Algorithm::ES256,
        Algorithm::Es384 => jsonwebtoken::Algorithm::ES384,
        Algorithm::EdDsa => jsonwebtoken::Algorithm::EdDSA,
    }
}

fn decoding_key(key: &PublicKey) -> Result<DecodingKey, Error> {
    match key {
        PublicKey::Rsa { n, e } => Ok(DecodingKey::from_rsa_raw_components(n, e)),
        // SEC 1 §2.3.3: an uncompressed point; both backends check that it lies on the curve.
        PublicKey::Ec { x, y, .. } => {
            let point = [&[0x04], x.as_slice(), y.as_slice()].concat();
            Ok(DecodingKey::from_ec_der(&point))
        }
        // SECURITY: one of the backends takes the first 32 bytes without asking.
        PublicKey::Okp { x, .. } if x.len() == 32 => Ok(DecodingKey::from_ed_der(x)),
        PublicKey::Okp { .. } => Err(Error::Key),
    }
}
