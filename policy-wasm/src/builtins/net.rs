//! `net.cidr_*`: blocks of IP addresses. Addresses of both families are 128-bit numbers here, IPv4
//! as `::ffff:a.b.c.d`, which is how Go keeps them, so that both compare as OPA compares them.

use std::net::{IpAddr, Ipv6Addr};

use super::{Builtin, CallError, Context, cidr_merge, operand};
use crate::value::Value;

pub(super) const BUILTINS: &[Builtin] = &[
    Builtin::new("net.cidr_contains", contains),
    Builtin::new("net.cidr_contains_matches", contains_matches),
    Builtin::new("net.cidr_expand", expand),
    Builtin::new("net.cidr_intersects", intersects),
    Builtin::new("net.cidr_is_valid", is_valid),
    Builtin::new("net.cidr_merge", cidr_merge::merge),
];

/// What precedes the 32 bits of an IPv4 address in its 128-bit form.
const MAPPED: u128 = 0xffff;
/// 2: what making and placing the text of one address costs.
const STEPS_PER_ADDRESS: u64 = 2;

/// A block: an address and how many of its leading bits count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Block {
    /// Its first address; or any, where OPA keeps the address as it was given.
    pub(super) address: u128,
    /// Leading bits of the 128.
    pub(super) prefix: u32,
    /// Whether it was written as IPv4, and not as IPv4 inside IPv6.
    written_as_v4: bool,
}

/// Whether the address is one of IPv4.
pub(super) const fn is_v4(address: u128) -> bool {
    address >> 32 == MAPPED
}

/// An address in its 128-bit form; zones are refused. Source: Go, `net.ParseIP`.
pub(super) fn parse_address(text: &str) -> Option<u128> {
    Some(match text.parse().ok()? {
        IpAddr::V4(address) => address.to_ipv6_mapped().to_bits(),
        IpAddr::V6(address) => address.to_bits(),
    })
}

/// As Go writes it: IPv4 also where it stands inside IPv6.
pub(super) fn address_text(address: u128) -> String {
    match Ipv6Addr::from_bits(address).to_ipv4_mapped() {
        Some(v4) => v4.to_string(),
        None => Ipv6Addr::from_bits(address).to_string(),
    }
}

impl Block {
    pub(super) const fn of(address: u128, prefix: u32) -> Self {
        Self {
            address,
            prefix,
            written_as_v4: is_v4(address),
        }
    }

    /// Source: Go, `net.ParseCIDR`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = text.split_once('/')?;
        // Leading zeros are fine, a sign isn't.
        if prefix.is_empty() || !prefix.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let prefix: u32 = prefix.parse().ok()?;
        let (address, bits, written_as_v4) = match address.parse().ok()? {
            IpAddr::V4(address) => (address.to_ipv6_mapped().to_bits(), 32, true),
            IpAddr::V6(address) => (address.to_bits(), 128, false),
        };
        if prefix > bits {
            return None;
        }
        let mut block = Self {
            address,
            prefix: if written_as_v4 {
                prefix.saturating_add(96)
            } else {
                prefix
            },
            written_as_v4,
        };
        block.address = block.first();
        Some(block)
    }

    const fn host_mask(&self) -> u128 {
        match u128::MAX.checked_shr(self.prefix) {
            Some(mask) => mask,
            None => 0,
        }
    }

    /// Its first address.
    pub(super) const fn first(&self) -> u128 {
        self.address & !self.host_mask()
    }

    /// Its last address.
    pub(super) const fn last(&self) -> u128 {
        self.address | self.host_mask()
    }

    /// Whether an address is in it: never one of the other family, even of `::/0`.
    fn has(&self, address: u128) -> bool {
        is_v4(self.address) == is_v4(address) && address | self.host_mask() == self.last()
    }

    fn contains(&self, other: &Self) -> bool {
        if self.is_plain_v6() && other.is_plain_v6() {
            return self.prefix <= other.prefix && other.address | self.host_mask() == self.last();
        }
        self.has(other.address) && self.has(other.last())
    }

    const fn is_plain_v6(&self) -> bool {
        !self.written_as_v4 && !is_v4(self.address)
    }

    /// As Go writes it, with the address that was given.
    pub(super) fn text(&self) -> String {
        let before = if is_v4(self.address) { 96 } else { 0 };
        let prefix = self.prefix.saturating_sub(before);
        format!("{}/{prefix}", address_text(self.address))
    }
}

fn invalid(text: &str) -> CallError {
    CallError::Builtin(format!("invalid CIDR address: {text}"))
}

/// A block, as a text. The operand is named 1 whichever it is, as OPA names it.
fn block(context: &Context<'_>, value: &Value) -> Result<Block, CallError> {
    let text = value
        .as_str()
        .ok_or_else(|| operand::wrong(0, "string", value))?;
    context.budget.pay_bytes(text.len())?;
    Block::parse(text).ok_or_else(|| invalid(text))
}

fn block_contains(
    context: &Context<'_>,
    block_value: &Value,
    other: &Value,
) -> Result<bool, CallError> {
    let outer = block(context, block_value)?;
    let text = other
        .as_str()
        .ok_or_else(|| operand::wrong(0, "string", other))?;
    context.budget.pay_bytes(text.len())?;
    if let Some(address) = parse_address(text) {
        return Ok(outer.has(address));
    }
    let inner = Block::parse(text).ok_or_else(|| {
        CallError::Builtin(format!(
            "not a valid textual representation of an IP address or CIDR: {text}"
        ))
    })?;
    Ok(outer.contains(&inner))
}

fn contains(context: &Context<'_>, arguments: &[Value]) -> Result<Option<Value>, CallError> {
    let (outer, inner) = (operand::any(arguments, 0)?, operand::any(arguments, 1)?);
    Ok(Some(block_contains(context, outer, inner)?.into()))
}

fn intersects(context: &Context<'_>, arguments: &[Value]) -> Result<Option<Value>, CallError> {
    let left = block(context, operand::any(arguments, 0)?)?;
    let right = block(context, operand::any(arguments, 1)?)?;
    let overlap = left.has(right.address) || right.has(left.address);
    Ok(Some(overlap.into()))
}

fn is_valid(context: &Context<'_>, arguments: &[Value]) -> Result<Option<Value>, CallError> {
    let Some(text) = operand::any(arguments, 0)?.as_str() else {
        return Ok(Some(false.into()));
    };
    context.budget.pay_bytes(text.len())?;
    Ok(Some(Block::parse(text).is_some().into()))
}

fn expand(context: &Context<'_>, arguments: &[Value]) -> Result<Option<Value>, CallError> {
    let block = block(context, operand::any(arguments, 0)?)?;
    let (first, last) = (block.first(), block.last());
    let more = u64::try_from(last.saturating_sub(first)).unwrap_or(u64::MAX);
    context
        .budget
        .pay(more.saturating_add(1).saturating_mul(STEPS_PER_ADDRESS))?;
    let addresses = (first..=last).map(|address| Value::from(address_text(address)));
    Ok(Some(Value::set(addresses.collect())))
}

/// What stands beside each block of a collection: the block's own text, its place, or its key.
struct Candidate {
    /// `None`: neither a text nor an array that begins with one.
    block: Option<Value>,
    index: Value,
}

/// The blocks of an operand; of any other kind there are none.
fn candidates(value: &Value) -> Vec<Candidate> {
    let candidate = |item: &Value, index: Value| Candidate {
        block: match item {
            Value::String(_) => Some(item.clone()),
            Value::Array(array) => array.get(0).cloned(),
            _ => None,
        },
        index,
    };
    match value {
        Value::String(_) => vec![candidate(value, value.clone())],
        Value::Array(array) => (0_u64..)
            .zip(array.iter())
            .map(|(index, item)| candidate(item, index.into()))
            .collect(),
        Value::Set(set) => set
            .iter()
            .map(|item| candidate(item, item.clone()))
            .collect(),
        Value::Object(object) => object
            .iter()
            .map(|(key, item)| candidate(item, key.clone()))
            .collect(),
        _ => Vec::new(),
    }
}

fn block_of(candidate: &Candidate, place: u8) -> Result<&Value, CallError> {
    candidate.block.as_ref().ok_or_else(|| {
        CallError::Builtin(format!(
            "operand {place}: element must be string or non-empty array"
        ))
    })
}

/// Steps for a collection of as many members.
fn members(value: &Value) -> usize {
    match value {
        Value::Array(array) => array.len(),
        Value::Set(set) => set.len(),
        Value::Object(object) => object.len(),
        _ => 1,
    }
}

fn contains_matches(
    context: &Context<'_>,
    arguments: &[Value],
) -> Result<Option<Value>, CallError> {
    let (outer, inner) = (operand::any(arguments, 0)?, operand::any(arguments, 1)?);
    let listed = members(outer).saturating_add(members(inner));
    context
        .budget
        .pay(u64::try_from(listed).unwrap_or(u64::MAX))?;
    let (outer, inner) = (candidates(outer), candidates(inner));
    let mut matches = Vec::new();
    for block in &outer {
        let block_value = block_of(block, 1)?;
        for other in &inner {
            context.budget.pay(2)?;
            if block_contains(context, block_value, block_of(other, 2)?)? {
                context.budget.pay(4)?;
                matches.push(Value::array(vec![block.index.clone(), other.index.clone()]));
            }
        }
    }
    context.budget.pay_sorting(&matches)?;
    Ok(Some(Value::set(matches)))
}
