//! `net.cidr_merge`: the fewest blocks that hold the same addresses.

use super::{
    CallError, Context,
    net::{Block, address_text, is_v4, parse_address},
    operand,
};
use crate::value::Value;

/// Addresses from the first to the last.
struct Range {
    first: u128,
    last: u128,
    /// The block that it is as long as nothing was added: OPA writes that one as it was given.
    block: Option<Block>,
}

pub(super) fn merge(
    context: &Context<'_>,
    arguments: &[Value],
) -> Result<Option<Value>, CallError> {
    let items: &[Value] = match operand::any(arguments, 0)? {
        Value::Array(array) => array,
        Value::Set(set) => set,
        _ => return Err(CallError::new("operand must be an array")),
    };
    context.budget.pay_sorting(items)?;
    let blocks: Vec<Block> = items.iter().map(block).collect::<Result<_, _>>()?;
    let mut texts = Vec::new();
    for range in merged(&blocks) {
        match range.block {
            Some(block) => texts.push(Value::from(block.text())),
            None => push_blocks(&range, &mut texts),
        }
        context.budget.pay(4)?;
    }
    context.budget.pay_sorting(&texts)?;
    Ok(Some(Value::set(texts)))
}

/// An address alone is the network of its class, which only IPv4 has.
fn block(value: &Value) -> Result<Block, CallError> {
    let text = value
        .as_str()
        .ok_or_else(|| CallError::new("element must be string"))?;
    let Some(address) = parse_address(text) else {
        return Block::parse(text)
            .ok_or_else(|| CallError::Builtin(format!("invalid CIDR address: {text}")));
    };
    if !is_v4(address) {
        return Err(CallError::new("IPv6 invalid: needs prefix length"));
    }
    let class = match address.to_be_bytes() {
        [.., 0..=0x7f, _, _, _] => 8,
        [.., 0x80..=0xbf, _, _, _] => 16,
        _ => 24_u32,
    };
    Ok(Block::of(address, class.saturating_add(96)))
}

/// The ranges in the order of their ends, those that touch joined.
fn merged(blocks: &[Block]) -> Vec<Range> {
    let range = |block: &Block| Range {
        first: block.first(),
        last: block.last(),
        block: Some(*block),
    };
    let mut ranges: Vec<Range> = blocks.iter().map(range).collect();
    ranges.sort_by_key(|range| (range.last, range.first));
    let mut joined: Vec<Range> = Vec::with_capacity(ranges.len());
    // From the end, since the widest of those that overlap ends last.
    let mut rest = ranges.into_iter().rev();
    let Some(mut current) = rest.next() else {
        return joined;
    };
    for before in rest {
        if previous(current.first) <= before.last {
            current.first = current.first.min(before.first);
            current.block = None;
        } else {
            joined.push(std::mem::replace(&mut current, before));
        }
    }
    joined.push(current);
    joined
}

/// The address before; the first one of a family stays.
fn previous(address: u128) -> u128 {
    if is_v4(address) && !is_v4(address.saturating_sub(1)) {
        return address;
    }
    address.saturating_sub(1)
}

/// The fewest blocks that make up a range.
fn push_blocks(range: &Range, texts: &mut Vec<Value>) {
    let before = if is_v4(range.first) { 96 } else { 0 };
    let mut first = range.first;
    loop {
        // The widest block that begins here and does not reach beyond the end.
        let mut block = Block::of(first, before);
        while block.first() != first || block.last() > range.last {
            block.prefix = block.prefix.saturating_add(1);
        }
        let prefix = block.prefix.saturating_sub(before);
        texts.push(format!("{}/{prefix}", address_text(first)).into());
        match block.last().checked_add(1) {
            Some(next) if next <= range.last => first = next,
            _ => return,
        }
    }
}
