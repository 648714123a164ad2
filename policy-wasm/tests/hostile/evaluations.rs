//! Evaluations that are deep, or that go through more than they may.

use super::{Case, grown};

/// Rules, each asking the next; `@` stands for the next one's place, `#` for its own.
const CHAINS: &[(&str, &str, &str)] = &[
    ("rules", "c# := c@", "c$ := 1"),
    ("rules with bodies", "c# if {\n\tc@\n}", "c$ := 1"),
    ("negated rules", "c# if not c@", "c$ := 1"),
    ("sets", "c# contains x if some x in c@", "c$ contains 1"),
    ("objects", "c#[k] := v if some k, v in c@", "c$[\"a\"] := 1"),
    (
        "one key of objects",
        "c#[k] := c@[k] if k in [\"a\"]",
        "c$[\"a\"] := 1",
    ),
    ("functions", "c#(x) := c@(x)", "c$(x) := x"),
    ("functions that double", "c#(x) := c@([x, x])", "c$(x) := x"),
    (
        "functions that double texts",
        "c#(x) := c@(concat(\"\", [x, x]))",
        "c$(x) := x",
    ),
    (
        "functions that ask twice",
        "c#(x) := [c@(x), c@([x])]",
        "c$(x) := x",
    ),
    ("comprehensions", "c# := [x | some x in c@]", "c$ := [1]"),
    ("every", "c# if every x in [1] { c@ }", "c$ := 1"),
    ("with", "c# := c@ with input.x as #", "c$ := 1"),
    ("data with", "c# := c@ with data.x as #", "c$ := 1"),
    ("else", "c# := 1 if input.never else := c@", "c$ := 1"),
    ("iterations", "c#[i] := x if some i, x in c@", "c$ := [1]"),
    ("references", "c# := {\"a\": c@}", "c$ := {\"a\": 1}"),
    (
        "the tree of data",
        "c#.x := data.app.authz.c@.x",
        "c$.x := 1",
    ),
    (
        "defaults",
        "default c# := 0\n\nc# := c@ if c@ > 0",
        "c$ := 1",
    ),
];
const LENGTHS: [usize; 3] = [60, 240, 1_000];

pub(super) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for (name, step, last) in CHAINS {
        for length in LENGTHS {
            cases.push(Case::new(
                format!("chain of {length} {name}"),
                chain(step, last, length),
            ));
        }
    }
    for length in [3, 30, 300] {
        let body: Vec<String> = (0..length)
            .map(|at| format!("\tsome x{at} in input.context.list"))
            .collect();
        let rule = format!("p if {{\n{}\n\tx0 < 0\n}}", body.join("\n"));
        cases.push(Case::new(format!("a cross product of {length}"), rule));
        let nested =
            "[1 | some _ in input.context.list; x := ".repeat(length) + "1" + &"]".repeat(length);
        cases.push(Case::new(
            format!("comprehensions in comprehensions, {length} deep"),
            format!("p := {nested}"),
        ));
    }
    let one_by_one = grown(
        "q",
        "o[\"0\"]",
        "{o[k] | some k in input.context.texts; @}",
        3,
    );
    cases.push(Case::new(
        "thousands of keys, one by one",
        format!("p := q3\n\no[k] := count(input.context.list) if k in input.context.texts\n\n{one_by_one}"),
    ));
    cases
}

fn chain(step: &str, last: &str, length: usize) -> String {
    let is_function = step.contains("(x)");
    let first = if is_function {
        "p := c0([1])\n"
    } else {
        "p := c0\n"
    };
    let mut rules = first.to_owned();
    for at in 0..length {
        let rule = step
            .replace('@', &(at + 1).to_string())
            .replace('#', &at.to_string());
        rules.push_str(&rule);
        rules.push('\n');
    }
    rules + &last.replace('$', &length.to_string())
}
