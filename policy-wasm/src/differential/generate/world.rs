//! What policies are asked about.

/// Packages, each with the name under which `import` knows it.
pub(super) const PACKAGES: [(&str, &str); 4] = [
    ("t", "t"),
    ("lib", "lib"),
    ("lib.sub", "sub"),
    ("lib.sub.deep", "deep"),
];

pub(super) const INPUTS: &[&str] = &[
    r"{}",
    r#"{"a": 1}"#,
    r#"{"a": false, "b": "x"}"#,
    r#"{"a": {"b": 1, "c": [1, 2]}, "list": [1, 2, 3], "o": {"k": 1, "b": 2}}"#,
    r#"{"list": [], "a": null, "b": {"a": true}, "o": {}}"#,
    r#"{"a": "x", "b": "y", "list": ["x", "y", "k"], "o": {"x": 1, "y": false, "k": "x"}}"#,
    r#"{"list": [{"a": 1}, {"b": 2}, {"a": false}], "a": 2, "o": {"x": {"a": 1}, "k": {"a": 1}}}"#,
    r#"{"a": [1, 1.0, 2.5], "b": 1, "list": [1.0, 1, 0, -1, 1e2], "o": {"1": 2, "a": [3]}}"#,
    r#"{"a": [], "list": [[1, 2], [2, 1], ["k", "x"]], "o": {"x": [1], "y": {"x": 1}}, "b": {"x": 1}}"#,
    r#"{"a": 12345678901234567890, "b": 0.1, "list": [3, 1, 2, 1], "o": {"x": true, "y": null}}"#,
    r#"[1, {"a": 2}]"#,
    r#""x""#,
];

pub(super) const DATA: &[&str] = &[
    r"{}",
    r#"{"d": {"a": 1, "b": [1, 2, {"a": 2}], "c": {"x": true, "y": false}}}"#,
    r#"{"d": {"a": "x", "b": ["x", "y"], "c": {"k": ["x"], "x": []}}, "lib": {"base": {"x": 1}}}"#,
    r#"{"d": {"a": {"b": 1}, "b": [], "c": {}}, "lib": {"sub": {"base": [1]}, "base": false}}"#,
    r#"{"d": {"b": [[1, 2], [2, 3]], "c": {"1": 2, "x": {"y": 1}}, "a": null}, "t": {"base": 7}}"#,
    r#"{"d": [1, {"a": "x"}], "lib": {"sub": {"deep": {"x": 1}}}}"#,
];

/// References into the input; the first ones can be gone through.
pub(super) const IN_INPUT: &[&str] = &[
    "input.list",
    "input.list",
    "input.o",
    "input.o",
    "input.a",
    "input.b",
    "input",
    "input.a.c",
    "input.o.x",
    "input.a",
    "input.a",
    "input.b",
    "input.b",
    "input.a.b",
    "input.list[0]",
    "input.list[1].a",
    "input.missing",
    "input.o.x.a",
    "input.a.c[1]",
    "input.o[input.b]",
    "input[\"a\"]",
    "input.o[\"1\"]",
    "input.list[1.0]",
];

/// References into the data; the first ones can be gone through.
pub(super) const IN_DATA: &[&str] = &[
    "data.d.b",
    "data.d.c",
    "data.d",
    "data.lib.base",
    "data.d.c.k",
    "data.d.a",
    "data.d.a",
    "data.d.b[0]",
    "data.d.b[2].a",
    "data.d.c.x",
    "data.d.missing",
    "data.missing",
    "data.d.c[input.b]",
    "data.lib.sub.base",
    "data.t.base",
    "data.d[1]",
    "data.d[\"a\"].b",
    "data.d.c[1]",
];

pub(super) const CONSTANTS: &[&str] = &[
    "0",
    "1",
    "1",
    "2",
    "3",
    "-1",
    "1.0",
    "2.5",
    "1e2",
    "12345678901234567890",
    "0.1",
    "\"\"",
    "\"x\"",
    "\"x\"",
    "\"y\"",
    "\"k\"",
    "\"a b\"",
    "true",
    "false",
    "null",
    "[]",
    "{}",
    "set()",
    "[1, 2]",
    "{1, 2}",
    "{\"a\": 1}",
    "{\"x\": 1, \"y\": 2}",
    "{1: \"x\"}",
    "{[1]: {2}}",
];
