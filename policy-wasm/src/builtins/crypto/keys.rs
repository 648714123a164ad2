//! Keys in DER: SPKI, PKCS #1, PKCS #8 and SEC 1. Source: RFC 5280, 8017, 5958, 5915, 8410; what is
//! accepted as in Go, `crypto/x509`.

use super::{
    der::{Reader, tag},
    ecdsa::{self, Curve},
    rsa,
};

/// Identifiers of algorithms and curves, encoded.
pub(in crate::builtins) mod oid {
    pub(in crate::builtins) const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1];
    pub(in crate::builtins) const DSA: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x38, 4, 1];
    pub(in crate::builtins) const EC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1];
    pub(in crate::builtins) const X25519: &[u8] = &[0x2b, 0x65, 0x6e];
    pub(in crate::builtins) const ED25519: &[u8] = &[0x2b, 0x65, 0x70];
    pub(super) const P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7];
    pub(super) const P384: &[u8] = &[0x2b, 0x81, 0x04, 0, 0x22];
    pub(super) const P521: &[u8] = &[0x2b, 0x81, 0x04, 0, 0x23];
}

/// A public key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::builtins) enum PublicKey {
    Rsa(rsa::PublicKey),
    Ec(ecdsa::PublicKey),
    Ed25519([u8; 32]),
    /// For agreeing on keys: no signature can be checked with it.
    X25519,
    /// Its numbers y, p, q and g.
    Dsa([Vec<u8>; 4]),
}

/// A private key.
#[derive(Clone)]
pub(in crate::builtins) enum PrivateKey {
    Rsa(rsa::PrivateKey),
    Ec(ecdsa::PrivateKey),
    Ed25519 { seed: [u8; 32], public: [u8; 32] },
    X25519([u8; 32]),
}

impl PrivateKey {
    /// Of a seed.
    pub(in crate::builtins) fn ed25519(seed: [u8; 32]) -> Self {
        let key = ed25519_dalek::SigningKey::from_bytes(&seed);
        Self::Ed25519 {
            seed,
            public: key.verifying_key().to_bytes(),
        }
    }

    pub(in crate::builtins) fn public(&self) -> PublicKey {
        match self {
            Self::Rsa(key) => PublicKey::Rsa(key.public.clone()),
            Self::Ec(key) => PublicKey::Ec(key.public.clone()),
            Self::Ed25519 { public, .. } => PublicKey::Ed25519(*public),
            Self::X25519(_) => PublicKey::X25519,
        }
    }
}

/// An algorithm and its parameters, as they stand there.
pub(in crate::builtins) struct Algorithm<'a> {
    pub(in crate::builtins) oid: &'a [u8],
    /// Empty: there are none.
    pub(in crate::builtins) parameters: &'a [u8],
}

impl<'a> Algorithm<'a> {
    /// What stands in an `AlgorithmIdentifier`.
    pub(in crate::builtins) fn read(mut reader: Reader<'a>) -> Option<Self> {
        let oid = reader.oid()?;
        let parameters = if reader.is_empty() {
            Default::default()
        } else {
            reader.any()?.whole
        };
        Some(Self { oid, parameters })
    }

    fn curve(&self) -> Option<Curve> {
        curve(Reader(self.parameters).oid()?)
    }

    fn has_null(&self) -> bool {
        self.parameters == [tag::NULL, 0]
    }
}

fn curve(oid: &[u8]) -> Option<Curve> {
    match oid {
        oid::P256 => Some(Curve::P256),
        oid::P384 => Some(Curve::P384),
        oid::P521 => Some(Curve::P521),
        _ => None,
    }
}

/// The curve whose identifier stands somewhere in a key; of several the largest one.
pub(in crate::builtins) fn named_curve(der: &[u8]) -> Option<Curve> {
    let curves = [
        (oid::P521, Curve::P521),
        (oid::P384, Curve::P384),
        (oid::P256, Curve::P256),
    ];
    let is_named = |oid: &[u8]| der.windows(oid.len()).any(|window| window == oid);
    let (_, curve) = curves.into_iter().find(|(oid, _)| is_named(oid))?;
    Some(curve)
}

/// A `SubjectPublicKeyInfo`, and nothing after it.
pub(in crate::builtins) fn public_key(der: &[u8]) -> Option<PublicKey> {
    let mut outer = Reader(der);
    let mut info = outer.sequence()?;
    let algorithm = Algorithm::read(info.sequence()?)?;
    let (bits, unused) = info.bits()?;
    (outer.is_empty() && info.is_empty() && unused == 0).then(|| public_key_of(&algorithm, bits))?
}

/// The key of an algorithm. `None`: it is none, or of an algorithm that is not known.
pub(in crate::builtins) fn public_key_of(
    algorithm: &Algorithm<'_>,
    bits: &[u8],
) -> Option<PublicKey> {
    match algorithm.oid {
        oid::RSA if algorithm.has_null() => {
            let mut reader = Reader(bits).sequence()?;
            rsa_public(&mut reader).map(PublicKey::Rsa)
        }
        oid::EC => ecdsa::PublicKey::new(algorithm.curve()?, bits).map(PublicKey::Ec),
        oid::ED25519 if algorithm.parameters.is_empty() => {
            bits.try_into().ok().map(PublicKey::Ed25519)
        }
        oid::X25519 if algorithm.parameters.is_empty() && bits.len() == 32 => {
            Some(PublicKey::X25519)
        }
        oid::DSA => dsa_public(algorithm, bits),
        _ => None,
    }
}

/// `n` and `e`, one after the other.
fn rsa_public(reader: &mut Reader<'_>) -> Option<rsa::PublicKey> {
    let n = reader.unsigned()?.to_vec();
    let e = u64::try_from(reader.small()?).ok()?;
    (!n.is_empty() && e > 0).then_some(rsa::PublicKey { n, e })
}

fn dsa_public(algorithm: &Algorithm<'_>, bits: &[u8]) -> Option<PublicKey> {
    let mut parameters = Reader(algorithm.parameters).sequence()?;
    let numbers = [
        Reader(bits).unsigned()?,
        parameters.unsigned()?,
        parameters.unsigned()?,
        parameters.unsigned()?,
    ];
    let all = numbers.iter().all(|number| !number.is_empty());
    all.then(|| PublicKey::Dsa(numbers.map(<[u8]>::to_vec)))
}

/// Source: RFC 8017 §A.1.2.
pub(in crate::builtins) fn pkcs1(der: &[u8]) -> Option<PrivateKey> {
    let mut outer = Reader(der);
    let mut key = outer.sequence()?;
    // Version 0 has two primes; more are not supported.
    if !outer.is_empty() || key.small()? != 0 {
        return None;
    }
    let public = rsa_public(&mut key)?;
    let mut part = || {
        key.unsigned()
            .filter(|part| !part.is_empty())
            .map(<[u8]>::to_vec)
    };
    let key = rsa::PrivateKey {
        public,
        d: part()?,
        p: part()?,
        q: part()?,
        dp: part()?,
        dq: part()?,
        qinv: part()?,
    };
    key.is_consistent().then_some(PrivateKey::Rsa(key))
}

/// Source: RFC 5958, without a password.
pub(in crate::builtins) fn pkcs8(der: &[u8]) -> Option<PrivateKey> {
    let mut key = Reader(der).sequence()?;
    key.small()?;
    let algorithm = Algorithm::read(key.sequence()?)?;
    let inner = key.octets()?;
    match algorithm.oid {
        oid::RSA => pkcs1(inner),
        oid::EC => match Reader(algorithm.parameters).oid() {
            Some(oid) => sec1(inner, Some(oid)),
            None => sec1(inner, None),
        },
        oid::ED25519 if algorithm.parameters.is_empty() => {
            let seed = Reader(inner).octets()?.try_into().ok()?;
            Some(PrivateKey::ed25519(seed))
        }
        oid::X25519 if algorithm.parameters.is_empty() => {
            let key = Reader(inner).octets()?.try_into().ok()?;
            Some(PrivateKey::X25519(key))
        }
        _ => None,
    }
}

/// Source: RFC 5915. `named`: the curve, where it was named before.
pub(in crate::builtins) fn sec1(der: &[u8], named: Option<&[u8]>) -> Option<PrivateKey> {
    let mut key = Reader(der).sequence()?;
    if key.small()? != 1 {
        return None;
    }
    let scalar = key.octets()?;
    let inner = key.optional(tag::constructed(0)).ok()?;
    let oid = match named {
        Some(oid) => oid,
        None => inner?.oid()?,
    };
    let curve = curve(oid)?;
    // Zeros are missing or too many in some keys.
    let start = scalar.len().saturating_sub(curve.size());
    let (before, scalar) = scalar.split_at_checked(start)?;
    if before.iter().any(|byte| *byte != 0) {
        return None;
    }
    let mut filled = vec![0; curve.size().checked_sub(scalar.len())?];
    filled.extend_from_slice(scalar);
    ecdsa::PrivateKey::new(curve, &filled).map(PrivateKey::Ec)
}
