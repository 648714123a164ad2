//! Making keys and signatures with AWS-LC.
//!
//! jsonwebtoken checks signatures for us but can't make these: its signers are not `Send`, so
//! none can be kept, and the RSA one parses the private key again for every signature.

use std::fmt;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair,
    EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256, RSA_PKCS1_SHA384,
    RSA_PKCS1_SHA512, RSA_PSS_SHA256, RsaEncoding, RsaKeyPair,
};
use serde_json::Value;
use zeroize::Zeroizing;

use crate::{Algorithm, EcCurve, Error, Jwk, OkpCurve, PublicKey, base64url};

/// A private key with its one algorithm. Does not print.
pub struct SigningKey {
    pair: Pair,
    algorithm: Algorithm,
    public: Jwk,
    pkcs8: Zeroizing<Vec<u8>>,
}

enum Pair {
    Rsa(RsaKeyPair, &'static dyn RsaEncoding),
    Ec(EcdsaKeyPair),
    Ed(Ed25519KeyPair),
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey")
            .field("algorithm", &self.algorithm)
            .field("kid", &self.public.kid)
            .finish_non_exhaustive()
    }
}

impl SigningKey {
    /// Makes a new key; RSA keys have 2048 bits. RSA takes tenths of a second: keep it off the
    /// threads that answer requests.
    /// Errors: `Signing`.
    pub fn generate(algorithm: Algorithm) -> Result<Self, Error> {
        let pkcs8 = match algorithm {
            Algorithm::Rs256 | Algorithm::Rs384 | Algorithm::Rs512 | Algorithm::Ps256 => {
                let pair = RsaKeyPair::generate(KeySize::Rsa2048).map_err(signing)?;
                let der: Pkcs8V1Der<'_> = pair.as_der().map_err(signing)?;
                Zeroizing::new(der.as_ref().to_vec())
            }
            Algorithm::Es256 | Algorithm::Es384 => {
                let pair = EcdsaKeyPair::generate(ecdsa(algorithm)?).map_err(signing)?;
                Zeroizing::new(pair.to_pkcs8v1().map_err(signing)?.as_ref().to_vec())
            }
            Algorithm::EdDsa => {
                let pair = Ed25519KeyPair::generate().map_err(signing)?;
                Zeroizing::new(pair.to_pkcs8().map_err(signing)?.as_ref().to_vec())
            }
        };
        Self::from_pkcs8(algorithm, &pkcs8)
    }

    /// Reads a private key.
    /// `pkcs8`: DER (RFC 5958), unencrypted.
    /// Errors: `Key` when it is malformed or for another algorithm, `WeakKey`.
    pub fn from_pkcs8(algorithm: Algorithm, pkcs8: &[u8]) -> Result<Self, Error> {
        let pair = Pair::from_pkcs8(algorithm, pkcs8)?;
        let mut public = Jwk {
            kid: None,
            alg: Some(algorithm),
            key: pair.public()?,
        };
        // The same rules as for keys from elsewhere: what others would refuse, we don't sign with.
        public = Jwk::from_value(&public.to_value())?;
        public.kid = Some(public.thumbprint());
        Ok(Self {
            pair,
            algorithm,
            public,
            pkcs8: Zeroizing::new(pkcs8.to_vec()),
        })
    }

    /// The private key as DER (RFC 5958), unencrypted: seal it before it is stored.
    pub fn to_pkcs8(&self) -> Zeroizing<Vec<u8>> {
        self.pkcs8.clone()
    }

    /// The public half; `kid` is its thumbprint, `alg` is set.
    pub fn public(&self) -> Jwk {
        self.public.clone()
    }

    /// What it signs with, as `alg` names it.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Signs `payload` and returns the compact form.
    /// `typ`: the media type without `application/`, such as `at+jwt`.
    /// Errors: `Signing`; `Malformed` for an empty payload, which no verifier accepts.
    pub fn sign(&self, typ: Option<&str>, payload: &[u8]) -> Result<String, Error> {
        if payload.is_empty() {
            return Err(Error::Malformed);
        }
        let mut compact = base64url::encode(self.header(typ).as_bytes());
        compact.push('.');
        compact.push_str(&base64url::encode(payload));
        let signature = self.pair.signature(compact.as_bytes())?;
        compact.push('.');
        compact.push_str(&base64url::encode(&signature));
        Ok(compact)
    }

    fn header(&self, typ: Option<&str>) -> String {
        let mut header = serde_json::Map::new();
        header.insert("alg".to_owned(), Value::from(self.algorithm.as_str()));
        if let Some(kid) = &self.public.kid {
            header.insert("kid".to_owned(), Value::from(kid.as_str()));
        }
        if let Some(typ) = typ {
            header.insert("typ".to_owned(), Value::from(typ));
        }
        Value::Object(header).to_string()
    }
}

impl Pair {
    fn from_pkcs8(algorithm: Algorithm, pkcs8: &[u8]) -> Result<Self, Error> {
        Ok(match algorithm {
            Algorithm::Rs256 => Self::Rsa(rsa(pkcs8)?, &RSA_PKCS1_SHA256),
            Algorithm::Rs384 => Self::Rsa(rsa(pkcs8)?, &RSA_PKCS1_SHA384),
            Algorithm::Rs512 => Self::Rsa(rsa(pkcs8)?, &RSA_PKCS1_SHA512),
            Algorithm::Ps256 => Self::Rsa(rsa(pkcs8)?, &RSA_PSS_SHA256),
            Algorithm::Es256 | Algorithm::Es384 => Self::Ec(
                EcdsaKeyPair::from_pkcs8(ecdsa(algorithm)?, pkcs8).map_err(|_| Error::Key)?,
            ),
            Algorithm::EdDsa => {
                Self::Ed(Ed25519KeyPair::from_pkcs8(pkcs8).map_err(|_| Error::Key)?)
            }
        })
    }

    fn public(&self) -> Result<PublicKey, Error> {
        match self {
            Self::Rsa(pair, _) => {
                let components = jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER
                    .key_utils
                    .rsa_pub_components_from_public_key;
                let (n, e) = components(pair.public_key().as_ref()).map_err(|_| Error::Key)?;
                Ok(PublicKey::Rsa { n, e })
            }
            Self::Ec(pair) => point(pair.public_key().as_ref()),
            Self::Ed(pair) => Ok(PublicKey::Okp {
                crv: OkpCurve::Ed25519,
                x: pair.public_key().as_ref().to_vec(),
            }),
        }
    }

    fn signature(&self, message: &[u8]) -> Result<Vec<u8>, Error> {
        let random = SystemRandom::new();
        match self {
            Self::Rsa(pair, encoding) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(*encoding, &random, message, &mut signature)
                    .map_err(signing)?;
                Ok(signature)
            }
            Self::Ec(pair) => {
                let signature = pair.sign(&random, message).map_err(signing)?;
                Ok(signature.as_ref().to_vec())
            }
            Self::Ed(pair) => Ok(pair.sign(message).as_ref().to_vec()),
        }
    }
}

fn rsa(pkcs8: &[u8]) -> Result<RsaKeyPair, Error> {
    RsaKeyPair::from_pkcs8(pkcs8).map_err(|_| Error::Key)
}

fn ecdsa(algorithm: Algorithm) -> Result<&'static EcdsaSigningAlgorithm, Error> {
    match algorithm {
        Algorithm::Es256 => Ok(&ECDSA_P256_SHA256_FIXED_SIGNING),
        Algorithm::Es384 => Ok(&ECDSA_P384_SHA384_FIXED_SIGNING),
        _ => Err(Error::Algorithm),
    }
}

/// `sec1`: `04 ‖ x ‖ y`.
fn point(sec1: &[u8]) -> Result<PublicKey, Error> {
    let coordinates = sec1.strip_prefix(&[0x04]).ok_or(Error::Key)?;
    let crv = match coordinates.len() {
        64 => EcCurve::P256,
        96 => EcCurve::P384,
        _ => return Err(Error::Key),
    };
    let (x, y) = coordinates
        .split_at_checked(crv.coordinate_bytes())
        .ok_or(Error::Key)?;
    Ok(PublicKey::Ec {
        crv,
        x: x.to_vec(),
        y: y.to_vec(),
    })
}

fn signing<E>(_: E) -> Error {
    Error::Signing
}
