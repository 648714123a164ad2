//! Builtins with large arguments, which cost nothing as they are written: one call, and as many as
//! there is time for.

use super::Case;

/// Calls; the names in capitals stand for the arguments below.
const CALLS: &str = include_str!("calls.txt");

pub(super) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for call in CALLS
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
    {
        let arguments: Vec<String> = arguments()
            .into_iter()
            .filter(|(name, _)| call.contains(name))
            .map(|(name, value)| format!("{name} := {value}"))
            .collect();
        let arguments = arguments.join("\n\n");
        for (often, over) in [("once", "[1]"), ("often", "input.context.list")] {
            let loops = format!("some n in {over}; some m in {over}");
            cases.push(Case::new(
                format!("{often}: {call}"),
                format!("p := [1 | {loops}; _ = [n, m, {call}]]\n\n{arguments}"),
            ));
        }
    }
    cases
}

fn list(count: usize, item: impl Fn(usize) -> String) -> String {
    (0..count).map(item).collect::<Vec<_>>().join(", ")
}

fn arguments() -> Vec<(&'static str, String)> {
    vec![
        ("TEXT", format!("\"{}\"", "a".repeat(100_000))),
        ("WORDS", format!("\"{}\"", "word ".repeat(20_000))),
        ("DIGITS", format!("\"{}\"", "7".repeat(100_000))),
        ("NUMBER", "7".repeat(4_000)),
        ("LONG", "7".repeat(100_000)),
        ("SMALL", format!("0.{}", "7".repeat(4_000))),
        ("LIST", format!("[{}]", list(5_000, |at| at.to_string()))),
        (
            "TEXTS",
            format!("[{}]", list(5_000, |at| format!("\"text {at}\""))),
        ),
        (
            "SET",
            format!("{{{}}}", list(5_000, |at| format!("\"text {at}\""))),
        ),
        (
            "SETS",
            format!(
                "{{{}}}",
                list(500, |at| format!(
                    "{{{}}}",
                    list(10, |n| (at + n).to_string())
                ))
            ),
        ),
        (
            "NETS",
            format!(
                "[{}]",
                list(500, |at| format!("\"10.{}.{}.0/24\"", at / 250, at % 250))
            ),
        ),
        (
            "OBJECT",
            format!("{{{}}}", list(5_000, |at| format!("\"name {at}\": {at}"))),
        ),
        (
            "OBJECTS",
            format!(
                "[{}]",
                list(500, |at| format!("{{\"a\": {{\"k{at}\": {at}}}}}"))
            ),
        ),
        (
            "GRAPH",
            format!(
                "{{{}}}",
                list(200, |at| format!(
                    "{at}: [{}]",
                    list(20, |n| ((at * 7 + n * 11) % 200).to_string())
                ))
            ),
        ),
        (
            "PATHS",
            format!("[{}]", list(1_000, |at| format!("\"name {at}/a/b\""))),
        ),
        ("DEEP", format!("{}1{}", "[".repeat(60), "]".repeat(60))),
        ("DEEPTEXT", format!("\"{}\"", "[".repeat(50_000))),
        (
            "JSONTEXT",
            format!("`[{}]`", list(10_000, |at| format!("{{\"a\":{at}}}"))),
        ),
        (
            "YAMLTEXT",
            format!(
                "`{}`",
                (0..5_000)
                    .map(|at| format!("a{at}: [x, y]\n"))
                    .collect::<String>()
            ),
        ),
        (
            "PATCHES",
            format!(
                "[{}]",
                list(1_000, |at| format!(
                    "{{\"op\": \"add\", \"path\": \"/k{at}\", \"value\": {at}}}"
                ))
            ),
        ),
        (
            "COPIES",
            format!(
                "[{}]",
                list(100, |at| format!(
                    "{{\"op\": \"copy\", \"from\": \"\", \"path\": \"/k{at}\"}}"
                ))
            ),
        ),
        ("BOMB", format!("`{}`", bomb())),
    ]
}

/// A document whose aliases double it with each line.
fn bomb() -> String {
    let lines = (1..30).map(|at| format!("a{at}: &a{at} [*a{0}, *a{0}, *a{0}]\n", at - 1));
    "a0: &a0 [x, x]\n".to_owned() + &lines.collect::<String>()
}
