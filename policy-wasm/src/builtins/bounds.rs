//! Arguments that would take long if nobody paid for them, and what is no text.

use std::time::{Duration, Instant};

use super::{Context, Patterns, find};
use crate::{budget::Budget, value::Value};

/// Steps of a whole evaluation.
const STEPS: u64 = 40_000;
/// 1 s: far more than 40,000 steps take without optimisation, far less than what isn't bounded.
const LONGEST: Duration = Duration::from_secs(1);

fn call(name: &str, arguments: &[Value]) -> String {
    let budget = Budget::new(STEPS);
    let context = Context {
        budget: &budget,
        now_ns: 0,
        patterns: &Patterns::default(),
    };
    let builtin = find(name).unwrap_or_else(|| panic!("{name}"));
    match (builtin.call)(&context, arguments) {
        Ok(Some(value)) => value.to_string(),
        Ok(None) => "undefined".to_owned(),
        Err(error) => format!("! {error}"),
    }
}

fn text(text: impl Into<String>) -> Value {
    Value::from(text.into())
}

fn json(text: &str) -> Value {
    Value::from_json_text(text).unwrap()
}

#[test]
fn no_call_takes_longer_than_its_steps() {
    let long = text("a".repeat(1 << 20));
    let dots = text(".".repeat(100_000));
    let many = Value::array((0..100_000_i64).map(Value::from).collect());
    let names = Value::array(
        (0..20_000)
            .map(|n| text(format!("{}{n}", "a".repeat(60))))
            .collect(),
    );
    let pairs = (0..2_000).map(|n| (text(format!("{}{n}", "a".repeat(300))), text("b")));
    let pairs = Value::object(pairs.collect());
    let huge = json(&"7".repeat(4_000));
    let tiny = json(&format!("0.{}1", "0".repeat(1_600)));
    let endless = json(&"7".repeat(1_000_000));
    let large = json("1e4000");
    let mut doubled = json("[1]");
    let mut keys = json("\"\\\"\"");
    for _ in 0..100 {
        doubled = Value::array(vec![doubled.clone(), doubled]);
        keys = Value::object(vec![(keys, Value::Null)]);
    }
    let numbers = [&huge, &tiny, &endless, &large];
    let mut calls: Vec<(&str, Vec<Value>)> = Vec::new();
    for number in numbers {
        for name in ["abs", "round", "ceil", "floor", "bits.negate", "to_number"] {
            calls.push((name, vec![number.clone()]));
        }
        for other in numbers {
            for name in [
                "plus",
                "minus",
                "mul",
                "div",
                "rem",
                "lt",
                "equal",
                "bits.and",
                "bits.lsh",
                "bits.rsh",
                "numbers.range",
            ] {
                calls.push((name, vec![number.clone(), other.clone()]));
            }
        }
        let copies = Value::array(vec![number.clone(); 20_000]);
        let three = [number.clone(), Value::from(1_i64), Value::from(-1_i64)];
        let copied = Value::array(three.into_iter().cycle().take(9_000).collect());
        for name in ["sum", "product", "sort", "max", "min", "count"] {
            calls.push((name, vec![copies.clone()]));
            calls.push((name, vec![copied.clone()]));
        }
        calls.push(("format_int", vec![number.clone(), Value::from(2_i64)]));
        calls.push((
            "sprintf",
            vec![text("%x %d %v %b"), Value::array(vec![number.clone(); 4])],
        ));
    }
    for format in [
        "%[1]v".repeat(20_000),
        "%1000000d".repeat(1_000),
        "%.1000000f".repeat(1_000),
        "%[1]q".repeat(1_000),
    ] {
        for value in [&long, &many, &doubled, &huge, &json("0.5")] {
            calls.push((
                "sprintf",
                vec![text(format.clone()), Value::array(vec![value.clone()])],
            ));
        }
    }
    for value in [&long, &dots, &many, &names, &pairs, &doubled, &keys] {
        for name in [
            "count",
            "sum",
            "product",
            "max",
            "min",
            "sort",
            "all",
            "any",
            "lower",
            "upper",
            "strings.reverse",
            "trim_space",
            "units.parse",
            "units.parse_bytes",
            "to_number",
            "semver.is_valid",
            "json.marshal",
            "json.unmarshal",
            "json.is_valid",
            "base64.encode",
            "base64.decode",
            "base64url.decode",
            "hex.encode",
            "hex.decode",
            "urlquery.encode",
            "urlquery.decode",
            "urlquery.decode_object",
            "urlquery.encode_object",
            "internal.template_string",
            "cast_array",
            "cast_set",
            "type_name",
        ] {
            calls.push((name, vec![value.clone()]));
        }
        calls.push((
            "internal.template_string",
            vec![Value::array(vec![Value::set(vec![value.clone()]); 100])],
        ));
        calls.push((
            "json.marshal_with_options",
            vec![
                value.clone(),
                Value::object(vec![(text("indent"), long.clone())]),
            ],
        ));
        for other in [
            &long,
            &dots,
            &many,
            &names,
            &pairs,
            &doubled,
            &text(""),
            &text("a"),
        ] {
            for name in [
                "equal",
                "lt",
                "contains",
                "startswith",
                "endswith",
                "split",
                "indexof",
                "indexof_n",
                "strings.count",
                "trim",
                "trim_left",
                "trim_right",
                "trim_prefix",
                "trim_suffix",
                "concat",
                "strings.any_prefix_match",
                "strings.any_suffix_match",
                "strings.replace_n",
                "internal.member_2",
                "semver.compare",
                "and",
                "or",
                "minus",
            ] {
                calls.push((name, vec![value.clone(), other.clone()]));
            }
            for third in [&long, &text("")] {
                calls.push(("replace", vec![value.clone(), other.clone(), third.clone()]));
            }
        }
    }
    calls.push(("numbers.range", vec![json("0"), json("1e400")]));
    calls.push((
        "numbers.range_step",
        vec![json("1e400"), json("-1e400"), json("1e399")],
    ));
    calls.push(("bits.lsh", vec![json("1"), json("1000000000000")]));
    for (name, arguments) in &calls {
        let start = Instant::now();
        let found = call(name, arguments);
        let took = start.elapsed();
        assert!(took < LONGEST, "{name} took {took:?}: {found:.100}");
    }
}

#[test]
fn bytes_that_are_no_text_are_replaced_one_by_one() {
    for (name, argument, wanted) in [
        ("base64.decode", "a/+/", "\"k\u{fffd}\u{fffd}\""),
        ("base64.decode", "4oIh", "\"\u{fffd}\u{fffd}!\""),
        ("base64url.decode", "_w", "\"\u{fffd}\""),
        ("hex.decode", "e28261", "\"\u{fffd}\u{fffd}a\""),
        ("urlquery.decode", "%e2%82x", "\"\u{fffd}\u{fffd}x\""),
        ("urlquery.decode_object", "a=%ff", "{\"a\": [\"\u{fffd}\"]}"),
    ] {
        assert_eq!(call(name, &[text(argument)]), wanted, "{name} {argument}");
    }
    let inserted = call("replace", &[text("aé"), text(""), text("-")]);
    assert_eq!(inserted, "\"-a-\u{fffd}-\u{fffd}-\"");
}

#[test]
fn numbers_become_such_that_json_has() {
    for (argument, wanted) in [
        ("+5", "5"),
        ("007", "7"),
        ("5.", "5"),
        (".5", "0.5"),
        ("-.5e1", "-0.5e1"),
        ("1_000", "1000"),
        ("-00.10", "-0.10"),
        ("+0", "0"),
    ] {
        assert_eq!(call("to_number", &[text(argument)]), wanted, "{argument}");
    }
    for argument in ["1__0", "_1", "1_", "1_.5", "0x10", "+-1", "."] {
        assert!(
            call("to_number", &[text(argument)]).starts_with("! "),
            "{argument}"
        );
    }
}
