//! Calls with arguments made to be slow: each ends within the budget of a request.

use super::{Patterns, fuzz::unpaid};
use crate::value::Value;

/// A quarter of what a request has: the test is not optimised.
const STEPS: u64 = 10_000;

fn text(length: usize) -> Value {
    Value::from("a".repeat(length))
}

fn numbers(count: i64) -> Vec<Value> {
    (0..count).map(Value::from).collect()
}

/// `depth` levels, each twice as large as the one in it.
fn doubling(depth: usize) -> Value {
    let leaf = Value::object(vec![(Value::from("x"), Value::from(1_i64))]);
    (0..depth).fold(leaf, |value, _| {
        let entries = [("x", value.clone()), ("y", value)];
        Value::object(
            entries
                .map(|(key, value)| (Value::from(key), value))
                .to_vec(),
        )
    })
}

fn hostile() -> Vec<Value> {
    let edges = |node: i64| {
        Value::array(
            (0..60)
                .filter(|other| *other != node)
                .map(Value::from)
                .collect(),
        )
    };
    let graph = (0..60)
        .map(|node| (Value::from(node), edges(node)))
        .collect();
    let subsets = (0..300).map(|count| Value::set(numbers(count))).collect();
    let objects = (0..3_000_i64)
        .map(|key| Value::object(vec![(Value::from(key.to_string()), Value::from(key))]));
    let laughs: Vec<String> = (0..29_u32)
        .map(|level| {
            let aliases = vec![format!("*a{level}"); 9].join(", ");
            format!("a{}: &a{0} [{aliases}]\n", level.saturating_add(1))
        })
        .collect();
    let laughs = laughs.concat();
    let operation = |path: &str| {
        let entries = [("op", "add"), ("path", path), ("value", "x")];
        Value::object(
            entries
                .map(|(key, value)| (Value::from(key), Value::from(value)))
                .to_vec(),
        )
    };
    vec![
        text(300_000),
        Value::array(numbers(30_000)),
        Value::set(numbers(30_000)),
        Value::object(
            numbers(10_000)
                .into_iter()
                .map(|key| (key.clone(), key))
                .collect(),
        ),
        doubling(100),
        Value::array(vec![doubling(100), doubling(100)]),
        Value::set(subsets),
        Value::array(objects.collect()),
        Value::object(graph),
        Value::array(numbers(60)),
        Value::array(vec![Value::array(numbers(10_000)); 100]),
        Value::array(
            (0..5_000)
                .map(|index| operation(&format!("/{index}")))
                .collect(),
        ),
        Value::array(vec![operation("/0"); 5_000]),
        Value::from(format!("a0: &a0 x\n{laughs}")),
        Value::from("- ".repeat(100_000)),
        Value::from("[".repeat(100_000)),
        Value::from("{a: ".repeat(50_000)),
        Value::from("&a ".repeat(50_000)),
        Value::from("(a|aa)+$"),
        Value::from("(x*)*".repeat(5_000)),
        Value::from("*a".repeat(2_000)),
        Value::from(r#"{"$ref": "\u0023"}"#),
        Value::from(r#"{"allOf": [{"$ref": "\u0023"}, {"$ref": "\u0023"}]}"#),
        Value::from(r#"{"items": {"anyOf": [{"$ref": "\u0023"}, {"$ref": "\u0023"}]}}"#),
        Value::Number(crate::value::Number::parse(&"9".repeat(100_000)).unwrap()),
        Value::from(-1_i64),
        Value::Null,
    ]
}

const CALLS: &[(&str, usize)] = &[
    ("array.concat", 2),
    ("array.flatten", 1),
    ("array.reverse", 1),
    ("array.slice", 3),
    ("intersection", 1),
    ("union", 1),
    ("object.get", 3),
    ("object.keys", 1),
    ("object.remove", 2),
    ("object.subset", 2),
    ("object.union", 2),
    ("object.union_n", 1),
    ("object.filter", 2),
    ("json.filter", 2),
    ("json.remove", 2),
    ("json.patch", 2),
    ("graph.reachable", 2),
    ("graph.reachable_paths", 2),
    ("regex.match", 2),
    ("regex.is_valid", 1),
    ("regex.find_n", 3),
    ("regex.find_all_string_submatch_n", 3),
    ("regex.replace", 3),
    ("regex.split", 2),
    ("regex.globs_match", 2),
    ("glob.match", 3),
    ("glob.quote_meta", 1),
    ("yaml.marshal", 1),
    ("yaml.unmarshal", 1),
    ("yaml.is_valid", 1),
    ("json.match_schema", 2),
    ("json.verify_schema", 1),
    ("uuid.parse", 1),
];

fn check(patterns: &Patterns, name: &str, arguments: &[Value]) {
    assert_eq!(unpaid(name, arguments, patterns, STEPS), None);
}

#[test]
fn no_call_outlasts_its_budget() {
    let patterns = Patterns::default();
    let values = hostile();
    for (name, count) in CALLS {
        for one in &values {
            if *count == 1 {
                check(&patterns, name, std::slice::from_ref(one));
                continue;
            }
            for other in &values {
                let third = if name.starts_with("glob") {
                    one.clone()
                } else if *name == "regex.replace" {
                    Value::from("$0$0")
                } else {
                    Value::from(-1_i64)
                };
                check(&patterns, name, &[one.clone(), other.clone(), third]);
            }
        }
    }
}
