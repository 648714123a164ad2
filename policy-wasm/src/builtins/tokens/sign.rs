//! `io.jwt.encode_sign`, `io.jwt.encode_sign_raw`: tokens, made.

use super::jwk::{self, Key};
use crate::{
    builtins::{
        CallError, Context,
        crypto::{
            base64::{Alphabet, Padding, encode},
            signature::{Algorithm, Family, sign},
        },
        encoding::read_json,
        operand,
    },
    value::{Value, is_json},
};

/// Of values.
pub(super) fn encode_sign(
    context: &Context<'_>,
    arguments: &[Value],
) -> Result<Option<Value>, CallError> {
    let json = |index| {
        let value = operand::any(arguments, index)?;
        // Written, and then escaped.
        context.budget.pay_value(value)?;
        context.budget.pay_value(value)?;
        Ok::<_, CallError>(as_go_writes_it(value))
    };
    let (header, payload, key) = (json(0)?, json(1)?, json(2)?);
    signed(context, &header, &payload, &key)
}

/// Of texts in JSON, which stay as they are.
pub(super) fn encode_sign_raw(
    context: &Context<'_>,
    arguments: &[Value],
) -> Result<Option<Value>, CallError> {
    let key = operand::text(arguments, 2)?;
    let header = operand::text(arguments, 0)?;
    let payload = operand::text(arguments, 1)?;
    signed(context, header, payload, key)
}

/// JSON with what HTML and JavaScript could misread escaped. Source: Go, `json.Marshal`.
fn as_go_writes_it(value: &Value) -> String {
    let mut out = String::new();
    for letter in value.to_json_text().chars() {
        match letter {
            '<' => out.push_str("\\u003c"),
            '>' => out.push_str("\\u003e"),
            '&' => out.push_str("\\u0026"),
            '\u{2028}' => out.push_str("\\u2028"),
            '\u{2029}' => out.push_str("\\u2029"),
            _ => out.push(letter),
        }
    }
    out
}

fn signed(
    context: &Context<'_>,
    header: &str,
    payload: &str,
    key: &str,
) -> Result<Option<Value>, CallError> {
    let bytes = header
        .len()
        .saturating_add(payload.len())
        .saturating_add(key.len());
    context.budget.pay_bytes(bytes.saturating_mul(4))?;
    let keys = jwk::parse(context, key)?;
    let key = keys
        .first()
        .ok_or_else(|| CallError::new("no keys found in JWK set"))?;
    let algorithm = algorithm(header, payload)?;
    let url = |text: &str| encode(text.as_bytes(), Alphabet::Url, Padding::None);
    let message = format!("{}.{}", url(header), url(payload));
    let signature = match (&key.key, algorithm.family) {
        (Key::Secret(secret), Family::Hmac) => {
            Some(algorithm.hash.hmac(secret, message.as_bytes()))
        }
        _ => match key.private_key(context)? {
            Some(private) => sign(context, algorithm, &private, message.as_bytes())?,
            None => None,
        },
    };
    let signature =
        signature.ok_or_else(|| CallError::new("the key can't sign with that algorithm"))?;
    let signature = encode(&signature, Alphabet::Url, Padding::None);
    Ok(Some(format!("{message}.{signature}").into()))
}

/// The algorithm that a header names, if the payload is what the header says.
fn algorithm(header: &str, payload: &str) -> Result<Algorithm, CallError> {
    let header = read_json(header, |_| {
        CallError::new("missing or invalid 'alg' header")
    })?;
    let text = |name| header.as_object()?.get_str(name)?.as_str();
    let name = text("alg").ok_or_else(|| CallError::new("missing or invalid 'alg' header"))?;
    let algorithm = Algorithm::named(name)
        .ok_or_else(|| CallError::Builtin(format!("unknown JWS algorithm: {name}")))?;
    let is_jwt = text("typ").is_none_or(|typ| typ == "JWT");
    if is_jwt && !is_json(payload) {
        return Err(CallError::new("type is JWT but payload is not JSON"));
    }
    Ok(algorithm)
}
