//! `io.jwt.*`: JSON Web Tokens. Source: RFC 7515, 7517, 7519; what is accepted as in OPA.

mod constraints;
mod jwk;
mod sign;
#[cfg(test)]
mod tests;
mod verify;

use std::{borrow::Cow, sync::Arc};

use super::{
    Builtin, CallError, Context,
    crypto::{base64::decode_url, hash::Hash, signature::Family},
    encoding::read_json,
    operand,
};
use crate::value::{Object, Value};

pub(super) const BUILTINS: &[Builtin] = &[
    Builtin::new("io.jwt.decode", decode),
    Builtin::new("io.jwt.decode_verify", constraints::decode_verify),
    Builtin::new("io.jwt.encode_sign", sign::encode_sign),
    Builtin::new("io.jwt.encode_sign_raw", sign::encode_sign_raw),
    Builtin {
        name: "io.jwt.verify_eddsa",
        call: |context, arguments| verify::verify(context, arguments, Family::EdDsa, Hash::Sha512),
    },
    Builtin {
        name: "io.jwt.verify_es256",
        call: |context, arguments| verify::verify(context, arguments, Family::Ecdsa, Hash::Sha256),
    },
    Builtin {
        name: "io.jwt.verify_es384",
        call: |context, arguments| verify::verify(context, arguments, Family::Ecdsa, Hash::Sha384),
    },
    Builtin {
        name: "io.jwt.verify_es512",
        call: |context, arguments| verify::verify(context, arguments, Family::Ecdsa, Hash::Sha512),
    },
    Builtin {
        name: "io.jwt.verify_hs256",
        call: |context, arguments| verify::verify_mac(context, arguments, Hash::Sha256),
    },
    Builtin {
        name: "io.jwt.verify_hs384",
        call: |context, arguments| verify::verify_mac(context, arguments, Hash::Sha384),
    },
    Builtin {
        name: "io.jwt.verify_hs512",
        call: |context, arguments| verify::verify_mac(context, arguments, Hash::Sha512),
    },
    Builtin {
        name: "io.jwt.verify_ps256",
        call: |context, arguments| verify::verify(context, arguments, Family::Pss, Hash::Sha256),
    },
    Builtin {
        name: "io.jwt.verify_ps384",
        call: |context, arguments| verify::verify(context, arguments, Family::Pss, Hash::Sha384),
    },
    Builtin {
        name: "io.jwt.verify_ps512",
        call: |context, arguments| verify::verify(context, arguments, Family::Pss, Hash::Sha512),
    },
    Builtin {
        name: "io.jwt.verify_rs256",
        call: |context, arguments| verify::verify(context, arguments, Family::Pkcs1, Hash::Sha256),
    },
    Builtin {
        name: "io.jwt.verify_rs384",
        call: |context, arguments| verify::verify(context, arguments, Family::Pkcs1, Hash::Sha384),
    },
    Builtin {
        name: "io.jwt.verify_rs512",
        call: |context, arguments| verify::verify(context, arguments, Family::Pkcs1, Hash::Sha512),
    },
];

/// 4: how often a byte of a token is read: split, decoded, parsed, hashed.
const BYTE_USES: usize = 4;

/// The parts of a token in the compact form, as they stand there.
#[derive(Debug, Clone, Copy)]
struct Token<'a> {
    header: &'a str,
    payload: &'a str,
    signature: &'a str,
    /// What is signed: header and payload.
    signed: &'a str,
}

impl<'a> Token<'a> {
    fn split(context: &Context<'_>, text: &'a str) -> Result<Self, CallError> {
        context
            .budget
            .pay_bytes(text.len().saturating_mul(BYTE_USES))?;
        let malformed = || CallError::new("encoded JWT must have 3 sections");
        let (signed, signature) = text.rsplit_once('.').ok_or_else(malformed)?;
        let (header, payload) = signed.split_once('.').ok_or_else(malformed)?;
        if payload.contains('.') {
            return Err(malformed());
        }
        Ok(Self {
            header,
            payload,
            signature,
            signed,
        })
    }

    fn header(&self) -> Result<Arc<Object>, CallError> {
        let header = object(&bytes(self.header)?)?;
        if header.get_str("enc").is_some() {
            return Err(CallError::new(
                "JWT is a JWE object, which is not supported",
            ));
        }
        Ok(header)
    }

    fn signature(&self) -> Result<Vec<u8>, CallError> {
        bytes(self.signature)
    }
}

fn bytes(text: &str) -> Result<Vec<u8>, CallError> {
    decode_url(text).ok_or_else(|| CallError::new("JWT had invalid encoding"))
}

fn text(bytes: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}

/// An object in JSON.
fn object(json: &[u8]) -> Result<Arc<Object>, CallError> {
    let value = read_json(&text(json), |_| CallError::new("JWT had invalid JSON"))?;
    match value {
        Value::Object(object) => Ok(object),
        _ => Err(CallError::new("decoded JSON type was not an Object")),
    }
}

/// What a header says of itself.
#[derive(Debug, Default)]
struct Header<'a> {
    alg: &'a str,
    kid: &'a str,
    cty: &'a str,
    /// Whether something is critical that is not known.
    is_refused: bool,
}

impl<'a> Header<'a> {
    /// Errors: a member that is known is of another type than it should be.
    fn of(object: &'a Object) -> Result<Self, CallError> {
        let text = |name: &str| match object.get_str(name) {
            None => Ok(""),
            Some(value) => value
                .as_str()
                .ok_or_else(|| CallError::Builtin(format!("{name}: must be a string"))),
        };
        text("typ")?;
        let header = Self {
            alg: text("alg")?,
            kid: text("kid")?,
            cty: text("cty")?,
            is_refused: has_unknown_critical(object)?,
        };
        Ok(header)
    }

    /// Source: RFC 7515 §4.1.1 and §4.1.11.
    const fn is_valid(&self) -> bool {
        !self.alg.is_empty() && !self.is_refused
    }
}

fn has_unknown_critical(object: &Object) -> Result<bool, CallError> {
    let Some(critical) = object.get_str("crit") else {
        return Ok(false);
    };
    let names = critical
        .as_array()
        .ok_or_else(|| CallError::new("crit: must be a list"))?;
    // As OPA has it: what follows something else than a text doesn't count.
    let mut names = names.iter().map_while(Value::as_str).peekable();
    if names.peek().is_none() {
        return Err(CallError::new("crit: must be a nonempty list"));
    }
    let known = ["alg", "kid", "typ", "cty", "crit"];
    Ok(names.any(|name| !known.contains(&name) && object.get_str(name).is_some()))
}

/// Header, payload and signature, unchecked; of the innermost token.
fn decode(context: &Context<'_>, arguments: &[Value]) -> Result<Option<Value>, CallError> {
    let mut whole = Cow::Borrowed(operand::text(arguments, 0)?);
    loop {
        let token = Token::split(context, &whole)?;
        let header = token.header()?;
        let payload = bytes(token.payload)?;
        let inner_kind = header.get_str("cty").map(Value::as_str);
        if inner_kind == Some(None) {
            return Err(CallError::new("cty: must be a string"));
        }
        if inner_kind == Some(Some("JWT")) {
            let inner = text(&payload).trim_matches(['"', '\'']).to_owned();
            whole = Cow::Owned(inner);
            continue;
        }
        let payload = object(&payload)?;
        let signature = hex::encode(token.signature()?);
        return Ok(Some(Value::array(vec![
            Value::Object(header),
            Value::Object(payload),
            signature.into(),
        ])));
    }
}
