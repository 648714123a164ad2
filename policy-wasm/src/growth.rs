//! Builtins whose work or result can be much larger than what a step costs.
//!
//! Forty rules that each join the one before to itself ask for a terabyte in a few hundred steps,
//! and a loop that appends to a long array keeps a copy of it each time. So the builtins that read
//! or copy much are called through a guard: it refuses before it allocates, and takes what the call
//! costs from the evaluation's steps, the same on every machine.

use std::collections::BTreeSet;

use regorus::{
    Engine as Interpreter, LimitError, Value,
    unstable::{BUILTINS, Expr, Module, Ref, Source, Span},
};

use crate::{
    input::weight_of,
    steps,
    syntax::{Visit, path_of, walk},
};

/// 256 KiB: text and values in one argument of a guarded builtin.
const ARGUMENT_BYTES: usize = 256 * 1024;
/// 1 MiB: longest text that a guarded builtin may make.
const RESULT_BYTES: usize = 1024 * 1024;
/// 65,536: longest array that `array.concat` may make.
const RESULT_ITEMS: usize = 65_536;
/// 4 KiB: numbers whose product is as long as all of them together, and as slow as its square.
const PRODUCT_BYTES: usize = 4 * 1024;
/// 1 KiB: digits of a number; reading them is quadratic.
const NUMBER_BYTES: usize = 1024;
/// 4 MiB: a result that weighs more has cost every step there is.
const WEIGHED_BYTES: usize = 4 * 1024 * 1024;
/// 1,024: names in all paths of one `json.patch`. It is the one builtin that nests its result deeper
/// than its arguments, by as much as its paths are long.
const PATCH_NAMES: usize = 1_024;
/// 64: weight that a step pays for. A value weighs 8 and takes up to 64 bytes of memory, so a step
/// stands for at most 512, and the default budget for 20 MiB (statement Z8).
const WEIGHT_PER_STEP: usize = 64;
/// 300: a regular expression is compiled anew at every call, which takes as long as 300 steps.
const REGEX_STEPS: u64 = 300;
/// 100: the same for a glob.
const GLOB_STEPS: u64 = 100;

/// What of a builtin's arguments and result counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cost {
    /// Reads its arguments whole; all of its result is new.
    Text,
    /// The same, after compiling a pattern, which takes these steps.
    Pattern(u64),
    /// Reads its arguments whole; its result shares their parts.
    Tree,
    /// Copies the outermost level of its arguments.
    List,
    /// Reads and makes no more than a step pays for.
    Step,
}

/// Builtins that read or copy their arguments, perhaps more than once.
const GUARDED: [(&str, Cost); 61] = [
    ("array.concat", Cost::List),
    ("array.reverse", Cost::List),
    ("array.slice", Cost::List),
    ("base64.decode", Cost::Text),
    ("base64.encode", Cost::Text),
    ("base64.is_valid", Cost::Text),
    ("base64url.decode", Cost::Text),
    ("base64url.encode", Cost::Text),
    ("base64url.encode_no_pad", Cost::Text),
    ("concat", Cost::Text),
    ("contains", Cost::Text),
    ("format_int", Cost::Text),
    ("glob.match", Cost::Pattern(GLOB_STEPS)),
    ("glob.quote_meta", Cost::Text),
    ("graph.reachable", Cost::List),
    ("hex.decode", Cost::Text),
    ("hex.encode", Cost::Text),
    ("indexof", Cost::Text),
    ("indexof_n", Cost::Text),
    ("intersection", Cost::Tree),
    ("json.filter", Cost::Tree),
    ("json.is_valid", Cost::Text),
    ("json.marshal", Cost::Text),
    ("json.marshal_with_options", Cost::Text),
    ("json.patch", Cost::Tree),
    ("json.remove", Cost::Tree),
    ("json.unmarshal", Cost::Text),
    ("lower", Cost::Text),
    ("max", Cost::Tree),
    ("min", Cost::Tree),
    ("numbers.range", Cost::Text),
    ("numbers.range_step", Cost::Text),
    ("object.filter", Cost::List),
    ("object.keys", Cost::List),
    ("object.remove", Cost::List),
    ("object.union", Cost::Tree),
    ("object.union_n", Cost::Tree),
    ("product", Cost::Tree),
    (
        "regex.find_all_string_submatch_n",
        Cost::Pattern(REGEX_STEPS),
    ),
    ("regex.find_n", Cost::Pattern(REGEX_STEPS)),
    ("regex.is_valid", Cost::Pattern(REGEX_STEPS)),
    ("regex.match", Cost::Pattern(REGEX_STEPS)),
    ("regex.replace", Cost::Pattern(REGEX_STEPS)),
    ("regex.split", Cost::Pattern(REGEX_STEPS)),
    ("regex.template_match", Cost::Pattern(REGEX_STEPS)),
    ("replace", Cost::Text),
    ("sort", Cost::Tree),
    ("split", Cost::Text),
    ("sprintf", Cost::Text),
    ("strings.any_prefix_match", Cost::Text),
    ("strings.any_suffix_match", Cost::Text),
    ("strings.replace_n", Cost::Text),
    ("strings.reverse", Cost::Text),
    ("substring", Cost::Text),
    ("sum", Cost::Tree),
    ("to_number", Cost::Text),
    ("trim", Cost::Text),
    ("trim_space", Cost::Text),
    ("union", Cost::Tree),
    ("upper", Cost::Text),
    ("walk", Cost::Tree),
];

/// Why a guarded builtin did not answer.
#[derive(Debug, thiserror::Error)]
enum BuiltinError {
    #[error("`{0}` would read or make more than it may")]
    TooMuch(&'static str),
    #[error("the steps are spent")]
    Spent,
    #[error("{0}")]
    Builtin(String),
}

/// Builtins that any value is fit for: they have no errors.
const TOTAL: [&str; 9] = [
    "is_array",
    "is_boolean",
    "is_null",
    "is_number",
    "is_object",
    "is_set",
    "is_string",
    "trace",
    "type_name",
];

/// What a builtin costs, if it is one that can be guarded.
fn cost_of(name: &str) -> Option<(&'static str, Cost)> {
    if let Some(guarded) = GUARDED.iter().find(|(guarded, _)| *guarded == name) {
        return Some(*guarded);
    }
    // With 0 the engine says that the number of arguments varies; an extension has one.
    let (name, (_, arity)) = BUILTINS.get_key_value(name)?;
    (*arity > 0 && !TOTAL.contains(name) && !name.starts_with("__")).then_some((*name, Cost::Step))
}

/// The guarded builtins that modules name, called or handed on.
pub(crate) fn named_in(modules: &[&Module]) -> BTreeSet<&'static str> {
    let mut names = BTreeSet::new();
    for rule in modules.iter().flat_map(|module| &module.policy) {
        walk(rule.as_ref(), &mut |visit| {
            let Visit::Expr(expr, _) = visit else { return };
            let name = match expr {
                Expr::Call { fcn, .. } => fcn.as_ref(),
                other => other,
            };
            let found = path_of(name).and_then(|path| cost_of(&path.join(".")));
            names.extend(found.map(|(name, _)| name));
        });
    }
    names
}

/// All names.
#[cfg(test)]
pub(crate) fn all() -> BTreeSet<&'static str> {
    GUARDED.iter().map(|(name, _)| *name).collect()
}

/// Puts guards between an interpreter and the builtins in `names`; each costs every copy of the
/// interpreter an allocation, so only those that its policies use are worth it.
/// `strict`: whether an error of a builtin is an error of the evaluation; otherwise its value is
/// undefined, as in OPA. Only so: the engine's own way swallows conflicts inside functions, too.
pub(crate) fn guard(interpreter: &mut Interpreter, names: &BTreeSet<&'static str>, strict: bool) {
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
    for (name, cost) in names.iter().filter_map(|name| cost_of(name)) {
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
            let before = cost_before(name, cost, &arguments).ok_or(BuiltinError::TooMuch(name))?;
            if !steps::charge(before) {
                return Err(BuiltinError::Spent.into());
            }
            match builtin(&span, &parameters, &arguments, strict) {
                Ok(result) if steps::charge(cost_after(cost, &result)) => Ok(result),
                Ok(_) => Err(BuiltinError::Spent.into()),
                // SECURITY: a limit that was reached must not turn a negation true.
                Err(error) if !strict && !error.is::<LimitError>() => Ok(Value::Undefined),
                Err(error) => Err(BuiltinError::Builtin(reason(&error.to_string())).into()),
            }
        };
        // A name is guarded once, so there is nothing in the way.
        let _guarded = interpreter.add_extension(name.to_owned(), arity, Box::new(guarded));
    }
}

/// The engine's words without the place, which is the guard's and not the policy's.
fn reason(message: &str) -> String {
    let last = message.lines().last().unwrap_or_default().trim();
    last.strip_prefix("error: ").unwrap_or(last).to_owned()
}

/// Steps for reading the arguments, or `None` if they are too much.
fn cost_before(name: &str, cost: Cost, arguments: &[Value]) -> Option<u64> {
    if cost == Cost::Step {
        return Some(0);
    }
    if cost == Cost::List {
        let items = arguments.iter().map(length_of);
        let items = items.fold(0, usize::saturating_add);
        let is_too_long = name == "array.concat" && items > RESULT_ITEMS;
        // What is copied is in the result, and counts there.
        return (!is_too_long).then_some(0);
    }
    let bound = match name {
        "product" => PRODUCT_BYTES,
        "to_number" => NUMBER_BYTES,
        _ => ARGUMENT_BYTES,
    };
    let weights = arguments.iter().map(|argument| weight_of(argument, bound));
    let weight = weights
        .sum::<Option<usize>>()
        .filter(|_| result_is_bounded(name, arguments))?;
    if name == "json.patch"
        && arguments
            .get(1)
            .is_none_or(|patch| names_in(patch) > PATCH_NAMES)
    {
        return None;
    }
    let pattern = match cost {
        Cost::Pattern(steps) => steps,
        Cost::Text | Cost::Tree | Cost::List | Cost::Step => 0,
    };
    Some(steps_for(weight).saturating_add(pattern))
}

/// Steps for what was made.
fn cost_after(cost: Cost, result: &Value) -> u64 {
    match cost {
        Cost::Text | Cost::Pattern(_) => {
            weight_of(result, WEIGHED_BYTES).map_or(u64::MAX, steps_for)
        }
        Cost::Step => 0,
        Cost::Tree | Cost::List => match result {
            Value::String(text) => steps_for(text.len()),
            other => steps_for(length_of(other).saturating_mul(8)),
        },
    }
}

fn steps_for(weight: usize) -> u64 {
    u64::try_from(weight / WEIGHT_PER_STEP).unwrap_or(u64::MAX)
}

/// How many names a patch's paths may have together; its other texts count, too.
fn names_in(patch: &Value) -> usize {
    match patch {
        Value::String(text) => text.matches('/').count(),
        Value::Array(items) => {
            let names = items.iter().map(names_in);
            names.fold(items.len(), usize::saturating_add)
        }
        Value::Set(items) => items.iter().map(names_in).fold(0, usize::saturating_add),
        Value::Object(members) => members
            .values()
            .map(names_in)
            .fold(0, usize::saturating_add),
        _ => 0,
    }
}

/// Whether a builtin that multiplies its arguments' lengths stays below the bound.
fn result_is_bounded(name: &str, arguments: &[Value]) -> bool {
    let (left, right) = match (name, arguments) {
        ("concat", [delimiter, parts]) => (length_of(delimiter), length_of(parts)),
        ("replace" | "regex.replace", [text, _, new]) => (length_of(text), length_of(new)),
        ("strings.replace_n", [patterns, text]) => (longest(patterns), length_of(text)),
        ("strings.any_prefix_match" | "strings.any_suffix_match", [texts, parts]) => {
            (length_of(texts), length_of(parts))
        }
        _ => return true,
    };
    left.saturating_add(1)
        .saturating_mul(right.saturating_add(1))
        <= RESULT_BYTES
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
