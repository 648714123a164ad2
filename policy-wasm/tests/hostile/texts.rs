//! Texts that are hard to read or to compile.

use super::Case;

/// Nested, or a chain: `first`, then `open` as often as the case says, `middle`, `close` as often.
const NESTED: &[(&str, &str, &str, &str)] = &[
    ("arrays", "[", "1", "]"),
    ("sets", "{", "1", "}"),
    ("objects", "{\"a\": ", "1", "}"),
    ("object keys", "{", "1", ": 1}"),
    ("parentheses", "(", "1", ")"),
    ("calls", "abs(", "1", ")"),
    ("array comprehensions", "[x | x := ", "1", "]"),
    ("set comprehensions", "{x | x := ", "1", "}"),
    ("object comprehensions", "{x: 1 | x := ", "1", "}"),
    ("templates", "$\"{", "1", "}\""),
    ("references", "input.a[", "1", "]"),
    ("sums", "1 + ", "1", ""),
    ("sums to the right", "1 + (", "1", ")"),
    ("unions", "{1} | ", "{2}", ""),
    ("products", "2 * ", "2", ""),
    ("comparisons", "1 == (", "1", ")"),
    ("memberships", "1 in [", "1", "]"),
    ("path", "input", ".a", ""),
];
const DEPTHS: [usize; 4] = [30, 90, 1_000, 30_000];

pub(super) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for (name, open, middle, close) in NESTED {
        for depth in DEPTHS {
            let text = if *name == "path" {
                format!("{open}{}", middle.repeat(depth))
            } else {
                format!("{}{middle}{}", open.repeat(depth), close.repeat(depth))
            };
            cases.push(Case::new(
                format!("{name}, {depth} deep"),
                format!("p := {text}"),
            ));
        }
    }
    for depth in DEPTHS {
        let body = format!(
            "{}true{}",
            "every x in [1] { ".repeat(depth),
            " }".repeat(depth)
        );
        cases.push(Case::new(
            format!("every, {depth} deep"),
            format!("p if {body}"),
        ));
        let not = format!("{}false", "not ".repeat(depth));
        cases.push(Case::new(
            format!("not, {depth} deep"),
            format!("p if {not}"),
        ));
        let with = format!("q{}\n\nq := input", " with input.a as 1".repeat(depth));
        cases.push(Case::new(
            format!("with, {depth} times"),
            format!("p if {with}"),
        ));
        let other = " else := 1 if input.never".repeat(depth);
        cases.push(Case::new(
            format!("else, {depth} times"),
            format!("p := 1 if input.never{other} else := 2"),
        ));
    }
    cases.extend(long());
    cases
}

/// What is long, and not nested.
fn long() -> Vec<Case> {
    let lines = |count: usize, line: &dyn Fn(usize) -> String| {
        (0..count).map(line).collect::<Vec<_>>().join("\n")
    };
    let body = |inner: String| format!("p if {{\n{inner}\n}}");
    vec![
        Case::new("a long text", format!("p := \"{}\"", "x".repeat(500_000))),
        Case::new("a long number", format!("p := {} + 1", "9".repeat(300_000))),
        Case::new(
            "a long name",
            format!("p := {0}\n{0} := 1", "x".repeat(200_000)),
        ),
        Case::new(
            "a body whose lines each need the next",
            body(lines(1_000, &|at| format!("x{at} = x{} + 1", at + 1)) + "\nx1000 = 1"),
        ),
        Case::new(
            "a body of lines that each bind",
            body("x0 = 1\n".to_owned() + &lines(5_000, &|at| format!("x{} = x{at} + 1", at + 1))),
        ),
        Case::new(
            "a body of equal lines",
            body(lines(20_000, &|_| "input.context".to_owned())),
        ),
        Case::new(
            "many definitions of one rule",
            lines(5_000, &|at| {
                format!("p := 1 if input.context.list[{at}] == {at}")
            }),
        ),
        Case::new(
            "many members of one set",
            lines(5_000, &|at| format!("p contains {at}")),
        ),
        Case::new(
            "many keys of one object",
            lines(5_000, &|at| format!("p[\"k{at}\"] := {at}")),
        ),
        Case::new(
            "many rules",
            lines(10_000, &|at| format!("r{at} := {at}")) + "\np := r9999",
        ),
        Case::new(
            "rules at long paths",
            lines(2_000, &|at| format!("a{at}{} := 1", ".b".repeat(20))) + "\np := data.app.authz",
        ),
        Case::new(
            "a pattern with many variables",
            format!(
                "p if [{0}] = input.context.list",
                (0..1000)
                    .map(|at| format!("v{at}"))
                    .collect::<Vec<_>>()
                    .join(", ")
            ),
        ),
        Case::new(
            "variables that wait for each other",
            body(
                lines(300, &|at| {
                    format!("[a{at}, b{at}] = [b{}, a{}]", at + 1, at + 1)
                }) + "\na300 = 1; b300 = 2",
            ),
        ),
        Case::new(
            "terms that wait on every level",
            format!(
                "p if {{\nx = {}y{}\ny = 1\n}}",
                "[1, [input.context.list[_], ".repeat(30),
                "]]".repeat(30)
            ),
        ),
        Case::new(
            "terms that bind on every level, the last first",
            format!(
                "p if x = {}[{}]{}",
                (0..40)
                    .map(|at| format!("[input.context.list[v{at}], "))
                    .collect::<String>(),
                (0..40)
                    .rev()
                    .map(|at| format!("v{at}"))
                    .collect::<Vec<_>>()
                    .join(", "),
                "]".repeat(40)
            ),
        ),
        Case::new(
            "terms that wait for what comes last",
            format!(
                "p if x = {}[{}]{}",
                "[".repeat(40),
                (0..40)
                    .map(|at| format!("v{at}"))
                    .collect::<Vec<_>>()
                    .join(", "),
                (0..40)
                    .rev()
                    .map(|at| format!(", input.context.list[v{at}]]"))
                    .collect::<String>()
            ),
        ),
        Case::new("unbalanced", "p := ".to_owned() + &"[{(".repeat(10_000)),
        Case::new(
            "no end of a text",
            "p := \"".to_owned() + &"\\u0041".repeat(10_000),
        ),
        Case::new("comments", "p := 1\n".to_owned() + &"#\n".repeat(100_000)),
        Case::new(
            "some names",
            format!(
                "p if {{ some {}; true }}",
                (0..5000)
                    .map(|at| format!("v{at}"))
                    .collect::<Vec<_>>()
                    .join(", ")
            ),
        ),
    ]
}
