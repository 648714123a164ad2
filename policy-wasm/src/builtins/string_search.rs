//! Where and how often one text stands in another. Source: OPA, `topdown/strings.go`.

use super::{
    Builtin, CallError, Context,
    aggregates::whole,
    operand,
    strings::{text, wrong_member},
};
use crate::value::Value;

pub(super) const BUILTINS: &[Builtin] = &[
    Builtin::new("indexof", index_of),
    Builtin::new("indexof_n", index_of_n),
    Builtin::new("strings.any_prefix_match", any_prefix_match),
    Builtin::new("strings.any_suffix_match", any_suffix_match),
    Builtin::new("strings.count", count),
];

/// 24: bytes that a place takes in an array.
const PLACE_BYTES: usize = 24;
/// 32: bytes that a step pays for.
const BYTES_PER_STEP: u64 = 32;

type Answer = Result<Option<Value>, CallError>;

/// The text, and what is searched in it.
fn operands<'a>(
    context: &Context<'_>,
    arguments: &'a [Value],
) -> Result<(&'a str, &'a str), CallError> {
    let operands = (text(context, arguments, 0)?, text(context, arguments, 1)?);
    if operands.1.is_empty() {
        return Err(CallError::new("empty search character"));
    }
    Ok(operands)
}

fn index_of(context: &Context<'_>, arguments: &[Value]) -> Answer {
    let (text, search) = operands(context, arguments)?;
    let place = text.find(search).and_then(|place| text.get(..place));
    Ok(Some(place.map_or_else(
        || Value::from(-1_i64),
        |before| whole(before.chars().count()),
    )))
}

fn index_of_n(context: &Context<'_>, arguments: &[Value]) -> Answer {
    let (text, search) = operands(context, arguments)?;
    // tables of places, for each byte of what is searched
    context.budget.pay_bytes(search.len().saturating_mul(8))?;
    let ends = ends_of(text.as_bytes(), search.as_bytes());
    context
        .budget
        .pay_bytes(ends.len().saturating_mul(PLACE_BYTES))?;
    let mut places = Vec::with_capacity(ends.len());
    let (mut letters, mut read) = (0_usize, 0_usize);
    for end in ends {
        let start = end.saturating_sub(search.len());
        letters =
            letters.saturating_add(text.get(read..start).map_or(0, |text| text.chars().count()));
        read = start;
        places.push(whole(letters));
    }
    Ok(Some(Value::array(places)))
}

/// Where each occurrence ends, also of those that overlap. Source: Knuth, Morris and Pratt, "Fast
/// Pattern Matching in Strings".
fn ends_of(text: &[u8], search: &[u8]) -> Vec<usize> {
    // of each start of `search`: the longest shorter start with which it ends
    let mut borders = vec![0_usize];
    let step = |borders: &[usize], mut matched: usize, byte: u8| {
        while matched > 0 && search.get(matched) != Some(&byte) {
            matched = borders.get(matched.saturating_sub(1)).copied().unwrap_or(0);
        }
        if search.get(matched) == Some(&byte) {
            matched.saturating_add(1)
        } else {
            0
        }
    };
    let mut matched = 0;
    for byte in search.iter().skip(1) {
        matched = step(&borders, matched, *byte);
        borders.push(matched);
    }
    let mut ends = Vec::new();
    matched = 0;
    for (place, byte) in text.iter().enumerate() {
        matched = step(&borders, matched, *byte);
        if matched == search.len() {
            ends.push(place.saturating_add(1));
        }
    }
    ends
}

fn count(context: &Context<'_>, arguments: &[Value]) -> Answer {
    let (text, search) = (text(context, arguments, 0)?, text(context, arguments, 1)?);
    Ok(Some(whole(text.matches(search).count())))
}

fn any_prefix_match(context: &Context<'_>, arguments: &[Value]) -> Answer {
    let texts = texts(context, arguments, 0)?;
    let starts = texts_paid_for(context, arguments, 1, texts.len())?;
    let starts = starts.iter().map(|text| text.as_bytes());
    let texts = texts.iter().map(|text| text.as_bytes().to_vec()).collect();
    Ok(Some(Value::Bool(any_starts(texts, starts))))
}

fn any_suffix_match(context: &Context<'_>, arguments: &[Value]) -> Answer {
    let texts = texts(context, arguments, 0)?;
    let ends = texts_paid_for(context, arguments, 1, texts.len())?;
    let reverse = |text: &&str| text.bytes().rev().collect::<Vec<u8>>();
    let ends: Vec<Vec<u8>> = ends.iter().map(reverse).collect();
    let texts = texts.iter().map(reverse).collect();
    Ok(Some(Value::Bool(any_starts(
        texts,
        ends.iter().map(Vec::as_slice),
    ))))
}

/// One text or several.
fn texts<'a>(
    context: &Context<'_>,
    arguments: &'a [Value],
    index: usize,
) -> Result<Vec<&'a str>, CallError> {
    let value = operand::any(arguments, index)?;
    let members: &[Value] = match value {
        Value::String(text) => return Ok(vec![text]),
        Value::Array(array) => array,
        Value::Set(set) => set,
        other => return Err(operand::wrong(index, "one of {string, set, array}", other)),
    };
    context.budget.pay_sorting(members)?;
    let text = |member: &'a Value| {
        member
            .as_str()
            .ok_or_else(|| wrong_member(index, value, member))
    };
    members.iter().map(text).collect()
}

/// Texts that are looked up among `count` others.
fn texts_paid_for<'a>(
    context: &Context<'_>,
    arguments: &'a [Value],
    index: usize,
    count: usize,
) -> Result<Vec<&'a str>, CallError> {
    let texts = texts(context, arguments, index)?;
    let rounds = u64::from(count.checked_ilog2().unwrap_or(0)).saturating_add(2);
    let weight = operand::any(arguments, index)?.size().weight / BYTES_PER_STEP;
    context.budget.pay(weight.saturating_mul(rounds))?;
    Ok(texts)
}

/// What begins with a text stands in order right behind it.
fn any_starts<'a>(mut texts: Vec<Vec<u8>>, mut starts: impl Iterator<Item = &'a [u8]>) -> bool {
    texts.sort_unstable();
    starts.any(|start| {
        let place = texts.partition_point(|text| text.as_slice() < start);
        texts.get(place).is_some_and(|text| text.starts_with(start))
    })
}
