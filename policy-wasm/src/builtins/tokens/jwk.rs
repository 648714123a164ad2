//! Keys as JSON, one or a set, and as PEM. Source: RFC 7517, RFC 7518 §6, RFC 8037; what is accepted
//! as in the reader that OPA uses.

use std::sync::Arc;

use crate::{
    budget::Exhausted,
    builtins::{
        CallError, Context,
        crypto::{
            base64::{decode_any, decode_standard},
            ecdsa::{self, Curve},
            keys::{self, PrivateKey, PublicKey},
            pem, rsa,
            signature::{
                Algorithm, ED25519_STEPS, pay_for_numbers, pay_for_public_key, pay_for_scalar,
            },
        },
        x509,
    },
    value::{JsonError, Object, Value},
};

/// 1,000: keys that a set may have.
const KEYS: usize = 1_000;

/// A key and what it says of itself; empty: nothing.
pub(super) struct Jwk {
    pub(super) kid: String,
    pub(super) alg: String,
    pub(super) key: Key,
    members: Option<Arc<Object>>,
}

/// Key material.
pub(super) enum Key {
    Public(PublicKey),
    /// The public half of a private key.
    Private(PublicKey),
    Secret(Vec<u8>),
    /// Of a kind that checks nothing.
    Unusable,
}

/// Without what it is that is wrong: the key may be a secret.
fn malformed() -> CallError {
    CallError::new("failed to parse a JWK key (set)")
}

/// The keys of a certificate, a PEM key, a JWK or a set of them, but those for other purposes.
pub(super) fn keys_of(context: &Context<'_>, text: &str) -> Result<Vec<Jwk>, CallError> {
    context.budget.pay_bytes(text.len().saturating_mul(4))?;
    if let Some((block, rest)) = pem::next(text.as_bytes()) {
        if !rest.is_empty() {
            return Err(CallError::new("extra data after a PEM certificate block"));
        }
        return Ok(vec![of_pem(context, &block)?]);
    }
    let mut keys = parse(context, text)?;
    keys.retain(|key| key.alg.is_empty() || Algorithm::named(&key.alg).is_some());
    Ok(keys)
}

fn of_pem(context: &Context<'_>, block: &pem::Block<'_>) -> Result<Jwk, CallError> {
    let key = match block.label {
        b"CERTIFICATE" => x509::key_of_certificate(context, &block.bytes)?,
        b"PUBLIC KEY" => {
            pay_for_public_key(context, block.bytes.len())?;
            let key = keys::public_key(&block.bytes);
            Some(key.ok_or_else(|| CallError::new("failed to parse a PEM public key"))?)
        }
        _ => {
            return Err(CallError::new(
                "failed to extract a Key from the PEM certificate",
            ));
        }
    };
    Ok(Jwk {
        kid: String::new(),
        alg: String::new(),
        key: key.map_or(Key::Unusable, Key::Public),
        members: None,
    })
}

/// The keys of a JWK or a set of them. Errors: it is none, or one of them is none.
pub(super) fn parse(context: &Context<'_>, text: &str) -> Result<Vec<Jwk>, CallError> {
    let value = Value::from_json_text(text);
    if value.as_ref().is_err_and(JsonError::is_too_deep) {
        return Err(Exhausted::Depth.into());
    }
    let Ok(value) = value else {
        // What follows a single key is not looked at.
        let mut values = serde_json::Deserializer::from_str(text).into_iter::<Value>();
        let first = values.next().and_then(Result::ok).ok_or_else(malformed)?;
        let object = first.as_object().ok_or_else(malformed)?;
        return Ok(vec![Jwk::read(context, object)?]);
    };
    let object = value.as_object().ok_or_else(malformed)?;
    let Some(keys) = object.get_str("keys") else {
        return Ok(vec![Jwk::read(context, object)?]);
    };
    let keys = keys.as_array().filter(|keys| keys.len() <= KEYS);
    let read = |key: &Value| Jwk::read(context, key.as_object().ok_or_else(malformed)?);
    keys.ok_or_else(malformed)?.iter().map(read).collect()
}

/// Names for keys that are for something else than signatures. Source: RFC 7518 §4.1, §5.1.
const OTHER_ALGORITHMS: [&str; 28] = [
    "A128CBC-HS256",
    "A128GCM",
    "A128GCMKW",
    "A128KW",
    "A192CBC-HS384",
    "A192GCM",
    "A192GCMKW",
    "A192KW",
    "A256CBC-HS512",
    "A256GCM",
    "A256GCMKW",
    "A256KW",
    "ECDH-ES",
    "ECDH-ES+A128KW",
    "ECDH-ES+A192KW",
    "ECDH-ES+A256KW",
    "ES256K",
    "Ed25519",
    "PBES2-HS256+A128KW",
    "PBES2-HS384+A192KW",
    "PBES2-HS512+A256KW",
    "RSA-OAEP",
    "RSA-OAEP-256",
    "RSA-OAEP-384",
    "RSA-OAEP-512",
    "RSA1_5",
    "dir",
    "none",
];

/// The members of a key.
struct Members<'a>(&'a Object);

impl<'a> Members<'a> {
    /// `null` is an empty text. Errors: it is something else.
    fn text(&self, name: &str) -> Result<Option<&'a str>, CallError> {
        match self.0.get_str(name) {
            None => Ok(None),
            Some(Value::Null) => Ok(Some("")),
            Some(value) => value.as_str().map(Some).ok_or_else(malformed),
        }
    }

    fn bytes(&self, name: &str) -> Result<Option<Vec<u8>>, CallError> {
        let text = self.text(name)?;
        text.map(|text| decode_any(text).ok_or_else(malformed))
            .transpose()
    }

    fn needed(&self, name: &str) -> Result<Vec<u8>, CallError> {
        self.bytes(name)?.ok_or_else(malformed)
    }

    fn is_private(&self) -> bool {
        self.0.get_str("d").is_some()
    }

    /// What is not used still has a type.
    fn check(&self, context: &Context<'_>) -> Result<(), CallError> {
        for name in ["use", "x5t", "x5t#S256", "x5u"] {
            self.text(name)?;
        }
        for operation in self.texts("key_ops")? {
            operation?;
        }
        for certificate in self.texts("x5c")? {
            let digits: String = certificate?.split_ascii_whitespace().collect();
            let der = decode_standard(&digits).ok_or_else(malformed)?;
            x509::key_of_certificate(context, &der)?;
        }
        Ok(())
    }

    /// The texts of a list. Errors: it is none; inside: one of them is none.
    fn texts(
        &self,
        name: &str,
    ) -> Result<impl Iterator<Item = Result<&'a str, CallError>> + use<'a>, CallError> {
        let list: &[Value] = match self.0.get_str(name) {
            None => &[],
            Some(Value::Null) if name == "key_ops" => &[],
            Some(list) => list.as_array().ok_or_else(malformed)?,
        };
        Ok(list.iter().map(|item| item.as_str().ok_or_else(malformed)))
    }
}

fn without_zeros(bytes: &[u8]) -> &[u8] {
    let start = bytes.iter().position(|byte| *byte != 0);
    bytes
        .get(start.unwrap_or(bytes.len())..)
        .unwrap_or_default()
}

impl Jwk {
    fn read(context: &Context<'_>, object: &Arc<Object>) -> Result<Self, CallError> {
        let members = Members(object);
        let alg = members.text("alg")?;
        let is_known =
            |alg: &str| Algorithm::named(alg).is_some() || OTHER_ALGORITHMS.contains(&alg);
        if alg.is_some_and(|alg| !is_known(alg)) {
            return Err(malformed());
        }
        members.check(context)?;
        let key = match members.text("kty")? {
            Some("RSA") => rsa_key(context, &members)?,
            Some("EC") => ec_key(context, &members)?,
            Some("OKP") => okp_key(context, &members)?,
            Some("oct") => {
                let secret = members.needed("k")?;
                (!secret.is_empty())
                    .then_some(Key::Secret(secret))
                    .ok_or_else(malformed)?
            }
            _ => return Err(malformed()),
        };
        Ok(Self {
            kid: members.text("kid")?.unwrap_or_default().to_owned(),
            alg: alg.unwrap_or_default().to_owned(),
            key,
            members: Some(Arc::clone(object)),
        })
    }

    /// The private key. `None`: it has none, or one that can't be used.
    /// Errors: the steps are spent.
    pub(super) fn private_key(
        &self,
        context: &Context<'_>,
    ) -> Result<Option<PrivateKey>, CallError> {
        let Some(object) = &self.members else {
            return Ok(None);
        };
        let members = Members(object);
        let Key::Private(public) = &self.key else {
            return Ok(None);
        };
        let d = members.needed("d")?;
        Ok(match public {
            PublicKey::Rsa(public) => {
                pay_for_numbers(context, public.n.len().saturating_mul(4))?;
                let part = |name| {
                    members
                        .needed(name)
                        .map(|part| without_zeros(&part).to_vec())
                };
                let part_or_none = |name| {
                    let part = members.bytes(name)?;
                    Ok::<_, CallError>(part.map(|part| without_zeros(&part).to_vec()))
                };
                let d = without_zeros(&d).to_vec();
                let key = rsa::PrivateKey::of_primes(public.clone(), d, part("p")?, part("q")?);
                let told = [
                    part_or_none("dp")?,
                    part_or_none("dq")?,
                    part_or_none("qi")?,
                ];
                key.filter(|key| {
                    let own = [&key.dp, &key.dq, &key.qinv];
                    told.iter()
                        .zip(own)
                        .all(|(told, own)| told.as_ref().is_none_or(|told| told == own))
                })
                .map(PrivateKey::Rsa)
            }
            PublicKey::Ec(public) => {
                pay_for_scalar(context, public.curve)?;
                ecdsa::PrivateKey::new(public.curve, &d)
                    .filter(|key| key.public == *public)
                    .map(PrivateKey::Ec)
            }
            PublicKey::Ed25519(_) => d.try_into().ok().map(PrivateKey::ed25519),
            PublicKey::X25519 | PublicKey::Dsa(_) => None,
        })
    }
}

fn half(members: &Members<'_>, public: PublicKey) -> Key {
    if members.is_private() {
        Key::Private(public)
    } else {
        Key::Public(public)
    }
}

fn rsa_key(context: &Context<'_>, members: &Members<'_>) -> Result<Key, CallError> {
    let n = members.needed("n")?;
    let e = members.needed("e")?;
    let (n, e) = (without_zeros(&n), without_zeros(&e));
    context.budget.pay_bytes(n.len())?;
    let is_odd = e.last().is_some_and(|byte| byte & 1 == 1);
    if n.is_empty() || !is_odd || e.len() > 8 {
        return Err(malformed());
    }
    let e = e.iter().fold(0_u64, |number, byte| {
        number.wrapping_shl(8) | u64::from(*byte)
    });
    if members.is_private() {
        let is_empty = members.needed("d")?.is_empty();
        members.needed("p")?;
        members.needed("q")?;
        for name in ["dp", "dq", "qi"] {
            members.bytes(name)?;
        }
        if is_empty {
            return Err(malformed());
        }
    }
    // A number of Go has 63 bits.
    if e > i64::MAX.unsigned_abs() {
        return Err(malformed());
    }
    let n = n.to_vec();
    Ok(half(members, PublicKey::Rsa(rsa::PublicKey { n, e })))
}

fn ec_key(context: &Context<'_>, members: &Members<'_>) -> Result<Key, CallError> {
    let curve = members
        .text("crv")?
        .and_then(Curve::named)
        .ok_or_else(malformed)?;
    let (x, y) = (members.needed("x")?, members.needed("y")?);
    let size = curve.size();
    if x.len() != size || y.len() != size {
        return Err(malformed());
    }
    if members.is_private() && members.needed("d")?.len() != size {
        return Err(malformed());
    }
    pay_for_public_key(context, size)?;
    let point = [&[4], x.as_slice(), y.as_slice()].concat();
    let key = ecdsa::PublicKey::new(curve, &point).ok_or_else(malformed)?;
    Ok(half(members, PublicKey::Ec(key)))
}

fn okp_key(context: &Context<'_>, members: &Members<'_>) -> Result<Key, CallError> {
    let curve = members.text("crv")?;
    let x: [u8; 32] = members.needed("x")?.try_into().map_err(|_| malformed())?;
    let d: Option<[u8; 32]> = match members.bytes("d")? {
        Some(d) => Some(d.try_into().map_err(|_| malformed())?),
        None => None,
    };
    match curve {
        Some("Ed25519") => {
            if let Some(d) = d {
                context.budget.pay(ED25519_STEPS)?;
                let PublicKey::Ed25519(public) = PrivateKey::ed25519(d).public() else {
                    return Err(malformed());
                };
                if public != x {
                    return Err(malformed());
                }
            }
            Ok(half(members, PublicKey::Ed25519(x)))
        }
        Some("X25519") => Ok(half(members, PublicKey::X25519)),
        _ => Err(malformed()),
    }
}
