//! `uuid.parse`. Source: OPA, "Policy Reference", UUID; RFC 4122 §4.1.

use super::{Builtin, CallError, Context, operand};
use crate::value::Value;

pub(super) const BUILTINS: &[Builtin] = &[Builtin::new("uuid.parse", parse)];

/// Ticks of 100 ns from 1582-10-15, where the timestamps of UUIDs begin, to 1970.
const TICKS_TO_1970: i64 = 122_192_928_000_000_000;

/// Undefined for what is no UUID.
fn parse(context: &Context<'_>, arguments: &[Value]) -> Result<Option<Value>, CallError> {
    let text = operand::text(arguments, 0)?;
    context.budget.pay(2)?;
    let Some(bytes) = bytes_of(text.as_bytes()) else {
        return Ok(None);
    };
    Ok(Some(described(bytes)))
}

/// The forms that are read: bare, without hyphens, in braces, and as a URN.
fn bytes_of(text: &[u8]) -> Option<[u8; 16]> {
    let text = match text.len() {
        36 => text,
        45 => {
            let (prefix, rest) = text.split_at_checked(9)?;
            prefix.eq_ignore_ascii_case(b"urn:uuid:").then_some(rest)?
        }
        38 => text.get(1..37)?,
        32 => return from_hex(text),
        _ => return None,
    };
    let is_hyphen = |place: &usize| text.get(*place) == Some(&b'-');
    if ![8, 13, 18, 23].iter().all(is_hyphen) {
        return None;
    }
    let groups = [0..8, 9..13, 14..18, 19..23, 24..36];
    let digits: Vec<u8> = groups
        .into_iter()
        .filter_map(|group| text.get(group))
        .flatten()
        .copied()
        .collect();
    from_hex(&digits)
}

fn from_hex(digits: &[u8]) -> Option<[u8; 16]> {
    let mut bytes = [0; 16];
    hex::decode_to_slice(digits, &mut bytes).ok()?;
    Some(bytes)
}

fn described(bytes: [u8; 16]) -> Value {
    let number = u128::from_be_bytes(bytes);
    let [.., variant_byte, _, _, _, _, _, _, _] = bytes;
    // The high half of the octets is the timestamp with the version in its last group.
    let version = field(number, 76, 4);
    let mut entries = vec![
        ("version", Value::from(version)),
        ("variant", Value::from(variant(variant_byte))),
    ];
    if version == 1 || version == 2 {
        entries.extend(made_from(number));
    }
    if version == 2 {
        let domain = field(number, 48, 8);
        entries.push(("id", Value::from(field(number, 96, 32))));
        entries.push(("domain", Value::from(domain_name(domain))));
    }
    let entries = entries
        .into_iter()
        .map(|(name, value)| (Value::from(name), value));
    Value::object(entries.collect())
}

/// Bits of the number that the octets are, from `shift` on.
fn field(number: u128, shift: u32, bits: u32) -> i64 {
    let mask = (1_u128.checked_shl(bits).unwrap_or(0)).saturating_sub(1);
    let shifted = number.checked_shr(shift).unwrap_or(0);
    i64::try_from(shifted & mask).unwrap_or(i64::MAX)
}

const fn variant(byte: u8) -> &'static str {
    match byte {
        0x80..=0xbf => "RFC4122",
        0xc0..=0xdf => "Microsoft",
        0xe0.. => "Future",
        _ => "Reserved",
    }
}

fn domain_name(domain: i64) -> String {
    match domain {
        0 => "Person".to_owned(),
        1 => "Group".to_owned(),
        2 => "Org".to_owned(),
        other => format!("Domain{other}"),
    }
}

/// When and where a UUID of version 1 or 2 was made.
fn made_from(number: u128) -> Vec<(&'static str, Value)> {
    let [_, _, _, _, _, _, _, _, _, _, node @ ..] = number.to_be_bytes();
    let ticks = field(number, 64, 12)
        .checked_shl(48)
        .unwrap_or(0)
        .saturating_add(field(number, 80, 16).checked_shl(32).unwrap_or(0))
        .saturating_add(field(number, 96, 32))
        .saturating_sub(TICKS_TO_1970);
    let [first, ..] = node;
    let cast = match first & 0b11 {
        0b11 => "local:multicast",
        0b01 => "global:multicast",
        0b10 => "local:unicast",
        _ => "global:unicast",
    };
    let node: Vec<String> = node.iter().map(|byte| format!("{byte:02x}")).collect();
    vec![
        // As OPA's, the number wraps around past the year 2262.
        ("time", Value::from(ticks.wrapping_mul(100))),
        ("nodeid", Value::from(node.join("-"))),
        ("macvariables", Value::from(cast)),
        ("clocksequence", Value::from(field(number, 48, 14))),
    ]
}
