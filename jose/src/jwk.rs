//! Public keys as JSON (RFC 7517, RFC 7518 §6, RFC 8037).

use serde_json::{Map, Value, json};

use crate::json::{self, Limits};
use crate::{Algorithm, Error, base64url, roca};

/// 2048 bits: the least that RFC 7518 §3.3 allows. The most, 4096, is what every backend takes.
const RSA_MODULUS_BYTES: std::ops::RangeInclusive<usize> = 256..=512;
/// 65537, as bytes: the least exponent accepted. Source: 8725bis, Wycheproof's JWK notes.
const RSA_MIN_EXPONENT: u32 = 65_537;
/// Members that only a private or symmetric key has. Source: RFC 7518 §6.2.2, §6.3.2, §6.4.1.
const PRIVATE_MEMBERS: [&str; 9] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"];

/// A public key with the one algorithm it may be used for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Jwk {
    /// The key id: 1 to 64 of `A-Z a-z 0-9 . _ ~ -`.
    pub kid: Option<String>,
    /// The `alg` member. Without one, see [`Jwk::algorithm`].
    pub alg: Option<Algorithm>,
    /// The key itself.
    pub key: PublicKey,
}

/// Key material, big-endian and unpadded as in the JSON form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PublicKey {
    /// RSA, 2048 to 4096 bits.
    Rsa {
        /// Modulus, without leading zeros.
        n: Vec<u8>,
        /// Public exponent, without leading zeros.
        e: Vec<u8>,
    },
    /// An elliptic curve point. Whether it lies on the curve is the backend's to check.
    Ec {
        /// `crv`: P-256 or P-384.
        crv: EcCurve,
        /// x coordinate, as long as the field (32 or 48 bytes).
        x: Vec<u8>,
        /// y coordinate, as long as the field (32 or 48 bytes).
        y: Vec<u8>,
    },
    /// An octet key pair's public half.
    Okp {
        /// `crv`: Ed25519.
        crv: OkpCurve,
        /// The public key, 32 bytes.
        x: Vec<u8>,
    },
}

/// A NIST curve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EcCurve {
    /// P-256, used by ES256.
    P256,
    /// P-384, used by ES384.
    P384,
}

/// An Edwards curve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OkpCurve {
    /// Ed25519.
    Ed25519,
}

impl EcCurve {
    /// The `crv` member.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::P256 => "P-256",
            Self::P384 => "P-384",
        }
    }

    /// Length of a coordinate, in bytes.
    pub const fn coordinate_bytes(self) -> usize {
        match self {
            Self::P256 => 32,
            Self::P384 => 48,
        }
    }
}

impl OkpCurve {
    /// The `crv` member.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ed25519 => "Ed25519",
        }
    }
}

impl Jwk {
    /// Parses the text of one public key.
    /// Errors: those of [`json::parse_object`] and of [`Jwk::from_value`].
    pub fn parse(text: &str) -> Result<Self, Error> {
        Self::from_members(&json::parse_object_within(text.as_bytes(), &Limits::TOKEN)?)
    }

    /// Reads one public key from a parsed value.
    /// Errors: `SymmetricKey`, `PrivateKey`; `UnsupportedKey` for a type, curve, algorithm or
    /// use that is not ours; `WeakKey`, `KeyId`, `Key`.
    /// Source: RFC 7517 §4.
    pub fn from_value(value: &Value) -> Result<Self, Error> {
        Self::from_members(value.as_object().ok_or(Error::Key)?)
    }

    fn from_members(members: &Map<String, Value>) -> Result<Self, Error> {
        let kty = text_member(members, "kty")?;
        if kty == "oct" {
            return Err(Error::SymmetricKey);
        }
        if PRIVATE_MEMBERS
            .iter()
            .any(|name| members.contains_key(*name))
        {
            return Err(Error::PrivateKey);
        }
        check_purpose(members)?;
        let key = match kty {
            "RSA" => rsa(members)?,
            "EC" => ec(members)?,
            "OKP" => okp(members)?,
            _ => return Err(Error::UnsupportedKey),
        };
        let jwk = Self {
            kid: kid_member(members)?,
            alg: algorithm_member(members)?,
            key,
        };
        match jwk.alg {
            Some(alg) if !jwk.key.suits(alg) => Err(Error::Key),
            _ => Ok(jwk),
        }
    }

    /// The one algorithm this key is for: its `alg` member; without one RS256 for RSA, and
    /// what the curve implies for the others.
    /// Source: RFC 8725 §3.1 (one key, one algorithm).
    pub fn algorithm(&self) -> Algorithm {
        self.alg.unwrap_or(match &self.key {
            PublicKey::Rsa { .. } => Algorithm::Rs256,
            PublicKey::Ec { crv, .. } => match crv {
                EcCurve::P256 => Algorithm::Es256,
                EcCurve::P384 => Algorithm::Es384,
            },
            PublicKey::Okp { .. } => Algorithm::EdDsa,
        })
    }

    /// Whether the key may check signatures made with `algorithm`.
    pub fn fits(&self, algorithm: Algorithm) -> bool {
        self.algorithm() == algorithm && self.key.suits(algorithm)
    }

    /// Whether a token with this key id and algorithm means this key.
    pub fn answers(&self, kid: &str, algorithm: Algorithm) -> bool {
        self.kid.as_deref() == Some(kid) && self.fits(algorithm)
    }

    /// The JSON form: public members, `use: sig`, `alg`, and `kid` if there is one.
    pub fn to_value(&self) -> Value {
        let mut value = match &self.key {
            PublicKey::Rsa { n, e } => {
                json!({"kty": "RSA", "n": base64url::encode(n), "e": base64url::encode(e)})
            }
            PublicKey::Ec { crv, x, y } => json!({
                "kty": "EC",
                "crv": crv.as_str(),
                "x": base64url::encode(x),
                "y": base64url::encode(y),
            }),
            PublicKey::Okp { crv, x } => {
                json!({"kty": "OKP", "crv": crv.as_str(), "x": base64url::encode(x)})
            }
        };
        if let Some(members) = value.as_object_mut() {
            members.insert("use".to_owned(), Value::from("sig"));
            members.insert("alg".to_owned(), Value::from(self.algorithm().as_str()));
            if let Some(kid) = &self.kid {
                members.insert("kid".to_owned(), Value::from(kid.as_str()));
            }
        }
        value
    }
}

impl PublicKey {
    /// Whether a key of this type and curve can be used with `algorithm` at all.
    pub fn suits(&self, algorithm: Algorithm) -> bool {
        match algorithm {
            Algorithm::Rs256 | Algorithm::Rs384 | Algorithm::Rs512 | Algorithm::Ps256 => {
                matches!(self, Self::Rsa { .. })
            }
            Algorithm::Es256 => matches!(
                self,
                Self::Ec {
                    crv: EcCurve::P256,
                    ..
                }
            ),
            Algorithm::Es384 => matches!(
                self,
                Self::Ec {
                    crv: EcCurve::P384,
                    ..
                }
            ),
            Algorithm::EdDsa => matches!(
                self,
                Self::Okp {
                    crv: OkpCurve::Ed25519,
                    ..
                }
            ),
        }
    }

    /// Whether `signature` has the length of this key's signatures and, for RSA, is a number
    /// below the modulus. Backends differ on what they make of others; so nobody is asked.
    /// Source: RFC 8017 §8.1.2 and §8.2.2, RFC 7518 §3.4, RFC 8032 §5.1.6.
    pub(crate) fn could_have_made(&self, signature: &[u8]) -> bool {
        match self {
            // Of equal length and big-endian, so the order of the bytes is that of the numbers.
            Self::Rsa { n, .. } => signature.len() == n.len() && signature < n.as_slice(),
            Self::Ec { crv, .. } => signature.len() == crv.coordinate_bytes().saturating_mul(2),
            Self::Okp { .. } => signature.len() == 64,
        }
    }
}

/// Whether `kid` may serve as a map key.
/// SECURITY: nothing here can be a path, a query or an injection; keep it so (T12).
pub(crate) fn check_kid(kid: &str) -> Result<(), Error> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._~-".contains(&byte);
    if (1..=64).contains(&kid.len()) && kid.bytes().all(allowed) {
        Ok(())
    } else {
        Err(Error::KeyId)
    }
}

fn text_member<'a>(members: &'a Map<String, Value>, name: &str) -> Result<&'a str, Error> {
    members.get(name).and_then(Value::as_str).ok_or(Error::Key)
}

fn bytes_member(members: &Map<String, Value>, name: &str) -> Result<Vec<u8>, Error> {
    base64url::decode(text_member(members, name)?).map_err(|_| Error::Key)
}

fn kid_member(members: &Map<String, Value>) -> Result<Option<String>, Error> {
    let Some(value) = members.get("kid") else {
        return Ok(None);
    };
    let kid = value.as_str().ok_or(Error::KeyId)?;
    check_kid(kid)?;
    Ok(Some(kid.to_owned()))
}

fn algorithm_member(members: &Map<String, Value>) -> Result<Option<Algorithm>, Error> {
    let Some(value) = members.get("alg") else {
        return Ok(None);
    };
    let name = value.as_str().ok_or(Error::Key)?;
    name.parse().map(Some).map_err(|_| Error::UnsupportedKey)
}

/// `use` and `key_ops` must leave room for checking signatures.
fn check_purpose(members: &Map<String, Value>) -> Result<(), Error> {
    if members.get("use").is_some_and(|value| value != "sig") {
        return Err(Error::UnsupportedKey);
    }
    let Some(operations) = members.get("key_ops") else {
        return Ok(());
    };
    let operations = operations.as_array().ok_or(Error::Key)?;
    if operations.iter().any(|operation| operation == "verify") {
        Ok(())
    } else {
        Err(Error::UnsupportedKey)
    }
}

fn rsa(members: &Map<String, Value>) -> Result<PublicKey, Error> {
    let n = bytes_member(members, "n")?;
    let e = bytes_member(members, "e")?;
    if n.first().is_none_or(|byte| *byte == 0) || e.first().is_none_or(|byte| *byte == 0) {
        return Err(Error::Key);
    }
    if e.len() > 4 || n.len() > *RSA_MODULUS_BYTES.end() {
        return Err(Error::UnsupportedKey);
    }
    let exponent = e.iter().fold(0_u32, |value, byte| {
        value.wrapping_shl(8) | u32::from(*byte)
    });
    // A 256-byte modulus has 2048 bits only with its top bit set.
    let full = n.len() > *RSA_MODULUS_BYTES.start() || n.first().is_some_and(|byte| *byte >= 0x80);
    if !full || n.len() < *RSA_MODULUS_BYTES.start() || exponent < RSA_MIN_EXPONENT {
        return Err(Error::WeakKey);
    }
    let odd = |bytes: &[u8]| bytes.last().is_some_and(|byte| byte & 1 == 1);
    if !odd(&n) || !odd(&e) {
        return Err(Error::Key);
    }
    if roca::is_fingerprinted(&n) {
        return Err(Error::WeakKey);
    }
    Ok(PublicKey::Rsa { n, e })
}

fn ec(members: &Map<String, Value>) -> Result<PublicKey, Error> {
    let crv = match text_member(members, "crv")? {
        "P-256" => EcCurve::P256,
        "P-384" => EcCurve::P384,
        _ => return Err(Error::UnsupportedKey),
    };
    let x = bytes_member(members, "x")?;
    let y = bytes_member(members, "y")?;
    let length = crv.coordinate_bytes();
    if x.len() != length || y.len() != length {
        return Err(Error::Key);
    }
    Ok(PublicKey::Ec { crv, x, y })
}

fn okp(members: &Map<String, Value>) -> Result<PublicKey, Error> {
    let crv = match text_member(members, "crv")? {
        "Ed25519" => OkpCurve::Ed25519,
        _ => return Err(Error::UnsupportedKey),
    };
    let x = bytes_member(members, "x")?;
    let mut y = <[u8; 32]>::try_from(x.as_slice()).map_err(|_| Error::Key)?;
    y[31] &= 0x7f;
    check_edwards_point(y)?;
    Ok(PublicKey::Okp { crv, x })
}

/// The y coordinates (little-endian, sign bit clear) of the points of order 1, 2, 4 and 8. Under
/// such a key one signature fits many messages, and backends differ on whether to say so.
/// Source: RFC 8032 §5.1; the order-8 coordinates follow from the curve equation.
const LOW_ORDER: [[u8; 32]; 5] = {
    let mut one = [0; 32];
    one[0] = 1;
    let mut p_minus_1 = [0xff; 32];
    p_minus_1[0] = 0xec;
    p_minus_1[31] = 0x7f;
    [
        [0; 32],
        one,
        p_minus_1,
        [
            0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef,
            0x98, 0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88,
            0x6d, 0x53, 0xfc, 0x05,
        ],
        [
            0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10,
            0x67, 0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77,
            0x92, 0xac, 0x03, 0x7a,
        ],
    ]
};

/// Whether `y` (sign bit clear) is a coordinate below the field's prime 2^255 - 19 and not one
/// of a low-order point. Source: RFC 8032 §5.1.3.
fn check_edwards_point(y: [u8; 32]) -> Result<(), Error> {
    let [low, middle @ .., top] = y;
    if low >= 0xed && middle == [0xff; 30] && top == 0x7f {
        return Err(Error::Key);
    }
    if LOW_ORDER.contains(&y) {
        return Err(Error::WeakKey);
    }
    Ok(())
}
