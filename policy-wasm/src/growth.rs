//! Builtins whose result can be much larger than what a step costs.
//!
//! Forty rules that each join the one before to itself ask for a terabyte in a few hundred steps.
//! So the builtins that copy text are called through a guard that refuses before it allocates.

use regorus::{
    Engine as Interpreter, LimitError, Value,
    unstable::{BUILTINS, Expr, Ref, Source, Span},
};

use crate::input::is_heavier_than;

/// 256 KiB: text and values in one argument of a guarded builtin.
const ARGUMENT_BYTES: usize = 256 * 1024;
/// 1 MiB: longest text that a guarded builtin may make.
const RESULT_BYTES: usize = 1024 * 1024;
/// 65,536: longest array that `array.concat` may make.
const RESULT_ITEMS: usize = 65_536;

/// Builtins that copy their arguments into their result, perhaps more than once.
const GUARDED: [&str; 16] = [
    "array.concat",
    "base64.encode",
    "base64url.encode",
    "base64url.encode_no_pad",
    "concat",
    "glob.quote_meta",
    "hex.encode",
    "json.marshal",
    "json.marshal_with_options",
    "regex.find_n",
    "regex.replace",
    "regex.split",
    "replace",
    "split",
    "sprintf",
    "strings.replace_n",
];

/// Puts the guards between an interpreter and its builtins.
/// `strict`: whether an error of a builtin is an error of the evaluation; otherwise its value is
/// undefined, as in OPA.
pub(crate) fn guard(interpreter: &mut Interpreter, strict: bool) {
    let Ok(source) = Source::from_contents("builtin".to_owned(), " ".to_owned()) else {
        return;
    };
    let span = Span {
        source,
        line: 1,
        col: 1,
        start: 0,
        end: 1,
    };
    for name in GUARDED {
        let Some((builtin, arity)) = BUILTINS.get(name).copied() else {
            continue;
        };
        // The builtins look at their parameters only to say where an error is.
        let parameters: Vec<Ref<Expr>> = (0..arity)
            .map(|_| {
                Ref::new(Expr::Null {
                    span: span.clone(),
                    value: Value::Null,
                    eidx: 0,
                })
            })
            .collect();
        let span = span.clone();
        let guarded = move |arguments: Vec<Value>| {
            if is_too_much(name, &arguments) {
                let limit = u64::try_from(RESULT_BYTES).unwrap_or(u64::MAX);
                let error = LimitError::MemoryLimitExceeded {
                    usage: limit,
                    limit,
                };
                return Err(error.into());
            }
            match builtin(&span, &parameters, &arguments, strict) {
                Err(_) if !strict => Ok(Value::Undefined),
                result => result,
            }
        };
        // A name is guarded once, so there is nothing in the way.
        let _guarded = interpreter.add_extension(name.to_owned(), arity, Box::new(guarded));
    }
}

fn is_too_much(name: &str, arguments: &[Value]) -> bool {
    if name == "array.concat" {
        let items = arguments.iter().map(length_of);
        return items.fold(0, usize::saturating_add) > RESULT_ITEMS;
    }
    let is_heavy = |argument| is_heavier_than(argument, ARGUMENT_BYTES);
    if arguments.iter().any(is_heavy) {
        return true;
    }
    let factors = match (name, arguments) {
        ("concat", [delimiter, parts]) => (length_of(delimiter), length_of(parts)),
        ("replace" | "regex.replace", [text, _, new]) => (length_of(text), length_of(new)),
        ("strings.replace_n", [patterns, text]) => (longest(patterns), length_of(text)),
        _ => return false,
    };
    let (left, right) = factors;
    left.saturating_add(1)
        .saturating_mul(right.saturating_add(1))
        > RESULT_BYTES
}

/// Bytes of a text, items of a collection.
fn length_of(value: &Value) -> usize {
    match value {
        Value::String(text) => text.len(),
        Value::Array(items) => items.len(),
        Value::Set(items) => items.len(),
        Value::Object(members) => members.len(),
        _ => 0,
    }
}

/// The longest value of an object.
fn longest(value: &Value) -> usize {
    match value {
        Value::Object(members) => members.values().map(length_of).max().unwrap_or_default(),
        _ => 0,
    }
}
