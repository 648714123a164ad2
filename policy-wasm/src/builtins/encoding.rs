//! `base64.*`, `base64url.*`, `hex.*` and `json.*`. Source: OPA, `topdown/encoding.go`; RFC 4648.

use super::{Builtin, CallError, Context, operand, output::text_of};
use crate::{
    budget::Exhausted,
    value::{Indent, JsonError, Value, is_json, write_json},
};

pub(super) const BUILTINS: &[Builtin] = &[
    Builtin::new("base64.decode", base64_decode),
    Builtin::new("base64.encode", base64_encode),
    Builtin::new("base64.is_valid", base64_is_valid),
    Builtin::new("base64url.decode", base64url_decode),
    Builtin::new("base64url.encode", base64url_encode),
    Builtin::new("base64url.encode_no_pad", base64url_encode_no_pad),
    Builtin::new("hex.decode", hex_decode),
    Builtin::new("hex.encode", hex_encode),
    Builtin::new("json.is_valid", json_is_valid),
    Builtin::new("json.marshal", json_marshal),
    Builtin::new("json.marshal_with_options", json_marshal_with_options),
    Builtin::new("json.unmarshal", json_unmarshal),
];

/// 4: a text is paid for as if it were so often as long, for what is made of it.
const COPIES: usize = 4;

type Answer = Result<Option<Value>, CallError>;

fn text<'a>(context: &Context<'_>, arguments: &'a [Value]) -> Result<&'a str, CallError> {
    let text = operand::text(arguments, 0)?;
    context
        .budget
        .pay_bytes(text.len().saturating_mul(COPIES))?;
    Ok(text)
}

/// The digits of base64 in their order.
fn digit_of(bits: u8, is_for_urls: bool) -> char {
    char::from(match bits {
        0..=25 => b'A'.saturating_add(bits),
        26..=51 => b'a'.saturating_add(bits.saturating_sub(26)),
        52..=61 => b'0'.saturating_add(bits.saturating_sub(52)),
        62 if is_for_urls => b'-',
        62 => b'+',
        _ if is_for_urls => b'_',
        _ => b'/',
    })
}

fn bits_of(digit: u8, is_for_urls: bool) -> Option<u32> {
    let bits = match digit {
        b'A'..=b'Z' => digit.saturating_sub(b'A'),
        b'a'..=b'z' => digit.saturating_sub(b'a').saturating_add(26),
        b'0'..=b'9' => digit.saturating_sub(b'0').saturating_add(52),
        b'-' if is_for_urls => 62,
        b'+' if !is_for_urls => 62,
        b'_' if is_for_urls => 63,
        b'/' if !is_for_urls => 63,
        _ => return None,
    };
    Some(u32::from(bits))
}

fn encode(bytes: &[u8], is_for_urls: bool, is_padded: bool) -> Value {
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let [first, second, third] = [0, 1, 2].map(|place| chunk.get(place).copied().unwrap_or(0));
        let digits = [
            first >> 2,
            (first & 3) << 4 | second >> 4,
            (second & 15) << 2 | third >> 6,
            third & 63,
        ];
        for (place, bits) in digits.into_iter().enumerate() {
            if place <= chunk.len() {
                text.push(digit_of(bits, is_for_urls));
            } else if is_padded {
                text.push('=');
            }
        }
    }
    Value::from(text)
}

/// Line breaks are skipped, padding is needed, and the bits that are left over don't matter.
/// Source: Go, `base64.Encoding.DecodeString`.
fn decode(text: &str, is_for_urls: bool) -> Option<Vec<u8>> {
    let digits: Vec<u8> = text
        .bytes()
        .filter(|byte| !matches!(byte, b'\r' | b'\n'))
        .collect();
    let mut bytes = Vec::with_capacity(digits.len());
    let mut chunks = digits.chunks(4).peekable();
    while let Some(chunk) = chunks.next() {
        let [first, second, third, fourth] = chunk else {
            return None;
        };
        let is_last = chunks.peek().is_none();
        let count = match (third, fourth) {
            (b'=', b'=') if is_last => 1,
            (_, b'=') if is_last => 2,
            _ => 3,
        };
        let bits = |digit: &u8, place: usize| {
            if place > count {
                Some(0)
            } else {
                bits_of(*digit, is_for_urls)
            }
        };
        let group = bits(first, 0)? << 18
            | bits(second, 1)? << 12
            | bits(third, 2)? << 6
            | bits(fourth, 3)?;
        let [_, group @ ..] = group.to_be_bytes();
        bytes.extend(group.iter().take(count));
    }
    Some(bytes)
}

fn base64_encode(context: &Context<'_>, arguments: &[Value]) -> Answer {
    Ok(Some(encode(
        text(context, arguments)?.as_bytes(),
        false,
        true,
    )))
}

fn base64url_encode(context: &Context<'_>, arguments: &[Value]) -> Answer {
    Ok(Some(encode(
        text(context, arguments)?.as_bytes(),
        true,
        true,
    )))
}

fn base64url_encode_no_pad(context: &Context<'_>, arguments: &[Value]) -> Answer {
    Ok(Some(encode(
        text(context, arguments)?.as_bytes(),
        true,
        false,
    )))
}

fn base64_decode(context: &Context<'_>, arguments: &[Value]) -> Answer {
    let bytes = decode(text(context, arguments)?, false);
    Ok(Some(text_of(
        bytes.ok_or_else(|| CallError::new("illegal base64 data"))?,
    )))
}

/// The padding may be left out.
fn base64url_decode(context: &Context<'_>, arguments: &[Value]) -> Answer {
    let text = text(context, arguments)?;
    let padding = match (text.ends_with('='), text.len() & 3) {
        (true, _) | (_, 0) => "",
        (_, 2) => "==",
        (_, 3) => "=",
        _ => return Err(CallError::new("illegal base64url string")),
    };
    let bytes = decode(&format!("{text}{padding}"), true);
    Ok(Some(text_of(
        bytes.ok_or_else(|| CallError::new("illegal base64 data"))?,
    )))
}

fn base64_is_valid(context: &Context<'_>, arguments: &[Value]) -> Answer {
    let is_valid = match operand::any(arguments, 0)? {
        Value::String(_) => decode(text(context, arguments)?, false).is_some(),
        _ => false,
    };
    Ok(Some(Value::Bool(is_valid)))
}

fn hex_encode(context: &Context<'_>, arguments: &[Value]) -> Answer {
    Ok(Some(Value::from(hex::encode(text(context, arguments)?))))
}

fn hex_decode(context: &Context<'_>, arguments: &[Value]) -> Answer {
    let bytes = hex::decode(text(context, arguments)?).map_err(CallError::new)?;
    Ok(Some(text_of(bytes)))
}

fn json_is_valid(context: &Context<'_>, arguments: &[Value]) -> Answer {
    let is_valid = match operand::any(arguments, 0)? {
        Value::String(_) => is_json(text(context, arguments)?),
        _ => false,
    };
    Ok(Some(Value::Bool(is_valid)))
}

fn json_unmarshal(context: &Context<'_>, arguments: &[Value]) -> Answer {
    Ok(Some(read_json(text(context, arguments)?, CallError::new)?))
}

/// Reads JSON that has been paid for. Where it nests deeper than may be, but not too deep for OPA, the
/// evaluation ends; `wrong`: the error otherwise.
pub(super) fn read_json(
    text: &str,
    wrong: impl FnOnce(JsonError) -> CallError,
) -> Result<Value, CallError> {
    Value::from_json_text(text).map_err(|error| {
        if error.is_too_deep() {
            Exhausted::Depth.into()
        } else {
            wrong(error)
        }
    })
}

fn json_marshal(context: &Context<'_>, arguments: &[Value]) -> Answer {
    marshal(context, operand::any(arguments, 0)?, None, "")
}

fn marshal(
    context: &Context<'_>,
    value: &Value,
    indent: Option<Indent<'_>>,
    start: &str,
) -> Answer {
    context.budget.pay_value(value)?;
    let mut pay = |bytes| context.budget.pay_bytes(bytes);
    let text = write_json::<Exhausted>(value, indent, &mut pay)?;
    context.budget.pay_bytes(start.len())?;
    Ok(Some(Value::from(format!("{start}{text}"))))
}

fn json_marshal_with_options(context: &Context<'_>, arguments: &[Value]) -> Answer {
    let value = operand::any(arguments, 0)?;
    let options = operand::object(arguments, 1)?;
    let mut indent = Indent {
        prefix: "",
        step: "\t",
    };
    let (mut is_pretty, mut has_layout) = (None, false);
    for (key, option) in options.iter() {
        let text = option.as_str().ok_or("failed cast to string");
        match key.as_str() {
            Some("indent") => indent.step = text.map_err(|why| wrong_option("indent", why))?,
            Some("prefix") => indent.prefix = text.map_err(|why| wrong_option("prefix", why))?,
            Some("pretty") => match option {
                Value::Bool(flag) => is_pretty = Some(*flag),
                _ => return Err(wrong_option("pretty", "failed cast to bool")),
            },
            Some(other) => return Err(wrong_option(other, "is unknown")),
            None => {
                return Err(CallError::Type(
                    "operand 2 has a key that is no string".to_owned(),
                ));
            }
        }
        has_layout = has_layout || key.as_str() != Some("pretty");
    }
    if is_pretty.unwrap_or(has_layout) {
        marshal(context, value, Some(indent), indent.prefix)
    } else {
        marshal(context, value, None, "")
    }
}

fn wrong_option(key: &str, why: &str) -> CallError {
    CallError::Type(format!("operand 2 key {key} {why}"))
}
