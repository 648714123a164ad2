//! Every builtin with arguments of every kind: it ends, within its budget, and has paid for what it makes.

use proptest::{prelude::*, sample::Index};

use super::{Builtin, CallError, Context, Patterns, TABLES, find, parameters};
use crate::{
    budget::Budget,
    front::{constant, parse_term},
    value::{Number, Value},
};

/// Calls that OPA was asked: a name and arguments, in tabs.
const RECORDED: &[&str] = &[
    include_str!("../../conformance/calls/aggregates.txt"),
    include_str!("../../conformance/calls/arrays.txt"),
    include_str!("../../conformance/calls/bits.txt"),
    include_str!("../../conformance/calls/comparison.txt"),
    include_str!("../../conformance/calls/crypto.txt"),
    include_str!("../../conformance/calls/encoding.txt"),
    include_str!("../../conformance/calls/glob.txt"),
    include_str!("../../conformance/calls/graph.txt"),
    include_str!("../../conformance/calls/json.txt"),
    include_str!("../../conformance/calls/json_paths.txt"),
    include_str!("../../conformance/calls/json_schema.txt"),
    include_str!("../../conformance/calls/net.txt"),
    include_str!("../../conformance/calls/numbers.txt"),
    include_str!("../../conformance/calls/objects.txt"),
    include_str!("../../conformance/calls/regex.txt"),
    include_str!("../../conformance/calls/semver.txt"),
    include_str!("../../conformance/calls/sets.txt"),
    include_str!("../../conformance/calls/sprintf.txt"),
    include_str!("../../conformance/calls/strings.txt"),
    include_str!("../../conformance/calls/templates.txt"),
    include_str!("../../conformance/calls/time.txt"),
    include_str!("../../conformance/calls/types.txt"),
    include_str!("../../conformance/calls/units.txt"),
    include_str!("../../conformance/calls/uuid.txt"),
    include_str!("../../conformance/calls/x509.txt"),
    include_str!("../../conformance/calls/yaml.txt"),
];
/// Small, so that many arguments are more than it pays for.
const STEPS: u64 = 2_000;
/// 32: bytes that a step pays for.
const BYTES_PER_STEP: u64 = 32;
/// 8: a value may weigh more than what was paid for it, as its parts do that are there already.
const FACTOR: u64 = 8;

fn recorded() -> Vec<(&'static str, Vec<&'static str>)> {
    let lines = RECORDED.iter().flat_map(|text| text.lines());
    lines
        .filter_map(|line| {
            let mut parts = line.split('\t');
            Some((parts.next()?, parts.collect()))
        })
        .collect()
}

/// An argument, before it is known which builtin it is for.
#[derive(Debug, Clone)]
enum Argument {
    /// As the builtin has it in some recorded call, at the same place.
    Usual(Index),
    /// As any builtin has it.
    Other(Index),
    Any(Value),
}

fn number() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        "-?[1-9][0-9]{0,3}",
        "-?[1-9][0-9]{15,40}",
        "-?0\\.[0-9]{1,40}",
        "-?[1-9](\\.[0-9]{1,20})?e-?[0-9]{1,4}",
        Just("9".repeat(5_000)),
        Just("1e30000".to_owned()),
        Just("1e-30000".to_owned()),
    ];
    text.prop_map(|text| Number::parse(&text).map_or(Value::Null, Value::Number))
}

fn value() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        ".{0,12}".prop_map(Value::from),
        "[a-c./:*{}()\\[\\]|+%$\\\\-]{0,16}".prop_map(Value::from),
        ("[a-z\\[\"%(é]", 1_usize..60_000)
            .prop_map(|(text, times)| Value::from(text.repeat(times))),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        number(),
        text,
    ];
    let nested = leaf.prop_recursive(4, 64, 8, |inner| {
        let many = proptest::collection::vec(inner.clone(), 0..8);
        prop_oneof![
            many.clone().prop_map(Value::array),
            many.prop_map(Value::set),
            proptest::collection::vec((inner.clone(), inner.clone()), 0..6).prop_map(Value::object),
            (inner, 1_usize..3_000).prop_map(|(item, times)| Value::array(vec![item; times])),
        ]
    });
    // each level shares what is below it
    (nested, 0..30_u32).prop_map(|(value, doubled)| {
        let doubled = doubled.saturating_sub(20);
        (0..doubled).fold(value, |value, _| Value::array(vec![value.clone(), value]))
    })
}

fn argument() -> impl Strategy<Value = Argument> {
    prop_oneof![
        3 => any::<Index>().prop_map(Argument::Usual),
        1 => any::<Index>().prop_map(Argument::Other),
        2 => value().prop_map(Argument::Any),
    ]
}

fn given(builtin: &Builtin, place: usize, argument: &Argument) -> Value {
    let calls = recorded();
    let read = |text: &str| {
        parse_term(text)
            .ok()
            .as_ref()
            .and_then(constant)
            .unwrap_or(Value::Null)
    };
    match argument {
        Argument::Any(value) => value.clone(),
        Argument::Other(index) => {
            let (_, arguments) = index.get(&calls);
            arguments.first().map_or(Value::Null, |text| read(text))
        }
        Argument::Usual(index) => {
            let usual = calls.iter().filter(|(name, _)| *name == builtin.name);
            let usual: Vec<&str> = usual
                .filter_map(|(_, all)| all.get(place).copied())
                .collect();
            if usual.is_empty() {
                return Value::Null;
            }
            let text: &&str = index.get(&usual);
            read(text)
        }
    }
}

/// What a call makes or says beyond what it paid for; `None`: nothing.
pub(super) fn unpaid(
    name: &str,
    arguments: &[Value],
    patterns: &Patterns,
    steps: u64,
) -> Option<String> {
    let budget = Budget::new(steps);
    let context = Context {
        budget: &budget,
        now_ns: 0,
        patterns,
    };
    let result = (find(name)?.call)(&context, arguments);
    let weight = arguments.iter().fold(1_024_u64, |sum, argument| {
        sum.saturating_add(argument.size().weight)
    });
    let paid = budget.spent().saturating_mul(BYTES_PER_STEP);
    let (made, most) = match &result {
        Ok(Some(value)) => (
            value.size().weight,
            paid.saturating_mul(FACTOR)
                .saturating_add(weight.saturating_mul(2)),
        ),
        Ok(None) | Err(CallError::Exhausted(_)) => return None,
        Err(CallError::Type(why) | CallError::Builtin(why) | CallError::Conflict(why)) => (
            u64::try_from(why.len()).unwrap_or(u64::MAX),
            weight
                .saturating_mul(4)
                .saturating_add(steps.saturating_mul(BYTES_PER_STEP)),
        ),
    };
    (made > most).then(|| format!("{name} made {made} bytes and paid for {paid}"))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn a_builtin_ends_and_has_paid_for_what_it_makes(
        index in any::<Index>(),
        arguments in proptest::collection::vec(argument(), 4),
    ) {
        let builtins: Vec<&Builtin> = TABLES.iter().copied().flatten().collect();
        let builtin = index.get(&builtins);
        let count = parameters(builtin.name).unwrap_or_default();
        let arguments: Vec<Value> = arguments.iter().take(count).enumerate()
            .map(|(place, argument)| given(builtin, place, argument)).collect();
        let unpaid = unpaid(builtin.name, &arguments, &Patterns::default(), STEPS);
        prop_assert!(unpaid.is_none(), "{}", unpaid.unwrap_or_default());
    }
}
