//! Keys as OPA's answers show them: as Go writes its own structures, and as JWKs.

use crypto_bigint::BoxedUint;

use super::{
    base64::{Alphabet, Padding, encode},
    keys::{PrivateKey, PublicKey},
};
use crate::value::{Number, Value};

/// A big-endian number.
pub(in crate::builtins) fn decimal(bytes: &[u8]) -> Value {
    let text = BoxedUint::from_be_slice_vartime(bytes).to_string_radix_vartime(10);
    Number::parse(&text).map_or(Value::Null, Value::Number)
}

/// An object of named values.
pub(in crate::builtins) fn object(entries: &[(&str, Value)]) -> Value {
    let entries = entries
        .iter()
        .map(|(name, value)| ((*name).into(), value.clone()));
    Value::object(entries.collect())
}

/// As Go writes a public key.
pub(in crate::builtins) fn public_key(key: &PublicKey) -> Value {
    match key {
        PublicKey::Rsa(key) => object(&[("N", decimal(&key.n)), ("E", key.e.into())]),
        PublicKey::Ec(key) => {
            let (x, y) = key.coordinates();
            object(&[
                ("Curve", Value::empty_object()),
                ("X", decimal(x)),
                ("Y", decimal(y)),
            ])
        }
        PublicKey::Ed25519(key) => encode(key, Alphabet::Standard, Padding::Needed).into(),
        PublicKey::X25519 => Value::empty_object(),
        PublicKey::Dsa([y, p, q, g]) => object(&[
            ("Y", decimal(y)),
            ("P", decimal(p)),
            ("Q", decimal(q)),
            ("G", decimal(g)),
        ]),
    }
}

/// As Go writes a private key.
pub(in crate::builtins) fn private_key(key: &PrivateKey) -> Value {
    match key {
        PrivateKey::Rsa(key) => object(&[
            ("N", decimal(&key.public.n)),
            ("E", key.public.e.into()),
            ("D", decimal(&key.d)),
            ("Primes", vec![decimal(&key.p), decimal(&key.q)].into()),
            (
                "Precomputed",
                object(&[
                    ("Dp", decimal(&key.dp)),
                    ("Dq", decimal(&key.dq)),
                    ("Qinv", decimal(&key.qinv)),
                    ("CRTValues", Value::array(Vec::new())),
                ]),
            ),
        ]),
        PrivateKey::Ec(key) => {
            let (x, y) = key.public.coordinates();
            object(&[
                ("Curve", Value::empty_object()),
                ("X", decimal(x)),
                ("Y", decimal(y)),
                ("D", decimal(&key.d)),
            ])
        }
        PrivateKey::Ed25519 { seed, public } => {
            let both = [*seed, *public].concat();
            encode(&both, Alphabet::Standard, Padding::Needed).into()
        }
        PrivateKey::X25519(_) => Value::empty_object(),
    }
}

fn url(bytes: &[u8]) -> Value {
    encode(bytes, Alphabet::Url, Padding::None).into()
}

/// As RFC 7517 writes a private key.
pub(in crate::builtins) fn jwk(key: &PrivateKey) -> Value {
    match key {
        PrivateKey::Rsa(key) => {
            let e = key.public.e.to_be_bytes();
            let zeros = e.iter().take_while(|byte| **byte == 0).count();
            object(&[
                ("kty", "RSA".into()),
                ("n", url(&key.public.n)),
                ("e", url(e.get(zeros..).unwrap_or_default())),
                ("d", url(&key.d)),
                ("p", url(&key.p)),
                ("q", url(&key.q)),
                ("dp", url(&key.dp)),
                ("dq", url(&key.dq)),
                ("qi", url(&key.qinv)),
            ])
        }
        PrivateKey::Ec(key) => {
            let (x, y) = key.public.coordinates();
            object(&[
                ("kty", "EC".into()),
                ("crv", key.public.curve.name().into()),
                ("x", url(x)),
                ("y", url(y)),
                ("d", url(&key.d)),
            ])
        }
        PrivateKey::Ed25519 { seed, public } => okp("Ed25519", public, seed),
        PrivateKey::X25519(key) => {
            let public = curve25519_dalek::MontgomeryPoint::mul_base_clamped(*key);
            okp("X25519", &public.to_bytes(), key)
        }
    }
}

fn okp(curve: &str, public: &[u8], private: &[u8]) -> Value {
    object(&[
        ("kty", "OKP".into()),
        ("crv", curve.into()),
        ("x", url(public)),
        ("d", url(private)),
    ])
}
