//! `&`, `|` and `-` between two sets, merged in one go through both.

use std::{cmp::Ordering, sync::Arc};

use super::{Builtin, CallError, Context, operand};
use crate::value::{Set, Value};

pub(super) const BUILTINS: &[Builtin] =
    &[Builtin::new("and", intersection), Builtin::new("or", union)];

type Answer = Result<Option<Value>, CallError>;

/// Which members stay.
#[derive(Clone, Copy)]
struct Kept {
    only_left: bool,
    only_right: bool,
    both: bool,
}

fn intersection(context: &Context<'_>, arguments: &[Value]) -> Answer {
    let kept = Kept {
        only_left: false,
        only_right: false,
        both: true,
    };
    of_two(context, arguments, kept)
}

fn union(context: &Context<'_>, arguments: &[Value]) -> Answer {
    let kept = Kept {
        only_left: true,
        only_right: true,
        both: true,
    };
    of_two(context, arguments, kept)
}

/// What is in the first set only.
pub(super) fn difference(context: &Context<'_>, arguments: &[Value]) -> Answer {
    let kept = Kept {
        only_left: true,
        only_right: false,
        both: false,
    };
    of_two(context, arguments, kept)
}

fn of_two(context: &Context<'_>, arguments: &[Value], kept: Kept) -> Answer {
    let left = operand::set(arguments, 0)?;
    let right = operand::set(arguments, 1)?;
    for set in arguments {
        // compared once here, and once where the set is made
        context.budget.pay_value(set)?;
        context.budget.pay_value(set)?;
    }
    Ok(Some(merge(left, right, kept)))
}

fn merge(left: &Arc<Set>, right: &Arc<Set>, kept: Kept) -> Value {
    let mut members = Vec::new();
    let (mut left, mut right) = (left.iter().peekable(), right.iter().peekable());
    loop {
        let order = match (left.peek(), right.peek()) {
            (None, None) => break,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(left), Some(right)) => left.cmp(right),
        };
        let (is_kept, member) = match order {
            Ordering::Less => (kept.only_left, left.next()),
            Ordering::Greater => (kept.only_right, right.next()),
            Ordering::Equal => {
                right.next();
                (kept.both, left.next())
            }
        };
        members.extend(member.filter(|_| is_kept).cloned());
    }
    Value::set(members)
}
