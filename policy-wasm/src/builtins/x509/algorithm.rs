//! Algorithms of certificates: their identifiers, and the numbers that Go has for them.

use crate::builtins::crypto::{
    der::{Reader, tag},
    hash::Hash,
    keys::{Algorithm as Identifier, oid},
    signature::{Algorithm, Family},
};

/// How a certificate is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SignatureAlgorithm {
    /// Go's `x509.SignatureAlgorithm`.
    pub(super) number: i64,
    /// `None`: no longer trusted, or never was.
    pub(super) usable: Option<Algorithm>,
}

/// `1.2.840.113549.1.1`
const PKCS1: [u8; 8] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1];
/// `1.2.840.10045.4`
const ECDSA: [u8; 6] = [0x2a, 0x86, 0x48, 0xce, 0x3d, 4];
/// `2.16.840.1.101.3.4.2`
const DIGESTS: [u8; 8] = [0x60, 0x86, 0x48, 0x01, 0x65, 3, 4, 2];
const ISO_SHA1_WITH_RSA: &[u8] = &[0x2b, 0x0e, 3, 2, 0x1d];
const DSA_WITH_SHA1: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x38, 4, 3];
const DSA_WITH_SHA256: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 3, 4, 3, 2];

const UNKNOWN: SignatureAlgorithm = known(0, None);

const fn known(number: i64, usable: Option<Algorithm>) -> SignatureAlgorithm {
    SignatureAlgorithm { number, usable }
}

const fn usable(number: i64, family: Family, hash: Hash) -> SignatureAlgorithm {
    known(number, Some(Algorithm::new(family, hash)))
}

/// The algorithm of an identifier. Source: Go, `getSignatureAlgorithmFromAI`.
pub(super) fn signature_algorithm(identifier: &Identifier<'_>) -> SignatureAlgorithm {
    if let Some([last]) = identifier.oid.strip_prefix(&PKCS1) {
        return match last {
            4 => known(2, None),
            5 => known(3, None),
            10 => pss(identifier.parameters).unwrap_or(UNKNOWN),
            11 => usable(4, Family::Pkcs1, Hash::Sha256),
            12 => usable(5, Family::Pkcs1, Hash::Sha384),
            13 => usable(6, Family::Pkcs1, Hash::Sha512),
            _ => UNKNOWN,
        };
    }
    match identifier.oid.strip_prefix(&ECDSA) {
        Some([1]) => return known(9, None),
        Some([3, 2]) => return usable(10, Family::Ecdsa, Hash::Sha256),
        Some([3, 3]) => return usable(11, Family::Ecdsa, Hash::Sha384),
        Some([3, 4]) => return usable(12, Family::Ecdsa, Hash::Sha512),
        _ => {}
    }
    match identifier.oid {
        ISO_SHA1_WITH_RSA => known(3, None),
        DSA_WITH_SHA1 => known(7, None),
        DSA_WITH_SHA256 => known(8, None),
        oid::ED25519 if identifier.parameters.is_empty() => usable(16, Family::EdDsa, Hash::Sha512),
        _ => UNKNOWN,
    }
}

/// `id-mgf1`
const MGF1: u8 = 8;

/// Only where both digests are the same and the salt is as long. Source: RFC 8017 §A.2.3.
fn pss(parameters: &[u8]) -> Option<SignatureAlgorithm> {
    let mut parameters = Reader(parameters).sequence()?;
    let hash = digest(parameters.inner(tag::constructed(0))?.sequence()?)?;
    let mut mask = parameters.inner(tag::constructed(1))?.sequence()?;
    let is_mgf1 = mask.oid()?.strip_prefix(&PKCS1) == Some(&[MGF1]);
    let of_mask = digest(mask.sequence()?)?;
    let salt = parameters.inner(tag::constructed(2))?.small()?;
    if let Some(mut trailer) = parameters.optional(tag::constructed(3)).ok()?
        && trailer.small()? != 1
    {
        return None;
    }
    if !is_mgf1 || of_mask != hash || usize::try_from(salt).ok()? != hash.size() {
        return None;
    }
    match hash {
        Hash::Sha256 => Some(usable(13, Family::Pss, hash)),
        Hash::Sha384 => Some(usable(14, Family::Pss, hash)),
        Hash::Sha512 => Some(usable(15, Family::Pss, hash)),
        Hash::Md5 | Hash::Sha1 => None,
    }
}

fn digest(reader: Reader<'_>) -> Option<Hash> {
    let identifier = Identifier::read(reader)?;
    if !matches!(identifier.parameters, [] | [tag::NULL, 0]) {
        return None;
    }
    match identifier.oid.strip_prefix(&DIGESTS)? {
        [1] => Some(Hash::Sha256),
        [2] => Some(Hash::Sha384),
        [3] => Some(Hash::Sha512),
        _ => None,
    }
}

/// Go's `x509.PublicKeyAlgorithm`. 0: none that it knows.
pub(super) fn public_key_algorithm(oid: &[u8]) -> i64 {
    match oid {
        oid::RSA => 1,
        oid::DSA => 2,
        oid::EC => 3,
        oid::ED25519 => 4,
        _ => 0,
    }
}

/// Go's `x509.ExtKeyUsage`: the place of an identifier here. Source: RFC 5280 §4.2.1.12.
const KEY_PURPOSES: [(&str, &[u8]); 14] = [
    ("KeyUsageAny", &[0x55, 0x1d, 0x25, 0]),
    ("KeyUsageServerAuth", &[0x2b, 6, 1, 5, 5, 7, 3, 1]),
    ("KeyUsageClientAuth", &[0x2b, 6, 1, 5, 5, 7, 3, 2]),
    ("KeyUsageCodeSigning", &[0x2b, 6, 1, 5, 5, 7, 3, 3]),
    ("KeyUsageEmailProtection", &[0x2b, 6, 1, 5, 5, 7, 3, 4]),
    ("KeyUsageIPSECEndSystem", &[0x2b, 6, 1, 5, 5, 7, 3, 5]),
    ("KeyUsageIPSECTunnel", &[0x2b, 6, 1, 5, 5, 7, 3, 6]),
    ("KeyUsageIPSECUser", &[0x2b, 6, 1, 5, 5, 7, 3, 7]),
    ("KeyUsageTimeStamping", &[0x2b, 6, 1, 5, 5, 7, 3, 8]),
    ("KeyUsageOCSPSigning", &[0x2b, 6, 1, 5, 5, 7, 3, 9]),
    (
        "KeyUsageMicrosoftServerGatedCrypto",
        &[0x2b, 6, 1, 4, 1, 0x82, 0x37, 10, 3, 3],
    ),
    (
        "KeyUsageNetscapeServerGatedCrypto",
        &[0x60, 0x86, 0x48, 1, 0x86, 0xf8, 0x42, 4, 1],
    ),
    (
        "KeyUsageMicrosoftCommercialCodeSigning",
        &[0x2b, 6, 1, 4, 1, 0x82, 0x37, 2, 1, 0x16],
    ),
    (
        "KeyUsageMicrosoftKernelCodeSigning",
        &[0x2b, 6, 1, 4, 1, 0x82, 0x37, 0x3d, 1, 1],
    ),
];

/// Any purpose.
pub(super) const ANY_PURPOSE: i64 = 0;
/// Being a server.
pub(super) const SERVER_AUTH: i64 = 1;

/// The number of a purpose by its identifier.
pub(super) fn key_purpose(oid: &[u8]) -> Option<i64> {
    let index = KEY_PURPOSES.iter().position(|(_, known)| *known == oid)?;
    i64::try_from(index).ok()
}

/// The number of a purpose by the name that OPA has for it.
pub(super) fn key_purpose_named(name: &str) -> Option<i64> {
    let index = KEY_PURPOSES.iter().position(|(known, _)| *known == name)?;
    i64::try_from(index).ok()
}
