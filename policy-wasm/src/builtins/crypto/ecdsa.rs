//! ECDSA over the curves of NIST. Source: FIPS 186-5; RFC 6979 for signing.

/// A curve that keys may lie on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::builtins) enum Curve {
    P256,
    P384,
    P521,
}

/// A point of a curve, uncompressed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::builtins) struct PublicKey {
    pub(in crate::builtins) curve: Curve,
    /// 4, x, y: SEC 1 §2.3.3.
    point: Vec<u8>,
}

/// A scalar, and the point that belongs to it.
#[derive(Clone)]
pub(in crate::builtins) struct PrivateKey {
    pub(in crate::builtins) public: PublicKey,
    /// As long as the field.
    pub(in crate::builtins) d: Vec<u8>,
    signing: SigningKey,
}

#[derive(Clone)]
enum SigningKey {
    P256(p256::ecdsa::SigningKey),
    P384(p384::ecdsa::SigningKey),
    P521(p521::ecdsa::SigningKey),
}

/// `r` and `s` of a signature, each as it is written.
#[derive(Debug, Clone, Copy)]
pub(in crate::builtins) struct Signature<'a> {
    pub(in crate::builtins) r: &'a [u8],
    pub(in crate::builtins) s: &'a [u8],
}

impl Curve {
    /// Bytes of a coordinate.
    pub(in crate::builtins) const fn size(self) -> usize {
        match self {
            Self::P256 => 32,
            Self::P384 => 48,
            Self::P521 => 66,
        }
    }

    /// `crv` of a JWK.
    pub(in crate::builtins) const fn name(self) -> &'static str {
        match self {
            Self::P256 => "P-256",
            Self::P384 => "P-384",
            Self::P521 => "P-521",
        }
    }

    /// By `crv` of a JWK.
    pub(in crate::builtins) fn named(name: &str) -> Option<Self> {
        let all = [Self::P256, Self::P384, Self::P521];
        all.into_iter().find(|curve| curve.name() == name)
    }
}

/// The same for each curve's crate.
macro_rules! each_curve {
    ($curve:expr, $name:ident => $body:expr) => {
        match $curve {
            Curve::P256 => {
                use p256 as $name;
                $body
            }
            Curve::P384 => {
                use p384 as $name;
                $body
            }
            Curve::P521 => {
                use p521 as $name;
                $body
            }
        }
    };
}

impl PublicKey {
    /// A point as SEC 1 writes it uncompressed. `None`: it is not on the curve.
    pub(in crate::builtins) fn new(curve: Curve, point: &[u8]) -> Option<Self> {
        if point.first() != Some(&4) {
            return None;
        }
        each_curve!(curve, c => c::ecdsa::VerifyingKey::from_sec1_bytes(point).ok().map(drop))?;
        Some(Self {
            curve,
            point: point.to_vec(),
        })
    }

    /// Both coordinates.
    pub(in crate::builtins) fn coordinates(&self) -> (&[u8], &[u8]) {
        let both = self.point.get(1..).unwrap_or_default();
        both.split_at_checked(self.curve.size()).unwrap_or_default()
    }

    /// Whether the signature is one of the digest.
    pub(in crate::builtins) fn verifies(&self, digest: &[u8], signature: Signature<'_>) -> bool {
        let size = self.curve.size();
        let digest = fitted(digest, size);
        let (Some(r), Some(s)) = (filled(signature.r, size), filled(signature.s, size)) else {
            return false;
        };
        let both = [r, s].concat();
        each_curve!(self.curve, c => {
            use c::ecdsa::signature::hazmat::PrehashVerifier;
            let key = c::ecdsa::VerifyingKey::from_sec1_bytes(&self.point);
            let signature = c::ecdsa::Signature::from_slice(&both);
            match (key, signature) {
                (Ok(key), Ok(signature)) => key.verify_prehash(&digest, &signature).is_ok(),
                _ => false,
            }
        })
    }
}

impl PrivateKey {
    /// A scalar of as many bytes as the field has. `None`: it is zero or too large.
    pub(in crate::builtins) fn new(curve: Curve, d: &[u8]) -> Option<Self> {
        let signing = match curve {
            Curve::P256 => SigningKey::P256(p256::ecdsa::SigningKey::from_slice(d).ok()?),
            Curve::P384 => SigningKey::P384(p384::ecdsa::SigningKey::from_slice(d).ok()?),
            Curve::P521 => SigningKey::P521(p521::ecdsa::SigningKey::from_slice(d).ok()?),
        };
        let point = match &signing {
            SigningKey::P256(key) => key.verifying_key().to_sec1_point(false).as_bytes().to_vec(),
            SigningKey::P384(key) => key.verifying_key().to_sec1_point(false).as_bytes().to_vec(),
            SigningKey::P521(key) => key.verifying_key().to_sec1_point(false).as_bytes().to_vec(),
        };
        Some(Self {
            public: PublicKey { curve, point },
            d: d.to_vec(),
            signing,
        })
    }

    /// `r` and `s`, each as long as the field.
    pub(in crate::builtins) fn sign(&self, digest: &[u8]) -> Option<Vec<u8>> {
        use p256::ecdsa::signature::hazmat::PrehashSigner;
        let digest = fitted(digest, self.public.curve.size());
        Some(match &self.signing {
            SigningKey::P256(key) => {
                let signature: p256::ecdsa::Signature = key.sign_prehash(&digest).ok()?;
                signature.to_bytes().to_vec()
            }
            SigningKey::P384(key) => {
                let signature: p384::ecdsa::Signature = key.sign_prehash(&digest).ok()?;
                signature.to_bytes().to_vec()
            }
            SigningKey::P521(key) => {
                let signature: p521::ecdsa::Signature = key.sign_prehash(&digest).ok()?;
                signature.to_bytes().to_vec()
            }
        })
    }
}

/// The digest with zeros before it, up to the field's size: the same number.
fn fitted(digest: &[u8], size: usize) -> Vec<u8> {
    let mut out = vec![0; size.saturating_sub(digest.len())];
    out.extend_from_slice(digest);
    out
}

/// A number in as many bytes. `None`: it has more.
fn filled(number: &[u8], size: usize) -> Option<Vec<u8>> {
    let start = number.iter().position(|byte| *byte != 0);
    let number = number.get(start.unwrap_or(number.len())..)?;
    (number.len() <= size).then(|| fitted(number, size))
}
