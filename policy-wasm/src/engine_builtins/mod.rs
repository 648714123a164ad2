//! Builtins of ours: those that the engine lacks, or that it answers otherwise than OPA.
//!
//! Each is called as the engine's own are, and pays for what it reads and makes in steps.

mod collection;
mod compare;
mod template;

pub(crate) use collection::NAME as COLLECTION;
pub(crate) use compare::NAME as COMPARE;
use regorus::{Engine as Interpreter, Value};
pub(crate) use template::NAME as TEMPLATE_STRING;

/// Builtins that this crate adds to the engine's.
const OURS: [&str; 3] = [collection::NAME, compare::NAME, template::NAME];

/// Whether a name is that of a builtin of ours.
pub(crate) fn is_ours(name: &str) -> bool {
    OURS.contains(&name)
}

/// Adds those that these texts name; each costs every copy of the interpreter an allocation.
pub(crate) fn add<'a>(interpreter: &mut Interpreter, texts: impl Iterator<Item = &'a str>) {
    let (mut iterates, mut compares, mut fills) = (false, false, false);
    for text in texts {
        iterates |= text.contains(collection::NAME);
        compares |= text.contains(compare::NAME);
        fills |= text.contains(template::NAME);
    }
    // Names of ours are no builtins of the engine, so there is nothing in the way.
    if iterates {
        let call = |arguments: Vec<Value>| Ok(collection::call(&arguments));
        let _added = interpreter.add_extension(collection::NAME.to_owned(), 1, Box::new(call));
    }
    if compares {
        let call = |arguments: Vec<Value>| Ok(compare::call(&arguments)?);
        let _added = interpreter.add_extension(compare::NAME.to_owned(), 2, Box::new(call));
    }
    if fills {
        let call = |arguments: Vec<Value>| Ok(template::call(&arguments)?);
        let _added = interpreter.add_extension(template::NAME.to_owned(), 1, Box::new(call));
    }
}
