//! Arguments that would take long if nobody paid for them, and what is no text.

use super::{Context, Patterns, find, fuzz::unpaid};
use crate::{budget::Budget, value::Value};

/// Steps of a whole evaluation.
const STEPS: u64 = 40_000;

fn call(name: &str, arguments: &[Value]) -> String {
    let budget = Budget::new(STEPS);
    let context = Context {
        budget: &budget,
        now_ns: 0,
        patterns: &Patterns::default(),
    };
    let builtin = find(name).unwrap_or_else(|| panic!("{name}"));
    match (builtin.call)(&context, arguments) {
        // one that doubles is too long to write
        Ok(Some(value)) if value.size().weight > 10_000 => "large".to_owned(),
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

type Calls = Vec<(&'static str, Vec<Value>)>;

/// Each ends, and none makes what it did not pay for.
fn all_pay(calls: &Calls) {
    let patterns = Patterns::default();
    for (name, arguments) in calls {
        assert_eq!(unpaid(name, arguments, &patterns, STEPS), None);
    }
}

/// Numbers that are long, written out or not.
fn numbers() -> [Value; 4] {
    let tiny = format!("0.{}1", "0".repeat(1_600));
    [&"7".repeat(4_000), &tiny, &"7".repeat(1_000_000), "1e4000"].map(json)
}

/// A value that is large by sharing its parts, and one that nests keys in keys.
fn shared() -> (Value, Value) {
    let (mut doubled, mut keys) = (json("[1]"), json("\"\\\"\""));
    for _ in 0..100 {
        doubled = Value::array(vec![doubled.clone(), doubled]);
        keys = Value::object(vec![(keys, Value::Null)]);
    }
    (doubled, keys)
}

fn integers() -> Value {
    Value::array((0..100_000_i64).map(Value::from).collect())
}

#[test]
fn numbers_that_are_long_take_no_longer_than_their_steps() {
    const OF_ONE: [&str; 6] = ["abs", "round", "ceil", "floor", "bits.negate", "to_number"];
    const OF_TWO: &str = "plus minus mul div rem lt equal bits.and bits.lsh bits.rsh numbers.range";
    let mut calls: Calls = Vec::new();
    for number in numbers() {
        calls.extend(OF_ONE.map(|name| (name, vec![number.clone()])));
        for other in numbers() {
            let arguments = vec![number.clone(), other];
            calls.extend(OF_TWO.split(' ').map(|name| (name, arguments.clone())));
        }
        let copies = Value::array(vec![number.clone(); 20_000]);
        let group = [number.clone(), json("1"), json("-1")];
        let in_turn = Value::array(group.iter().cycle().take(9_000).cloned().collect());
        for name in ["sum", "product", "sort", "max", "min", "count"] {
            calls.push((name, vec![copies.clone()]));
            calls.push((name, vec![in_turn.clone()]));
        }
        let formatted = Value::array(vec![number.clone(); 4]);
        calls.push(("sprintf", vec![text("%x %d %v %b"), formatted]));
        calls.push(("format_int", vec![number, json("2")]));
    }
    let stepped = ["1e400", "-1e400", "1e399"].map(json).to_vec();
    calls.push(("numbers.range_step", stepped));
    calls.push(("numbers.range", vec![json("0"), json("1e400")]));
    calls.push(("bits.lsh", vec![json("1"), json("1000000000000")]));
    all_pay(&calls);
}

#[test]
fn formats_that_are_long_take_no_longer_than_their_steps() {
    let formats = [
        "%[1]v".repeat(20_000),
        "%1000000d".repeat(1_000),
        "%.1000000f".repeat(1_000),
        "%[1]q".repeat(1_000),
    ];
    let [huge, ..] = numbers();
    let values = [
        text("a".repeat(1 << 20)),
        integers(),
        shared().0,
        huge,
        json("0.5"),
    ];
    let mut calls: Calls = Vec::new();
    for format in formats {
        for value in &values {
            let values = Value::array(vec![value.clone()]);
            calls.push(("sprintf", vec![text(format.clone()), values]));
        }
    }
    all_pay(&calls);
}

#[test]
fn values_that_are_large_take_no_longer_than_their_steps() {
    const OF_ONE: &str = "count sum product max min sort all any lower upper strings.reverse \
        trim_space units.parse units.parse_bytes to_number semver.is_valid json.marshal \
        json.unmarshal json.is_valid base64.encode base64.decode base64url.decode hex.encode \
        hex.decode urlquery.encode urlquery.decode urlquery.decode_object \
        urlquery.encode_object internal.template_string cast_array cast_set type_name";
    const OF_TWO: &str = "equal lt contains startswith endswith split indexof indexof_n \
        strings.count trim trim_left trim_right trim_prefix trim_suffix concat \
        strings.any_prefix_match strings.any_suffix_match strings.replace_n \
        internal.member_2 semver.compare and or minus";
    let name = |number: i32| text(format!("{}{number}", "a".repeat(60)));
    let pair = |number: i32| (text(format!("{}{number}", "a".repeat(300))), text("b"));
    let long = text("a".repeat(1 << 20));
    let names = Value::array((0..20_000).map(name).collect());
    let pairs = Value::object((0..2_000).map(pair).collect());
    let (doubled, keys) = shared();
    let dots = text(".".repeat(100_000));
    let values = [
        long.clone(),
        dots,
        integers(),
        names,
        pairs,
        doubled,
        keys,
        text(""),
        text("a"),
    ];
    let indent = Value::object(vec![(text("indent"), long.clone())]);
    let mut calls: Calls = Vec::new();
    for value in &values {
        calls.extend(OF_ONE.split(' ').map(|name| (name, vec![value.clone()])));
        let parts = Value::array(vec![Value::set(vec![value.clone()]); 100]);
        calls.push(("internal.template_string", vec![parts]));
        calls.push((
            "json.marshal_with_options",
            vec![value.clone(), indent.clone()],
        ));
        for other in &values {
            let arguments = vec![value.clone(), other.clone()];
            calls.extend(OF_TWO.split(' ').map(|name| (name, arguments.clone())));
            for third in [&long, &text("")] {
                calls.push(("replace", vec![value.clone(), other.clone(), third.clone()]));
            }
        }
    }
    all_pay(&calls);
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
