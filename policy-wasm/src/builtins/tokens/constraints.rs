//! `io.jwt.decode_verify`: a token's content, if it is signed as it should be, and for whom and when
//! it should be.

use std::{borrow::Cow, sync::Arc};

use super::{
    Header, Token, bytes,
    jwk::{Jwk, keys_of},
    object, text,
    verify::Check,
};
use crate::{
    builtins::{
        CallError, Context,
        crypto::{
            hash::Hash,
            signature::{Algorithm, Family, Strictness},
        },
        operand,
    },
    value::{Number, Object, Value},
};

/// What is asked of a token; empty: nothing.
struct Constraints<'a> {
    keys: Option<Vec<Jwk>>,
    secret: &'a str,
    alg: &'a str,
    iss: &'a str,
    aud: &'a str,
    /// Seconds since 1970.
    time: Number,
}

fn wrong(name: &str, what: &str) -> CallError {
    CallError::Builtin(format!("{name} constraint: must be {what}"))
}

/// Seconds of nanoseconds, as OPA divides them.
fn seconds(nanoseconds: &Number) -> Result<Number, CallError> {
    let float = nanoseconds.as_f64();
    if float < 0.0 || !float.is_finite() {
        return Err(wrong("token time", "a number that is not negative"));
    }
    let text = (float / 1e9).to_string();
    Number::parse(&text).ok_or_else(|| wrong("token time", "a number"))
}

impl<'a> Constraints<'a> {
    fn read(context: &Context<'_>, object: &'a [(Value, Value)]) -> Result<Self, CallError> {
        let mut out = Self {
            keys: None,
            secret: "",
            alg: "",
            iss: "",
            aud: "",
            time: seconds(&Number::from(context.now_ns))?,
        };
        for (name, value) in object {
            let name = name
                .as_str()
                .ok_or_else(|| CallError::new("unknown token validation constraint"))?;
            let text = || value.as_str().ok_or_else(|| wrong(name, "a string"));
            match name {
                "cert" => out.keys = Some(keys_of(context, text()?)?),
                "secret" => out.secret = text()?,
                "alg" => out.alg = text()?,
                "iss" => out.iss = text()?,
                "aud" => out.aud = text()?,
                "time" => {
                    let time = value
                        .as_number()
                        .ok_or_else(|| wrong("token time", "a number"))?;
                    out.time = seconds(time)?;
                }
                _ => return Err(CallError::new("unknown token validation constraint")),
            }
        }
        match (&out.keys, out.secret) {
            (None, "") => Err(CallError::new("no key constraint")),
            (Some(_), "") | (None, _) => Ok(out),
            (Some(_), _) => Err(CallError::new("duplicate key constraints")),
        }
    }

    /// Whether the token is signed by one of the keys, with an algorithm that may be used.
    fn is_signed(
        &self,
        context: &Context<'_>,
        token: &Token<'_>,
        header: &Header<'_>,
    ) -> Result<bool, CallError> {
        if !header.is_valid() || (!self.alg.is_empty() && self.alg != header.alg) {
            return Ok(false);
        }
        let signature = token.signature()?;
        let check = Check {
            algorithm: algorithm(header.alg),
            message: token.signed.as_bytes(),
            signature: &signature,
            strictness: Strictness::Strict,
        };
        Ok(match &self.keys {
            Some(keys) => check.any(context, header, keys)?,
            None => check.mac_of(context, self.secret.as_bytes())?,
        })
    }

    /// Whether the claims are as they are asked for. Source: RFC 7519 §4.1.
    fn are_kept(&self, claims: &Object) -> Result<bool, CallError> {
        let issuer = claims.get_str("iss");
        if !self.iss.is_empty() {
            match issuer.map(Value::as_str) {
                Some(Some(issuer)) if issuer == self.iss => {}
                Some(None) => return Err(CallError::new("iss value must be a string")),
                _ => return Ok(false),
            }
        }
        let is_audience = match claims.get_str("aud") {
            None => self.aud.is_empty(),
            Some(Value::String(audience)) => audience.as_ref() == self.aud,
            Some(Value::Array(audiences)) => audiences
                .iter()
                .any(|audience| audience.as_str() == Some(self.aud)),
            Some(_) => false,
        };
        if !is_audience {
            return Ok(false);
        }
        let moment = |name: &str| {
            claims.get_str(name).map_or(Ok(None), |value| {
                let number = value.as_number().map(Some);
                number.ok_or_else(|| CallError::Builtin(format!("{name} value must be a number")))
            })
        };
        if moment("exp")?.is_some_and(|expires| self.time >= *expires) {
            return Ok(false);
        }
        Ok(moment("nbf")?.is_none_or(|begins| self.time >= *begins))
    }
}

/// Of a header. `Ed25519`: RFC 9864.
fn algorithm(name: &str) -> Option<Algorithm> {
    if name == "Ed25519" {
        return Some(Algorithm::new(Family::EdDsa, Hash::Sha512));
    }
    Algorithm::named(name)
}

fn answer(is_valid: bool, header: Value, claims: Value) -> Value {
    Value::array(vec![is_valid.into(), header, claims])
}

fn refusal() -> Value {
    answer(false, Value::empty_object(), Value::empty_object())
}

/// Whether the token is valid, and if it is, its header and claims.
pub(super) fn decode_verify(
    context: &Context<'_>,
    arguments: &[Value],
) -> Result<Option<Value>, CallError> {
    let constraints = Constraints::read(context, operand::object(arguments, 1)?)?;
    let mut whole = Cow::Borrowed(operand::text(arguments, 0)?);
    let (header, claims): (Arc<Object>, Arc<Object>) = loop {
        let token = Token::split(context, &whole)?;
        let members = token.header()?;
        let header = Header::of(&members)?;
        if !constraints.is_signed(context, &token, &header)? {
            return Ok(Some(refusal()));
        }
        let payload = bytes(token.payload)?;
        if header.cty.eq_ignore_ascii_case("JWT") {
            let inner = text(&payload).into_owned();
            whole = Cow::Owned(inner);
            continue;
        }
        break (members, object(&payload)?);
    };
    if !constraints.are_kept(&claims)? {
        return Ok(Some(refusal()));
    }
    let valid = answer(true, Value::Object(header), Value::Object(claims));
    Ok(Some(valid))
}
