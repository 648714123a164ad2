//! The parser against OPA's own cases, and against any text.

use proptest::prelude::*;

use super::parser::parse;
use crate::{conformance, plan, value::Value};

/// OPA 1.22.4 parses every one of them.
#[test]
fn every_module_of_opas_cases_is_read() {
    let Some(modules) = conformance::modules() else {
        return;
    };
    let wrong: Vec<String> = modules
        .iter()
        .filter_map(|(name, text)| Some(format!("{name}: {}\n{text}", parse(text).err()?)))
        .collect();
    assert!(wrong.is_empty(), "{}\n{}", wrong.join("\n"), wrong.len());
}

/// Less than a Worker's stack.
const STACK_BYTES: usize = 1 << 20;

/// What nests as deep as it may is read and compiled on a Worker's stack; what nests deeper
/// is refused there.
#[test]
fn the_deepest_module_fits_a_workers_stack() {
    let shapes = [
        ("[", "1", "]"),
        ("{\"a\": ", "1", "}"),
        ("[x | x := ", "1", "]"),
        ("f(", "1", ")"),
        ("a[", "1", "]"),
        ("(", "1", ")"),
        ("1 + ", "1", ""),
        ("-", "a", ""),
        ("$\"{", "1", "}\""),
        ("{1 | every x in [1] { not 2 == ", "1", "}}"),
    ];
    let work = move || {
        for (open, inner, close) in shapes {
            let mut was_read = false;
            for depth in [10, 20, 40, 60, 90, 150, 199, 1_000, 20_000] {
                let (open, close) = (open.repeat(depth), close.repeat(depth));
                let text = format!("package a\np := {open}{inner}{close}");
                let Ok(module) = parse(&text) else { continue };
                assert!(depth < 1_000, "{text}");
                let _plan = plan::compile(&[("a.rego", &module)], &Value::empty_object());
                was_read = true;
            }
            assert!(was_read || open == "-", "{open}");
        }
    };
    let thread = std::thread::Builder::new().stack_size(STACK_BYTES);
    thread.spawn(work).unwrap().join().unwrap();
}

fn words() -> impl Strategy<Value = String> {
    let words = prop::sample::select(vec![
        "package", "import", "default", "if", "else", "not", "some", "every", "in", "with", "as",
        "contains", "true", "a", "b", "_", "input", "data", "set", "1", "0.5", "-", "\"t\"", "`r`",
        "$\"{", "}\"", "(", ")", "[", "]", "{", "}", ",", ".", ":", ":=", "=", "==", "<", "|", "&",
        "+", "*", ";", "\n", " ", "#c\n",
    ]);
    prop::collection::vec(words, 0..40).prop_map(|words| words.concat())
}

proptest! {
    /// Whatever the text, there is a tree or an error; and a tree is compiled or refused.
    #[test]
    fn any_text_is_read_or_refused(
        body in words(), any in ".{0,40}",
    ) {
        for text in [
            format!("package a\n{body}"),
            format!("package a\np if {{ {body} }}"),
            format!("package a\np := {body}"),
            body.clone(),
            any.clone(),
        ] {
            let Ok(module) = parse(&text) else { continue };
            let _plan = plan::compile(&[("a.rego", &module)], &Value::empty_object());
        }
    }
}

#[test]
fn a_mark_of_the_byte_order_is_no_part_of_a_module() {
    let module = parse("\u{feff}package a\n\nx := 1\n").unwrap();
    assert_eq!(module, parse("package a\n\nx := 1\n").unwrap());
    assert!(parse("package a\n\n\u{feff}x := 1\n").is_err());
}
