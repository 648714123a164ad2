//! Terms that say a value outright.

use super::ast::{Term, TermKind};
use crate::value::{Number, Value};

/// The value of a term in which nothing has to be evaluated.
pub(crate) fn constant(term: &Term) -> Option<Value> {
    let all = |terms: &[Term]| terms.iter().map(constant).collect::<Option<Vec<_>>>();
    Some(match &term.kind {
        TermKind::Null => Value::Null,
        TermKind::Bool(flag) => Value::Bool(*flag),
        TermKind::Number(text) => Value::Number(Number::parse(text)?),
        TermKind::Text(text) => Value::from(text.as_str()),
        TermKind::Array(items) => Value::array(all(items)?),
        TermKind::Set(items) => Value::set(all(items)?),
        TermKind::Object(fields) => {
            let field = |(key, value): &(Term, Term)| Some((constant(key)?, constant(value)?));
            Value::object(fields.iter().map(field).collect::<Option<_>>()?)
        }
        _ => return None,
    })
}
