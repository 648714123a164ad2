//! `intersection` and `union` of a set's members. Source: OPA, "Policy Reference", sets.

use std::cmp::Ordering;

use super::{
    Builtin, CallError, Context, operand,
    tally::{Tally, set_of},
};
use crate::value::{Set, Value};

pub(super) const BUILTINS: &[Builtin] = &[
    Builtin::new("intersection", intersection),
    Builtin::new("union", union),
];

fn member_sets(arguments: &[Value]) -> Result<Vec<&Set>, CallError> {
    let sets = operand::set(arguments, 0)?.iter().map(|member| {
        let set = member
            .as_set()
            .ok_or_else(|| operand::wrong(0, "set", member))?;
        Ok(set.as_ref())
    });
    sets.collect()
}

fn intersection(context: &Context<'_>, arguments: &[Value]) -> Result<Option<Value>, CallError> {
    context
        .budget
        .pay_bytes(operand::set(arguments, 0)?.len())?;
    let sets = member_sets(arguments)?;
    let Some((first, others)) = sets.split_first() else {
        return Ok(Some(Value::set(Vec::new())));
    };
    let mut tally = Tally::new(context.budget);
    tally.add(
        u64::try_from(first.len())
            .unwrap_or(u64::MAX)
            .saturating_mul(24),
    )?;
    let mut common: Vec<&Value> = first.iter().collect();
    for other in others {
        common = in_both(&mut tally, &common, other)?;
    }
    Ok(Some(Value::set(common.into_iter().cloned().collect())))
}

/// Both are in order, so one walk over them finds what they share.
fn in_both<'a>(
    tally: &mut Tally<'_>,
    left: &[&'a Value],
    right: &[Value],
) -> Result<Vec<&'a Value>, CallError> {
    let mut both = Vec::new();
    let (mut left, mut right) = (left.iter().peekable(), right.iter().peekable());
    while let (Some(one), Some(other)) = (left.peek(), right.peek()) {
        tally.compare(one, other)?;
        match (*one).cmp(other) {
            Ordering::Less => _ = left.next(),
            Ordering::Greater => _ = right.next(),
            Ordering::Equal => {
                both.push(**one);
                left.next();
                right.next();
            }
        }
    }
    Ok(both)
}

fn union(context: &Context<'_>, arguments: &[Value]) -> Result<Option<Value>, CallError> {
    context
        .budget
        .pay_bytes(operand::set(arguments, 0)?.len())?;
    let mut members = Vec::new();
    for set in member_sets(arguments)? {
        context.budget.pay_bytes(set.len().saturating_mul(24))?;
        members.extend(set.iter().cloned());
    }
    Ok(Some(set_of(context.budget, members)?))
}
