//! Terms that say a value outright.

use super::ast::{Place, Term, TermKind};
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

/// A term that says a value, as if it were written at `place`.
pub(crate) fn term_of(value: &Value, place: Place) -> Term {
    let all = |values: &[Value]| values.iter().map(|one| term_of(one, place)).collect();
    let kind = match value {
        Value::Null => TermKind::Null,
        Value::Bool(flag) => TermKind::Bool(*flag),
        Value::Number(number) => TermKind::Number(number.to_string()),
        Value::String(text) => TermKind::Text(text.to_string()),
        Value::Array(items) => TermKind::Array(all(items)),
        Value::Set(items) => TermKind::Set(all(items)),
        Value::Object(members) => {
            let members = members.iter();
            let members = members.map(|(key, value)| (term_of(key, place), term_of(value, place)));
            TermKind::Object(members.collect())
        }
    };
    Term::new(place, kind)
}
